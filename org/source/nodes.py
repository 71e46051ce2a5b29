"""What a file was written as: values that know their place, and how to find that place again; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from org.source.findings import Finding, Place

MAX_DEPTH = 40
"""As deep may values be nested in a file, so that nothing that walks them runs out of stack."""

Plain: TypeAlias = Any
"""Text, number, boolean, None, a tuple of these or a dict from text to these."""


@dataclass(slots=True)
class ScalarNode:
    place: Place
    text: str
    value: Plain


@dataclass(slots=True)
class ListNode:
    place: Place
    items: list[Node] = field(default_factory=list)
    size: int = 1
    """Values in it, itself included, with aliases written out."""


@dataclass(slots=True)
class MappingNode:
    place: Place
    pairs: list[tuple[ScalarNode, Node]] = field(default_factory=list)
    size: int = 1


Node: TypeAlias = ScalarNode | ListNode | MappingNode


class Unusable(Exception):
    """A text that cannot be read any further."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def size_of(node: Node) -> int:
    return 1 if isinstance(node, ScalarNode) else node.size


def plain(node: Node, findings: list[Finding]) -> Plain:
    """Answer the node's value without its places; adds a finding for each key that is written twice."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return tuple([plain(item, findings) for item in node.items])
    value = {key.text: plain(item, findings) for key, item in node.pairs}
    if len(value) != len(node.pairs):
        findings.extend(_find_duplicate_keys(node))
    return value


def _find_duplicate_keys(node: MappingNode) -> Iterator[Finding]:
    first: dict[str, Place] = {}
    for key, _ in node.pairs:
        if key.text in first:
            yield Finding(key.place, f"the key {key.text!r} is already at {first[key.text]}", "keep one of the two")
        else:
            first[key.text] = key.place


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each value of a manifest was written."""

    top: Node

    def of(self, steps: Iterable[str | int], *, key: bool = False) -> Place:
        """Answer the place of a value, or of its key, or of the nearest thing above it that was written."""
        node, place = self.top, self.top.place
        for step in steps:
            found = _child(node, step)
            if found is None:
                return node.place
            place, node = (found[0] if key else found[1].place), found[1]
        return place

    def text_at(self, steps: Iterable[str | int]) -> str | None:
        """Answer a scalar as it was written, without quotes."""
        node = self.top
        for step in steps:
            found = _child(node, step)
            if found is None:
                return None
            node = found[1]
        return node.text if isinstance(node, ScalarNode) else None


def _child(node: Node, step: str | int) -> tuple[Place, Node] | None:
    if isinstance(node, MappingNode):
        return next(((key.place, value) for key, value in reversed(node.pairs) if key.text == step), None)
    if isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step].place, node.items[step]
    return None
