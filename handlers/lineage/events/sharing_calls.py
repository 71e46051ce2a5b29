"""Calls of EC2 by which an image or snapshot is shared, described, marked or tagged."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Call
from handlers.lineage.events.image_calls import Reader
from handlers.lineage.events.outcome import EventError
from handlers.lineage.events.teller import Teller, tags_in
from handlers.lineage.model import Key, Kind, Relation
from handlers.lineage.relations import EVERY_TAG, EVERYBODY

_SHAREES = ("userid", "group", "organizationarn", "organizationalunitarn")
_OLDER = (
    ("userids", "userid", "useridset"),
    ("usergroups", "usergroup", "groupnames", "groupname", "usergroupset"),
    ("organizationarns", "organizationarn"),
    ("organizationalunitarns", "organizationalunitarn"),
)
_TAGGED = {"ami": Kind.IMAGE, "snap": Kind.SNAPSHOT, "vol": Kind.VOLUME, "i": Kind.INSTANCE}


def modify_image_attribute(call: Call, tell: Teller) -> None:
    image, request = tell.thing(Kind.IMAGE, call.request.need("imageid")), call.request
    _share(call, tell, image, "launchpermission")
    # A description is either the attribute itself or, as the older way has it, the value of the named one.
    if request.has("description"):
        tell.note(image, description=request.node("description").words("value"))
    elif _attribute(request) == "description":
        tell.note(image, description=request.words("value"))
    if request.has("imdssupport"):
        tell.note(image, imds_support=request.node("imdssupport").text("value"))


def modify_snapshot_attribute(call: Call, tell: Teller) -> None:
    _share(call, tell, tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid")), "createvolumepermission")


def _attribute(request: Node) -> str:
    return (request.text("attributetype", "attribute") or "").replace("_", "").lower()


def _share(call: Call, tell: Teller, shared: Key, permission: str) -> None:
    request = call.request
    sharees: list[tuple[str, bool]] = []
    for change, holds in (("add", True), ("remove", False)):
        for row in request.node(permission).rows(change):
            sharees += [(row.need(name), holds) for name in _SHAREES if row.text(name)]
    if not sharees and _attribute(request) == permission and request.text("operationtype"):
        operation = request.need("operationtype")
        if operation not in {"add", "remove"}:
            raise EventError("operationType", "is neither add nor remove")
        for names in _OLDER:
            sharees += [(each, operation == "add") for each in request.texts(*names)]
    for sharee, holds in sharees:
        tell.share(shared, sharee, holds=holds)
        if sharee == EVERYBODY:
            tell.note(shared, public="yes" if holds else "no")


def _stop_sharing(call: Call, tell: Teller, shared: Key, permission: str) -> None:
    if _attribute(call.request) in {permission, ""}:
        tell.share_with_nobody(shared)
        tell.note(shared, public="no")


def reset_image_attribute(call: Call, tell: Teller) -> None:
    _stop_sharing(call, tell, tell.thing(Kind.IMAGE, call.request.need("imageid")), "launchpermission")


def reset_snapshot_attribute(call: Call, tell: Teller) -> None:
    _stop_sharing(call, tell, tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid")), "createvolumepermission")


def cancel_image_launch_permission(call: Call, tell: Teller) -> None:
    """The sharee gives the permission back: the event is one of the sharee's account, not of the owner's."""
    tell.share(tell.thing(Kind.IMAGE, call.request.need("imageid")), tell.account, holds=False)


def attach_image_watermark(call: Call, tell: Teller) -> None:
    key = call.response.text("watermarkkey") or f"{tell.account}:{call.request.need('watermarkname')}"
    _mark(call, tell, key, holds=True)


def detach_image_watermark(call: Call, tell: Teller) -> None:
    _mark(call, tell, call.request.need("watermarkkey", "watermarkname"), holds=False)


def _mark(call: Call, tell: Teller, key: str, *, holds: bool) -> None:
    image = tell.thing(Kind.IMAGE, call.request.need("imageid"))
    name = key if ":" in key else f"{tell.account}:{key}"
    tell.relate(Relation.WATERMARKED, image, tell.everywhere(Kind.WATERMARK, name), holds=holds)


def create_tags(call: Call, tell: Teller) -> None:
    """A tag is a claim by whoever put it: the evidence says who, and nothing here takes one for an approval."""
    tags = tags_in(call.request.rows("tagset", "tags", "tag"))
    for key in _tagged(call, tell):
        tell.note(key, tags)


def delete_tags(call: Call, tell: Teller) -> None:
    """Without any tag all are deleted; with a value only if it is the tag's, which cannot be known here.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
    """
    rows = call.request.rows("tagset", "tags", "tag")
    sure = [f"tag:{row.need('key')}" for row in rows if not row.has("value")]
    if_equal = [f"tag:{row.need('key')}" for row in rows if row.has("value")]
    for key in _tagged(call, tell):
        if not rows:
            tell.take_away(key, (EVERY_TAG,))
        if sure:
            tell.take_away(key, sure)
        if if_equal:
            tell.take_away(key, if_equal, inferred=True)


def _tagged(call: Call, tell: Teller) -> list[Key]:
    rows = call.request.rows("resourcesset")
    # The form in which newer calls write lists of texts.
    ids = [row.need("resourceid") for row in rows] or call.request.texts("resourceid", "resources")
    kinds = ((_TAGGED.get(id.partition("-")[0]), id) for id in ids)
    return [tell.thing(kind, id) for kind, id in kinds if kind]


READERS: Mapping[str, Reader] = {
    "AttachImageWatermark": attach_image_watermark,
    "CancelImageLaunchPermission": cancel_image_launch_permission,
    "CreateTags": create_tags,
    "DeleteTags": delete_tags,
    "DetachImageWatermark": detach_image_watermark,
    "ModifyImageAttribute": modify_image_attribute,
    "ModifySnapshotAttribute": modify_snapshot_attribute,
    "ResetImageAttribute": reset_image_attribute,
    "ResetSnapshotAttribute": reset_snapshot_attribute,
}
