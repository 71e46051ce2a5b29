"""Which calls the StackSets of a plan make in an account, from the templates that they deploy there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from org import changes as c
from org.model import RequiredCall, StackSetSettings, is_within
from org.plan.model import Effect, Plan
from org.proof.calls import TemplateCalls, calls_of_template
from org.proof.chains import Chains
from org.proof.model import Demand, Meaning
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
        self._tags = _tags(plan)
        self.instances = _instances(plan, chains.tree.ids)
        changes = [step.change for step in plan.steps]
        self._withdrawn = {each.stackset for each in changes if isinstance(each, c.DeleteStackInstances)}
        self._moving = {
            chains.tree.ids[account_reference(each.name)] for each in changes if isinstance(each, c.MoveAccount)
        }
        self._previous = _previous(plan, self.settings)
        self._overrides = _overrides(plan, chains, self.instances)
        self._read = read_template
        self._templates: dict[str, Mapping[str, Any] | None] = {}
        self._known: dict[tuple[object, ...], TemplateCalls] = {}
        self.assumed: set[str] = set()
        """Resource types whose calls are guessed from the names of calls."""
        self.gaps: dict[str, set[str]] = {}
        """By StackSet: why not all of its calls are known."""

    def kept(self, account: str) -> Iterator[Demand]:
        """Yield what it takes to make, change and remove what stays in the account."""
        for name, region, effect in self.instances.get(account, ()):
            if effect not in _LEAVING:
                yield self._demand(name, region, account, ("create", "update", "delete"))
            elif effect is Effect.DELETED and account in self._moving and name not in self._withdrawn:
                # Auto-deployment takes the stack away once the account has left the unit.
                yield self._demand(name, region, account, ("delete",))

    def own(self, account: str, stackset: str) -> Iterator[Demand]:
        """Yield what the plan's own operations on a StackSet take in the account."""
        for name, region, effect in self.instances.get(account, ()):
            if name == stackset and effect in OPERATIONS:
                replacing = effect is Effect.REPLACED
                yield self._demand(name, region, account, OPERATIONS[effect], replacing=replacing)

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

    def _parameters(
        self, name: str, region: str, account: str, settings: StackSetSettings | None = None
    ) -> dict[str, str]:
        values = {**(settings or self.settings[name]).parameters, **self._overrides.get((name, account, region), {})}
        return {key: resolve(value, self.chains.tree.ids) for key, value in values.items()}

    def _demand(
        self, name: str, region: str, account: str, operations: tuple[Operation, ...], *, replacing: bool = False
    ) -> Demand:
        arn, exempt = (f"arn:{self.partition}:iam::{where}:role/{EXECUTION_ROLE}" for where in (account, "*"))
        asked = [(self.settings.get(name), operation) for operation in operations]
        if name in self._previous and "update" in operations:
            # What an update leaves out of the template is deleted.
            asked.append((self._previous[name], "delete"))
        calls: dict[object, RequiredCall] = {}
        for settings, operation in asked:
            for call in self._calls(name, settings, region, account, operation, replacing):
                calls.setdefault((call.action, call.resource, tuple(sorted(call.context.items()))), call)
        return Demand(
            f"StackSet {name}", arn, exempt, tuple(calls.values()), (region,), account, meaning=Meaning.UNKNOWN
        )

    def _calls(
        self,
        name: str,
        settings: StackSetSettings | None,
        region: str,
        account: str,
        operation: Operation,
        replacing: bool,
    ) -> tuple[RequiredCall, ...]:
        template = self._template(name, settings)
        if template is None or settings is None:
            return ()
        parameters = self._parameters(name, region, account, settings)
        tags = self._tags.get(name, {})
        given = (tuple(sorted(parameters.items())), tuple(sorted(tags.items())))
        key = (settings.template, region, account, operation, replacing, *given)
        if key not in self._known:
            self._known[key] = calls_of_template(
                template,
                parameters,
                account=account,
                region=region,
                partition=self.partition,
                operation=operation,
                tags=tags,
                replacing=replacing,
            )
        found = self._known[key]
        self.assumed.update(found.assumed_types)
        if found.unknown_types:
            told = f"the calls that {', '.join(found.unknown_types)} takes are not known"
            self.gaps.setdefault(name, set()).add(told)
        return found.calls

    def _template(self, name: str, settings: StackSetSettings | None) -> Mapping[str, Any] | None:
        body = settings.template if settings else ""
        if body not in self._templates:
            self._templates[body] = self._read(body) if body else None
        if self._templates[body] is None:
            self.gaps.setdefault(name, set()).add("its template could not be read")
        return self._templates[body]


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


def _tags(plan: Plan) -> dict[str, Mapping[str, str]]:
    """Answer the tags of the StackSets, which CloudFormation hands on to all that their stacks make.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html
    """
    found = {stackset.name: stackset.tags for stackset in plan.observed.stacksets}
    for step in plan.steps:
        if isinstance(step.change, c.CreateStackSet | c.UpdateStackSet):
            found[step.change.name] = step.change.tags
    return found


def _instances(plan: Plan, ids: Mapping[str, str]) -> dict[str, list[Instance]]:
    found: dict[str, list[Instance]] = {}
    for preview in plan.previews:
        for instance in preview.instances:
            id = ids.get(account_reference(instance.account))
            if id:
                found.setdefault(id, []).append((preview.stackset, instance.region, instance.effect))
    return found


def _overrides(
    plan: Plan, chains: Chains, instances: Mapping[str, list[Instance]]
) -> dict[tuple[str, str, str], Mapping[str, str]]:
    found: dict[tuple[str, str, str], Mapping[str, str]] = {
        (stackset.name, instance.account_id, instance.region): instance.overrides
        for stackset in plan.observed.stacksets
        for instance in stackset.instances
        if instance.overrides
    }
    for step in plan.steps:
        change = step.change
        if not isinstance(change, c.CreateStackInstances | c.UpdateStackInstances):
            continue
        if isinstance(change, c.CreateStackInstances) and not change.overrides:
            continue
        for id in instances:
            if _is_placed(chains, change.placement, id):
                found |= {(change.stackset, id, region): change.overrides for region in change.placement.regions}
    return found


def _is_placed(chains: Chains, placement: c.Placement, account: str) -> bool:
    if account not in chains.tree.nodes:
        return False
    node = chains.tree.nodes[account]
    if placement.accounts:
        return node.name in placement.accounts
    unit = chains.tree.path_of(node.parent)
    return any(is_within(unit, each) for each in placement.units)


def _previous(plan: Plan, settings: Mapping[str, StackSetSettings]) -> dict[str, StackSetSettings]:
    """Answer what StackSets deploy until now, where the plan changes it."""
    return {
        stackset.name: stackset.settings
        for stackset in plan.observed.stacksets
        if stackset.settings.template and stackset.settings.template != settings[stackset.name].template
    }
