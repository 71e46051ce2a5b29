"""Questions that end because the time does, and say so."""

from __future__ import annotations

from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Kind, Relation, Time
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.contradictions import contradictions
from handlers.lineage.queries.coverage import coverage
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.search import Wanted, search
from tests.support.lineage import ACCOUNT, MemoryGraph, fact, image, note

NOW = Time(1_790_000_100_000)
LATE = Bounds(late=lambda: True)


def _renamed(count: int) -> Graph:
    graph = MemoryGraph()
    named = [image(f"{number:04}") for number in range(count)]
    graph.append(Batch(tuple(note(key, 1, name="old", owner=ACCOUNT) for key in named)))
    graph.append(Batch(tuple(note(key, 2, name="new") for key in named)))
    return graph


def test_a_search_that_is_late_goes_on_where_it_ended() -> None:
    """Each image was called so once, and none is now: without the clock all would be looked at for one page."""
    graph, wanted = _renamed(250), Wanted(Kind.IMAGE, name_contains="old")
    pages, cursor = 0, None
    while True:
        page = search(graph, wanted, cursor=cursor, late=lambda: True)
        pages, cursor = pages + 1, page.cursor
        assert page.things == ()
        if cursor is None:
            break
        assert [each.why for each in page.reasons] == [Why.BOUND]
    assert pages == 3
    assert search(graph, wanted).cursor is None


def test_a_walk_that_is_late_leaves_its_frontier_open() -> None:
    graph, parent, child = MemoryGraph(), image("parent"), image("child")
    graph.append(Batch((fact(Relation.COPIED_FROM, child, parent, 1),)))
    for found in (descendants(graph, parent, bounds=LATE), ancestors(graph, child, bounds=LATE)):
        assert (list(found.things), found.open, found.truncated) == ([found.start], (found.start,), True)
        assert [each.about for each in found.reasons if each.why is Why.BOUND] == ["time"]


def test_coverage_that_is_late_says_at_how_much_it_looked() -> None:
    graph, scope = _renamed(1_500), Scope(now=NOW)
    late = coverage(graph, scope, late=lambda: True)
    assert (late.examined, late.complete) == (1_000, False)
    assert coverage(graph, scope).complete


def test_contradictions_that_are_late_say_where_to_go_on() -> None:
    graph, scope = _renamed(1_500), Scope(now=NOW)
    found = contradictions(graph, scope, LATE)
    assert (found.examined, found.after) == (1_000, image("0999"))
    rest = contradictions(graph, scope, after=found.after)
    assert (rest.examined, rest.after) == (500, None)
