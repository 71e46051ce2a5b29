"""The policies above each account: of the live organization, or as the manifest alone would have them."""

from __future__ import annotations

from dataclasses import replace

from cli.render.console import busy
from cli.settings import Settings, connect_to, load_desired
from config.load import LoadedManifest
from org.errors import OrgctlError
from org.interest import Interest
from org.model import AccountId, DesiredOrganization, ObservedOrganization, Region
from org.observe import observe_organization
from org.plan.build import plan_changes
from org.proof.chains import Chains, chains_after, live_chains
from org.quotas import load_quotas
from org.references import account_reference
from org.source.findings import suggest

_STAND_IN = AccountId("999999999999")
"""For the management account where the manifest does not tell its id."""
_ID_DIGITS = 12
_FIRST_REGIONS = {"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}


def manifest_if_any(settings: Settings) -> tuple[LoadedManifest, DesiredOrganization] | None:
    """Read the manifest where there is one."""
    return load_desired(settings) if settings.manifest.exists() else None


def read_live_chains(settings: Settings, home_region: str = "", partition: str = "aws") -> Chains:
    """Read the live organization, but for its StackSets; raises OrgctlError where there is none."""
    region = home_region or _FIRST_REGIONS.get(partition, "us-east-1")
    aws = connect_to(settings, Region(region))
    with busy("reading the live organization"):
        observed = observe_organization(aws, Interest())
    if not observed.id:
        raise OrgctlError(f"account {observed.caller_account}", "in no organization", "run orgctl bootstrap")
    unread = [gap for gap in observed.unread if gap.area == "policies"]
    if unread:
        raise OrgctlError(unread[0].subject or "policies", f"could not be read: {unread[0].reason}", "grant the right")
    return live_chains(observed)


def manifest_chains(desired: DesiredOrganization) -> Chains:
    """Answer the chains as they would be if the manifest made the organization from nothing; asks AWS nothing.

    Accounts whose id the manifest does not tell get one that no account has.
    """
    ids = {account_reference(account.name): str(account.id) for account in desired.accounts if account.id}
    management = AccountId(ids.get(account_reference(desired.management_account), _STAND_IN))
    bare = replace(desired, accounts=tuple(replace(account, id=None) for account in desired.accounts))
    plan = plan_changes(bare, ObservedOrganization(caller_account=management), load_quotas())
    ids[account_reference(desired.management_account)] = management
    return chains_after(replace(plan, ids={**plan.ids, **ids}))


def account_id(chains: Chains, account: str, where: str) -> str:
    """Answer the id of an account that goes by id or name; raises OrgctlError, at `where`, for a name not known."""
    if account.isdecimal():
        if len(account) != _ID_DIGITS:
            raise OrgctlError(where, f"{account} is no account id", f"an id has {_ID_DIGITS} digits")
        return account
    try:
        return chains.id_of(account)
    except KeyError as error:
        names = sorted(node.name for node in chains.accounts.values())
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        todo = suggest(account, names, otherwise=f"the accounts are {listed}")
        raise OrgctlError(where, f"there is no account {account!r}", todo) from error
