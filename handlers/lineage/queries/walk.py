"""Walk along descent in time, breadth first, with one round trip for a level (and one more for what held meanwhile).

With each thing goes WHEN it matters (`windows`): upward the times at which it is asked about, downward those at which
it held what is looked for. A thing is expanded again only where its windows grew, so that diamonds do not multiply.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Key, Relation, Time
from handlers.lineage.queries.asking import Bounds
from handlers.lineage.queries.fetch import facts_into, facts_of
from handlers.lineage.queries.hops import Hop, hop_of
from handlers.lineage.queries.passage import (
    HELD_FOR_A_TIME,
    WALKED,
    Arc,
    arcs_of,
    derivation,
    downward,
    is_bytes,
    is_fixed,
    upward,
)
from handlers.lineage.queries.reasons import Reason, Why
from handlers.lineage.queries.windows import ALWAYS, END, NEVER, Windows, meets, union


class Direction(StrEnum):
    """Where to."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Walk:
    """What was reached, and by which hops."""

    start: Key
    direction: Direction
    at: Time | None
    """Facts after this time were not looked at."""
    levels: tuple[tuple[Key, ...], ...]
    """Things by their least number of hops from the start, which (with what is the same content) is level 0; in the
    order of keys."""
    windows: Mapping[Key, Windows]
    arcs: Mapping[tuple[Key, Relation, Key], tuple[Arc, ...]]
    """By (child, relation, parent): all that passed something on."""
    cuts: tuple[Reason, ...]
    """Bounds that were hit."""
    open: frozenset[Key]
    """Things from which the walk would have gone on, had no bound been hit."""

    @property
    def hops(self) -> tuple[Hop, ...]:
        """In the order of (child, relation, parent)."""
        return tuple(hop_of(self.arcs[each]) for each in sorted(self.arcs))

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(key for level in self.levels for key in level)

    def holds(self, key: Key) -> bool:
        """Tell, of a walk down, whether a reached thing holds the content at the time asked about."""
        now = END if self.at is None else self.at
        return meets(self.windows[key], now, now)

    @property
    def tops(self) -> tuple[Key, ...]:
        """What has no parent that is known, in the order of keys."""
        children = {child for child, _, _ in self.arcs}
        return tuple(sorted(key for key in self.windows if key not in children and key not in self.open))


Steps = Iterable[tuple[Arc, Key, Windows]]
Expand = Callable[[Mapping[Key, Windows]], Steps]


def walk_up(graph: Graph, start: Key, bounds: Bounds, at: Time | None = None) -> Walk:
    """Answer what a thing descends from, as it is at a time (inclusive; None: after all that is known)."""
    cache: dict[Key, list[Arc]] = {}

    def expand(frontier: Mapping[Key, Windows]) -> Steps:
        new = [key for key in frontier if key not in cache]
        cache.update((key, []) for key in new)
        for arc in arcs_of(facts_of(graph, new, WALKED, at)):
            cache[arc.fact.child].append(arc)
        for key, windows in frontier.items():
            for arc in cache[key]:
                yield arc, arc.fact.parent, upward(arc, windows)

    now = END if at is None else at
    windows = {start: ALWAYS if is_bytes(start) else ((now, now),)}
    return _walk(start, windows, Direction.UP, bounds, at, expand, set())


def walk_down(graph: Graph, start: Key, bounds: Bounds, at: Time | None = None, also: Collection[Key] = ()) -> Walk:
    """Answer what came of a thing until a time: what held its content ever, and when.

    `also`: other things that are the same content, and begin with it.
    """
    below: dict[Key, list[Arc]] = {}
    held: dict[Key, list[Arc]] = {}
    crowded: set[Key] = set()

    def expand(frontier: Mapping[Key, Windows]) -> Steps:
        new = [key for key in frontier if key not in below]
        if new:
            found, more = facts_into(graph, new, WALKED, at, bounds.per_parent)
            crowded.update(more)
            unknown = {fact.child for facts in found.values() for fact in facts if _changes(fact)} - held.keys()
            held.update((key, []) for key in unknown)
            for arc in arcs_of(facts_of(graph, unknown, HELD_FOR_A_TIME, at)):
                held[arc.fact.child].append(arc)
            below.update((key, _arcs_into(key, found.get(key, ()), held)) for key in new)
        for key, windows in frontier.items():
            for arc in below[key]:
                yield arc, arc.fact.child, downward(arc, windows)

    windows = dict.fromkeys(sorted({start, *also}), ALWAYS)
    return _walk(start, windows, Direction.DOWN, bounds, at, expand, crowded)


