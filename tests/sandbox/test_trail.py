"""The events that the sandbox sends are those that AWS would, and lineage can read every one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from org.sandbox.scenarios.control import Control
from org.sandbox.server import Sandbox, in_process_sandbox
from org.sandbox.settings import Settings
from org.sandbox.trail.calls import RECORDED
from org.sandbox.trail.events import published
from tests.support.cloud import HOME, Cloud
from tests.support.sandbox import assume, create_account, organization

VIA = "AWS API Call via CloudTrail"
STATE = "EC2 Instance State-change Notification"
READABLE = {Outcome.FACTS, Outcome.FAILED, Outcome.NOT_LINEAGE}
DISK = {"DeviceName": "/dev/xvda"}


@dataclass
class Account:
    """One account's clients, and what was sent on its behalf since last asked."""

    session: boto3.Session
    id: str
    told: int = field(default=0)

    def __post_init__(self) -> None:
        self.ec2: Any = self.session.client("ec2")
        self.told = len(published())

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]

    def news(self) -> list[Any]:
        new = published()[self.told :]
        self.told = len(published())
        return list(new)

    def call(self) -> dict[str, Any]:
        """Answer what CloudTrail said of the only call since last asked."""
        (detail,) = [each["detail"] for each in self.news() if each["detail-type"] == VIA]
        return dict(detail)

    def image(self, **more: Any) -> str:
        given = {"Name": "base", "RootDeviceName": "/dev/xvda", **more}
        return str(self.ec2.register_image(**given)["ImageId"])

    def run(self, image: str, **more: Any) -> str:
        answer = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", **more)
        return str(answer["Instances"][0]["InstanceId"])


@pytest.fixture
def world() -> Iterator[tuple[Account, Account]]:
    with organization() as session:
        organizations = session.client("organizations")
        ids = [create_account(organizations, name) for name in ("Images", "Shop")]
        yield Account(assume(session, ids[0]), ids[0]), Account(assume(session, ids[1]), ids[1])


@pytest.fixture
def images(world: tuple[Account, Account]) -> Account:
    return world[0]


def spell(events: list[Any]) -> list[tuple[str, str]]:
    """Shorten each event to its kind, and what it says has become of which thing."""
    return [
        (each["detail-type"], each["detail"].get("state") or each["detail"].get("State") or each["detail"]["event"])
        for each in events
        if each["detail-type"] != VIA
    ]


def test_a_classic_call_has_lists_as_items_and_the_answer_as_it_was(images: Account) -> None:
    base = images.image()
    images.news()
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    answer = images.ec2.run_instances(
        ImageId=base,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        UserData="password=1",
        ClientToken="once",
        TagSpecifications=tags,
    )
    said = images.call()
    assert said["requestParameters"] == {
        "instancesSet": {"items": [{"imageId": base, "minCount": 1, "maxCount": 1}]},
        "instanceType": "t3.micro",
        "userData": "<sensitiveDataRemoved>",
        "clientToken": "once",
        "tagSpecificationSet": {
            "items": [{"resourceType": "instance", "tags": [{"key": "Name", "value": "web"}]}],
        },
    }
    assert {name: said["responseElements"][name] for name in ("requestId", "reservationId", "ownerId")} == {
        "requestId": said["requestID"],
        "reservationId": answer["ReservationId"],
        "ownerId": images.id,
    }
    (row,) = said["responseElements"]["instancesSet"]["items"]
    launched = answer["Instances"][0]
    assert (row["instanceId"], row["imageId"]) == (launched["InstanceId"], base)
    assert row["launchTime"] == int(launched["LaunchTime"].timestamp() * 1000)
    assert row["tagSet"] == {"items": [{"key": "Name", "value": "web"}]}
    assert row["blockDeviceMapping"] == {}


def test_the_envelope_fits_the_call(images: Account) -> None:
    images.image()
    event = images.news()[0]
    detail = event["detail"]
    assert (event["source"], event["detail-type"], event["account"], event["region"], event["time"]) == (
        "aws.ec2",
        VIA,
        images.id,
        "us-east-1",
        detail["eventTime"],
    )
    said = {name: detail[name] for name in ("eventName", "eventSource", "awsRegion", "recipientAccountId", "readOnly")}
    assert said == {
        "eventName": "RegisterImage",
        "eventSource": "ec2.amazonaws.com",
        "awsRegion": "us-east-1",
        "recipientAccountId": images.id,
        "readOnly": False,
    }
    assert (detail["managementEvent"], detail["eventCategory"], detail["eventType"]) == (
        True,
        "Management",
        "AwsApiCall",
    )
    assert "errorCode" not in detail


