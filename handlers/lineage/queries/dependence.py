"""What is affected now because of what: the affected part of the graph taken apart by time, in memory.

A thing that changes (an instance, a pointer) stands here once for each time at which something came of it. So a pointer
that pointed at a bad version yesterday and at another today makes what uses it today depend on the other alone.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from handlers.lineage.model import Key, Time
from handlers.lineage.queries.passage import Arc, is_bytes, upward
from handlers.lineage.queries.walk import Walk
from handlers.lineage.queries.windows import BEGINNING, END


class Moment(NamedTuple):
    """A thing at some instant of an interval (inclusive)."""

    key: Key
    start: Time
    end: Time


class Dependence(NamedTuple):
    """Moments and what they come from; only what leads to the start of the walk is in it."""

    start: Moment
    children: Mapping[Moment, tuple[Moment, ...]]
    """Every moment is in it, with what came of it."""


def moment_of(walk: Walk, key: Key) -> Moment:
    """Answer a thing at the time of the walk; all with which the walk began are one."""
    if key in walk.levels[0]:
        return Moment(walk.start, BEGINNING, END)
    now = END if walk.at is None else walk.at
    return Moment(key, BEGINNING, END) if is_bytes(key) else Moment(key, now, now)


def dependence_of(walk: Walk, users: Iterable[Key]) -> Dependence:
    """Answer on what things depend, as they are at the time of a walk down that reached them."""
    arcs: dict[Key, list[Arc]] = defaultdict(list)
    for hop, some in sorted(walk.arcs.items()):
        arcs[hop[0]] += some
    start = moment_of(walk, walk.start)
    below: dict[Moment, list[Moment]] = {start: []}
    seen = {moment_of(walk, key) for key in users} | {start}
    waiting = deque(sorted(seen - {start}))
    while waiting:
        child = waiting.popleft()
        for parent in _parents(child, arcs[child.key], walk):
            below.setdefault(parent, []).append(child)
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return Dependence(start, _reached(start, below))


def _parents(child: Moment, arcs: Iterable[Arc], walk: Walk) -> set[Moment]:
    found: set[Moment] = set()
    for arc in arcs:
        parent, asked = arc.fact.parent, upward(arc, ((child.start, child.end),))
        if parent not in walk.levels[0]:
            found.update(Moment(parent, start, end) for start, end in asked)
        elif asked:
            found.add(moment_of(walk, parent))
    return found


def _reached(start: Moment, below: Mapping[Moment, list[Moment]]) -> dict[Moment, tuple[Moment, ...]]:
    """Answer what lies below the start: of a thing that held something else at some time, that time does not."""
    reached: dict[Moment, tuple[Moment, ...]] = {}
    waiting = [start]
    while waiting:
        moment = waiting.pop()
        if moment not in reached:
            reached[moment] = tuple(sorted(set(below.get(moment, ()))))
            waiting += reached[moment]
    return reached
