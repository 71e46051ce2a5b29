"""Trusted access, delegated administrators, policy types, StackSets access: switches that carry no tags of their own.

Who switched them on is kept where AWS allows a tag: on the root, and for delegated administrators on the account.
"""

from __future__ import annotations

from collections.abc import Mapping

from org.changes import (
    ActivateStackSetsAccess,
    ChangeTags,
    DeregisterDelegatedAdministrator,
    DisablePolicyType,
    DisableTrustedAccess,
    EnablePolicyType,
    EnableTrustedAccess,
    RegisterDelegatedAdministrator,
)
from org.interest import DELEGATED_ADMINISTRATORS, POLICIES, STACKSETS, TRUSTED_ACCESS
from org.model import LiveState, PolicyType
from org.plan.draft import Draft, step_id
from org.plan.situation import Situation, is_owned
from org.policy_types import SERVICE_CONTROL_POLICY
from org.references import ROOT_ID, account_reference

STACKSETS_SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"
"""Trusted access that comes and goes with the activation of StackSets."""

TRUSTED_ACCESS_TAG = "orgctl:trusted-access/"
POLICY_TYPE_TAG = "orgctl:policy-type/"
DELEGATED_TAG = "orgctl:delegated-administrator/"


def plan_services(situation: Situation, draft: Draft) -> None:
    _policy_types(situation, draft)
    if not situation.is_unread(TRUSTED_ACCESS):
        _trusted_access(situation, draft)
    # Who administers a service may be the account whose services could not be read: one gap leaves all in the dark.
    if not any(gap.area == DELEGATED_ADMINISTRATORS for gap in situation.observed.unread):
        _delegated_administrators(situation, draft)
        _forget_delegations(situation, draft)
    observed = situation.observed
    if _uses_stacksets(situation) and not observed.stacksets_access and not situation.is_unread(STACKSETS):
        draft.add(ActivateStackSetsAccess(), "")
    _forget_switches(situation, draft)


def _uses_stacksets(situation: Situation) -> bool:
    desired = situation.desired
    administered = any(admin.service == STACKSETS_SERVICE for admin in desired.delegated_administrators)
    return bool(desired.stacksets) or administered or STACKSETS_SERVICE in desired.trusted_access


def _policy_types(situation: Situation, draft: Draft) -> None:
    observed = situation.observed
    wanted = {policy.type for policy in situation.desired.policies}
    # A new organization comes with service control policies enabled.
    # https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html
    enabled = set(observed.policy_types) if observed.id else {SERVICE_CONTROL_POLICY}
    for type in sorted(wanted - enabled):
        draft.add(EnablePolicyType(type), type)
    for type in sorted(set(observed.policy_types) - wanted):
        if POLICY_TYPE_TAG + type not in observed.root_tags:
            draft.unmanaged.append(f"policy type {type}, enabled")
        elif situation.is_unread(POLICIES, type) or _has_policies_of_others(situation, type):
            draft.notes.append(f"policy type {type} stays enabled, because there are policies of it that are not ours")
        else:
            ours = [policy for policy in observed.policies if policy.type == type]
            emptied = [step_id("delete-policy", f"{type}/{policy.name}") for policy in ours]
            draft.add(DisablePolicyType(type), type, needs=emptied)


def _has_policies_of_others(situation: Situation, type: PolicyType) -> bool:
    return any(p.type == type and not p.aws_managed and not is_owned(p.tags) for p in situation.observed.policies)


def _trusted_access(situation: Situation, draft: Draft) -> None:
    observed = situation.observed
    # That of StackSets comes with ActivateStackSetsAccess, which alone sets up its roles, and is never taken back.
    wanted = set(situation.desired.trusted_access) - {STACKSETS_SERVICE}
    for service in sorted(wanted - set(observed.trusted_access)):
        draft.add(EnableTrustedAccess(service), service)
    tags = {TRUSTED_ACCESS_TAG + s: "true" for s in sorted(wanted & set(observed.trusted_access))}
    if observed.root_id and observed.root_id not in situation.unread_tags:
        _adopt(draft, ROOT_ID, "trusted access for ", TRUSTED_ACCESS_TAG, tags, observed.root_tags)
    for service in sorted(set(observed.trusted_access) - wanted - {STACKSETS_SERVICE}):
        if TRUSTED_ACCESS_TAG + service in observed.root_tags:
            draft.add(DisableTrustedAccess(service), service)
        else:
            draft.unmanaged.append(f"trusted access for {service}")


