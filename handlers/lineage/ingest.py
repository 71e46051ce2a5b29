"""From events as they come to the graph: each is kept in the archive first, then read, then what they say is added.

Any part may be done again: an archived event is kept once, and a fact that is there already is no second one. So
nothing has to remember which events were seen, and a run that ends in the middle is repaired by the next delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from handlers.lineage.archive import EVENTS, READINGS, Archive, read_all
from handlers.lineage.events.heard import Heard, batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.graph import Graph
from handlers.lineage.readings.parse import parse_reading

REBUILD_AT_ONCE = 1_000
"""Events between two commits of a rebuild."""


def keep_and_read(body: str, archive: Archive, shelf: str = EVENTS) -> Heard:
    """Keep one event and answer what it says; OrgctlError where it cannot be kept, and then it must come again.

    `shelf`: by which way it came, which nobody can choose who writes it; EVENTS or READINGS.
    """
    archive.keep(body, shelf)
    return _PARSERS[shelf](body)


def add(heards: Iterable[Heard], graph: Graph) -> None:
    """Add what was heard; GraphError where it cannot be added, and then all of it must be added again."""
    graph.append(batch_of(heards))


def ingest(bodies: Iterable[str], archive: Archive, graph: Graph) -> tuple[Heard, ...]:
    """Take some events whole: for callers without a queue."""
    heards = tuple(keep_and_read(body, archive) for body in bodies)
    add(heards, graph)
    return heards


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild read."""

    events: int
    outcomes: Mapping[Outcome, int]


def rebuild(archive: Archive, graph: Graph, watch: Callable[[int], None] = lambda _: None) -> Rebuilt:
    """Add all that the archive holds; `watch` is told the number of events so far.

    Into an empty graph it makes the one that the same events made live, to the same hash. Into another it only adds
    what is missing.
    """
    counted: Counter[Outcome] = Counter()
    for bodies in read_all(archive, REBUILD_AT_ONCE):
        heards = [_PARSERS[READINGS if name.startswith(READINGS) else EVENTS](body) for name, body in bodies]
        add(heards, graph)
        counted.update(heard.outcome for heard in heards)
        watch(counted.total())
    return Rebuilt(counted.total(), dict(sorted(counted.items())))


_PARSERS: Mapping[str, Callable[[str], Heard]] = {EVENTS: parse_event, READINGS: parse_reading}
