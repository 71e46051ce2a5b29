"""What a changed CloudFormation template or parameter does to the resources of one stack; pure.

Which properties make CloudFormation replace a resource is data that the caller brings along (the `createOnlyProperties`
of the resource type schemas). A property that is not known to be one counts as updated in place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

CreateOnly: TypeAlias = Mapping[str, frozenset[str]]
"""Resource type → property paths such as `RoleName` or `Policy/Name` whose change replaces the resource."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


class ResourceEffect(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    logical_id: str
    type: str
    effect: ResourceEffect
    properties: tuple[str, ...] = ()

    def describe(self) -> str:
        told = f" ({', '.join(self.properties)})" if self.properties else ""
        return f"{self.effect} {self.logical_id} {self.type}{told}"


def is_same_template(old: str, new: str) -> bool:
    """Compare by meaning where both are JSON, else letter by letter."""
    return old == new or (_parse(old) is not None and _parse(old) == _parse(new))


def is_json(template: str) -> bool:
    return _parse(template) is not None


def parameter_defaults(template: str) -> Mapping[str, str]:
    """Answer the defaults that a template in JSON declares, as CloudFormation takes them."""
    declared = (_parse(template) or {}).get("Parameters")
    if not isinstance(declared, dict):
        return {}
    return {
        name: str(parameter["Default"])
        for name, parameter in declared.items()
        if isinstance(parameter, dict) and "Default" in parameter
    }


def find_resource_changes(old: str, new: str, create_only: CreateOnly) -> tuple[ResourceChange, ...]:
    """Compare two templates resource by resource; a template that is not JSON cannot be looked into and gives none."""
    before, after = _resources(old), _resources(new)
    return tuple(_changes(before, after, create_only))


def find_parameter_effects(
    template: str, changed: frozenset[str], create_only: CreateOnly
) -> tuple[ResourceChange, ...]:
    """Say which resources use one of the changed parameters, and whether where it replaces them."""
    found = []
    for logical_id, resource in sorted(_resources(template).items()):
        properties = _properties(resource)
        touched = tuple(sorted(name for name, value in properties.items() if _refers(value, changed)))
        if touched:
            found.append(_changed(logical_id, _typed(resource), touched, create_only))
    return tuple(found)


def _changes(
    before: Mapping[str, Json], after: Mapping[str, Json], create_only: CreateOnly
) -> Iterator[ResourceChange]:
    for logical_id in sorted(before.keys() | after.keys()):
        old, new = before.get(logical_id), after.get(logical_id)
        if old == new:
            continue
        if old is None:
            yield ResourceChange(logical_id, _typed(new), ResourceEffect.ADDED)
        elif new is None:
            yield ResourceChange(logical_id, _typed(old), ResourceEffect.REMOVED)
        elif _typed(old) != _typed(new):
            yield ResourceChange(logical_id, _typed(new), ResourceEffect.REPLACED, ("Type",))
        else:
            was, now = _properties(old), _properties(new)
            differing = tuple(sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name)))
            yield _changed(logical_id, _typed(new), differing, create_only)


def _changed(logical_id: str, type: str, properties: tuple[str, ...], create_only: CreateOnly) -> ResourceChange:
    fixed = {path.split("/")[0] for path in create_only.get(type, frozenset())}
    effect = ResourceEffect.REPLACED if fixed & set(properties) else ResourceEffect.UPDATED
    return ResourceChange(logical_id, type, effect, properties)


def _refers(value: Json, parameters: frozenset[str]) -> bool:
    """Look for `Ref` and `Fn::Sub` of a parameter; a condition on it is not followed."""
    match value:
        case {"Ref": str(name)}:
            return name in parameters
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return any("${" + name + "}" in text for name in parameters)
        case dict():
            return any(_refers(inner, parameters) for inner in value.values())
        case list():
            return any(_refers(inner, parameters) for inner in value)
        case _:
            return False


@lru_cache(maxsize=64)
def _parse(template: str) -> dict[str, Json] | None:
    """Parse once: a plan asks the same few templates about every instance. Nobody changes the answer."""
    try:
        found = json.loads(template)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _resources(template: str) -> Mapping[str, Json]:
    resources = (_parse(template) or {}).get("Resources")
    return resources if isinstance(resources, dict) else {}


def _typed(resource: Json) -> str:
    return str(resource.get("Type", "")) if isinstance(resource, dict) else ""


def _properties(resource: Json) -> Mapping[str, Json]:
    properties = resource.get("Properties") if isinstance(resource, dict) else None
    return properties if isinstance(properties, dict) else {}