def _delegated_administrators(situation: Situation, draft: Draft) -> None:
    observed, names = situation.observed, situation.names
    live = {(service, names[id]): id for service, id in observed.delegated_administrators if id in names}
    reachable = {match.desired.name for match in situation.accounts if match.is_deployable}
    wanted = {(admin.service, admin.account) for admin in situation.desired.delegated_administrators}
    draft.notes += [
        f"account {account} is not made delegated administrator for {service}, because it is not active"
        for service, account in sorted(wanted - live.keys())
        if account not in reachable
    ]
    leaving: dict[str, list[str]] = {}
    tags = {account.id: account.tags for account in observed.accounts}
    for service, account in sorted(live.keys() - wanted):
        if DELEGATED_TAG + service in tags[live[service, account]]:
            change = DeregisterDelegatedAdministrator(service, account)
            leaving.setdefault(service, []).append(draft.add(change, f"{service}/{account}"))
        else:
            draft.unmanaged.append(f"delegated administrator {account} for {service}")
    for service, account in sorted(
        (service, account) for service, account in wanted - live.keys() if account in reachable
    ):
        enabled = [step_id("enable-trusted-access", service), step_id("create-account", account)]
        if service == STACKSETS_SERVICE:
            enabled.append("activate-stacksets-access")
        draft.add(
            RegisterDelegatedAdministrator(service, account),
            f"{service}/{account}",
            needs=[*enabled, *leaving.get(service, [])],
            after=[step_id("move-account", account)],
        )
    for account in sorted({account for _, account in wanted & live.keys()}):
        put = {DELEGATED_TAG + s: "true" for s, a in sorted(wanted & live.keys()) if a == account}
        id = next(id for (_, name), id in live.items() if name == account)
        if id not in situation.unread_tags:
            label = f"delegated administrator {account} for "
            _adopt(draft, account_reference(account), label, DELEGATED_TAG, put, tags[id])
    for service, steps in leaving.items():
        disabling = step_id("disable-trusted-access", service)
        if disabling in draft.steps:
            draft.need(disabling, steps)


def _adopt(
    draft: Draft, reference: str, label: str, prefix: str, tags: Mapping[str, str], live: Mapping[str, str]
) -> None:
    """Tag what is switched on already and named by the manifest as ours, in one step for the object that carries it."""
    put = {key: value for key, value in tags.items() if key not in live}
    if put:
        said = label + ", ".join(key.removeprefix(prefix) for key in put)
        draft.add(ChangeTags(reference, said, put, adopt=True), f"{prefix.rstrip('/')}:{reference}")


def _forget_switches(situation: Situation, draft: Draft) -> None:
    """Take our tag from what is off and stays off.

    A run cut short leaves it, and it would claim what somebody else switches on later.
    """
    observed, desired = situation.observed, situation.desired
    types = {*observed.policy_types, *(policy.type for policy in desired.policies)}
    kept = {POLICY_TYPE_TAG + type for type in types}
    kept |= {TRUSTED_ACCESS_TAG + service for service in (*observed.trusted_access, *desired.trusted_access)}
    prefixes = (POLICY_TYPE_TAG,) if situation.is_unread(TRUSTED_ACCESS) else (POLICY_TYPE_TAG, TRUSTED_ACCESS_TAG)
    stale = sorted(key for key in observed.root_tags if key.startswith(prefixes) and key not in kept)
    if stale:
        draft.add(ChangeTags(ROOT_ID, "the root", remove=tuple(stale)), f"left-over:{ROOT_ID}")


def _forget_delegations(situation: Situation, draft: Draft) -> None:
    """Do the same on accounts, as far as their tags were read."""
    observed, names = situation.observed, situation.names
    wanted = {(admin.service, admin.account) for admin in situation.desired.delegated_administrators}
    live = set(observed.delegated_administrators)
    for account in observed.accounts:
        services = (key.removeprefix(DELEGATED_TAG) for key in account.tags if key.startswith(DELEGATED_TAG))
        stale = [s for s in services if (s, account.id) not in live and (s, names[account.id]) not in wanted]
        if stale and account.state is LiveState.ACTIVE:
            change = ChangeTags(
                account_reference(names[account.id]),
                f"account {names[account.id]}",
                remove=tuple(DELEGATED_TAG + service for service in sorted(stale)),
            )
            draft.add(change, f"left-over:{change.reference}")