def test_a_session_of_a_role_is_told_with_its_role(images: Account) -> None:
    images.image()
    said = images.call()["userIdentity"]
    issuer = said["sessionContext"]["sessionIssuer"]
    assert (said["type"], said["arn"], said["accountId"]) == (
        "AssumedRole",
        f"arn:aws:sts::{images.id}:assumed-role/OrganizationAccountAccessRole/test",
        images.id,
    )
    assert said["principalId"] == f"{issuer['principalId']}:test"
    assert said["accessKeyId"].startswith("ASIA")
    assert issuer == {
        "type": "Role",
        "principalId": issuer["principalId"],
        "arn": f"arn:aws:iam::{images.id}:role/OrganizationAccountAccessRole",
        "accountId": images.id,
        "userName": "OrganizationAccountAccessRole",
    }
    assert said["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_user_is_told_by_name(images: Account) -> None:
    iam = images.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    with pytest.raises(ClientError):
        session.client("ec2").deregister_image(ImageId="ami-0123456789abcdef0")
    said = images.call()
    assert said["userIdentity"] == {
        "type": "IAMUser",
        "principalId": said["userIdentity"]["principalId"],
        "arn": f"arn:aws:iam::{images.id}:user/ann",
        "accountId": images.id,
        "accessKeyId": key["AccessKeyId"],
        "userName": "ann",
    }


def test_a_call_that_is_denied_is_recorded_with_its_error_and_no_answer(images: Account) -> None:
    iam = images.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": images.id}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="Nobody", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    golden = images.image()
    images.news()
    nobody = assume(images.session, images.id, "Nobody").client("ec2")
    with pytest.raises(ClientError) as caught:
        nobody.deregister_image(ImageId=golden)
    said = images.call()
    assert said["errorCode"] == "Client.UnauthorizedOperation"
    assert said["errorMessage"] == caught.value.response["Error"]["Message"]
    assert (said["requestParameters"], said["responseElements"]) == ({"imageId": golden}, None)


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("deregister_image", {"ImageId": "ami-0123456789abcdef0"}, "Client.InvalidAMIID.NotFound"),
        ("modify_launch_template", {"LaunchTemplateName": "web"}, "Client.MissingParameter"),
    ],
)
def test_a_call_that_fails_is_recorded_with_the_code_that_says_whose_fault_it_was(
    images: Account, operation: str, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError):
        getattr(images.ec2, operation)(**given)
    said = images.call()
    assert (said["errorCode"], said["responseElements"]) == (code, None)


def test_a_dry_run_is_no_success(images: Account) -> None:
    base = images.image()
    images.news()
    with pytest.raises(ClientError):
        images.ec2.deregister_image(ImageId=base, DryRun=True)
    (event,) = images.news()
    assert event["detail"]["errorCode"] == "Client.DryRunOperation"
    assert parse_event(event).outcome is Outcome.FAILED


def test_calls_that_only_read_and_calls_that_are_not_emulated_are_not_recorded(images: Account) -> None:
    images.ec2.describe_images()
    images.client("ssm").describe_parameters()
    with pytest.raises(ClientError, match="does not emulate"):
        images.ec2.register_image(Name="base", TpmSupport="v2.0")
    assert images.news() == []


def test_a_newer_call_is_nested_and_its_lists_are_those_of_xml(images: Account) -> None:
    data = {"ImageId": "ami-1", "UserData": "c2VjcmV0", "SecurityGroupIds": ["sg-1", "sg-2"]}
    one = [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = images.ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData=data, TagSpecifications=one, ClientToken="t"
    )["LaunchTemplate"]
    said = images.call()
    assert said["requestParameters"] == {
        "CreateLaunchTemplateRequest": {
            "LaunchTemplateName": "web",
            "ClientToken": "t",
            "LaunchTemplateData": {
                "ImageId": "ami-1",
                "UserData": "<sensitiveDataRemoved>",
                "SecurityGroupId": [{"tag": 1, "content": "sg-1"}, {"tag": 2, "content": "sg-2"}],
            },
            "TagSpecification": {
                "tag": 1,
                "ResourceType": "launch-template",
                "Tag": {"tag": 1, "Key": "a", "Value": "b"},
            },
        }
    }
    answer = said["responseElements"]["CreateLaunchTemplateResponse"]
    assert answer["xmlns"] == "http://ec2.amazonaws.com/doc/2016-11-15/"
    assert answer["requestId"] == said["requestID"]
    assert answer["launchTemplate"]["launchTemplateId"] == made["LaunchTemplateId"]
    assert answer["launchTemplate"]["tagSet"] == {"item": {"key": "a", "value": "b"}}


