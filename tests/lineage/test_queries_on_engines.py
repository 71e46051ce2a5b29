"""Every engine gives rise to the same answers, to the letter."""

from __future__ import annotations

import json

import pytest

from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Key, Kind, Relation
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.coverage import coverage
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.queries.effective_root import effective_root
from handlers.lineage.queries.evidence import evidence_between, evidence_of
from handlers.lineage.queries.frontiers import frontiers
from handlers.lineage.queries.impact import impact
from handlers.lineage.queries.json_form import to_plain
from handlers.lineage.queries.search import Wanted, search
from handlers.lineage.queries.show import show
from handlers.lineage.queries.smallest import smallest_rebuild
from handlers.lineage.queries.verify import verify
from tests.bench.lineage_history import History, Sort
from tests.lineage.test_impact import BAD, CHAIN, COPY, SCOPE, STORY
from tests.support.histories import at, key
from tests.support.lineage import ACCOUNT, MemoryGraph, fact, instance, note

HISTORY = History(150, 600)
START = HISTORY.key((Sort.IMAGE, 3))
LEAF = HISTORY.key((Sort.IMAGE, 149))
RESET = (
    fact(Relation.LAUNCHED_FROM, instance("reset"), BAD, 1),
    fact(Relation.ROOT_REPLACED_BY, instance("reset"), COPY, 2),
    fact(Relation.ROOT_REPLACED_BY, instance("reset"), instance("reset"), 3),
)


def filled(graph: Graph) -> Graph:
    for batch in HISTORY.batches(97):
        graph.append(batch)
    graph.append(Batch((*STORY, *CHAIN, note(key(Kind.COVERAGE, ACCOUNT), 3, outcome="gap", reason="x"), *RESET)))
    return graph


@pytest.fixture
def engine(graph: Graph) -> Graph:
    return filled(graph)


def answers(graph: Graph, start: Key, leaf: Key) -> list[object]:
    few = Bounds(depth=3, size=20, per_parent=4)
    return [
        ancestors(graph, leaf),
        ancestors(graph, leaf, bounds=few),
        descendants(graph, start),
        descendants(graph, start, bounds=few),
        impact(graph, start, SCOPE),
        impact(graph, BAD, SCOPE),
        impact(graph, BAD, SCOPE, at=at(4)),
        frontiers(graph, start),
        frontiers(graph, BAD, SCOPE),
        smallest_rebuild(graph, start),
        smallest_rebuild(graph, BAD, SCOPE),
        verify(graph, leaf, [ACCOUNT]),
        show(graph, BAD),
        show(graph, start),
        show(graph, instance("reset")),
        effective_root(graph, instance("healed")),
        evidence_between(graph, COPY, BAD),
        evidence_of(graph, instance("ended"), "state"),
        search(graph, Wanted(Kind.IMAGE, name_contains="thing-1"), 7),
        search(graph, Wanted(Kind.INSTANCE, equal=(("state", "running"),)), 50),
        coverage(graph, Scope(now=at(100), silence=1)),
    ]


def test_every_engine_answers_as_the_plain_one_does(engine) -> None:
    expected = answers(filled(MemoryGraph()), START, LEAF)
    for mine, right in zip(answers(engine, START, LEAF), expected, strict=True):
        assert json.dumps(to_plain(mine), indent=1) == json.dumps(to_plain(right), indent=1)
