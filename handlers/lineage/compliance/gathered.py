"""All that judging some things needs of the graph, read level by level and not thing by thing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from handlers.lineage.events.envelope import time_of
from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Found, Graph, Search
from handlers.lineage.model import Batch, Fact, Key, Kind, Place, Relation, Time, kind_of
from handlers.lineage.queries.asking import ALL_RELATIONS, USUAL_BOUNDS
from handlers.lineage.queries.fetch import facts_into, facts_of
from handlers.lineage.queries.passage import WALKED
from handlers.lineage.readings.form import RECONCILED

_SAME_DISK = frozenset({Relation.REGISTERED_FROM})


def _unknown(_: Key) -> bool:
    return False


class Gathered:
    """What was read: facts of things and of all above them, and the images made of their snapshots.

    Implements `graph.Graph`, so that queries can be asked of it. What was not gathered is read one by one. Of places it
    tells nothing: what was not heard is a finding of its own, and no fault of an image.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._of: dict[Key, list[Fact]] = {}
        self._states: dict[Key, State | None] = {}
        self._into: dict[Key, list[Fact]] = {}
        self._read_at: dict[Key, Time | None] = {}

    def read(self, keys: Iterable[Key]) -> None:
        """Read what is said of things alone."""
        self._read({key for key in keys if key not in self._of})

    def gather(self, keys: Iterable[Key], known: Callable[[Key], bool] = _unknown) -> None:
        """Read what is said of things and of all that they descend from: one round trip for a level.

        `known`: of what more need not be read than what is said of it itself.
        """
        below = seen = set(keys)
        self.read(below)
        for _ in range(USUAL_BOUNDS.depth + 1):
            above = {fact.parent for key in below for fact in self._of[key] if fact.relation in WALKED} - seen
            if not above:
                return
            self.read(above)
            seen = seen | above
            below = {key for key in above if not known(key)}

    def _read(self, keys: Collection[Key]) -> None:
        found: dict[Key, list[Fact]] = {key: [] for key in keys}
        for fact in facts_of(self._graph, keys, ALL_RELATIONS, None):
            found[fact.child].append(fact)
        self._of |= found

    def forget(self) -> None:
        """Give back what was read."""
        self._of, self._into, self._states = {}, {}, {}

    def state(self, key: Key) -> State | None:
        """Answer what is noted of a thing, as of now; None where nothing was ever."""
        if key not in self._states:
            self._states[key] = fold_states(fact for fact in self.of(key) if fact.relation is Relation.NOTED).get(key)
        return self._states[key]

    def read_at(self, coverage: Key) -> Time | None:
        """Answer when AWS was asked last about all of a place; None if it never was. Kept: there are few places."""
        if coverage not in self._read_at:
            states = fold_states(facts_of(self._graph, [coverage], {Relation.NOTED}, None))
            said = states[coverage].value(RECONCILED) if coverage in states else None
            self._read_at[coverage] = None if said is None else time_of(said, "a place's time")
        return self._read_at[coverage]

    def gather_same_disks(self) -> tuple[Key, ...]:
        """Read which images were registered from the snapshots that are gathered, and answer them, gathered as well."""
        snapshots = [key for key in self._of if kind_of(key) is Kind.SNAPSHOT and key not in self._into]
        found, _ = facts_into(self._graph, snapshots, _SAME_DISK, None, USUAL_BOUNDS.per_parent)
        self._into |= {key: found.get(key, []) for key in snapshots}
        images = tuple(sorted({fact.child for facts in found.values() for fact in facts}))
        self.gather(images)
        return images

    def of(self, key: Key) -> list[Fact]:
        """Answer all that is said of a thing, in the order of (time, event, id)."""
        if key not in self._of:
            self.gather([key])
        return self._of[key]

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        return [
            fact
            for child in sorted(children)
            for fact in self.of(child)
            if fact.relation in relations and (until is None or fact.evidence.time <= until)
        ]

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        if set(relations) != _SAME_DISK or any(key not in self._into for key in parents):
            return self._graph.facts_into(parents, relations, until, limit)
        found = (fact for key in sorted(parents) for fact in self._into[key])
        return [fact for fact in found if until is None or fact.evidence.time <= until][:limit]

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        return Found((), False) if search.kind is Kind.COVERAGE else self._graph.find(search, after, limit)

    def heard(self) -> Mapping[Place, Time]:
        return {}

    def append(self, batch: Batch) -> None:  # noqa: ARG002 - the interface has it
        raise TypeError("what is gathered is read only")

    def export(self) -> Iterator[Fact]:
        return self._graph.export()

    def close(self) -> None:
        self._graph.close()
