"""What holds at a time follows from the set of facts alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.fold import fold_states, hold_at, periods_of
from handlers.lineage.model import Batch, Kind, Place, Relation, Time, digest_of, key_of, kind_of, parts_of
from handlers.lineage.relations import EVERY, EVERY_TAG
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, evidence, fact, image, instance, note

GOLDEN, BAD = image("golden"), image("bad")
SERVER = instance("server")


def at(time: int) -> Time:
    return evidence(time).time


def test_what_was_said_last_holds_whatever_came_first() -> None:
    facts = [note(GOLDEN, 2, state="deregistered"), note(GOLDEN, 1, state="available", name="golden")]
    for order in (facts, facts[::-1]):
        state = fold_states(order)[GOLDEN]
        assert (state.value("state"), state.value("name"), state.known) == ("deregistered", "golden", True)
        assert fold_states(order, at(1))[GOLDEN].value("state") == "available"


def test_of_two_at_one_time_always_the_same_holds() -> None:
    facts = [note(GOLDEN, 1, event="b", state="x"), note(GOLDEN, 1, event="a", state="y")]
    assert [fold_states(order)[GOLDEN].value("state") for order in (facts, facts[::-1])] == ["x", "x"]


@given(st.permutations(["shutting-down", "terminated", "running"]))
def test_of_one_second_the_end_of_a_machine_is_the_last(states) -> None:
    facts = [note(SERVER, 1, event=f"e{n}", state=state) for n, state in enumerate(states)]
    assert fold_states(facts)[SERVER].value("state") == "terminated"
    assert fold_states([*facts, note(SERVER, 2, state="stopped")])[SERVER].value("state") == "stopped"


@given(st.permutations([1, 2, 10]))
def test_of_versions_that_came_in_one_second_a_pointer_ends_up_at_the_highest(numbers) -> None:
    latest = key_of(Kind.TEMPLATE_VERSION, "lt-1:$Latest", REGION)
    parents = {number: key_of(Kind.TEMPLATE_VERSION, f"lt-1:{number}", REGION) for number in numbers}
    facts = [fact(Relation.RESOLVES_TO, latest, parents[each], 1, event=f"e{n}") for n, each in enumerate(numbers)]
    assert [each.parent for each in hold_at(periods_of(facts), at(2))] == [parents[10]]
    later = fact(Relation.RESOLVES_TO, latest, parents[1], 3)
    assert [each.parent for each in hold_at(periods_of([*facts, later]), at(4))] == [parents[1]]


def test_what_was_taken_away_is_not_there() -> None:
    facts = [note(GOLDEN, 1, **{"tag:Owner": ""}), note(GOLDEN, 2, **{"tag:Owner": None})]
    assert fold_states(facts, at(1))[GOLDEN].value("tag:Owner") == ""
    assert fold_states(facts)[GOLDEN].value("tag:Owner") is None


def test_an_instance_boots_what_replaced_its_root() -> None:
    launched = fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1)
    replaced = fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5)
    periods = periods_of([replaced, launched])
    assert hold_at(periods, at(4)) == [launched]
    assert set(hold_at(periods, at(5))) == {launched, replaced}, "which of the two it was in that second is not known"
    assert hold_at(periods, at(6)) == [replaced]
    assert hold_at(periods, at(0)) == []


def test_an_instance_that_is_set_back_boots_what_it_was_launched_from() -> None:
    launched = fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1)
    replaced = fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5)
    reset = fact(Relation.ROOT_REPLACED_BY, SERVER, SERVER, 8)
    again = fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 12)
    for order in ([launched, replaced, reset, again], [again, reset, replaced, launched]):
        periods = periods_of(order)
        held = {time: {each.parent for each in hold_at(periods, at(time))} for time in (4, 6, 10, 13)}
        assert held == {4: {GOLDEN}, 6: {BAD}, 10: {GOLDEN}, 13: {BAD}}
    assert hold_at(periods_of([reset]), at(9)) == [reset], "what it was launched from is not known"


def test_a_share_holds_until_it_is_taken_back_from_that_account_alone() -> None:
    one, two = (key_of(Kind.ACCOUNT, number) for number in ("222233334444", "333344445555"))
    facts = [
        fact(Relation.SHARED_WITH, GOLDEN, one, 1, holds="yes"),
        fact(Relation.SHARED_WITH, GOLDEN, two, 1, holds="yes"),
        fact(Relation.SHARED_WITH, GOLDEN, one, 3, holds="no"),
    ]
    assert [each.parent for each in hold_at(periods_of(facts), at(4))] == [two]


def test_a_reset_ends_all_shares_of_the_image_whoever_has_them() -> None:
    one, two, every = (key_of(Kind.ACCOUNT, name) for name in ("222233334444", "333344445555", EVERY))
    facts = [
        fact(Relation.SHARED_WITH, GOLDEN, one, 1, holds="yes"),
        fact(Relation.SHARED_WITH, BAD, one, 1, holds="yes"),
        fact(Relation.SHARED_WITH, GOLDEN, every, 3, holds="no"),
        fact(Relation.SHARED_WITH, GOLDEN, two, 5, holds="yes"),
    ]
    for order in (facts, facts[::-1]):
        held = {(each.child, each.parent) for each in hold_at(periods_of(order), at(6))}
        assert held == {(BAD, one), (GOLDEN, two)}
        assert {each.parent for each in hold_at(periods_of(order), at(2))} == {one}


def test_deleting_all_tags_takes_those_that_were_there_and_nothing_else() -> None:
    facts = [
        note(GOLDEN, 1, name="golden", **{"tag:Owner": "web"}),
        note(GOLDEN, 2, **{EVERY_TAG: None}),
        note(GOLDEN, 3, **{"tag:Stage": "test"}),
    ]
    for order in (facts, facts[::-1]):
        assert set(fold_states(order)[GOLDEN].attributes) == {"name", "tag:Stage"}
        assert set(fold_states(order, at(1))[GOLDEN].attributes) == {"name", "tag:Owner"}


def test_what_one_event_says_together_holds_together() -> None:
    group = key_of(Kind.GROUP, "111122223333/web", REGION)
    facts = [
        fact(Relation.REFERENCES, group, GOLDEN, 1, event="update"),
        fact(Relation.REFERENCES, group, BAD, 1, event="update"),
    ]
    assert {each.parent for each in hold_at(periods_of(facts), at(9))} == {GOLDEN, BAD}


@given(st.permutations([note(GOLDEN, 1, state="x"), note(BAD, 2, state="y"), note(SERVER, 3, state="z")]))
def test_the_graph_hash_does_not_depend_on_order_or_repetition(facts) -> None:
    graph = MemoryGraph()
    for each in [*facts, *facts]:
        graph.append(Batch((each,), {Place(ACCOUNT, REGION): each.evidence.time}))
    assert digest_of(graph.facts, graph.heard()) == ("b52901b9d23db0ab21400b8e196f9a3fe6e9489ae18ad396fd54e3a7f3bdb802")


def test_a_key_is_taken_apart_as_it_was_put_together() -> None:
    key = key_of(Kind.PARAMETER, "111122223333//golden/linux:3", REGION)
    assert key == "aws/eu-central-1/parameter/111122223333//golden/linux:3"
    assert parts_of(key) == ("aws", REGION, Kind.PARAMETER, "111122223333//golden/linux:3")
    assert kind_of(key) is Kind.PARAMETER
