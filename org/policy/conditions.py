"""Conditions, each compiled into one function from a request's context to true, false or unknown.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from org.errors import OrgctlError
from org.policy.model import Condition, Quantifier
from org.policy.operators import NULL, OPERATORS, Operator
from org.policy.patterns import FALSE, TRUE, UNKNOWN, both, either, is_pattern, negation
from org.policy.request import ContextValue
from org.policy.variables import PRINCIPAL_ARN, Template, is_known, template_of

MOST_REMEMBERED = 4_096

Context = Mapping[str, ContextValue]
Check = Callable[[Context, bool], int]
IsForeign = Callable[[str], bool]


class _Missing:
    """No value at all, not even the knowledge that there is none."""


_MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    check: Check
    """Given the context and whether it is complete."""
    keys: tuple[str, ...]
    """The keys that it hangs on, as they are written."""
    is_foreign: IsForeign
    principal_only: bool = False

    def unknown_keys(self, context: Context) -> tuple[str, ...]:
        return tuple(key for key in self.keys if self._is_open(key.lower(), context))

    def _is_open(self, key: str, context: Context) -> bool:
        return not is_known(key, context) if key in context else not self.is_foreign(key)


def compile_condition(condition: Condition, version: str, is_foreign: IsForeign) -> CompiledCondition:
    """Build the test of one condition; `is_foreign` tells the keys that can only be absent whatever is not given."""
    key = condition.key.lower()
    foreign = is_foreign(key)
    if condition.operator == NULL:
        return CompiledCondition(_null(key, condition.values, foreign), (condition.key,), is_foreign)
    operator = OPERATORS.get(condition.operator)
    if operator is None:
        raise OrgctlError(f"condition on {condition.key}", f"there is no operator {condition.operator!r}")
    templates = [template_of(v, version) if operator.variables else v for v in condition.values]
    variables = tuple(v for t in templates if isinstance(t, Template) for v in t.variables())
    keys = tuple(dict.fromkeys((condition.key, *(variable.written for variable in variables))))
    absent = _when_absent(condition, operator)
    if variables:
        check = _filled_in(key, templates, operator, condition.quantifier, absent, is_foreign)
        return CompiledCondition(check, keys, is_foreign)
    patterns = tuple(template for template in templates if isinstance(template, str))
    value_test = _value_test(operator, patterns)
    if key == PRINCIPAL_ARN:
        check = _remembered(key, _of_principal(operator, patterns), condition.quantifier, absent)
        return CompiledCondition(check, keys, is_foreign, principal_only=True)
    if condition.quantifier is Quantifier.NONE:
        return CompiledCondition(_single(key, operator, patterns, absent, foreign), keys, is_foreign)
    return CompiledCondition(_several(key, value_test, condition.quantifier, absent, foreign), keys, is_foreign)


def _when_absent(condition: Condition, operator: Operator) -> int:
    """Answer what holds where the key is not in the request, or has no values.

    The match fails, and so its negation holds; ForAllValues holds and ForAnyValue does not, IfExists always holds.
    """
    if condition.if_exists or condition.quantifier is Quantifier.FOR_ALL:
        return TRUE
    if condition.quantifier is Quantifier.FOR_ANY:
        return FALSE
    return int(operator.negated)


def _null(key: str, values: tuple[str, ...], foreign: bool) -> Check:
    """Ask whether there is a value: several of which all are empty are none, and one that is empty is one [H]."""
    wanted = {value.strip().lower() for value in values}
    if_absent, if_present = int("true" in wanted), int("false" in wanted)

    def check(context: Context, complete: bool) -> int:
        value = context.get(key, _MISSING)
        if value is _MISSING:
            return if_absent if complete or foreign or if_absent == if_present else UNKNOWN
        there = any(value) if isinstance(value, tuple) else value is not None
        return if_present if there else if_absent

    return check


def _value_test(operator: Operator, patterns: tuple[str, ...]) -> Callable[[str], int]:
    test, negated = operator.test(patterns), operator.negated
    return lambda value: test(value) is not negated


def _single(key: str, operator: Operator, patterns: tuple[str, ...], absent: int, foreign: bool) -> Check:
    """Compare a key that has one value; of several any may match, and for a negated operator none [H]."""
    test, negated = operator.test(patterns), operator.negated

    def check(context: Context, complete: bool) -> int:
        value = context.get(key, _MISSING)
        if value.__class__ is str:
            return test(value) is not negated  # a str, said in the cheapest way
        if value is _MISSING:
            return absent if complete or foreign else UNKNOWN
        if not isinstance(value, tuple) or not value:
            return absent
        return any(map(test, value)) is not negated

    return check


def _several(key: str, test: Callable[[str], int], quantifier: Quantifier, absent: int, foreign: bool) -> Check:
    def check(context: Context, complete: bool) -> int:
        value = context.get(key, _MISSING)
        if value is _MISSING:
            return absent if complete or foreign else UNKNOWN
        return _over(value, test, quantifier, absent)

    return check


def _over(value: object, test: Callable[[str], int], quantifier: Quantifier, absent: int) -> int:
    """Apply a test to all values, or any; empty ones do not count."""
    values = (value,) if isinstance(value, str) else value
    given = [each for each in values if each] if isinstance(values, tuple) else []
    if not given:
        return absent
    return both(map(test, given)) if quantifier is Quantifier.FOR_ALL else either(map(test, given))


def _of_principal(operator: Operator, patterns: tuple[str, ...]) -> Callable[[str], int]:
    test, blurred = operator.test(patterns), operator.blurred
    unclear = blurred(patterns) if blurred else None

    def tell(value: str) -> int:
        if not is_pattern(value):
            found: int = test(value)
        else:
            found = unclear(value) if unclear else UNKNOWN
        return negation(found) if operator.negated else int(found)

    return tell


def _remembered(key: str, test: Callable[[str], int], quantifier: Quantifier, absent: int) -> Check:
    """Keep the answer for each principal: many requests come from few; forgotten as a whole when there are too many."""
    known: dict[object, int] = {}

    def check(context: Context, complete: bool) -> int:
        value = context.get(key, _MISSING)
        found = known.get(value)
        if found is not None:
            return found
        if value is _MISSING:
            return absent if complete else UNKNOWN
        if quantifier is Quantifier.NONE and isinstance(value, str):
            found = test(value)
        else:
            found = _over(value, test, quantifier, absent)
        if len(known) >= MOST_REMEMBERED:
            known.clear()
        known[value] = found
        return found

    return check


def _filled_in(key: str, templates: list[str | Template], operator: Operator, quantifier: Quantifier, absent: int,
               is_foreign: IsForeign) -> Check:  # fmt: skip
    """Fill the variables in for each request. One without a value matches nothing, which a negated operator likes."""
    foreign = is_foreign(key)

    def check(context: Context, complete: bool) -> int:
        value = context.get(key, _MISSING)
        if value is _MISSING:
            return absent if complete or foreign else UNKNOWN
        patterns, doubt = [], False
        for template in templates:
            if isinstance(template, str):
                patterns.append(template)
                continue
            filled, unsure = template.resolve(context, lambda name: complete or is_foreign(name))
            doubt = doubt or unsure
            if filled is not None:
                patterns.append(filled)
        test, blurred = operator.test(tuple(patterns)), operator.blurred

        def tell(one: str) -> int:
            if key == PRINCIPAL_ARN and is_pattern(one):
                found = blurred(tuple(patterns))(one) if blurred else UNKNOWN
            else:
                found = int(test(one))
            if found == FALSE and doubt:
                found = UNKNOWN
            return negation(found) if operator.negated else found

        if quantifier is not Quantifier.NONE:
            return _over(value, tell, quantifier, absent)
        if isinstance(value, str):
            return tell(value)
        if not isinstance(value, tuple) or not value:
            return absent
        return (both if operator.negated else either)(map(tell, value))

    return check
