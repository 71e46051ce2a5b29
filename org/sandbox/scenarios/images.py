"""How images are made, given to others, used, and made into new ones."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from org.sandbox.scenarios.stage import AMAZON, APPROVER, BUILDER, DEVELOPER, STRANGER
from org.sandbox.scenarios.story import Story

APPROVED = {"Key": "ec2:SharedTag/status", "Value": "approved"}
GOLDEN = "golden-"
PARAMETER = "/images/golden"
TEMPLATE, GROUP = "web", "web"
SMALL = "t3.micro"
_DEPRECATED = "2035-01-01T00:00:00Z"


def build_golden(story: Story) -> str:
    """Build an image from Amazon's, protect it, copy it to the other Region, and approve both; answer its id."""
    stage, factory = story.stage, story.stage.cast.factory
    ec2 = stage.ec2(factory, BUILDER)
    base = stage.control.public_image(AMAZON, stage.home, "al2023-ami-2023.9", alias="amazon")
    machine = _run(ec2, base, "build")
    story.say(f"{BUILDER} in {factory} launches {story.take('base', base)}, Amazon's, as {machine}")
    number = len(_goldens(ec2)) + 1
    tags = [{"ResourceType": "image", "Tags": [{"Key": "Recipe", "Value": "golden-linux"}]}]
    made = ec2.create_image(InstanceId=machine, Name=f"{GOLDEN}{number}", TagSpecifications=tags)
    golden = story.take("golden", made["ImageId"])
    ec2.terminate_instances(InstanceIds=[machine])
    story.say(f"and makes it the image {golden}, {GOLDEN}{number}; {machine} is terminated")
    story.take("build instance", machine)
    ec2.enable_image_deprecation(ImageId=golden, DeprecateAt=_DEPRECATED)
    ec2.enable_image_deregistration_protection(ImageId=golden)
    story.say(f"{golden} is protected from deregistration, and deprecated from {_DEPRECATED[:10]} on")
    there = stage.ec2(factory, BUILDER, stage.abroad)
    copy = there.copy_image(
        SourceImageId=golden, SourceRegion=stage.home, Name=f"{GOLDEN}{number}", CopyImageTags=True
    )["ImageId"]
    story.say(f"It is copied to {stage.abroad} as {story.take('golden copy', copy)}")
    for region, image in ((stage.home, golden), (stage.abroad, copy)):
        stage.ec2(factory, APPROVER, region).create_tags(Resources=[image], Tags=[APPROVED])
    story.say(f"{APPROVER} in {factory} tags both as approved")
    return golden


def golden_of(story: Story) -> str:
    """Answer the newest golden image; built now if there is none."""
    ec2 = story.stage.ec2(story.stage.cast.factory, BUILDER)
    found = _goldens(ec2)
    return story.take("golden", found[-1]) if found else build_golden(story)


def share_golden(story: Story) -> str:
    """Share the golden image with three accounts, one of which may copy it as well; answer its id."""
    stage, cast, golden = story.stage, story.stage.cast, golden_of(story)
    ec2 = stage.ec2(cast.factory, BUILDER)
    sharees = [{"UserId": stage.id_of(name)} for name in (cast.shop, cast.search, cast.pipelines)]
    ec2.modify_image_attribute(ImageId=golden, LaunchPermission={"Add": sharees})
    story.say(f"{BUILDER} in {cast.factory} shares {golden} with {cast.shop}, {cast.search} and {cast.pipelines}")
    snapshot = story.take("golden snapshot", _root_snapshot(ec2, golden))
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[stage.id_of(cast.pipelines)],
    )
    story.say(f"and its snapshot {snapshot} with {cast.pipelines}, so that it can copy it")
    copy = _copy(stage.ec2(cast.pipelines, DEVELOPER), golden, stage.home, "golden for pipelines")
    story.say(f"{DEVELOPER} in {cast.pipelines} copies {golden} as {story.take('copy of pipelines', copy)}")
    search = stage.ec2(cast.search, DEVELOPER)
    story.refused(f"{DEVELOPER} in {cast.search}", f"copy {golden}", lambda: _copy(search, golden, stage.home, "mine"))
    return golden


