"""What EC2 itself says of where images came from and what uses them; and how a test has it say something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.lineage.model import Place, Time
from handlers.lineage.readings.form import LISTS
from handlers.lineage.reconcile.asking import through
from handlers.lineage.reconcile.reader import read_place
from org.model import AccountId, Region
from org.sandbox.process import CONTROL, STAGING
from org.sandbox.scenarios.control import Control
from org.sandbox.server import Sandbox
from org.sandbox.trail.control import answer
from org.sandbox.trail.events import published
from tests.support.sandbox import assume, create_account, organization

HOME, OTHER = "eu-central-1", "eu-west-1"
ROOT = {"DeviceName": "/dev/xvda"}


def control(what: str, **asked: Any) -> Any:
    """Ask the sandbox within this process as `Control` asks one over HTTP."""
    body = json.dumps(asked).encode()
    environ = {
        "PATH_INFO": f"{CONTROL}/{what}",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    assert environ["PATH_INFO"] in STAGING
    status, text = answer(environ)
    assert status == "200 OK", text
    return json.loads(text)


@contextmanager
def refused(code: str, part: str) -> Iterator[None]:
    """Expect a refusal whose message has the part."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert part in error["Message"]


@dataclass(frozen=True)
class World:
    session: boto3.Session
    owner: boto3.Session
    other: boto3.Session
    owner_id: str
    other_id: str

    @property
    def ec2(self) -> Any:
        return self.owner.client("ec2", HOME)

    def base(self) -> str:
        image: str = control("public-images", account="999988887777", region=HOME, name="base", alias="amazon")["image"]
        return image

    def launch(self, image: str) -> str:
        return str(self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])

    def describe(self, image: str, region: str = HOME) -> Any:
        (described,) = self.owner.client("ec2", region).describe_images(ImageIds=[image])["Images"]
        return described

    def ancestry(self, image: str, region: str = HOME) -> list[tuple[str, str | None, str | None]]:
        entries = self.owner.client("ec2", region).get_image_ancestry(ImageId=image)["ImageAncestryEntries"]
        return [(each["ImageId"], each.get("SourceImageId"), each.get("SourceImageRegion")) for each in entries]


@pytest.fixture
def world() -> Iterator[World]:
    with organization() as session:
        organizations = session.client("organizations")
        owner, other = create_account(organizations, "Images"), create_account(organizations, "Shop")
        yield World(session, assume(session, owner), assume(session, other), owner, other)


def test_an_image_says_what_it_was_made_of_by_the_call_that_made_it(world: World) -> None:
    base = world.base()
    instance = world.launch(base)
    created = world.ec2.create_image(InstanceId=instance, Name="created")["ImageId"]
    copied = world.owner.client("ec2", OTHER).copy_image(SourceImageId=created, SourceRegion=HOME, Name="copied")
    registered = world.ec2.register_image(Name="registered", RootDeviceName="/dev/xvda")["ImageId"]

    def sources(image: str, region: str = HOME) -> Any:
        described = world.describe(image, region)
        return [described.get(name) for name in ("SourceImageId", "SourceImageRegion", "SourceInstanceId")]

    assert sources(created) == [base, HOME, instance]
    assert sources(copied["ImageId"], OTHER) == [created, HOME, None]
    assert sources(registered) == [None, None, None]
    assert "LastLaunchedTime" in world.describe(base)
    described = world.describe(created)
    assert not {"LastLaunchedTime", "ScanResults", "ImageWatermarks", "DeprecationTime"} & set(described)
    assert (described["ImageAllowed"], described["DeregistrationProtection"]) == (True, "disabled")


def test_an_ancestry_goes_over_regions_and_gone_images_to_an_image_of_amazon(world: World) -> None:
    base = world.base()
    created = world.ec2.create_image(InstanceId=world.launch(base), Name="created")["ImageId"]
    there = world.owner.client("ec2", OTHER)
    copied = there.copy_image(SourceImageId=created, SourceRegion=HOME, Name="copied")["ImageId"]
    world.ec2.deregister_image(ImageId=created)
    assert world.ancestry(copied, OTHER) == [(copied, created, HOME), (created, base, HOME), (base, None, None)]
    (*_, root) = there.get_image_ancestry(ImageId=copied)["ImageAncestryEntries"]
    assert root["ImageOwnerAlias"] == "amazon"
    with refused("DryRunOperation", "would have succeeded"):
        there.get_image_ancestry(ImageId=copied, DryRun=True)


def test_an_ancestry_ends_without_a_word_at_a_registered_image(world: World) -> None:
    registered = world.ec2.register_image(Name="registered", RootDeviceName="/dev/xvda")["ImageId"]
    created = world.ec2.create_image(InstanceId=world.launch(registered), Name="created")["ImageId"]
    assert world.ancestry(created) == [(created, registered, HOME), (registered, None, None)]


