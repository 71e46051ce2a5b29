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
    launch = {"ImageId": image, "MinCount": 1, "MaxCount": 1, **ENCRYPTED}
    assert company.refusing(shop.run_instances, **launch) == "ApprovedImages"
    assert company.refusing(shop.create_tags, Resources=[image], Tags=[APPROVED]) == "ApprovalTags"
    assert company.refusing(shop.copy_image, SourceImageId=image, SourceRegion=HOME, Name="mine") == "ApprovedImages"

    factory.create_tags(Resources=[image], Tags=[APPROVED])
    assert company.refusing(shop.run_instances, **launch) == ""


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
