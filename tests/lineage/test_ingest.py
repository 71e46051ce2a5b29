"""From events to archive and graph: nothing is lost and nothing doubled, whatever breaks where."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers import ingest_events
from handlers.ingest_events import take
from handlers.lineage.archive import EVENTS, S3Archive, archive_name
from handlers.lineage.errors import GraphError
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.graph import Graph
from handlers.lineage.ingest import REBUILD_AT_ONCE, ingest, rebuild
from handlers.lineage.model import Batch, Place, Time, digest_of
from handlers.lineage.readings.form import write_reading
from org.errors import OrgctlError
from org.model import Region
from org.sandbox.server import in_process_sandbox
from stacksets.templates.lineage_ingest import render
from tests.lineage.conftest import Empty
from tests.support.lineage import ACCOUNT, MemoryGraph
from tests.support.lineage_events import all_events, call

REGION = "eu-central-1"
BODIES = [
    *(json.dumps(event) for event in all_events()),
    json.dumps({"source": "custom", "account": "111122223333", "detail": {}}),
    json.dumps(call("DeregisterImage", {"imageId": "ami-1"}, None, errorCode="Client.UnauthorizedOperation")),
    json.dumps(call("CopyImage", {}, {}, recipientAccountId="999999999999")),
    "no JSON at all",
    '{"detail": "\\ud800"}',
    "[" * 5_000,
]


class MemoryArchive:
    """Keeps events in a dictionary; refuses those in `refused`."""

    def __init__(self, *refused: str) -> None:
        self.kept: dict[str, str] = {}
        self.refused = set(refused)

    def keep(self, body: str, shelf: str = EVENTS) -> None:
        if body in self.refused:
            raise OrgctlError("archive", "refused")
        self.kept[archive_name(body, shelf)] = body

    def names(self) -> Iterator[str]:
        return iter(sorted(self.kept))

    def read(self, name: str) -> str:
        return self.kept[name]


def digest(graph: Graph) -> str:
    return digest_of((each.id for each in graph.export()), graph.heard())


def live() -> str:
    graph = MemoryGraph()
    ingest(BODIES, MemoryArchive(), graph)
    return digest(graph)


LIVE = live()


def messages(*bodies: str) -> dict[str, Any]:
    """As SQS gives them to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0", "SenderId": "AIDA"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:orgctl-lineage-events",
                "awsRegion": REGION,
            }
            for number, body in enumerate(bodies)
        ]
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(1, 100))
def test_any_order_repetition_and_replay_gives_the_same_graph(empty: Empty, chance: random.Random, size: int) -> None:
    graph, archive = empty(), MemoryArchive()
    bodies = [*BODIES, *chance.choices(BODIES, k=30)]
    chance.shuffle(bodies)
    for at in range(0, len(bodies), size):
        assert take(messages(*bodies[at : at + size]), archive, graph) == {"batchItemFailures": []}
    assert digest(graph) == LIVE
    assert sorted(archive.kept.values()) == sorted(BODIES)


def test_a_rebuild_from_the_archive_is_the_live_graph(empty: Empty) -> None:
    archive, one, two = MemoryArchive(), empty(), empty()
    ingest(BODIES, archive, one)
    told: list[int] = []
    rebuilt = rebuild(archive, two, told.append)
    assert digest(two) == digest(one) == LIVE
    assert rebuilt.events == len(BODIES) == told[-1]
    assert rebuilt.outcomes[Outcome.FORGED] == 2
    assert sum(rebuilt.outcomes.values()) == len(BODIES)
    rebuild(archive, two)
    assert digest(two) == LIVE, "a second time adds nothing"


def test_a_rebuild_takes_many_events_a_part_at_a_time() -> None:
    archive, graph, told = MemoryArchive(), MemoryGraph(), list[int]()
    for number in range(REBUILD_AT_ONCE + 1):
        archive.keep(json.dumps({"number": number}))
    rebuild(archive, graph, told.append)
    assert told == [REBUILD_AT_ONCE, REBUILD_AT_ONCE + 1]


def test_an_event_that_cannot_be_archived_comes_again_and_the_others_do_not() -> None:
    graph, archive = MemoryGraph(), MemoryArchive(BODIES[1])
    assert take(messages(*BODIES[:3]), archive, graph) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert sorted(archive.kept.values()) == sorted([BODIES[0], BODIES[2]])
    archive.refused.clear()
    assert take(messages(BODIES[1]), archive, graph) == {"batchItemFailures": []}
    whole = MemoryGraph()
    ingest(BODIES[:3], MemoryArchive(), whole)
    assert digest(graph) == digest(whole)


