"""The two functions: who is asked for, what a batch answers, and what of it comes again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers import reconcile
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.fold import fold_states
from handlers.lineage.ingest import ingest
from handlers.lineage.model import Batch, Kind, Place, Relation, Time, key_of
from handlers.lineage.readings.form import READINGS_QUEUE
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile.asking import Call
from handlers.lineage.reconcile.memory import Memory, S3Memories
from handlers.lineage.settings import SETTINGS
from handlers.plan_reconciliation import plan
from handlers.reconcile import take
from org.errors import AccessDenied, OrgctlError
from org.model import AccountId, Region
from stacksets.templates import names
from tests.support.ec2_answers import FakeEc2, image, place
from tests.support.lineage import MemoryGraph

NOW = Time(1_795_000_000_000)
DAY = 86_400_000
A, B = "111122223333", "444455556666"
CLOSED = "777788889999"


@dataclass
class Places:
    """Accounts that can be entered, what was remembered of them and sent."""

    there: Mapping[str, FakeEc2]
    denied: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    kept: dict[Place, Memory] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    full: bool = False

    def enter(self, place: Place) -> Call:
        if place.account in self.denied:
            raise AccessDenied("sts:AssumeRole", "access denied")
        if place.account in self.failing:
            raise OrgctlError("sts:AssumeRole", "slow down")
        return self.there[place.account]

    def load(self, place: Place) -> Memory | None:
        return self.kept.get(place)

    def save(self, place: Place, memory: Memory) -> None:
        self.kept[place] = memory

    def send(self, body: str) -> None:
        if self.full:
            raise OrgctlError("sqs:SendMessage", "the queue is not there")
        self.sent.append(body)

    def take(self, *accounts: str) -> list[str]:
        records = [
            _record(str(number), json.dumps({"account": each, "region": "eu-central-1"}))
            for number, each in enumerate(accounts)
        ]
        answer = take({"Records": records}, self.enter, self, self.send, lambda: NOW)
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def _record(id: str, body: str, queue: str = "orgctl-lineage-reconcile") -> dict[str, Any]:
    return {
        "messageId": id,
        "body": body,
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:{A}:{queue}",
        "attributes": {},
        "messageAttributes": {},
    }


def both() -> Places:
    there = {A: FakeEc2(place(A)), B: FakeEc2(place(B))}
    there[A].put(image("ami-a", OwnerId=A))
    there[B].put(image("ami-b", OwnerId=B))
    return Places(there)


def coverage(places: Places, account: str) -> dict[str, str]:
    graph = MemoryGraph()
    for body in places.sent:
        heard = parse_reading(body)
        assert heard.outcome is Outcome.FACTS, heard.reason
        graph.append(Batch(heard.facts))
    key = key_of(Kind.COVERAGE, account, Region("eu-central-1"))
    state = fold_states(graph.facts_of([key], [Relation.NOTED]))[key]
    return {name: said.value for name, said in state.attributes.items()}


def test_each_place_of_a_batch_is_read_and_sent():
    places = both()
    assert places.take(A, B) == []
    assert [json.loads(body)["account"] for body in places.sent] == [A, B]
    assert set(places.kept) == {place(A), place(B)}
    assert coverage(places, A)["read"] == "yes"


def test_an_account_that_cannot_be_entered_is_told_as_unread_and_keeps_nobody_from_being_read():
    places = both()
    places.denied = {A}
    assert places.take(A, B) == []
    assert coverage(places, A) == {"read": "no", "unread": "sts:AssumeRole: AccessDenied;"}
    assert coverage(places, B)["read"] == "yes"
    assert set(places.kept) == {place(B)}


def test_a_place_that_was_unread_and_is_read_again_is_no_longer_so():
    places = both()
    places.denied = {A}
    places.take(A)
    places.denied = set()
    answer = take(
        {"Records": [_record("0", json.dumps({"account": A, "region": "eu-central-1"}))]},
        places.enter,
        places,
        places.send,
        lambda: Time(NOW + 1),
    )
    assert answer == {"batchItemFailures": []}
    assert coverage(places, A) == {
        "read": "yes",
        "reconciled_at": "2026-11-18T11:06:40.001Z",
        "read_since": "2026-11-18T11:06:40.001Z",
    }


def test_only_the_place_that_failed_comes_again():
    places = both()
    places.failing = {A}
    assert places.take(A, B, "no account") == ["0", "2"]
    assert set(places.kept) == {place(B)}


def test_what_could_not_be_sent_is_not_remembered():
    places = both()
    places.full = True
    assert places.take(A) == ["0"]
    assert not places.kept
    places.full = False
    assert places.take(A) == []
    assert len(json.loads(places.sent[0])["detail"]["images"]) == 1


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"account": "1", "region": "eu-central-1"}', '{"account": "111122223333", "region": "x"}']
)
def test_a_message_that_names_no_place_comes_again_and_ends_as_a_dead_letter(body):
    places = both()
    answer = take({"Records": [_record("0", body)]}, places.enter, places, places.send, lambda: NOW)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_the_plan_asks_for_open_accounts_in_governed_regions_and_tells_of_all():
    asked: list[str] = []
    told: list[str] = []
    accounts = [{"Id": B, "State": "ACTIVE"}, {"Id": A, "Status": "ACTIVE"}, {"Id": CLOSED, "State": "SUSPENDED"}]
    regions = [Region("eu-central-1"), Region("us-east-1")]
    count = plan(accounts, regions, "o-exampleorg", place(A), asked.extend, told.append, NOW)
    assert count == 4
    assert [json.loads(each) for each in asked] == [
        {"account": account, "region": region} for account in (A, B) for region in regions
    ]
    heard = [parse_reading(each) for each in told]
    said = {
        (fact.child, dict(fact.attributes)["expected"], dict(fact.attributes)["member"])
        for each in heard
        for fact in each.facts
    }
    assert said == {
        (f"aws/{region}/coverage/{account}", expected, "yes")
        for account, expected in ((A, "yes"), (B, "yes"), (CLOSED, "no"))
        for region in regions
    }


def test_a_plan_on_the_same_day_tells_the_same_and_adds_nothing():
    told: list[str] = []
    for later in (0, 3_600_000):
        plan(
            [{"Id": A, "State": "ACTIVE"}],
            [Region("eu-central-1")],
            "o-exampleorg",
            place(A),
            lambda _: None,
            told.append,
            Time(NOW - NOW % DAY + later),
        )
    assert told[0] == told[1]


def test_a_thousand_accounts_are_asked_for_ten_at_a_time_and_told_in_messages_that_fit():
    asked: list[int] = []
    told: list[str] = []
    accounts = [{"Id": f"{number:012d}", "State": "ACTIVE"} for number in range(1_003)]
    plan(
        accounts,
        [Region("eu-central-1"), Region("us-east-1")],
        "o-exampleorg",
        place(A),
        lambda some: asked.append(len(some)),
        told.append,
        NOW,
    )
    assert sum(asked) == 2_006
    assert max(asked) == 10
    assert len(told) == 3
    assert max(map(len, told)) < 256_000


def test_names_are_those_of_the_templates():
    assert READINGS_QUEUE == names.READINGS_QUEUE
    assert reconcile.READER_ROLE == names.READER_ROLE


def test_the_session_of_the_reader_role_is_asked_for_at_the_regional_endpoint_with_the_external_id(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    settings = {"organization": "o-exampleorg1", "home_region": "eu-central-1", "regions": ["eu-central-1"]}
    monkeypatch.setenv(SETTINGS, json.dumps({**settings, "external_id": "sesame"}))
    asked: list[Any] = []

    class Refused(Exception):
        pass

    def send(_: object, request: Any) -> None:
        asked.append(request)
        raise Refused

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)
    with pytest.raises(Refused):
        reconcile.enter(place(B, "us-east-1"))
    (request,) = asked
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    assert request.url == "https://sts.eu-central-1.amazonaws.com/"
    assert "ExternalId=sesame" in body
    assert "RoleSessionName=orgctl-lineage-reconcile" in body
    assert f"role%2F{names.READER_ROLE}" in body


class MemoryS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[f"{Bucket}/{Key}"] = Body

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803
        from io import BytesIO

        from botocore.exceptions import ClientError

        if f"{Bucket}/{Key}" not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": BytesIO(self.objects[f"{Bucket}/{Key}"])}


def test_what_was_sent_is_kept_in_one_object_for_each_place():
    client = MemoryS3()
    memories = S3Memories(client, "state")  # type: ignore[arg-type]  # a fake with the two calls that are made
    assert memories.load(place(A)) is None
    memories.save(place(A), Memory(5))
    assert list(client.objects) == [f"state/last-read/{A}/eu-central-1.json"]
    kept = memories.load(place(A))
    assert kept is not None
    assert kept.since == 5


def test_a_reading_on_the_bus_of_events_is_a_forgery():
    places = both()
    places.take(A)
    graph = MemoryGraph()

    class Nowhere:
        def keep(self, body: str, shelf: str = "events/") -> None:
            assert shelf == "events/"

    (heard,) = ingest(places.sent, Nowhere(), graph)  # type: ignore[arg-type]  # nothing is read back
    assert heard.outcome is Outcome.FORGED
    assert AccountId(A) not in {place.account for place in graph.heard()}
