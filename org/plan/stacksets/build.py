"""All StackSets together: which are made, changed and removed, and in which order."""

from __future__ import annotations

from org.interest import STACKSETS
from org.plan.draft import Draft, step_id
from org.plan.model import StackSetPreview
from org.plan.situation import Situation, is_owned
from org.plan.stacksets.removal import plan_removal
from org.plan.stacksets.rollout import SWITCHING_OFF, StackSetRollout
from org.plan.template_diff import CreateOnly

_ROLLOUT = ("create-stack-instances", "update-stack-set", "update-stack-instances")
_REMOVAL = ("delete-stack-instances", "delete-stack-set")


def plan_stacksets(situation: Situation, draft: Draft, create_only: CreateOnly) -> tuple[StackSetPreview, ...]:
    live = {stackset.name: stackset for stackset in situation.observed.stacksets}
    previews = []
    if not situation.is_unread(STACKSETS):
        for wanted in situation.desired.stacksets:
            if not situation.is_unread(STACKSETS, wanted.name):
                rollout = StackSetRollout(situation, draft, create_only, wanted, live.get(wanted.name))
                previews.append(rollout.plan())
        named = {stackset.name for stackset in situation.desired.stacksets}
        for name in sorted(live.keys() - named):
            if is_owned(live[name].tags):
                previews.append(plan_removal(situation, draft, live[name]))
            else:
                draft.unmanaged.append(f"StackSet {name}")
    for id in draft.ids_of("create-stack-set", *_ROLLOUT, *_REMOVAL):
        draft.need(id, ["activate-stacksets-access"])
    _order_by_graph(situation, draft)
    _order_around_accounts(draft)
    return tuple(previews)


def _order_by_graph(situation: Situation, draft: Draft) -> None:
    """Let a StackSet deploy when those that it depends on have deployed, and withdraw in the other direction."""
    rollout, removal = _by_stackset(draft, _ROLLOUT), _by_stackset(draft, _REMOVAL)
    for stackset in situation.desired.stacksets:
        earlier = [id for name in stackset.settings.depends_on for id in rollout.get(name, [])]
        for id in rollout.get(stackset.name, []):
            draft.need(id, earlier)
    for live in situation.observed.stacksets:
        for name in live.settings.depends_on:
            for id in removal.get(name, []):
                draft.order_after(id, removal.get(live.name, []))
                if id.startswith("delete-stack-set"):
                    # One that stays lets go of its dependency by being updated.
                    draft.order_after(id, [step_id("update-stack-set", live.name)])


def _order_around_accounts(draft: Draft) -> None:
    withdrawn = draft.ids_of("delete-stack-instances")
    for move in draft.ids_of("move-account", "close-account"):
        # Instances of an account are withdrawn by naming its unit, so this comes before it leaves.
        draft.order_after(move, withdrawn)
    switched = [id for id in draft.ids_of("update-stack-set") if id.endswith(SWITCHING_OFF)]
    for later in draft.ids_of("create-account", "move-account"):
        # Auto-deployment would deploy to accounts where they arrive.
        draft.order_after(later, switched)


def _by_stackset(draft: Draft, kinds: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id in draft.ids_of(*kinds):
        if not id.endswith(SWITCHING_OFF):
            name = id.partition(":")[2].partition("@")[0]
            found.setdefault(name, []).append(id)
    return found
