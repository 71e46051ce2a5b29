"""What an event says of itself must hold, or it is refused, kept and counted."""

from __future__ import annotations

import copy
import json

import pytest

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Confidence, Place, Time, parts_of
from tests.support.lineage import ACCOUNT, REGION
from tests.support.lineage_events import ACTOR, call, notification, said

COPY = call(
    "CopyImage",
    {"sourceRegion": "us-east-1", "sourceImageId": "ami-1", "name": "x"},
    {"imageId": "ami-2"},
)
STATE = notification("EC2 AMI State Change", "aws.ec2", {"ImageId": "ami-2", "State": "available"})
HERE = Place(ACCOUNT, REGION)


def changed(event, **changes):
    """The event with members of the envelope (`source`) or its detail (`detail__awsRegion`) set, or dropped (None)."""
    event = copy.deepcopy(event)
    for path, value in changes.items():
        holder = event
        *outer, name = path.replace("detail_type", "detail-type").split("__")
        for each in outer:
            holder = holder[each]
        if value is None:
            del holder[name]
        else:
            holder[name] = value
    return event


def test_a_call_happened_when_and_where_cloudtrail_says_and_by_whom():
    heard = parse_event(COPY)
    assert (heard.outcome, heard.what, heard.place) == (Outcome.FACTS, "ec2:CopyImage", HERE)
    assert heard.event_id == "0bbb1111-2222-3333-4444-555555555555", "the same, however often EventBridge sends it"
    assert heard.time == 1_772_359_200_000
    assert {(each.evidence.actor, each.evidence.confidence) for each in heard.facts} == {(ACTOR, Confidence.OBSERVED)}


def test_an_event_is_read_from_text_as_well():
    for text in (json.dumps(COPY), json.dumps(COPY).encode()):
        assert parse_event(text) == parse_event(COPY)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "my.app"},
        {"source": "aws"},
        {"source": "awsx.ec2"},
        {"source": "aws.s3"},
        {"account": "999999999999"},
        {"region": "us-east-1"},
        {"detail__recipientAccountId": "999999999999"},
        {"detail__awsRegion": "us-east-1"},
        {"detail__eventSource": "s3.amazonaws.com"},
        {"detail__eventSource": "ec2.amazonaws.com.evil.example"},
        {"detail__eventVersion": "9.0", "detail__awsRegion": "us-east-1"},
    ],
    ids=str,
)
def test_a_call_that_its_envelope_contradicts_is_forged_and_says_nothing(changes):
    heard = parse_event(changed(COPY, **changes))
    assert (heard.outcome, heard.facts, heard.place) == (Outcome.FORGED, (), None)
    assert "s3" in heard.reason or "fit the envelope" in heard.reason or "no service of AWS" in heard.reason


def test_a_notification_of_a_service_that_never_sends_it_is_forged():
    heard = parse_event(changed(STATE, source="aws.s3"))
    assert (heard.outcome, heard.facts) == (Outcome.FORGED, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1"},
        {"detail__eventVersion": "2.0"},
        {"detail__eventVersion": "x"},
    ],
    ids=str,
)
def test_an_unknown_version_is_unknown_and_not_an_error(changes):
    heard = parse_event(changed(COPY, **changes))
    assert (heard.outcome, heard.facts, heard.place) == (Outcome.UNKNOWN, (), HERE)


