"""The synthetic history by which engines are measured is the same each time, and is what it says."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from itertools import islice

from handlers.lineage.model import Batch, Kind, Relation, kind_of
from handlers.lineage.queries.asking import Bounds
from handlers.lineage.queries.walk import walk_down, walk_up
from tests.bench.lineage_history import Adjacency, History, Sort, measure_queries
from tests.support.lineage import MemoryGraph

SMALL = History(300, 1_500)


def test_a_history_has_as_many_images_and_edges_as_it_was_asked_for() -> None:
    facts = list(SMALL.facts())
    images = {fact.child for fact in facts if kind_of(fact.child) is Kind.IMAGE}
    edges = [fact for fact in facts if fact.relation is not Relation.NOTED]
    assert (len(images), len(edges), len({fact.id for fact in edges})) == (300, 1_500, 1_500)
    kinds = Counter(kind_of(fact.child) for fact in edges)
    assert set(kinds) == {Kind.IMAGE, Kind.INSTANCE, Kind.SNAPSHOT, Kind.TEMPLATE_VERSION, Kind.GROUP}


def test_parents_are_told_before_their_children_and_every_thing_has_an_owner() -> None:
    told = set()
    for fact in SMALL.facts():
        if fact.relation is Relation.NOTED:
            told.add(fact.child)
        else:
            assert fact.parent in told


def test_the_same_numbers_make_the_same_history_and_others_another() -> None:
    first = [fact.id for fact in islice(SMALL.facts(), 500)]
    assert first == [fact.id for fact in islice(History(300, 1_500).facts(), 500)]
    assert not set(first) & {fact.id for fact in islice(History(300, 1_500, seed=2).facts(), 500)}


def test_the_memory_that_telling_takes_does_not_grow_with_the_history() -> None:
    tracemalloc.start()
    for _ in islice(History(1_000_000, 5_000_000).batches(100), 50):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_the_bare_search_reaches_what_the_query_reaches() -> None:
    graph = MemoryGraph()
    graph.append(Batch(tuple(SMALL.facts())))
    adjacency = Adjacency(SMALL)
    for number in (0, 3, 50, 250):
        key = SMALL.key((Sort.IMAGE, number))
        assert adjacency.reach(number, down=True) == len(walk_down(graph, key, Bounds(depth=100)).windows)
        assert adjacency.reach(number, down=False) == len(walk_up(graph, key, Bounds(depth=100)).windows)


def test_a_measurement_tells_each_question_by_the_size_of_its_answer() -> None:
    small = History(60, 240)
    graph = MemoryGraph()
    graph.append(Batch(tuple(small.facts())))
    timings = measure_queries(graph, Adjacency(small), each=2)
    assert {each.query for each in timings} == {"ancestors", "descendants", "impact", "frontiers"}
    assert {each.things for each in timings} >= {"2-10", "11-100"}
    assert all(0 < each.p50 <= each.p99 for each in timings)
