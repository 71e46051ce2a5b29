"""Launches under the service control policies that are to govern them, judged by what EC2 would check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Decision, Verdict
from org.policy.model import Level, PolicyKind
from org.policy.parse import parse_policy
from org.policy.request import Request
from org.sandbox.authorization.ec2 import checks_of
from org.sandbox.authorization.model import ApiCall, Check
from tests.support.sandbox import assume, create_account, organization, refused, root_of

REGION = "us-east-1"
IMAGES = "arn:aws:ec2:*::image/*"


def deny(sid: str, actions: list[str], condition: dict[str, Any], resource: str = IMAGES) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resource, "Condition": condition}


@dataclass(frozen=True)
class World:
    owner: Any
    shop: Any
    scaling: Any
    """Auto Scaling in the shop."""
    shop_id: str
    foreign: Any
    statements: tuple[dict[str, Any], ...]
    engine: Engine
    organizations: Any

    def image(self, ec2: Any, **tags: str) -> str:
        pairs = [{"Key": f"ec2:SharedTag/{key}", "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "image", "Tags": pairs}] if pairs else []
        image = ec2.register_image(Name="golden", RootDeviceName="/dev/xvda", TagSpecifications=specification)[
            "ImageId"
        ]
        if ec2 is not self.shop:
            ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": self.shop_id}]})
        return str(image)

    def denied(self, operation: str, **parameters: Any) -> list[str]:
        """Answer the Sids that deny the call to an administrator of the shop."""
        call = ApiCall("ec2", operation, parameters, REGION, self.shop_id)
        decisions = [self._decide(check) for check in checks_of(call) or ()]
        assert all(each.verdict in {Verdict.ALLOWED, Verdict.DENIED} for each in decisions), decisions
        return sorted(
            {deciding.sid for each in decisions if each.verdict is Verdict.DENIED for deciding in each.deciding}
        )

    def attach(self) -> str:
        """Attach the statements to the whole organization, and answer the policy's ARN."""
        policy = self.organizations.create_policy(
            Name="launches",
            Description="",
            Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps({"Version": "2012-10-17", "Statement": self.statements}),
        )["Policy"]["PolicySummary"]
        self.organizations.attach_policy(PolicyId=policy["Id"], TargetId=root_of(self.organizations))
        return str(policy["Arn"])

    def _decide(self, check: Check) -> Decision:
        principal = principal_of(f"arn:aws:iam::{self.shop_id}:role/admin")
        context = make_context(principal, check.action, check.resource, region=REGION, more=check.context)
        request = Request(principal, check.action, check.resource, check.resource_account, context, complete=True)
        everything = {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [everything, *self.statements]})
        policy = parse_policy(document, PolicyKind.SERVICE_CONTROL, "launches")
        grants = Grants(service_control=(Level("Root", (policy,)), Level("account Shop", (policy,))))
        return self.engine.authorizer(grants).decide(request)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    with organization() as session:
        organizations = session.client("organizations")
        owner, shop, foreign = (create_account(organizations, name) for name in ("Images", "Shop", "Stranger"))
        statements = (
            deny(
                "Owner", ["ec2:RunInstances", "ec2:CreateFleet"], {"StringNotEquals": {"ec2:Owner": [owner, "amazon"]}}
            ),
            deny(
                "Approved",
                ["ec2:RunInstances", "ec2:CreateFleet"],
                {
                    "StringEquals": {"ec2:Owner": owner},
                    "StringNotEquals": {"aws:ResourceTag/ec2:SharedTag/status": "approved"},
                },
            ),
            deny(
                "Tags",
                ["ec2:CreateTags", "ec2:DeleteTags"],
                {"ForAnyValue:StringLike": {"aws:TagKeys": ["ec2:SharedTag/*"]}},
            ),
            deny(
                "Metadata",
                ["ec2:RunInstances"],
                {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
                "arn:aws:ec2:*:*:instance/*",
            ),
            deny("Encrypted", ["ec2:RunInstances"], {"Bool": {"ec2:Encrypted": "false"}}, "arn:aws:ec2:*:*:volume/*"),
        )
        yield World(
            assume(session, owner).client("ec2"),
            assume(session, shop).client("ec2"),
            assume(session, shop).client("autoscaling"),
            shop,
            assume(session, foreign).client("ec2"),
            statements,
            engine,
            organizations,
        )


GOOD: dict[str, Any] = {
    "MetadataOptions": {"HttpTokens": "required"},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}],
}


