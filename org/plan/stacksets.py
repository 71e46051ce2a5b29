"""StackSets: what is deployed to which account and Region, compared instance by instance.

Two things are kept apart, as CloudFormation keeps them: the units to which a StackSet auto-deploys (pairs of unit and
Region), and the instances that there are. New pairs are deployed to the unit as a whole; what is then still missing,
outdated or too much is dealt with by naming the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from org.changes import (
    CreateStackInstances,
    CreateStackSet,
    DeleteStackInstances,
    DeleteStackSet,
    Placement,
    UpdateStackInstances,
    UpdateStackSet,
)
from org.model import (
    HIDDEN_VALUE,
    OVERRIDES_TAG,
    OWNER_TAG,
    AccountName,
    DesiredStackSet,
    ObservedInstance,
    ObservedStackSet,
    OperationPreferences,
    Region,
    StackSetSettings,
    UnitPath,
)
from org.observe import STACKSETS
from org.plan.draft import Draft, producers_of, step_id
from org.plan.model import Effect, InstanceEffect, StackSetPreview
from org.plan.scope import Instance, Scope, plan_scope
from org.plan.situation import Situation, is_owned
from org.plan.template_diff import (
    CreateOnly,
    ResourceChange,
    ResourceEffect,
    find_parameter_effects,
    find_resource_changes,
    is_same_template,
)
from org.references import resolve

_SWITCHING_OFF = "@switching-off"


def plan_stacksets(situation: Situation, draft: Draft, create_only: CreateOnly) -> tuple[StackSetPreview, ...]:
    live = {stackset.name: stackset for stackset in situation.observed.stacksets}
    previews = []
    if not situation.is_unread(STACKSETS):
        for wanted in situation.desired.stacksets:
            if not situation.is_unread(STACKSETS, wanted.name):
                planner = _StackSetPlan(situation, draft, create_only, wanted, live.get(wanted.name))
                previews.append(planner.run())
        named = {stackset.name for stackset in situation.desired.stacksets}
        for name in sorted(live.keys() - named):
            if is_owned(live[name].tags):
                previews.append(_plan_removal(situation, draft, live[name]))
            else:
                draft.unmanaged.append(f"StackSet {name}")
    _order_by_graph(situation, draft)
    return tuple(previews)


@dataclass(slots=True)
class _StackSetPlan:
    situation: Situation
    draft: Draft
    create_only: CreateOnly
    wanted: DesiredStackSet
    live: ObservedStackSet | None

    def run(self) -> StackSetPreview:
        scope = plan_scope(self.situation, self.wanted)
        if self.live is None:
            self._create(scope)
            effects = [InstanceEffect(a, r, Effect.CREATED) for a, r in sorted(scope.expected)]
            return StackSetPreview(self.wanted.name, tuple(effects))
        return self._change(scope, self.live)

    # a StackSet that is not there yet

    def _create(self, scope: Scope) -> None:
        settings, tags = self._settings(), self._tags()
        needed = ["activate-stacksets-access", *_producers(settings)]
        needed += [step_id("create-stack-set", name) for name in settings.depends_on]
        made = self.draft.add(CreateStackSet(self.wanted.name, settings, tags), self.wanted.name, needs=needed)
        if settings.auto_deployment:
            deployed = [self._deploy(Placement(self.wanted.units, self.wanted.regions), after=[made])]
        else:
            deployed = self._deploy_accounts(scope, scope.expected, after=[made])
        overridden = {instance: values for instance, values in scope.expected.items() if values}
        self._update_accounts(scope, overridden, "overrides", after=deployed)

    # one that is there

    def _change(self, scope: Scope, live: ObservedStackSet) -> StackSetPreview:
        observed = _by_name(self.situation, live)
        resources, whole = self._compare_settings(live)
        if live.settings.auto_deployment and not self.wanted.settings.auto_deployment:
            live = self._switch_off(live)
        whole = tuple(what for what in whole if what != "auto-deployment" or live is self.live)
        lost_units = self._lost_units(live)
        withdrawn = self._withdraw(scope, live, observed, lost_units)
        remaining = {key: value for key, value in observed.items() if key not in withdrawn}
        updated = [self._update(live, whole, resources)] if whole else []
        fresh = self._new_targets(scope, live)
        missing = {key: scope.expected[key] for key in scope.expected.keys() - remaining.keys()}
        deployed = [self._deploy(placement, after=updated) for placement in fresh]
        covered = {key for key in missing for placement in fresh if scope.covers(placement, key)}
        uncovered = {key: value for key, value in missing.items() if key not in covered}
        deployed += self._deploy_accounts(scope, uncovered, after=updated)
        overrides = {
            k: scope.expected[k] for k, i in remaining.items() if k in scope.expected and _differs(i, scope.expected[k])
        }
        overrides |= {key: value for key, value in missing.items() if value}
        self._update_accounts(scope, overrides, "overrides", after=[*updated, *deployed])
        outdated: Mapping[Instance, Mapping[str, str]] = {}
        if not whole:
            behind = {k for k, i in remaining.items() if i.status == "OUTDATED" and k in scope.expected}
            outdated = {key: scope.expected[key] for key in behind - overrides.keys()}
            self._update_accounts(scope, outdated, "outdated", after=deployed)
        self._note_inoperable(remaining)
        effects = _Effects(self.wanted.settings.template, self.create_only, resources, bool(whole))
        return StackSetPreview(
            stackset=self.wanted.name,
            instances=tuple(sorted(effects.of(scope, observed, withdrawn, overrides, outdated), key=_place)),
            resources=tuple(change.describe() for change in resources),
        )

    def _switch_off(self, live: ObservedStackSet) -> ObservedStackSet:
        """Switch auto-deployment off by itself, ahead of all moves; answer the StackSet as it is then."""
        settings = replace(live.settings, auto_deployment=False, retain_on_removal=False, depends_on=())
        change = UpdateStackSet(live.name, settings, live.tags, self.wanted.preferences, ("auto-deployment",))
        self.draft.add(change, live.name + _SWITCHING_OFF)
        return replace(live, settings=settings)

    def _settings(self) -> StackSetSettings:
        given = self.wanted.settings
        values = {key: resolve(value, self.situation.ids) for key, value in given.parameters.items()}
        return replace(given, parameters=values, depends_on=tuple(sorted(given.depends_on)))

    def _tags(self) -> dict[str, str]:
        return {
            **self.wanted.tags,
            OWNER_TAG: "true",
            **({OVERRIDES_TAG: "true"} if self.wanted.overrides else {}),
        }

    def _compare_settings(self, live: ObservedStackSet) -> tuple[tuple[ResourceChange, ...], tuple[str, ...]]:
        """Answer what changes in each stack, and which settings differ."""
        wanted, there = self._settings(), live.settings
        hidden = {key: value for key, value in there.parameters.items() if value == HIDDEN_VALUE}
        differing = {
            "template": not is_same_template(there.template, wanted.template),
            "parameters": {**there.parameters} != {**wanted.parameters, **hidden},
            "capabilities": set(there.capabilities) != set(wanted.capabilities),
            "description": there.description != wanted.description,
            "tags": {**live.tags} != self._tags(),
            "auto-deployment": _auto_deployment(there) != _auto_deployment(wanted),
            "managed execution": not live.managed_execution,
        }
        changes = find_resource_changes(there.template, wanted.template, self.create_only)
        names = there.parameters.keys() | wanted.parameters.keys()
        changed = frozenset(n for n in names - hidden.keys() if there.parameters.get(n) != wanted.parameters.get(n))
        known = {change.logical_id for change in changes}
        by_parameter = find_parameter_effects(wanted.template, changed, self.create_only)
        changes += tuple(change for change in by_parameter if change.logical_id not in known)
        return changes, tuple(what for what, differs in differing.items() if differs)

    def _update(self, live: ObservedStackSet, what: tuple[str, ...], resources: tuple[ResourceChange, ...]) -> str:
        settings = self._settings()
        change = UpdateStackSet(
            name=live.name,
            settings=settings,
            tags=self._tags(),
            preferences=self.wanted.preferences,
            what=what,
            replaces=bool(live.instances) and _replaces(resources),
        )
        needed = [*_producers(settings), *(step_id("create-stack-set", name) for name in settings.depends_on)]
        first = [*self._steps("delete-stack-instances"), step_id("update-stack-set", live.name + _SWITCHING_OFF)]
        return self.draft.add(change, live.name, needs=needed, after=first)

    def _new_targets(self, scope: Scope, live: ObservedStackSet) -> list[Placement]:
        """Group the pairs of unit and Region to which it does not auto-deploy yet by equal Regions."""
        if not self.wanted.settings.auto_deployment:
            return []
        there = {(unit, region) for unit, region in live.deployment_targets}
        by_regions: dict[tuple[Region, ...], list[UnitPath]] = {}
        for unit in self.wanted.units:
            id = scope.unit_id(unit)
            new = tuple(region for region in self.wanted.regions if (id, region) not in there)
            if new:
                by_regions.setdefault(new, []).append(unit)
        return [Placement(tuple(units), regions) for regions, units in sorted(by_regions.items())]

    def _lost_units(self, live: ObservedStackSet) -> dict[UnitPath, tuple[Region, ...]]:
        """Answer the live units and Regions to which it auto-deploys and should not."""
        paths = {unit.id: path for path, unit in self.situation.units.items()} | {
            self.situation.observed.root_id: UnitPath("Root")
        }
        on = self.wanted.settings.auto_deployment
        lost: dict[UnitPath, list[Region]] = {}
        for id, region in live.deployment_targets:
            unit = paths.get(id)
            if unit and not (on and unit in self.wanted.units and region in self.wanted.regions):
                lost.setdefault(unit, []).append(region)
        return {unit: tuple(regions) for unit, regions in lost.items()} if on else {}

    def _withdraw(
        self,
        scope: Scope,
        live: ObservedStackSet,
        observed: Mapping[Instance, ObservedInstance],
        lost_units: Mapping[UnitPath, tuple[Region, ...]],
    ) -> dict[Instance, bool]:
        """Plan the deletions; answer each deleted instance and whether its stack is kept."""
        preferences = self.wanted.preferences
        gone: dict[Instance, bool] = {}
        for unit, regions in sorted(lost_units.items()):
            placement = Placement((unit,), regions)
            self.draft.add_numbered(DeleteStackInstances(live.name, placement, preferences), live.name)
            gone |= {key: False for key in observed if scope.was_in(unit, key[0]) and key[1] in regions}
        surplus = [
            key for key in sorted(observed.keys() - scope.expected.keys() - gone.keys()) if scope.is_live(key[0])
        ]
        leaving = {k for k in surplus if live.settings.retain_on_removal and scope.leaves(k[0])}
        kept = leaving | {k for k in surplus if scope.is_closing(k[0])}
        for retain, keys in ((False, [k for k in surplus if k not in kept]), (True, sorted(kept))):
            for placement in scope.placements_where_live(keys):
                change = DeleteStackInstances(live.name, placement, preferences, retain=retain)
                self.draft.add_numbered(change, live.name)
            gone |= dict.fromkeys(keys, retain)
        return gone

    # the operations

    def _deploy(self, placement: Placement, after: Iterable[str]) -> str:
        change = CreateStackInstances(self.wanted.name, placement, self.wanted.preferences)
        return self.draft.add_numbered(
            change,
            self.wanted.name,
            needs=self._made(placement, after),
            after=self._settled(placement),
        )

    def _deploy_accounts(
        self, scope: Scope, instances: Mapping[Instance, Mapping[str, str]], after: Iterable[str]
    ) -> list[str]:
        """Create named instances; their overrides are put on by the update that follows."""
        return [self._deploy(placement, after) for placement in scope.placements(instances)]

    def _update_accounts(
        self, scope: Scope, instances: Mapping[Instance, Mapping[str, str]], reason: str, after: Iterable[str]
    ) -> None:
        by_values: dict[tuple[tuple[str, str], ...], list[Instance]] = {}
        for instance, values in instances.items():
            by_values.setdefault(tuple(sorted(values.items())), []).append(instance)
        for pairs, keys in sorted(by_values.items()):
            effects = find_parameter_effects(self.wanted.settings.template, frozenset(dict(pairs)), self.create_only)
            for placement in scope.placements(keys):
                change = UpdateStackInstances(
                    stackset=self.wanted.name,
                    placement=placement,
                    preferences=self.wanted.preferences,
                    overrides={key: resolve(value, self.situation.ids) for key, value in pairs},
                    reason=reason,
                    replaces=self.live is not None and reason == "overrides" and _replaces(effects),
                )
                needed = [*self._made(placement, after), *(p for _, value in pairs for p in producers_of(value))]
                self.draft.add_numbered(change, self.wanted.name, needs=needed, after=self._settled(placement))

    def _made(self, placement: Placement, after: Iterable[str]) -> list[str]:
        return [*after, *(step_id("create-unit", unit) for unit in placement.units)]

    def _settled(self, placement: Placement) -> list[str]:
        """Wait for every account that is being made or moved: an operation takes the accounts that it finds.

        An account that fails does not keep the others from being deployed to.
        """
        return [
            *self.draft.ids_of("create-account", "move-account"),
            *(step_id("rename-unit", unit) for unit in placement.units),
            *self._steps("delete-stack-instances"),
        ]

    def _steps(self, kind: str) -> list[str]:
        return [id for id in self.draft.ids_of(kind) if id.startswith(f"{kind}:{self.wanted.name}@")]

    def _note_inoperable(self, instances: Mapping[Instance, ObservedInstance]) -> None:
        for (account, region), instance in sorted(instances.items()):
            if instance.status == "INOPERABLE":
                self.draft.notes.append(
                    f"StackSet {self.wanted.name} in {account} {region} is inoperable ({instance.reason}): delete the "
                    "instance by hand, keeping its stack, then delete the stack"
                )


@dataclass(frozen=True, slots=True)
class _Effects:
    template: str
    create_only: CreateOnly
    resources: tuple[ResourceChange, ...]
    whole: bool

    def of(
        self,
        scope: Scope,
        observed: Mapping[Instance, ObservedInstance],
        withdrawn: Mapping[Instance, bool],
        overrides: Mapping[Instance, Mapping[str, str]],
        outdated: Mapping[Instance, Mapping[str, str]],
    ) -> Iterable[InstanceEffect]:
        for account, region in observed.keys() | scope.expected.keys():
            key = (account, region)
            if key in withdrawn and key in scope.expected:
                yield InstanceEffect(account, region, Effect.REPLACED, "its target unit changes")
            elif key in withdrawn:
                yield InstanceEffect(account, region, Effect.RETAINED if withdrawn[key] else Effect.DELETED)
            elif key not in observed:
                yield InstanceEffect(account, region, Effect.CREATED)
            elif key in scope.expected:
                yield self._kept(key, observed[key], overrides, outdated)

    def _kept(
        self,
        key: Instance,
        live: ObservedInstance,
        overrides: Mapping[Instance, Mapping[str, str]],
        outdated: Mapping[Instance, Mapping[str, str]],
    ) -> InstanceEffect:
        account, region = key
        changes = self.resources
        reason = "template or parameters" if self.resources else ""
        if key in overrides:
            names = {
                n
                for n in live.overrides.keys() | overrides[key].keys()
                if live.overrides.get(n) != overrides[key].get(n)
            }
            changes += find_parameter_effects(self.template, frozenset(names), self.create_only)
            reason = f"overrides of {', '.join(sorted(names))}"
        if _replaces(changes):
            return InstanceEffect(account, region, Effect.REPLACED, reason)
        if changes or key in overrides:
            return InstanceEffect(account, region, Effect.UPDATED, reason)
        if key in outdated:
            return InstanceEffect(account, region, Effect.UPDATED, f"outdated: {live.reason or live.detailed_status}")
        if self.whole and live.status == "OUTDATED":
            return InstanceEffect(account, region, Effect.UPDATED, "outdated")
        return InstanceEffect(account, region, Effect.UNCHANGED)


def _plan_removal(situation: Situation, draft: Draft, live: ObservedStackSet) -> StackSetPreview:
    """Withdraw an owned StackSet that left the manifest from everywhere, then delete it."""
    observed = _by_name(situation, live)
    paths = {unit.id: path for path, unit in situation.units.items()} | {situation.observed.root_id: UnitPath("Root")}
    units = {id for id, _ in live.deployment_targets} | {i.unit_id for i in live.instances}
    named = tuple(sorted(paths[id] for id in units if id in paths))
    regions = tuple(sorted({i.region for i in live.instances} | {region for _, region in live.deployment_targets}))
    deleted = []
    if named and regions:
        change = DeleteStackInstances(live.name, Placement(named, regions), OperationPreferences())
        deleted.append(draft.add_numbered(change, live.name))
    draft.add(DeleteStackSet(live.name), live.name, needs=deleted)
    effects = [InstanceEffect(account, region, Effect.DELETED) for account, region in observed]
    return StackSetPreview(live.name, tuple(sorted(effects, key=_place)))


def _order_by_graph(situation: Situation, draft: Draft) -> None:
    """Let a StackSet deploy when those that it depends on have deployed, and withdraw in the other direction."""
    rollout = ("create-stack-instances", "update-stack-set", "update-stack-instances")
    by_name: dict[str, list[str]] = {}
    removal: dict[str, list[str]] = {}
    for id in draft.ids_of(*rollout, "delete-stack-instances", "delete-stack-set"):
        if id.endswith(_SWITCHING_OFF):
            continue
        name = id.partition(":")[2].partition("@")[0]
        (removal if id.startswith("delete-") else by_name).setdefault(name, []).append(id)
    before = {s.name: s.settings.depends_on for s in situation.observed.stacksets}
    for stackset in situation.desired.stacksets:
        earlier = [id for name in stackset.settings.depends_on for id in by_name.get(name, [])]
        for id in by_name.get(stackset.name, []):
            draft.need(id, earlier)
    for name, depends_on in before.items():
        for earlier_name in depends_on:
            for id in removal.get(earlier_name, []):
                draft.order_after(id, removal.get(name, []))
    for move in draft.ids_of("move-account", "close-account"):
        # Instances of an account are withdrawn by naming its unit, so this comes before it leaves.
        draft.order_after(move, draft.ids_of("delete-stack-instances"))
    # Auto-deployment would deploy to accounts where they arrive.
    for later in draft.ids_of("create-account", "move-account"):
        draft.order_after(later, [id for id in draft.ids_of("update-stack-set") if id.endswith(_SWITCHING_OFF)])


def _by_name(situation: Situation, live: ObservedStackSet) -> dict[Instance, ObservedInstance]:
    """Index the instances of accounts that can be reached; those in closed accounts are never touched."""
    states = {account.id: account.state for account in situation.observed.accounts}
    return {
        (situation.names[instance.account_id], instance.region): instance
        for instance in live.instances
        if states.get(instance.account_id) == "ACTIVE"
    }


def _auto_deployment(settings: StackSetSettings) -> tuple[bool, bool, tuple[str, ...]]:
    """Answer what counts: the rest of it is nothing where auto-deployment is off."""
    on = settings.auto_deployment
    return on, on and settings.retain_on_removal, settings.depends_on if on else ()


def _producers(settings: StackSetSettings) -> set[str]:
    return {step for value in settings.parameters.values() for step in producers_of(value)}


def _differs(instance: ObservedInstance, wanted: Mapping[str, str]) -> bool:
    hidden = {key: value for key, value in instance.overrides.items() if value == HIDDEN_VALUE}
    return {**instance.overrides} != {**wanted, **{key: value for key, value in hidden.items() if key in wanted}}


def _replaces(changes: Iterable[ResourceChange]) -> bool:
    return any(change.effect in (ResourceEffect.REPLACED, ResourceEffect.REMOVED) for change in changes)


def _place(effect: InstanceEffect) -> tuple[AccountName, Region]:
    return effect.account, effect.region