def _changes(fact: Fact) -> bool:
    return fact.relation in HELD_FOR_A_TIME and not is_fixed(fact.child)


def _arcs_into(parent: Key, facts: Iterable[Fact], held: Mapping[Key, list[Arc]]) -> list[Arc]:
    arcs: list[Arc] = []
    seen: set[Key] = set()
    for fact in facts:
        if not _changes(fact):
            if fact.relation in HELD_FOR_A_TIME:
                arcs += arcs_of([fact])
            else:
                arcs.append(derivation(fact, is_fixed(fact.child)))
        elif fact.child not in seen:
            seen.add(fact.child)
            arcs += [arc for arc in held[fact.child] if arc.fact.parent == parent]
    return arcs


def _walk(
    start: Key,
    windows: dict[Key, Windows],
    direction: Direction,
    bounds: Bounds,
    at: Time | None,
    expand: Expand,
    crowded: set[Key],
) -> Walk:
    levels: list[tuple[Key, ...]] = [tuple(windows)]
    arcs: dict[tuple[Key, Relation, Key], dict[int, Arc]] = {}
    frontier = dict(windows)
    cuts: list[Reason] = []
    left_open: set[Key] = set()
    full = False
    for depth in range(bounds.depth + 1):
        if bounds.late():
            left_open = set(frontier)
            cuts.append(Reason(Why.BOUND, "time", "the time to look was up; there may be more"))
            break
        steps = [step for step in expand(frontier) if step[2]]
        grown = _grown(windows, steps)
        new = sorted(key for key in grown if key not in windows)
        if depth == bounds.depth:
            if grown:
                left_open = {_source(arc, key) for arc, key, _ in steps if key in grown}
                cuts.append(Reason(Why.BOUND, "depth", f"there is more beyond {_count(bounds.depth, 'hop')}"))
            steps = [step for step in steps if step[1] in windows and step[1] not in grown]
            grown, new = {}, []
        if (room := bounds.size - len(windows)) < len(new):
            cuts.append(Reason(Why.BOUND, "size", f"there is more than {_count(bounds.size, 'thing')}"))
            for key in new[room:]:
                del grown[key]
            new = new[:room]
            full = True
            left_open = set(grown) | {
                _source(arc, key) for arc, key, _ in steps if key not in grown and key not in windows
            }
        windows.update(grown)
        for arc, key, _ in steps:
            if key in windows:
                fact = arc.fact
                arcs.setdefault((fact.child, fact.relation, fact.parent), {})[id(arc)] = arc
        if new:
            levels.append(tuple(new))
        if full or not grown:
            break
        frontier = grown
    cuts += [
        Reason(Why.BOUND, "per-parent", f"{key} has more than {bounds.per_parent:,} children")
        for key in sorted(crowded)
    ]
    return Walk(
        start,
        direction,
        at,
        tuple(levels),
        windows,
        {hop: tuple(sorted(found.values(), key=attrgetter("start"))) for hop, found in arcs.items()},
        tuple(cuts),
        frozenset(left_open),
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s'[: number != 1]}"


def _source(arc: Arc, reached: Key) -> Key:
    return arc.fact.child if reached == arc.fact.parent else arc.fact.parent


def _grown(windows: Mapping[Key, Windows], steps: Steps) -> dict[Key, Windows]:
    """Answer the windows of what is new, or wider than before."""
    grown: dict[Key, Windows] = {}
    for _, key, more in steps:
        before = grown.get(key) or windows.get(key, NEVER)
        if before != ALWAYS:
            after = union(before, more)
            if after != before:
                grown[key] = after
    return dict(sorted(grown.items()))
