"""The company's guardrails as its people meet them: an administrator of a member account at work in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from config.load import load_manifest
from stacksets.desired import render_desired
from tests.support.rollout import Rollout
from tests.support.sandbox import assume, sandbox_session

COMPANY = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
HOME = "eu-central-1"
ENCRYPTED = {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}]}
APPROVED = {"Key": "ec2:SharedTag/status", "Value": "approved"}
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


class Company:
    def __init__(self, session: boto3.Session) -> None:
        self.session = session
        Rollout(session).bootstrap(render_desired(load_manifest(COMPANY)))
        pages = session.client("organizations").get_paginator("list_accounts").paginate()
        self.accounts = {each["Name"]: each["Id"] for page in pages for each in page["Accounts"]}
        organizations: Any = session.client("organizations")
        listed = organizations.get_paginator("list_policies").paginate(Filter="SERVICE_CONTROL_POLICY")
        self.policies = {each["Arn"]: each["Name"] for page in listed for each in page["Policies"]}

    def as_orgctl(self, account: str) -> boto3.Session:
        return assume(self.session, self.accounts[account])

    def as_administrator(self, account: str) -> boto3.Session:
        """Come in as a role that the account's own policies allow everything."""
        id = self.accounts[account]
        iam = self.as_orgctl(account).client("iam")
        iam.create_role(RoleName="Admin", AssumeRolePolicyDocument=self.trust(account))
        iam.put_role_policy(RoleName="Admin", PolicyName="everything", PolicyDocument=EVERYTHING)
        return assume(self.as_orgctl(account), id, "Admin")

    def role(self, account: str, name: str) -> str:
        return f"arn:aws:iam::{self.accounts[account]}:role/{name}"

    def trust(self, account: str) -> str:
        principal = {"AWS": f"arn:aws:iam::{self.accounts[account]}:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def refusing(self, call: Callable[..., Any], **arguments: Any) -> str:
        """Answer the name of the policy whose ARN the refusal gives; empty if there was none."""
        try:
            call(**arguments)
        except ClientError as error:
            said = error.response["Error"]["Message"]
            (name,) = [name for arn, name in self.policies.items() if arn in said]
            return name
        return ""


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with sandbox_session() as session:
        yield Company(session)


@pytest.fixture(scope="module")
def administrator(company: Company) -> boto3.Session:
    return company.as_administrator("Shop")


def test_image_is_launched_once_the_factory_has_approved_it_and_not_before(company, administrator):
    factory = company.as_orgctl("Image Factory").client("ec2", region_name=HOME)
    volume = factory.create_volume(AvailabilityZone=f"{HOME}a", Size=8, Encrypted=True)["VolumeId"]
    snapshot = factory.create_snapshot(VolumeId=volume)["SnapshotId"]
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    image = factory.register_image(Name="golden-1", RootDeviceName="/dev/xvda", BlockDeviceMappings=[disk])["ImageId"]
    factory.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": company.accounts["Shop"]}]})

    shop = administrator.client("ec2", region_name=HOME)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    launch = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "TagSpecifications": tags, **ENCRYPTED}
    assert company.refusing(shop.run_instances, **launch) == "ApprovedImages"
    assert company.refusing(shop.create_tags, Resources=[image], Tags=[APPROVED]) == "ApprovalTags"
    assert company.refusing(shop.copy_image, SourceImageId=image, SourceRegion=HOME, Name="mine") == "ApprovedImages"

    factory.create_tags(Resources=[image], Tags=[APPROVED])
    assert company.refusing(shop.run_instances, **launch) == ""


def test_no_other_way_to_an_unapproved_image_is_open(company, administrator):
    factory = company.as_orgctl("Image Factory").client("ec2", region_name=HOME)
    volume = factory.create_volume(AvailabilityZone=f"{HOME}a", Size=8, Encrypted=True)["VolumeId"]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": factory.create_snapshot(VolumeId=volume)["SnapshotId"]}}]
    image = factory.register_image(Name="golden-2", RootDeviceName="/dev/xvda", BlockDeviceMappings=disks)["ImageId"]
    factory.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": company.accounts["Shop"]}]})

    shop = administrator.client("ec2", region_name=HOME)
    machine = {"ImageId": image, "InstanceType": "t3.micro"}
    made = shop.create_launch_template(LaunchTemplateName="machine", LaunchTemplateData=machine)["LaunchTemplate"]
    template = {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "1"}
    fleet = {
        "TargetCapacitySpecification": {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"},
        "Type": "instant",
    }
    spot_fleet = {"IamFleetRole": company.role("Shop", "spot"), "TargetCapacity": 1, "LaunchSpecifications": [machine]}
    scaling = administrator.client("autoscaling", region_name=HOME)
    for call, arguments in (
        (shop.run_instances, {"LaunchTemplate": template, "MinCount": 1, "MaxCount": 1}),
        (shop.create_fleet, {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": template}], **fleet}),
        (shop.request_spot_instances, {"LaunchSpecification": machine}),
        (shop.request_spot_fleet, {"SpotFleetRequestConfig": spot_fleet}),
        (shop.run_scheduled_instances, {"ScheduledInstanceId": "sci-1", "LaunchSpecification": machine}),
        (shop.import_instance, {"Platform": "Windows"}),
        (scaling.create_launch_configuration, {"LaunchConfigurationName": "machine", **machine}),
        (shop.register_image, {"Name": "mine", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": disks}),
        (shop.disable_allowed_images_settings, {}),
    ):
        assert company.refusing(call, **arguments) == "ApprovedImages", call.__name__
    for call, arguments in (
        (shop.create_tags, {"Resources": [image], "Tags": [{**APPROVED, "Key": "EC2:sharedtag/STATUS"}]}),
        (shop.delete_tags, {"Resources": [image]}),
    ):
        assert company.refusing(call, **arguments) == "ApprovalTags", call.__name__
    assert company.refusing(shop.create_tags, Resources=[image], Tags=[{"Key": "Team", "Value": "shop"}]) == ""


def test_account_neither_leaves_nor_moves_to_another_organization(company, administrator):
    organizations = administrator.client("organizations")
    assert company.refusing(organizations.leave_organization) == "DenyLeavingOrganization"
    invitation = {"HandshakeId": "h-examplehandshakeid"}
    assert company.refusing(organizations.accept_handshake, **invitation) == "DenyLeavingOrganization"


def test_governance_system_is_out_of_reach_and_the_rest_of_iam_is_not(company, administrator):
    iam, events = administrator.client("iam"), administrator.client("events", region_name=HOME)
    trust = {"AssumeRolePolicyDocument": company.trust("Shop")}
    assert company.refusing(iam.create_role, RoleName="stacksets-exec-mine", **trust) == "ProtectGovernance"
    assert company.refusing(iam.create_role, RoleName="BreakGlass", **trust) == "ProtectGovernance"
    assert company.refusing(iam.create_role, RoleName="developer", **trust) == ""
    assert company.refusing(iam.delete_role_policy, RoleName="orgctl-audit", PolicyName="no-data") == (
        "ProtectGovernance"
    )
    assert company.refusing(events.disable_rule, Name="orgctl-forward-image-calls") == "ProtectGovernance"


def test_nothing_starts_in_regions_that_are_not_governed(company, administrator):
    elsewhere, governed = (administrator.client("sqs", region_name=region) for region in ("eu-west-3", "eu-west-1"))
    assert company.refusing(elsewhere.create_queue, QueueName="orders") == "GovernedRegions"
    assert company.refusing(governed.create_queue, QueueName="orders") == ""
    assert company.refusing(governed.create_queue, QueueName="orgctl-orders") == "ProtectGovernance"
