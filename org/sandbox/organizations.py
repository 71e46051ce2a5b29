"""The emulated AWS Organizations: moto's, with what AWS refuses refused, and what AWS takes its time for taking it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from moto.organizations import urls, utils
from moto.organizations.models import FakeOrganization, organizations_backends
from moto.organizations.responses import OrganizationsResponse

from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.sandbox.accounts import Accounts
from org.sandbox.policies import Policies
from org.sandbox.records import POLICY_ID, Root, SandboxAccount, SandboxPolicy
from org.sandbox.refusals import Refusal, access_denied, invalid, not_in_organization
from org.sandbox.settings import current_settings
from org.sandbox.tag_rules import check_tag_keys, check_tags
from org.sandbox.trusted_access import TrustedAccess
from org.sandbox.units import Units

_Item = TypeVar("_Item")

PAGE_SIZE = 20
"""The most that MaxResults may be, and what is assumed of ListTagsForResource, which has no MaxResults."""

_ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_FULL_ACCESS_POLICIES = (
    (
        utils.DEFAULT_SCP_POLICY_ID,
        SERVICE_CONTROL_POLICY,
        "FullAWSAccess",
        "Allows access to every operation",
        _ALLOW,
    ),
    (
        utils.DEFAULT_RCP_POLICY_ID,
        RESOURCE_CONTROL_POLICY,
        "RCPFullAWSAccess",
        "Allows access to every resource",
        {**_ALLOW, "Principal": "*"},
    ),
)


class SandboxOrganizations(Accounts, Policies, TrustedAccess, Units):
    """The state of one organization, in the backend of its management account."""

    def create_organization(self, region: str, **kwargs: Any) -> dict[str, Any]:
        if self.org or self.account_id in organizations_backends.master_accounts:
            message = "The provided account is already a member of an organization."
            raise Refusal("AlreadyInOrganizationException", message)
        settings = current_settings()
        organization = FakeOrganization(self.account_id, region, kwargs.get("FeatureSet") or "ALL")
        organization.id, organization.root_id = self.ids.make_organization_id(), self.ids.make_root_id()
        organization.master_account_email = settings.management_email
        self.org = organization
        self.add_unit(Root(organization))
        for id, type, name, description, statement in _FULL_ACCESS_POLICIES:
            content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            policy = SandboxPolicy(organization, id, type, name, content)
            policy.description, policy.aws_managed = description, True
            self.policies.append(policy)
        name, email = settings.management_name, settings.management_email
        self.add_account(SandboxAccount(organization, self.account_id, name, email, {}, method="INVITED"))
        if organization.feature_set == "ALL":
            self.enable_type(SERVICE_CONTROL_POLICY)
        return organization.describe()

    def delete_organization(self) -> None:
        if len(self.members()) > 1:
            message = "To delete an organization you must first remove all member accounts (except the master)."
            raise Refusal("OrganizationNotEmptyException", message)
        self._reset()

    # --- tags

    def tag_resource(self, **kwargs: Any) -> None:
        resource = self._get_resource_for_tagging(kwargs["ResourceId"])
        resource.tags = check_tags(kwargs["Tags"], resource.tags, self.quotas.tags)

    def untag_resource(self, **kwargs: Any) -> None:
        resource = self._get_resource_for_tagging(kwargs["ResourceId"])
        check_tag_keys(kwargs["TagKeys"])
        for key in kwargs["TagKeys"]:
            resource.tags.pop(key, None)

    def find_tags(self, resource_id: str) -> list[dict[str, str]]:
        resource = self._get_resource_for_tagging(resource_id)
        return [{"Key": key, "Value": value} for key, value in resource.tags.items()]

    def _get_resource_for_tagging(self, resource_id: str) -> Any:
        if POLICY_ID.fullmatch(resource_id):
            found = next((policy for policy in self.policies if policy.id == resource_id), None)
            if found is None:
                raise Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")
            return found
        return self.get_target(resource_id)


class SandboxOrganizationsResponse(OrganizationsResponse):
    """Decides who may call, and pages the lists."""

    @property
    def organizations_backend(self) -> SandboxOrganizations:
        return find_backend(self.current_account, self.partition, self._get_action())

    # --- the lists, in pages

    def list_roots(self) -> str:
        return self._page("Roots", [self.organizations_backend.root], Root.describe)

    def list_accounts(self) -> str:
        backend = self._backend_at_first_page()
        return self._page("Accounts", backend.members(), backend.render_account)

    def list_accounts_for_parent(self) -> str:
        backend = self._backend_at_first_page()
        parent_id = backend.validate_parent_id(self._get_param("ParentId"))
        return self._page("Accounts", backend.find_accounts_in(parent_id), backend.render_account)

    def list_organizational_units_for_parent(self) -> str:
        backend = self.organizations_backend
        parent_id = backend.validate_parent_id(self._get_param("ParentId"))
        return self._page("OrganizationalUnits", backend.find_units_in(parent_id), backend.render_unit)

    def list_children(self) -> str:
        child_type = self._get_param("ChildType")
        children = self.organizations_backend.find_children(self._get_param("ParentId"), child_type)
        return self._page("Children", children, lambda id: {"Id": id, "Type": child_type})

    def list_create_account_status(self) -> str:
        backend = self._backend_at_first_page()
        creations = backend.find_creations(self._get_param("States"))
        return self._page("CreateAccountStatuses", creations, lambda creation: creation.describe())

    def list_policies(self) -> str:
        policies = self.organizations_backend.find_policies(self._get_param("Filter"))
        return self._page("Policies", policies, _summarize)

    def list_policies_for_target(self) -> str:
        backend = self.organizations_backend
        policies = backend.find_policies_on(self._get_param("TargetId"), self._get_param("Filter"))
        return self._page("Policies", policies, _summarize)

    def list_targets_for_policy(self) -> str:
        targets = self.organizations_backend.find_targets(self._get_param("PolicyId"))
        return self._page(
            "Targets",
            targets,
            lambda each: {"TargetId": each.id, "Arn": each.arn, "Name": each.name, "Type": each.type},
        )

    def list_tags_for_resource(self) -> str:
        return self._page("Tags", self.organizations_backend.find_tags(self._get_param("ResourceId")))

    def list_aws_service_access_for_organization(self) -> str:
        return self._page("EnabledServicePrincipals", self.organizations_backend.services)

    def list_delegated_administrators(self) -> str:
        admins = self.organizations_backend.find_administrators(self._get_param("ServicePrincipal"))
        return self._page("DelegatedAdministrators", admins)

    def list_delegated_services_for_account(self) -> str:
        services = self.organizations_backend.find_delegated_services(self._get_param("AccountId"))
        return self._page("DelegatedServices", services)

    def _backend_at_first_page(self) -> SandboxOrganizations:
        """Answer the backend; what is under way gets on with it, but not between two pages of one list."""
        backend = self.organizations_backend
        if not self._get_param("NextToken"):
            backend.advance_all()
        return backend

    def _page(self, key: str, items: Sequence[_Item], render: Callable[[_Item], Any] = lambda item: item) -> str:
        size = self._get_param("MaxResults") or PAGE_SIZE
        if size > PAGE_SIZE:
            raise invalid("MAX_VALUE_EXCEEDED", f"MaxResults must not be greater than {PAGE_SIZE}.")
        start = self._read_token(self._get_param("NextToken"))
        answer: dict[str, Any] = {key: [render(item) for item in items[start : start + size]]}
        if start + size < len(items):
            answer["NextToken"] = self._write_token(start + size)
        return json.dumps(answer)

    def _write_token(self, start: int) -> str:
        return base64.urlsafe_b64encode(f"{start}:{self._request_checksum()}".encode()).decode()

    def _read_token(self, token: str | None) -> int:
        if not token:
            return 0
        try:
            start, _, checksum = base64.urlsafe_b64decode(token).decode().partition(":")
            if int(checksum) == self._request_checksum():
                return int(start)
        except ValueError:
            pass  # not base64, not text, not numbers: not ours
        message = "Get the value for the NextToken parameter from the response to a previous call of the operation."
        raise invalid("INVALID_NEXT_TOKEN", message)

    def _request_checksum(self) -> int:
        """Tell the requests apart for which a token is no good."""
        asked = {name: value for name, value in self.request_params.items() if name not in {"NextToken", "MaxResults"}}
        return zlib.crc32(json.dumps([self._get_action(), asked], sort_keys=True).encode())


def _summarize(policy: SandboxPolicy) -> Any:
    return policy.describe()["Policy"]["PolicySummary"]


def find_backend(caller: str, partition: str, operation: str) -> SandboxOrganizations:
    """Answer the organization on which the caller may do the operation, or refuse as AWS does.

    A member may describe its organization; a member that administers some service may also read the rest.
    """
    own = cast("SandboxOrganizations", organizations_backends[caller][partition])
    if own.org or operation == "CreateOrganization":
        return own
    management = find_organization_of(caller, partition)
    if management is None:
        raise not_in_organization()
    reads = operation.startswith(("Describe", "List"))
    if operation == "DescribeOrganization" or (reads and management.is_administrator(caller)):
        return management
    raise access_denied()


def find_organization_of(account: str, partition: str) -> SandboxOrganizations | None:
    """Answer the organization that the account manages or is a member of."""
    owner, _ = organizations_backends.master_accounts.get(account, (account, partition))
    backend = cast("SandboxOrganizations", organizations_backends[owner][partition])
    return backend if backend.org else None


def install() -> None:
    organizations_backends.backend = SandboxOrganizations
    organizations_backends.clear()
    urls.url_paths = {"{0}/$": SandboxOrganizationsResponse.dispatch}
