"""Stacks under policies: what is denied to whoever makes a stack fails its resources, in a member account."""

from __future__ import annotations

import json
import re
from typing import Any
from zlib import crc32

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import HOME, Cloud, marker_template

EXECUTION_ROLE = "arn:*:iam::*:role/stacksets-exec-*"


def deny(cloud: Cloud, target: str, *actions: str, exempt: str = "") -> str:
    """Attach an SCP that denies the actions, and answer its ARN."""
    statement: dict[str, Any] = {"Sid": "No", "Effect": "Deny", "Action": list(actions), "Resource": "*"}
    if exempt:
        statement["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": exempt}}
    return attach(cloud, target, statement)


def attach(cloud: Cloud, target: str, statement: dict[str, Any]) -> str:
    policy = cloud.organizations.create_policy(
        Name=f"policy-{crc32(json.dumps(statement).encode())}",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Policy"]["PolicySummary"]
    cloud.organizations.attach_policy(PolicyId=policy["Id"], TargetId=target)
    return str(policy["Arn"])


@pytest.fixture
def unit(cloud: Cloud) -> str:
    cloud.make_stack_set("baseline", marker_template(), AutoDeployment={"Enabled": False})
    return cloud.make_unit("Workloads")


def reason(cloud: Cloud, account: str) -> str:
    return str(cloud.instances("baseline")[account, HOME]["StatusReason"])


def test_a_denied_creation_rolls_the_stack_back(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    policy = deny(cloud, unit, "ssm:PutParameter")
    operation = cloud.deploy("baseline", unit)
    assert operation["Status"] == "FAILED"
    assert cloud.statuses("baseline") == {account: ("OUTDATED", "FAILED")}
    assert cloud.markers(account) == {}
    (stack,) = cloud.stacks(account)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    id = cloud.describe("baseline")["StackSetId"].rpartition(":")[2].replace("-", "")
    assert stack["StackStatusReason"].startswith(
        "ResourceLogicalId:Marker, ResourceType:AWS::SSM::Parameter, ResourceStatusReason:Resource handler returned "
        f'message: "User: arn:aws:sts::{account}:assumed-role/stacksets-exec-{id}/{id} is not authorized to perform: '
        f"ssm:PutParameter on resource: arn:aws:ssm:{HOME}:{account}:parameter/marker with an explicit deny in a "
        f'service control policy: {policy}" (RequestToken: '
    )
    assert stack["StackStatusReason"].endswith(", HandlerErrorCode: AccessDenied).")
    assert reason(cloud, account) == stack["StackStatusReason"]


def test_an_exemption_of_the_execution_role_lets_it_through(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    deny(cloud, unit, "ssm:PutParameter", exempt=EXECUTION_ROLE)
    assert cloud.deploy("baseline", unit)["Status"] == "SUCCEEDED"
    assert cloud.markers(account) == {"marker": "one"}


def test_the_full_access_policy_is_needed(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    only = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    policy = cloud.organizations.create_policy(
        Name="only-s3", Description="", Type="SERVICE_CONTROL_POLICY", Content=only
    )["Policy"]["PolicySummary"]["Id"]
    cloud.organizations.attach_policy(PolicyId=policy, TargetId=unit)
    cloud.organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=unit)
    assert cloud.deploy("baseline", unit)["Status"] == "FAILED"
    assert re.search(r"because no service control policy allows the ssm:\w+ action", reason(cloud, account))


def test_a_denied_update_leaves_what_was(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    cloud.deploy("baseline", unit)
    deny(cloud, unit, "ssm:PutParameter")
    assert cloud.update("baseline", marker_template("two"))["Status"] == "FAILED"
    assert cloud.markers(account) == {"marker": "one"}
    (stack,) = cloud.stacks(account)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_denied_deletion_leaves_an_inoperable_instance(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    cloud.deploy("baseline", unit)
    deny(cloud, unit, "ssm:DeleteParameter")
    assert cloud.withdraw("baseline", unit)["Status"] == "FAILED"
    assert cloud.statuses("baseline") == {account: ("INOPERABLE", "INOPERABLE")}
    assert "ssm:DeleteParameter" in reason(cloud, account)
    assert cloud.markers(account) == {"marker": "one"}
    assert [stack["StackStatus"] for stack in cloud.stacks(account)] == ["DELETE_FAILED"]


def test_a_deletion_denied_during_a_rollback_fails_that_too(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    template = marker_template()
    template["Resources"]["Queue"] = {"Type": "AWS::SQS::Queue", "DependsOn": "Marker"}
    cloud.update("baseline", template)
    deny(cloud, unit, "sqs:CreateQueue", "ssm:DeleteParameter")
    cloud.deploy("baseline", unit)
    (stack,) = cloud.stacks(account)
    assert stack["StackStatus"] == "ROLLBACK_FAILED"
    assert "sqs:createqueue" in stack["StackStatusReason"]
    assert cloud.markers(account) == {"marker": "one"}


def test_a_member_makes_stacks_with_its_own_permissions(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    deny(cloud, unit, "ssm:PutParameter", exempt=EXECUTION_ROLE)
    cloudformation = cloud.client("cloudformation", account)
    cloudformation.create_stack(StackName="own", TemplateBody=json.dumps(marker_template()))
    (stack,) = cloud.stacks(account)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "assumed-role/OrganizationAccountAccessRole/test is not authorized" in stack["StackStatusReason"]
    assert cloud.markers(account) == {}
    assert cloud.deploy("baseline", unit)["Status"] == "SUCCEEDED"


def test_a_member_changes_and_deletes_stacks_with_its_own_permissions(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    cloudformation = cloud.client("cloudformation", account)
    cloudformation.create_stack(StackName="own", TemplateBody=json.dumps(marker_template()))
    assert cloud.markers(account) == {"marker": "one"}
    deny(cloud, unit, "ssm:PutParameter", "ssm:DeleteParameter")
    cloudformation.update_stack(StackName="own", TemplateBody=json.dumps(marker_template("two")))
    cloudformation.delete_stack(StackName="own")
    (stack,) = cloud.stacks(account)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert cloud.markers(account) == {"marker": "one"}


def test_a_stack_with_a_role_has_that_roles_permissions(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    iam = cloud.client("iam", account)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudformation.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    cloudformation = cloud.client("cloudformation", account)
    body = json.dumps(marker_template())
    cloudformation.create_stack(StackName="poor", TemplateBody=body, RoleARN=role)
    reasons = {stack["StackName"]: stack.get("StackStatusReason", "") for stack in cloud.stacks(account)}
    assert re.search(r"because no identity-based policy allows the ssm:\w+ action", reasons["poor"])
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="deployer", PolicyName="ssm", PolicyDocument=json.dumps(allowed))
    cloudformation.create_stack(StackName="rich", TemplateBody=body, RoleARN=role)
    assert cloud.markers(account) == {"marker": "one"}


def test_what_cloudformation_does_with_the_callers_session_says_so(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    condition = {"StringEquals": {"aws:CalledViaLast": "cloudformation.amazonaws.com"}}
    elsewhere = {"NotIpAddress": {"aws:SourceIp": "127.0.0.1/32"}, "Bool": {"aws:ViaAWSService": "false"}}
    statement = {"Effect": "Deny", "Action": "ssm:*", "Resource": "*", "Condition": elsewhere}
    attach(cloud, unit, statement)
    cloudformation = cloud.client("cloudformation", account)
    cloudformation.create_stack(StackName="own", TemplateBody=json.dumps(marker_template()))
    assert cloud.markers(account) == {"marker": "one"}
    attach(cloud, unit, {**statement, "Condition": condition})
    cloudformation.update_stack(StackName="own", TemplateBody=json.dumps(marker_template("two")))
    assert cloud.markers(account) == {"marker": "one"}
    cloud.client("ssm", account).put_parameter(Name="marker", Value="by hand", Type="String", Overwrite=True)
    assert cloud.markers(account) == {"marker": "by hand"}


def test_the_administrator_of_the_management_account_is_limited_by_nothing(cloud: Cloud, unit: str) -> None:
    deny(cloud, cloud.root, "ssm:*")
    cloud.cloudformation.create_stack(StackName="own", TemplateBody=json.dumps(marker_template()))
    assert cloud.markers(cloud.management) == {"marker": "one"}


@pytest.mark.parametrize(
    "url", ["https://{}.s3.eu-central-1.amazonaws.com/a.json", "https://s3.amazonaws.com/{}/a.json"]
)
def test_a_template_in_s3_is_read_with_the_callers_permissions(cloud: Cloud, unit: str, url: str) -> None:
    """https://repost.aws/knowledge-center/cfn-s3-access-denied-error"""
    account = cloud.make_account(unit)
    s3, cloudformation = cloud.client("s3", account), cloud.client("cloudformation", account)
    bucket = f"templates-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket=bucket, Key="a.json", Body=json.dumps(marker_template()).encode())
    cloudformation.create_stack(StackName="read", TemplateURL=url.format(bucket))
    deny(cloud, account, "s3:GetObject")
    for asked, name in ((cloudformation.create_stack, {"StackName": "x"}), (cloudformation.get_template_summary, {})):
        with pytest.raises(ClientError) as caught:
            asked(**name, TemplateURL=url.format(bucket))
        assert caught.value.response["Error"]["Code"] == "ValidationError"
        assert caught.value.response["Error"]["Message"].startswith("S3 error: Access Denied")
