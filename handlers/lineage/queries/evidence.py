"""What was said, by whom and when: between two things, or of an attribute."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from handlers.lineage.fold import Period, in_order_of_saying, periods_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Evidence, Fact, Key, Relation, Time
from handlers.lineage.queries.asking import ALL_RELATIONS, check_key, check_known
from handlers.lineage.queries.reasons import Reason


@dataclass(frozen=True, slots=True)
class Link:
    """A fact between two things, and when it holds (inclusive; `until` None: on); one that held twice stands twice."""

    fact: Fact
    since: Time
    until: Time | None
    holds: bool
    """False for what says that something no longer is so, or is so again; for these, `until` says nothing."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A value that an attribute was said to have; None: that it was taken away."""

    value: str | None
    evidence: Evidence
    counts: bool
    """True for the one that is so at the time asked about."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """All that was said: of a thing and its parent, or of one of its attributes. It stands for itself: complete."""

    about: Key
    parent: Key | None
    """None: an attribute was asked for."""
    links: tuple[Link, ...]
    """Between the thing and its parent."""
    sayings: tuple[Saying, ...]
    """Of the attribute."""
    reasons: tuple[Reason, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.reasons


def evidence_between(graph: Graph, child: Key, parent: Key, at: Time | None = None) -> tuple[Link, ...]:
    """Answer all facts by which the one has to do with the other, the oldest first. BadQuery, UnknownThing."""
    check_key(child)
    check_key(parent)
    facts = graph.facts_of([child], ALL_RELATIONS - {Relation.NOTED}, at)
    if not facts:
        check_known(graph, child)
    between = sorted((fact for fact in facts if fact.parent == parent), key=lambda fact: (*fact.order, fact.id))
    held: dict[Fact, list[Period]] = defaultdict(list)
    for period in periods_of(facts):
        held[period.fact].append(period)
    links: list[Link] = []
    for fact in between:
        links += [Link(fact, each.since, each.until, holds=True) for each in held[fact]]
        if not held[fact]:
            links.append(Link(fact, fact.evidence.time, None, holds=False))
    return tuple(links)


def evidence_of(graph: Graph, key: Key, attribute: str, at: Time | None = None) -> tuple[Saying, ...]:
    """Answer all that was ever said of an attribute, the oldest first. BadQuery, UnknownThing."""
    check_key(key)
    facts = graph.facts_of([key], {Relation.NOTED}, at)
    if not facts:
        check_known(graph, key)
    said = in_order_of_saying(facts, attribute)
    return tuple(
        Saying(dict(fact.attributes).get(attribute), fact.evidence, number == len(said))
        for number, fact in enumerate(said, 1)
    )
