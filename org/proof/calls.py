"""The calls that CloudFormation makes for a template's resources, as the role with which StackSets work.

Of what a type's schema lists only a part is called for a given resource. `calls` holds what certainly is, as far as
the tables know (`org.proof.call_names`); `possible` what may be, on grounds that they do not: a proof cannot count on
either. A role, a key or a tag that no property names brings no call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from org.model import RequiredCall
from org.proof.call_names import Operation, TypeCalls, find_type
from org.proof.property_values import names_of
from org.proof.resource_calls import find_calls
from org.proof.template_values import (
    UNKNOWN,
    Scope,
    as_text,
    find_conditions,
    holds,
    is_open,
    name_values,
    resolve,
)

_MOST_UNDECIDED = 4
_NESTED = "AWS::CloudFormation::Stack"
_MACROS = ("Fn::ForEach", "Fn::Transform")
_KEPT = "Retain"
_OWN = {
    "create": ("cloudformation:CreateStack", "cloudformation:DescribeStacks"),
    "update": ("cloudformation:UpdateStack", "cloudformation:DescribeStacks"),
    "delete": ("cloudformation:DeleteStack", "cloudformation:DescribeStacks"),
}
"""What StackSets do in the member account with the same role. [H]

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
"""


@dataclass(frozen=True, slots=True)
class TemplateCalls:
    calls: tuple[RequiredCall, ...]
    """What must be let through."""
    unknown_types: tuple[str, ...] = ()
    """Types, transforms and loops of which nothing is known: what they call cannot be proved."""
    assumed_types: tuple[str, ...] = ()
    """Types whose calls are guessed from names."""
    possible: tuple[RequiredCall, ...] = ()
    """What may be called besides: by a change of properties that is not known here, or through other services."""


@dataclass(slots=True)
class _Found:
    """Calls without repetition, in their order."""

    calls: dict[object, RequiredCall] = field(default_factory=dict)
    possible: dict[object, RequiredCall] = field(default_factory=dict)

    def add(self, call: RequiredCall, certain: bool) -> None:
        key = (call.action, call.resource, tuple(sorted(call.context.items())))
        (self.calls if certain else self.possible).setdefault(key, call)


def calls_of_template(
    template: Mapping[str, object],
    parameters: Mapping[str, str],
    *,
    account: str,
    region: str,
    partition: str,
    operation: Operation,
    tags: Mapping[str, str] | None = None,
    replacing: bool = False,
) -> TemplateCalls:
    """Answer the calls for all resources that the template may have in one account and Region.

    `update` means a change within the resources as they are: one that comes, goes or is replaced is created or deleted.
    What a stack keeps when it lets go of it is not deleted; `replacing` says that resources may also be replaced.
    `tags` are the StackSet's. Where a condition cannot be decided, both its sides count.
    """
    found = _Found()
    stack = f"arn:{partition}:cloudformation:{region}:{account}:stack/StackSet-*"
    for action in _OWN[operation]:
        found.add(RequiredCall(action, stack), certain=True)
    unknown = dict.fromkeys(_transforms(template))
    assumed: dict[str, None] = {}
    place = {"account": account, "region": region, "partition": partition}
    names = name_values(template, parameters, **place)
    for type, properties, definition in _resources(template, names, place, unknown):
        if operation == "delete" and _is_kept(definition, replacing=replacing):
            continue
        kind = find_type(type)
        if type == _NESTED:
            unknown[f"{type} (the template within)"] = None
        if _is_custom(type):
            for call, certain in _custom_calls(properties, place):
                found.add(call, certain)
        elif kind is None:
            unknown[type] = None
        else:
            if kind.assumed:
                assumed[type] = None
            for call, certain in find_calls(kind, type, properties, place, operation, tags or {}):
                found.add(call, certain)
    return TemplateCalls(
        tuple(found.calls.values()),
        tuple(unknown),
        tuple(assumed),
        tuple(call for key, call in found.possible.items() if key not in found.calls),
    )


def calls_of_resource(
    type: str,
    properties: Mapping[str, object],
    *,
    account: str,
    region: str,
    partition: str,
    operation: Operation,
    tags: Mapping[str, str] | None = None,
) -> tuple[RequiredCall, ...] | None:
    """Answer the calls for one resource whose properties hold no functions any more; None for a type not known."""
    place = {"account": account, "region": region, "partition": partition}
    if _is_custom(type):
        return tuple(call for call, certain in _custom_calls(properties, place) if certain)
    kind = find_type(type)
    if kind is None:
        return None
    found = _Found()
    for call, certain in find_calls(kind, type, properties, place, operation, tags or {}):
        found.add(call, certain)
    return tuple(found.calls.values())


def _resources(
    template: Mapping[str, object], names: Mapping[str, object], place: Mapping[str, str], unknown: dict[str, None]
) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    """Yield type, properties and definition of each resource that may exist, once for each way of its conditions."""
    base = _Resolver(template, names, place).scope({})
    for logical_id, definition in base.section("Resources").items():
        unknown |= dict.fromkeys(_macros({logical_id: definition}))
        if not isinstance(definition, Mapping) or not isinstance(definition.get("Type"), str):
            unknown.setdefault(next(_macros({logical_id: None}), f"{logical_id}, which has no type,"))
            continue
        for assumed in _ways(definition, base, unknown):
            scope = _Resolver(template, names, place).scope(assumed)
            if "Condition" in definition and holds(str(definition["Condition"]), scope) is False:
                continue
            properties = resolve(definition.get("Properties", {}), scope)
            yield definition["Type"], properties if isinstance(properties, Mapping) else {}, definition


def _is_kept(definition: Mapping[str, object], *, replacing: bool) -> bool:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"""
    attributes = ("DeletionPolicy", "UpdateReplacePolicy") if replacing else ("DeletionPolicy",)
    return all(definition.get(each) == _KEPT for each in attributes)


