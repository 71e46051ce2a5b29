"""What of the organization is heard, and what of it is not understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Place, Time
from handlers.lineage.queries.asking import ALL_RELATIONS, BadQuery, Scope, never
from handlers.lineage.queries.fetch import pages
from handlers.lineage.queries.places import SILENCE, PlaceReading, place_readings
from handlers.lineage.queries.reasons import Gap, Reason, Why, coverage_reasons, find_gaps, in_order, places_heard

_SEEN = (Kind.IMAGE, Kind.SNAPSHOT, Kind.VOLUME, Kind.INSTANCE, Kind.TEMPLATE_VERSION, Kind.PARAMETER, Kind.RECIPE)
"""Kinds whose making is seen, where all is heard."""
EXAMINED = range(1, 1_000_001)


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """What is heard from an account in a Region."""

    place: Place
    last: Time | None
    """The newest event; None: never any."""
    lag: int | None
    """Milliseconds from then to now; None where there is no event."""
    expected: bool
    silent: bool
    """Nothing was heard of late, or ever, though it has been expected for long enough."""
    gaps: tuple[Gap, ...]
    read: str = ""
    """Whether AWS could be asked there: `yes`, `in-part` or `no`; empty if it never was."""
    unread: str = ""
    """What could not be read at the last reading, and why."""
    reconciled: Time | None = None
    """When all of it was read last."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """All places in the order of (account, Region), and how much is missing."""

    now: Time
    places: tuple[PlaceCoverage, ...]
    outcomes: Mapping[str, int]
    """Events that told nothing, by what became of them, over all places."""
    unresolved: int
    """Things of which nothing is known but that something came of them."""
    examples: tuple[Key, ...]
    """The first hundred of them."""
    examined: int
    """Things that were looked at for it."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def coverage(graph: Graph, scope: Scope, examine: int = 100_000, late: Callable[[], bool] = never) -> Coverage:
    """Answer what is heard, as of `scope.now`. BadQuery, GraphError.

    `examine`: at how many things to look for those of which nothing is known; at fewer once it is `late`.
    """
    if scope.now is None:
        raise BadQuery("coverage", "the time is not given", "say what time it is now, so that a lag can be told")
    if isinstance(examine, bool) or examine not in EXAMINED:
        raise BadQuery("examine", f"{examine!r} is not within bounds", f"give a number from 1 to {EXAMINED[-1]:,}")
    heard = places_heard(graph, scope)
    readings = place_readings(graph)
    gaps = find_gaps(graph, (key for keys in pages(graph, Search(Kind.COVERAGE)) for key in keys))
    # An event that claims a place from which nothing was heard is no sign of life of that place.
    claimed: dict[Place, Time | None] = {gap.place: None for gap in gaps}
    read = {place: None for place, each in readings.items() if each.read}
    places = tuple(
        _place(place, last, scope, scope.now, gaps, readings.get(place))
        for place, last in sorted((claimed | read | heard).items())
    )
    stubs, examined, whole = _stubs(graph, examine, late)
    reasons = coverage_reasons(graph, heard, scope, None)
    if not whole:
        reasons.append(Reason(Why.BOUND, "examined", f"only {examined:,} things were looked at"))
    outcomes: dict[str, int] = {}
    for gap in gaps:
        outcomes[gap.outcome] = outcomes.get(gap.outcome, 0) + gap.count
    return Coverage(
        scope.now,
        places,
        dict(sorted(outcomes.items())),
        len(stubs),
        tuple(sorted(stubs)[:100]),
        examined,
        in_order(reasons),
    )


def _place(
    place: Place, last: Time | None, scope: Scope, now: Time, gaps: tuple[Gap, ...], reading: PlaceReading | None
) -> PlaceCoverage:
    lag = None if last is None else max(0, now - last)
    quiet = last is None or (scope.silence is not None and now - last > scope.silence)
    young = reading is not None and reading.is_young(now, SILENCE if scope.silence is None else scope.silence)
    return PlaceCoverage(
        place,
        last,
        lag,
        place in scope.expected,
        quiet and not young,
        tuple(gap for gap in gaps if gap.place == place),
        reading.read if reading else "",
        reading.unread if reading else "",
        reading.reconciled if reading else None,
    )


def _stubs(graph: Graph, examine: int, late: Callable[[], bool]) -> tuple[set[Key], int, bool]:
    stubs: set[Key] = set()
    examined = 0
    for kind in _SEEN:
        for keys in pages(graph, Search(kind)):
            some = keys[: examine - examined]
            stubs |= set(some) - {fact.child for fact in graph.facts_of(some, ALL_RELATIONS)}
            examined += len(some)
            if len(some) < len(keys) or late():
                return stubs, examined, False
    return stubs, examined, True