def test_minor_versions_to_come_are_read_as_the_present_one():
    assert parse_event(changed(COPY, detail__eventVersion="1.99")).facts == parse_event(COPY).facts


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "",
        "{",
        b"\xff",
        "[" * 100_000,
        42,
        {},
        changed(COPY, account=None),
        changed(COPY, account="12345"),
        changed(COPY, account=111122223333),
        changed(COPY, account="١٢٣٤٥٦٧٨٩٠١٢"),
        changed(COPY, region=None),
        changed(COPY, region="mars"),
        changed(COPY, time="yesterday"),
        changed(COPY, time="2026-03-01T10:00:00"),
        changed(COPY, time="9999-12-31T23:59:59Z"),
        changed(COPY, id=None),
        changed(COPY, id=""),
        changed(COPY, detail=None),
        changed(COPY, detail=[]),
        changed(COPY, source=None),
        changed(COPY, source="aws.EC2"),
        changed(COPY, detail_type=None),
        changed(COPY, resources={}),
        changed(COPY, detail__eventID=None),
        changed(COPY, detail__eventTime=None),
        changed(COPY, detail__eventTime=1_772_359_200),
        changed(COPY, detail__eventName=None),
        changed(COPY, detail__recipientAccountId=None),
        changed(COPY, detail__awsRegion=None),
        changed(COPY, detail__eventSource=None),
        changed(COPY, detail__userIdentity="root"),
        changed(COPY, detail__errorCode=5),
        changed(COPY, detail__requestParameters=[]),
        changed(COPY, detail__requestParameters__sourceRegion="mars"),
        changed(COPY, detail__requestParameters__sourceImageId="i-1"),
        changed(COPY, detail__requestParameters__sourceRegion=None),
        changed(COPY, detail__responseElements__imageId=None),
        changed(COPY, detail__responseElements__imageId=["ami-2"]),
        changed(COPY, detail__responseElements__imageId="\ud800"),
        changed(COPY, detail__requestParameters__name="x" * 5000),
        changed(COPY, detail__requestParameters__Name="both"),
    ],
    ids=lambda event: repr(event)[:40],
)
def test_what_cannot_be_read_is_malformed_and_counted_without_moving_what_was_heard(event):
    heard = parse_event(event)
    assert (heard.outcome, heard.facts, heard.place) == (Outcome.MALFORMED, (), None), heard.reason
    batch = batch_of([heard])
    assert batch.heard == {}
    (fact,) = batch.facts
    attributes = dict(fact.attributes)
    assert attributes["outcome"] == "malformed"
    assert attributes["reason"]
    assert parts_of(fact.child).kind == "coverage"
    assert fact.evidence.confidence is Confidence.INFERRED


def test_an_envelope_without_version_is_read_since_the_documentation_has_such():
    assert parse_event(changed(STATE, version=None)).outcome is Outcome.FACTS


def test_what_lineage_is_not_concerned_with_is_heard_and_says_nothing():
    for event in (
        call("DescribeInstances", {}, None),
        call("PutObject", {}, None, source="aws.s3"),
        changed(COPY, detail_type="AWS Service Event via CloudTrail"),
        notification("Glue Job State Change", "aws.glue", {}),
        call("CreateTags", {"resourcesSet": {"items": [{"resourceId": "vpc-1"}]}, "tagSet": {}}, {"_return": True}),
        call("CreateComputeEnvironment", {"computeEnvironmentName": "x"}, None, source="aws.batch"),
    ):
        heard = parse_event(event)
        assert (heard.outcome, heard.facts) == (Outcome.NOT_LINEAGE, ()), heard.reason
        batch = batch_of([heard])
        assert (batch.facts, batch.heard) == ((), {HERE: heard.time})


def test_partitions_are_kept_apart():
    china = changed(
        COPY,
        region="cn-north-1",
        detail__awsRegion="cn-north-1",
        detail__eventSource="ec2.amazonaws.com.cn",
        detail__requestParameters__sourceRegion="cn-northwest-1",
    )
    assert said(parse_event(china).facts)[1] == (
        "aws-cn/cn-north-1/image/ami-2 COPIED_FROM aws-cn/cn-northwest-1/image/ami-1"
    )


def test_a_forged_event_moves_nothing_but_its_own_count():
    forged = changed(COPY, time="2030-01-01T00:00:00Z", detail__recipientAccountId="999999999999")
    honest = parse_event(COPY)
    batch = batch_of([honest, parse_event(forged), parse_event(changed(forged, detail__eventName="RunInstances"))])
    assert batch.heard == {HERE: honest.time}
    counted = [dict(fact.attributes) for fact in batch.facts if dict(fact.attributes).get("outcome") == "forged"]
    assert [each["call"] for each in counted] == ["CopyImage", "RunInstances"]
    assert "'999999999999' does not fit the envelope" in counted[0]["reason"]
    assert set(honest.facts) <= set(batch.facts)


def test_an_event_without_readable_time_counts_at_no_time():
    heard = parse_event(changed(COPY, time="x", region="y", account="z"))
    assert (heard.evidence.account, heard.evidence.region, heard.time) == ("unknown", "-", Time(0))
