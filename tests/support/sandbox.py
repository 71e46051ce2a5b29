"""The sandbox for tests: empty, within the process, and never the network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.sandbox.server import in_process_sandbox
from org.sandbox.session import Credentials, isolated_session
from org.sandbox.settings import DEFAULT_REGION, DEFAULT_SEED, Settings

DENY_LEAVING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
    }
)


@contextmanager
def sandbox_session(
    seed: int = DEFAULT_SEED, region: str = DEFAULT_REGION, settings: Settings | None = None
) -> Iterator[boto3.Session]:
    """Give a session of the management account, in which there is no organization yet."""
    with in_process_sandbox(region, replace(settings or Settings(), seed=seed)) as session:
        yield session


@contextmanager
def organization(settings: Settings | None = None, feature_set: str = "ALL") -> Iterator[boto3.Session]:
    """Give a session of the management account of a new organization."""
    with sandbox_session(settings=settings) as session:
        session.client("organizations").create_organization(FeatureSet=feature_set)  # type: ignore[arg-type]
        yield session


def root_of(organizations: Any) -> str:
    return str(organizations.list_roots()["Roots"][0]["Id"])


def create_unit(organizations: Any, name: str, parent: str = "") -> str:
    parent = parent or root_of(organizations)
    unit = organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]
    return str(unit["Id"])


def create_policy(
    organizations: Any, name: str, content: str = DENY_LEAVING, type: str = "SERVICE_CONTROL_POLICY", **more: Any
) -> str:
    more = {"Description": "", **more}
    answer = organizations.create_policy(Name=name, Type=type, Content=content, **more)
    return str(answer["Policy"]["PolicySummary"]["Id"])


def create_account(organizations: Any, name: str, email: str = "", **more: Any) -> str:
    """Create an account, wait until AWS says that it exists, and answer its id."""
    email = email or f"{name.lower().replace(' ', '-')}@example.com"
    request = organizations.create_account(AccountName=name, Email=email, **more)["CreateAccountStatus"]
    while request["State"] == "IN_PROGRESS":
        status = organizations.describe_create_account_status(CreateAccountRequestId=request["Id"])
        request = status["CreateAccountStatus"]
    assert request["State"] == "SUCCEEDED", request
    return str(request["AccountId"])


def assume(
    session: boto3.Session, account: str, role: str = "OrganizationAccountAccessRole", **more: Any
) -> boto3.Session:
    """Answer a session in the account, as the management account's people have it."""
    arn = f"arn:aws:iam::{account}:role/{role}"
    given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
    credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return isolated_session(str(session.region_name), credentials)


def written(*statements: dict[str, Any]) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@contextmanager
def refused(code: str, message: str, reason: str = "") -> Iterator[None]:
    """Expect AWS's refusal: its code, its whole message and, where the exception has one, its reason."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"], caught.value.response.get("Reason", "")) == (code, message, reason)