def test_an_ancestry_has_at_most_fifty_images(world: World) -> None:
    image = world.ec2.register_image(Name="first", RootDeviceName="/dev/xvda")["ImageId"]
    for number in range(1, 52):
        image = world.ec2.copy_image(SourceImageId=image, SourceRegion=HOME, Name=f"copy-{number}")["ImageId"]
    assert len(world.ancestry(image)) == 50


def test_a_stranger_has_no_ancestry_of_a_private_image(world: World) -> None:
    image = world.ec2.register_image(Name="mine", RootDeviceName="/dev/xvda")["ImageId"]
    with refused("InvalidAMIID.NotFound", image):
        world.other.client("ec2", HOME).get_image_ancestry(ImageId=image)


def use_everywhere(world: World) -> str:
    """Make an image that both accounts use, and answer its id."""
    image: str = world.ec2.register_image(Name="golden", RootDeviceName="/dev/xvda")["ImageId"]
    world.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": world.other_id}]})
    for session, count in ((world.owner, 1), (world.other, 2)):
        ec2 = session.client("ec2", HOME)
        ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count)
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
        ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    ssm = world.other.client("ssm", HOME)
    ssm.put_parameter(Name="/golden", Value=image, Type="String", DataType="aws:ec2:image")
    ssm.put_parameter(Name="/text", Value=image, Type="String")
    return image


def test_references_are_those_of_ones_own_account(world: World) -> None:
    image = use_everywhere(world)
    ec2 = world.other.client("ec2", HOME)
    found = ec2.describe_image_references(ImageIds=[image], IncludeAllResourceTypes=True)["ImageReferences"]
    instances = [each for row in ec2.describe_instances()["Reservations"] for each in row["Instances"]]
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    place = f"arn:aws:ec2:{HOME}:{world.other_id}"
    assert {(each["ImageId"], each["ResourceType"], each["Arn"]) for each in found} == {
        *((image, "ec2:Instance", f"{place}:instance/{each['InstanceId']}") for each in instances),
        (image, "ec2:LaunchTemplate", f"{place}:launch-template/{template['LaunchTemplateId']}"),
        (image, "ssm:Parameter", f"arn:aws:ssm:{HOME}:{world.other_id}:parameter/golden"),
    }
    assert len(instances) == 2


def test_references_are_of_the_types_states_and_versions_asked_for(world: World) -> None:
    image = use_everywhere(world)
    ec2 = world.other.client("ec2", HOME)
    newer = ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-12345678"})
    assert newer["LaunchTemplateVersion"]["VersionNumber"] == 3

    def count(type: str, option: str, *values: str) -> int:
        options = [{"OptionName": option, "OptionValues": list(values)}]
        asked = [{"ResourceType": type, "ResourceTypeOptions": options}]
        return len(ec2.describe_image_references(ImageIds=[image], ResourceTypes=asked)["ImageReferences"])

    assert count("ec2:Instance", "state-name", "stopped") == 0
    assert count("ec2:Instance", "state-name", "stopped", "running") == 2
    assert count("ec2:LaunchTemplate", "version-depth", "1") == 0
    assert count("ec2:LaunchTemplate", "version-depth", "2") == 1
    with refused("InvalidParameterValue", "0"):
        count("ec2:LaunchTemplate", "version-depth", "0")
    with refused("InvalidParameterValue", "state-name"):
        count("ec2:LaunchTemplate", "state-name", "running")
    with refused("MissingParameter", "ResourceTypes"):
        ec2.describe_image_references(ImageIds=[image])


def test_references_come_in_pages(world: World) -> None:
    image = use_everywhere(world)
    ec2 = world.other.client("ec2", HOME)
    ec2.run_instances(ImageId=image, MinCount=3, MaxCount=3)
    pages = ec2.get_paginator("describe_image_references")
    asked = pages.paginate(ImageIds=[image], IncludeAllResourceTypes=True, PaginationConfig={"PageSize": 5})
    assert [len(page["ImageReferences"]) for page in asked] == [5, 2]
    with refused("InvalidNextToken", "Images-3"):
        ec2.describe_image_references(ImageIds=[image], IncludeAllResourceTypes=True, NextToken="Images-3")


