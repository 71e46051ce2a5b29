"""Lint rules on conditions that hold, or not, for want of a key or of values."""

from __future__ import annotations

from collections.abc import Iterator

from org.policy.grammar import NEGATED
from org.policy.lint_conditions import OPERATORS_PAGE, SETS_PAGE
from org.policy.lint_model import Fault, Linted, Rule, Severity
from org.policy.model import Effect, PolicyKind, Quantifier

_ALWAYS_THERE = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:userid",
     "aws:requestedregion", "aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:viaawsservice"}
)  # fmt: skip
"""In every request that somebody signed; what services do for themselves lacks the first three."""
_FROM_OUTSIDE = frozenset({PolicyKind.RESOURCE_CONTROL, PolicyKind.RESOURCE, PolicyKind.KEY})


def _find_negations_that_may_miss(linted: Linted) -> Iterator[Fault]:
    for statement, condition, at in linted.conditions:
        lower = condition.key.lower()
        keys = {each.key.lower() for each in statement.conditions if each.operator == "Null"}
        also = {each.key.lower() for each in statement.conditions}
        services_told_apart = "aws:principalisawsservice" in also or linted.kind not in _FROM_OUTSIDE
        if condition.operator not in NEGATED or condition.if_exists or condition.quantifier or lower in keys:
            continue
        if not linted.catalog.key_known(lower):
            continue  # that is told of already
        if lower not in _ALWAYS_THERE or (lower.startswith("aws:principal") and not services_told_apart):
            verb = "denies" if statement.effect is Effect.DENY else "allows"
            what = (
                f"{condition.operator} holds where a request has no {condition.key}, and the statement {verb} it then"
            )
            yield (
                at.key,
                what,
                f"write {condition.operator}IfExists if that is meant, or add Null: {condition.key}: false",
            )


def _find_empty_sets(linted: Linted) -> Iterator[Fault]:
    for statement, condition, at in linted.conditions:
        keys = {each.key.lower() for each in statement.conditions if each.operator == "Null"}
        if (
            statement.effect is Effect.ALLOW
            and condition.quantifier is Quantifier.FOR_ALL
            and condition.key.lower() not in keys
        ):
            what = f"ForAllValues holds where a request has no {condition.key}, and the statement allows it then"
            yield at.operator, what, f'add "Null": {{"{condition.key}": "false"}}'


def _find_negated_any(linted: Linted) -> Iterator[Fault]:
    for statement, condition, at in linted.conditions:
        allows = statement.effect is Effect.ALLOW
        if allows and condition.quantifier is Quantifier.FOR_ANY and condition.operator in NEGATED:
            what = f"ForAnyValue:{condition.operator} holds as soon as one value of {condition.key} is none of these"
            yield at.operator, what, f"write ForAllValues:{condition.operator} if all must be none of them"


def _find_empty_values(linted: Linted) -> Iterator[Fault]:
    for _, condition, at in linted.conditions:
        if not condition.values:
            yield at.key, f"the condition on {condition.key} has no values", "add one, or remove the condition"


RULES = (
    Rule(
        "negated-missing-key",
        Severity.NOTE,
        "A negated operator holds where the key is missing from a request.",
        OPERATORS_PAGE,
        _find_negations_that_may_miss,
    ),
    Rule(
        "for-all-values-allow",
        Severity.WARNING,
        "An Allow by ForAllValues also allows requests without the key.",
        SETS_PAGE,
        _find_empty_sets,
    ),
    Rule(
        "for-any-value-negated",
        Severity.WARNING,
        "An Allow by ForAnyValue and a negated operator holds as soon as one of the key's values differs.",
        SETS_PAGE,
        _find_negated_any,
    ),
    Rule(
        "no-values",
        Severity.WARNING,
        "A condition without values never holds, or always does if it is negated.",
        OPERATORS_PAGE,
        _find_empty_values,
    ),
)
