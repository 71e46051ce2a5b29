"""Instances as DescribeInstances answers them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
"""

from __future__ import annotations

from handlers.lineage.events.teller import yes
from handlers.lineage.model import Kind, Relation, Time
from handlers.lineage.readings.answer import Answer
from handlers.lineage.readings.form import moment
from handlers.lineage.readings.speaker import Speaker
from handlers.lineage.relations import EVERY_TAG

DESCRIBED = "DescribeInstances"
_WITH_LAUNCH = 60_000
"""Milliseconds within which a volume that is attached came with the launch."""
_TEMPLATE, _VERSION = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"


def instance(speaker: Speaker, said: Answer) -> None:
    """Tell of what it was launched, unless its root came later: then `ImageId` need not be what it was launched from.

    `OwnerId` is that of the reservation. Nothing is said of a new root but that it is one: where it came from is for
    events to tell.
    """
    id, image, launched = said.need("InstanceId"), said.text("ImageId"), first_launch(said)
    tags, root = said.tags(), said.text("RootDeviceName")
    disks = [(row.need("DeviceName"), row.node("Ebs")) for row in said.rows("BlockDeviceMappings")]
    volumes = [(device, ebs.need("VolumeId"), ebs.time("AttachTime")) for device, ebs in disks if ebs.has("VolumeId")]
    attached = next((at for device, _, at in volumes if device == root), None)
    replaced = launched is not None and attached is not None and attached - launched > _WITH_LAUNCH
    version = tags.get(_VERSION)
    came = [each for each in volumes if launched is None or each[2] is None or each[2] - launched <= _WITH_LAUNCH]

    made = speaker.made(DESCRIBED, [id, None if replaced else image, launched, sorted(came), version], launched)
    key = made.thing(Kind.INSTANCE, id)
    if image and not replaced:
        made.relate(Relation.LAUNCHED_FROM, key, made.thing(Kind.IMAGE, image))
    if _TEMPLATE in tags and version:
        made.relate(Relation.USES, key, made.template_version(tags[_TEMPLATE], version))
    for device, volume, at in volumes:
        tell = made if (device, volume, at) in came else speaker.made(DESCRIBED, [id, device, volume, at], at)
        tell.relate(Relation.ATTACHED_TO, tell.thing(Kind.VOLUME, volume), key, device=device)

    state = {
        "owner": said.text("OwnerId") or speaker.place.account,
        "state": said.node("State").text("Name"),
        "image_id": image,
        "instance_type": said.text("InstanceType"),
        "root_volume": next((volume for device, volume, _ in volumes if device == root), None),
        "root_attached_at": None if attached is None else moment(attached),
        "root_replaced": yes(replaced),
        "managed_by": said.node("Operator").text("Principal"),
    }
    first = speaker.now(DESCRIBED, [id, state, tags])
    first.take_away(key, [EVERY_TAG])
    speaker.afterwards(first).note(key, tags, **state)


def first_launch(said: Answer) -> Time | None:
    """Answer when it was launched first: `LaunchTime` moves with every start, its first interface stays attached.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    times = [
        at
        for row in said.rows("NetworkInterfaces")
        if row.node("Attachment").number("DeviceIndex") == 0 and (at := row.node("Attachment").time("AttachTime"))
    ]
    last = said.time("LaunchTime")
    return min(times) if times else last
