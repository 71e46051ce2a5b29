"""What a picture of lineage shows: plain values, whatever graph and question they came from."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.lineage.model import Evidence, Key


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that is said of a node, and why it is believed."""

    name: str
    value: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in the picture."""

    key: Key
    kind: str
    label: str
    """Its name."""
    account: str
    region: str
    state: str
    """AWS's word, or `approved`, `quarantined`, …; empty where it is not known."""
    owner: str
    level: int
    """Hops from the asked thing: negative for what it descends from, positive for what came of it."""
    attributes: tuple[Attribute, ...] = ()
    known: bool = True
    """False for a stub: something is said to come from it, and nothing of itself."""
    formerly: bool = False
    """It held the content once, and does not at the time asked about."""
    more: bool = False
    """There is more beyond it: a bound was hit."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A child, its parent, and what is known of the way between."""

    child: Key
    parent: Key
    relation: str
    says: str
    """The relation for people: `<child> … <parent>`."""
    verdict: str
    """`verified`, `unverified`, `foreign` or `reference`."""
    why: str = ""
    """Why the content is not sure."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the answer may lack something, or say too much."""

    why: str
    about: str
    says: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A part of the graph. Edges join nodes of the picture only (ValueError from the renderer where they do not)."""

    title: str
    start: Key
    """The thing that was asked about."""
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    complete: bool
    reasons: tuple[Doubt, ...] = ()
