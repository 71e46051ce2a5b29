"""Calls of EC2, and of the EBS direct APIs, that make snapshots and volumes or move volumes between instances."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.lineage.events.envelope import Call, region_of
from handlers.lineage.events.image_calls import Reader, disk_outside, made_for_backup
from handlers.lineage.events.teller import Teller, tags_for, tags_in, yes
from handlers.lineage.model import Key, Kind, Relation

ROOT_DEVICES = frozenset({"/dev/xvda", "/dev/sda1", "/dev/sda", "xvda", "sda1"})
"""What the root device is called by nearly all images; only DescribeInstances would tell for sure [H].

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
"""
_FAST_LAUNCH = "ec2fastlaunch.amazonaws.com"


def _new_snapshot(call: Call, tell: Teller, id: str, state: str | None = None) -> Key:
    snapshot = tell.thing(Kind.SNAPSHOT, id)
    tags = tags_for("snapshot", call.request)
    tell.note(
        snapshot,
        tags,
        description=call.request.text("description"),
        encrypted=yes(call.request.flag("encrypted")),
        owner=tell.account,
        state=state,
        backup=made_for_backup(call, tags),
    )
    return snapshot


def create_snapshot(call: Call, tell: Teller) -> None:
    snapshot = _new_snapshot(call, tell, call.response.need("snapshotid"), "pending")
    volume = tell.thing(Kind.VOLUME, call.response.text("volumeid") or call.request.need("volumeid"))
    tell.relate(Relation.SNAPSHOT_OF, snapshot, volume)


def create_snapshots(call: Call, tell: Teller) -> None:
    """Of all volumes of an instance: which also says that they were attached to it."""
    instance = tell.thing(Kind.INSTANCE, call.request.node("instancespecification").need("instanceid"))
    for row in call.response.rows("snapshotset", "snapshots"):
        snapshot = _new_snapshot(call, tell, row.need("snapshotid"), row.text("state", "status") or "pending")
        volume = tell.thing(Kind.VOLUME, row.need("volumeid"))
        tell.relate(Relation.SNAPSHOT_OF, snapshot, volume)
        tell.relate(Relation.ATTACHED_TO, volume, instance)
        if call.service == _FAST_LAUNCH:
            # That EC2 Fast Launch makes its snapshots by this call is not documented [H].
            tell.relate(Relation.PRELAUNCHED_FROM, snapshot, instance, inferred=True)


def copy_snapshot(call: Call, tell: Teller) -> None:
    """Logged in the Region of the copy, as CopyImage is."""
    snapshot = _new_snapshot(call, tell, call.response.need("snapshotid"), "pending")
    region = region_of(call.request.need("sourceregion"), "sourceRegion")
    source = tell.thing(Kind.SNAPSHOT, call.request.need("sourcesnapshotid"), region)
    tell.relate(Relation.COPIED_FROM, snapshot, source)


def import_snapshot(call: Call, tell: Teller) -> None:
    """The snapshot's id is not told before the import ends."""
    task, detail = tell.key(Kind.EXTERNAL, call.response.need("importtaskid")), call.response.node("snapshottaskdetail")
    tell.note(task, description=call.request.text("description"), owner=tell.account)
    disk = disk_outside(call.request.node("diskcontainer"), tell)
    if disk:
        tell.relate(Relation.IMPORTED_FROM, task, disk)
    if detail.text("snapshotid"):
        tell.relate(Relation.IMPORTED_FROM, _new_snapshot(call, tell, detail.need("snapshotid")), task)
    else:
        tell.gaps.append("only DescribeImportSnapshotTasks tells which snapshot an import made")


