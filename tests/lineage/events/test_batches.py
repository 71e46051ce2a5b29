"""Many events: whatever their order and number, the same facts."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Batch, Place, digest_of
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph
from tests.support.lineage_events import all_events, call, other_dialect

EVENTS = [
    *all_events(),
    {"bad": 1},
    "no event",
    call("CopyImage", {"sourceRegion": "mars"}, None),
    call("DeregisterImage", {"imageId": "ami-1"}, None, errorCode="Client.UnauthorizedOperation"),
    call("CopyImage", {}, {}, recipientAccountId="999999999999"),
    call("RunInstances", {}, {"omitted": True}),
]


def digest(batches: list[Batch]) -> str:
    graph = MemoryGraph()
    for batch in batches:
        graph.append(batch)
    return digest_of(graph.facts, graph.heard())


WHOLE = digest([batch_of(map(parse_event, EVENTS))])


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_any_order_repetition_and_cutting_into_batches_gives_the_same_graph(chance: random.Random, size: int):
    events = [*EVENTS, *chance.choices(EVENTS, k=20)]
    chance.shuffle(events)
    parts = [events[at : at + size] for at in range(0, len(events), size)]
    assert digest([batch_of(map(parse_event, part)) for part in parts]) == WHOLE


def test_a_call_in_the_other_dialect_adds_nothing():
    events = [each for each in all_events() if "eventName" in each["detail"]]
    both = [*events, *(other_dialect(each) for each in events)]
    skipped = "ReplaceImageCriteriaInAllowedImagesSettings"
    both = [each for each in both if each["detail"]["eventName"] != skipped]
    events = [each for each in events if each["detail"]["eventName"] != skipped]
    assert digest([batch_of(map(parse_event, both))]) == digest([batch_of(map(parse_event, events))])


def test_a_place_is_heard_up_to_its_newest_event():
    old = call("DisableImage", {"imageId": "ami-1"}, None, eventTime="2026-02-01T00:00:00Z")
    new = call("DisableImage", {"imageId": "ami-1"}, None)
    for order in ([old, new], [new, old]):
        heard = batch_of(map(parse_event, order)).heard
        assert heard == {Place(ACCOUNT, REGION): parse_event(new).time}


def test_two_malformed_events_count_as_two_and_one_that_comes_twice_as_one():
    one, two = {"source": "aws.ec2", "id": "x"}, {"source": "aws.ec2", "id": "x", "more": 1}
    assert len(batch_of(map(parse_event, [one, two, one])).facts) == 2


def test_each_gap_is_counted_on_the_place():
    heard = parse_event(call("RunInstances", {"omitted": True}, {"omitted": True}))
    counted = [dict(fact.attributes) for fact in batch_of([heard]).facts]
    assert [each["outcome"] for each in counted] == ["gap", "gap"]
    assert {each["call"] for each in counted} == {"ec2:RunInstances"}
