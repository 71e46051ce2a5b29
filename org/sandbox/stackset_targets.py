"""Which accounts a StackSet operation is about: the organization's tree, and the filters over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError
from moto.organizations.models import organizations_backends
from moto.utilities.utils import get_partition

from org.sandbox.organizations import find_organization_of
from org.sandbox.stackset_refusals import InvalidOperation

if TYPE_CHECKING:
    from moto.organizations.models import OrganizationsBackend

SERVICE_PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"
_ACCESS = "stacksets_access"
"""Where moto's organization keeps that access was activated, so that it is forgotten with the organization."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The organization as far as StackSets see it."""

    management_account: str
    parents: Mapping[str, str]
    """Of each unit; the root has none."""
    units: Mapping[str, str]
    """Of each account: the unit or root that holds it."""
    inactive: frozenset[str]
    """Accounts that are closed, suspended, or on the way there."""

    def chain(self, unit_id: str) -> list[str]:
        """Answer the unit and all above it, nearest first."""
        chain = []
        while unit_id:
            chain.append(unit_id)
            unit_id = self.parents.get(unit_id, "")
        return chain

    def find_target(self, account_id: str, unit_ids: Iterable[str]) -> str:
        """Answer the first of the units that the account lies in, at any depth; empty where it lies in none."""
        chain = self.chain(self.units[account_id])
        return next((unit_id for unit_id in unit_ids if unit_id in chain), "")


@dataclass(frozen=True, slots=True)
class Targets:
    """DeploymentTargets of a request, checked.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html
    """

    unit_ids: tuple[str, ...]
    accounts: frozenset[str]
    filter: str
    """NONE, INTERSECTION, DIFFERENCE or UNION."""

    def find_accounts(self, tree: Tree) -> dict[str, str]:
        """Answer the accounts, never the management account, each with the unit that it was targeted through."""
        found = {}
        for account_id in sorted(tree.units):
            unit_id = tree.find_target(account_id, self.unit_ids)
            if account_id != tree.management_account and self._selects(account_id, unit_id):
                found[account_id] = unit_id or tree.units[account_id]
        return found

    def _selects(self, account_id: str, unit_id: str) -> bool:
        named = account_id in self.accounts
        match self.filter:
            case "INTERSECTION":
                return bool(unit_id) and named
            case "DIFFERENCE":
                return bool(unit_id) and not named
            case "UNION":
                return bool(unit_id) or named
        return bool(unit_id)

    @property
    def whole_units(self) -> bool:
        return self.filter in ("NONE", "UNION")


def read_targets(given: Mapping[str, Any], tree: Tree) -> Targets:
    """Check what was given as DeploymentTargets."""
    if given.get("AccountsUrl"):
        raise ValidationError(message="the orgctl sandbox does not emulate DeploymentTargets.AccountsUrl")
    unit_ids = tuple(dict.fromkeys(given.get("OrganizationalUnitIds") or ()))
    accounts = frozenset(given.get("Accounts") or ())
    if not unit_ids:
        raise ValidationError(
            message="StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
        )
    unknown = [unit_id for unit_id in unit_ids if unit_id not in tree.parents]
    if unknown:
        raise ValidationError(message=f"Organizational units not found: {', '.join(unknown)}")
    filter_type = given.get("AccountFilterType") or "NONE"
    # The documentation has UNION for a default; what AWS answers to a call without a filter is this
    # (https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-cloudformation/issues/100).
    if (filter_type == "NONE") == bool(accounts):
        raise ValidationError(
            message="AccountFilterType should be specified when both OrganizationalUnitIds and Accounts are provided"
        )
    return Targets(unit_ids, accounts, filter_type)


def observe_tree(management_account: str, region: str) -> Tree:
    organizations = organizations_backends[management_account][get_partition(region)]
    return Tree(
        management_account,
        {unit.id: unit.parent_id or "" for unit in organizations.ou},
        {account.id: account.parent_id for account in organizations.accounts},
        frozenset(account.id for account in organizations.accounts if account.state != "ACTIVE"),
    )


def is_inactive(account_id: str, region: str) -> bool:
    """Say whether the account is closed, suspended, or on the way there, as of now."""
    organization = find_organization_of(account_id, get_partition(region))
    return organization is not None and not organization.is_active(account_id)


def find_management_account(account_id: str, region: str) -> str:
    """Answer the management account of the caller's organization; empty where it is in none."""
    partition = get_partition(region)
    if organizations_backends[account_id][partition].org:
        return account_id
    return organizations_backends.master_accounts.get(account_id, ("", ""))[0]


def find_administrator(account_id: str, region: str, call_as: str) -> str:
    """Answer the account that holds the StackSets of the caller: the management account, for its delegates too."""
    management_account = find_management_account(account_id, region)
    if call_as == "DELEGATED_ADMIN" and management_account:
        organizations = organizations_backends[management_account][get_partition(region)]
        delegates = [admin.account.id for admin in organizations.admins if SERVICE_PRINCIPAL in admin.services]
        if account_id in delegates:
            return management_account
    elif call_as != "DELEGATED_ADMIN" and management_account == account_id:
        return management_account
    raise ValidationError(
        message="You must be the management account or delegated admin account of an organization before operating a "
        "SERVICE_MANAGED stack set"
    )


def activate_access(account_id: str, region: str) -> None:
    """Let StackSets act in the organization; this also gives their service principal trusted access.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ActivateOrganizationsAccess.html
    """
    organizations = _own_organization(account_id, region)
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE_PRINCIPAL)
    setattr(organizations.org, _ACCESS, True)


def deactivate_access(account_id: str, region: str) -> None:
    organizations = _own_organization(account_id, region)
    if any(SERVICE_PRINCIPAL in admin.services for admin in organizations.admins):
        raise InvalidOperation("You must deregister all delegated administrators before you deactivate trusted access")
    organizations.disable_aws_service_access(ServicePrincipal=SERVICE_PRINCIPAL)
    setattr(organizations.org, _ACCESS, False)


def has_access(management_account: str, region: str) -> bool:
    """Say whether access was activated here, and not taken back in Organizations.

    Trusted access that was only enabled in Organizations does not do: AWS wants it activated by CloudFormation.
    """
    organizations = organizations_backends[management_account][get_partition(region)]
    trusted = any(service["ServicePrincipal"] == SERVICE_PRINCIPAL for service in organizations.services)
    return trusted and bool(getattr(organizations.org, _ACCESS, False))


def _own_organization(account_id: str, region: str) -> OrganizationsBackend:
    organizations: OrganizationsBackend = organizations_backends[account_id][get_partition(region)]
    if organizations.org is None:
        raise InvalidOperation(
            "Only the management account of an organization can change the access of StackSets to it"
        )
    if organizations.org.feature_set != "ALL":
        raise InvalidOperation("The organization must have all features enabled")
    return organizations
