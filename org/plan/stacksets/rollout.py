"""One StackSet of the manifest: the operations that bring it from what is there to what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from org.changes import (
    CreateStackInstances,
    CreateStackSet,
    DeleteStackInstances,
    Placement,
    UpdateStackInstances,
    UpdateStackSet,
)
from org.model import HIDDEN_VALUE, DesiredStackSet, ObservedInstance, ObservedStackSet, Region, UnitPath
from org.plan.draft import Draft, producers_of, step_id
from org.plan.model import Effect, InstanceEffect, StackSetPreview
from org.plan.scope import Instance, Scope, plan_scope
from org.plan.situation import Situation
from org.plan.stacksets.preview import Outlook, find_effects, replaces
from org.plan.stacksets.settings import Difference, compare_settings, producers, settings_of, tags_of
from org.plan.template_diff import CreateOnly, find_parameter_effects, is_json
from org.references import resolve

SWITCHING_OFF = "@switching-off"
"""Ends the id of the step that does nothing but switch auto-deployment off, ahead of all moves."""


@dataclass(slots=True)
class StackSetRollout:
    situation: Situation
    draft: Draft
    create_only: CreateOnly
    wanted: DesiredStackSet
    live: ObservedStackSet | None

    def plan(self) -> StackSetPreview:
        scope = plan_scope(self.situation, self.wanted)
        if self.live is None:
            self._create(scope)
            effects = [InstanceEffect(a, r, Effect.CREATED) for a, r in sorted(scope.expected)]
            return StackSetPreview(self.wanted.name, tuple(effects))
        return self._change(scope, self.live)

    # a StackSet that is not there yet

    def _create(self, scope: Scope) -> None:
        settings, tags = settings_of(self.situation, self.wanted), tags_of(self.wanted)
        needed = [*producers(settings), *(step_id("create-stack-set", name) for name in settings.depends_on)]
        made = self.draft.add(CreateStackSet(self.wanted.name, settings, tags), self.wanted.name, needs=needed)
        if settings.auto_deployment:
            deployed = [self._deploy(scope, Placement(self.wanted.units, self.wanted.regions), after=[made])]
        else:
            deployed = self._deploy_accounts(scope, scope.expected, after=[made])
        overridden = {instance: values for instance, values in scope.expected.items() if values}
        self._update_accounts(scope, overridden, "overrides", after=deployed)

    # one that is there

    def _change(self, scope: Scope, live: ObservedStackSet) -> StackSetPreview:
        observed = _by_name(self.situation, live)
        difference = compare_settings(self.situation, self.wanted, live, self.create_only)
        if live.settings.auto_deployment and not self.wanted.settings.auto_deployment:
            live = self._switch_off(live)
            difference = replace(difference, what=tuple(w for w in difference.what if w != "auto-deployment"))
        withdrawn = self._withdraw(scope, live, observed)
        remaining = {key: value for key, value in observed.items() if key not in withdrawn}
        updated = [self._update(live, difference)] if difference.what else []
        missing = {key: scope.expected[key] for key in scope.expected.keys() - remaining.keys()}
        deployed = self._extend(scope, live, missing, after=updated)
        overrides = {
            k: scope.expected[k] for k, i in remaining.items() if k in scope.expected and _differs(i, scope.expected[k])
        }
        created = {key: value for key, value in missing.items() if value}
        self._update_accounts(scope, overrides | created, "overrides", after=[*updated, *deployed])
        outdated: dict[Instance, Mapping[str, str]] = {}
        if not difference.what:
            behind = {k for k, i in remaining.items() if i.status == "OUTDATED" and k in scope.expected}
            outdated = {key: scope.expected[key] for key in behind - overrides.keys()}
            self._update_accounts(scope, outdated, "outdated", after=deployed)
        self._note(difference, remaining)
        outlook = Outlook(scope.expected, observed, withdrawn, overrides, outdated)
        return StackSetPreview(
            stackset=self.wanted.name,
            instances=find_effects(self.wanted.settings.template, difference, outlook, self.create_only),
            resources=tuple(change.describe() for change in difference.resources),
        )

    def _switch_off(self, live: ObservedStackSet) -> ObservedStackSet:
        """Switch auto-deployment off by itself, ahead of all moves; answer the StackSet as it is then."""
        settings = replace(live.settings, auto_deployment=False, retain_on_removal=False, depends_on=())
        change = UpdateStackSet(live.name, settings, live.tags, self.wanted.preferences, ("auto-deployment",))
        self.draft.add(change, live.name + SWITCHING_OFF)
        return replace(live, settings=settings)

    def _update(self, live: ObservedStackSet, difference: Difference) -> str:
        settings = settings_of(self.situation, self.wanted)
        change = UpdateStackSet(
            name=live.name,
            settings=settings,
            tags=tags_of(self.wanted),
            preferences=self.wanted.preferences,
            what=difference.what,
            replaces=bool(live.instances) and replaces(difference.resources),
        )
        needed = [*producers(settings), *(step_id("create-stack-set", name) for name in settings.depends_on)]
        first = [*self._withdrawals(), step_id("update-stack-set", live.name + SWITCHING_OFF)]
        return self.draft.add(change, live.name, needs=needed, after=first)

    # where it goes

    def _extend(
        self, scope: Scope, live: ObservedStackSet, missing: Mapping[Instance, Mapping[str, str]], after: list[str]
    ) -> list[str]:
        """Deploy to new target units as a whole, and to the accounts that these do not cover by name."""
        fresh = self._new_targets(scope, live)
        deployed = [self._deploy(scope, placement, after) for placement in fresh]
        left = {k: v for k, v in missing.items() if not any(scope.covers(placement, k) for placement in fresh)}
        return deployed + self._deploy_accounts(scope, left, after)

    def _new_targets(self, scope: Scope, live: ObservedStackSet) -> list[Placement]:
        """Group the pairs of unit and Region to which it does not auto-deploy yet by equal Regions."""
        if not self.wanted.settings.auto_deployment:
            return []
        there = set(live.deployment_targets)
        by_regions: dict[tuple[Region, ...], list[UnitPath]] = {}
        for unit in self.wanted.units:
            id = scope.unit_id(unit)
            new = tuple(region for region in self.wanted.regions if (id, region) not in there)
            if new:
                by_regions.setdefault(new, []).append(unit)
        return [Placement(tuple(units), regions) for regions, units in sorted(by_regions.items())]

    def _lost_targets(self, live: ObservedStackSet) -> list[Placement]:
        """Answer the live units and Regions to which it auto-deploys and should not."""
        if not self.wanted.settings.auto_deployment:
            return []
        lost: dict[UnitPath, list[Region]] = {}
        for id, region in live.deployment_targets:
            unit = self.situation.unit_paths.get(id)
            if unit and not (unit in self.wanted.units and region in self.wanted.regions):
                lost.setdefault(unit, []).append(region)
        return [Placement((unit,), tuple(regions)) for unit, regions in sorted(lost.items())]

    def _withdraw(
        self, scope: Scope, live: ObservedStackSet, observed: Mapping[Instance, ObservedInstance]
    ) -> dict[Instance, bool]:
        """Plan the deletions; answer each deleted instance and whether its stack is kept."""
        gone: dict[Instance, bool] = {}
        for placement in self._lost_targets(live):
            (unit,) = placement.units
            self._delete(placement, retain=False)
            gone |= {k: False for k in observed if scope.was_in(unit, k[0]) and k[1] in placement.regions}
        surplus = [k for k in sorted(observed.keys() - scope.expected.keys() - gone.keys()) if scope.is_live(k[0])]
        leaving = {k for k in surplus if live.settings.retain_on_removal and scope.leaves(k[0])}
        kept = leaving | {k for k in surplus if scope.is_closing(k[0])}
        for retain, keys in ((False, [k for k in surplus if k not in kept]), (True, sorted(kept))):
            for placement in scope.placements_where_live(keys, self.situation.target_paths(live)):
                self._delete(placement, retain=retain)
            gone |= dict.fromkeys(keys, retain)
        return gone

    # the operations

    def _delete(self, placement: Placement, *, retain: bool) -> None:
        change = DeleteStackInstances(self.wanted.name, placement, self.wanted.preferences, retain=retain)
        self.draft.add_numbered(change, self.wanted.name)

    def _deploy(self, scope: Scope, placement: Placement, after: Iterable[str]) -> str:
        change = CreateStackInstances(self.wanted.name, placement, self.wanted.preferences)
        needed = [*after, *(step_id("create-unit", unit) for unit in placement.units)]
        return self.draft.add_numbered(change, change.stackset, needs=needed, after=self._settled(scope, placement))

    def _deploy_accounts(
        self, scope: Scope, instances: Mapping[Instance, Mapping[str, str]], after: Iterable[str]
    ) -> list[str]:
        """Create named instances; their overrides are put on by the update that follows."""
        return [self._deploy(scope, placement, after) for placement in scope.placements(instances)]

    def _update_accounts(
        self, scope: Scope, instances: Mapping[Instance, Mapping[str, str]], reason: str, after: Iterable[str]
    ) -> None:
        by_values: dict[tuple[tuple[str, str], ...], list[Instance]] = {}
        for instance, values in instances.items():
            by_values.setdefault(tuple(sorted(values.items())), []).append(instance)
        for pairs, keys in sorted(by_values.items()):
            effects = find_parameter_effects(self.wanted.settings.template, frozenset(dict(pairs)), self.create_only)
            made_by = [step for _, value in pairs for step in producers_of(value)]
            for placement in scope.placements(keys):
                change = UpdateStackInstances(
                    stackset=self.wanted.name,
                    placement=placement,
                    preferences=self.wanted.preferences,
                    overrides={key: resolve(value, self.situation.ids) for key, value in pairs},
                    reason=reason,
                    replaces=self.live is not None and reason == "overrides" and replaces(effects),
                )
                needed = [*after, *made_by, *(step_id("create-unit", unit) for unit in placement.units)]
                self.draft.add_numbered(change, self.wanted.name, needs=needed, after=self._settled(scope, placement))

    def _settled(self, scope: Scope, placement: Placement) -> list[str]:
        """Wait for every account there that is being made or moved: an operation takes the accounts that it finds.

        An account that fails does not keep the others from being deployed to.
        """
        changes = (step_id(k, a) for a in scope.accounts_in(placement) for k in ("create-account", "move-account"))
        return [
            *(id for id in changes if id in self.draft.steps),
            *(step_id("rename-unit", unit) for unit in placement.units),
            *self._withdrawals(),
        ]

    def _withdrawals(self) -> list[str]:
        return self.draft.numbered("delete-stack-instances", self.wanted.name)

    def _note(self, difference: Difference, instances: Mapping[Instance, ObservedInstance]) -> None:
        name, template = self.wanted.name, self.wanted.settings.template
        if "template" in difference.what and not is_json(template):
            self.draft.notes.append(
                f"StackSet {name}: its template is not JSON, so what the change replaces cannot be told"
            )
        for (account, region), instance in sorted(instances.items()):
            if instance.status == "INOPERABLE":
                self.draft.notes.append(
                    f"StackSet {name} in {account} {region} is inoperable ({instance.reason}): delete the "
                    "instance by hand, keeping its stack, then delete the stack"
                )


def _by_name(situation: Situation, live: ObservedStackSet) -> dict[Instance, ObservedInstance]:
    """Index the instances of accounts that can be reached; those in closed accounts are never touched."""
    states = {account.id: account.state for account in situation.observed.accounts}
    return {
        (situation.names[instance.account_id], instance.region): instance
        for instance in live.instances
        if states.get(instance.account_id) == "ACTIVE"
    }


def _differs(instance: ObservedInstance, wanted: Mapping[str, str]) -> bool:
    hidden = {key: value for key, value in instance.overrides.items() if value == HIDDEN_VALUE}
    return {**instance.overrides} != {**wanted, **{key: value for key, value in hidden.items() if key in wanted}}
