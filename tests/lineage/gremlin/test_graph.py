"""What the Gremlin engine alone must do; what all engines must do is in `test_graph_contract`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from gremlin_python.process.traversal import T

from handlers.lineage.errors import GraphError
from handlers.lineage.fold import fold_states
from handlers.lineage.graph import Search
from handlers.lineage.gremlin.graph import GremlinGraph, connect
from handlers.lineage.gremlin.storage import LAST, Form
from handlers.lineage.model import Batch, Fact, Kind, Place, Relation, Time, digest_of, key_of, parts_of
from org.model import AccountId, Region
from tests.support.gremlin_server import GremlinServer, g
from tests.support.lineage import ACCOUNT, REGION, evidence, fact, image, instance, note

HERE = Place(ACCOUNT, REGION)


@pytest.fixture(params=list(Form))
def graph(request: pytest.FixtureRequest, gremlin_server: GremlinServer) -> Iterator[GremlinGraph]:
    opened = gremlin_server.empty(request.param)
    yield opened
    opened.close()


@pytest.fixture
def calls(graph: GremlinGraph, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the graph sends, one element for each round trip."""
    sent: list[Any] = []
    run = graph._connection.run

    def remember(asked: Any) -> list[Any]:
        sent.append(asked)
        return run(asked)

    monkeypatch.setattr(graph._connection, "run", remember)
    return sent


def launches(number: int, parent: str = "golden") -> tuple[Fact, ...]:
    return tuple(fact(Relation.LAUNCHED_FROM, instance(f"{parent}-{n}"), image(parent), n) for n in range(number))


def test_a_batch_is_one_round_trip(graph: GremlinGraph, calls: list[Any]) -> None:
    graph.append(Batch(launches(200), {HERE: Time(1)}))
    assert len(calls) == 1
    graph.append(Batch())
    assert len(calls) == 1
    graph.append(Batch((), {HERE: Time(2)}))
    assert len(calls) == 2


def test_a_larger_batch_is_told_last_from_where_it_was_heard(graph: GremlinGraph, calls: list[Any]) -> None:
    graph.append(Batch(launches(450), {HERE: Time(1)}))
    assert [str(LAST) in str(each.bytecode) for each in calls] == [False, False, True]
    assert len(list(graph.export())) == 450


def test_many_places_are_heard_from_at_once(graph: GremlinGraph) -> None:
    places = {Place(AccountId(f"{n:012}"), REGION): Time(n) for n in range(100)}
    graph.append(Batch(launches(1), places))
    graph.append(Batch((), {place: Time(time - 1) for place, time in places.items()}))
    assert graph.heard() == places


def test_a_level_of_a_walk_is_one_round_trip(graph: GremlinGraph, calls: list[Any]) -> None:
    graph.append(Batch(launches(200)))
    keys = [instance(f"golden-{n}") for n in range(200)]
    assert len(graph.facts_of(keys, list(Relation))) == 200
    assert len(graph.facts_into([image("golden"), *keys], list(Relation))) == 200
    assert len(calls) == 3


def test_more_keys_than_fit_a_call_are_answered_in_order(graph: GremlinGraph) -> None:
    keys = [image(f"{n:04}") for n in range(1_200)]
    facts = tuple(fact(Relation.COPIED_FROM, image(f"copy-{key[-4:]}"), key, n) for n, key in enumerate(keys))
    graph.append(Batch(facts))
    asked = [*keys, *keys]
    random.Random(0).shuffle(asked)
    assert graph.facts_into(asked, [Relation.COPIED_FROM]) == list(facts)
    assert graph.facts_into(asked, [Relation.COPIED_FROM], limit=700) == list(facts[:700])
    assert graph.facts_of([each.child for each in facts[::-1]], [Relation.COPIED_FROM]) == list(facts)


