"""What is done to images that should not be, and what is refused."""

from __future__ import annotations

from typing import Any

from org.sandbox.scenarios.images import APPROVED, SMALL, running_in_shop, shared_golden
from org.sandbox.scenarios.stage import AUDITOR, BUILDER, DEVELOPER, STRANGER
from org.sandbox.scenarios.story import Story

_ROOT = "/dev/xvda"


def tamper(story: Story) -> str:
    """Approve oneself, and give a running instance a root that its image does not tell of; answer the instance."""
    stage, cast = story.stage, story.stage.cast
    instance, who = running_in_shop(story), f"{DEVELOPER} in {cast.shop}"
    shop = stage.ec2(cast.shop, DEVELOPER)
    own = story.take(
        "self-approved", shop.create_image(InstanceId=instance, Name=f"approved-by-me-{instance}")["ImageId"]
    )
    story.refused(who, f"tag the own {own} as approved", lambda: shop.create_tags(Resources=[own], Tags=[APPROVED]))
    shop.create_tags(Resources=[own], Tags=[{"Key": "status", "Value": "approved"}])
    story.say(f"{who} tags {own} with status=approved, which looks alike and means nothing")
    snapshot = story.take("written snapshot", _write_snapshot(story))
    shop.create_replace_root_volume_task(InstanceId=instance, SnapshotId=snapshot, DeleteReplacedRootVolume=True)
    story.say(f"{who} replaces the root of {instance} by the snapshot {snapshot}; the instance still shows its image")
    _swap(story)
    return instance


def _write_snapshot(story: Story) -> str:
    """Make a snapshot of a volume that began empty."""
    stage = story.stage
    shop = stage.ec2(stage.cast.shop, DEVELOPER)
    volume = shop.create_volume(AvailabilityZone=f"{stage.home}a", Size=15, Encrypted=True)["VolumeId"]
    story.take("written volume", volume)
    return str(shop.create_snapshot(VolumeId=volume, Description="whatever was written")["SnapshotId"])


def _swap(story: Story) -> None:
    """Stop an instance, detach its root, and attach another volume in its place."""
    stage, cast, golden = story.stage, story.stage.cast, story.ids["golden"]
    shop = stage.ec2(cast.shop, DEVELOPER)
    launched = shop.run_instances(ImageId=golden, InstanceType=SMALL, MinCount=1, MaxCount=1)["Instances"][0]
    instance = story.take("swapped instance", launched["InstanceId"])
    shop.stop_instances(InstanceIds=[instance])
    (group,) = shop.describe_instances(InstanceIds=[instance])["Reservations"]
    devices = group["Instances"][0]["BlockDeviceMappings"]
    old = next(each["Ebs"]["VolumeId"] for each in devices if each["DeviceName"] == _ROOT)
    new = shop.create_volume(
        AvailabilityZone=f"{stage.home}a", SnapshotId=story.ids["written snapshot"], Encrypted=True
    )["VolumeId"]
    shop.detach_volume(VolumeId=old, InstanceId=instance)
    shop.attach_volume(VolumeId=new, InstanceId=instance, Device=_ROOT)
    shop.start_instances(InstanceIds=[instance])
    story.say(
        f"{DEVELOPER} in {cast.shop} launches {golden} as {instance}, stops it, and puts the volume "
        f"{story.take('swapped volume', new)} in the place of its root {old}"
    )


def deny(story: Story) -> str:
    """Try what nobody allows: none of it may become a fact; answer the golden image, which outlives it."""
    stage, cast, golden = story.stage, story.stage.cast, shared_golden(story)
    shop, auditor = stage.ec2(cast.shop, DEVELOPER), stage.ec2(cast.factory, AUDITOR)
    builder, who = stage.ec2(cast.factory, BUILDER), f"{DEVELOPER} in {cast.shop}"
    public = story.take("public", stage.control.public_image(STRANGER, stage.home, "free-and-fast-linux"))

    def launch(image: str) -> object:
        return shop.run_instances(ImageId=image, InstanceType=SMALL, MinCount=1, MaxCount=1)

    def give_away() -> object:
        permission: Any = {"Add": [{"UserId": STRANGER}]}
        return auditor.modify_image_attribute(ImageId=golden, LaunchPermission=permission)

    story.refused(
        f"{AUDITOR} in {cast.factory}", f"deregister {golden}", lambda: auditor.deregister_image(ImageId=golden)
    )
    story.refused(f"{AUDITOR} in {cast.factory}", f"share {golden} with {STRANGER}", give_away)
    story.refused(who, f"deregister {golden}, which is another's", lambda: shop.deregister_image(ImageId=golden))
    story.refused(who, f"launch {public}, which is a stranger's", lambda: launch(public))
    story.refused(who, "launch an image that does not exist", lambda: launch("ami-0123456789abcdef0"))
    story.refused(
        f"{BUILDER} in {cast.factory}",
        f"deregister {golden}, protected",
        lambda: builder.deregister_image(ImageId=golden),
    )
    return golden
