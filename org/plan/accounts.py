"""Accounts: create, rename, move, quarantine, close, tag, alternate contacts. Never closed for leaving the manifest."""

from __future__ import annotations

from org.changes import CloseAccount, CreateAccount, MoveAccount, RenameAccount, SetContact
from org.interest import CONTACTS, contact_label
from org.model import (
    ACCOUNT_MANAGEMENT,
    OWNER_TAG,
    ROOT,
    ContactType,
    LiveState,
    ObservedAccount,
    WantedState,
)
from org.plan.draft import Draft, step_id
from org.plan.situation import MatchedAccount, Situation
from org.plan.units import named_tags, plan_tags
from org.references import account_reference


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
    if account.state is WantedState.CLOSED:
        # What else the manifest says of it does not matter any more, but for the unit: it stays there for 90 days.
        _move(situation, draft, match, source=live)
        draft.add(CloseAccount(account.name), account.name, after=[step_id("move-account", account.name)])
        return
    if live.name != account.name:
        _rename(situation, draft, match, live)
    if live.email.lower() != account.email.lower():
        draft.notes.append(
            f"account {account.name} has the email {live.email}, not {account.email}: AWS lets its owner change that "
            "with a one-time password only"
        )
    if account.tags and live.id not in situation.unread_tags:
        plan_tags(draft, account_reference(account.name), f"account {account.name}", account.tags, live.tags, own=False)
    _contacts(situation, draft, match, live)
    _move(situation, draft, match, source=live)


def _rename(situation: Situation, draft: Draft, match: MatchedAccount, live: ObservedAccount) -> None:
    name, trusted = match.desired.name, {*situation.desired.trusted_access, *situation.observed.trusted_access}
    if ACCOUNT_MANAGEMENT in trusted or live.id == situation.observed.management_account_id:
        change = RenameAccount(name, was=live.name)
        draft.add(change, name, needs=[step_id("enable-trusted-access", ACCOUNT_MANAGEMENT)])
    else:
        draft.notes.append(
            f"account {name} is not renamed, it stays {live.name} ({live.id}): "
            f"that takes {ACCOUNT_MANAGEMENT} among trusted_access"
        )


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
    observed = situation.observed
    # Without trusted access nothing could be asked, and the first run, which enables it, sets what the manifest names.
    known = live.id == observed.management_account_id or ACCOUNT_MANAGEMENT in observed.trusted_access
    for type, contact in match.desired.contacts.items():
        if situation.is_unread(CONTACTS, contact_label(live.id, type)):
            continue
        if known and live.contacts.get(type) == contact:
            continue
        _set_contact(draft, SetContact(match.desired.name, type, contact))


def _set_contact(draft: Draft, change: SetContact) -> None:
    draft.add(
        change,
        f"{change.account}/{change.type.lower()}",
        needs=[step_id("create-account", change.account), step_id("enable-trusted-access", ACCOUNT_MANAGEMENT)],
    )
