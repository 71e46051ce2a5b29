"""What of the organization is heard, and what of it is not understood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Place, Time
from handlers.lineage.queries.asking import ALL_RELATIONS, BadQuery, Scope
from handlers.lineage.queries.passage import WALKED
from handlers.lineage.queries.reasons import Gap, Reason, Why, coverage_reasons, find_gaps, in_order, places_heard

AT_ONCE = 1_000
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
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """All places in the order of (account, Region), and how much is missing."""

    now: Time
    places: tuple[PlaceCoverage, ...]
    outcomes: Mapping[str, int]
    """Events that told nothing, by what became of them, over all places."""
    unresolved: int
    """Parents of which nothing is known but that something came of them."""
    examples: tuple[Key, ...]
    """The first hundred of them."""
    examined: int
    """Things whose parents were looked at."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def coverage(graph: Graph, scope: Scope, examine: int = 100_000) -> Coverage:
    """Answer what is heard, as of `scope.now`. `examine`: how many things to look at for parents that are not known.

    Only things of which something was noted are found for it, as the graph's interface offers. BadQuery, GraphError.
    """
    if scope.now is None:
        raise BadQuery("coverage", "the time is not given", "say what time it is now, so that a lag can be told")
    if isinstance(examine, bool) or examine not in EXAMINED:
        raise BadQuery("examine", f"{examine!r} is not within bounds", f"give a number from 1 to {EXAMINED[-1]:,}")
    heard = dict(sorted(places_heard(graph, scope).items()))
    gaps, _ = find_gaps(graph, list(heard))
    places = tuple(_place(place, last, scope, scope.now, gaps) for place, last in heard.items())
    stubs, examined, whole = _stubs(graph, examine)
    reasons = coverage_reasons(graph, heard, scope, None)
    if not whole:
        reasons.append(Reason(Why.BOUND, "examined", f"the parents of only {examined:,} things were looked at"))
    outcomes: dict[str, int] = {}
    for gap in gaps:
        outcomes[gap.outcome] = outcomes.get(gap.outcome, 0) + gap.count
    return Coverage(
        scope.now,
        places,
        outcomes,
        len(stubs),
        tuple(sorted(stubs)[:100]),
        examined,
        in_order(reasons),
    )


def _place(place: Place, last: Time | None, scope: Scope, now: Time, gaps: tuple[Gap, ...]) -> PlaceCoverage:
    lag = None if last is None else max(0, now - last)
    silent = last is None or (scope.silence is not None and now - last > scope.silence)
    return PlaceCoverage(
        place, last, lag, place in scope.expected, silent, tuple(gap for gap in gaps if gap.place == place)
    )


def _stubs(graph: Graph, examine: int) -> tuple[set[Key], int, bool]:
    stubs: set[Key] = set()
    known: set[Key] = set()
    examined = 0
    for keys in _pages(graph):
        some = keys[: examine - examined]
        parents = {fact.parent for fact in graph.facts_of(some, WALKED)} - known - stubs
        said = {fact.child for fact in graph.facts_of(parents, ALL_RELATIONS)} if parents else set()
        known |= said
        stubs |= parents - said
        examined += len(some)
        if len(some) < len(keys):
            return stubs, examined, False
    return stubs, examined, True


def _pages(graph: Graph) -> Iterator[tuple[Key, ...]]:
    for kind in Kind:
        if kind in (Kind.COVERAGE, Kind.ACCOUNT, Kind.PRINCIPAL, Kind.WATERMARK):
            continue
        after: Key | None = None
        more = True
        while more:
            found = graph.find(Search(kind), after, AT_ONCE)
            if found.keys:
                yield found.keys
                after = found.keys[-1]
            more = found.more
