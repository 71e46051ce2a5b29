"""Which calls CloudFormation makes for a resource type, by name: as its schema says, or guessed from the type's name.

The schemas' own words stand in `resource_handlers.json`, what they leave open in `resource_calls.toml`.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from org.policy.catalog import ActionEntry, Catalog

Operation: TypeAlias = Literal["create", "update", "delete"]
OPERATIONS: tuple[Operation, ...] = ("create", "update", "delete")
REMOVAL = re.compile(
    r"(Batch)?(Cancel|Deactivate|Delete|Deregister|Destroy|Detach|Disable|Disassociate|Release|Remove|Reset|Revoke|"
    r"ScheduleKeyDeletion|Stop|Terminate|Unassign|Unsubscribe|Untag|UnTag)"
)
"""How the names of calls begin that take something away."""
VERBS: Mapping[Operation, re.Pattern[str]] = {
    "create": re.compile(r"(Batch)?(Add|Allocate|Associate|Attach|Create|Enable|Import|Put|Register|Request|Start)"),
    "update": re.compile(r"(Batch)?(Change|Modify|Put|Replace|Set|Update)"),
    "delete": REMOVAL,
}


@dataclass(frozen=True, slots=True)
class TypeCalls:
    """What is known of one resource type."""

    service: str
    """The prefix of its own calls."""
    names: Mapping[Operation, tuple[str, ...]]
    assumed: bool = False
    """Guessed from names."""
    detailed: bool = False
    """There is an entry on its properties."""
    tags: str = ""
    """The property that holds its tags."""
    system_tags: bool = False
    """CloudFormation puts tags of its own on it."""
    arns: tuple[str, ...] = ()
    ref: str = ""
    never: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    """Keys of `context` that are not in the request where the property is not there; others have defaults."""
    each: Mapping[str, str] = field(default_factory=dict)
    passed_to: str = ""


@cache
def catalog() -> Catalog:
    return Catalog()


@cache
def find_type(type: str) -> TypeCalls | None:
    """Look a type up in the tables; one that they lack is guessed, and None if that gives nothing either."""
    handlers: Mapping[str, Any] | None = _handlers().get(type)
    details: Mapping[str, Any] | None = _details().get(type)
    if handlers is None and details is None:
        return _guess(type)
    names: dict[Operation, tuple[str, ...]] = {}
    for operation in OPERATIONS:
        own = details.get(operation) if details else None
        names[operation] = tuple(own) if own else _ungrouped(handlers.get(operation, "") if handlers else "")
    service = str(handlers["service"]) if handlers else _prefix(names)
    more = details or {}
    return TypeCalls(
        service,
        names,
        detailed=details is not None,
        tags=handlers.get("tags", "") if handlers else "Tags",
        system_tags=bool(handlers and handlers.get("system_tags")),
        arns=(more["arn"],) if "arn" in more else (),
        ref=more.get("ref", ""),
        never=tuple(more.get("never", ())),
        when={call: (it,) if isinstance(it, str) else tuple(it) for call, it in more.get("when", {}).items()},
        resource=more.get("resource", {}),
        context=more.get("context", {}),
        absent=tuple(more.get("absent", ())),
        each=more.get("each", {}),
        passed_to=more.get("passed_to") or _details()["passed_to"].get(service, ""),
    )


def _guess(type: str) -> TypeCalls | None:
    """Take the writing calls of the service in whose names the resource's name stands; None for want of any. [H]"""
    parts = type.split("::")
    if len(parts) != 3 or parts[0] != "AWS":
        return None
    service = _services().get(parts[1]) or parts[1].lower()
    wanted = parts[2].lower()
    found = [
        entry
        for name in catalog().actions_matching(f"{service}:*")
        if (entry := catalog().find_action(name)) and is_writing(entry) and wanted in entry.name.lower()
    ]
    names = {each: _best(wanted, each, found) for each in OPERATIONS}
    return TypeCalls(service, names, assumed=True, tags="Tags") if any(names.values()) else None


def _best(wanted: str, operation: Operation, entries: list[ActionEntry]) -> tuple[str, ...]:
    """Answer those that are the verb and the resource alone, else all in which both stand."""
    fitting = [entry for entry in entries if VERBS[operation].match(entry.name)]
    exact = [entry for entry in fitting if VERBS[operation].sub("", entry.name, count=1).lower() == wanted]
    return tuple(entry.full_name for entry in exact or fitting)


def is_writing(entry: ActionEntry) -> bool:
    return entry.access_level not in {"Read", "List", "Tagging"}


def names_resource(type: str, action: str) -> bool:
    """Say whether the resource's name stands in the action's: `CreateCluster` for `AWS::ECS::Cluster`."""
    return type.rpartition("::")[2].lower() in action.lower()


@cache
def _services() -> Mapping[str, str]:
    """Answer the prefix of calls by the service's name in resource types."""
    return {type.split("::")[1]: str(entry["service"]) for type, entry in _handlers().items()}


def _prefix(names: Mapping[Operation, tuple[str, ...]]) -> str:
    return next((calls[0].partition(":")[0] for calls in names.values() if calls), "")


def _ungrouped(text: str) -> tuple[str, ...]:
    """Read `iam:CreateRole,TagRole kms:CreateGrant`."""
    groups = (group.partition(":") for group in text.split())
    return tuple(f"{prefix}:{name}" for prefix, _, names in groups for name in names.split(","))


@cache
def _handlers() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("org.proof").joinpath("resource_handlers.json").read_text(encoding="utf-8")
    types: Mapping[str, Mapping[str, Any]] = json.loads(text)["types"]
    return types


@cache
def _details() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("org.proof").joinpath("resource_calls.toml").read_text(encoding="utf-8"))
