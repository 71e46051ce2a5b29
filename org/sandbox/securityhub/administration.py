"""The account that administers Security Hub for an organization, in one Region.

https://docs.aws.amazon.com/securityhub/latest/userguide/designate-orgs-admin-account.html. It is written in the hub of
the management account. Not emulated: central configuration, and members by invitation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.utilities.utils import get_partition

from org.sandbox.organizations import SandboxOrganizations, find_organization_of
from org.sandbox.securityhub import refusals
from org.sandbox.securityhub.hub import SandboxHub, find_hub, known_hub

SERVICE = "securityhub.amazonaws.com"


def enable(hub: SandboxHub, account: str) -> None:
    """Make an account the administrator; Security Hub is on there from now on, and trusted by the organization.

    [H]: that Organizations registers it as the delegated administrator at once.
    """
    organization = _managed(hub)
    if not organization.has_account(account):
        raise refusals.invalid(f"Account {account} is not a member of the organization.")
    if hub.administrator not in ("", account):
        raise refusals.conflict(f"Account {hub.administrator} already is the Security Hub administrator.")
    hub.administrator = account
    organization.enable_aws_service_access(ServicePrincipal=SERVICE)
    if account != hub.account_id and not organization.is_administrator(account, SERVICE):
        organization.register_delegated_administrator(AccountId=account, ServicePrincipal=SERVICE)
    administrator = find_hub(account, hub.region_name)
    if not administrator.enabled:
        administrator.enable({})


def disable(hub: SandboxHub, account: str) -> None:
    _managed(hub)
    if hub.administrator != account or not account:
        raise refusals.not_found(f"Account {account} is not the Security Hub administrator.")
    hub.administrator = ""


def listed(hub: SandboxHub) -> list[dict[str, str]]:
    """Answer the administrator, if there is one; only the management account may ask."""
    _managed(hub)
    return [{"AccountId": hub.administrator, "Status": "ENABLED"}] if hub.administrator else []


def of_member(hub: SandboxHub) -> dict[str, Any]:
    hub.require_enabled()
    administrator = _administrator_of(hub)
    if administrator in ("", hub.account_id):
        return {}
    return {"Administrator": {"AccountId": administrator, "MemberStatus": "Enabled"}}


def describe(hub: SandboxHub) -> dict[str, Any]:
    settings = _administered(hub).organization_settings
    return {
        "AutoEnable": settings.get("AutoEnable", False),
        "AutoEnableStandards": settings.get("AutoEnableStandards", "DEFAULT"),
        "MemberAccountLimitReached": False,
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    }


def update(hub: SandboxHub, asked: Mapping[str, Any]) -> None:
    if (asked.get("OrganizationConfiguration") or {}).get("ConfigurationType", "LOCAL") != "LOCAL":
        raise NotImplementedError("central configuration of Security Hub")
    if asked.get("AutoEnable"):
        raise NotImplementedError("that Security Hub is enabled in new accounts by itself")
    if asked.get("AutoEnableStandards", "DEFAULT") not in ("NONE", "DEFAULT"):
        raise refusals.invalid("AutoEnableStandards should be NONE or DEFAULT.")
    _administered(hub).organization_settings.update(asked)


def members(hub: SandboxHub) -> list[dict[str, str]]:
    """Answer the accounts whose findings the administrator sees."""
    hub.require_enabled()
    if _administrator_of(hub) != hub.account_id:
        return []
    organization = find_organization_of(hub.account_id, get_partition(hub.region_name))
    accounts = organization.members() if organization is not None else []
    return [
        {"AccountId": each.id, "Email": each.email, "MemberStatus": "Enabled", "AdministratorId": hub.account_id}
        for each in accounts
        if each.id != hub.account_id and _is_enabled(each.id, hub.region_name)
    ]


def _is_enabled(account: str, region: str) -> bool:
    hub = known_hub(account, region)
    return hub is not None and hub.enabled


def _managed(hub: SandboxHub) -> SandboxOrganizations:
    organization = find_organization_of(hub.account_id, get_partition(hub.region_name))
    if organization is None or organization.account_id != hub.account_id:
        raise refusals.denied("Only the management account of an organization may do this.")
    return organization


def _administrator_of(hub: SandboxHub) -> str:
    organization = find_organization_of(hub.account_id, get_partition(hub.region_name))
    return find_hub(organization.account_id, hub.region_name).administrator if organization is not None else ""


def _administered(hub: SandboxHub) -> SandboxHub:
    if _administrator_of(hub) != hub.account_id:
        raise refusals.denied("Only the organization's Security Hub administrator may do this.")
    return hub
