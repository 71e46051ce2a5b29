"""What is known of one thing: evidence, what an instance boots, what is heard, and all of it as plain data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.fold import fold_states
from handlers.lineage.model import Batch, Fact, Kind, Place, Relation, key_of, noted
from handlers.lineage.queries.asking import BadQuery, Scope, UnknownThing
from handlers.lineage.queries.coverage import coverage
from handlers.lineage.queries.descent import descendants
from handlers.lineage.queries.effective_root import effective_root
from handlers.lineage.queries.evidence import evidence_between, evidence_of
from handlers.lineage.queries.impact import impact
from handlers.lineage.queries.json_form import to_plain
from handlers.lineage.queries.reasons import FEW, PlaceReason, Why, gather
from handlers.lineage.queries.show import show
from org.model import AccountId, Region
from tests.support.histories import at, key
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, evidence, fact, image, instance, note

OTHER = AccountId("222233334444")
GOLDEN, BAD, COPY = image("golden"), image("bad"), image("copy")
SERVER, VOLUME, SNAPSHOT = instance("server"), key(Kind.VOLUME, "vol-1"), key(Kind.SNAPSHOT, "snap-1")


def graph_of(*facts: Fact) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


LAUNCHED = (
    fact(Relation.COPIED_FROM, GOLDEN, BAD, 0),
    note(GOLDEN, 0, owner=ACCOUNT),
    fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1),
    note(SERVER, 1, state="running", image_id="ami-golden"),
)
SWAPPED = (
    fact(Relation.REGISTERED_FROM, BAD, SNAPSHOT, 0),
    fact(Relation.VOLUME_FROM, VOLUME, SNAPSHOT, 3),
    fact(Relation.ATTACHED_TO, VOLUME, SERVER, 5, "attach"),
    fact(Relation.ROOT_REPLACED_BY, SERVER, VOLUME, 5, "attach"),
)


def test_an_instance_boots_what_it_was_launched_from() -> None:
    found = effective_root(graph_of(*LAUNCHED), SERVER)
    assert (found.named, found.images, found.replaced, found.differs) == (GOLDEN, (GOLDEN,), False, False)


def test_a_swapped_root_volume_is_told_apart_from_the_image_id() -> None:
    graph = graph_of(*LAUNCHED, *SWAPPED)
    found = effective_root(graph, SERVER)
    assert [(each.fact.parent, each.since, each.until) for each in found.roots] == [(VOLUME, at(5), None)]
    assert (found.named, found.images, found.replaced, found.differs) == (GOLDEN, (BAD,), True, True)
    assert [(each.fact.parent, each.since, each.until) for each in found.history] == [
        (GOLDEN, None, at(5)),
        (VOLUME, at(5), None),
    ]
    before = effective_root(graph, SERVER, at=at(4))
    assert (before.images, before.differs) == ((GOLDEN,), False)
    then = effective_root(graph, SERVER, at=at(5))
    assert {each.fact.parent for each in then.roots} == {GOLDEN, VOLUME}


def test_a_root_that_was_set_back_is_that_of_the_launch_again() -> None:
    graph = graph_of(*LAUNCHED, *SWAPPED, fact(Relation.ROOT_REPLACED_BY, SERVER, SERVER, 8, "reset"))
    found = effective_root(graph, SERVER)
    assert [(each.fact.parent, each.since, each.until) for each in found.roots] == [(GOLDEN, at(8), None)]
    assert (found.named, found.images, found.replaced, found.differs) == (GOLDEN, (GOLDEN,), False, False)
    assert [(each.fact.parent, each.since, each.until) for each in found.history] == [
        (GOLDEN, None, at(5)),
        (VOLUME, at(5), at(8)),
        (GOLDEN, at(8), None),
    ]
    assert effective_root(graph, SERVER, at=at(6)).images == (BAD,)


def test_an_instance_of_which_no_launch_was_seen_has_no_known_root() -> None:
    found = effective_root(graph_of(note(SERVER, 1, state="running")), SERVER)
    assert (found.named, found.roots, found.complete) == (None, (), False)
    with pytest.raises(BadQuery, match="is no instance"):
        effective_root(graph_of(*LAUNCHED), GOLDEN)


def test_all_facts_between_two_things_are_told_and_which_still_hold() -> None:
    group, pointer = key(Kind.GROUP, f"{ACCOUNT}/web"), key(Kind.TEMPLATE_VERSION, "lt-1:$Default")
    other = key(Kind.TEMPLATE_VERSION, "lt-2:1")
    graph = graph_of(
        fact(Relation.USES, group, pointer, 1),
        fact(Relation.USES, group, other, 3),
        fact(Relation.USES, group, pointer, 6),
    )
    links = evidence_between(graph, group, pointer)
    assert [(each.fact.evidence.time, each.until) for each in links] == [(at(1), at(3)), (at(6), None)]
    assert evidence_between(graph, pointer, group) == ()
    shared = [
        fact(Relation.SHARED_WITH, GOLDEN, key_of(Kind.ACCOUNT, OTHER), n, holds=yes)
        for n, yes in ((1, "yes"), (4, "no"))
    ]
    ended = evidence_between(graph_of(*shared), GOLDEN, key_of(Kind.ACCOUNT, OTHER))
    assert [(each.holds, each.until) for each in ended] == [(True, at(4)), (False, None)]
    reset = [
        *LAUNCHED,
        fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 3),
        fact(Relation.ROOT_REPLACED_BY, SERVER, SERVER, 5),
    ]
    twice = evidence_between(graph_of(*reset), SERVER, GOLDEN)
    assert [(each.since, each.until) for each in twice] == [(at(1), at(3)), (at(5), None)]
    with pytest.raises(UnknownThing):
        evidence_between(graph, image("nobody"), group)


def test_all_that_was_said_of_an_attribute_is_told_and_what_counts() -> None:
    graph = graph_of(
        note(GOLDEN, 1, state="pending"), note(GOLDEN, 3, state=None), note(GOLDEN, 2, state="available", x="")
    )
    assert [(each.value, each.counts) for each in evidence_of(graph, GOLDEN, "state")] == [
        ("pending", False),
        ("available", False),
        (None, True),
    ]
    assert [each.counts for each in evidence_of(graph, GOLDEN, "state", at(2))] == [False, True]
    assert evidence_of(graph, GOLDEN, "owner") == ()
    with pytest.raises(UnknownThing):
        evidence_of(graph, BAD, "state")


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["put", "one", "all", "state", "end"])), max_size=6))
def test_what_counts_of_an_attribute_is_what_is_so(events) -> None:
    says: dict[str, dict[str, str | None]] = {
        "put": {"tag:Approved": "yes"},
        "one": {"tag:Approved": None},
        "all": {"tag:*": None},
        "state": {"state": "running"},
        "end": {"state": "terminated"},
    }
    one = instance("one")
    facts = [noted(one, evidence(second, f"e{n % 4}"), says[what]) for n, (second, what) in enumerate(events)]
    graph = graph_of(note(one, 0, name="one"), *facts)
    state = fold_states(graph.export())[one]
    for name in ("tag:Approved", "state"):
        counting = [each.value for each in evidence_of(graph, one, name) if each.counts]
        assert (counting or [None]) == [state.value(name)]


def test_one_thing_is_shown_with_its_evidence_parents_and_users() -> None:
    shown = show(graph_of(*LAUNCHED, *SWAPPED), GOLDEN)
    assert shown.attributes["owner"].evidence.event_id == "event-0"
    assert [each.fact.parent for each in shown.parents] == [BAD]
    assert shown.users_by_kind == {"instance": 1}
    assert shown.complete
    server = show(graph_of(*LAUNCHED, *SWAPPED), SERVER)
    assert [(each.fact.parent, each.until) for each in server.parents] == [(GOLDEN, at(5)), (VOLUME, None)]
    stub = show(graph_of(*LAUNCHED), BAD)
    assert (stub.thing.known, [each.why for each in stub.reasons]) == (False, [Why.UNSEEN_CREATION])
    with pytest.raises(UnknownThing):
        show(graph_of(*LAUNCHED), image("nobody"))


def test_coverage_tells_lag_silence_gaps_and_stubs() -> None:
    us = Region("us-east-1")
    graph = graph_of(
        *LAUNCHED,
        note(key(Kind.COVERAGE, ACCOUNT), 3, "e1", outcome="unknown", reason="x"),
        note(key(Kind.COVERAGE, ACCOUNT), 3, "e2", outcome="failed", reason="x"),
        note(key(Kind.COVERAGE, ACCOUNT), 4, "e3", outcome="failed", reason="x"),
        note(key(Kind.COVERAGE, "333344445555"), 4, "e4", outcome="forged", reason="x"),
    )
    graph.append(Batch((), {Place(ACCOUNT, REGION): at(8), Place(OTHER, REGION): at(1)}))
    scope = Scope(expected=frozenset({Place(ACCOUNT, REGION), Place(OTHER, us)}), now=at(10), silence=5_000)
    found = coverage(graph, scope)
    told = [(each.place.account, each.place.region, each.lag, each.expected, each.silent) for each in found.places]
    assert told == [
        (ACCOUNT, REGION, 2_000, True, False),
        (OTHER, REGION, 9_000, False, True),
        (OTHER, us, None, True, True),
        ("333344445555", REGION, None, False, True),
    ]
    assert found.outcomes == {"failed": 2, "forged": 1, "unknown": 1}
    assert (found.unresolved, found.examples) == (1, (BAD,))
    assert [(each.why, each.about) for each in found.reasons] == [
        (Why.GAP, f"{ACCOUNT}/{REGION}"),
        (Why.SILENT, f"{OTHER}/{REGION}"),
        (Why.SILENT, f"{OTHER}/{us}"),
    ]
    few = coverage(graph, scope, examine=1)
    assert (few.examined, few.unresolved) == (1, 1)
    assert any(each.about == "examined" for each in few.reasons)
    for bad in ({"scope": Scope()}, {"scope": scope, "examine": 0}):
        with pytest.raises(BadQuery):
            coverage(graph, **bad)


def test_hundreds_of_places_that_say_alike_are_one_reason_and_all_of_them_are_in_the_coverage() -> None:
    regions = [Region(each) for each in ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")]
    places = [Place(AccountId(f"{number:012}"), region) for number in range(200) for region in regions]
    notes = [
        note(key_of(Kind.COVERAGE, each.account, each.region), 3, f"{each}", outcome="gap", read="no", unread=f"{each}")
        for each in places[100:106]
    ]
    graph = graph_of(*LAUNCHED, *notes)
    graph.append(Batch((), dict.fromkeys(places[:4], at(9)) | dict.fromkeys(places[100:106], at(1))))
    found = coverage(graph, Scope(expected=frozenset(places), now=at(10), silence=5_000))
    such = [f"{each.account}/{each.region}" for each in places]
    assert not found.complete
    assert [(each.why, each.about, each.says.split("; ")[0]) for each in found.reasons] == [
        (Why.GAP, "places", f"6 of 800 places, such as {', '.join(such[100:103])}: events left something out"),
        (Why.SILENT, "places", f"6 of 800 places, such as {', '.join(such[100:103])}: nothing was heard of late"),
        (Why.SILENT, "places", f"790 of 800 places, such as {', '.join(such[4:7])}: nothing was ever heard"),
        (Why.UNREAD, "places", f"6 of 800 places, such as {', '.join(such[100:103])}: could not be read whole"),
    ]
    assert len(found.places) == 800
    assert sum(each.silent for each in found.places) == 796


@given(st.sets(st.sampled_from("abcdefgh")), st.sets(st.sampled_from("abcdefgh")))
def test_gathered_reasons_lose_no_kind_and_are_none_where_there_were_none(never: set[str], late: set[str]) -> None:
    said = {"never": never, "late": late}
    given = [
        PlaceReason(Place(AccountId(name), REGION), Why.SILENT, why, why)
        for why, names in said.items()
        for name in names
    ]
    found = gather(given, 8)
    for why, names in said.items():
        told = [each for each in found if why in each.says]
        assert len(told) == (len(names) if len(names) <= FEW else 1)
        if len(names) > FEW:
            assert told[0].says.startswith(f"{len(names)} of 8 places")


def test_what_happened_before_a_thing_was_made_hides_none_of_its_children() -> None:
    place = key(Kind.COVERAGE, OTHER)
    graph = graph_of(
        *(fact(Relation.COPIED_FROM, COPY, GOLDEN, 5), fact(Relation.COPIED_FROM, GOLDEN, BAD, 3)),
        note(place, 2, "e", outcome="gap", reason="x"),
    )
    graph.append(Batch((), {Place(OTHER, REGION): at(9)}))
    assert descendants(graph, GOLDEN).complete
    assert not descendants(graph, BAD).complete, "when that was made is not known"


def test_answers_are_plain_data_in_one_order() -> None:
    facts = [*LAUNCHED, *SWAPPED]
    forms = [json.dumps(to_plain(impact(graph_of(*order), BAD))) for order in (facts, facts[::-1])]
    assert forms[0] == forms[1]
    form = json.loads(json.dumps(to_plain(descendants(graph_of(*facts), BAD, at=at(9)))))
    assert list(form)[:3] == ["complete", "truncated", "start"]
    assert form["at"] == "2026-09-21T14:13:29.000Z"
    assert form["windows"][SERVER] == [[None, None]]
    hop = form["hops"][0]
    assert hop["facts"][0]["evidence"]["time"].endswith("Z")
    assert len(hop["facts"][0]["id"]) == 32
    assert hop["facts"][0]["attributes"] == {}
    assert form["things"][SERVER] == {
        "gone": False,
        "key": SERVER,
        "kind": "instance",
        "name": "i-server",
        "account": ACCOUNT,
        "region": REGION,
        "state": "running",
        "known": True,
    }
    with pytest.raises(TypeError):
        to_plain(object())


def test_the_example_of_the_documentation_is_so() -> None:
    made = image("made")
    graph = graph_of(
        fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1),
        fact(Relation.CREATED_FROM, made, SERVER, 3),
        fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5),
    )
    below = descendants(graph, GOLDEN)
    assert below.levels == ((GOLDEN,), (SERVER,), (made,))
    assert below.formerly == (SERVER,)
    root = effective_root(graph, SERVER)
    assert ([each.fact.parent for each in root.roots], root.named, root.differs) == ([BAD], GOLDEN, True)