def test_where_no_event_can_be_archived_all_come_again_and_nothing_is_added() -> None:
    graph = MemoryGraph()
    failures = take(messages(*BODIES[:2]), MemoryArchive(*BODIES[:2]), graph)["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failures] == ["m-0", "m-1"]
    assert (graph.facts, graph.places) == ({}, {})


def test_where_the_graph_cannot_be_written_the_batch_fails_whole_and_is_archived_already() -> None:
    class Broken(MemoryGraph):
        def append(self, batch: Batch) -> None:
            raise GraphError("graph", "is away")

    archive = MemoryArchive()
    with pytest.raises(GraphError, match="is away"):
        take(messages(*BODIES[:3]), archive, Broken())
    assert sorted(archive.kept.values()) == sorted(BODIES[:3])


def test_a_graph_that_does_not_answer_is_told_before_the_function_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """No attempt begins later than twice the seconds of a call; it may then connect and read, five more for each."""
    given: dict[str, float] = {}
    monkeypatch.setenv(ingest_events.GRAPH, "wss://graph.example:8182/gremlin")
    monkeypatch.setattr(ingest_events, "open_graph", lambda _, **more: given.update(more))
    ingest_events._graph.__wrapped__()
    function = render().to_dict()["Resources"]["Ingest"]
    assert 2 * given["timeout"] + 2 * (given["timeout"] + 5) < function["Properties"]["Timeout"]


def test_what_cannot_be_believed_or_read_is_told_without_its_content(caplog: pytest.LogCaptureFixture) -> None:
    secret = json.dumps({"source": "custom", "account": "111122223333", "detail": {"password": "hunter2"}})
    take(messages(secret, "no JSON hunter2"), MemoryArchive(), MemoryGraph())
    told = [vars(record) for record in caplog.records]
    assert [(each["levelname"], each["outcome"]) for each in told] == [("WARNING", "forged"), ("WARNING", "malformed")]
    assert "hunter2" not in str(told)


def test_an_archived_name_follows_from_the_text_alone() -> None:
    event = json.dumps(call("CopyImage", {}, {}))
    name = archive_name(event)
    assert name.startswith("events/111122223333/eu-central-1/2026/")
    assert archive_name(event) == name != archive_name(event + " ")
    for strange in ("no", "{}", "[]", "7", '{"account": "../..", "region": "a", "time": "b"}', "[" * 5_000, '"\ud800"'):
        assert archive_name(strange).startswith("events/unplaced/"), strange


@pytest.fixture
def bucket() -> Iterator[Any]:
    with in_process_sandbox(REGION) as session:
        client = session.client("s3")
        client.create_bucket(
            Bucket="archive",
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        yield client


def test_s3_keeps_an_event_once(bucket: Any) -> None:
    archive = S3Archive(bucket, "archive")
    for body in [*BODIES, *BODIES]:
        archive.keep(body)
    versions = bucket.list_object_versions(Bucket="archive")["Versions"]
    assert len(versions) == len({each["Key"] for each in versions}) == len(set(BODIES))
    assert list(archive.names()) == sorted(archive_name(body) for body in set(BODIES))
    assert {archive.read(name) for name in archive.names()} == set(BODIES)


def test_what_is_put_over_an_archived_event_is_not_read_and_stops_no_rebuild(bucket: Any) -> None:
    bucket.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Enabled"})
    archive = S3Archive(bucket, "archive")
    archive.keep(BODIES[0])
    (name,) = archive.names()
    for forged in (BODIES[1], BODIES[2]):
        bucket.put_object(Bucket="archive", Key=name, Body=forged.encode())
    assert archive.read(name) == BODIES[0]
    stray = archive_name(BODIES[3])
    bucket.put_object(Bucket="archive", Key=stray, Body=BODIES[4].encode())
    assert archive.read(stray) == f"not an event that was kept: {stray}"
    rebuilt = rebuild(archive, MemoryGraph())
    assert rebuilt.outcomes == {Outcome.FACTS: 1, Outcome.MALFORMED: 1}


def test_s3_is_given_a_checksum_which_a_bucket_with_object_lock_demands(bucket: Any) -> None:
    sent: list[Any] = []
    old = bucket.meta.config.request_checksum_calculation
    bucket.meta.config.request_checksum_calculation = "when_required"
    bucket.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request.headers))
    S3Archive(bucket, "archive").keep("x")
    bucket.meta.config.request_checksum_calculation = old
    assert "checksum-sha256" in str(dict(sent[0])).lower()


def test_s3_says_what_is_wrong_with_the_archive(bucket: Any) -> None:
    archive = S3Archive(bucket, "nowhere")
    with pytest.raises(
        OrgctlError, match=r"s3:PutObject s3://nowhere/events/unplaced/.*: The specified bucket does not exist"
    ):
        archive.keep("x")
    with pytest.raises(OrgctlError, match=r"s3:ListObjectsV2 s3://nowhere/events/"):
        list(archive.names())


def test_readings_lie_beside_the_events_and_are_believed_from_their_own_queue_alone() -> None:
    body = write_reading(
        Place(ACCOUNT, Region(REGION)), Time(1_795_000_000_000), {"done": True, "since": "x", "unread": []}
    )
    archive, graph = MemoryArchive(), MemoryGraph()
    event = messages(body, body)
    event["Records"][1]["eventSourceARN"] = "arn:aws:sqs:eu-central-1:111122223333:orgctl-lineage-readings"
    assert take(event, archive, graph) == {"batchItemFailures": []}
    assert sorted(name.partition("/")[0] for name in archive.kept) == ["events", "readings"]
    outcomes = {dict(fact.attributes).get("outcome", "read") for fact in graph.facts.values()}
    assert outcomes == {"forged", "read"}
    again = MemoryGraph()
    rebuild(archive, again)
    assert digest(again) == digest(graph)
    assert not graph.heard()
