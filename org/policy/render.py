"""Policies back to JSON, and to the shortest form that means the same; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from org.policy.grammar import GRAMMARS, OLD_VERSION
from org.policy.model import Condition, Policy, PolicyKind, Principals, Statement
from org.policy.parse import parse_policy
from org.policy.patterns import covers
from org.source.findings import SourceErrors

_LIKE = frozenset({"StringLike", "StringNotLike"})
"""The operators whose patterns reach over a value as a whole; those for ARNs compare part by part."""


def document_of(policy: Policy) -> dict[str, object]:
    """Answer the policy as a JSON value; lists of one are unwrapped, and what is empty is left out.

    Raises ValueError where a statement has one condition key twice under one operator, which JSON cannot say.
    """
    statements = [_statement(statement, policy.kind) for statement in policy.statements]
    document: dict[str, object] = {}
    if policy.version != OLD_VERSION or GRAMMARS[policy.kind].needs_version:
        document["Version"] = policy.version
    return document | {"Statement": statements[0] if len(statements) == 1 else statements}


def minify(policy: Policy) -> str:
    """Answer the shortest text that means the same; Sids stay, since messages name them."""
    return json.dumps(document_of(normalise(policy)), separators=(",", ":"), ensure_ascii=False)


def means_the_same(one: str, other: str, kind: PolicyKind) -> bool:
    """Say whether two texts of policies differ in nothing but the order of lists and in what is said twice.

    Sids count, since messages name them. What cannot be read means nothing that could be the same.
    """
    try:
        first, second = (normalise(parse_policy(text, kind, "", in_force=True)) for text in (one, other))
    except SourceErrors:
        return False
    return first.version == second.version and _unordered(first) == _unordered(second)


def _unordered(policy: Policy) -> frozenset[Statement]:
    return frozenset(replace(statement, index=0) for statement in policy.statements)


def too_long(size: int, most: int, of: str, shortest: int | None) -> tuple[str, str]:
    """Say by how much a policy of `size` characters is over what AWS allows, and what `minify` would save of them."""
    what = f"the policy has {size:,} characters without white space, and AWS allows {most:,}{of}"
    todo = f"shorten it by {size - most:,} or split it into two policies"
    if shortest is not None and shortest < size:
        todo = f"{todo}; the shortest text that means the same has {shortest:,}"
    return what, todo


def normalise(policy: Policy) -> Policy:
    """Answer the policy without what is said twice, and with every list sorted; statements stay in their order."""
    return replace(policy, statements=tuple(map(_normal_statement, policy.statements)))


def _normal_statement(statement: Statement) -> Statement:
    conditions = {_order(condition): condition for condition in map(_normal_condition, statement.conditions)}
    return replace(
        statement,
        actions=_without_covered(statement.actions, ignore_case=True),
        resources=_without_covered(statement.resources),
        principals=_normal_principals(statement.principals),
        conditions=tuple(conditions[order] for order in sorted(conditions)),
    )


def _normal_condition(condition: Condition) -> Condition:
    if condition.operator in _LIKE:
        return replace(condition, values=_without_covered(condition.values))
    return replace(condition, values=tuple(sorted(set(condition.values))))


def _order(condition: Condition) -> tuple[str, str, tuple[str, ...]]:
    return _operator(condition), condition.key, condition.values


def _normal_principals(principals: Principals | None) -> Principals | None:
    if principals is None:
        return None
    return Principals(
        everyone=principals.everyone,
        aws=() if principals.everyone else tuple(sorted(set(principals.aws))),
        service=tuple(sorted(set(principals.service))),
        federated=tuple(sorted(set(principals.federated))),
        canonical=tuple(sorted(set(principals.canonical))),
    )


def _without_covered(patterns: Iterable[str], *, ignore_case: bool = False) -> tuple[str, ...]:
    """Answer the patterns, sorted, without those of which another one matches all.

    A variable may become any text, also none, so that only `*` is known to match what one becomes.
    """
    kept: list[str] = []
    waiting = sorted(set(patterns), key=lambda pattern: (pattern.lower(), pattern) if ignore_case else (pattern,))
    for index, pattern in enumerate(waiting):
        others = (*kept, *waiting[index + 1 :])
        if not any(_covers(other, pattern, ignore_case=ignore_case) for other in others):
            kept.append(pattern)
    return tuple(kept)


def _covers(general: str, special: str, *, ignore_case: bool) -> bool:
    if general == "*":
        return True
    return "${" not in general and "${" not in special and covers(general, special, ignore_case=ignore_case)


def _statement(statement: Statement, kind: PolicyKind) -> dict[str, object]:
    document: dict[str, object] = {"Sid": statement.sid} if statement.sid else {}
    document["Effect"] = statement.effect.value
    if statement.principals is not None:
        document["NotPrincipal" if statement.not_principals else "Principal"] = _principals(statement.principals, kind)
    document["NotAction" if statement.not_actions else "Action"] = _one_or_many(statement.actions)
    if statement.resources:
        document["NotResource" if statement.not_resources else "Resource"] = _one_or_many(statement.resources)
    if statement.conditions:
        document["Condition"] = _conditions(statement)
    return document


def _principals(principals: Principals, kind: PolicyKind) -> object:
    """IAM refuses `"*"` alone in the trust policy of a role: `invalid principal: "STAR":"*"`."""
    aws = ("*", *principals.aws) if principals.everyone else principals.aws
    listed = {
        "AWS": aws,
        "Service": principals.service,
        "Federated": principals.federated,
        "CanonicalUser": principals.canonical,
    }
    given = {type: _one_or_many(values) for type, values in listed.items() if values}
    return "*" if given == {"AWS": "*"} and kind is not PolicyKind.TRUST else given


def _conditions(statement: Statement) -> dict[str, dict[str, object]]:
    document: dict[str, dict[str, object]] = {}
    for condition in statement.conditions:
        keys = document.setdefault(_operator(condition), {})
        if condition.key.lower() in {key.lower() for key in keys}:
            raise ValueError(f"{statement.label}: {condition.key} stands twice under {_operator(condition)}")
        keys[condition.key] = _one_or_many(condition.values)
    return document


def _operator(condition: Condition) -> str:
    quantifier = f"{condition.quantifier}:" if condition.quantifier else ""
    return quantifier + condition.operator + ("IfExists" if condition.if_exists else "")


def _one_or_many(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
