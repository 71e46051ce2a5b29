"""Compare what is wanted with what is there and write the plan; pure, so that it can be tested with values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from org.changes import (
    Change,
    CreateOrganization,
    DeleteStackInstances,
    DeleteUnit,
    DetachPolicy,
    MoveAccount,
    UpdateStackSet,
    is_destructive,
)
from org.interest import interest_of
from org.model import DesiredOrganization, ObservedOrganization, is_within
from org.plan.accounts import plan_accounts
from org.plan.draft import Draft
from org.plan.headroom import find_headroom
from org.plan.model import Effect, Plan, StackSetPreview
from org.plan.policies import detachments_from, find_guards, find_updates, plan_policies
from org.plan.services import plan_services
from org.plan.situation import Situation
from org.plan.stacksets.build import plan_stacksets
from org.plan.template_diff import CreateOnly
from org.plan.units import plan_units
from org.quotas import Quotas

_NOTHING: Mapping[str, frozenset[str]] = {}


def plan_changes(
    desired: DesiredOrganization,
    observed: ObservedOrganization,
    quotas: Quotas,
    create_only: CreateOnly = _NOTHING,
    manifest_digest: str = "",
) -> Plan:
    """Answer all that has to be done, in order; an empty plan says that the organization is as it should be.

    Raises OrgctlError where the manifest cannot be laid over the organization (an account id that is not in it, say).
    """
    situation = Situation(desired, observed)
    draft = Draft()
    if not observed.id:
        draft.add(CreateOrganization(), "")
    plan_services(situation, draft)
    plan_units(situation, draft)
    plan_accounts(situation, draft)
    plan_policies(situation, draft, quotas)
    previews = plan_stacksets(situation, draft, create_only)
    _order_across(draft, desired)
    kept = _withhold_deletions(observed, draft)
    return Plan(
        steps=draft.finish(),
        home_region=desired.home_region,
        observed=observed,
        interest=interest_of(desired),
        ids=situation.ids,
        previews=tuple(_without_withdrawals(preview, kept) for preview in previews),
        unmanaged=tuple(sorted(draft.unmanaged)),
        notes=tuple(draft.notes),
        headroom=find_headroom(situation, draft, quotas),
        protected_principals=desired.protected_principals,
        governed_regions=desired.governed_regions,
        manifest_digest=manifest_digest,
    )


def _order_across(draft: Draft, desired: DesiredOrganization) -> None:
    """Guard before filling, empty before deleting."""
    guards, updates = find_guards(draft), find_updates(draft, desired.policies)
    for id in draft.ids_of("move-account"):
        change = draft.steps[id].change
        assert isinstance(change, MoveAccount)
        for unit, attachments in guards.items():
            if is_within(change.destination, unit):
                draft.order_after(id, attachments)
        for unit, updated in updates.items():
            if is_within(change.destination, unit):
                # An account that came under what was to be loosened would be locked out if that failed.
                draft.need(id, updated)
    # What a policy no longer forbids may be what a deployment needs: the proof takes it for done by then.
    loosening = draft.ids_of("update-policy", "detach-policy")
    for id in draft.ids_of("create-stack-instances", "update-stack-instances", "update-stack-set"):
        change = draft.steps[id].change
        if not (isinstance(change, UpdateStackSet) and change.what == ("auto-deployment",)):  # goes ahead of all moves
            draft.order_after(id, loosening)
    for id in draft.ids_of("close-account"):
        draft.order_after(id, draft.ids_of("deregister-delegated-administrator"))
    for id in draft.ids_of("delete-unit"):
        change = draft.steps[id].change
        assert isinstance(change, DeleteUnit)
        draft.order_after(id, [*draft.ids_of("delete-stack-instances"), *detachments_from(draft, change.path)])


def _withhold_deletions(observed: ObservedOrganization, draft: Draft) -> frozenset[str]:
    """Drop what takes away as long as a part of the organization is unread: absence may only seem so.

    What needs a withheld step goes with it. Answers the StackSets that stay where they are.
    """
    if not observed.unread:
        return frozenset()
    withheld = {id for id, step in draft.steps.items() if _takes_away(step.change)}
    more = withheld
    while more:
        more = {id for id, step in draft.steps.items() if id not in withheld and step.needs & withheld}
        withheld |= more
    dropped = {id: draft.steps[id].change for id in draft.steps if id in withheld}
    draft.notes += [
        f"not planned, because not everything could be read: {change.describe()}" for change in dropped.values()
    ]
    draft.drop(dropped)
    return frozenset(change.stackset for change in dropped.values() if isinstance(change, DeleteStackInstances))


def _takes_away(change: Change) -> bool:
    return is_destructive(change) or isinstance(change, DetachPolicy | DeleteStackInstances)


def _without_withdrawals(preview: StackSetPreview, kept: frozenset[str]) -> StackSetPreview:
    """Show the instances that are not withdrawn after all as what they are."""
    if preview.stackset not in kept:
        return preview
    taken = (Effect.DELETED, Effect.RETAINED)
    why = "not withdrawn, because not everything could be read"
    shown = (replace(i, effect=Effect.UNCHANGED, reason=why) if i.effect in taken else i for i in preview.instances)
    return replace(preview, instances=tuple(shown))