def test_a_usage_report_tells_the_owner_what_each_account_uses(world: World) -> None:
    image, ec2 = use_everywhere(world), world.ec2
    types = [{"ResourceType": "ec2:Instance"}, {"ResourceType": "ec2:LaunchTemplate"}]
    tagged = [{"ResourceType": "image-usage-report", "Tags": [{"Key": "by", "Value": "test"}]}]
    asked = {"ImageId": image, "ResourceTypes": types, "ClientToken": "once", "TagSpecifications": tagged}
    report = ec2.create_image_usage_report(**asked)["ReportId"]
    assert ec2.create_image_usage_report(**asked)["ReportId"] == report
    assert ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"] == []
    (described,) = ec2.describe_image_usage_reports(ImageIds=[image])["ImageUsageReports"]
    assert (described["State"], described["ReportId"]) == ("available", report)
    assert [each["ResourceType"] for each in described["ResourceTypes"]] == ["ec2:Instance", "ec2:LaunchTemplate"]
    assert (described["ExpirationTime"] - described["CreationTime"]).days == 30
    assert described["Tags"] == [{"Key": "by", "Value": "test"}]

    def entries(**more: Any) -> set[tuple[str, str, int]]:
        rows = ec2.describe_image_usage_report_entries(ReportIds=[report], **more)["ImageUsageReportEntries"]
        assert {(row["ReportId"], row["ImageId"]) for row in rows} <= {(report, image)}
        return {(row["AccountId"], row["ResourceType"], row["UsageCount"]) for row in rows}

    of_other = {(world.other_id, "ec2:Instance", 2), (world.other_id, "ec2:LaunchTemplate", 1)}
    of_owner = {(world.owner_id, "ec2:Instance", 1), (world.owner_id, "ec2:LaunchTemplate", 1)}
    assert entries() == of_other | of_owner
    assert entries(Filters=[{"Name": "account-id", "Values": [world.other_id]}]) == of_other
    ec2.delete_image_usage_report(ReportId=report)
    assert ec2.describe_image_usage_reports()["ImageUsageReports"] == []
    with refused("InvalidImageUsageReportId.NotFound", report):
        ec2.delete_image_usage_report(ReportId=report)


def test_only_the_owner_has_a_usage_report_and_only_of_the_accounts_asked_for(world: World) -> None:
    image, ec2 = use_everywhere(world), world.ec2
    types = [{"ResourceType": "ec2:Instance"}]
    with refused("AuthFailure", image):
        world.other.client("ec2", HOME).create_image_usage_report(ImageId=image, ResourceTypes=types)
    report = ec2.create_image_usage_report(ImageId=image, ResourceTypes=types, AccountIds=[world.owner_id])["ReportId"]
    ec2.describe_image_usage_reports()
    (entry,) = ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"]
    assert (entry["AccountId"], entry["UsageCount"]) == (world.owner_id, 1)


def test_an_instance_has_its_image_when_that_is_gone_and_was_somebody_elses(world: World) -> None:
    image = use_everywhere(world)
    world.ec2.deregister_image(ImageId=image)
    ec2 = world.other.client("ec2", HOME)
    one, _ = ec2.describe_instance_image_metadata()["InstanceImageMetadata"]
    assert one["ImageMetadata"]["ImageId"] == image
    assert one["ImageMetadata"]["State"] == "deregistered"
    assert one["ImageMetadata"]["OwnerId"] == world.owner_id
    assert (one["OwnerId"], one["State"]["Name"]) == (world.other_id, "running")
    ec2.stop_instances(InstanceIds=[one["InstanceId"]])
    stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    (found,) = ec2.describe_instance_image_metadata(Filters=stopped)["InstanceImageMetadata"]
    assert found["InstanceId"] == one["InstanceId"]
    (found,) = ec2.describe_instance_image_metadata(InstanceIds=[one["InstanceId"]])["InstanceImageMetadata"]
    assert found["InstanceId"] == one["InstanceId"]


def test_images_come_in_pages(world: World) -> None:
    names = [f"image-{number}" for number in range(5)]
    for name in names:
        world.ec2.register_image(Name=name, RootDeviceName="/dev/xvda")
    pages = world.ec2.get_paginator("describe_images").paginate(Owners=["self"], PaginationConfig={"PageSize": 2})
    assert [[image["Name"] for image in page["Images"]] for page in pages] == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize("call", ["get_image_ancestry", "create_image_usage_report", "describe_image_references"])
