"""What EC2 and SSM say of themselves when something has changed: found by comparing before and after a call.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html,
https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html

Of the event `Launch Template Alias Change` AWS documents nothing but the name: it is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ssm.models import Parameter, ParameterDict, ssm_backends

from org.sandbox.ec2_backend import SandboxEC2, find_backend
from org.sandbox.trail import clock
from org.sandbox.trail.events import notify

_IMAGE_CALLS = frozenset({
    "CopyImage", "CreateImage", "CreateRestoreImageTask", "DeregisterImage", "DisableImage", "EnableImage",
    "RegisterImage",
})  # fmt: skip
"""The calls after which EC2 tells an image's state; of no other."""
_WAY = {
    "pending": ("pending",),
    "running": ("pending", "running"),
    "stopped": ("stopping", "stopped"),
    "terminated": ("shutting-down", "terminated"),
}
"""The states through which an instance comes to one; here it is there at once."""
_SNAPSHOT_CALLS = {
    "CopyImage": "copySnapshot",
    "CopySnapshot": "copySnapshot",
    "CreateImage": "createSnapshot",
    "CreateSnapshot": "createSnapshot",
}
"""[H] for the snapshots that CreateImage and CopyImage make."""
_PARAMETER_CALLS = {
    "DeleteParameter": "Delete",
    "DeleteParameters": "Delete",
    "LabelParameterVersion": "LabelParameterVersion",
    "PutParameter": "Update",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An account's Region at one time."""

    images: Mapping[str, str]
    instances: Mapping[str, str]
    snapshots: frozenset[str]
    sharees: Mapping[str, frozenset[str]]
    """Of snapshots: the accounts that may use it."""
    parameters: Mapping[str, Parameter]
    """The newest version of each, by the name under which moto keeps it."""


def look(account: str, region: str) -> Seen:
    """Answer what is there; a Region in which nothing was done stays without a backend."""
    regions: Any = ec2_backends.get(account, {})
    backend = dict.get(regions, region)
    if not isinstance(backend, SandboxEC2):
        return Seen({}, {}, frozenset(), {}, _parameters(account, region))
    reservations = backend.reservations.values()
    return Seen(
        {image.id: image.state for image in backend.amis.values()},
        {each.id: each.state for reservation in reservations for each in reservation.instances},
        frozenset(backend.snapshots),
        {each.id: frozenset(each.create_volume_permission_userids) for each in backend.snapshots.values()},
        _parameters(account, region),
    )


def _parameters(account: str, region: str) -> Mapping[str, Parameter]:
    regions: Any = ssm_backends.get(account, {})
    backend = dict.get(regions, region)
    if backend is None:
        return {}
    return {name: versions[-1] for name, versions in backend._parameters.items() if versions}


@dataclass(frozen=True, slots=True)
class Change:
    """A call, and what was there before and after it."""

    operation: str
    account: str
    region: str
    request_id: str
    parameters: Mapping[str, Any]
    before: Seen
    after: Seen

    @property
    def backend(self) -> SandboxEC2:
        return find_backend(self.account, self.region)

    def arn(self, kind: str, id: str) -> str:
        owner = "" if kind == "image" else self.account
        return f"arn:{self.backend.partition}:ec2:{self.region}:{owner}:{kind}/{id}"

    def arn_of_storage(self, kind: str, id: str, region: str = "") -> str:
        """Answer an ARN as EBS's own events have it in AWS's examples, with the Region in the account's place."""
        return f"arn:{self.backend.partition}:ec2::{region or self.region}:{kind}/{id}"

    @property
    def new_instances(self) -> list[Any]:
        return [self.backend.get_instance(id) for id in self.after.instances if id not in self.before.instances]


def tell_changes(change: Change) -> None:
    """Send what follows from the call."""
    _tell_instances(change)
    _tell_snapshots(change)
    _tell_sharing(change)
    _tell_images(change)
    _tell_parameters(change)


def _tell_instances(change: Change) -> None:
    for id, state in change.after.instances.items():
        if change.before.instances.get(id) == state:
            continue
        for each in _WAY.get(state, (state,)):
            detail = {"instance-id": id, "state": each}
            name = "EC2 Instance State-change Notification"
            notify("aws.ec2", name, change.account, change.region, detail, [change.arn("instance", id)])


def _tell_images(change: Change) -> None:
    if change.operation not in _IMAGE_CALLS:
        return
    states = {**dict.fromkeys(change.before.images, "deregistered"), **change.after.images}
    for id, state in states.items():
        if change.before.images.get(id) == state:
            continue
        detail = {"RequestId": change.request_id, "ImageId": id, "State": state, "ErrorMessage": ""}
        notify("aws.ec2", "EC2 AMI State Change", change.account, change.region, detail, [change.arn("image", id)])


def _tell_snapshots(change: Change) -> None:
    new = [id for id in change.after.snapshots if id not in change.before.snapshots]
    if change.operation == "CreateSnapshots":
        _tell_snapshots_of_instance(change, sorted(new))
    kind = _SNAPSHOT_CALLS.get(change.operation)
    for id in sorted(new) if kind else ():
        source = _source_of(change, id)
        if source:
            _tell_snapshot(change, str(kind), id, source)


def _source_of(change: Change, id: str) -> str:
    """Answer the ARN of what a new snapshot was made of."""
    parameters = change.parameters
    if change.operation == "CopySnapshot":
        return change.arn_of_storage("snapshot", parameters["SourceSnapshotId"], parameters["SourceRegion"])
    if change.operation == "CopyImage":
        there = find_backend(change.account, parameters["SourceRegion"]).find_image(parameters["SourceImageId"])
        known = there.ebs_snapshot.id if there is not None else ""
        return change.arn_of_storage("snapshot", known, parameters["SourceRegion"]) if known else ""
    return change.arn_of_storage("volume", str(change.backend.get_snapshot(id).volume_id))


def _tell_snapshot(change: Change, event: str, id: str, source: str, account: str = "") -> None:
    now = clock.tick()
    arn = change.arn_of_storage("snapshot", id)
    detail = {
        "event": event,
        "result": "succeeded",
        "cause": "",
        "request-id": "" if event == "shareSnapshot" else change.request_id,
        "snapshot_id": arn,
        "source": source,
        "startTime": clock.written(now),
        "endTime": clock.written(now),
    }
    notify("aws.ec2", "EBS Snapshot Notification", account or change.account, change.region, detail, [arn], now)


def _tell_snapshots_of_instance(change: Change, new: list[str]) -> None:
    arns = [change.arn_of_storage("snapshot", id) for id in new]
    rows = [
        {"snapshot_id": arn, "source": _source_of(change, id), "status": "completed"}
        for id, arn in zip(new, arns, strict=True)
    ]
    now = clock.written(clock.tick())
    detail = {
        "event": "createSnapshots",
        "result": "succeeded",
        "cause": "",
        "request-id": "",
        "startTime": now,
        "endTime": now,
        "snapshots": rows,
    }
    name = "EBS Multi-Volume Snapshots Completion Status"
    notify("aws.ec2", name, change.account, change.region, detail, arns)


def _tell_sharing(change: Change) -> None:
    """Tell each account with which a snapshot is shared now, on its own bus."""
    for id, sharees in change.after.sharees.items():
        for account in sorted(sharees - change.before.sharees.get(id, frozenset())):
            _tell_snapshot(change, "shareSnapshot", id, change.account, account)


def _tell_parameters(change: Change) -> None:
    operation = _PARAMETER_CALLS.get(change.operation)
    if operation is None:
        return
    for name in change.parameters.get("Names") or [change.parameters["Name"]]:
        kept = ParameterDict.normalize_name(name)
        before, after = change.before.parameters.get(kept), change.after.parameters.get(kept)
        parameter = after or before
        if parameter is None:
            continue  # a name of DeleteParameters that there is not
        detail = {
            "name": name,
            "operation": "Create" if operation == "Update" and before is None else operation,
            "type": parameter.parameter_type,
            "description": parameter.description or "",
        }
        arn = f"arn:{change.backend.partition}:ssm:{change.region}:{change.account}:parameter/{name.removeprefix('/')}"
        notify("aws.ssm", "Parameter Store Change", change.account, change.region, detail, [arn])
