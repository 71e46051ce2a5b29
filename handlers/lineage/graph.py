"""The one interface to the graph. SQLite and Gremlin implement it; queries are written against it and nothing else.

It is narrow on purpose: facts go in, and come out by child, by parent, or by what is said of a thing. Walking, folding
and judging are done once, in `queries`, and so are the same on both engines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from handlers.lineage.model import Batch, Fact, Key, Kind, Place, Relation, Time
from org.ids import Region


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for among things of one kind; everything given must fit."""

    kind: Kind
    region: Region | None = None
    equal: tuple[tuple[str, str], ...] = ()
    """Attributes and their values."""
    containing: tuple[tuple[str, str], ...] = ()
    """Attributes and a part of their values; the case counts."""


class Found(NamedTuple):
    """A page of keys, in the order of keys."""

    keys: tuple[Key, ...]
    more: bool


class Graph(Protocol):
    """Where facts are kept. Everything is safe to repeat; errors are `GraphError`."""

    def append(self, batch: Batch) -> None:
        """Add facts; what is there already stays as it is.

        Where it raises, a part of a large batch may be there: add the batch again.
        """

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        """Answer the facts whose child is one of these, in the order of (child, time, event, id); until: inclusive."""

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        """Answer at most `limit` facts whose parent is one of these, in the order of (parent, time, event, id).

        Of facts that relate a thing to itself an engine may answer some, all or none; NOTED ones never.
        """

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        """Answer the things of which it was EVER said; the caller folds their facts to see what holds now.

        A search without attributes answers every thing of the kind, stubs included.
        """

    def export(self) -> Iterator[Fact]:
        """Answer all facts in the order of their ids."""

    def heard(self) -> Mapping[Place, Time]:
        """Answer the time of the newest event of each place."""

    def close(self) -> None:
        """Give back what is held open."""
