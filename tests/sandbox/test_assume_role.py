"""AssumeRole is refused where AWS refuses it: by the role's trust policy and by the caller's."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.sandbox import assume, create_account

INVALID = "1 validation error detected: Value {} at 'roleArn' failed to satisfy constraint: Member must {}"


def denied(session: boto3.Session, account: str, role: str, **more: Any) -> str:
    with pytest.raises(ClientError) as caught:
        assume(session, account, role, **more)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    return caught.value.response["Error"]["Message"]


def make_role(session: boto3.Session, account: str, name: str, **statement: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    iam = assume(session, account).client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))


def test_a_role_that_does_not_exist_cannot_be_assumed(session: boto3.Session, audit: str) -> None:
    assert denied(session, audit, "Nobody") == (
        "User: arn:aws:sts::123456789012:user/moto is not authorized to perform: "
        f"sts:AssumeRole on resource: arn:aws:iam::{audit}:role/Nobody"
    )


@pytest.mark.parametrize(
    ("arn", "told"),
    [
        ("", INVALID.format("null", "not be null")),
        ("bogus", INVALID.format("'bogus'", "have length greater than or equal to 20")),
        ("arn:aws:iam::111122223333:user/Ada", "arn:aws:iam::111122223333:user/Ada is invalid"),
        ("arn:aws:iam:111122223333:role/Ops", "arn:aws:iam:111122223333:role/Ops is invalid"),
    ],
)  # fmt: skip
def test_what_is_no_role_is_an_error_and_no_denial(session: boto3.Session, arn: str, told: str) -> None:
    sts = session.client("sts", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as caught:
        sts.assume_role(RoleSessionName="test", **({"RoleArn": arn} if arn else {}))
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["Error"]["Message"] == told
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_account_outside_the_organization_has_no_role(session: boto3.Session) -> None:
    denied(session, "999999999999", "OrganizationAccountAccessRole")


def test_a_role_of_a_service_is_not_for_people(session: boto3.Session, audit: str) -> None:
    make_role(session, audit, "Function", Principal={"Service": "lambda.amazonaws.com"})
    denied(session, audit, "Function")


def test_the_external_id_must_be_the_one_that_the_role_wants(session: boto3.Session, audit: str) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "right"}}
    make_role(session, audit, "Guarded", Principal={"AWS": "123456789012"}, Condition=condition)
    denied(session, audit, "Guarded")
    denied(session, audit, "Guarded", ExternalId="wrong")
    assert assume(session, audit, "Guarded", ExternalId="right").client("sts").get_caller_identity()["Account"] == audit


def test_a_role_that_is_named_as_the_principal_can_assume_and_its_siblings_cannot(
    session: boto3.Session, audit: str
) -> None:
    other = create_account(session.client("organizations"), "Other")
    principal = {"AWS": f"arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"}
    make_role(session, other, "Target", Principal=principal)
    assume(assume(session, audit), other, "Target")
    denied(session, other, "Target")


def test_the_roles_of_a_closed_account_cannot_be_assumed(session: boto3.Session, audit: str) -> None:
    session.client("organizations").close_account(AccountId=audit)
    denied(session, audit, "OrganizationAccountAccessRole")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "arn:aws:iam::{audit}:root"}}, True),
        ({"Principal": {"AWS": ["222222222222", "{audit}"]}}, True),
        ({"Principal": {"AWS": "222222222222"}}, False),
        ({"Action": ["sts:TagSession", "sts:Assume*"]}, True),
        ({"Action": "sts:TagSession"}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": ["{organization}"]}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-0000000000"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-0000000000"}}}, True),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Organization*"}}}, True),
        ({"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Build*"}}}, False),
        ({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False),
        ({"Condition": {"StringEquals": {"sts:RoleSessionName": "test"}}}, True),
    ],
)
def test_a_trust_policy_is_read_as_iam_reads_it(
    session: boto3.Session, audit: str, statement: dict[str, Any], expected: bool
) -> None:
    organizations = session.client("organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    other = create_account(organizations, "Other")
    text = json.dumps({"Principal": {"AWS": "*"}, **statement})
    written = json.loads(text.replace("{audit}", audit).replace("{organization}", organization))
    make_role(session, other, "Target", **written)
    if expected:
        assume(assume(session, audit), other, "Target")
    else:
        assert denied(assume(session, audit), other, "Target").startswith(
            f"User: arn:aws:sts::{audit}:assumed-role/OrganizationAccountAccessRole/test "
            f"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{other}:role/Target "
        )


def test_a_denial_wins(session: boto3.Session, audit: str) -> None:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [everybody, {**everybody, "Effect": "Deny"}]}
    assume(session, audit).client("iam").create_role(RoleName="Nobody", AssumeRolePolicyDocument=json.dumps(trust))
    assert denied(session, audit, "Nobody") == (
        "User: arn:aws:sts::123456789012:user/moto is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{audit}:role/Nobody with an explicit deny in the role trust policy"
    )


def test_a_trust_policy_that_does_not_allow_is_named(session: boto3.Session, audit: str) -> None:
    make_role(session, audit, "Function", Principal={"Service": "lambda.amazonaws.com"})
    assert denied(session, audit, "Function") == (
        "User: arn:aws:sts::123456789012:user/moto is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{audit}:role/Function "
        "because no role trust policy allows the sts:AssumeRole action"
    )
