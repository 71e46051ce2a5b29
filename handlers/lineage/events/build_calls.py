"""Calls of EC2 Image Builder. A build is a thing of its own, by its ARN: recipe → build → image.

What the build makes is told by EC2's CreateImage, which Image Builder calls with a tag that names the build [H].
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import Key, Kind, Relation

_RECIPES = ("imagerecipearn", "containerrecipearn")
_PERMISSIONS = ("userids", "usergroups", "organizationarns", "organizationalunitarns")
_S3_URI = re.compile(r"s3://([^/\s]{1,255})/(\S{1,1024})")


def create_recipe(call: Call, tell: Teller) -> None:
    recipe = tell.by_arn(Kind.RECIPE, call.response.need(*_RECIPES))
    watermarks = ",".join(sorted(call.request.texts("amiwatermarks")))
    tell.note(
        recipe,
        name=call.request.text("name"),
        version=call.request.text("semanticversion"),
        owner=tell.account,
        watermarks=watermarks or None,
    )
    # A container recipe's parent is a container image; the machine that it is built on is in the other place.
    parent = call.request.node("instanceconfiguration").text("image")
    if call.name == "CreateImageRecipe":
        parent = call.request.need("parentimage")
    image = tell.reference(parent, "parentImage") if parent else None
    if image:
        tell.relate(Relation.REFERENCES, recipe, image)


def configure_pipeline(call: Call, tell: Teller) -> None:
    pipeline = tell.by_arn(Kind.RECIPE, call.response.text("imagepipelinearn") or call.request.need("imagepipelinearn"))
    tell.note(pipeline, name=call.request.text("name"), owner=tell.account, state=call.request.text("status"))
    for name in (*_RECIPES, "distributionconfigurationarn"):
        arn = call.request.text(name)
        if arn:
            tell.relate(Relation.USES, pipeline, tell.by_arn(Kind.RECIPE, arn))


def start_build(call: Call, tell: Teller) -> None:
    """CreateImage of Image Builder, and StartImagePipelineExecution."""
    build = _build(call, tell)
    for name in (*_RECIPES, "imagepipelinearn"):
        arn = call.request.text(name)
        if arn:
            tell.relate(Relation.BUILT_BY, build, tell.by_arn(Kind.RECIPE, arn))
    _distribute_by(call, tell, build)


def distribute_image(call: Call, tell: Teller) -> None:
    build = _build(call, tell)
    source = tell.reference(call.request.need("sourceimage"), "sourceImage")
    if source:
        tell.relate(Relation.COPIED_FROM, build, source)
    _distribute_by(call, tell, build)


def import_vm_image(call: Call, tell: Teller) -> None:
    build = _build(call, tell)
    tell.relate(Relation.IMPORTED_FROM, build, tell.key(Kind.EXTERNAL, call.request.need("vmimporttaskid")))


def import_disk_image(call: Call, tell: Teller) -> None:
    uri = call.request.need("uri")
    found = _S3_URI.fullmatch(uri)
    disk = tell.object(found[1], found[2]) if found else tell.everywhere(Kind.EXTERNAL, uri.partition("?")[0] or "?")
    tell.relate(Relation.IMPORTED_FROM, _build(call, tell), disk)


def _build(call: Call, tell: Teller) -> Key:
    build = tell.by_arn(Kind.RECIPE, call.response.need("imagebuildversionarn", "imagearn"))
    tell.note(build, name=call.request.text("name"), owner=tell.account, state="PENDING")
    return build


def _distribute_by(call: Call, tell: Teller, build: Key) -> None:
    arn = call.request.text("distributionconfigurationarn")
    if arn:
        tell.relate(Relation.USES, build, tell.by_arn(Kind.RECIPE, arn))


def configure_distribution(call: Call, tell: Teller) -> None:
    """Where images WILL go: attributes, since each update replaces all; what did go there is told by EC2's calls."""
    name = "distributionconfigurationarn"
    configuration = tell.by_arn(Kind.RECIPE, call.response.text(name) or call.request.need(name))
    goes: dict[str, set[str]] = {"accounts": set(), "regions": set(), "templates": set(), "parameters": set()}
    buckets: set[str] = set()
    for row in call.request.rows("distributions"):
        _gather(row, goes)
        export = row.node("s3exportconfiguration").text("s3bucket")
        buckets |= {export} if export else set()
    tell.note(
        configuration,
        name=call.request.text("name"),
        owner=tell.account,
        **{f"to_{what}": ",".join(sorted(found))[:4000] for what, found in goes.items()},
        to_buckets=",".join(sorted(buckets)),
    )


def _gather(row: Node, goes: dict[str, set[str]]) -> None:
    images = row.node("amidistributionconfiguration")
    goes["regions"] |= {row.need("region")}
    goes["accounts"] |= set(images.texts("targetaccountids"))
    for name in _PERMISSIONS:
        goes["accounts"] |= set(images.node("launchpermission").texts(name))
    goes["templates"] |= {each.need("launchtemplateid") for each in row.rows("launchtemplateconfigurations")}
    goes["parameters"] |= {each.need("parametername") for each in row.rows("ssmparameterconfigurations")}


READERS: Mapping[str, Reader] = {
    "CreateContainerRecipe": create_recipe,
    "CreateDistributionConfiguration": configure_distribution,
    "CreateImage": start_build,
    "CreateImagePipeline": configure_pipeline,
    "CreateImageRecipe": create_recipe,
    "DistributeImage": distribute_image,
    "ImportDiskImage": import_disk_image,
    "ImportVmImage": import_vm_image,
    "StartImagePipelineExecution": start_build,
    "UpdateDistributionConfiguration": configure_distribution,
    "UpdateImagePipeline": configure_pipeline,
}
"""Of the source `aws.imagebuilder`."""
