"""What a plan does to each instance of a StackSet, for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from org.model import AccountName, ObservedInstance, Region
from org.plan.model import Effect, InstanceEffect
from org.plan.scope import Instance
from org.plan.stacksets.settings import Difference
from org.plan.template_diff import CreateOnly, ResourceChange, ResourceEffect, find_parameter_effects

Overrides = Mapping[Instance, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is planned for the instances of one StackSet."""

    expected: Overrides
    observed: Mapping[Instance, ObservedInstance]
    withdrawn: Mapping[Instance, bool]
    """Instances that are deleted, and whether their stacks are kept."""
    overrides: Overrides
    """Instances that are deployed again with other parameters."""
    outdated: Overrides
    """Instances that are deployed again as they are."""


def find_effects(
    template: str, difference: Difference, outlook: Outlook, create_only: CreateOnly
) -> tuple[InstanceEffect, ...]:
    effects = _effects(template, difference, outlook, create_only)
    return tuple(sorted(effects, key=place_of))


def place_of(effect: InstanceEffect) -> tuple[AccountName, Region]:
    return effect.account, effect.region


def replaces(changes: Iterable[ResourceChange]) -> bool:
    return any(change.effect in (ResourceEffect.REPLACED, ResourceEffect.REMOVED) for change in changes)


def _effects(
    template: str, difference: Difference, outlook: Outlook, create_only: CreateOnly
) -> Iterator[InstanceEffect]:
    for key in outlook.observed.keys() | outlook.expected.keys():
        account, region = key
        if key in outlook.withdrawn and key in outlook.expected:
            yield InstanceEffect(account, region, Effect.REPLACED, "its target unit changes")
        elif key in outlook.withdrawn:
            yield InstanceEffect(account, region, Effect.RETAINED if outlook.withdrawn[key] else Effect.DELETED)
        elif key not in outlook.observed:
            yield InstanceEffect(account, region, Effect.CREATED)
        elif key in outlook.expected:
            yield InstanceEffect(account, region, *_kept(key, template, difference, outlook, create_only))


def _kept(
    key: Instance, template: str, difference: Difference, outlook: Outlook, create_only: CreateOnly
) -> tuple[Effect, str]:
    live, changes = outlook.observed[key], difference.resources
    reason = "template or parameters" if changes else ""
    if key in outlook.overrides:
        names = _differing(live.overrides, outlook.overrides[key])
        changes += find_parameter_effects(template, names, create_only)
        reason = f"overrides of {', '.join(sorted(names))}"
    if replaces(changes):
        return Effect.REPLACED, reason
    if changes or key in outlook.overrides:
        return Effect.UPDATED, reason
    if difference.is_opaque:
        return Effect.UPDATED, "template"
    if key in outlook.outdated:
        return Effect.UPDATED, f"outdated: {live.reason or live.detailed_status}"
    if difference.what and live.status == "OUTDATED":
        return Effect.UPDATED, "outdated"
    return Effect.UNCHANGED, ""


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
