"""The Condition element.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

from dataclasses import dataclass

from org.policy.grammar import OPERATORS, Family
from org.policy.model import Condition, Quantifier
from org.policy.parse_nodes import Faults, read_texts, shown
from org.policy.parse_places import ConditionPlaces
from org.policy.parse_values import find_value_fault
from org.source.findings import Place, suggest
from org.source.nodes import MappingNode, Node, ScalarNode

_SUFFIX = "IfExists"
_OPERATORS = {name.lower(): name for name in OPERATORS}
_QUANTIFIERS = {each.lower(): each for each in Quantifier}
Placed = tuple[Condition, ConditionPlaces]


@dataclass(frozen=True, slots=True)
class _Operator:
    name: str
    quantifier: Quantifier
    if_exists: bool


def read_conditions(node: Node, faults: Faults) -> list[Placed]:
    """Answer one condition for each key under each operator; an operator without keys asks for nothing.

    An operator in another case is taken for what it is nearly written as. Null with a quantifier or IfExists is not
    read: no page says what `false` then means where the key is missing [H].
    """
    if not isinstance(node, MappingNode):
        todo = 'write an object such as {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}'
        faults.puzzle(node.place, f"Condition is {shown(node)}", todo)
        return []
    read: list[Placed] = []
    for key, value in node.pairs:
        operator = _read_operator(key, faults)
        if not isinstance(value, MappingNode):
            what = f"the operator {key.text!r} is given {shown(value)}"
            faults.puzzle(value.place, what, "write an object from condition keys to values")
        elif operator is not None:
            _find_keys_that_differ_in_case(value, faults)
            read += [_read_condition(operator, key.place, *pair, faults) for pair in value.pairs]
    return read


def _read_operator(key: ScalarNode, faults: Faults) -> _Operator | None:
    prefix, colon, rest = key.text.partition(":")
    if not colon:
        prefix, rest = "", key.text
    quantifier = _QUANTIFIERS.get(prefix.lower())
    if quantifier is None or (colon and not quantifier):
        todo = suggest(prefix, ("ForAllValues", "ForAnyValue"), "write ForAllValues: or ForAnyValue:, or none")
        faults.puzzle(key.place, f"unknown quantifier {prefix!r} in {key.text!r}", todo)
        return None
    if_exists = rest.lower().endswith(_SUFFIX.lower())
    ending = _SUFFIX if if_exists else ""
    name = _OPERATORS.get(rest[: len(rest) - len(ending)].lower())
    if name is None:
        todo = suggest(rest, [each + ending for each in OPERATORS], "see AWS's page of condition operators")
        faults.puzzle(key.place, f"unknown condition operator {rest!r}", todo)
        return None
    if OPERATORS[name] is Family.NULL and (if_exists or quantifier):
        faults.puzzle(key.place, f"the operator Null takes no {ending or quantifier}", "write Null")
        return None
    if prefix != quantifier:
        faults.refuse(
            key.place, f"unknown quantifier {prefix!r} in {key.text!r}", f"did you mean {quantifier.value!r}?"
        )
    if rest != name + ending:
        faults.refuse(key.place, f"unknown condition operator {rest!r}", f"did you mean {name + ending!r}?")
    return _Operator(name, quantifier, if_exists)


def _read_condition(operator: _Operator, place: Place, key: ScalarNode, value: Node, faults: Faults) -> Placed:
    if not key.text:
        faults.puzzle(key.place, "a condition key is empty text", "name a key, such as aws:PrincipalArn")
    family = OPERATORS[operator.name]
    texts = read_texts(value, f"the condition on {key.text}", faults, scalars=True, empty=True)
    for text, at in texts:
        fault = find_value_fault(family, text)
        if fault is not None:
            what, todo = fault
            faults.refuse(at, f"{what}, which {operator.name} on {key.text} needs", todo)
    values = tuple(text for text, _ in texts)
    condition = Condition(operator.name, key.text, values, operator.quantifier, operator.if_exists)
    return condition, ConditionPlaces(place, key.place, tuple(at for _, at in texts))


def _find_keys_that_differ_in_case(node: MappingNode, faults: Faults) -> None:
    """Condition keys are compared without regard to case; those that are the same to the letter are told of before."""
    first: dict[str, ScalarNode] = {}
    for key, _ in node.pairs:
        other = first.setdefault(key.text.lower(), key)
        if other.text != key.text:
            what = f"the condition key {key.text!r} is already at {other.place}, in another case"
            faults.puzzle(key.place, what, "keep one of the two")
