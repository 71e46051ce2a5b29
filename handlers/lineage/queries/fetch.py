"""Read what a level of a walk needs: few round trips, and bounded ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter

from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Fact, Key, Relation, Time

KEYS_AT_ONCE = 5_000
FACTS_AT_ONCE = 20_000


def facts_of(graph: Graph, keys: Iterable[Key], relations: Collection[Relation], until: Time | None) -> Iterator[Fact]:
    """Answer all facts of these children, some thousand children at a time."""
    left = iter(sorted(keys))
    while some := list(islice(left, KEYS_AT_ONCE)):
        yield from graph.facts_of(some, relations, until)


def facts_into(
    graph: Graph, keys: Collection[Key], relations: Collection[Relation], until: Time | None, per_parent: int
) -> tuple[dict[Key, list[Fact]], set[Key]]:
    """Answer the facts by parent, at most `per_parent` of each, and the parents of which there are more.

    A graph bounds an answer as a whole. So the last parent of a full answer may lack some, and is asked again. What
    relates a thing to itself is left out: nothing came of it, and not every engine answers it here.
    """
    found: dict[Key, list[Fact]] = {}
    more: set[Key] = set()
    limit = max(per_parent + 1, FACTS_AT_ONCE)
    for some in _chunks(keys):
        left = some
        while left:
            facts = graph.facts_into(left, relations, until, limit)
            by_parent = {parent: list(group) for parent, group in groupby(facts, attrgetter("parent"))}
            last = facts[-1].parent if len(facts) >= limit else None
            for parent, group in by_parent.items():
                if parent == last and len(by_parent) > 1:
                    continue
                others = [fact for fact in group if fact.child != parent]
                if len(others) > per_parent:
                    more.add(parent)
                found[parent] = others[:per_parent]
            left = [] if last is None else [key for key in left if key not in found]
    return found, more


def _chunks(keys: Collection[Key]) -> Iterator[list[Key]]:
    left = iter(sorted(keys))
    while some := list(islice(left, KEYS_AT_ONCE)):
        yield some


def pages(graph: Graph, search: Search, at_once: int = 1_000) -> Iterator[tuple[Key, ...]]:
    """Answer all that a search finds, page after page."""
    after: Key | None = None
    more = True
    while more:
        found = graph.find(search, after, at_once)
        if found.keys:
            yield found.keys
            after = found.keys[-1]
        more = found.more and bool(found.keys)
