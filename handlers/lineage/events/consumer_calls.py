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


_BATCH = Consumer(
    "batch",
    (("computeenvironmentname",),),
    (("computeresources", "imageid"), ("computeresources", "ec2configuration", "imageidoverride")),
    (("computeresources", "launchtemplate"), ("computeresources", "launchtemplate", "overrides")),
)
_EMR_GROUPS = ("instances", "instancegroups", "customamiid")
_EMR_FLEETS = ("instances", "instancefleets", "instancetypeconfigs", "customamiid")
_EKS_SAID = {"ami_type": "amitype", "release_version": "releaseversion"}
_NODEGROUP = (("clustername", "name"), ("nodegroupname",))

CONSUMERS: Mapping[tuple[str, str], Consumer] = {
    ("aws.appstream", "CreateImportedImage"): Consumer("appstream", (("name",),), (("sourceamiid",),)),
    ("aws.batch", "CreateComputeEnvironment"): _BATCH,
    ("aws.batch", "UpdateComputeEnvironment"): _BATCH,
    ("aws.cloud9", "CreateEnvironmentEC2"): Consumer("cloud9", (("environmentid",),), (("imageid",),)),
    ("aws.codebuild", "CreateFleet"): Consumer("codebuild", (("fleet", "arn"),), (("imageid",),)),
    ("aws.codebuild", "UpdateFleet"): Consumer("codebuild", (("fleet", "arn"),), (("imageid",),)),
    ("aws.eks", "CreateNodegroup"): Consumer("eks", _NODEGROUP, (), (("launchtemplate",),), _EKS_SAID),
    ("aws.eks", "UpdateNodegroupVersion"): Consumer("eks", _NODEGROUP, (), (("launchtemplate",),), _EKS_SAID),
    ("aws.elasticmapreduce", "AddInstanceFleet"): Consumer(
        "emr", (("clusterid",),), (("instancefleet", "instancetypeconfigs", "customamiid"),)
    ),
    ("aws.elasticmapreduce", "AddInstanceGroups"): Consumer(
        "emr", (("jobflowid",),), (("instancegroups", "customamiid"),)
    ),
    ("aws.elasticmapreduce", "RunJobFlow"): Consumer(
        "emr", (("jobflowid",),), (("customamiid",), _EMR_GROUPS, _EMR_FLEETS)
    ),
    ("aws.pcs", "CreateComputeNodeGroup"): Consumer(
        "pcs", (("computenodegroup", "arn"),), (("amiid",),), (("customlaunchtemplate",),)
    ),
    ("aws.pcs", "UpdateComputeNodeGroup"): Consumer(
        "pcs", (("computenodegroup", "arn"),), (("amiid",),), (("customlaunchtemplate",),)
    ),
    ("aws.sagemaker", "CreateCluster"): Consumer("sagemaker", (("clustername",),), (("instancegroups", "imageid"),)),
    ("aws.sagemaker", "UpdateCluster"): Consumer("sagemaker", (("clustername",),), (("instancegroups", "imageid"),)),
    ("aws.sagemaker", "UpdateClusterSoftware"): Consumer(
        "sagemaker", (("clustername",),), (("imageid",), ("instancegroups", "imageid"))
    ),
    ("aws.workspaces", "ImportCustomWorkspaceImage"): Consumer(
        "workspaces", (("imageid",),), (("imagesource", "ec2imageid"), ("imagesource", "imagebuildversionarn"))
    ),
    ("aws.workspaces", "ImportWorkspaceImage"): Consumer("workspaces", (("imageid",),), (("ec2imageid",),)),
}


def reader_of(consumer: Consumer) -> Reader:
    """Make the function that reads a row of the table; a call that names no image says nothing."""

    def read(call: Call, tell: Teller) -> None:
        images = [text for path in consumer.images for text in texts_at(call.request, path)]
        templates = [node for path in consumer.templates for node in nodes_at(call.request, path)]
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
        text = each.text(path[-1])
        if text:
            yield text


def _name(call: Call, path: Path) -> str:
    for node in (call.response, call.request):
        for text in texts_at(node, path):
            return text
    return call.request.need(*(path if len(path) == 1 else ("arn", path[-1])), "computeenvironment", "clustername")


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
}
