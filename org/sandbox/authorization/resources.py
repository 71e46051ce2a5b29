"""The resources that a call is about, as ARNs in the formats that the services publish for their actions.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from moto.utilities.utils import get_partition

from org.policy.catalog import ActionEntry, ResourceType
from org.sandbox.authorization.model import ApiCall
from org.sandbox.authorization.names import names_in

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_MAKES = ("Create", "Register", "Allocate", "Run", "Import", "Request", "Copy")
_LISTS = ("List", "Describe")
_GIVEN = frozenset({"Partition", "Region", "Account"})


@dataclass(frozen=True, slots=True)
class Target:
    arn: str
    certain: bool = True
    """Whether a `*` in it is AWS's own, for what does not exist yet; else it is a part that is not known here."""


def targets_of(call: ApiCall, entry: ActionEntry, source: str = "", type: str = "") -> tuple[Target, ...]:
    """Answer the resources of an action in a call; `source` is a parameter that names it in a way of its own."""
    if not entry.resources or source == "*":
        return (Target("*"),)
    if source.startswith("="):
        return (Target(str(call.parameters.get(source[1:], ""))),)
    if type:
        entry = replace(entry, resources=tuple(each for each in entry.resources if each.name == type))
    names = names_in(call, source)
    given = tuple(dict.fromkeys(_arns_given(entry, names)))
    if given:
        return tuple(map(Target, dict.fromkeys((*given, *_required_besides(given, entry, call, names)))))
    filled = [(each, *_fill(each, call, names)) for each in entry.resources if each.arn]
    whole = [(type, arns) for type, arns, missing in filled if not missing]
    if whole:
        required = [item for item in whole if item[0].required]
        _, arns = max(required or whole, key=lambda item: _count(item[0]))
        # The name of a service-linked role is the service's own affair.
        return tuple(Target(arn, certain=call.operation != "CreateServiceLinkedRole") for arn in arns)
    new = call.operation.startswith(_MAKES)
    partly = [(arns, missing) for type, arns, missing in filled if type.required or len(missing) < _count(type)]
    if not partly:
        return (Target("*", certain=call.operation.startswith(_LISTS)),)
    arns, _ = min(partly, key=lambda item: len(item[1]))
    certain = new or call.operation.startswith(_LISTS)
    return tuple(Target(arn, certain=certain) for arn in arns)


def _required_besides(
    given: tuple[str, ...], entry: ActionEntry, call: ApiCall, names: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Answer those that the action must have and that are named otherwise than by an ARN."""
    for each in entry.resources:
        if each.required and each.arn and not any(pattern_of(each.arn).fullmatch(arn) for arn in given):
            arns, missing = _fill(each, call, names)
            if not missing:
                yield from arns


def _count(type: ResourceType) -> int:
    return sum(name not in _GIVEN for name in _PLACEHOLDER.findall(type.arn))


def _arns_given(entry: ActionEntry, names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    formats = [pattern_of(each.arn) for each in entry.resources if each.arn]
    for values in names.values():
        for value in values:
            if value.startswith("arn:") and any(each.fullmatch(value) for each in formats):
                yield value


@cache
def pattern_of(format: str) -> re.Pattern[str]:
    """Answer the expression that matches the ARNs of a format."""
    parts = _PLACEHOLDER.split(format)
    return re.compile("".join(re.escape(part) if index % 2 == 0 else ".*" for index, part in enumerate(parts)))


def _fill(type: ResourceType, call: ApiCall, names: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """Answer an ARN for each name that the parameters give, and the placeholders for which they give none."""
    placeholders = [name for name in _PLACEHOLDER.findall(type.arn) if name not in _GIVEN]
    values: dict[str, tuple[str, ...]] = {}
    for name in placeholders:
        found = next((names[each] for each in _spellings(name, type, placeholders) if names.get(each)), ())
        values[name] = tuple(value.rpartition("/")[2] if value.startswith("arn:") else value for value in found)
    # Several names of one kind, `SecretIdList`, are several resources; two kinds of names belong together.
    count = max((len(each) for each in values.values()), default=1) or 1
    arns = [_render(type.arn, call, {name: each[index] if index < len(each) else (each[0] if each else "*")
                                     for name, each in values.items()}) for index in range(count)]  # fmt: skip
    return arns, [name for name, each in values.items() if not each]


def _spellings(placeholder: str, type: ResourceType, placeholders: list[str]) -> Iterator[str]:
    """Answer the parameters that may hold the value, in the form of `names_in`, the likeliest first."""
    name = placeholder.lower().removesuffix("withoutleadingslash").removesuffix("withpath")
    yield name
    stem = name.removesuffix("name").removesuffix("id")
    kind = type.name.lower().replace("-", "")
    if not stem:
        yield f"{kind}{name}"
        return
    if stem != name or len(placeholders) == 1:
        yield stem
        # Where a name and an id stand beside each other, neither is the other.
        beside = {each.lower() for each in placeholders if each.lower() != name}
        for ending in ("name", "id", "identifier", "arn"):
            if f"{stem}{ending}" not in beside:
                yield f"{stem}{ending}"
                if not beside:
                    yield f"{kind}{ending}"
        if name in {f"{kind}name", f"{kind}id"} or len(placeholders) == 1:
            yield from ("name", "id", "resourceid")


def _render(format: str, call: ApiCall, values: Mapping[str, str]) -> str:
    fixed = {"Partition": get_partition(call.region), "Region": call.region, "Account": call.account}
    return _PLACEHOLDER.sub(lambda found: {**values, **fixed}[found[1]], format)


def account_of(arn: str) -> str:
    """Answer the account in an ARN; many have none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else ""