def test_an_approved_image_of_the_trusted_owner_is_launched(world: World) -> None:
    assert world.denied("RunInstances", ImageId=world.image(world.owner, status="approved"), **GOOD) == []


@pytest.mark.parametrize("tags", [{}, {"status": "revoked"}, {"other": "approved"}])
def test_an_image_that_is_not_approved_is_not(world: World, tags: dict[str, str]) -> None:
    assert world.denied("RunInstances", ImageId=world.image(world.owner, **tags), **GOOD) == ["Approved"]


def test_nobody_approves_for_themselves_by_a_tag_of_their_own(world: World) -> None:
    image = world.image(world.owner)
    world.shop.create_tags(Resources=[image], Tags=[{"Key": "status", "Value": "approved"}])
    assert world.denied("RunInstances", ImageId=image, **GOOD) == ["Approved"]
    copied = world.image(world.shop, status="approved")
    assert world.denied("RunInstances", ImageId=copied, **GOOD) == ["Owner"]


def test_an_image_of_a_stranger_is_not_launched(world: World) -> None:
    image = world.image(world.foreign, status="approved")
    assert world.denied("RunInstances", ImageId=image, **GOOD) == ["Owner"]


def test_metadata_and_volumes_are_judged_each_for_itself(world: World) -> None:
    image = world.image(world.owner, status="approved")
    assert world.denied("RunInstances", ImageId=image) == ["Encrypted", "Metadata"]
    assert world.denied("RunInstances", ImageId=image, **{**GOOD, "BlockDeviceMappings": []}) == ["Encrypted"]


def test_a_launch_template_hides_nothing(world: World) -> None:
    bad, good = world.image(world.foreign), world.image(world.owner, status="approved")
    world.shop.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": bad, **GOOD})
    template = {"LaunchTemplateName": "web"}
    assert world.denied("RunInstances", LaunchTemplate=template) == ["Owner"]
    assert world.denied("RunInstances", LaunchTemplate=template, ImageId=good) == []
    config = {"LaunchTemplateSpecification": {**template, "Version": "$Latest"}}
    assert world.denied("CreateFleet", LaunchTemplateConfigs=[config]) == ["Owner"]


def test_tags_of_approval_are_kept_from_being_written_and_deleted(world: World) -> None:
    image = world.image(world.owner)
    for key, sids in (("ec2:SharedTag/status", ["Tags"]), ("team", [])):
        tags = [{"Key": key, "Value": "approved"}]
        assert world.denied("CreateTags", Resources=[image], Tags=tags) == sids
        assert world.denied("DeleteTags", Resources=[image], Tags=tags) == sids


def test_a_copy_is_not_born_approved(world: World) -> None:
    image = world.image(world.owner, status="approved")
    copy = {"SourceImageId": image, "SourceRegion": REGION, "Name": "mine"}
    assert world.denied("CopyImage", **copy) == []
    assert world.denied("CopyImage", **copy, CopyImageTags=True) == ["Tags"]
    tags = [{"ResourceType": "image", "Tags": [{"Key": "ec2:SharedTag/status", "Value": "approved"}]}]
    assert world.denied("CopyImage", **copy, TagSpecifications=tags) == ["Tags"]


