"""Calls of other services that go on to start machines from an image: latent users, which no call of EC2 names.

AWS ParallelCluster is missing: it is no service with calls of its own, but launch templates and fleets of EC2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import Key, Kind, Relation

Path = tuple[str, ...]
"""Names of members, one in the other, through lists as well."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """Where a call names what uses an image, and the image: all in botocore's model, none in a published event [H]."""

    service: str
    names: tuple[Path, ...]
    """Which together name it; of each what the response says comes before what the request says."""
    images: tuple[Path, ...] = ()
    templates: tuple[Path, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    """Attributes, and the member that they take their value from."""
    whole: str = ""
    """The member of the response that shows all of it, where an update's request has only what changes."""


_BATCH = Consumer(
    "batch",
    (("computeenvironmentname",),),
    (("computeresources", "imageid"), ("computeresources", "ec2configuration", "imageidoverride")),
    (("computeresources", "launchtemplate"), ("computeresources", "launchtemplate", "overrides")),
)
_EMR_GROUPS = ("instances", "instancegroups", "customamiid")
_EMR_FLEETS = ("instances", "instancefleets", "instancetypeconfigs", "customamiid")
_EKS = Consumer(
    "eks",
    (("name",), ("nodegroupname",)),
    templates=(("launchtemplate",),),
    said={"ami_type": "amitype", "release_version": "releaseversion"},
)
_PCS = Consumer(
    "pcs",
    (("computenodegroup", "arn"),),
    (("amiid",),),
    (("customlaunchtemplate",),),
    whole="computenodegroup",
)

CONSUMERS: Mapping[tuple[str, str], Consumer] = {
    ("aws.appstream", "CreateImportedImage"): Consumer("appstream", (("name",),), (("sourceamiid",),)),
    ("aws.batch", "CreateComputeEnvironment"): _BATCH,
    ("aws.batch", "UpdateComputeEnvironment"): _BATCH,
    ("aws.cloud9", "CreateEnvironmentEC2"): Consumer("cloud9", (("environmentid",),), (("imageid",),)),
    ("aws.codebuild", "CreateFleet"): Consumer("codebuild", (("fleet", "arn"),), (("imageid",),)),
    ("aws.codebuild", "UpdateFleet"): Consumer("codebuild", (("fleet", "arn"),), (("imageid",),)),
    ("aws.eks", "CreateNodegroup"): _EKS,
    ("aws.eks", "UpdateNodegroupVersion"): _EKS,
    ("aws.elasticmapreduce", "AddInstanceFleet"): Consumer(
        "emr", (("clusterid",), ("instancefleetid",)), (("instancefleet", "instancetypeconfigs", "customamiid"),)
    ),
    ("aws.elasticmapreduce", "AddInstanceGroups"): Consumer(
        "emr", (("jobflowid",), ("instancegroupids",)), (("instancegroups", "customamiid"),)
    ),
    ("aws.elasticmapreduce", "RunJobFlow"): Consumer(
        "emr", (("jobflowid",),), (("customamiid",), _EMR_GROUPS, _EMR_FLEETS)
    ),
    ("aws.pcs", "CreateComputeNodeGroup"): _PCS,
    ("aws.pcs", "UpdateComputeNodeGroup"): _PCS,
    ("aws.workspaces", "ImportCustomWorkspaceImage"): Consumer(
        "workspaces", (("imageid",),), (("imagesource", "ec2imageid"), ("imagesource", "imagebuildversionarn"))
    ),
    ("aws.workspaces", "ImportWorkspaceImage"): Consumer("workspaces", (("imageid",),), (("ec2imageid",),)),
}


def reader_of(consumer: Consumer) -> Reader:
    """Make the function that reads a row of the table; a call that names no image says nothing."""

    def read(call: Call, tell: Teller) -> None:
        shown = call.response.node(consumer.whole) if consumer.whole else call.request
        if not any(shown.has(path[0]) for path in (*consumer.images, *consumer.templates)):
            shown = call.request
        images = [text for path in consumer.images for text in texts_at(shown, path)]
        templates = [node for path in consumer.templates for node in nodes_at(shown, path)]
        said = {name: call.request.text(member) for name, member in consumer.said.items()}
        parents = [(Relation.REFERENCES, tell.reference(text, "imageId")) for text in images]
        parents += [(Relation.USES, tell.template(node)) for node in templates]
        found = [(relation, parent) for relation, parent in parents if parent]
        if not found and not any(said.values()):
            return
        key = _key(tell, consumer.service, "/".join(_name(call, path) for path in consumer.names))
        tell.note(key, owner=tell.account, **said)
        for relation, parent in found:
            tell.relate(relation, key, parent)

    return read


def nodes_at(node: Node, path: Path) -> Iterator[Node]:
    """Answer the objects at a path."""
    for row in node.rows(path[0]):
        if len(path) == 1:
            yield row
        else:
            yield from nodes_at(row, path[1:])


def texts_at(node: Node, path: Path) -> Iterator[str]:
    """Answer the texts at a path that are there."""
    for each in nodes_at(node, path[:-1]) if len(path) > 1 else (node,):
        yield from each.texts(path[-1])


def _name(call: Call, path: Path) -> str:
    for node in (call.response, call.request):
        for text in texts_at(node, path):
            return text
    return call.request.need(path[-1], "arn", "computeenvironment")


def _key(tell: Teller, service: str, name: str) -> Key:
    return tell.key(Kind.CONSUMER, f"{service}/{tell.account}/{name}")


def configure_beanstalk(call: Call, tell: Teller) -> None:
    """CreateEnvironment, UpdateEnvironment, CreateConfigurationTemplate, UpdateConfigurationTemplate.

    https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html
    """
    for row in call.request.rows("optionsettings"):
        if row.text("namespace") == "aws:autoscaling:launchconfiguration" and row.text("optionname") == "ImageId":
            image = tell.reference(row.need("value"), "ImageId")
            name = call.response.text("environmentname", "templatename") or call.request.need(
                "environmentname", "environmentid", "templatename"
            )
            key = _key(tell, "elasticbeanstalk", name)
            tell.note(key, owner=tell.account)
            if image:
                tell.relate(Relation.REFERENCES, key, image)


def configure_cluster(call: Call, tell: Teller) -> None:
    """CreateCluster, UpdateCluster and UpdateClusterSoftware of SageMaker HyperPod: an image for each instance group.

    An update names only the groups that it changes, so each group is a thing of its own.
    """
    cluster, all_groups = call.request.need("clustername"), call.request.text("imageid")
    rows = call.request.rows("instancegroups")
    images = {f"{cluster}/{row.need('instancegroupname')}": row.text("imageid") or all_groups for row in rows}
    for name, text in (images or {cluster: all_groups}).items():
        image = tell.reference(text, "imageId") if text else None
        if image:
            key = _key(tell, "sagemaker", name)
            tell.note(key, owner=tell.account)
            tell.relate(Relation.REFERENCES, key, image)


def create_capacity_provider(call: Call, tell: Teller) -> None:
    """Amazon ECS: a provider takes its machines from a group of EC2 Auto Scaling, or from images of AWS alone."""
    arn = call.request.node("autoscalinggroupprovider").text("autoscalinggrouparn")
    if arn:
        key = _key(tell, "ecs", call.request.need("name"))
        tell.note(key, owner=tell.account)
        # `arn:…:autoScalingGroup:<uuid>:autoScalingGroupName/<name>`, or the name alone.
        tell.relate(Relation.USES, key, tell.named(Kind.GROUP, arn.partition("autoScalingGroupName/")[2] or arn))


READERS: Mapping[tuple[str, str], Reader] = {
    **{call: reader_of(consumer) for call, consumer in CONSUMERS.items()},
    ("aws.ecs", "CreateCapacityProvider"): create_capacity_provider,
    ("aws.elasticbeanstalk", "CreateConfigurationTemplate"): configure_beanstalk,
    ("aws.elasticbeanstalk", "CreateEnvironment"): configure_beanstalk,
    ("aws.elasticbeanstalk", "UpdateConfigurationTemplate"): configure_beanstalk,
    ("aws.elasticbeanstalk", "UpdateEnvironment"): configure_beanstalk,
    ("aws.sagemaker", "CreateCluster"): configure_cluster,
    ("aws.sagemaker", "UpdateCluster"): configure_cluster,
    ("aws.sagemaker", "UpdateClusterSoftware"): configure_cluster,
}
