"""Where a thing came from, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Place, Time
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, Bounds, Scope, check_key, check_known
from handlers.lineage.queries.hops import Hop, inferred_reasons
from handlers.lineage.queries.reasons import Reason, Why, coverage_reasons, in_order, places_heard
from handlers.lineage.queries.things import MADE, Thing, describe_things, unseen_reasons
from handlers.lineage.queries.walk import Direction, Walk, walk_down, walk_up
from handlers.lineage.queries.windows import Windows
from org.ids import AccountId


@dataclass(frozen=True, slots=True)
class Descent:
    """A part of the graph on one side of a thing."""

    start: Key
    direction: Direction
    at: Time | None
    """Inclusive; None: as far as is known."""
    levels: tuple[tuple[Key, ...], ...]
    """By the least number of hops; level 0 is the start."""
    things: Mapping[Key, Thing]
    hops: tuple[Hop, ...]
    tops: tuple[Key, ...]
    """Upward: what has no parents that are known. Downward: the start."""
    windows: Mapping[Key, Windows]
    formerly: tuple[Key, ...]
    """Downward: what held it once and does not at the time asked about; it is among the levels, too."""
    open: tuple[Key, ...]
    """Things beyond which there is more, since a bound was hit."""
    reasons: tuple[Reason, ...]

    @property
    def truncated(self) -> bool:
        """Tell whether a bound was hit."""
        return any(each.why is Why.BOUND for each in self.reasons)

    @property
    def complete(self) -> bool:
        return not self.reasons


def ancestors(
    graph: Graph, start: Key, scope: Scope = NO_SCOPE, bounds: Bounds = USUAL_BOUNDS, at: Time | None = None
) -> Descent:
    """Answer what a thing descends from. BadQuery, UnknownThing, GraphError."""
    walk = checked_walk(graph, start, Direction.UP, bounds, at)
    hops = walk.hops
    things = describe_things(graph, walk.keys, hops, at)
    heard = places_heard(graph, scope)
    near = {place: heard.get(place) for place in map(_place_of, things.values()) if place in heard}
    reasons = [
        *walk.cuts,
        *inferred_reasons(hops),
        *unseen_reasons({key: each for key, each in things.items() if key not in walk.open}, hops, scope),
        *coverage_reasons(graph, near, scope, at),
    ]
    return _answer(walk, hops, things, (), reasons)


def descendants(
    graph: Graph, start: Key, scope: Scope = NO_SCOPE, bounds: Bounds = USUAL_BOUNDS, at: Time | None = None
) -> Descent:
    """Answer what came of a thing. BadQuery, UnknownThing, GraphError."""
    walk = checked_walk(graph, start, Direction.DOWN, bounds, at)
    hops = walk.hops
    things = describe_things(graph, walk.keys, hops, at)
    formerly = tuple(sorted(key for key in walk.windows if not walk.holds(key)))
    return _answer(walk, hops, things, formerly, reasons_below(graph, walk, hops, scope))


def checked_walk(
    graph: Graph, start: Key, direction: Direction, bounds: Bounds, at: Time | None, also: Collection[Key] = ()
) -> Walk:
    """Walk from a thing that is known. BadQuery, UnknownThing."""
    check_key(start)
    walk = walk_up(graph, start, bounds, at) if direction is Direction.UP else walk_down(graph, start, bounds, at, also)
    if len(walk.windows) == 1:
        check_known(graph, start)
    return walk


def reasons_below(graph: Graph, walk: Walk, hops: tuple[Hop, ...], scope: Scope) -> list[Reason]:
    """Answer why a walk down may lack something: a child may be made in any place, but not before its parent was."""
    made = graph.facts_of([walk.start], MADE, walk.at)
    first = min((fact.evidence.time for fact in made), default=None)
    heard = places_heard(graph, scope)
    return [*walk.cuts, *inferred_reasons(hops), *coverage_reasons(graph, heard, scope, walk.at, first)]


def _place_of(thing: Thing) -> Place:
    return Place(AccountId(thing.account), thing.region)


def _answer(
    walk: Walk, hops: tuple[Hop, ...], things: Mapping[Key, Thing], formerly: tuple[Key, ...], reasons: list[Reason]
) -> Descent:
    return Descent(
        walk.start,
        walk.direction,
        walk.at,
        walk.levels,
        things,
        hops,
        walk.tops,
        dict(sorted(walk.windows.items())),
        formerly,
        tuple(sorted(walk.open)),
        in_order(reasons),
    )