@pytest.mark.parametrize(
    "given",
    [
        {"LaunchPermission": {"Add": [{"UserId": "111122223333"}]}},
        {"Attribute": "launchPermission", "OperationType": "add", "UserIds": ["111122223333"]},
    ],
)
def test_both_ways_to_share_an_image_are_recorded_alike(images: Account, given: dict[str, Any]) -> None:
    base = images.image()
    images.news()
    images.ec2.modify_image_attribute(ImageId=base, **given)
    said = images.call()
    assert said["requestParameters"] == {
        "imageId": base,
        "attributeType": "launchPermission",
        "launchPermission": {"add": {"items": [{"userId": "111122223333"}]}},
    }
    assert said["responseElements"] == {"requestId": said["requestID"], "_return": True}


def test_tags_name_their_resources_as_published_events_do(images: Account) -> None:
    base = images.image()
    images.news()
    images.ec2.create_tags(Resources=[base], Tags=[{"Key": "a", "Value": "b"}])
    assert images.call()["requestParameters"] == {
        "resourcesSet": {"items": [{"resourceId": base}]},
        "tagSet": {"items": [{"key": "a", "value": "b"}]},
    }


def test_the_snapshot_of_a_registered_image_is_told(images: Account) -> None:
    snapshot = images.ec2.create_snapshot(
        VolumeId=images.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    )["SnapshotId"]
    images.news()
    images.image(BlockDeviceMappings=[{**DISK, "Ebs": {"SnapshotId": snapshot}}])
    asked = images.call()["requestParameters"]
    assert asked["blockDeviceMapping"] == {"items": [{"deviceName": "/dev/xvda", "ebs": {"snapshotId": snapshot}}]}


