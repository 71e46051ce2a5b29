"""Calls of EC2 that make, change or end an image.

Where no example of the event is published, the members are those of the call in botocore's model [H].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call, region_of
from handlers.lineage.events.teller import Teller, tags_for, yes
from handlers.lineage.model import Key, Kind, Relation

Reader = Callable[[Call, Teller], None]

_IMAGE_BUILDER_TAG = "Ec2ImageBuilderArn"
_IMAGE_BUILDER = "imagebuilder.amazonaws.com"
_BACKUPS = frozenset({"backup.amazonaws.com", "dlm.amazonaws.com"})
_S3_URL = re.compile(r"s3://([^/\s]{1,255})/(\S{1,1024})|https://([^./\s]{1,255})\.s3[^/\s]*/(\S{1,1024})")


def _new_image(call: Call, tell: Teller, method: str, state: str) -> Key:
    image = tell.thing(Kind.IMAGE, call.response.need("imageid"))
    tags = tags_for("image", call.request)
    tell.note(
        image,
        tags,
        name=call.request.text("name"),
        description=call.request.text("description"),
        architecture=call.request.text("architecture"),
        encrypted=yes(call.request.flag("encrypted")),
        owner=tell.account,
        creation_method=method,
        state=state,
        backup=made_for_backup(call, tags),
    )
    # Anybody can put the tag; only for Image Builder's own calls it says who built the image [H].
    builder = tags.get(_IMAGE_BUILDER_TAG)
    if builder and call.service == _IMAGE_BUILDER:
        tell.relate(Relation.BUILT_BY, image, tell.by_arn(Kind.RECIPE, builder))
    return image


def made_for_backup(call: Call, tags: Mapping[str, str]) -> str | None:
    """Answer `yes` if AWS Backup or Data Lifecycle Manager made it: a copy of a live machine, never a golden image.

    Tags that start with `aws:` are AWS's alone.
    """
    of_service = any(name.startswith(("aws:backup:", "aws:dlm:")) for name in tags)
    return "yes" if of_service or call.service in _BACKUPS else None


def create_image(call: Call, tell: Teller) -> None:
    image = _new_image(call, tell, "create", "pending")
    tell.relate(Relation.CREATED_FROM, image, tell.thing(Kind.INSTANCE, call.request.need("instanceid")))


def copy_image(call: Call, tell: Teller) -> None:
    """Logged in the Region of the copy; the source is in the Region that the call names, in the same partition."""
    image = _new_image(call, tell, "copy", "pending")
    region = region_of(call.request.need("sourceregion"), "sourceRegion")
    source = tell.thing(Kind.IMAGE, call.request.need("sourceimageid"), region)
    tell.relate(Relation.COPIED_FROM, image, source)
    if call.request.flag("copyimagetags"):
        tell.gaps.append("the tags that were copied with the image are not in the event")


def register_image(call: Call, tell: Teller) -> None:
    image = _new_image(call, tell, "register", "available")
    root = call.request.text("rootdevicename")
    for row in call.request.rows("blockdevicemapping", "blockdevicemappings"):
        snapshot, device = row.node("ebs").text("snapshotid"), row.text("devicename")
        if snapshot:
            is_root = device == root if root and device else None
            tell.relate(
                Relation.REGISTERED_FROM, image, tell.thing(Kind.SNAPSHOT, snapshot), device=device, root=is_root
            )
    location = call.request.text("imagelocation")
    if location:
        # `bucket/path/image.manifest.xml`, of an image whose root is in S3.
        tell.relate(Relation.REGISTERED_FROM, image, tell.everywhere(Kind.OBJECT, location))


def disk_outside(row: Node, tell: Teller) -> Key | None:
    """Answer where a disk that is imported lies."""
    bucket = row.node("userbucket")
    where, path, url = bucket.text("s3bucket"), bucket.text("s3key"), row.text("url")
    if where and path:
        return tell.object(where, path)
    if row.text("snapshotid"):
        return tell.thing(Kind.SNAPSHOT, row.need("snapshotid"))
    if url is None:
        return None
    # What stands after `?` may be a signature that lets in whoever reads it.
    bare = url.partition("?")[0]
    found = _S3_URL.fullmatch(bare)
    if found:
        return tell.object(found[1] or found[3], found[2] or found[4])
    return tell.everywhere(Kind.EXTERNAL, bare) if bare else None


def import_image(call: Call, tell: Teller) -> None:
    """The image's id is not told before the import ends; its name is then that of the task, `import-ami-…` [H]."""
    task = tell.key(Kind.EXTERNAL, call.response.need("importtaskid"))
    tell.note(task, description=call.request.text("description"), owner=tell.account)
    disks = (
        disk_outside(row, tell) for row in call.request.rows("diskcontainer", "diskcontainers", "diskcontainerset")
    )
    for disk in disks:
        if disk:
            tell.relate(Relation.IMPORTED_FROM, task, disk)
    image = call.response.text("imageid")
    if image:
        tell.note(tell.thing(Kind.IMAGE, image), owner=tell.account, creation_method="import", state="pending")
        tell.relate(Relation.IMPORTED_FROM, tell.thing(Kind.IMAGE, image), task)
    else:
        tell.gaps.append("only DescribeImportImageTasks tells which image an import made")


