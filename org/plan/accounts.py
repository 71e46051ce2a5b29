"""Accounts: create, rename, move, quarantine, close, tag, alternate contacts. Never closed for leaving the manifest."""

from __future__ import annotations

from org.changes import CloseAccount, CreateAccount, MoveAccount, RenameAccount, SetContact
from org.model import (
    OWNER_TAG,
    ROOT,
    ContactType,
    LiveState,
    ObservedAccount,
    WantedState,
)
from org.observe import CONTACTS
from org.plan.draft import Draft, step_id
from org.plan.situation import MatchedAccount, Situation
from org.plan.units import named_tags, plan_tags
from org.references import account_reference

ACCOUNT_MANAGEMENT = "account.amazonaws.com"
"""Names and contacts of member accounts can be set from the management account with this trusted access.

https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html
"""


def plan_accounts(situation: Situation, draft: Draft) -> None:
    for match in situation.accounts:
        if match.live is None:
            _create(situation, draft, match)
        elif match.live.state is LiveState.ACTIVE:
            _change(situation, draft, match, match.live)
        elif match.desired.state is not WantedState.CLOSED:
            draft.notes.append(
                f"account {match.desired.name} is {match.live.state.lower().replace('_', ' ')}: nothing is done to it"
            )
    draft.unmanaged += [
        f"account {account.name} ({account.id}, {account.state.lower()}) in {account.unit}"
        for account in situation.unmanaged_accounts
    ]


def _create(situation: Situation, draft: Draft, match: MatchedAccount) -> None:
    account = match.desired
    if account.state is WantedState.CLOSED:
        return
    if account.name == situation.desired.management_account:
        _settle_management(situation, draft, match)
        return
    pending = next((p.request_id for p in situation.observed.pending_accounts if p.name == account.name), "")
    tags = named_tags(account.tags) | {OWNER_TAG: "true"}
    draft.add(CreateAccount(account.name, account.email, tags, pending_request=pending), account.name)
    _move(situation, draft, match, source=None)
    for type in ContactType:
        contact = account.contacts.get(type)
        if contact:
            _set_contact(draft, SetContact(account.name, type, contact))


def _settle_management(situation: Situation, draft: Draft, match: MatchedAccount) -> None:
    """Plan for the management account of an organization that is still to be made: the account itself exists."""
    account = match.desired
    if named_tags(account.tags):
        plan_tags(draft, account_reference(account.name), f"account {account.name}", account.tags, {}, own=False)
    for type, contact in account.contacts.items():
        if contact:
            _set_contact(draft, SetContact(account.name, type, contact))
    _move(situation, draft, match, source=None)


def _change(situation: Situation, draft: Draft, match: MatchedAccount, live: ObservedAccount) -> None:
    account = match.desired
    if live.name != account.name:
        draft.add(
            RenameAccount(account.name, was=live.name),
            account.name,
            needs=[step_id("enable-trusted-access", ACCOUNT_MANAGEMENT)],
        )
    if live.email.lower() != account.email.lower():
        draft.notes.append(
            f"account {account.name} has the email {live.email}, not {account.email}: AWS lets its owner change that "
            "with a one-time password only"
        )
    if account.tags and live.id not in situation.unread_tags:
        plan_tags(draft, account_reference(account.name), f"account {account.name}", account.tags, live.tags, own=False)
    _contacts(situation, draft, match, live)
    _move(situation, draft, match, source=live)
    if account.state is WantedState.CLOSED:
        draft.add(CloseAccount(account.name), account.name, after=[step_id("move-account", account.name)])


def _move(situation: Situation, draft: Draft, match: MatchedAccount, source: ObservedAccount | None) -> None:
    name, destination = match.desired.name, match.destination
    here = situation.path_after(source.unit) if source else ROOT
    if here == destination:
        return
    quarantine = match.desired.state is WantedState.QUARANTINED
    draft.add(
        MoveAccount(name, source=here, destination=destination, quarantine=quarantine),
        name,
        needs=[step_id("create-account", name), step_id("create-unit", destination)],
        after=[step_id("rename-unit", destination)],
    )


def _contacts(situation: Situation, draft: Draft, match: MatchedAccount, live: ObservedAccount) -> None:
    for type, contact in match.desired.contacts.items():
        if situation.is_unread(CONTACTS, str((live.id, type))) or live.contacts.get(type) == contact:
            continue
        _set_contact(draft, SetContact(match.desired.name, type, contact))


def _set_contact(draft: Draft, change: SetContact) -> None:
    draft.add(
        change,
        f"{change.account}/{change.type.lower()}",
        needs=[step_id("create-account", change.account), step_id("enable-trusted-access", ACCOUNT_MANAGEMENT)],
    )
