"""Which calls the StackSets of a plan make in an account, from the templates that they deploy there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from org import changes as c
from org.model import StackSetSettings
from org.plan.model import Effect, Plan
from org.proof.calls import calls_of_template
from org.proof.chains import Chains
from org.proof.model import Demand
from org.proof.regions import partition_of
from org.references import account_reference, resolve

EXECUTION_ROLE = "stacksets-exec-*"
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html"""
Operation: TypeAlias = Literal["create", "update", "delete"]
ReadTemplate: TypeAlias = Callable[[str], Mapping[str, Any] | None]
Instance: TypeAlias = tuple[str, str, Effect]
"""StackSet, Region, and what the plan does to the instance."""
OPERATIONS: Mapping[Effect, tuple[Operation, ...]] = {
    Effect.CREATED: ("create", "delete"),
    Effect.UPDATED: ("create", "update", "delete"),
    Effect.REPLACED: ("create", "update", "delete"),
    Effect.DELETED: ("delete",),
}
"""What the plan itself does; a creation that fails is rolled back by deleting."""
_LEAVING = (Effect.DELETED, Effect.RETAINED)


def read_json(body: str) -> Mapping[str, Any] | None:
    """Read a template; None where it is not JSON, since nothing here reads YAML."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class Stacks:
    def __init__(self, plan: Plan, chains: Chains, read_template: ReadTemplate = read_json) -> None:
        self.chains = chains
        self.partition = partition_of(plan.home_region)
        self.settings = _settings(plan)
        self.instances = _instances(plan, chains.tree.ids)
        self._overrides = _overrides(plan, chains.tree.ids)
        self._read = read_template
        self._templates: dict[str, Mapping[str, Any] | None] = {}
        self.gaps: dict[str, set[str]] = {}
        """By StackSet: why not all of its calls are known."""

    def kept(self, account: str) -> Iterator[Demand]:
        """Yield what it takes to make, change and remove what stays in the account."""
        for name, region, effect in self.instances.get(account, ()):
            if effect not in _LEAVING:
                yield self._demand(name, region, account, ("create", "update", "delete"))

    def own(self, account: str, stackset: str) -> Iterator[Demand]:
        """Yield what the plan's own operations on a StackSet take in the account."""
        for name, region, effect in self.instances.get(account, ()):
            if name == stackset and effect in OPERATIONS:
                yield self._demand(name, region, account, OPERATIONS[effect])

    def deployed(self, account: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        """Yield StackSet, Region and parameters of each stack that stays in the account."""
        for name, region, effect in self.instances.get(account, ()):
            if effect not in _LEAVING and name in self.settings:
                yield name, region, self._parameters(name, region, account)

    def key(self, account: str) -> tuple[object, ...]:
        """Answer what tells the calls in one account from those in another, the account's id aside."""
        return tuple(
            (*instance, tuple(sorted(self._overrides.get((instance[0], account, instance[1]), {}).items())))
            for instance in self.instances.get(account, ())
        )

    def _parameters(self, name: str, region: str, account: str) -> dict[str, str]:
        values = {**self.settings[name].parameters, **self._overrides.get((name, account, region), {})}
        return {key: resolve(value, self.chains.tree.ids) for key, value in values.items()}

    def _demand(self, name: str, region: str, account: str, operations: tuple[Operation, ...]) -> Demand:
        arn, exempt = (f"arn:{self.partition}:iam::{where}:role/{EXECUTION_ROLE}" for where in (account, "*"))
        template = self._template(name)
        calls = []
        for operation in operations if template is not None else ():
            found = calls_of_template(
                template,  # type: ignore[arg-type]
                self._parameters(name, region, account),
                account=account,
                region=region,
                partition=self.partition,
                operation=operation,
            )
            calls += [call for call in found.calls if call not in calls]
            if found.unknown_types:
                told = f"the calls that {', '.join(found.unknown_types)} takes are not known"
                self.gaps.setdefault(name, set()).add(told)
        return Demand(f"StackSet {name}", arn, exempt, tuple(calls), (region,), account)

    def _template(self, name: str) -> Mapping[str, Any] | None:
        if name not in self._templates:
            settings = self.settings.get(name)
            self._templates[name] = self._read(settings.template) if settings else None
            if self._templates[name] is None:
                self.gaps.setdefault(name, set()).add("its template could not be read")
        return self._templates[name]


def _settings(plan: Plan) -> dict[str, StackSetSettings]:
    found = {stackset.name: stackset.settings for stackset in plan.observed.stacksets}
    for step in plan.steps:
        match step.change:
            case c.CreateStackSet(name=name, settings=settings):
                found[name] = settings
            case c.UpdateStackSet(name=name, settings=settings, what=what) if what != ("auto-deployment",):
                found[name] = settings
            case _:
                pass
    return found


def _instances(plan: Plan, ids: Mapping[str, str]) -> dict[str, list[Instance]]:
    found: dict[str, list[Instance]] = {}
    for preview in plan.previews:
        for instance in preview.instances:
            id = ids.get(account_reference(instance.account))
            if id:
                found.setdefault(id, []).append((preview.stackset, instance.region, instance.effect))
    return found


def _overrides(plan: Plan, ids: Mapping[str, str]) -> dict[tuple[str, str, str], Mapping[str, str]]:
    found: dict[tuple[str, str, str], Mapping[str, str]] = {
        (stackset.name, instance.account_id, instance.region): instance.overrides
        for stackset in plan.observed.stacksets
        for instance in stackset.instances
        if instance.overrides
    }
    for step in plan.steps:
        if isinstance(step.change, c.UpdateStackInstances):
            placement = step.change.placement
            for account in placement.accounts:
                for region in placement.regions:
                    id = ids.get(account_reference(account), "")
                    found[step.change.stackset, id, region] = step.change.overrides
    return found
