"""How the API refuses, what it keeps to itself, and what it logs."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from handlers.lineage.api import app as api_app
from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import Means
from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Relation
from tests.support.lineage import fact, image, note
from tests.support.lineage_api import (
    CALLER,
    REQUEST_ID,
    Context,
    ask,
    ec2_id,
    event_for,
    means_for,
    send,
    with_ec2_ids,
)

GOLDEN = ec2_id("ami-golden")
SECRET = "wss://secret-cluster.neptune.amazonaws.com:8182/gremlin"


@pytest.mark.parametrize(
    ("path", "status", "error", "code"),
    [
        ("/ami/ami-xyz/lineage", 400, "Malformed AMI ID", "INVALID_AMI_ID"),
        ("/ami/ami-0123456789abcdef01/security-context", 400, "Malformed AMI ID", "INVALID_AMI_ID"),
        ("/ami/ami-00000000/lineage", 404, "AMI not found", "AMI_NOT_FOUND"),
        ("/ami/ami-00000000/lineage?region=us-east-1", 404, "AMI not found", "AMI_NOT_FOUND"),
        ("/lineage/show?id=snap-00000000", 404, "Thing not found", "NOT_FOUND"),
        ("/nowhere", 404, "Endpoint not found", "ENDPOINT_NOT_FOUND"),
        ("/ami", 404, "Endpoint not found", "ENDPOINT_NOT_FOUND"),
        (f"/ami/{GOLDEN}/lineage?depth=0", 400, "Invalid request", "INVALID_REQUEST"),
        (f"/ami/{GOLDEN}/lineage?depth=101", 400, "Invalid request", "INVALID_REQUEST"),
        (f"/ami/{GOLDEN}/lineage?depth=many", 400, "Invalid request", "INVALID_REQUEST"),
        (f"/ami/{GOLDEN}/lineage?direction=up", 400, "Invalid request", "INVALID_REQUEST"),
        (f"/ami/{GOLDEN}/lineage?at=2026-02-31", 400, "there is no such time", "INVALID_TIME"),
        (f"/ami/{GOLDEN}/lineage?at=yesterday", 400, "Invalid request", "INVALID_REQUEST"),
        (f"/ami/{GOLDEN}/lineage?dept=3", 400, "Unknown query parameter", "UNKNOWN_PARAMETER"),
        (f"/lineage/show?id={GOLDEN}&id={GOLDEN}", 400, "Invalid request", "INVALID_REQUEST"),
        (
            f"/lineage/show?id=aws/eu-central-1/image/{GOLDEN}&region=us-east-1",
            400,
            "the key is in another Region",
            "INVALID_REGION",
        ),
        (f"/lineage/evidence?id={GOLDEN}", 400, "parent or attribute is needed, and not both", "INVALID_REQUEST"),
        (
            f"/lineage/root?id={GOLDEN}",
            400,
            f"aws/eu-central-1/image/{GOLDEN}: is no instance; give the key of one: aws/<region>/instance/…",
            "BAD_REQUEST",
        ),
        (
            "/lineage/search?kind=image&cursor=AAAA",
            400,
            "cursor: it is not one of this search; start from the first page, without a cursor",
            "BAD_REQUEST",
        ),
    ],
)
def test_a_question_that_is_not_well_put_is_refused_and_why(
    means: Means, path: str, status: int, error: str, code: str
) -> None:
    answered = ask(means, path)
    assert (answered.status, answered.body["error"], answered.body["code"]) == (status, error, code)
    assert answered.body["correlation_id"] == REQUEST_ID == answered.headers["X-Correlation-Id"]


@pytest.mark.parametrize("path", ["/security-impact", "/compliance-assessment", "/ami/search"])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (None, "Request body is required"),
        ("", "Request body is required"),
        ("null", "Request body must be a JSON object"),
        ("{", "Invalid JSON in request body"),
        ("[" * 60_000, "Invalid JSON in request body"),
        ('{"limit": ' + "9" * 5_000 + "}", "Invalid JSON in request body"),
        ('{"limit": NaN}', "Invalid JSON in request body"),
        ('{"limit": 1, "limit": 2}', "Invalid JSON in request body"),
        ("[{}]", "Request body must be a JSON object"),
        ('{"limitless": 1}', None),
        ('{"ami_id": ["' + GOLDEN + '"]}', None),
    ],
)
def test_a_body_that_is_not_as_it_must_be_is_refused(
    means: Means, path: str, body: str | None, error: str | None
) -> None:
    answered = send(means, path, body)
    assert answered.status == 400
    if error is not None:
        assert answered.body["error"] == error


def test_an_impact_without_an_image_says_that_one_is_required(means: Means) -> None:
    answered = send(means, "/security-impact", {"severity": "HIGH"})
    assert (answered.status, answered.body["error"]) == (400, "AMI ID is required")


@pytest.mark.parametrize(
    "body",
    [
        {"ami_id": GOLDEN, "severity": "high"},
        {"ami_id": GOLDEN, "severity": "<b>"},
        {"ami_id": GOLDEN, "finding_type": "a\nb"},
        {"ami_id": GOLDEN, "finding_id": "x" * 300},
        {"ami_id": GOLDEN, "note": "unknown fields are refused"},
        {"ami_id": GOLDEN, "region": "eu-central-1\n"},
    ],
)
def test_free_text_gets_nowhere_near_security_hub(means: Means, body: dict[str, str]) -> None:
    assert send(means, "/security-impact", body).status == 400
    assert means.publish.findings == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonx", 415),
    ],
)
def test_a_body_must_be_json_by_its_own_account(means: Means, kind: str, status: int) -> None:
    assert send(means, "/ami/search", {}, headers={"content-type": kind}).status == status


def test_a_request_that_is_too_large_is_not_read(means: Means) -> None:
    answered = send(means, "/ami/search", "x" * 65_537)
    assert (answered.status, answered.body["code"]) == (413, "REQUEST_TOO_LARGE")


def test_an_answer_that_lambda_could_not_hand_on_is_refused(means: Means, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_app, "LARGEST_ANSWER", 1_000)
    answered = ask(means, f"/lineage/impact?id={GOLDEN}")
    assert (answered.status, answered.body["code"]) == (413, "ANSWER_TOO_LARGE")
    assert "smaller" in answered.body["todo"]


def test_an_id_that_is_in_two_regions_is_told_with_both(means: Means) -> None:
    twin = ec2_id("ami-twin")
    answered = ask(means, f"/ami/{twin}/security-context")
    assert answered.status == 409
    assert answered.body["regions"] == ["eu-central-1", "us-east-1"]
    assert ask(means, f"/ami/{twin}/security-context?region=us-east-1").status == 200


class Broken:
    """A graph that fails at whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name == "give_up_in":
            raise AttributeError(name)

        def fail(*_: object, **__: object) -> None:
            raise self._error

        return fail