def test_the_value_of_a_parameter_is_hidden(images: Account) -> None:
    ssm = images.client("ssm")
    ssm.put_parameter(Name="/golden", Value="ami-0123456789abcdef0", Type="String", Description="the newest")
    events = images.news()
    assert events[0]["detail"]["requestParameters"]["value"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert events[0]["detail"]["responseElements"] == {"version": 1, "tier": "Standard"}
    assert "ami-0123456789abcdef0" not in json.dumps(events)
    ssm.put_parameter(Name="/golden", Value="ami-0123456789abcdef1", Type="String", Overwrite=True)
    ssm.delete_parameter(Name="/golden")
    changes = [each for each in (*events, *images.news()) if each["detail-type"] == "Parameter Store Change"]
    assert [each["detail"]["operation"] for each in changes] == ["Create", "Update", "Delete"]
    assert changes[0]["detail"] == {
        "operation": "Create",
        "name": "/golden",
        "type": "String",
        "description": "the newest",
    }
    assert changes[0]["resources"] == [f"arn:aws:ssm:us-east-1:{images.id}:parameter/golden"]


def test_services_say_of_themselves_what_has_become_of_instances_images_and_snapshots(images: Account) -> None:
    base = images.image()
    assert spell(images.news()) == [("EC2 AMI State Change", "available")]
    instance = images.run(base)
    assert spell(images.news()) == [(STATE, "pending"), (STATE, "running")]
    golden = images.ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    assert spell(images.news()) == [
        ("EBS Snapshot Notification", "createSnapshot"),
        ("EC2 AMI State Change", "available"),
    ]
    images.ec2.disable_image(ImageId=golden)
    images.ec2.enable_image(ImageId=golden)
    images.ec2.deregister_image(ImageId=golden)
    assert spell(images.news()) == [
        ("EC2 AMI State Change", each) for each in ("disabled", "available", "deregistered")
    ]
    images.ec2.stop_instances(InstanceIds=[instance])
    images.ec2.terminate_instances(InstanceIds=[instance])
    assert spell(images.news()) == [(STATE, each) for each in ("stopping", "stopped", "shutting-down", "terminated")]


def test_the_snapshot_of_a_made_image_is_of_the_root_of_its_instance(images: Account) -> None:
    instance = images.run(images.image())
    images.news()
    images.ec2.create_image(InstanceId=instance, Name="golden")
    (told,) = [each["detail"] for each in images.news() if each["detail-type"] == "EBS Snapshot Notification"]
    (group,) = images.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    (root,) = group["Instances"][0]["BlockDeviceMappings"]
    assert (root["DeviceName"], told["source"]) == (
        "/dev/xvda",
        f"arn:aws:ec2::us-east-1:volume/{root['Ebs']['VolumeId']}",
    )


def test_whom_a_snapshot_is_shared_with_hears_of_it_on_his_own_bus(world: tuple[Account, Account]) -> None:
    images, shop = world
    snapshot = images.ec2.create_snapshots(InstanceSpecification={"InstanceId": images.run(images.image())})[
        "Snapshots"
    ]
    images.news()
    given = {"SnapshotId": snapshot[0]["SnapshotId"], "Attribute": "createVolumePermission"}
    images.ec2.modify_snapshot_attribute(**given, OperationType="add", UserIds=[shop.id])
    call, told = images.news()
    assert (call["account"], told["account"], told["detail"]["event"], told["detail"]["source"]) == (
        images.id,
        shop.id,
        "shareSnapshot",
        images.id,
    )


def test_auto_scaling_launches_by_its_own_role(images: Account) -> None:
    base = images.image()
    template = images.ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": base, "InstanceType": "t3.micro"}
    )["LaunchTemplate"]["LaunchTemplateId"]
    images.news()
    images.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=2,
        MaxSize=2,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Default"},
        AvailabilityZones=["us-east-1a"],
    )
    news = images.news()
    created, launched = [each["detail"] for each in news if each["detail-type"] == VIA]
    assert (created["eventName"], created["responseElements"]) == ("CreateAutoScalingGroup", None)
    assert created["requestParameters"]["launchTemplate"] == {"launchTemplateId": template, "version": "$Default"}
    assert (launched["eventName"], launched["userIdentity"]["invokedBy"], launched["userIdentity"]["arn"]) == (
        "RunInstances",
        "autoscaling.amazonaws.com",
        f"arn:aws:sts::{images.id}:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling",
    )
    assert launched["requestParameters"]["launchTemplate"] == {"launchTemplateId": template, "version": "1"}
    rows = launched["responseElements"]["instancesSet"]["items"]
    assert [row["imageId"] for row in rows] == [base, base]
    said = [each["detail"] for each in news if each["detail-type"] == "EC2 Instance Launch Successful"]
    assert sorted(each["EC2InstanceId"] for each in said) == sorted(row["instanceId"] for row in rows)
    assert {each["AutoScalingGroupName"] for each in said} == {"web"}