def test_these_calls_need_their_permission(world: World, call: str) -> None:
    image = use_everywhere(world)
    iam = world.owner.client("iam")
    principal = {"AWS": f"arn:aws:iam::{world.owner_id}:root"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:*"}]}
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))
    action = "".join(part.capitalize() for part in call.split("_"))
    parameters: dict[str, dict[str, Any]] = {
        "get_image_ancestry": {"ImageId": image},
        "create_image_usage_report": {"ImageId": image, "ResourceTypes": [{"ResourceType": "ec2:Instance"}]},
        "describe_image_references": {"ImageIds": [image], "IncludeAllResourceTypes": True},
    }

    def ask() -> Any:
        session = assume(world.owner, world.owner_id, "reader")
        return getattr(session.client("ec2", HOME), call)(**parameters[call])

    with refused("UnauthorizedOperation", f"ec2:{action}"):
        ask()
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": f"ec2:{action}", "Resource": "*"}]}
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(allow))
    assert ask()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_ec2_says_of_an_image_what_a_test_has_it_say(world: World) -> None:
    base, other = world.base(), world.ec2.register_image(Name="other", RootDeviceName="/dev/xvda")["ImageId"]
    created = world.ec2.create_image(InstanceId=world.launch(base), Name="created")["ImageId"]
    scan = {"HighestFindingSeverityLabel": "high", "FindingScanDate": "2026-11-20T00:00:00+00:00"}
    mark = {"WatermarkKey": f"{world.owner_id}:golden", "WatermarkCreationTime": "2026-11-20T00:00:00+00:00"}
    says = {"SourceImageId": other, "ScanResults": scan, "ImageWatermarks": [mark]}
    control("images", image=created, region=HOME, says=says)
    described = world.describe(created)
    assert described["SourceImageId"] == other
    assert described["ScanResults"]["HighestFindingSeverityLabel"] == "high"
    assert described["ScanResults"]["FindingScanDate"].isoformat() == "2026-11-20T00:00:00+00:00"
    assert world.ancestry(created) == [(created, other, HOME), (other, None, None)]
    copied = world.ec2.copy_image(SourceImageId=created, SourceRegion=HOME, Name="copied")["ImageId"]
    assert [each["WatermarkKey"] for each in world.describe(copied)["ImageWatermarks"]] == [mark["WatermarkKey"]]

    control("images", image=created, region=HOME, says={"Ancestry": [{"ImageId": created, "SourceImageId": base}]})
    assert world.ancestry(created) == [(created, base, None)]
    assert world.describe(created)["SourceImageId"] == other
    control("images", image=created, region=HOME, says={"Ancestry": None, "SourceImageId": None, "ScanResults": None})
    assert not {"SourceImageId", "ScanResults"} & set(world.describe(created))
    assert world.ancestry(created) == [(created, None, HOME)]
    with pytest.raises(AssertionError, match="Nonsense"):
        control("images", image=created, region=HOME, says={"Nonsense": 1})


def test_an_image_is_made_while_the_events_of_its_account_are_lost(world: World) -> None:
    control("silence", account=world.owner_id, region=HOME, silent=True)
    before = published()
    lost = world.ec2.register_image(Name="lost", RootDeviceName="/dev/xvda")["ImageId"]
    assert published() == before
    world.owner.client("ec2", OTHER).register_image(Name="there", RootDeviceName="/dev/xvda")
    control("silence", account=world.owner_id, region=HOME, silent=False)
    world.ec2.register_image(Name="told", RootDeviceName="/dev/xvda")
    told = {each["detail"].get("requestParameters", {}).get("name") for each in published()[len(before) :]}
    assert told - {None} == {"there", "told"}
    assert world.describe(lost)["State"] == "available"


def test_it_is_asked_over_http_too() -> None:
    server = Sandbox()
    server.start()
    try:
        session, asked = server.session(HOME), Control(server.endpoint)
        image = asked.public_image("999988887777", HOME, "free")
        asked.say(image, HOME, SourceImageId="ami-0123456789abcdef0")
        asked.silence("123456789012", HOME)
        session.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1)
        assert asked.events() == []
        (described,) = session.client("ec2").describe_images(ImageIds=[image])["Images"]
        assert described["SourceImageId"] == "ami-0123456789abcdef0"
    finally:
        server.stop()


def test_the_reconciliation_reads_an_account_with_nothing_refused(world: World) -> None:
    """The reader of `handlers.reconcile` on the sandbox's EC2, twice: the usage report is there the second time."""
    image = use_everywhere(world)
    base = world.base()
    world.ec2.create_image(InstanceId=world.launch(base), Name="derived")
    there, now = Place(AccountId(world.owner_id), Region(HOME)), Time(1_790_000_000_000)
    first = read_place(through(world.ec2), there, None, now)
    # Between the two AWS makes the report, and here it is done when it is asked for.
    second = read_place(through(world.ec2), there, first.memory, Time(now + 60_000))
    third = read_place(through(world.ec2), there, second.memory, Time(now + 120_000))
    assert (first.refused, second.refused, third.refused) == ({}, {}, {})
    details = [json.loads(message)["detail"] for read in (first, second, third) for message in read.messages]
    told = {name: [row for detail in details for row in detail.get(name, [])] for name in LISTS}
    assert {row["Name"] for row in told["images"]} == {"golden", "derived", "base"}
    (ancestry,) = told["ancestries"]
    assert [each["ImageId"] for each in ancestry["ImageAncestryEntries"]][-1] == base
    usage = [each for row in told.get("usage", []) for each in row["Entries"]]
    counts = {(each["AccountId"], each["ResourceType"], each["UsageCount"]) for each in usage}
    assert (world.other_id, "ec2:Instance", 2) in counts
    assert [row["ImageId"] for row in told["references"]] == [image]
