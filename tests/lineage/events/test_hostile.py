"""Whatever is done to an event, reading it raises nothing, and what comes of it can be kept."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.events.heard import Heard, batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Relation, parts_of
from tests.support.lineage_events import TOPICS, all_events, call, event_of, fixtures, said, title_of

EVENTS = all_events()
POOL: list[Any] = [
    None, True, False, 0, -1, 10**25, 1.5, "", "x", "ami-1", "\x00", "\ud800", "ä", "$Latest", "resolve:ssm:",
    "arn:aws:ec2:::", "a" * 5000, [], [None], [[]], ["x"], [{}], {}, {"items": [{"items": []}]},
    {"item": {"item": "x"}}, {"content": 1},
    {"tag": 1, "content": "x"}, {"omitted": True}, {"a": 1, "A": 2},
]  # fmt: skip


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name in value:
            found += places_in(value[name], (*path, name))
    elif isinstance(value, list):
        for index in range(len(value)):
            found += places_in(value[index], (*path, index))
    return found


def holder_of(event: Any, path: tuple[Any, ...]) -> Any:
    for each in path[:-1]:
        event = event[each]
    return event


def check(heard: Heard) -> None:
    """What was heard can be kept by any engine: whole keys, texts that can be encoded, facts only where they may be."""
    assert not heard.facts or heard.outcome is Outcome.FACTS
    assert bool(heard.reason) == (heard.outcome is not Outcome.FACTS)
    batch = batch_of([heard])
    for fact in batch.facts:
        for key in (fact.child, fact.parent):
            parts = parts_of(key)
            assert parts.name
            assert parts.region
        assert (fact.child == fact.parent) or fact.relation is not Relation.NOTED
        assert len(fact.id) == 32
        for name, value in fact.attributes:
            assert name
            (name + (value or "")).encode()
        (fact.child + fact.parent + fact.evidence.actor + fact.evidence.event_id).encode()
        assert len(fact.evidence.event_id) <= 256


@pytest.mark.parametrize("fixture", [pytest.param(each, id=title_of(each)) for t in TOPICS for each in fixtures(t)])
def test_any_member_may_be_gone_or_anything(fixture):
    event = event_of(fixture)
    for path in places_in(event):
        mutated = copy.deepcopy(event)
        del holder_of(mutated, path)[path[-1]]
        check(parse_event(mutated))
        for value in POOL[len(path) % 3 :: 3]:
            mutated = copy.copy(event)
            for depth, each in enumerate(path[:-1]):
                inner = holder_of(mutated, path[: depth + 1])
                inner[each] = copy.copy(inner[each])
            holder_of(mutated, path)[path[-1]] = value
            check(parse_event(mutated))


@pytest.mark.parametrize("fixture", [pytest.param(each, id=title_of(each)) for t in TOPICS for each in fixtures(t)])
def test_half_of_a_character_in_any_text_is_nothing_that_an_engine_has_to_keep(fixture):
    event = event_of(fixture)
    for path in places_in(event):
        text = holder_of(event, path)[path[-1]]
        if isinstance(text, str):
            for broken in (text + "\ud800", text[:-2] + "\udfff" + text[-2:]):
                mutated = copy.deepcopy(event)
                holder_of(mutated, path)[path[-1]] = broken
                check(parse_event(json.dumps(mutated)))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_several_members_may_be_anything_at_once(data):
    event = copy.deepcopy(data.draw(st.sampled_from(EVENTS)))
    for _ in range(data.draw(st.integers(2, 6))):
        paths = places_in(event)
        if not paths:
            break
        path = data.draw(st.sampled_from(paths))
        holder, name = holder_of(event, path), path[-1]
        change = data.draw(st.sampled_from(("drop", "replace", "wrap", "case", "other")))
        if change == "drop":
            del holder[name]
        elif change == "replace":
            holder[name] = copy.deepcopy(data.draw(st.sampled_from(POOL)))
        elif change == "wrap":
            holder[name] = data.draw(
                st.sampled_from(([holder[name]], {"items": holder[name]}, {"item": [holder[name]]}))
            )
        elif change == "case" and isinstance(name, str):
            holder[name.swapcase()] = holder.pop(name)
        else:
            other = data.draw(st.sampled_from(EVENTS))
            holder[name] = copy.deepcopy(other["detail"].get("requestParameters", other["detail"]))
    check(parse_event(event))
    check(parse_event(json.dumps(event)))


@pytest.mark.parametrize(
    "text", ["resolve:ssm:no such name!", "resolve:ssm:arn:aws:ssm", "ami-?", "x", "arn:aws:ec2:x:y:image/z"]
)
def test_a_template_cannot_hide_by_naming_nonsense_for_an_image(text):
    made = {"launchTemplateId": "lt-1", "launchTemplateName": "web", "versionNumber": 7}
    heard = parse_event(
        call("CreateLaunchTemplateVersion", {"launchTemplateData": {"imageId": text}}, {"launchTemplateVersion": made})
    )
    assert "launch-template/lt-1:$Latest RESOLVES_TO launch-template/lt-1:7" in said(heard.facts)
    assert heard.gaps == (f"imageId names an image in a way that is not known: {text}",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON | st.text() | st.binary())
def test_anything_at_all_may_come(event):
    check(parse_event(event))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([each for each in EVENTS if "eventName" in each["detail"]]), JSON, JSON)
def test_any_request_and_answer_may_come(event, request, response):
    detail = {**event["detail"], "requestParameters": request, "responseElements": response}
    check(parse_event({**event, "detail": detail}))


def test_an_event_nested_beyond_all_measure_is_malformed():
    deep: Any = "x"
    for _ in range(50_000):
        deep = [deep]
    heard = parse_event({"source": "aws.ec2", "detail": deep})
    assert (heard.outcome, heard.evidence.event_id[:7]) == (Outcome.MALFORMED, "sha256:")
    # Taken apart by hand: Python's own way down is a recursion too.
    while isinstance(deep, list):
        deep = deep.pop()
