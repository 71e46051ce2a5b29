"""What every engine must do, each as the plain one in memory does it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Batch, Fact, Key, Kind, Place, Relation, Time, digest_of, key_of, noted
from org.model import AccountId, Region
from tests.lineage.conftest import Empty
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, evidence, fact, image, instance, note

ALL = frozenset(Relation)
DESCENT = ALL - {Relation.NOTED}
HERE, THERE = Place(ACCOUNT, REGION), Place(AccountId("222233334444"), Region("us-east-1"))


def digest(graph: Graph) -> str:
    return digest_of((each.id for each in graph.export()), graph.heard())


HISTORY = [
    note(image("golden"), 1, name="golden-1", owner="111122223333", state="available"),
    fact(Relation.COPIED_FROM, image("copy"), image("golden"), 2),
    note(image("copy"), 2, name="golden-2", owner="111122223333", state="available"),
    fact(Relation.LAUNCHED_FROM, instance("web"), image("copy"), 3, instance_type="m7g.large"),
    fact(Relation.LAUNCHED_FROM, instance("job"), image("copy"), 4),
    note(image("copy"), 5, state="deregistered"),
    note(instance("web"), 6, **{"tag:Owner": None, "tag:Team": "", "state": "terminated"}),
    fact(Relation.SHARED_WITH, image("golden"), key_of(Kind.ACCOUNT, "222233334444"), 7, holds="yes"),
]


def test_facts_come_back_as_they_went_in(graph: Graph) -> None:
    graph.append(Batch(tuple(HISTORY)))
    assert sorted(graph.export(), key=lambda each: each.id) == sorted(HISTORY, key=lambda each: each.id)
    assert [each.id for each in graph.export()] == sorted(each.id for each in HISTORY)


def test_facts_are_found_by_child_in_the_order_of_time(graph: Graph) -> None:
    graph.append(Batch(tuple(reversed(HISTORY))))
    assert graph.facts_of([image("copy")], ALL) == [
        *sorted([HISTORY[1], HISTORY[2]], key=lambda each: each.id),
        HISTORY[5],
    ]
    assert graph.facts_of([image("copy")], [Relation.COPIED_FROM]) == [HISTORY[1]]
    assert graph.facts_of([image("copy"), image("golden")], ALL, evidence(1).time) == [HISTORY[0]]
    assert graph.facts_of([], ALL) == []
    assert graph.facts_of([image("copy")], []) == []
    assert graph.facts_of([image("nobody-knows")], ALL) == []


def test_facts_are_found_by_parent_in_the_order_of_time(graph: Graph) -> None:
    graph.append(Batch(tuple(reversed(HISTORY))))
    assert graph.facts_into([image("copy")], DESCENT) == [HISTORY[3], HISTORY[4]]
    assert graph.facts_into([image("copy")], DESCENT, limit=1) == [HISTORY[3]]
    assert graph.facts_into([image("copy")], DESCENT, until=evidence(3).time) == [HISTORY[3]]
    assert graph.facts_into([image("copy"), image("golden")], [Relation.COPIED_FROM]) == [HISTORY[1]]
    assert graph.facts_into([image("golden")], DESCENT) == [HISTORY[1]]
    assert graph.facts_into([key_of(Kind.ACCOUNT, "222233334444")], DESCENT) == [HISTORY[7]]


def test_what_is_said_of_a_thing_alone_is_no_child_of_it(graph: Graph) -> None:
    graph.append(Batch(tuple(HISTORY)))
    assert graph.facts_into([image("copy")], ALL) == [HISTORY[3], HISTORY[4]]


def test_of_what_happened_at_once_the_order_is_that_of_the_events(graph: Graph) -> None:
    facts = [fact(Relation.COPIED_FROM, image("b"), image("a"), 1, event) for event in ("z", "a", "m")]
    graph.append(Batch(tuple(facts)))
    assert [each.evidence.event_id for each in graph.facts_of([image("b")], ALL)] == ["a", "m", "z"]
    assert [each.evidence.event_id for each in graph.facts_into([image("a")], ALL)] == ["a", "m", "z"]


def test_the_newest_event_of_a_place_is_kept(graph: Graph) -> None:
    for time in (5, 9, 7):
        graph.append(Batch((), {HERE: Time(time)}))
    graph.append(Batch((), {THERE: Time(1)}))
    assert graph.heard() == {HERE: 9, THERE: 1}


def test_things_are_found_by_what_was_ever_said_of_them(graph: Graph) -> None:
    graph.append(Batch(tuple(HISTORY)))
    golden, copy = image("golden"), image("copy")
    assert graph.find(Search(Kind.IMAGE)) == ((copy, golden), False)
    assert graph.find(Search(Kind.IMAGE), limit=1) == ((copy,), True)
    assert graph.find(Search(Kind.IMAGE), after=copy) == ((golden,), False)
    assert graph.find(Search(Kind.IMAGE), after=golden) == ((), False)
    assert graph.find(Search(Kind.IMAGE, equal=(("state", "available"),))) == ((copy, golden), False)
    assert graph.find(Search(Kind.IMAGE, equal=(("state", "deregistered"),))) == ((copy,), False)
    assert graph.find(Search(Kind.IMAGE, equal=(("state", "available"), ("name", "golden-1")))) == ((golden,), False)
    assert graph.find(Search(Kind.IMAGE, containing=(("name", "den-"),))) == ((copy, golden), False)
    assert graph.find(Search(Kind.IMAGE, containing=(("name", "den_"),))) == ((), False)
    assert graph.find(Search(Kind.IMAGE, containing=(("name", "GOLDEN"),))) == ((), False)
    assert graph.find(Search(Kind.IMAGE, Region("us-east-1"))) == ((), False)
    assert graph.find(Search(Kind.IMAGE, REGION, (("name", "golden-2"),))) == ((copy,), False)
    assert graph.find(Search(Kind.INSTANCE, equal=(("tag:Team", ""),))) == ((instance("web"),), False)
    assert graph.find(Search(Kind.INSTANCE, containing=(("tag:Owner", ""),))) == ((), False)


def test_a_stub_is_found_by_its_kind_alone(graph: Graph) -> None:
    graph.append(Batch((fact(Relation.COPIED_FROM, image("copy"), image("never-seen"), 2),)))
    assert graph.find(Search(Kind.IMAGE)).keys == (image("copy"), image("never-seen"))
    assert graph.facts_of([image("never-seen")], ALL) == []


STRANGE = [
    "'; DROP TABLE fact; --",
    "g.V().drop()",
    '"}],"x":[{"',
    "$ne",
    "%_*?[a]",
    "line\nbreak\ttab",
    "nul\x00inside",
    "größe ✓ 🗝",
    "\u202eright-to-left",
    "x" * 5_000,
    "${jndi:ldap://127.0.0.1/a}",
    "ami-1' or '1'='1",
    "\\",
]


@pytest.mark.parametrize("text", STRANGE)
def test_no_text_means_anything_but_itself(graph: Graph, text: str) -> None:
    strange, plain = key_of(Kind.OBJECT, f"bucket/{text}"), image("plain")
    said = note(strange, 1, name=text, **{f"tag:{text}": text})
    made = Fact(Relation.RESTORED_FROM, plain, strange, replace(evidence(2, text), actor=text))
    graph.append(Batch((said, made, *HISTORY)))
    before = digest(graph)
    assert graph.facts_of([strange], ALL) == [said]
    assert graph.facts_into([strange], ALL) == [made]
    assert graph.find(Search(Kind.OBJECT, equal=(("name", text),))).keys == (strange,)
    assert graph.find(Search(Kind.OBJECT, containing=((f"tag:{text}", text[1:3]),))).keys == (strange,)
    assert graph.find(Search(Kind.IMAGE, equal=((text, text),))).keys == ()
    assert graph.find(Search(Kind.IMAGE, Region(text))).keys == ()
    assert graph.find(Search(Kind.IMAGE), after=Key(text)).more is False
    assert graph.facts_of([Key(text)], ALL) == []
    assert digest(graph) == before
    assert len(list(graph.export())) == len(HISTORY) + 2


def test_many_facts_go_in_at_once(graph: Graph) -> None:
    facts = tuple(fact(Relation.LAUNCHED_FROM, instance(f"{n:04}"), image("base"), n) for n in range(1_000))
    graph.append(Batch(facts))
    assert graph.facts_into([image("base")], ALL) == list(facts)
    assert graph.facts_of([each.child for each in facts], ALL) == list(facts)
    assert len(graph.facts_into([image("base")], ALL, limit=10)) == 10


def test_another_graph_is_another(empty: Empty) -> None:
    one, two = empty(), empty()
    one.append(Batch(tuple(HISTORY)))
    assert list(two.export()) == []


PLACES = st.sampled_from([HERE, THERE])


@st.composite
def batches(draw: Any) -> list[Batch]:
    """Some of the history, in parts that overlap, in any order."""
    chosen = draw(st.lists(st.sampled_from(HISTORY), min_size=1, max_size=12))
    cuts = draw(st.lists(st.integers(0, len(chosen)), max_size=3))
    edges = [0, *sorted(cuts), len(chosen)]
    times = st.dictionaries(PLACES, st.integers(0, 9).map(Time), max_size=2)
    return [Batch(tuple(chosen[a:b]), draw(times)) for a, b in pairwise(edges)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_batches_do_not_matter(empty: Empty, added: list[Batch], random: Any) -> None:
    plain, one, two = MemoryGraph(), empty(), empty()
    for batch in added:
        plain.append(batch)
        one.append(batch)
    again = [*added, *added]
    random.shuffle(again)
    for batch in again:
        two.append(batch)
    assert digest(one) == digest(two) == digest(plain)


def test_what_an_engine_gives_back_has_the_same_id(graph: Graph) -> None:
    key = image("golden")
    graph.append(Batch((noted(key, evidence(1), {"a": None, "b": "", "c": "x"}),)))
    (back,) = graph.export()
    assert back.id == noted(key, evidence(1), {"c": "x", "b": "", "a": None}).id