def delete_snapshot(call: Call, tell: Teller) -> None:
    tell.note(tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid")), state="deleted")


def restore_snapshot_from_recycle_bin(call: Call, tell: Teller) -> None:
    tell.note(
        tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid")),
        state=call.response.text("status", "state") or "completed",
    )


def create_volume(call: Call, tell: Teller) -> None:
    volume = tell.thing(Kind.VOLUME, call.response.need("volumeid"))
    snapshot = call.request.text("snapshotid") or call.response.text("snapshotid")
    method = None if snapshot else "blank"
    tags = tags_for("volume", call.request)
    tell.note(volume, tags, owner=tell.account, state="creating", creation_method=method)
    if snapshot:
        tell.relate(Relation.VOLUME_FROM, volume, tell.thing(Kind.SNAPSHOT, snapshot))


def copy_volumes(call: Call, tell: Teller) -> None:
    source = tell.thing(Kind.VOLUME, call.request.need("sourcevolumeid"))
    for row in call.response.rows("volumeset", "volumes"):
        volume = tell.thing(Kind.VOLUME, row.need("volumeid"))
        tell.note(volume, tags_for("volume", call.request), owner=tell.account, state="creating")
        tell.relate(Relation.VOLUME_FROM, volume, source)


def attach_volume(call: Call, tell: Teller) -> None:
    """A volume that is attached as the root replaces it: at launch there is no such call."""
    volume = tell.thing(Kind.VOLUME, call.request.need("volumeid"))
    instance = tell.thing(Kind.INSTANCE, call.request.need("instanceid"))
    device = call.request.need("device")
    tell.relate(Relation.ATTACHED_TO, volume, instance, device=device)
    if device in ROOT_DEVICES:
        tell.relate(Relation.ROOT_REPLACED_BY, instance, volume, inferred=True, device=device)


def start_snapshot(call: Call, tell: Teller) -> None:
    """A snapshot that is written block by block; what it starts from is only what blocks are left unwritten."""
    id = call.response.need("snapshotid")
    snapshot, tags = tell.thing(Kind.SNAPSHOT, id), tags_in(call.request.rows("tags"))
    tell.note(
        snapshot,
        tags,
        description=call.request.text("description"),
        encrypted=yes(call.request.flag("encrypted")),
        owner=call.response.text("ownerid") or tell.account,
        state="pending",
    )
    _written(call, tell, snapshot)
    parent = call.request.text("parentsnapshotid")
    if parent:
        tell.relate(Relation.DERIVED_FROM, snapshot, tell.thing(Kind.SNAPSHOT, parent))


def put_snapshot_block(call: Call, tell: Teller) -> None:
    _written(call, tell, tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid")))


def complete_snapshot(call: Call, tell: Teller) -> None:
    snapshot = tell.thing(Kind.SNAPSHOT, call.request.need("snapshotid"))
    tell.note(
        snapshot,
        state=call.response.text("status") or "completed",
        changed_blocks=call.request.text("changedblockscount", "x-amz-changedblockscount"),
    )
    _written(call, tell, snapshot)


def _written(call: Call, tell: Teller, snapshot: Key) -> None:
    tell.relate(Relation.WRITTEN_BY, snapshot, tell.everywhere(Kind.PRINCIPAL, call.actor or "unknown"))


READERS: Mapping[str, Reader] = {
    "AttachVolume": attach_volume,
    "CopySnapshot": copy_snapshot,
    "CopyVolumes": copy_volumes,
    "CreateSnapshot": create_snapshot,
    "CreateSnapshots": create_snapshots,
    "CreateVolume": create_volume,
    "DeleteSnapshot": delete_snapshot,
    "ImportSnapshot": import_snapshot,
    "RestoreSnapshotFromRecycleBin": restore_snapshot_from_recycle_bin,
}
DIRECT_READERS: Mapping[str, Reader] = {
    "CompleteSnapshot": complete_snapshot,
    "PutSnapshotBlock": put_snapshot_block,
    "StartSnapshot": start_snapshot,
}
"""Of the source `aws.ebs`. PutSnapshotBlock is a data event: it comes only where a trail logs them."""