def shared_golden(story: Story) -> str:
    """Answer the newest golden image that the shop sees; shared now if there is none."""
    stage, golden = story.stage, golden_of(story)
    shop = stage.ec2(stage.cast.shop, DEVELOPER)
    seen = shop.describe_images(Filters=[{"Name": "image-id", "Values": [golden]}])["Images"]
    return golden if seen else share_golden(story)


def launch_golden(story: Story) -> str:
    """Launch it directly, by launch template, by Auto Scaling and by parameter; answer the first instance's id."""
    stage, cast, golden = story.stage, story.stage.cast, shared_golden(story)
    shop = stage.ec2(cast.shop, DEVELOPER)
    instance = story.take("shop instance", _run(shop, golden, "shop"))
    story.say(f"{DEVELOPER} in {cast.shop} launches {golden} as {instance}")
    template = _template(shop, golden)
    by_template = shop.run_instances(LaunchTemplate={"LaunchTemplateId": template}, MinCount=1, MaxCount=1)
    launched = by_template["Instances"][0]["InstanceId"]
    story.say(
        f"makes the launch template {story.take('template', template)} of it, and launches "
        f"{story.take('template instance', launched)} by it"
    )
    _scale(story, template)
    _launch_by_parameter(story, golden)
    return instance


def _scale(story: Story, template: str) -> None:
    stage, cast = story.stage, story.stage.cast
    scaling: Any = stage.session(cast.shop, DEVELOPER).client("autoscaling")
    known = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    if known:
        scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=known[0]["DesiredCapacity"] + 1)
        story.say(f"The Auto Scaling group {GROUP} gets one instance more")
    else:
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MinSize=1,
            MaxSize=20,
            DesiredCapacity=1,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "$Default"},
            AvailabilityZones=[f"{stage.home}a"],
        )
        story.say(f"The Auto Scaling group {GROUP} launches by the template's default version")
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    instances = sorted(each["InstanceId"] for each in group["Instances"])
    story.say(f"and runs {', '.join(instances)}")
    story.take("group instance", instances[0])


def _launch_by_parameter(story: Story, golden: str) -> None:
    stage, cast = story.stage, story.stage.cast
    ssm: Any = stage.session(cast.search, DEVELOPER).client("ssm")
    version = ssm.put_parameter(Name=PARAMETER, Value=golden, Type="String", DataType="aws:ec2:image", Overwrite=True)[
        "Version"
    ]
    search = stage.ec2(cast.search, DEVELOPER)
    launched = search.run_instances(ImageId=f"resolve:ssm:{PARAMETER}", InstanceType=SMALL, MinCount=1, MaxCount=1)[
        "Instances"
    ][0]["InstanceId"]
    story.say(
        f"{DEVELOPER} in {cast.search} puts {golden} into the parameter {PARAMETER}, version {version}, and launches "
        f"{story.take('parameter instance', launched)} by it"
    )


def derive(story: Story) -> str:
    """Make an image of a running instance, as nobody approved it; answer its id."""
    stage, cast = story.stage, story.stage.cast
    instance = running_in_shop(story)
    shop = stage.ec2(cast.shop, DEVELOPER)
    name = f"shop-{len(shop.describe_images(Owners=['self'])['Images']) + 1}"
    derived = story.take("derived", shop.create_image(InstanceId=instance, Name=name)["ImageId"])
    story.say(f"{DEVELOPER} in {cast.shop} makes an image of the running {instance}: {derived}, {name}")
    story.refused(f"{DEVELOPER} in {cast.shop}", f"launch {derived}", lambda: _run(shop, derived, "derived"))
    return derived


