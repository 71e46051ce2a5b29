"""AWS Organizations, as far as a manifest reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from org.errors import NotFound, OrgctlError
from org.gateway.errors import aws_errors
from org.model import AccountId, AccountName, LiveState, ObservedPolicy, PendingAccount, PolicyType

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.literals import PolicyTypeType
    from mypy_boto3_organizations.type_defs import AccountTypeDef


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    management_account_id: AccountId
    all_features: bool


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account as ListAccounts reports it; `unit_ids` lead from the root down to the unit that holds it."""

    id: AccountId
    name: AccountName
    email: str
    state: LiveState
    unit_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """Where the creation of an account stands: IN_PROGRESS, SUCCEEDED or FAILED."""

    id: str
    state: str
    account_id: AccountId
    failure: str


class OrganizationsGateway:
    """One method per call; a list is read to its last page."""

    def __init__(self, client: OrganizationsClient) -> None:
        self._client = client

    # reading

    def describe_organization(self) -> Organization | None:
        """Answer nothing where the account is in no organization."""
        try:
            with aws_errors("organizations:DescribeOrganization"):
                found = self._client.describe_organization()["Organization"]
        except NotFound:
            return None
        return Organization(
            id=found["Id"],
            management_account_id=AccountId(found["MasterAccountId"]),
            all_features=found.get("FeatureSet") == "ALL",
        )

    def describe_root(self) -> tuple[str, tuple[PolicyType, ...]]:
        """Answer the root's id and the policy types that are enabled in it, those on the way there left out."""
        with aws_errors("organizations:ListRoots"):
            root = self._client.list_roots()["Roots"][0]
        enabled = [PolicyType(t["Type"]) for t in root.get("PolicyTypes", []) if t["Status"] == "ENABLED"]
        return root["Id"], tuple(sorted(enabled))

    def list_units(self, parent_id: str) -> tuple[tuple[str, str], ...]:
        """Answer id and name of each unit directly below the parent."""
        pages = self._pages("list_organizational_units_for_parent", parent_id, ParentId=parent_id)
        return tuple((unit["Id"], unit["Name"]) for page in pages for unit in page["OrganizationalUnits"])

    def list_accounts(self) -> tuple[ListedAccount, ...]:
        """Read all accounts, each with where it is: parents need no calls of their own."""
        pages = self._pages("list_accounts")
        return tuple(_listed_account(account) for page in pages for account in page["Accounts"])

    def find_parent(self, child_id: str) -> str:
        with aws_errors("organizations:ListParents", child_id):
            return self._client.list_parents(ChildId=child_id)["Parents"][0]["Id"]

    def list_pending_accounts(self) -> tuple[PendingAccount, ...]:
        pages = self._pages("list_create_account_status", States=["IN_PROGRESS"])
        return tuple(
            PendingAccount(request_id=status["Id"], name=AccountName(status["AccountName"]))
            for page in pages
            for status in page["CreateAccountStatuses"]
        )

    def list_policies(self, type: PolicyType) -> tuple[ObservedPolicy, ...]:
        """Read the summaries of all policies of a type; content, targets and tags take calls of their own.

        A type that botocore knows and this partition does not offer has none.
        """
        try:
            pages = list(self._pages("list_policies", type, Filter=type))
        except NotFound:
            return ()
        return tuple(
            ObservedPolicy(
                id=summary["Id"],
                type=type,
                name=summary["Name"],
                description=summary.get("Description", ""),
                content="",
                aws_managed=summary.get("AwsManaged", False),
            )
            for page in pages
            for summary in page["Policies"]
        )

    def describe_policy_content(self, policy_id: str) -> str:
        with aws_errors("organizations:DescribePolicy", policy_id):
            return self._client.describe_policy(PolicyId=policy_id)["Policy"]["Content"]

    def list_policy_targets(self, policy_id: str) -> tuple[str, ...]:
        pages = self._pages("list_targets_for_policy", policy_id, PolicyId=policy_id)
        return tuple(sorted(target["TargetId"] for page in pages for target in page["Targets"]))

    def list_tags(self, resource_id: str) -> Mapping[str, str]:
        pages = self._pages("list_tags_for_resource", resource_id, ResourceId=resource_id)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def list_trusted_access(self) -> tuple[str, ...]:
        pages = self._pages("list_aws_service_access_for_organization")
        return tuple(sorted(s["ServicePrincipal"] for page in pages for s in page["EnabledServicePrincipals"]))

    def list_delegated_accounts(self) -> tuple[AccountId, ...]:
        pages = self._pages("list_delegated_administrators")
        return tuple(sorted(AccountId(a["Id"]) for page in pages for a in page["DelegatedAdministrators"]))

    def list_delegated_services(self, account_id: AccountId) -> tuple[str, ...]:
        pages = self._pages("list_delegated_services_for_account", account_id, AccountId=account_id)
        return tuple(sorted(s["ServicePrincipal"] for page in pages for s in page["DelegatedServices"]))

    # changing

    def create_organization(self) -> Organization:
        with aws_errors("organizations:CreateOrganization"):
            found = self._client.create_organization(FeatureSet="ALL")["Organization"]
        return Organization(found["Id"], AccountId(found["MasterAccountId"]), all_features=True)

    def enable_policy_type(self, root_id: str, type: PolicyType) -> None:
        with aws_errors("organizations:EnablePolicyType", type):
            self._client.enable_policy_type(RootId=root_id, PolicyType=_literal(type))

    def disable_policy_type(self, root_id: str, type: PolicyType) -> None:
        with aws_errors("organizations:DisablePolicyType", type):
            try:
                self._client.disable_policy_type(RootId=root_id, PolicyType=_literal(type))
            except self._client.exceptions.PolicyTypeNotEnabledException:
                # For every other call it says that something is missing, for this one that it is so already.
                return

    def enable_trusted_access(self, service: str) -> None:
        with aws_errors("organizations:EnableAWSServiceAccess", service):
            self._client.enable_aws_service_access(ServicePrincipal=service)

    def disable_trusted_access(self, service: str) -> None:
        with aws_errors("organizations:DisableAWSServiceAccess", service):
            self._client.disable_aws_service_access(ServicePrincipal=service)

    def register_delegated_administrator(self, service: str, account_id: AccountId) -> None:
        with aws_errors("organizations:RegisterDelegatedAdministrator", service):
            self._client.register_delegated_administrator(ServicePrincipal=service, AccountId=account_id)

    def deregister_delegated_administrator(self, service: str, account_id: AccountId) -> None:
        with aws_errors("organizations:DeregisterDelegatedAdministrator", service):
            self._client.deregister_delegated_administrator(ServicePrincipal=service, AccountId=account_id)

    def create_unit(self, parent_id: str, name: str, tags: Mapping[str, str]) -> str:
        with aws_errors("organizations:CreateOrganizationalUnit", name):
            made = self._client.create_organizational_unit(ParentId=parent_id, Name=name, Tags=_tags(tags))
        return made["OrganizationalUnit"]["Id"]

    def rename_unit(self, unit_id: str, name: str) -> None:
        with aws_errors("organizations:UpdateOrganizationalUnit", name):
            self._client.update_organizational_unit(OrganizationalUnitId=unit_id, Name=name)

    def delete_unit(self, unit_id: str) -> None:
        with aws_errors("organizations:DeleteOrganizationalUnit", unit_id):
            self._client.delete_organizational_unit(OrganizationalUnitId=unit_id)

    def request_account(self, name: str, email: str, tags: Mapping[str, str]) -> AccountRequest:
        with aws_errors("organizations:CreateAccount", name):
            status = self._client.create_account(AccountName=name, Email=email, Tags=_tags(tags))
        return _account_request(cast("dict[str, Any]", status["CreateAccountStatus"]))

    def describe_account_request(self, request_id: str) -> AccountRequest:
        with aws_errors("organizations:DescribeCreateAccountStatus", request_id):
            status = self._client.describe_create_account_status(CreateAccountRequestId=request_id)
        return _account_request(cast("dict[str, Any]", status["CreateAccountStatus"]))

    def move_account(self, account_id: AccountId, source_id: str, destination_id: str) -> None:
        with aws_errors("organizations:MoveAccount", account_id):
            self._client.move_account(
                AccountId=account_id, SourceParentId=source_id, DestinationParentId=destination_id
            )

    def close_account(self, account_id: AccountId) -> None:
        with aws_errors("organizations:CloseAccount", account_id):
            self._client.close_account(AccountId=account_id)

    def put_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        with aws_errors("organizations:TagResource", resource_id):
            self._client.tag_resource(ResourceId=resource_id, Tags=_tags(tags))

    def remove_tags(self, resource_id: str, keys: Iterable[str]) -> None:
        with aws_errors("organizations:UntagResource", resource_id):
            self._client.untag_resource(ResourceId=resource_id, TagKeys=list(keys))

    def create_policy(
        self, type: PolicyType, name: str, description: str, content: str, tags: Mapping[str, str]
    ) -> str:
        with aws_errors("organizations:CreatePolicy", f"{type} {name}"):
            made = self._client.create_policy(
                Type=_literal(type), Name=name, Description=description, Content=content, Tags=_tags(tags)
            )
        return made["Policy"]["PolicySummary"]["Id"]

    def update_policy(self, policy_id: str, description: str, content: str) -> None:
        with aws_errors("organizations:UpdatePolicy", policy_id):
            self._client.update_policy(PolicyId=policy_id, Description=description, Content=content)

    def delete_policy(self, policy_id: str) -> None:
        with aws_errors("organizations:DeletePolicy", policy_id):
            self._client.delete_policy(PolicyId=policy_id)

    def attach_policy(self, policy_id: str, target_id: str) -> None:
        with aws_errors("organizations:AttachPolicy", f"{policy_id} to {target_id}"):
            self._client.attach_policy(PolicyId=policy_id, TargetId=target_id)

    def detach_policy(self, policy_id: str, target_id: str) -> None:
        with aws_errors("organizations:DetachPolicy", f"{policy_id} from {target_id}"):
            self._client.detach_policy(PolicyId=policy_id, TargetId=target_id)

    def _pages(self, operation: str, subject: str = "", **parameters: object) -> Iterator[dict[str, Any]]:
        call = "organizations:" + operation.title().replace("_", "").replace("Aws", "AWS")
        with aws_errors(call, subject):
            yield from self._client.get_paginator(operation).paginate(**parameters)  # type: ignore[call-overload]


