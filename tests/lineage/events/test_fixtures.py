"""Every call and notification of the documentation, in both dialects, makes the facts that were reviewed."""

from __future__ import annotations

import pytest

from handlers.lineage.events.notifications import LISTENERS
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import CALLS, parse_event
from stacksets.lineage_events import render_patterns
from tests.support.golden import assert_golden
from tests.support.lineage_events import TOPICS, event_of, fixtures, other_dialect, said, title_of

EACH = [pytest.param(each, id=f"{topic}-{title_of(each)}") for topic in TOPICS for each in fixtures(topic)]


@pytest.mark.parametrize("topic", TOPICS)
def test_fixtures_make_the_facts_that_were_reviewed(topic):
    heard = {title_of(each): parse_event(event_of(each)) for each in fixtures(topic)}
    assert len(heard) == len(fixtures(topic)), "two fixtures have one title"
    assert_golden(
        f"lineage-events/{topic}.json",
        {
            title: {"outcome": each.outcome, "facts": said(each.facts), "gaps": list(each.gaps), "reason": each.reason}
            for title, each in heard.items()
        },
    )


@pytest.mark.parametrize("fixture", EACH)
def test_no_fixture_is_malformed_or_unknown(fixture):
    heard = parse_event(event_of(fixture))
    assert heard.outcome in {Outcome.FACTS, Outcome.NOT_LINEAGE}, heard.reason


@pytest.mark.parametrize("fixture", [each for each in EACH if "request" in each.values[0]])
def test_both_dialects_make_the_same_facts(fixture):
    if "one_dialect" in fixture:
        pytest.skip(fixture["one_dialect"])
    event = event_of(fixture)
    other = other_dialect(event)
    assert other["detail"]["requestParameters"] != event["detail"]["requestParameters"]
    assert parse_event(other) == parse_event(event)


def test_every_call_and_notification_that_is_read_has_a_fixture():
    all_fixtures = [each for topic in TOPICS for each in fixtures(topic)]
    calls = {(each.get("source", "aws.ec2"), each["name"]) for each in all_fixtures if "request" in each}
    notifications = {each["name"] for each in all_fixtures if "detail" in each}
    assert calls == set(CALLS)
    assert notifications == set(LISTENERS)


@pytest.mark.parametrize("fixture", EACH)
def test_every_fixture_says_where_its_shape_comes_from(fixture):
    assert "docs.aws.amazon.com" in fixture["cite"] or "[H]" in fixture["cite"] or "published" in fixture["cite"]


def test_everything_that_is_forwarded_is_read_and_everything_that_is_read_is_forwarded():
    patterns = render_patterns().values()
    calls = [pattern for pattern in patterns if "detail" in pattern]
    forwarded = {name for pattern in calls for name in pattern["detail"]["eventName"]}
    # One event for each block of a snapshot: read where somebody forwards them, but not worth forwarding.
    wanted = set(CALLS) - {("aws.ebs", "PutSnapshotBlock")}
    assert forwarded == {name for _, name in wanted}
    for source, name in wanted:
        assert any(source in each["source"] and name in each["detail"]["eventName"] for each in calls), (source, name)
    (states,) = (pattern for pattern in patterns if "detail" not in pattern)
    assert set(states["detail-type"]) == set(LISTENERS)
    assert set(states["source"]) == {source for source, _ in LISTENERS.values()}