def launder(story: Story) -> str:
    """Bring a stranger's public image in so that nothing tells of it: copied, and registered from a snapshot."""
    stage, cast = story.stage, story.stage.cast
    who = f"{DEVELOPER} in {cast.pipelines}"
    public = story.take("public", stage.control.public_image(STRANGER, stage.home, "free-and-fast-linux"))
    shop, pipelines = stage.ec2(cast.shop, DEVELOPER), stage.ec2(cast.pipelines, DEVELOPER)
    story.refused(
        f"{DEVELOPER} in {cast.shop}", f"launch the public {public} of {STRANGER}", lambda: _run(shop, public, "public")
    )
    number = len(pipelines.describe_images(Owners=["self"])["Images"]) + 1
    copied = _copy(pipelines, public, stage.home, f"linux-{number}")
    story.say(f"{who} copies it, and it is the account's own {story.take('laundered copy', copied)}")
    machine = story.take("public instance", _run(pipelines, public, "free"))
    taken = pipelines.create_snapshots(InstanceSpecification={"InstanceId": machine})["Snapshots"]
    snapshot = story.take("laundered snapshot", taken[0]["SnapshotId"])
    disk = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    answer = pipelines.register_image(
        Name=f"linux-{number + 1}",
        RootDeviceName="/dev/xvda",
        Architecture="x86_64",
        VirtualizationType="hvm",
        BlockDeviceMappings=disk,
    )
    registered = story.take("laundered", answer["ImageId"])
    story.say(f"{who} launches {public} as {machine}, takes the snapshot {snapshot} of it, and registers")
    story.say(f"{registered} from that: AWS's own ancestry of it ends here")
    launched = story.take("laundered instance", _run(pipelines, registered, "laundered"))
    story.say(f"{who} launches {registered} as {launched}")
    return registered


def running_in_shop(story: Story) -> str:
    """Answer the newest instance of the golden image that runs in the shop; launched now if there is none."""
    golden = shared_golden(story)
    shop = story.stage.ec2(story.stage.cast.shop, DEVELOPER)
    wanted = [{"Name": "image-id", "Values": [golden]}, {"Name": "instance-state-name", "Values": ["running"]}]
    found = [each for group in shop.describe_instances(Filters=wanted)["Reservations"] for each in group["Instances"]]
    named = [each["InstanceId"] for each in found if {"Key": "Name", "Value": "shop"} in each.get("Tags", [])]
    return story.take("shop instance", named[-1]) if named else launch_golden(story)


def _run(ec2: Any, image: str, name: str) -> str:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    answer = ec2.run_instances(ImageId=image, InstanceType=SMALL, MinCount=1, MaxCount=1, TagSpecifications=tags)
    return str(answer["Instances"][0]["InstanceId"])


def _copy(ec2: Any, image: str, region: str, name: str) -> str:
    return str(ec2.copy_image(SourceImageId=image, SourceRegion=region, Name=name)["ImageId"])


def _template(ec2: Any, image: str) -> str:
    data = {"ImageId": image, "InstanceType": SMALL}
    try:
        made = ec2.create_launch_template(LaunchTemplateName=TEMPLATE, LaunchTemplateData=data)["LaunchTemplate"]
        return str(made["LaunchTemplateId"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidLaunchTemplateName.AlreadyExistsException":
            raise
    answer = ec2.create_launch_template_version(LaunchTemplateName=TEMPLATE, LaunchTemplateData=data)
    made = answer["LaunchTemplateVersion"]
    ec2.modify_launch_template(LaunchTemplateName=TEMPLATE, DefaultVersion=str(made["VersionNumber"]))
    return str(made["LaunchTemplateId"])


def _goldens(ec2: Any) -> list[str]:
    """Answer the ids of the golden images, by their number, without copies."""
    named = [{"Name": "name", "Values": [f"{GOLDEN}*"]}]
    found = ec2.describe_images(Owners=["self"], Filters=named)["Images"]
    images = [each for each in found if each.get("SourceInstanceId")]
    return [each["ImageId"] for each in sorted(images, key=lambda each: int(each["Name"].removeprefix(GOLDEN)))]


def _root_snapshot(ec2: Any, image: str) -> str:
    (found,) = ec2.describe_images(ImageIds=[image])["Images"]
    return str(found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])