def live(images: Account, shop: Account) -> None:
    """Make every call that is recorded and emulated at least once, some of them in vain."""
    ec2, scaling, ssm = images.ec2, images.client("autoscaling"), images.client("ssm")
    base = images.image()
    instance, spare = images.run(base), images.run(base)
    golden = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    ec2.copy_image(SourceImageId=golden, SourceRegion="us-east-1", Name="copy", CopyImageTags=True)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")
    ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})
    images.image(Name="laundered", BlockDeviceMappings=[{**DISK, "Ebs": {"SnapshotId": snapshot}}])
    share = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "UserIds": [shop.id]}
    ec2.modify_snapshot_attribute(**share, OperationType="add")
    ec2.modify_snapshot_attribute(**share, OperationType="remove")
    ec2.modify_image_attribute(ImageId=golden, LaunchPermission={"Add": [{"UserId": shop.id}, {"UserId": "1" * 12}]})
    ec2.modify_image_attribute(ImageId=golden, LaunchPermission={"Remove": [{"UserId": shop.id}]})
    ec2.modify_image_attribute(ImageId=golden, Description={"Value": "ours"})
    ec2.modify_image_attribute(ImageId=golden, Attribute="description", Value="still ours")
    ec2.reset_image_attribute(ImageId=golden, Attribute="launchPermission")
    ec2.create_tags(Resources=[golden, instance], Tags=[{"Key": "a", "Value": ""}])
    ec2.delete_tags(Resources=[golden], Tags=[{"Key": "a"}])
    ec2.disable_image(ImageId=golden)
    ec2.enable_image(ImageId=golden)
    ec2.enable_image_deprecation(ImageId=golden, DeprecateAt="2035-01-01T00:00:00Z")
    ec2.disable_image_deprecation(ImageId=golden)
    ec2.enable_image_deregistration_protection(ImageId=golden)
    ec2.disable_image_deregistration_protection(ImageId=golden)
    for setting in ("image", "snapshot"):
        state = (
            {"ImageBlockPublicAccessState": "block-new-sharing"}
            if setting == "image"
            else {"State": "block-all-sharing"}
        )
        getattr(ec2, f"enable_{setting}_block_public_access")(**state)
        getattr(ec2, f"disable_{setting}_block_public_access")()
    data = {"ImageId": golden, "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    named = {"LaunchTemplateId": template["LaunchTemplateId"]}
    ec2.create_launch_template_version(**named, LaunchTemplateData={**data, "ImageId": base})
    ec2.create_launch_template_version(**named, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    ec2.modify_launch_template(**named, DefaultVersion="2")
    ec2.run_instances(LaunchTemplate={**named, "Version": "2"}, MinCount=1, MaxCount=2)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=1, MaxSize=3, LaunchTemplate=named, AvailabilityZones=["us-east-1a"]
    )
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=4)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=group["Instances"][0]["InstanceId"], ShouldDecrementDesiredCapacity=False
    )
    scaling.create_launch_configuration(LaunchConfigurationName="old", ImageId=base, InstanceType="t3.micro")
    scaling.delete_launch_configuration(LaunchConfigurationName="old")
    scaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    fleet = {
        "LaunchTemplateConfigs": [
            {
                "LaunchTemplateSpecification": {**named, "Version": "2"},
                "Overrides": [{"InstanceType": "t3.micro"}],
            }
        ],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
    }
    ec2.create_fleet(Type="instant", **fleet)
    made = ec2.create_fleet(Type="maintain", **fleet)
    ec2.delete_fleets(FleetIds=[made["FleetId"]], TerminateInstances=True)
    spot = ec2.request_spot_instances(LaunchSpecification={**data, "ImageId": base}, SpotPrice="0.1")
    (request,) = spot["SpotInstanceRequests"]
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[request["SpotInstanceRequestId"]])
    config = {
        "IamFleetRole": f"arn:aws:iam::{images.id}:role/fleet",
        "TargetCapacity": 1,
        "AllocationStrategy": "lowestPrice",
        "LaunchSpecifications": [{**data, "ImageId": base}],
    }
    ec2.request_spot_fleet(SpotFleetRequestConfig=config)
    ebs = images.client("ebs")
    written = ebs.start_snapshot(VolumeSize=1, Description="by hand")["SnapshotId"]
    ebs.complete_snapshot(SnapshotId=written, ChangedBlocksCount=0)
    ssm.put_parameter(Name="/golden", Value=golden, Type="String", DataType="aws:ec2:image")
    ssm.label_parameter_version(Name="/golden", Labels=["prod"])
    ssm.unlabel_parameter_version(Name="/golden", ParameterVersion=1, Labels=["prod"])
    images.run("resolve:ssm:/golden")
    ssm.delete_parameters(Names=["/golden", "/nowhere"])
    ec2.create_replace_root_volume_task(InstanceId=instance, ImageId=base)
    ec2.create_replace_root_volume_task(InstanceId=instance, SnapshotId=snapshot)
    ec2.create_replace_root_volume_task(InstanceId=instance)
    ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    ec2.reboot_instances(InstanceIds=[instance])
    ec2.stop_instances(InstanceIds=[spare])
    (group,) = ec2.describe_instances(InstanceIds=[spare])["Reservations"]
    root = group["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.detach_volume(VolumeId=root, InstanceId=spare)
    ec2.attach_volume(VolumeId=volume, InstanceId=spare, Device="/dev/xvda")
    ec2.start_instances(InstanceIds=[spare])
    ec2.terminate_instances(InstanceIds=[instance, spare])
    ec2.delete_volume(VolumeId=root)
    ec2.delete_snapshot(SnapshotId=ec2.create_snapshot(VolumeId=volume)["SnapshotId"])
    ec2.delete_launch_template(**named)
    ec2.deregister_image(ImageId=golden)
    for attempt in (
        lambda: ec2.deregister_image(ImageId=golden),
        lambda: shop.ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1),
        lambda: shop.ec2.create_replace_root_volume_task(InstanceId=instance),
        lambda: shop.client("ssm").delete_parameter(Name="/nowhere"),
        lambda: shop.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="none"),
    ):
        with pytest.raises(ClientError):
            attempt()


