"""A StackSet of ours that left the manifest: withdrawn from everywhere, then deleted."""

from __future__ import annotations

from collections.abc import Iterable

from org.changes import DeleteStackInstances, DeleteStackSet, Placement
from org.model import LiveState, ObservedInstance, ObservedStackSet, OperationPreferences
from org.plan.draft import Draft
from org.plan.model import Effect, InstanceEffect, StackSetPreview
from org.plan.scope import group_placements, reaching
from org.plan.situation import Situation
from org.plan.stacksets.preview import place_of


def plan_removal(situation: Situation, draft: Draft, live: ObservedStackSet) -> StackSetPreview:
    """Let go of the instances in closed accounts, delete the others with their stacks, then the StackSet.

    CloudFormation deletes no stack in an account that is closed or suspended; it can only be made to forget it.
    https://repost.aws/knowledge-center/cloudformation-removal-stacksets
    """
    states = {account.id: account.state for account in situation.observed.accounts}
    active = [i for i in live.instances if states.get(i.account_id) is LiveState.ACTIVE]
    closed = [i for i in live.instances if i.account_id in states and i not in active]
    gone = sorted({i.account_id for i in live.instances if i.account_id not in states})
    forgotten = _withdraw(draft, live, _named(situation, live, closed), retain=True, after=[])
    placements = _named(situation, live, active) if gone else _everywhere(situation, live, active)
    deleted = _withdraw(draft, live, placements, retain=False, after=forgotten)
    if gone:
        draft.notes.append(
            f"StackSet {live.name} is not deleted, because it has instances in accounts that left the organization "
            f"({', '.join(gone)}): delete those by hand, keeping their stacks"
        )
    else:
        draft.add(DeleteStackSet(live.name), live.name, needs=[*forgotten, *deleted])
    effects = [(i, Effect.DELETED) for i in active] + [(i, Effect.RETAINED) for i in closed]
    told = [InstanceEffect(situation.names[i.account_id], i.region, effect) for i, effect in effects]
    return StackSetPreview(live.name, tuple(sorted(told, key=place_of)))


def _withdraw(
    draft: Draft, live: ObservedStackSet, placements: Iterable[Placement], *, retain: bool, after: list[str]
) -> list[str]:
    changes = [DeleteStackInstances(live.name, where, OperationPreferences(), retain=retain) for where in placements]
    return [draft.add_numbered(change, live.name, after=after) for change in changes]


def _everywhere(
    situation: Situation, live: ObservedStackSet, instances: Iterable[ObservedInstance]
) -> Iterable[Placement]:
    """Name whole units, so that nothing is auto-deployed meanwhile; accounts where their unit is no more."""
    paths = situation.unit_paths
    units = {id for id, _ in live.deployment_targets} | {i.unit_id for i in instances}
    known = tuple(sorted(paths[id] for id in units if id in paths))
    regions = sorted({i.region for i in instances} | {region for _, region in live.deployment_targets})
    if known and regions:
        yield Placement(known, tuple(regions))
    stray = [i for i in instances if not known or (i.unit_id and i.unit_id not in paths)]
    yield from _named(situation, live, stray)


def _named(situation: Situation, live: ObservedStackSet, instances: Iterable[ObservedInstance]) -> list[Placement]:
    where = {situation.names[a.id]: situation.path_after(a.unit) for a in situation.observed.accounts}
    targets = situation.target_paths(live)
    keys = [(situation.names[i.account_id], i.region) for i in instances]
    return group_placements(keys, lambda account: reaching(where[account], targets))
