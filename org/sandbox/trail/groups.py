"""What EC2 Auto Scaling does in the wake of a call: it launches by its own role, and says so.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html. That its calls come as
`RunInstances` with the launch template's id and version is [H].
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from org.sandbox.trail import clock
from org.sandbox.trail.changes import Change
from org.sandbox.trail.events import new_id, notify, tell_call
from org.sandbox.trail.identity import service_linked

_SERVICE = "autoscaling.amazonaws.com"
_TEMPLATE, _VERSION = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"


def tell_launches(change: Change) -> None:
    """Send the calls by which the new instances of groups were launched, one for each group."""
    launched: defaultdict[str, list[Any]] = defaultdict(list)
    for instance in change.new_instances:
        group = getattr(instance, "autoscaling_group", None)
        if group is not None:
            launched[group.name].append(instance)
    for instances in launched.values():
        _tell_launch(change, instances)


def tell_successes(change: Change) -> None:
    """Send what Auto Scaling says of itself when its instances run."""
    for instance in change.new_instances:
        group = getattr(instance, "autoscaling_group", None)
        if group is None:
            continue
        now, activity = clock.tick(), new_id()
        detail = {
            "StatusCode": "InProgress",
            "Description": f"Launching a new EC2 instance: {instance.id}",
            "AutoScalingGroupName": group.name,
            "ActivityId": activity,
            "Details": {"Availability Zone": str(instance.placement.zone), "Subnet ID": str(instance.subnet_id)},
            "RequestId": activity,
            "StatusMessage": "",
            "StartTime": clock.written(now),
            "EndTime": clock.written(now),
            "EC2InstanceId": instance.id,
            "Cause": "",
            "Origin": "EC2",
            "Destination": "AutoScalingGroup",
        }
        arns = [group.arn, change.arn("instance", instance.id)]
        notify("aws.autoscaling", "EC2 Instance Launch Successful", change.account, change.region, detail, arns, now)


def _tell_launch(change: Change, instances: list[Any]) -> None:
    first = instances[0]
    tags = {each["key"]: each["value"] for each in first.get_tags()}
    count = {"minCount": len(instances), "maxCount": len(instances)}
    request: dict[str, Any] = {"instancesSet": {"items": [{"imageId": first.image_id, **count}]}}
    if _TEMPLATE in tags:
        template = {"launchTemplateId": tags[_TEMPLATE], "version": tags[_VERSION]}
        request = {"instancesSet": {"items": [count]}, "launchTemplate": template}
    request["instanceType"] = first.instance_type
    request_id = new_id()
    reservation = next(
        each.id for each in change.backend.reservations.values() if any(one is first for one in each.instances)
    )
    tell_call(
        "ec2",
        "RunInstances",
        account=change.account,
        region=change.region,
        identity=service_linked(
            "AWSServiceRoleForAutoScaling",
            _SERVICE,
            "AutoScaling",
            change.account,
            change.backend.partition,
            clock.written(clock.tick()),
        ),
        request=request,
        response={
            "requestId": request_id,
            "reservationId": reservation,
            "ownerId": change.account,
            "groupSet": {},
            "instancesSet": {"items": [_row(instance) for instance in instances]},
        },
        request_id=request_id,
        address=_SERVICE,
        agent=_SERVICE,
    )


def _row(instance: Any) -> dict[str, Any]:
    tags = [{"key": each["key"], "value": each["value"]} for each in instance.get_tags()]
    return {
        "instanceId": instance.id,
        "imageId": instance.image_id,
        "instanceState": {"code": 0, "name": "pending"},
        "instanceType": instance.instance_type,
        "blockDeviceMapping": {},
        "tagSet": {"items": tags} if tags else {},
    }