NOT_EMULATED = {
    "CreateRestoreImageTask", "CreateStoreImageTask", "DeleteLaunchTemplateVersions", "ModifyFleet",
    "ResetSnapshotAttribute", "StartInstanceRefresh",
}  # fmt: skip


def test_lineage_reads_every_event_that_the_sandbox_sends(world: tuple[Account, Account]) -> None:
    live(*world)
    heard = [parse_event(json.loads(json.dumps(event))) for event in published()]
    assert [(each.what, each.reason) for each in heard if each.outcome not in READABLE] == []
    recorded = {name for names in RECORDED.values() for name in names}
    told = {event["detail"]["eventName"] for event in published() if event["detail-type"] == VIA}
    assert recorded - told - NOT_EMULATED == set()
    failed = [each.what for each in heard if each.outcome is Outcome.FAILED]
    assert failed == [
        "ec2:DeregisterImage",
        "ec2:RunInstances",
        "ec2:CreateReplaceRootVolumeTask",
        "ssm:DeleteParameter",
        "autoscaling:DeleteAutoScalingGroup",
    ]


def test_each_event_is_later_than_the_one_before_and_has_an_id_of_its_own(world: tuple[Account, Account]) -> None:
    live(*world)
    calls = [event["detail"] for event in published() if event["detail-type"] == VIA]
    times = [each["eventTime"] for each in calls]
    assert times == sorted(set(times))
    assert len({event["id"] for event in published()}) == len(published())
    assert len({each["eventID"] for each in calls}) == len(calls)


def test_the_same_seed_gives_the_same_events() -> None:
    def story(seed: int) -> list[tuple[str, str, Any]]:
        with in_process_sandbox(settings=Settings(seed=seed)) as session:
            account = Account(session, "123456789012")
            golden = account.ec2.create_image(InstanceId=account.run(account.image()), Name="golden")["ImageId"]
            account.ec2.deregister_image(ImageId=golden)
            return [(each["id"], each["detail"].get("eventID"), each["resources"]) for each in published()]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_events_go_along_the_rules_of_the_accounts_default_bus(images: Account) -> None:
    sqs, events = images.client("sqs"), images.client("events")
    url = sqs.create_queue(QueueName="taken")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{images.id}:taken"
    rule = events.put_rule(Name="taken", EventPattern=json.dumps({"source": ["aws.ec2"], "detail-type": [VIA]}))
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule["RuleArn"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="taken", Targets=[{"Id": "queue", "Arn": arn}])
    images.image()
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"]) == images.news()[0]


@pytest.fixture
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def test_the_server_sends_what_the_sandbox_in_process_sends(server: Sandbox) -> None:
    def story(cloud: Cloud) -> None:
        ec2 = cloud.client("ec2", cloud.make_account())
        base = ec2.register_image(Name="base", RootDeviceName="/dev/xvda")["ImageId"]
        ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1, ClientToken="t")
        with pytest.raises(ClientError):
            ec2.deregister_image(ImageId="ami-0123456789abcdef0")

    story(Cloud(server.session(HOME)))
    control = Control(server.endpoint)
    over_http = control.events()
    assert over_http == list(published())
    with in_process_sandbox(region=HOME) as session:
        story(Cloud(session))
        told = list(published())
    assert [shape(each) for each in over_http] == [shape(each) for each in told]


def shape(value: Any) -> Any:
    """Answer the names of the members, and nothing of their values."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


def test_whoever_runs_the_sandbox_puts_events_of_aws_on_a_bus_and_nobody_else_does(server: Sandbox) -> None:
    control, session = Control(server.endpoint), server.session(HOME)
    image = control.public_image("999988887777", HOME, "free")
    assert control.public_image("999988887777", HOME, "free") == image
    (seen,) = session.client("ec2").describe_images(ImageIds=[image])["Images"]
    assert (seen["OwnerId"], seen["Public"]) == ("999988887777", True)
    session.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1)
    before = control.events()
    control.publish("123456789012", HOME, before[:1])
    assert control.events() == before, "an event that is sent again is no new one"
    answer = session.client("events").put_events(
        Entries=[{"Source": "aws.ec2", "DetailType": VIA, "Detail": json.dumps(before[0]["detail"])}]
    )
    assert answer["FailedEntryCount"] == 1