def _listed_account(account: AccountTypeDef) -> ListedAccount:
    """Read one account; `Paths` holds `o-id/r-id/ou-id/…/` of the unit it is in [H: shape seen in botocore only]."""
    paths = account.get("Paths") or []
    parts = paths[0].strip("/").split("/") if paths else []
    state = account.get("State") or account.get("Status")
    if state is None:
        raise OrgctlError("organizations:ListAccounts", f"account {account.get('Id')} has no state", "report this")
    return ListedAccount(
        id=AccountId(account["Id"]),
        name=AccountName(account.get("Name", "")),
        email=account.get("Email", ""),
        state=LiveState(state),
        unit_ids=tuple(part for part in parts if part.startswith(("r-", "ou-"))),
    )


def _account_request(status: dict[str, Any]) -> AccountRequest:
    return AccountRequest(
        id=status["Id"],
        state=status["State"],
        account_id=AccountId(status.get("AccountId", "")),
        failure=status.get("FailureReason", ""),
    )


def _literal(type: PolicyType) -> PolicyTypeType:
    """Pass a type on as botocore spells it; the stubs lag behind botocore's list."""
    return cast("PolicyTypeType", type)


def _tags(tags: Mapping[str, str]) -> Any:  # noqa: ANN401 - a TypedDict that exists for type checkers only
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
