"""Policies compiled once: for each action the statements that matter to it, each as one function of a request.

What is kept is bounded: each cache is emptied as a whole when it has grown past its limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from org.policy.catalog import Catalog
from org.policy.conditions import CompiledCondition, Context, compile_condition
from org.policy.decision import Deciding
from org.policy.model import Condition, Effect, Policy, Statement
from org.policy.patterns import FALSE, TRUE, UNKNOWN, both, matcher_of
from org.policy.principals import Naming, compile_principals
from org.policy.request import Principal
from org.policy.request_keys import is_request_tag, passes_tags
from org.policy.resources import Check, resource_check
from org.policy.variables import Template, is_known, template_of

MOST_ACTIONS = 32_768
MOST_CONDITIONS = 16_384


def _holds(_resource: str, _wild: bool, _context: Context, _complete: bool, _principal: Principal) -> int:
    return TRUE


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """A statement whose action is known to match."""

    policy: Policy
    statement: Statement
    check: Check
    """All of it; without `naming` for a statement whose Principal is looked at by itself."""
    resource: Check | None
    naming: Naming | None
    conditions: tuple[CompiledCondition, ...]

    @property
    def is_certain(self) -> bool:
        """Say whether it holds for every request with this action."""
        return self.check is _holds and self.naming is None

    def deciding(self, level: str) -> Deciding:
        return Deciding(
            self.policy.kind, True, self.policy.name, self.policy.arn, self.statement.label, self.statement.index, level
        )

    def unknown(self, resource: str, wild: bool, context: Context, complete: bool, principal: Principal) -> list[str]:
        """Answer what its being unknown hangs on."""
        found: list[str] = []
        if self.resource and self.resource(resource, wild, context, complete, principal) == UNKNOWN:
            found += self._open_variables(context) or ["resource"]
        for condition in self.conditions:
            if condition.check(context, complete) == UNKNOWN:
                found += condition.unknown_keys(context)
        if self.naming:
            named = self.naming(principal)
            # In a grant it may count how the principal is named: then its role is, and its session perhaps.
            if named.at_all == UNKNOWN or (not found and UNKNOWN in {named.direct, named.role, named.account}):
                found.append("principal")
        return found

    def _open_variables(self, context: Context) -> list[str]:
        templates = [template_of(text, self.policy.version) for text in self.statement.resources]
        variables = [v for each in templates if isinstance(each, Template) for v in each.variables()]
        return [variable.written for variable in variables if not is_known(variable.key, context)]


class KeyScope(NamedTuple):
    """What of an action decides which condition keys can only be absent."""

    service: str
    """Empty where the statements name no key that hangs on it."""
    untagged: bool
    """Its requests pass no tags."""


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """The statements of one policy that matter to some actions, in the policy's order; one object for all of these."""

    denies: tuple[CompiledStatement, ...]
    allows: tuple[CompiledStatement, ...]


class CompiledPolicy:
    """Answers by action; shared by whoever has an equal policy."""

    def __init__(self, policy: Policy, compiler: Compiler, *, bounded: bool) -> None:
        self.policy = policy
        self._compiler = compiler
        self._bounded = bounded
        self._actions = [
            (statement, matcher_of(tuple(action.lower() for action in statement.actions)))
            for statement in policy.statements
        ]
        self._known: dict[str, Matching] = {}
        self._distinct: dict[tuple[KeyScope, tuple[int, ...]], Matching] = {}

    def matching(self, action: str) -> Matching:
        """Answer for an action in lower case."""
        found = self._known.get(action)
        if found is None:
            if len(self._known) >= MOST_ACTIONS:
                self._known.clear()
            found = self._known[action] = self._find(action)
        return found

    def _find(self, action: str) -> Matching:
        hits = tuple(
            index
            for index, (statement, is_meant) in enumerate(self._actions)
            if is_meant(action) is not statement.not_actions
        )
        statements = [self._actions[index][0] for index in hits]
        scope = self._compiler.scope(action, statements)
        found = self._distinct.get((scope, hits))
        if found is None:
            if len(self._distinct) >= MOST_ACTIONS:
                self._distinct.clear()
            compiled = [
                self._compiler.statement(self.policy, statement, scope, bounded=self._bounded)
                for statement in statements
            ]
            found = self._distinct[scope, hits] = Matching(
                tuple(each for each in compiled if each.statement.effect is Effect.DENY),
                tuple(each for each in compiled if each.statement.effect is Effect.ALLOW),
            )
        return found


