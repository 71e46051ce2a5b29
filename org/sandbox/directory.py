"""The organization's tree and its look-ups: what the operations on units, accounts and policies share."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, cast

from moto.organizations import utils
from moto.organizations.models import (
    FakeOrganization,
    FakeRoot,
    OrganizationsBackend,
    organizations_backends,
)

from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY, load_policy_types
from org.quotas import OrganizationQuotas
from org.sandbox.membership import MembershipChange, announce
from org.sandbox.records import ACCOUNT_ID, TARGET_ID, Creation, SandboxAccount, SandboxPolicy, Unit
from org.sandbox.refusals import (
    Refusal,
    constraint,
    invalid,
    not_in_organization,
    parent_not_found,
    target_not_found,
    unit_not_found,
)
from org.sandbox.settings import current_settings
from org.sandbox.stable_ids import StableIds

FULL_ACCESS = {
    utils.DEFAULT_SCP_POLICY_ID: SERVICE_CONTROL_POLICY,
    utils.DEFAULT_RCP_POLICY_ID: RESOURCE_CONTROL_POLICY,
}
"""AWS's own policies, and the type that each is of."""


class Directory(OrganizationsBackend):
    """Holds what moto's backend holds, in the same lists, since other parts of moto read them."""

    @property
    def _url_module(self) -> ModuleType:
        # moto derives the name of this module from ours, and would not find it.
        return importlib.import_module("moto.organizations.urls")

    def __init__(self, region_name: str, account_id: str) -> None:
        # Outlives the organization: one that is made anew has other ids.
        self.ids = StableIds(account_id)
        super().__init__(region_name, account_id)

    def _reset(self) -> None:
        super()._reset()
        self.creations: list[Creation] = []
        self._accounts_by_id: dict[str, SandboxAccount] = {}
        self._units_by_id: dict[str, Unit] = {}
        self._emails: set[str] = set()

    def reset(self) -> None:
        # moto keeps the members' owners beside the backends and forgets to drop them.
        owners = organizations_backends.master_accounts
        for member in [member for member, (owner, _) in owners.items() if owner == self.account_id]:
            del owners[member]
        super().reset()

    @property
    def organization(self) -> FakeOrganization:
        if self.org is None:
            raise not_in_organization()
        return self.org

    @property
    def root(self) -> FakeRoot:
        return cast("FakeRoot", self._units_by_id[self.organization.root_id])

    @property
    def quotas(self) -> OrganizationQuotas:
        return current_settings().quotas.organization

    def require_all_features(self) -> None:
        if self.organization.feature_set != "ALL":
            message = "This operation requires the organization to be configured to support all features."
            raise constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", message)

    # --- accounts

    def members(self) -> list[SandboxAccount]:
        return cast("list[SandboxAccount]", self.accounts)

    def get_account_by_id(self, account_id: str) -> SandboxAccount:
        account = self._accounts_by_id.get(account_id)
        if account is None:
            raise Refusal("AccountNotFoundException", "You specified an account that doesn't exist.")
        return account

    def has_account(self, account_id: str) -> bool:
        return account_id in self._accounts_by_id

    def has_email(self, email: str) -> bool:
        """AWS compares the addresses of all its accounts without regard to case."""
        return email.casefold() in self._emails

    def add_account(self, account: SandboxAccount) -> None:
        self.accounts.append(account)
        self._accounts_by_id[account.id] = account
        self._emails.add(account.email.casefold())

    def drop_account(self, account: SandboxAccount) -> None:
        self.accounts.remove(account)
        del self._accounts_by_id[account.id]
        organizations_backends.master_accounts.pop(account.id, None)

    def announce(self, account: str, *, source: str, destination: str) -> None:
        announce(MembershipChange(self.account_id, self.partition, account, source, destination))

    # --- units

    def add_unit(self, unit: Unit) -> None:
        self.ou.append(unit)
        self._units_by_id[unit.id] = unit

    def drop_unit(self, unit: Unit) -> None:
        self.ou.remove(unit)
        del self._units_by_id[unit.id]

    def get_organizational_unit_by_id(self, ou_id: str) -> Unit:
        unit = self._units_by_id.get(ou_id)
        if unit is None:
            raise unit_not_found()
        return unit

    def find_parent(self, parent_id: str) -> Unit | None:
        """Answer the root or unit; None where neither has the id."""
        return self._units_by_id.get(parent_id)

    def validate_parent_id(self, parent_id: str) -> str:
        if parent_id not in self._units_by_id:
            raise parent_not_found()
        return parent_id

    def chain_of(self, unit_id: str) -> list[str]:
        """Answer the ids from the root down to the unit."""
        chain = []
        while unit_id:
            chain.append(unit_id)
            unit_id = self._units_by_id[unit_id].parent_id or ""
        return chain[::-1]

    def path_of(self, *ids: str) -> str:
        """Answer what AWS calls the path: `o-…/r-…/ou-…/ou-…/123456789012/`, itself last, with a closing slash.

        https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
        """
        return "/".join([self.organization.id, *ids, ""])

    # --- what policies attach to and tags stand on

    def get_target(self, target_id: str) -> Any:
        """Answer the root, unit or account; TargetNotFoundException where there is none."""
        if not TARGET_ID.fullmatch(target_id):
            message = "You specified a policy target ID that doesn't match the required pattern."
            raise invalid("INVALID_PATTERN_TARGET_ID", message)
        found: Any = (
            self._accounts_by_id.get(target_id) if ACCOUNT_ID.fullmatch(target_id) else self._units_by_id.get(target_id)
        )
        if found is None:
            raise target_not_found()
        return found

    def all_targets(self) -> list[Any]:
        return [*self.ou, *self.accounts]

    # --- policies

    def policy_list(self) -> list[SandboxPolicy]:
        return cast("list[SandboxPolicy]", self.policies)

    def is_enabled(self, policy_type: str) -> bool:
        return any(each["Type"] == policy_type for each in self.root.policy_types)

    def attach_defaults(self, target: Any) -> None:
        """Attach what AWS attaches by itself to everything: the full-access policy of each such type in force."""
        for policy_id, policy_type in FULL_ACCESS.items():
            if self.is_enabled(policy_type):
                self.attach(next(each for each in self.policy_list() if each.id == policy_id), target)

    @staticmethod
    def attach(policy: SandboxPolicy, target: Any) -> None:
        if policy not in target.attached_policies:
            target.attached_policies.append(policy)
            policy.attachments.append(target)

    @staticmethod
    def check_policy_type(policy_type: str) -> None:
        if policy_type not in load_policy_types():
            raise invalid("INVALID_ENUM_POLICY_TYPE", f"You specified an invalid policy type: {policy_type!r}.")
