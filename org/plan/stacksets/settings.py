"""What of a StackSet is the same for all its instances, wanted beside what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from org.model import HIDDEN_VALUE, OVERRIDES_TAG, OWNER_TAG, DesiredStackSet, ObservedStackSet, StackSetSettings
from org.plan.draft import producers_of
from org.plan.situation import Situation
from org.plan.template_diff import (
    CreateOnly,
    ResourceChange,
    find_parameter_effects,
    find_resource_changes,
    is_same_template,
    parameter_defaults,
)
from org.references import resolve


@dataclass(frozen=True, slots=True)
class Difference:
    what: tuple[str, ...]
    """Which settings differ: `template`, `parameters`, `tags`, …"""
    resources: tuple[ResourceChange, ...]
    """What that does in each stack, as far as it can be told."""

    @property
    def is_opaque(self) -> bool:
        """Say whether stacks change in a way that no resource shows: outputs, conditions, a template in YAML."""
        return "template" in self.what and not self.resources


def settings_of(situation: Situation, wanted: DesiredStackSet) -> StackSetSettings:
    """Answer the settings with the ids that are known.

    A dependency on a StackSet that does not auto-deploy stays with us: CloudFormation orders auto-deployments only,
    and whether it takes the name of one that does none is not documented [H].
    """
    values = {key: resolve(value, situation.ids) for key, value in wanted.settings.parameters.items()}
    deploying = {s.name for s in situation.desired.stacksets if s.settings.auto_deployment}
    return replace(
        wanted.settings, parameters=values, depends_on=tuple(sorted(deploying & set(wanted.settings.depends_on)))
    )


def tags_of(wanted: DesiredStackSet) -> dict[str, str]:
    overrides = {OVERRIDES_TAG: "true"} if wanted.overrides else {}
    return {**wanted.tags, OWNER_TAG: "true"} | overrides


def producers(settings: StackSetSettings) -> set[str]:
    return {step for value in settings.parameters.values() for step in producers_of(value)}


def compare_settings(
    situation: Situation, wanted: DesiredStackSet, live: ObservedStackSet, create_only: CreateOnly
) -> Difference:
    there, then = live.settings, settings_of(situation, wanted)
    changed = _changed_parameters(there, then)
    differing = {
        "template": not is_same_template(there.template, then.template),
        "parameters": bool(changed),
        "capabilities": set(there.capabilities) != set(then.capabilities),
        # UpdateStackSet keeps the description that it is not given, and takes no empty one.
        "description": bool(then.description) and there.description != then.description,
        "tags": {**live.tags} != tags_of(wanted),
        "auto-deployment": _auto_deployment(there) != _auto_deployment(then),
        "managed execution": not live.managed_execution,
    }
    changes = find_resource_changes(there.template, then.template, create_only)
    known = {change.logical_id for change in changes}
    by_parameter = find_parameter_effects(then.template, changed, create_only)
    return Difference(
        what=tuple(what for what, differs in differing.items() if differs),
        resources=(*changes, *(change for change in by_parameter if change.logical_id not in known)),
    )


def _changed_parameters(there: StackSetSettings, then: StackSetSettings) -> frozenset[str]:
    """Compare what holds: the template's default where no value is given. A hidden value is no difference."""
    defaults = parameter_defaults(then.template)
    was: Mapping[str, str] = {**defaults, **there.parameters}
    will: Mapping[str, str] = {**defaults, **then.parameters}
    return frozenset(
        name
        for name in was.keys() | will.keys()
        if was.get(name) != will.get(name) and there.parameters.get(name) != HIDDEN_VALUE
    )


def _auto_deployment(settings: StackSetSettings) -> tuple[bool, bool, tuple[str, ...]]:
    """Answer what counts: the rest of it is nothing where auto-deployment is off."""
    on = settings.auto_deployment
    return on, on and settings.retain_on_removal, settings.depends_on if on else ()