@pytest.mark.parametrize("path", [f"/lineage/show?id={GOLDEN}", "/lineage/coverage", f"/ami/{GOLDEN}/security-context"])
def test_a_graph_that_fails_is_503_and_says_nothing_of_itself(path: str) -> None:
    means = means_for(Broken(GraphError(SECRET, "refuses: stack trace follows")))  # type: ignore[arg-type]
    answered = ask(means, path)
    assert answered.status == 503
    assert answered.headers["Retry-After"] == "5"
    assert answered.body == {"error": "Service unavailable", "code": "UNAVAILABLE", "correlation_id": REQUEST_ID}


def test_a_bug_is_500_with_nothing_but_the_correlation_id(caplog: pytest.LogCaptureFixture) -> None:
    means = means_for(Broken(KeyError(SECRET)))  # type: ignore[arg-type]
    answered = ask(means, f"/lineage/show?id={GOLDEN}")
    assert answered.status == 500
    assert answered.body == {"error": "Internal error", "code": "INTERNAL_ERROR", "correlation_id": REQUEST_ID}
    assert any(SECRET in (each.exc_text or str(each.exc_info)) for each in caplog.records), "the log must tell it"


def test_an_answer_that_is_not_as_documented_is_500_and_not_sent(means: Means, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.lineage.api.questions.to_plain", lambda _: {"leaked": SECRET})
    answered = ask(means, f"/lineage/show?id={GOLDEN}")
    assert answered.status == 500
    assert SECRET not in json.dumps(answered.raw)


@pytest.mark.parametrize("path", [f"/lineage/show?id={GOLDEN}", "/nowhere", "/lineage/show"])
def test_every_answer_forbids_to_keep_it(means: Means, path: str) -> None:
    headers = ask(means, path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert headers["Content-Type"] == "application/json"


NASTY = 'x\n{"level":"INFO","message":"forged"}\r\n\x1b[31m\u2028\u202e'


def test_a_line_of_log_tells_who_asked_what_and_no_body(means: Means, capsys: pytest.CaptureFixture[str]) -> None:
    event = event_for("POST", "/api/v1/ami/search", (), json.dumps({"filters": {"name_contains": "hush"}}))
    event["requestContext"]["identity"]["userArn"] = CALLER + NASTY
    event["requestContext"]["resourcePath"] = "/api/v1/ami/search"
    written: list[str] = []
    stream = type("Stream", (), {"write": lambda self, text: written.append(text), "flush": lambda self: None})()
    handler = next(each for each in api_app.logger.handlers if hasattr(each, "stream"))
    before, handler.stream = handler.stream, stream  # type: ignore[attr-defined]
    try:
        answer(event, Context(), means)
    finally:
        handler.stream = before  # type: ignore[attr-defined]
    (line,) = "".join(written).splitlines()
    told = json.loads(line)
    assert told["caller"] == CALLER + NASTY
    assert (told["method"], told["route"], told["status"]) == ("POST", "/api/v1/ami/search", 200)
    assert "hush" not in line
    assert line.isascii()


def test_a_cursor_of_another_secret_is_refused(graph: Graph) -> None:
    cursor = ask(means_for(graph), "/lineage/search?kind=image&limit=1").body["cursor"]
    assert ask(means_for(graph), f"/lineage/search?kind=image&limit=1&cursor={cursor}").status == 200
    other = means_for(graph, secret=b"another")
    assert ask(other, f"/lineage/search?kind=image&limit=1&cursor={cursor}").status == 400


class Clock:
    """Goes on by some seconds each time that it is looked at."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def _chain(graph: Graph, length: int) -> str:
    images = [image(f"chain-{number}") for number in range(length)]
    facts = [note(images[0], 30, owner="111122223333")]
    facts += [fact(Relation.COPIED_FROM, child, parent, 31) for parent, child in pairwise(images)]
    graph.append(with_ec2_ids(Batch(tuple(facts))))
    return ec2_id("ami-chain-0")


def test_an_answer_for_which_the_time_does_not_suffice_is_incomplete_and_no_timeout(graph: Graph) -> None:
    start = _chain(graph, 60)
    whole = ask(means_for(graph), f"/lineage/descendants?id={start}&depth=100")
    assert (whole.status, whole.body["complete"], len(whole.body["things"])) == (200, True, 60)
    cut = ask(means_for(graph, clock=Clock(0.3)), f"/lineage/descendants?id={start}&depth=100", milliseconds=28_000)
    assert cut.status == 200
    assert cut.body["complete"] is False
    assert {"why": "bound", "about": "time", "says": "the time to look was up; there may be more"} in cut.body[
        "reasons"
    ]
    assert 0 < len(cut.body["things"]) < 60
    assert cut.body["open"] != []


def test_where_the_time_is_up_before_there_is_any_answer_it_is_503(graph: Graph) -> None:
    answered = ask(means_for(graph, clock=Clock(1.0)), f"/lineage/show?id={GOLDEN}", milliseconds=1_500)
    assert (answered.status, answered.body["code"]) == (503, "OUT_OF_TIME")
    assert answered.headers["Retry-After"] == "5"