def test_the_policy_refuses_and_lets_through_in_the_member_account(world: World) -> None:
    raw, approved = world.image(world.owner), world.image(world.owner, status="approved")
    policy = world.attach()
    with pytest.raises(ClientError) as caught:
        world.shop.run_instances(ImageId=raw, MinCount=1, MaxCount=1, **GOOD)
    error = caught.value.response["Error"]
    assert error["Code"] == "UnauthorizedOperation"
    assert error["Message"].startswith(
        "You are not authorized to perform this operation. User: "
        f"arn:aws:sts::{world.shop_id}:assumed-role/OrganizationAccountAccessRole/test is not authorized to perform: "
        f"ec2:RunInstances on resource: arn:aws:ec2:{REGION}::image/{raw} with an explicit deny in a service control "
        f"policy: {policy}. Encoded authorization failure message: "
    )
    world.shop.run_instances(ImageId=approved, MinCount=1, MaxCount=1, **GOOD)
    launched = world.shop.describe_instances()["Reservations"]
    assert [each["Instances"][0]["ImageId"] for each in launched] == [approved]


def test_an_instant_fleet_launches_as_its_caller(world: World) -> None:
    image = world.image(world.owner, status="approved")
    data = {"ImageId": image, "InstanceType": "t3.micro", "BlockDeviceMappings": GOOD["BlockDeviceMappings"]}
    world.shop.create_launch_template(LaunchTemplateName="open", LaunchTemplateData=data)
    config = {"LaunchTemplateSpecification": {"LaunchTemplateName": "open", "Version": "1"}}
    fleet = {"LaunchTemplateConfigs": [config], "TargetCapacitySpecification": {"TotalTargetCapacity": 1}}
    assert world.denied("CreateFleet", **fleet, Type="maintain") == []
    assert world.denied("CreateFleet", **fleet, Type="instant") == ["Metadata"]


def group(template: dict[str, Any], *, mixed: bool = False) -> dict[str, Any]:
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": template}}
    given = {"MixedInstancesPolicy": policy} if mixed else {"LaunchTemplate": template}
    return {"MinSize": 1, "MaxSize": 1, "AvailabilityZones": ["us-east-1a"], **given}


@pytest.mark.parametrize("mixed", [False, True])
def test_no_auto_scaling_group_takes_a_template_whose_launch_is_denied(world: World, mixed: bool) -> None:
    templates = {
        name: world.shop.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro", **GOOD}
        )["LaunchTemplate"]["LaunchTemplateId"]
        for name, image in (("raw", world.image(world.owner)), ("good", world.image(world.owner, status="approved")))
    }
    world.attach()
    raw, good = ({"LaunchTemplateId": templates[name], "Version": "1"} for name in ("raw", "good"))
    message = f"You are not authorized to use launch template: {templates['raw']}"
    with refused("AccessDenied", message):
        world.scaling.create_auto_scaling_group(AutoScalingGroupName="raw", **group(raw, mixed=mixed))
    world.scaling.create_auto_scaling_group(AutoScalingGroupName="good", **group(good, mixed=mixed))
    with refused("AccessDenied", message):
        world.scaling.update_auto_scaling_group(AutoScalingGroupName="good", **group(raw, mixed=mixed))
    world.scaling.update_auto_scaling_group(AutoScalingGroupName="good", MaxSize=2)
    assert len(world.shop.describe_instances()["Reservations"]) == 1


def test_a_shared_tag_is_refused_by_the_policy_before_ec2_is_asked(world: World) -> None:
    image = world.image(world.owner)
    world.attach()
    with pytest.raises(ClientError, match=r"UnauthorizedOperation.*ec2:CreateTags"):
        world.shop.create_tags(Resources=[image], Tags=[{"Key": "ec2:SharedTag/status", "Value": "approved"}])
    world.shop.create_tags(Resources=[image], Tags=[{"Key": "team", "Value": "shop"}])


def test_a_key_that_nobody_computes_is_named_and_not_guessed(world: World) -> None:
    statement = deny("Attribute", ["ec2:ModifyImageAttribute"], {"StringEquals": {"ec2:Attribute": "LaunchPermission"}})
    image = world.image(world.shop)
    replace(world, statements=(statement,)).attach()
    with pytest.raises(ClientError, match=r"NotImplementedException.*ec2:Attribute"):
        world.shop.modify_image_attribute(ImageId=image, Description={"Value": "new"})
