"""Which accounts and Regions a StackSet is meant for once the rest of the plan is applied."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from org.changes import Placement
from org.model import ROOT, AccountName, DesiredStackSet, LiveState, Region, UnitPath, WantedState, is_within
from org.plan.situation import Situation
from org.references import resolve, unit_reference

Instance: TypeAlias = tuple[AccountName, Region]


@dataclass(frozen=True, slots=True)
class Scope:
    wanted: DesiredStackSet
    expected: Mapping[Instance, Mapping[str, str]]
    """The parameter overrides of each instance that there should be."""
    units_after: Mapping[AccountName, UnitPath]
    """Where each account is that StackSets can reach, once the plan is applied."""
    units_now: Mapping[AccountName, UnitPath]
    """Where each active live account is, by the path that the unit will have."""
    closing: frozenset[AccountName]
    unit_ids: Mapping[str, str]

    def unit_id(self, unit: UnitPath) -> str:
        """Answer the id of a unit, or nothing where the plan is to make it."""
        return self.unit_ids.get(unit_reference(unit), "")

    def covers(self, placement: Placement, instance: Instance) -> bool:
        """Say whether a deployment to whole units reaches the instance."""
        account, region = instance
        unit = self.units_after[account]
        return region in placement.regions and any(is_within(unit, target) for target in placement.units)

    def is_live(self, account: AccountName) -> bool:
        return account in self.units_now

    def is_closing(self, account: AccountName) -> bool:
        return account in self.closing

    def leaves(self, account: AccountName) -> bool:
        """Say whether the plan moves the account to another unit."""
        return self.is_live(account) and self.units_after.get(account) != self.units_now[account]

    def was_in(self, unit: UnitPath, account: AccountName) -> bool:
        return self.is_live(account) and is_within(self.units_now[account], unit)

    def placements(self, instances: Iterable[Instance]) -> list[Placement]:
        """Name the accounts, grouped by equal Regions, within the units that the StackSet targets."""
        return group_placements(instances, self._target_of)

    def placements_where_live(self, instances: Iterable[Instance], targets: Collection[UnitPath]) -> list[Placement]:
        """Name the accounts within the units in which they are now: from there instances are withdrawn."""
        return group_placements(instances, lambda account: reaching(self.units_now[account], targets))

    def accounts_in(self, placement: Placement) -> Iterator[AccountName]:
        """Yield the accounts that an operation may find there: those that will be, and those that leave."""
        if placement.accounts:
            yield from placement.accounts
            return
        for account in dict.fromkeys([*self.units_after, *self.units_now]):
            units = [where[account] for where in (self.units_after, self.units_now) if account in where]
            if any(is_within(unit, target) for unit in units for target in placement.units):
                yield account

    def _target_of(self, account: AccountName) -> UnitPath:
        unit = self.units_after[account]
        return next(target for target in self.wanted.units if is_within(unit, target))


def reaching(unit: UnitPath, targets: Collection[UnitPath]) -> UnitPath:
    """Answer the unit to name for an account in it: CloudFormation refuses one that no target of the StackSet touches.

    An account that moved while auto-deployment was off is reached through the root [H: tried in the sandbox only].
    """
    touched = any(is_within(unit, target) or is_within(target, unit) for target in targets)
    return unit if touched else ROOT


def group_placements(instances: Iterable[Instance], unit_of: Callable[[AccountName], UnitPath]) -> list[Placement]:
    """Name the accounts, one placement for those with equal Regions."""
    regions: dict[AccountName, list[Region]] = {}
    for account, region in sorted(instances):
        regions.setdefault(account, []).append(region)
    groups: dict[tuple[Region, ...], list[AccountName]] = {}
    for account, names in regions.items():
        groups.setdefault(tuple(names), []).append(account)
    return [
        Placement(tuple(sorted({unit_of(account) for account in accounts})), names, tuple(accounts))
        for names, accounts in sorted(groups.items())
    ]


def plan_scope(situation: Situation, wanted: DesiredStackSet) -> Scope:
    """Work out the instances: accounts in the target units, less the management account, closed ones and filters.

    Service-managed StackSets never deploy to the management account.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
    """
    management = situation.desired.management_account
    after = {m.desired.name: m.destination for m in situation.accounts if m.is_deployable}
    now = {
        m.desired.name: situation.path_after(m.live.unit)
        for m in situation.accounts
        if m.live and m.live.state is LiveState.ACTIVE
    }
    others = {
        situation.names[a.id]: situation.path_after(a.unit)
        for a in situation.unmanaged_accounts
        if a.state is LiveState.ACTIVE and a.id != situation.observed.management_account_id
    }
    reachable = {name: unit for name, unit in (after | others).items() if name != management}
    targeted = [name for name, unit in reachable.items() if any(is_within(unit, target) for target in wanted.units)]
    chosen = [
        name
        for name in targeted
        if (not wanted.only_accounts or name in wanted.only_accounts) and name not in wanted.except_accounts
    ]
    return Scope(
        wanted=wanted,
        expected={(a, r): _overrides(situation, wanted, a, reachable[a], r) for a in chosen for r in wanted.regions},
        units_after=reachable,
        units_now=now | others,
        closing=frozenset(m.desired.name for m in situation.accounts if m.desired.state is WantedState.CLOSED),
        unit_ids=situation.ids,
    )


def _overrides(
    situation: Situation, wanted: DesiredStackSet, account: AccountName, unit: UnitPath, region: Region
) -> Mapping[str, str]:
    """Lay the overrides that fit over each other, the later over the earlier."""
    found: dict[str, str] = {}
    for override in wanted.overrides:
        in_unit = any(is_within(unit, target) for target in override.units)
        fits = in_unit or account in override.accounts or not (override.units or override.accounts)
        if fits and (not override.regions or region in override.regions):
            found |= override.parameters
    return {key: resolve(value, situation.ids) for key, value in found.items()}
