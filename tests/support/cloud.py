"""The sandbox as a test sees it: clients for any account, and what is in there, in a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID

from org.sandbox.session import Credentials, SandboxSession, isolated_session, session_for

HOME = "eu-central-1"
OTHER = "us-east-1"
UNFINISHED = ("QUEUED", "RUNNING", "STOPPING")


class Cloud:
    """An organization that is empty at first, and in which StackSets may act."""

    management = DEFAULT_ACCOUNT_ID

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._made = 0
        self.organizations: Any = session.client("organizations")
        self.cloudformation: Any = session.client("cloudformation")
        self.organizations.create_organization(FeatureSet="ALL")
        self.cloudformation.activate_organizations_access()

    def client(self, service: str, account: str = DEFAULT_ACCOUNT_ID, region: str = HOME) -> Any:
        if account == DEFAULT_ACCOUNT_ID:
            return self._session.client(service, region_name=region)  # type: ignore[call-overload]
        role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
        answer = self._session.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        if isinstance(self._session, SandboxSession):
            return session_for(self._session._endpoint, region, keys).client(service)  # type: ignore[call-overload]
        return isolated_session(region, keys).client(service)  # type: ignore[call-overload]

    # --- the organization

    @property
    def root(self) -> str:
        return str(self.organizations.list_roots()["Roots"][0]["Id"])

    def make_unit(self, name: str, parent: str | None = None) -> str:
        answer = self.organizations.create_organizational_unit(ParentId=parent or self.root, Name=name)
        return str(answer["OrganizationalUnit"]["Id"])

    def make_account(self, unit: str | None = None) -> str:
        self._made += 1
        name = f"account-{self._made}"
        status = self.organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        while status["State"] == "IN_PROGRESS":
            answer = self.organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
            status = answer["CreateAccountStatus"]
        account = str(status["AccountId"])
        if unit:
            self.move(account, unit)
        return account

    def make_accounts(self, count: int, unit: str) -> list[str]:
        """Answer new accounts in the order in which StackSets take them."""
        return sorted(self.make_account(unit) for _ in range(count))

    def move(self, account: str, unit: str) -> None:
        parent = self.organizations.list_parents(ChildId=account)["Parents"][0]["Id"]
        self.organizations.move_account(AccountId=account, SourceParentId=parent, DestinationParentId=unit)

    def close(self, account: str) -> None:
        self.organizations.close_account(AccountId=account)

    # --- StackSets

    def make_stack_set(self, name: str, template: Mapping[str, Any], **settings: Any) -> str:
        settings = {
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "PermissionModel": "SERVICE_MANAGED",
            **settings,
        }
        answer = self.cloudformation.create_stack_set(StackSetName=name, TemplateBody=json.dumps(template), **settings)
        return str(answer["StackSetId"])

    def describe(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.cloudformation.describe_stack_set(StackSetName=name)["StackSet"]
        return answer

    def start_deployment(self, name: str, *units: str, regions: tuple[str, ...] = (HOME,), **settings: Any) -> str:
        targets = {"OrganizationalUnitIds": list(units), **settings.pop("targets", {})}
        answer = self.cloudformation.create_stack_instances(
            StackSetName=name, DeploymentTargets=targets, Regions=list(regions), **settings
        )
        return str(answer["OperationId"])

    def deploy(self, name: str, *units: str, **settings: Any) -> dict[str, Any]:
        """Create instances in the units and wait for it."""
        return self.wait(name, self.start_deployment(name, *units, **settings))

    def start_update(self, name: str, template: Mapping[str, Any] | None = None, **settings: Any) -> str:
        body = {"UsePreviousTemplate": True} if template is None else {"TemplateBody": json.dumps(template)}
        settings = {"StackSetName": name, "Capabilities": ["CAPABILITY_NAMED_IAM"], **body, **settings}
        return str(self.cloudformation.update_stack_set(**settings)["OperationId"])

    def update(self, name: str, template: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        """Update the StackSet, and its instances, and wait for it."""
        return self.wait(name, self.start_update(name, template, **settings))

    def override(self, name: str, *units: str, regions: tuple[str, ...] = (HOME,), **settings: Any) -> dict[str, Any]:
        """Update the instances of the units and wait for it."""
        targets = {"OrganizationalUnitIds": list(units), **settings.pop("targets", {})}
        answer = self.cloudformation.update_stack_instances(
            StackSetName=name, DeploymentTargets=targets, Regions=list(regions), **settings
        )
        return self.wait(name, answer["OperationId"])

    def withdraw(
        self, name: str, *units: str, regions: tuple[str, ...] = (HOME,), retain: bool = False, **settings: Any
    ) -> dict[str, Any]:
        """Delete the instances of the units and wait for it."""
        targets = {"OrganizationalUnitIds": list(units), **settings.pop("targets", {})}
        answer = self.cloudformation.delete_stack_instances(
            StackSetName=name, DeploymentTargets=targets, Regions=list(regions), RetainStacks=retain, **settings
        )
        return self.wait(name, answer["OperationId"])

    def wait(self, name: str, operation: str) -> dict[str, Any]:
        while True:
            answer = self.cloudformation.describe_stack_set_operation(StackSetName=name, OperationId=operation)
            shown: dict[str, Any] = answer["StackSetOperation"]
            if shown["Status"] not in UNFINISHED:
                return shown

    def instances(self, name: str, **filters: Any) -> dict[tuple[str, str], dict[str, Any]]:
        """Answer what ListStackInstances shows, by account and Region."""
        pages = self.cloudformation.get_paginator("list_stack_instances").paginate(StackSetName=name, **filters)
        return {(each["Account"], each["Region"]): each for page in pages for each in page["Summaries"]}

    def statuses(self, name: str) -> dict[str, tuple[str, str]]:
        """Answer status and detailed status of each instance in the home Region, by account."""
        return {
            account: (shown["Status"], shown["StackInstanceStatus"]["DetailedStatus"])
            for (account, region), shown in self.instances(name).items()
            if region == HOME
        }

    def results(self, name: str, operation: str) -> dict[tuple[str, str], str]:
        """Answer the status of each result of an operation, by account and Region."""
        answer = self.cloudformation.list_stack_set_operation_results(StackSetName=name, OperationId=operation)
        return {(each["Account"], each["Region"]): each["Status"] for each in answer["Summaries"]}

    # --- what is in an account

    def markers(self, account: str, region: str = HOME) -> dict[str, str]:
        """Answer the SSM parameters of an account: what most of these templates make, being the least there is."""
        ssm = self.client("ssm", account, region)
        names = [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
        found = ssm.get_parameters(Names=names)["Parameters"] if names else []
        return {each["Name"]: each["Value"] for each in found}

    def roles(self, account: str) -> set[str]:
        names = {role["RoleName"] for role in self.client("iam", account).list_roles()["Roles"]}
        return names - {"OrganizationAccountAccessRole"}

    def stacks(self, account: str, region: str = HOME) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self.client("cloudformation", account, region).describe_stacks()["Stacks"]
        return answer


def marker_template(value: Any = "one", **sections: Any) -> dict[str, Any]:
    """Answer the template of one SSM parameter, `marker`."""
    properties = {"Name": "marker", "Type": "String", "Value": value}
    return {"Resources": {"Marker": {"Type": "AWS::SSM::Parameter", "Properties": properties}}, **sections}


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def refusal(call: pytest.ExceptionInfo[ClientError]) -> str:
    """Answer code and message of the AWS error."""
    error = call.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"