def test_an_export_in_portions_is_complete_and_in_order(graph: GremlinGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = launches(400)
    graph.append(Batch(facts))
    for size in (60, 399, 400, 401):
        monkeypatch.setattr("handlers.lineage.gremlin.graph.FACTS_PER_PAGE", size)
        assert [each.id for each in graph.export()] == sorted(each.id for each in facts)


def test_what_lies_in_the_graph_is_what_the_documentation_says(
    graph: GremlinGraph, gremlin_server: GremlinServer
) -> None:
    made = fact(Relation.COPIED_FROM, image("copy"), image("golden"), 1)
    graph.append(Batch((made, note(image("copy"), 1, **{"tag:Name": "x"})), {HERE: Time(5)}))
    source = graph._connection._source
    edge = gremlin_server.run(g.E(made.id).element_map(), source)[0]
    assert (edge[T.id], edge[T.label], edge["time"], edge["event"]) == (
        made.id,
        "COPIED_FROM",
        made.evidence.time,
        "event-1",
    )
    vertices = gremlin_server.run(g.V().element_map(), source)
    assert {each[T.id]: (each[T.label], each.get("region"), each.get("last")) for each in vertices} == {
        image("copy"): ("image", REGION, None),
        image("golden"): ("image", REGION, None),
        f"heard/{ACCOUNT}/{REGION}": ("heard", None, 5),
    }
    assert gremlin_server.run(g.E().has("a.tag%3AName", "x").out_v().id_(), source) == [image("copy")]


@pytest.mark.parametrize("form", list(Form))
def test_a_call_that_fails_leaves_nothing_behind(gremlin_server: GremlinServer, form: Form) -> None:
    """On the transactional graph; Neptune takes one traversal for one transaction."""
    graph = connect(gremlin_server.url, source="transactional", form=form, sleep=lambda _: None)
    first, second = launches(2, f"all-or-none-{form.value}")
    earlier, later = sorted((first, second), key=lambda each: each.id)
    # What comes last cannot be added: its id is taken, of the edge in one form, of the vertex in the other.
    gremlin_server.run(g.add_v("wrong").property(T.id, max(first.child, second.child)).id_(), "transactional")
    gremlin_server.run(g.add_v("wrong").add_e("WRONG").property(T.id, later.id).id_(), "transactional")
    with pytest.raises(GraphError, match="with id already exists"):
        graph.append(Batch((first, second)))
    assert graph.facts_of([earlier.child, later.child], list(Relation)) == []
    vertices = g.V(first.child, second.child, first.parent).label()
    assert gremlin_server.run(vertices, "transactional") == ["wrong"]
    graph.close()


@pytest.mark.parametrize("form", list(Form))
def test_writers_at_the_same_time_lose_nothing(gremlin_server: GremlinServer, form: Form) -> None:
    """The transactional graph refuses what conflicts, as Neptune does with ConcurrentModificationException."""
    facts = launches(60, f"contended-{form.value}")

    def write(number: int) -> None:
        chance = random.Random(number)
        graph = connect(gremlin_server.url, source="transactional", form=form, chance=chance.random)
        mine = chance.sample(facts, len(facts))
        for start in range(0, len(mine), 10):
            graph.append(Batch(tuple(mine[start : start + 10])))
        graph.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    graph = connect(gremlin_server.url, source="transactional")
    assert graph.facts_into([facts[0].parent], list(Relation)) == list(facts)
    graph.close()


def test_weakness_2_a_part_of_a_name_is_searched_with_a_predicate_that_exists(graph: GremlinGraph) -> None:
    """`P.containing` does not exist in gremlinpython; every search of the sample answers 500."""
    graph.append(Batch((note(image("golden"), 1, name="al2023-golden"), note(image("other"), 1, name="ubuntu"))))
    assert graph.find(Search(Kind.IMAGE, containing=(("name", "2023"),))).keys == (image("golden"),)


def test_weakness_3_what_comes_back_does_not_hang_on_properties_of_elements(graph: GremlinGraph) -> None:
    """Neptune answers references, without properties: the sample's paths are always empty. Here it is values."""
    made = fact(Relation.COPIED_FROM, image("copy"), image("golden"), 1, name="kept")
    graph.append(Batch((made,)))
    assert graph.facts_of([image("copy")], [Relation.COPIED_FROM])[0].attributes == made.attributes


def test_weakness_21_the_same_id_in_another_region_is_another_image(graph: GremlinGraph) -> None:
    there = key_of(Kind.IMAGE, parts_of(image("golden")).name, Region("us-east-1"))
    graph.append(Batch((note(image("golden"), 1, state="available"), note(there, 2, state="deregistered"))))
    assert graph.find(Search(Kind.IMAGE, equal=(("state", "deregistered"),))).keys == (there,)
    assert graph.find(Search(Kind.IMAGE, Region("us-east-1"))).keys == (there,)
    assert len(graph.facts_of([image("golden")], list(Relation))) == 1


def test_weakness_23_a_source_that_nobody_knows_is_a_stub_and_its_edge_is_kept(graph: GremlinGraph) -> None:
    made = fact(Relation.CREATED_FROM, image("ours"), instance("never-seen"), 1)
    graph.append(Batch((made,)))
    assert graph.facts_into([instance("never-seen")], list(Relation)) == [made]
    assert graph.find(Search(Kind.INSTANCE)).keys == (instance("never-seen"),)
    # What is heard of it later is joined to it.
    graph.append(Batch((note(instance("never-seen"), 0, state="stopped"),)))
    assert graph.facts_into([instance("never-seen")], list(Relation)) == [made]


def test_weakness_24_what_is_delivered_twice_is_there_once(graph: GremlinGraph, gremlin_server: GremlinServer) -> None:
    made = fact(Relation.COPIED_FROM, image("copy"), image("golden"), 1)
    graph.append(Batch((made, made)))
    graph.append(Batch((made,)))
    assert gremlin_server.run(g.E().count(), graph._connection._source) == [1]
    # Another event that says the same is evidence of its own.
    graph.append(Batch((replace(made, evidence=evidence(1, "another")),)))
    assert len(graph.facts_of([image("copy")], list(Relation))) == 2


def test_weakness_25_what_is_revoked_is_revoked_although_vertices_take_several_values(
    graph: GremlinGraph, gremlin_server: GremlinServer
) -> None:
    """Neptune's default cardinality is set, as this server's: the sample's PENDING and Approved are both there."""
    for time, said in ((1, "pending"), (2, "approved"), (3, "revoked")):
        graph.append(Batch((note(image("golden"), time, approval=said),), {HERE: Time(time)}))
    (state,) = fold_states(graph.facts_of([image("golden")], list(Relation))).values()
    assert state.value("approval") == "revoked"
    # The one property that is ever changed has one value.
    assert gremlin_server.run(g.V().values(LAST).count(), graph._connection._source) == [1]
    assert graph.heard() == {HERE: Time(3)}


def test_weakness_26_stacked_diamonds_are_as_large_as_their_edges(graph: GremlinGraph, calls: list[Any]) -> None:
    """The sample's `repeat` counts paths: 2^40 of them here. A level is a set of things, and one round trip."""
    facts: list[Fact] = []
    for n in range(40):
        for side in ("left", "right"):
            facts.append(fact(Relation.COPIED_FROM, image(f"{side}-{n}"), image(f"top-{n}"), n))
            facts.append(fact(Relation.COPIED_FROM, image(f"top-{n + 1}"), image(f"{side}-{n}"), n))
    # And a circle, which AWS cannot make, and a forged event could claim.
    facts.append(fact(Relation.COPIED_FROM, image("top-0"), image("top-40"), 99))
    graph.append(Batch(tuple(facts)))
    level, seen, begun = {image("top-0")}, {image("top-0")}, len(calls)
    while level:
        level = {each.child for each in graph.facts_into(sorted(level), [Relation.COPIED_FROM])} - seen
        seen |= level
    assert len(seen) == 121
    assert len(calls) - begun == 81


@pytest.mark.parametrize("limit", [0, -1])
def test_weakness_38_a_limit_that_is_none_is_refused(graph: GremlinGraph, limit: int) -> None:
    """To Gremlin a limit of -1 is no limit."""
    graph.append(Batch(launches(2)))
    with pytest.raises(ValueError, match="at least 1"):
        graph.facts_into([image("golden")], list(Relation), limit=limit)
    with pytest.raises(ValueError, match="at least 1"):
        graph.find(Search(Kind.IMAGE), limit=limit)


@pytest.mark.parametrize(
    "said", ["g.V().drop()", "'); g.V().drop(); ('", "$1", "{{x}}", "__.drop()", "a.name", "id", "label"]
)
def test_weakness_38_an_id_is_a_value_whatever_it_says(graph: GremlinGraph, said: str) -> None:
    """The sample checks ids after it has queried with them; here they are values of bytecode, and cannot be steps."""
    key = key_of(Kind.PRINCIPAL, said)
    graph.append(Batch((note(key, 1, **{said: said}), *launches(2))))
    before = digest_of((each.id for each in graph.export()), graph.heard())
    assert graph.find(Search(Kind.PRINCIPAL, equal=((said, said),))).keys == (key,)
    assert graph.find(Search(Kind.PRINCIPAL, Region(said), containing=((said, said),)), after=key).keys == ()
    assert len(graph.facts_of([key], list(Relation))) == 1
    assert digest_of((each.id for each in graph.export()), graph.heard()) == before


def test_what_utf_8_cannot_say_is_kept_in_attributes_and_refused_elsewhere(graph: GremlinGraph) -> None:
    half = note(image("golden"), 1, name="\ud83d", **{"tag:\ud83d": "\ud83d"})
    graph.append(Batch((half,)))
    assert list(graph.export()) == [half]
    with pytest.raises(GraphError, match="no text"):
        graph.append(Batch((note(key_of(Kind.PRINCIPAL, "\ud83d"), 1, name="x"),)))
    assert list(graph.export()) == [half]
