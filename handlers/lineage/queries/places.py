"""What is known of each place: whether events and readings ought to come from it, and when it was read last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from handlers.lineage.events.envelope import time_of
from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Fact, Key, Kind, Place, Relation, Time
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import facts_of, pages
from handlers.lineage.queries.reasons import place_of
from handlers.lineage.readings.form import EXPECTED, MEMBER, ORGANIZATION, READ, RECONCILED, SINCE, UNREAD

_DAY = 86_400_000
SILENCE = 7 * _DAY
"""Milliseconds without an event after which a place counts as silent: accounts may rest for a weekend [H]."""


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """What the reconciliation says of an account in a Region."""

    place: Place
    expected: bool = False
    """Its organization has it, and it is open and governed."""
    member: bool = False
    organization: str = ""
    read: str = ""
    """`yes`, `in-part` or `no`; empty if it never was."""
    unread: str = ""
    """What could not be read at the last reading, and why."""
    reconciled: Time | None = None
    """The last time that all of it was read."""
    since: Time | None = None
    """All that is there has been told since then."""
    first: Time | None = None
    """When it was first expected or read: how things came to be before that, nobody listened to."""
    expected_since: Time | None = None
    """The first plan that expected it, since one last said that it is not to be; None: it is not expected."""

    def is_young(self, now: Time, silence: int = SILENCE) -> bool:
        """Tell whether it has not been expected for so long (milliseconds) that silence could mean anything."""
        return self.expected_since is not None and now - self.expected_since <= silence


def place_readings(graph: Graph, until: Time | None = None) -> dict[Place, PlaceReading]:
    """Answer what was noted of all places until a time (inclusive), in the order of (account, Region). GraphError."""
    keys = [key for some in pages(graph, Search(Kind.COVERAGE)) for key in some]
    facts = [
        fact
        for fact in facts_of(graph, keys, {Relation.NOTED}, until)
        if any(name in (EXPECTED, READ) for name, _ in fact.attributes)
    ]
    first: dict[Key, Time] = {}
    planned: dict[Key, Time] = {}
    since: dict[Key, Time | None] = {}
    for fact in sorted(facts, key=attrgetter("order")):
        first.setdefault(fact.child, fact.evidence.time)
        if said := dict(fact.attributes).get(EXPECTED):
            planned[fact.child] = fact.evidence.time
            before = since.get(fact.child)
            since[fact.child] = None if said != "yes" else fact.evidence.time if before is None else before
    latest = max(planned.values(), default=Time(0))
    found = [
        # An account that has left is in no plan any more: what was planned before the last two days no longer counts.
        _reading(state, first[key], since.get(key), planned=planned.get(key, Time(-_DAY)) >= latest - _DAY)
        for key, state in _states(facts)
    ]
    return {each.place: each for each in sorted(found, key=lambda each: each.place)}


def _states(facts: Iterable[Fact]) -> Iterable[tuple[Key, State]]:
    return fold_states(facts).items()


def _reading(state: State, first: Time, since: Time | None, *, planned: bool) -> PlaceReading:
    expected = planned and state.value(EXPECTED) == "yes"
    return PlaceReading(
        place_of(state.key),
        expected,
        planned and state.value(MEMBER) == "yes",
        state.value(ORGANIZATION) or "",
        state.value(READ) or "",
        state.value(UNREAD) or "",
        _time(state.value(RECONCILED)),
        _time(state.value(SINCE)),
        first,
        since if expected else None,
    )


def _time(said: str | None) -> Time | None:
    return None if said is None else time_of(said, "a place's time")


def known_scope(graph: Graph, now: Time, silence: int | None = SILENCE) -> Scope:
    """Answer what the graph itself knows of the organization, by the reconciliation. GraphError.

    Where nothing was planned yet, nothing is known: no account is then taken for a stranger. `silence`: milliseconds.
    """
    return scope_of(place_readings(graph), now, silence)


def scope_of(readings: Mapping[Place, PlaceReading], now: Time, silence: int | None) -> Scope:
    return Scope(
        frozenset(each.place.account for each in readings.values() if each.member),
        next((each.organization for each in readings.values() if each.member and each.organization), ""),
        frozenset(each.place for each in readings.values() if each.expected),
        now,
        silence,
    )
