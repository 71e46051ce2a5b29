"""What images descend from, judged for many at once: what they have in common is looked at once.

`queries.verify` walks up from one thing. Content that never changes (images, snapshots) has the same descent whoever
asks, so what is above it is kept and put together; only what changes in between (instances, volumes, templates) depends
on the times at which it is asked about, and goes along as which of its facts count. Where a bound of the walk may be
hit, where descent runs in a circle, and where a fact is odd, `verify` itself is asked. A test holds both together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from handlers.lineage.compliance.gathered import Gathered
from handlers.lineage.compliance.parts import Part, Parts, hop_order
from handlers.lineage.model import Key, Relation
from handlers.lineage.queries.asking import USUAL_BOUNDS, Scope
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.passage import is_bytes, upward
from handlers.lineage.queries.reasons import Reason, Why
from handlers.lineage.queries.verify import Result, Verification, verify
from handlers.lineage.queries.windows import ALWAYS, NEVER, Windows, union

Each = TypeVar("Each")
_NOTHING: Mapping[Key, int] = {}


@dataclass(frozen=True, slots=True)
class Descended:
    """What judges ask of a verification."""

    result: Result
    roots: tuple[Key, ...]
    untrusted: tuple[Key, ...]
    missing: tuple[Reason, ...]
    writable: Hop | None
    """The first hop on which somebody could have written, or whose content came from elsewhere."""

    @property
    def cut_short(self) -> bool:
        return any(each.why is Why.BOUND for each in self.missing)


@dataclass(frozen=True, slots=True)
class _Above:
    """All that content descends from, itself included."""

    roots: frozenset[Key]
    untrusted: frozenset[Key]
    missing: frozenset[Reason]
    writable: Hop | None
    """These four: of what is content."""
    changing: Mapping[Key, int]
    """The other things, and by bits which of their arcs count."""
    hops: int
    """At most so many up."""
    things: int
    """At most so many."""
    nearest: Mapping[Key, int]
    """The content that is met first, and after how many hops."""
    rounds: int
    """Hops until no more is found but by way of that content."""


class Descents:
    """Judges descents, and keeps what it found; the graph must not change meanwhile."""

    def __init__(self, gathered: Gathered, trusted: Collection[str], scope: Scope) -> None:
        self._gathered, self._trusted, self._scope = gathered, trusted, scope
        self._parts = Parts(gathered, trusted, scope)
        self._above: dict[Key, _Above | None] = {}

    def known(self, key: Key) -> bool:
        """Tell whether all above is known, so that it need not be read."""
        return self._above.get(key) is not None

    def of(self, image: Key) -> Descended:
        """Answer what `verify` would say. UnknownThing, GraphError."""
        above = self._find(image)
        if above is None:
            return short_form(verify(self._gathered, image, self._trusted, self._scope))
        return self._answer(above)

    def _find(self, start: Key) -> _Above | None:
        """Put together what is above, parents first, without recursion: descent may be deep."""
        known, waiting, open_ = self._above, [start], set[Key]()
        steps: dict[Key, _Steps] = {}
        while waiting:
            key = waiting[-1]
            if key in known:
                waiting.pop()
                open_.discard(key)
            elif key not in steps:
                open_.add(key)
                steps[key] = self._steps(key)
                new = [each for each in steps[key].nearest if each not in known]
                if open_.intersection(new):
                    # A circle: what is in it, and what descends from it.
                    known.update(dict.fromkeys(open_))
                waiting += new
            else:
                waiting.pop()
                open_.discard(key)
                known[key] = self._together(key, steps.pop(key))
        return known[start]

    def _steps(self, key: Key) -> _Steps:
        """Walk up from content until content is met again."""
        mine = self._parts.of(key)
        windows: dict[Key, Windows] = {}
        nearest: dict[Key, int] = {}
        frontier: dict[Key, Windows] = {}
        for arc in mine.arcs:
            parent = arc.fact.parent
            if is_bytes(parent):
                nearest[parent] = 1
            else:
                frontier[parent] = union(frontier.get(parent, NEVER), upward(arc, ALWAYS))
        changing: dict[Key, int] = {}
        rounds = 1 if mine.arcs else 0
        while frontier and rounds <= USUAL_BOUNDS.depth:
            rounds += 1
            windows |= frontier
            grown: dict[Key, Windows] = {}
            for child, asked in frontier.items():
                counts = changing.get(child, 0)
                for bit, arc in enumerate(self._parts.arcs(child)):
                    if more := upward(arc, asked):
                        counts |= 1 << bit
                        parent = arc.fact.parent
                        if is_bytes(parent):
                            nearest.setdefault(parent, rounds)
                            continue
                        before = grown.get(parent) or windows.get(parent, NEVER)
                        if (after := union(before, more)) != before:
                            grown[parent] = after
                changing[child] = counts
            frontier = grown
        return _Steps(mine, nearest, changing, rounds)

    def _together(self, key: Key, steps: _Steps) -> _Above | None:
        mine = steps.mine
        found = [above for each in steps.nearest if (above := self._above[each]) is not None]
        if len(found) < len(steps.nearest) or any(arc.fact.relation is Relation.ATTACHED_TO for arc in mine.arcs):
            return None
        changing = steps.changing
        for above in found:
            changing = _joined(changing, above.changing)
        hops, things = steps.rounds, 1 + len(changing)
        for above, nearest in zip(found, steps.nearest.values(), strict=True):
            hops, things = max(hops, nearest + above.hops), things + above.things
        if hops > USUAL_BOUNDS.depth or things > USUAL_BOUNDS.size:
            hops, content = self._count(steps)
            things = content + len(changing)
        if hops > USUAL_BOUNDS.depth or things > USUAL_BOUNDS.size:
            return None
        believed = mine.top and mine.trusted
        missing = mine.unseen is not None and not mine.made and not believed
        writable = (each for each in (mine.writable, *(above.writable for above in found)) if each)
        return _Above(
            _sum([above.roots for above in found], key if mine.top else None),
            _sum([above.untrusted for above in found], key if mine.top and not believed and not missing else None),
            _sum([above.missing for above in found], mine.unseen if missing else None),
            min(writable, key=hop_order, default=None),
            changing or _NOTHING,
            hops,
            things,
            steps.nearest,
            steps.rounds,
        )

    def _count(self, steps: _Steps) -> tuple[int, int]:
        """Answer how far up it goes on the shortest ways, and how much content is there; diamonds count once."""
        far, hops = 0, steps.rounds
        found: dict[Key, int] = {}
        by_hops: dict[int, dict[Key, None]] = {}
        nearest: Mapping[Key, int] = steps.nearest
        while True:
            for key, more in nearest.items():
                by_hops.setdefault(far + more, {})[key] = None
            while by_hops and not (due := by_hops[min(by_hops)]):
                del by_hops[min(by_hops)]
            if not by_hops:
                return hops, 1 + len(found)
            far = min(by_hops)
            key, nearest = due.popitem()[0], {}
            above = self._above[key]
            if key not in found and above is not None:
                found[key] = far
                hops, nearest = max(hops, far + above.rounds), above.nearest

    def _answer(self, above: _Above) -> Descended:
        parts = [self._parts.counted(key, counts) for key, counts in above.changing.items()]
        launches = {each for part in parts for each in part.launches}
        unseen = [
            part
            for part in parts
            if part.unseen is not None and not part.made and not any(each in launches for each in part.attached)
        ]
        missing = above.missing.union(part.unseen for part in unseen if part.unseen is not None)
        tops = {part.key for part in parts if part.top}
        untrusted = above.untrusted | (tops - {part.key for part in unseen})
        writable = min(
            (each for each in (above.writable, *(part.writable for part in parts)) if each), key=hop_order, default=None
        )
        return _descended(above.roots | tops, untrusted, missing, writable)


@dataclass(frozen=True, slots=True)
class _Steps:
    mine: Part
    nearest: Mapping[Key, int]
    changing: Mapping[Key, int]
    rounds: int


def _descended(
    roots: Collection[Key], untrusted: Collection[Key], missing: Collection[Reason], writable: Hop | None
) -> Descended:
    if missing:
        result = Result.BROKEN
    elif untrusted:
        result = Result.UNTRUSTED_ROOT
    else:
        result = Result.UNVERIFIED if writable else Result.VERIFIED
    return Descended(result, tuple(sorted(roots)), tuple(sorted(untrusted)), tuple(sorted(missing)), writable)


def short_form(found: Verification) -> Descended:
    """Answer what judges ask of a verification."""
    return Descended(
        found.result,
        tuple(each.key for each in found.roots),
        tuple(each.key for each in found.untrusted),
        found.missing,
        next(iter(found.writable), None),
    )


def _joined(one: Mapping[Key, int], other: Mapping[Key, int]) -> Mapping[Key, int]:
    if not one or not other:
        return one or other
    return {**one, **{key: one.get(key, 0) | counts for key, counts in other.items()}}


def _sum(sets: Sequence[frozenset[Each]], own: Each | None) -> frozenset[Each]:
    """Put sets together; where one has all, it is that very one: most images share what is above them."""
    whole = max(sets, key=len, default=frozenset[Each]())
    rest = [each for each in sets if each is not whole and not each <= whole]
    whole = whole.union(*rest) if rest else whole
    return whole if own is None else whole | {own}
