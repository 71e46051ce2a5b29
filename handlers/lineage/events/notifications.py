"""What services say of themselves on EventBridge. Most are best effort, so none is the only witness of anything.

The list: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html and its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import Envelope
from handlers.lineage.events.outcome import EventError, Outcome
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import Key, Kind, Relation
from org.ids import Region

Listener = Callable[[Envelope, Node, Teller], None]

_REGION_IN_ARN = re.compile(r":([a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2}):", re.ASCII)
_IMAGE_ARN = re.compile(r"arn:aws[a-z-]*:ec2:[^:]*:[^:]*:image/ami-[0-9a-zA-Z-]+", re.ASCII)


def _from_arn(tell: Teller, kind: Kind, arn: str) -> Key:
    """Answer the key of what an ARN ends with; AWS's examples have the Region where the account belongs."""
    found = _REGION_IN_ARN.search(arn)
    return tell.thing(kind, arn.rpartition("/")[2], Region(found[1]) if found else None)


def image_state(_: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html."""
    image = tell.thing(Kind.IMAGE, detail.need("imageid"))
    tell.note(image, state=detail.need("state"), error_message=detail.text("errormessage"))


def instance_state(_: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html."""
    tell.note(tell.thing(Kind.INSTANCE, detail.need("instance-id")), state=detail.need("state"))


def snapshot(_: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html."""
    event, worked = detail.need("event"), detail.need("result") == "succeeded"
    key = _from_arn(tell, Kind.SNAPSHOT, detail.need("snapshot_id"))
    source = detail.text("source")
    if event == "shareSnapshot":
        # Sent to the account that may now use it.
        if worked:
            tell.note(key, owner=source.zfill(12) if source and source.isdigit() else None)
            tell.share(key, tell.account, holds=True)
    elif event in {"createSnapshot", "copySnapshot"}:
        tell.note(key, state="completed" if worked else "error", error_message=detail.text("cause"))
        if worked and source:
            kind = Kind.VOLUME if event == "createSnapshot" else Kind.SNAPSHOT
            relation = Relation.SNAPSHOT_OF if event == "createSnapshot" else Relation.COPIED_FROM
            tell.relate(relation, key, _from_arn(tell, kind, source))
    else:
        raise EventError("detail.event", f"{event[:80]!r} is not known", Outcome.UNKNOWN)


def snapshots(_: Envelope, detail: Node, tell: Teller) -> None:
    """EBS Multi-Volume Snapshots Completion Status."""
    for row in detail.rows("snapshots"):
        key, state = _from_arn(tell, Kind.SNAPSHOT, row.need("snapshot_id")), row.need("status")
        tell.note(key, state=state)
        if state == "completed" and row.text("source"):
            tell.relate(Relation.SNAPSHOT_OF, key, _from_arn(tell, Kind.VOLUME, row.need("source")))


def template_alias(_: Envelope, detail: Node, tell: Teller) -> None:
    """Of this event only the name is documented: its members are guessed [H], and what does not fit is unknown."""
    id = detail.text("launchtemplateid", "launch-template-id", "templateid")
    alias = detail.text("alias", "aliasname", "launchtemplatealias", "launch-template-alias")
    number = detail.text("version", "versionnumber", "newversion", "launchtemplateversion", "launch-template-version")
    if not (id and alias and number):
        raise EventError("detail", "does not say which version a launch template's alias names", Outcome.UNKNOWN)
    alias = f"${alias.removeprefix('$').capitalize()}"
    tell.relate(Relation.RESOLVES_TO, tell.template_version(id, alias), tell.template_version(id, number))


def parameter(_: Envelope, detail: Node, tell: Teller) -> None:
    """Says neither value nor version; PutParameter says the version.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html
    """
    key, operation = tell.parameter(detail.need("name")), detail.need("operation")
    if operation not in {"Create", "Update", "Delete", "LabelParameterVersion"}:
        raise EventError("detail.operation", f"{operation[:80]!r} is not known", Outcome.UNKNOWN)
    tell.note(
        key,
        owner=tell.account,
        state="deleted" if operation == "Delete" else "available",
        type=detail.text("type"),
        description=detail.text("description"),
    )


def build_state(envelope: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-eventbridge.html."""
    arns = [each for each in envelope.resources if ":imagebuilder:" in each]
    if not arns:
        raise EventError("resources", "names no build", absent=True)
    for arn in arns:
        tell.note(
            tell.by_arn(Kind.RECIPE, arn),
            state=detail.node("state").need("status"),
            reason=detail.node("state").text("reason"),
        )


def backup_job(envelope: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html.

    A backup of an instance is an image; that the event names it in `recoveryPointArn` or `resources` is [H].
    """
    if detail.need("state", "status") != "COMPLETED":
        return
    source = detail.text("resourcearn") or ""
    named = [detail.text("recoverypointarn") or "", *envelope.resources]
    for arn in sorted({each for each in named if _IMAGE_ARN.fullmatch(each)}):
        image = _from_arn(tell, Kind.IMAGE, arn)
        tell.note(image, backup="yes")
        if ":instance/" in source:
            tell.relate(Relation.CREATED_FROM, image, _from_arn(tell, Kind.INSTANCE, source))


def copy_job(envelope: Envelope, detail: Node, tell: Teller) -> None:
    if detail.need("state", "status") != "COMPLETED":
        return
    copied, source = detail.text("destinationrecoverypointarn") or "", detail.text("sourcerecoverypointarn") or ""
    if not source:
        source = next((each for each in envelope.resources if _IMAGE_ARN.fullmatch(each) and each != copied), "")
    if _IMAGE_ARN.fullmatch(copied):
        image = _from_arn(tell, Kind.IMAGE, copied)
        tell.note(image, backup="yes")
        if _IMAGE_ARN.fullmatch(source):
            tell.relate(Relation.COPIED_FROM, image, _from_arn(tell, Kind.IMAGE, source))


def lifecycle_policy(_: Envelope, detail: Node, tell: Teller) -> None:
    """A policy that works or no longer does: https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cw-events.html."""
    policy = detail.need("policy_id").rpartition("/")[2]
    if not policy:
        raise EventError("detail.policy_id", "names no policy")
    key = tell.key(Kind.CONSUMER, f"dlm/{tell.account}/{policy}")
    tell.note(key, state=detail.need("state"), reason=detail.text("cause"))


def group_launch(_: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html."""
    tell.note(
        tell.thing(Kind.INSTANCE, detail.need("ec2instanceid")), auto_scaling_group=detail.need("autoscalinggroupname")
    )


def fast_launch(_: Envelope, detail: Node, tell: Teller) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/win-fast-launch-monitor.html."""
    image = tell.thing(Kind.IMAGE, detail.need("imageid"))
    tell.note(image, fast_launch=detail.need("state"), fast_launch_reason=detail.text("statetransitionreason"))


LISTENERS: Mapping[str, tuple[str, Listener]] = {
    "Backup Job State Change": ("aws.backup", backup_job),
    "Copy Job State Change": ("aws.backup", copy_job),
    "DLM Policy State Change": ("aws.dlm", lifecycle_policy),
    "EBS Multi-Volume Snapshots Completion Status": ("aws.ec2", snapshots),
    "EBS Snapshot Notification": ("aws.ec2", snapshot),
    "EC2 AMI State Change": ("aws.ec2", image_state),
    "EC2 Fast Launch State-change Notification": ("aws.ec2", fast_launch),
    "EC2 Image Builder Image State Change": ("aws.imagebuilder", build_state),
    "EC2 Instance Launch Successful": ("aws.autoscaling", group_launch),
    "EC2 Instance State-change Notification": ("aws.ec2", instance_state),
    "Launch Template Alias Change": ("aws.ec2", template_alias),
    "Parameter Store Change": ("aws.ssm", parameter),
}
"""By detail-type: the one source that may say it, and what reads it."""