def _ways(definition: Mapping[str, object], scope: Scope, unknown: dict[str, None]) -> Iterator[Mapping[str, bool]]:
    """Yield the combinations of what conditions may turn out to be; of very many only the two ends."""
    named = dict.fromkeys(find_conditions(definition.get("Properties")))
    open = [name for name in named if holds(name, scope) is None]
    if len(open) > _MOST_UNDECIDED:
        unknown[f"{definition['Type']} with more than {_MOST_UNDECIDED} open conditions"] = None
        yield from (dict.fromkeys(open, value) for value in (True, False))
    else:
        yield from (dict(zip(open, values, strict=True)) for values in product((True, False), repeat=len(open)))


class _Resolver:
    """Answers what resources of the same template tell of each other, without going round in circles."""

    def __init__(self, template: Mapping[str, object], names: Mapping[str, object], place: Mapping[str, str]) -> None:
        self._template = template
        self._names = names
        self._place = place
        self._asked: list[str] = []
        self._scope = Scope(template, names, self._attribute, {})

    def scope(self, assumed: Mapping[str, bool]) -> Scope:
        self._scope = Scope(self._template, self._names, self._attribute, assumed)
        return self._scope

    def _attribute(self, name: str, attribute: str) -> object:
        definition = self._scope.section("Resources").get(name)
        if name in self._asked or not isinstance(definition, Mapping):
            return UNKNOWN
        kind = find_type(str(definition.get("Type")))
        if kind is None or (attribute and attribute != "Arn"):
            return UNKNOWN
        self._asked.append(name)
        properties = resolve(definition.get("Properties", {}), self._scope)
        self._asked.pop()
        return _told(kind, attribute, properties if isinstance(properties, Mapping) else {}, self._place)


def _told(kind: TypeCalls, attribute: str, properties: Mapping[str, object], place: Mapping[str, str]) -> object:
    if attribute == "Arn" or kind.ref == "arn":
        return next(iter(names_of(kind, properties, place)), UNKNOWN)
    return properties.get(kind.ref, UNKNOWN) if kind.ref else UNKNOWN


def _is_custom(type: str) -> bool:
    return type.startswith("Custom::") or type == "AWS::CloudFormation::CustomResource"


def _custom_calls(properties: Mapping[str, object], place: Mapping[str, str]) -> Iterator[tuple[RequiredCall, bool]]:
    """Yield the call of whoever makes a custom resource: a function, or a topic.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref.html
    """
    token = properties.get("ServiceToken", UNKNOWN)
    text = as_text(token)
    if ":lambda:" in text or ":sns:" in text:
        action = "lambda:InvokeFunction" if ":lambda:" in text else "sns:Publish"
        yield RequiredCall(action, text), True
        return
    where = f"{place['region']}:{place['account']}"
    # Functions are by far the more usual. [H]
    yield RequiredCall("lambda:InvokeFunction", f"arn:{place['partition']}:lambda:{where}:function:*"), is_open(token)
    yield RequiredCall("sns:Publish", f"arn:{place['partition']}:sns:{where}:*"), False


def _transforms(template: Mapping[str, object]) -> Iterator[str]:
    """Yield the macros that rewrite the template: what comes out of them is not known."""
    transforms = template.get("Transform", ())
    for each in transforms if isinstance(transforms, list) else [transforms] if transforms else []:
        yield f"transform {each.get('Name') if isinstance(each, Mapping) else each}"


def _macros(value: object) -> Iterator[str]:
    """Yield the functions within a value that put in what only CloudFormation knows."""
    if isinstance(value, list):
        for item in value:
            yield from _macros(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (macro for macro in _MACROS if str(key).startswith(macro))
            yield from _macros(item)