def create_store_image_task(call: Call, tell: Teller) -> None:
    image, bucket = tell.thing(Kind.IMAGE, call.request.need("imageid")), call.request.need("bucket")
    stored = tell.object(bucket, call.response.text("objectkey") or f"{call.request.need('imageid')}.bin")
    tell.note(stored, owner=tell.account)
    tell.relate(Relation.STORED_FROM, stored, image)


def create_restore_image_task(call: Call, tell: Teller) -> None:
    image = _new_image(call, tell, "restore", "pending")
    tell.relate(Relation.RESTORED_FROM, image, tell.object(call.request.need("bucket"), call.request.need("objectkey")))


def export_image(call: Call, tell: Teller) -> None:
    """The object's name is made of the prefix, the task's id and the format [H]."""
    image = tell.thing(Kind.IMAGE, call.request.need("imageid"))
    place = call.request.node("s3exportlocation")
    task, format = call.response.need("exportimagetaskid"), call.request.need("diskimageformat").lower()
    exported = tell.object(place.need("s3bucket"), f"{place.text('s3prefix') or ''}{task}.{format}")
    tell.note(exported, owner=tell.account, exported="yes")
    tell.relate(Relation.STORED_FROM, exported, image)


def deregister_image(call: Call, tell: Teller) -> None:
    tell.note(_image_of(call, tell), state="deregistered")
    for row in call.response.rows("deletesnapshotresultset", "deletesnapshotresults"):
        if row.text("returncode") == "success":
            tell.note(tell.thing(Kind.SNAPSHOT, row.need("snapshotid")), state="deleted")


def enable_image_deprecation(call: Call, tell: Teller) -> None:
    tell.note(_image_of(call, tell), deprecated_at=call.request.need("deprecateat"))


def disable_image_deprecation(call: Call, tell: Teller) -> None:
    tell.take_away(_image_of(call, tell), ("deprecated_at",))


def enable_image_deregistration_protection(call: Call, tell: Teller) -> None:
    cooldown = "enabled-with-cooldown" if call.request.flag("withcooldown") else "enabled"
    tell.note(_image_of(call, tell), deregistration_protection=cooldown)


def fast_launch(call: Call, tell: Teller) -> None:
    enabling = "enabling" if call.name == "EnableFastLaunch" else "disabling"
    tell.note(_image_of(call, tell), fast_launch=call.response.text("state") or enabling)


def create_image_usage_report(call: Call, tell: Teller) -> None:
    tell.note(_image_of(call, tell), usage_report=call.response.text("reportid"))


def _says(**said: str) -> Reader:
    def read(call: Call, tell: Teller) -> None:
        tell.note(_image_of(call, tell), **said)

    return read


def _image_of(call: Call, tell: Teller) -> Key:
    return tell.thing(Kind.IMAGE, call.request.need("imageid"))


READERS: Mapping[str, Reader] = {
    "CopyImage": copy_image,
    "CreateImage": create_image,
    "CreateImageUsageReport": create_image_usage_report,
    "CreateRestoreImageTask": create_restore_image_task,
    "CreateStoreImageTask": create_store_image_task,
    "DeregisterImage": deregister_image,
    "DisableFastLaunch": fast_launch,
    "DisableImage": _says(state="disabled"),
    "DisableImageDeprecation": disable_image_deprecation,
    "DisableImageDeregistrationProtection": _says(deregistration_protection="disabled"),
    "EnableFastLaunch": fast_launch,
    "EnableImage": _says(state="available"),
    "EnableImageDeprecation": enable_image_deprecation,
    "EnableImageDeregistrationProtection": enable_image_deregistration_protection,
    "ExportImage": export_image,
    "ImportImage": import_image,
    "RegisterImage": register_image,
    "RestoreImageFromRecycleBin": _says(state="available"),
}
