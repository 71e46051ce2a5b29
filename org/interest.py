"""What of the live organization is read for a manifest, and how the parts of it are called that could not be read.

Pure: a plan knows this and nothing of how it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from org.model import AccountId, ContactType, DesiredAccount, DesiredOrganization

POLICIES = "policies"
TAGS = "tags"
CONTACTS = "contacts"
TRUSTED_ACCESS = "trusted access"
DELEGATED_ADMINISTRATORS = "delegated administrators"
STACKSETS = "StackSets"
PENDING_ACCOUNTS = "accounts being created"

MANAGEMENT = "management account"
"""How the management account is called in an `Interest`: the one that has no id there before the organization has."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What is read although it takes a call per object; sorted, so that a saved plan is the same text each time.

    An account goes by its id, its email in lower case, or `MANAGEMENT`.
    """

    account_tags: tuple[str, ...] = ()
    contacts: tuple[tuple[str, ContactType], ...] = ()
    stacksets: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    """StackSets whose instances may have overrides."""


def policy_label(type: str, name: str) -> str:
    """Say how a policy is named in `Unread.subject`."""
    return f"{type}/{name}"


def contact_label(account_id: AccountId, type: ContactType) -> str:
    return f"{account_id}/{type.lower()}"


def interest_of(desired: DesiredOrganization) -> Interest:
    """Say what a plan for this manifest has to know."""

    def key(account: DesiredAccount) -> str:
        # The management account is whoever calls, whatever its email.
        return MANAGEMENT if account.name == desired.management_account else account.id or account.email.lower()

    return Interest(
        account_tags=tuple(sorted(key(a) for a in desired.accounts if a.tags)),
        contacts=tuple(sorted((key(a), type) for a in desired.accounts for type in a.contacts)),
        stacksets=tuple(sorted(s.name for s in desired.stacksets)),
        overrides=tuple(sorted(s.name for s in desired.stacksets if s.overrides)),
    )
