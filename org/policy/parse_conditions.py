"""The Condition element.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

from dataclasses import dataclass

from org.policy.grammar import OPERATORS, Family
from org.policy.model import Condition, Quantifier
from org.policy.parse_nodes import read_texts, shown
from org.policy.parse_places import ConditionPlaces
from org.policy.parse_values import find_value_fault
from org.source.findings import Finding, Place, suggest
from org.source.nodes import MappingNode, Node, ScalarNode

_SUFFIX = "IfExists"
Placed = tuple[Condition, ConditionPlaces]


@dataclass(frozen=True, slots=True)
class _Operator:
    name: str
    quantifier: Quantifier
    if_exists: bool


def read_conditions(node: Node, findings: list[Finding]) -> list[Placed]:
    """Answer one condition for each key under each operator; an operator without keys asks for nothing.

    [H] No page says that Null takes a quantifier, and its question is not one about single values.
    """
    if not isinstance(node, MappingNode):
        todo = 'write an object such as {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}'
        findings.append(Finding(node.place, f"Condition is {shown(node)}", todo))
        return []
    read: list[Placed] = []
    for key, value in node.pairs:
        operator = _read_operator(key, findings)
        if not isinstance(value, MappingNode):
            what = f"the operator {key.text!r} is given {shown(value)}"
            findings.append(Finding(value.place, what, "write an object from condition keys to values"))
        elif operator is not None:
            _find_keys_that_differ_in_case(value, findings)
            read += [_read_condition(operator, key.place, *pair, findings) for pair in value.pairs]
    return read


def _read_operator(key: ScalarNode, findings: list[Finding]) -> _Operator | None:
    prefix, colon, rest = key.text.partition(":")
    quantifier = Quantifier.NONE
    if colon:
        if prefix not in {Quantifier.FOR_ALL, Quantifier.FOR_ANY}:
            todo = suggest(prefix, ("ForAllValues", "ForAnyValue"), "write ForAllValues: or ForAnyValue:, or none")
            findings.append(Finding(key.place, f"unknown quantifier {prefix!r} in {key.text!r}", todo))
            return None
        quantifier = Quantifier(prefix)
    else:
        rest = key.text
    name = rest.removesuffix(_SUFFIX)
    if_exists = name != rest
    if name not in OPERATORS:
        valid = [operator + (_SUFFIX if if_exists else "") for operator in OPERATORS]
        todo = suggest(rest, valid, "its operators are on AWS's page of condition operators")
        findings.append(Finding(key.place, f"unknown condition operator {rest!r}", todo))
        return None
    if OPERATORS[name] is Family.NULL and (if_exists or quantifier):
        added = _SUFFIX if if_exists else quantifier
        findings.append(Finding(key.place, f"the operator Null takes no {added}", "write Null"))
        return None
    return _Operator(name, quantifier, if_exists)


def _read_condition(operator: _Operator, place: Place, key: ScalarNode, value: Node, findings: list[Finding]) -> Placed:
    if not key.text:
        findings.append(Finding(key.place, "a condition key is empty text", "name a key, such as aws:PrincipalArn"))
    family = OPERATORS[operator.name]
    texts = read_texts(value, f"the condition on {key.text}", findings, scalars=True, empty=True)
    for text, at in texts:
        fault = find_value_fault(family, text)
        if fault is not None:
            what, todo = fault
            findings.append(Finding(at, f"{what}, which {operator.name} on {key.text} needs", todo))
    values = tuple(text for text, _ in texts)
    condition = Condition(operator.name, key.text, values, operator.quantifier, operator.if_exists)
    return condition, ConditionPlaces(place, key.place, tuple(at for _, at in texts))


def _find_keys_that_differ_in_case(node: MappingNode, findings: list[Finding]) -> None:
    """Condition keys are compared without regard to case; those that are the same to the letter are told of before."""
    first: dict[str, ScalarNode] = {}
    for key, _ in node.pairs:
        other = first.setdefault(key.text.lower(), key)
        if other.text != key.text:
            what = f"the condition key {key.text!r} is already at {other.place}, in another case"
            findings.append(Finding(key.place, what, "keep one of the two"))
