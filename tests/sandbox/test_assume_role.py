"""AssumeRole is refused where AWS refuses it, as far as the role's own trust policy says."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.sandbox.assume_role import Caller, trusts
from tests.support.sandbox import assume, create_account

CALLER = Caller(
    "111111111111",
    "arn:aws:iam::111111111111:role/Auditor",
    {
        "sts:ExternalId": "abc",
        "aws:PrincipalOrgID": "o-1234567890",
        "aws:PrincipalAccount": "111111111111",
        "aws:PrincipalArn": "arn:aws:iam::111111111111:role/Auditor",
    },
)


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


def document(**statement: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", **statement}}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}, True),
        ({"Principal": {"AWS": ["222222222222", "111111111111"]}}, True),
        ({"Principal": {"AWS": "222222222222"}}, False),
        ({"Action": ["sts:TagSession", "sts:Assume*"]}, True),
        ({"Action": "sts:TagSession"}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-1234567890"]}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-0000000000"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-0000000000"}}}, True),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Audit*"}}}, True),
        ({"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Build*"}}}, False),
    ],
)
def test_a_trust_policy_is_read_as_iam_reads_it(statement: dict[str, Any], expected: bool) -> None:
    assert trusts(document(**statement), CALLER) is expected


def test_a_denial_wins() -> None:
    statements = [document()["Statement"], document(Effect="Deny")["Statement"]]
    assert trusts({"Statement": statements}, CALLER) is False


def test_a_condition_that_is_not_evaluated_is_an_error_and_no_guess() -> None:
    statement = document(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    with pytest.raises(NotImplementedError) as caught:
        trusts(statement, CALLER)
    assert str(caught.value) == "the condition Bool aws:MultiFactorAuthPresent in a role's trust policy"
