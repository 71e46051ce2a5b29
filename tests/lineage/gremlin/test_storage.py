from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.gremlin.storage import (
    FACT,
    SHELVES,
    Form,
    passage,
    place_from,
    place_id,
    properties_of,
    property_of,
    read_fact,
    upsert,
    write_fact,
)
from handlers.lineage.model import (
    Confidence,
    Evidence,
    Fact,
    Key,
    Place,
    Relation,
    Source,
    Time,
    attributes_of,
    noted,
)
from org.model import AccountId, Region
from tests.support.lineage import ACCOUNT, REGION, evidence, fact, image, instance, note

TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(['["', '",\t"', "\t", '"],\t["', "NOTED", "\\", '\\"'])
VALUES = st.none() | TEXTS
EVIDENCE = st.builds(
    Evidence,
    st.sampled_from(Source),
    TEXTS,
    st.integers(0, 2**62).map(Time),
    TEXTS.map(AccountId),
    TEXTS.map(Region),
    TEXTS,
    st.sampled_from(Confidence),
)
FACTS = st.builds(
    Fact,
    st.sampled_from(Relation),
    TEXTS.map(Key),
    TEXTS.map(Key),
    EVIDENCE,
    st.dictionaries(TEXTS, VALUES, max_size=4).map(attributes_of),
)


@given(FACTS)
def test_a_fact_is_read_back_exactly(said: Fact) -> None:
    assert read_fact(write_fact(said)) == said
    assert read_fact(write_fact(said)).id == said.id


@given(FACTS, TEXTS, VALUES)
def test_a_passage_is_found_where_it_is_said_and_nowhere_else(said: Fact, name: str, value: str | None) -> None:
    text = write_fact(said)
    if value is not None:
        assert (passage(name, value) in text) is ((name, value) in said.attributes)
    assert (passage(name) in text) is any(each == name and has is not None for each, has in said.attributes)
    for each, has in said.attributes:
        assert has is None or passage(each, has) in text


@given(TEXTS, TEXTS)
def test_each_attribute_has_a_property_that_a_header_can_say(one: str, other: str) -> None:
    name = property_of(one)
    assert name.isascii()
    assert not set(name) & set(' ,:"\r\n\t\\')
    texts = [each.encode("utf-8", "replace") for each in (one, other)]
    assert (property_of(other) == name) is (texts[0] == texts[1])


def test_only_what_is_noted_has_properties_to_search_by() -> None:
    said = note(image("golden"), 1, name="golden", state="", owner=None)
    assert {name for name in properties_of(said) if name.startswith("a.")} == {"a.name"}
    made = fact(Relation.SHARED_WITH, image("golden"), image("copy"), 1, holds="yes")
    assert not [name for name in properties_of(made) if name.startswith("a.")]


def test_the_shelf_is_in_the_order_of_ids() -> None:
    facts = sorted((note(image(str(n)), n, name="x") for n in range(500)), key=lambda each: each.id)
    shelves = [properties_of(each)["shelf"] for each in facts]
    assert shelves == sorted(shelves, key=int)
    assert all(0 <= int(each) < SHELVES for each in shelves)


def test_weakness_22_who_did_it_is_kept() -> None:
    """The sample reads a field that does not exist and stores no actor."""
    said = noted(image("golden"), evidence(1, actor="arn:aws:iam::111122223333:user/jane"), {"name": "golden"})
    assert "arn:aws:iam::111122223333:user/jane" in json.loads(str(properties_of(said)[FACT]))


def test_a_place_is_read_back() -> None:
    assert place_from(place_id(Place(ACCOUNT, REGION))) == Place(ACCOUNT, REGION)


PORTABLE = {
    "mergeV",
    "mergeE",
    "option",
    "inject",
    "unfold",
    "count",
    "constant",
    "id",
    "sideEffect",
    "has",
    "property",
}


def test_what_is_written_stays_in_the_part_of_gremlin_that_neptune_has() -> None:
    facts = [fact(Relation.LAUNCHED_FROM, instance(str(n)), image("golden"), n) for n in range(450)]
    heard = {Place(AccountId(f"{n:012}"), REGION): Time(n) for n in range(40)}
    for form in Form:
        steps = upsert(facts, heard, form).bytecode.step_instructions
        assert {step[0] for step in steps} <= PORTABLE
        assert len([step for step in steps if step[0] != "option"]) < 1_500
        assert not upsert(facts, heard, form).bytecode.source_instructions


def test_two_writers_lock_in_one_order() -> None:
    facts = [
        fact(Relation.COPIED_FROM, image("b"), image("a"), 1),
        fact(Relation.COPIED_FROM, image("c"), image("b"), 1),
    ]
    one, other = (str(upsert(each, {}, Form.CHAINED).bytecode.step_instructions[:6]) for each in (facts, facts[::-1]))
    assert one == other
