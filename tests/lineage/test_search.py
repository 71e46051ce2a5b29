"""Finding things by what holds now, page after page."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.model import Batch, Kind, Relation, key_of
from handlers.lineage.queries import search as module
from handlers.lineage.queries.asking import BadQuery
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.search import Wanted, search
from org.model import AccountId, Region
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, fact, image, instance, note

AVAILABLE = Wanted(Kind.IMAGE, equal=(("state", "available"),))


def graph_of(*facts) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


def all_pages(graph: MemoryGraph, wanted: Wanted, limit: int) -> list[list[str]]:
    found, cursor = [], None
    while True:
        page = search(graph, wanted, limit, cursor)
        found.append([each.key for each in page.things])
        cursor = page.cursor
        if cursor is None:
            return found


@given(st.lists(st.sampled_from(["available", "was available", "deregistered"]), max_size=40), st.integers(1, 7))
def test_pages_are_full_up_to_the_last_and_hold_what_is_so_now(states, limit) -> None:
    facts = []
    for n, state in enumerate(states):
        if state != "deregistered":
            facts.append(note(image(f"{n:02}"), 1, state="available"))
        if state != "available":
            facts.append(note(image(f"{n:02}"), 2, state="deregistered"))
    pages = all_pages(graph_of(*facts), AVAILABLE, limit)
    right = [image(f"{n:02}") for n, state in enumerate(states) if state == "available"]
    assert [key for page in pages for key in page] == right
    assert all(len(page) == limit for page in pages[:-1])


def test_filters_are_all_to_hold() -> None:
    graph = graph_of(
        note(image("a"), 1, name="web-golden", owner=ACCOUNT, **{"tag:Environment": "prod"}),
        note(image("b"), 1, name="web-golden", owner="222233334444", **{"tag:Environment": "prod"}),
        note(image("c"), 1, name="database", owner=ACCOUNT, **{"tag:Environment": "prod"}),
        note(key_of(Kind.IMAGE, "ami-d", Region("us-east-1")), 1, name="web-golden", owner=ACCOUNT),
        note(instance("e"), 1, name="web-golden", owner=ACCOUNT),
    )
    tagged = (("tag:Environment", "prod"),)
    wanted = Wanted(Kind.IMAGE, REGION, AccountId(ACCOUNT), "golden", tagged)
    assert [each.key for each in search(graph, wanted).things] == [image("a")]
    assert len(search(graph, Wanted(Kind.IMAGE)).things) == 4
    assert search(graph, Wanted(Kind.IMAGE, name_contains="GOLDEN")).things == ()


def test_a_cursor_is_good_for_its_own_search_alone() -> None:
    graph = graph_of(*(note(image(f"{n}"), 1, state="available", owner=ACCOUNT) for n in range(3)))
    cursor = search(graph, AVAILABLE, 1).cursor
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "==")
    moved = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()
    for wanted, bad in (
        (Wanted(Kind.IMAGE), cursor),
        (AVAILABLE, moved),
        (AVAILABLE, cursor[:-1]),
        (AVAILABLE, ""),
        (AVAILABLE, "ä"),
        (AVAILABLE, "AAAA"),
    ):
        with pytest.raises(BadQuery, match="cursor: it is not one of this search; start from the first page"):
            search(graph, wanted, 1, bad)
    with pytest.raises(BadQuery):
        search(graph, AVAILABLE, 1, cursor, secret=b"another")
    twice = Wanted(Kind.IMAGE, equal=(("state", "available"), ("owner", ACCOUNT)))
    swapped = Wanted(Kind.IMAGE, equal=twice.equal[::-1])
    assert search(graph, swapped, 1, search(graph, twice, 1).cursor).things[0].key == image("1")


@given(st.text())
def test_any_text_is_a_cursor_or_a_declared_error(text) -> None:
    with pytest.raises(BadQuery):
        search(MemoryGraph(), AVAILABLE, 1, text)


def test_a_pointer_is_known_by_what_it_points_at_though_nothing_is_noted_of_it() -> None:
    version, pointer, stub = (key_of(Kind.TEMPLATE_VERSION, f"lt-1:{n}", REGION) for n in ("1", "$Default", "9"))
    group = key_of(Kind.GROUP, f"{ACCOUNT}/web", REGION)
    graph = graph_of(
        note(version, 1), fact(Relation.RESOLVES_TO, pointer, version, 1), fact(Relation.USES, group, stub, 2)
    )
    known = {each.key: each.known for each in search(graph, Wanted(Kind.TEMPLATE_VERSION)).things}
    assert known == {version: True, pointer: True, stub: False}


def test_a_search_that_finds_too_little_ends_and_says_so(monkeypatch) -> None:
    monkeypatch.setattr(module, "EXAMINED", 200)
    once = [
        note(image(f"{n:04}"), time, state=state) for n in range(500) for time, state in ((1, "available"), (2, "x"))
    ]
    graph = graph_of(*once, note(image("9999"), 1, state="available"))
    first = search(graph, AVAILABLE, 10)
    assert (first.things, first.complete, first.reasons[0].why) == ((), False, Why.BOUND)
    second = search(graph, AVAILABLE, 10, first.cursor)
    third = search(graph, AVAILABLE, 10, second.cursor)
    assert [each.key for each in third.things] == [image("9999")]
    assert third.cursor is None


@pytest.mark.parametrize("limit", [0, 1001, -1, True, "10"])
def test_a_page_has_bounds(limit) -> None:
    with pytest.raises(BadQuery):
        search(MemoryGraph(), AVAILABLE, limit)


@pytest.mark.parametrize("given", [{"region": Region("")}, {"name_contains": ""}, {"equal": (("", "x"),)}])
def test_an_empty_filter_is_refused(given) -> None:
    with pytest.raises(BadQuery):
        Wanted(Kind.IMAGE, **given)
