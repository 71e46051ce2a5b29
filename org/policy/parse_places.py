"""Where the parts of a policy were written; each tuple runs beside that of the same name in `org.policy.model`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from org.policy.model import Policy
from org.source.findings import Place
from org.source.nodes import ListNode, MappingNode, Node, ScalarNode

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ConditionPlaces:
    operator: Place
    key: Place
    values: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class StatementPlaces:
    statement: Place
    sid: Place
    """Of the Sid's value, or of the statement where it has none."""
    effect: Place
    actions: tuple[Place, ...]
    resources: tuple[Place, ...]
    conditions: tuple[ConditionPlaces, ...]


@dataclass(frozen=True, slots=True)
class PlacedPolicy:
    """A policy and where its parts stand."""

    policy: Policy
    place: Place
    version: Place
    """Of the Version's value, or of the policy where it has none."""
    statements: tuple[StatementPlaces, ...]


def node_of(
    value: object, place_of: Callable[[Steps], Place], key_place_of: Callable[[Steps], Place] | None = None
) -> Node:
    """Answer a plain value as a node; `place_of` answers where the value at the steps stands, `key_place_of` its key.

    Raises TypeError for what JSON does not have.
    """
    return _node_of(value, (), place_of, key_place_of or place_of)


def _node_of(
    value: object, steps: Steps, place_of: Callable[[Steps], Place], key_place_of: Callable[[Steps], Place]
) -> Node:
    place = place_of(steps)
    if isinstance(value, Mapping):
        mapping = MappingNode(place)
        for key, item in value.items():
            at = (*steps, str(key))
            name = ScalarNode(key_place_of(at), str(key), None)
            mapping.pairs.append((name, _node_of(item, at, place_of, key_place_of)))
        return mapping
    if isinstance(value, list | tuple):
        children = [_node_of(item, (*steps, index), place_of, key_place_of) for index, item in enumerate(value)]
        return ListNode(place, children)
    return ScalarNode(place, value if isinstance(value, str) else json.dumps(value), value)
