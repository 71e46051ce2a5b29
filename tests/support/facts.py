"""What a manifest asks for and what is observed, in words that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from org.model import (
    ROOT,
    AccountName,
    DesiredAccount,
    DesiredOrganization,
    DesiredStackSet,
    LiveState,
    ObservedOrganization,
    Region,
    Target,
    TargetKind,
    UnitPath,
    WantedState,
    is_within,
)
from org.plan.model import Effect, Plan
from org.plan.situation import is_owned
from tests.support.organizations import MANAGEMENT

K = TypeVar("K")
V = TypeVar("V")

Facts = dict[str, object]


def asked(wanted: DesiredOrganization) -> Facts:
    """Say what a manifest asks for, in words that can be compared with what is seen."""
    units = {a.name: _place(wanted, a) for a in wanted.accounts}
    open_accounts = [a for a in wanted.accounts if a.state is not WantedState.CLOSED]
    return {
        "units": {(unit.path, *_named(unit.tags, unit.tags)) for unit in wanted.units},
        "accounts": {
            (a.name, units[a.name], *_named(a.tags, a.tags), *_named(a.contacts, a.contacts)) for a in open_accounts
        },
        "policies": {
            (p.type, p.name, p.content, p.description, frozenset(p.targets), *_named(p.tags, p.tags))
            for p in wanted.policies
        },
        "trusted access": set(wanted.trusted_access),
        "delegated administrators": {(d.service, d.account) for d in wanted.delegated_administrators},
        "StackSets": {(s.name, s.settings.template, s.settings.auto_deployment) for s in wanted.stacksets},
        "instances": {
            (s.name, a.name, region, *_overridden(s, a.name, units[a.name], region))
            for s in wanted.stacksets
            for a in open_accounts
            for region in s.regions
            if a.name != MANAGEMENT
            and any(is_within(units[a.name], target) for target in s.units)
            and (not s.only_accounts or a.name in s.only_accounts)
            and a.name not in s.except_accounts
        },
    }


def _place(wanted: DesiredOrganization, account: DesiredAccount) -> UnitPath:
    if account.state is WantedState.QUARANTINED:
        assert wanted.quarantine_unit is not None
        return wanted.quarantine_unit
    return account.unit


def _named(wanted: Mapping[K, V | None], found: Mapping[K, V | None]) -> Iterator[tuple[K, V | None]]:
    """Yield what is found under each name of the manifest: an absent tag is asked for with None."""
    return ((key, found.get(key)) for key in sorted(wanted, key=str))


def _overridden(stackset: DesiredStackSet, name: AccountName, unit: UnitPath, region: Region) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for override in stackset.overrides:
        everywhere = not (override.accounts or override.units)
        there = everywhere or name in override.accounts or any(is_within(unit, target) for target in override.units)
        if there and (not override.regions or region in override.regions):
            found |= override.parameters
    return sorted(found.items())


def seen(observed: ObservedOrganization, wanted: DesiredOrganization) -> Facts:
    names = {account.id: account.name for account in observed.accounts}
    active = {account.id for account in observed.accounts if account.state is LiveState.ACTIVE}
    targets = {observed.root_id: Target(TargetKind.ROOT, ROOT)}
    targets |= {unit.id: Target(TargetKind.UNIT, unit.path) for unit in observed.units}
    targets |= {id: Target(TargetKind.ACCOUNT, names[id]) for id in active}
    units = {unit.path: unit for unit in wanted.units}
    accounts = {account.name: account for account in wanted.accounts}
    policies = {(policy.type, policy.name): policy for policy in wanted.policies}
    return {
        "units": {(u.path, *_named(units[u.path].tags, u.tags)) for u in observed.units if is_owned(u.tags)},
        "accounts": {
            (a.name, a.unit, *_named(accounts[a.name].tags, a.tags), *_named(accounts[a.name].contacts, a.contacts))
            for a in observed.accounts
            if a.id in active
        },
        "policies": {
            (
                p.type,
                p.name,
                p.content,
                p.description,
                frozenset(targets[id] for id in p.target_ids if id in targets),
                *_named(policies[p.type, p.name].tags, p.tags),
            )
            for p in observed.policies
            if is_owned(p.tags)
        },
        "trusted access": {s for s in observed.trusted_access if "stacksets" not in s},
        "delegated administrators": {(service, names[id]) for service, id in observed.delegated_administrators},
        "StackSets": {
            (s.name, s.settings.template, s.settings.auto_deployment) for s in observed.stacksets if is_owned(s.tags)
        },
        "instances": {
            (s.name, names[i.account_id], i.region, *sorted(i.overrides.items()))
            for s in observed.stacksets
            for i in s.instances
            if i.account_id in active
        },
    }


def foreseen(plan: Plan) -> set[tuple[str, str, Region]]:
    """Answer the instances that there are once the plan is applied, as its preview has it."""
    gone = (Effect.DELETED, Effect.RETAINED)
    return {(p.stackset, i.account, i.region) for p in plan.previews for i in p.instances if i.effect not in gone}


def instances(observed: ObservedOrganization) -> set[tuple[str, str, Region]]:
    active = {account.id: account.name for account in observed.accounts if account.state is LiveState.ACTIVE}
    return {
        (s.name, active[i.account_id], i.region)
        for s in observed.stacksets
        for i in s.instances
        if i.account_id in active
    }