def _hangs_on_service(statement: Statement) -> bool:
    """Say whether it has a key that may be foreign to some service; global keys are so to none."""
    if any("${" in text for text in statement.resources):
        return True
    return any(
        not each.key.lower().startswith("aws:") or any("${" in value for value in each.values)
        for each in statement.conditions
    )


def _names_request_tags(statement: Statement) -> bool:
    if any("${" in text for text in statement.resources):
        return True
    return any(is_request_tag(each.key) or any("${" in value for value in each.values) for each in statement.conditions)


class Compiler:
    """Keeps what equal statements have in common: above all the conditions that exempt the same principals."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._conditions: dict[tuple[Condition, str, KeyScope], CompiledCondition] = {}

    def scope(self, action: str, statements: Sequence[Statement]) -> KeyScope:
        """Answer what the statements' keys hang on; an action that is not known may pass tags."""
        service = action.partition(":")[0] if any(map(_hangs_on_service, statements)) else ""
        untagged = False
        if any(map(_names_request_tags, statements)):
            entry = self.catalog.find_action(action)
            untagged = entry is not None and not passes_tags(entry)
        return KeyScope(service, untagged)

    def statement(self, policy: Policy, statement: Statement, scope: KeyScope, *, bounded: bool) -> CompiledStatement:
        conditions = tuple(self._condition(each, policy.version, scope) for each in statement.conditions)
        # The cheap ones first: what is remembered for each principal.
        conditions = tuple(sorted(conditions, key=lambda each: not each.principal_only))
        resource = resource_check(statement, policy.version, lambda key: self._is_absent(scope, key))
        naming = compile_principals(statement, bounded=bounded)
        check = _joined(resource, conditions)
        return CompiledStatement(policy, statement, check, resource, naming, conditions)

    def _is_absent(self, scope: KeyScope, key: str) -> bool:
        return (scope.untagged and is_request_tag(key)) or self.catalog.is_foreign(scope.service, key)

    def _condition(self, condition: Condition, version: str, scope: KeyScope) -> CompiledCondition:
        key = (condition, version, scope)
        found = self._conditions.get(key)
        if found is None:
            if len(self._conditions) >= MOST_CONDITIONS:
                self._conditions.clear()
            found = compile_condition(condition, version, lambda name: self._is_absent(scope, name))
            self._conditions[key] = found
        return found


def with_naming(check: Check, naming: Naming) -> Check:
    """Ask for the principal, too, in whatever way it is named."""

    def both_hold(resource: str, wild: bool, context: Context, complete: bool, principal: Principal) -> int:
        named = naming(principal).at_all
        return both((named, check(resource, wild, context, complete, principal))) if named else FALSE

    return both_hold


def _joined(resource: Check | None, conditions: tuple[CompiledCondition, ...]) -> Check:
    """Make one function of a statement's parts, which stops at the first that does not hold."""
    checks = tuple(condition.check for condition in conditions)
    if not checks:
        return resource or _holds
    if len(checks) == 1:
        return _with_one(resource, checks[0])
    return _with_several(resource, checks)


def _with_one(resource: Check | None, only: Callable[[Context, bool], int]) -> Check:
    if resource is None:
        return lambda _resource, _wild, context, complete, _principal: only(context, complete)
    reached = resource

    def check(resource: str, wild: bool, context: Context, complete: bool, principal: Principal) -> int:
        found = only(context, complete)
        if not found:
            return FALSE
        there = reached(resource, wild, context, complete, principal)
        return there if found == TRUE or not there else UNKNOWN

    return check


def _with_several(resource: Check | None, checks: tuple[Callable[[Context, bool], int], ...]) -> Check:
    first, *rest = checks
    others = tuple(rest)

    def check(asked: str, wild: bool, context: Context, complete: bool, principal: Principal) -> int:
        result = first(context, complete)
        if not result:
            return FALSE
        if resource is not None:
            found = resource(asked, wild, context, complete, principal)
            if not found:
                return FALSE
            if found == UNKNOWN:
                result = UNKNOWN
        for each in others:
            found = each(context, complete)
            if not found:
                return FALSE
            if found == UNKNOWN:
                result = UNKNOWN
        return result

    return check
