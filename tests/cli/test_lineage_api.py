"""`orgctl lineage … --api`: the same questions, asked of the deployed API."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.credentials import Credentials
from botocore.exceptions import UnauthorizedSSOTokenError

from cli.lineage_api import ATTEMPTS, Api, Reply, sender
from handlers.lineage.api.app import answer
from handlers.lineage.queries.places import known_scope
from handlers.lineage.sqlite import SqliteGraph
from org.errors import AccessDenied, NotFound, OrgctlError
from tests.lineage.gremlin.test_connection import Door
from tests.support.command_line import CommandLine
from tests.support.lineage_api import NOW, Context, ec2_id, event_for, means_for, with_ec2_ids
from tests.support.lineage_story import story
from tests.support.two_sides import TwoSides

STAGE = "/orgctl-sandbox/execute-api/abcdef1234/v1"
GOLDEN, COPY, SWAPPED = ec2_id("ami-golden"), ec2_id("ami-copy"), ec2_id("i-swapped")


class Deployed:
    """An API on the loopback: what API Gateway hands to the function, and back. Keeps what was signed for what."""

    def __init__(self, graph: Path) -> None:
        self.graph = graph
        self.signed: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        """Of the last request."""
        self.instead: tuple[int, str] | None = None
        """Answered in place of the function."""

        def respond(asked: BaseHTTPRequestHandler) -> None:
            parts = urlsplit(asked.path)
            self.signed.append((unquote(parts.path), asked.headers.get("Authorization", "")))
            self.headers = dict(asked.headers)
            if self.instead is not None:
                status, body = self.instead
            else:
                # SQLite's objects stay in their thread.
                there = SqliteGraph(self.graph, create=False)
                means = means_for(there, scope_of=lambda graph, now: known_scope(graph, now, None), secret=b"orgctl")
                path = unquote(parts.path).removeprefix(STAGE)
                query = parse_qsl(parts.query, keep_blank_values=True)
                raw = answer(event_for("GET", path, query), Context(), means)
                there.close()
                status, body = raw["statusCode"], raw["body"]
            asked.send_response(status)
            asked.send_header("Content-Type", "application/json")
            asked.end_headers()
            asked.wfile.write(body.encode())

        class Handler(BaseHTTPRequestHandler):
            do_GET = respond  # noqa: N815 - as the library calls it

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{STAGE}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.sqlite"
    there = SqliteGraph(path)
    there.append(with_ec2_ids(story()))
    there.close()
    return path


@pytest.fixture
def deployed(graph: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Deployed]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    there = Deployed(graph)
    yield there
    there.stop()


@pytest.fixture
def orgctl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.mark.parametrize(
    "words",
    [
        ("show", GOLDEN),
        ("show", f"eu-central-1/{GOLDEN}", "--at", "2026-09-21T14:13:23Z"),
        ("ancestors", COPY),
        ("descendants", GOLDEN, "--depth", "1"),
        ("impact", GOLDEN, "--strict"),
        ("frontiers", GOLDEN),
        ("frontiers", GOLDEN, "--fixed", f"us-east-1/{COPY}"),
        ("verify", COPY, "--trust", "amazon"),
        ("root", SWAPPED, "--region", "eu-central-1"),
        ("search", "--kind", "instance", "--account", "222233334444", "--where", "state=running"),
        ("search", "--name", "gold", "--region", "us-east-1"),
        ("search", "--kind", "image", "--limit", "2"),
        ("evidence", COPY, f"eu-central-1/{GOLDEN}"),
        ("evidence", GOLDEN, "--attribute", "state"),
    ],
    ids=" ".join,
)
def test_the_api_answers_as_the_graph_does(
    orgctl: CommandLine, deployed: Deployed, graph: Path, words: tuple[str, ...]
) -> None:
    for form in ("table", "json"):
        near = orgctl("lineage", *words, "--graph", f"sqlite://{graph}", "--format", form)
        far = orgctl("lineage", *words, "--api", deployed.url, "--format", form)
        assert (far.code, far.err, far.out) == (near.code, "", near.out)
        assert near.out.strip()


def test_an_answer_is_for_people_unless_json_is_asked_for(orgctl: CommandLine, deployed: Deployed) -> None:
    assert "was copied from" in orgctl("lineage", "ancestors", COPY, "--api", deployed.url).out


def test_what_was_never_said_is_not_found_as_of_a_graph(orgctl: CommandLine, deployed: Deployed, graph: Path) -> None:
    for words in ((GOLDEN, "--attribute", "colour"), (GOLDEN, f"us-east-1/{COPY}")):
        near = orgctl("lineage", "evidence", *words, "--graph", f"sqlite://{graph}")
        far = orgctl("lineage", "evidence", *words, "--api", deployed.url)
        assert (far.code, far.err) == (near.code, near.err)
        assert far.code == 1


@pytest.fixture
def two_sides(tmp_path: Path) -> Path:
    """A graph of events and readings that contradict each other."""
    path = tmp_path / "two-sides.sqlite"
    sides = TwoSides(graph=SqliteGraph(path))
    sides.drop("approve", "web", "their web")
    sides.tell()
    sides.ec2.refuse["DescribeInstances"] = "UnauthorizedOperation"
    sides.read(24)
    sides.graph.close()
    return path


@pytest.mark.parametrize(
    "words", [("contradictions",), ("contradictions", "--size", "3"), ("contradictions", "--strict"), ("coverage",)]
)
def test_what_is_about_no_single_thing_is_answered_as_the_graph_does(
    orgctl: CommandLine, deployed: Deployed, two_sides: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.lineage_asked.now", lambda: NOW)
    deployed.graph = two_sides
    for form in ("table", "json"):
        near = orgctl("lineage", *words, "--graph", f"sqlite://{two_sides}", "--format", form)
        far = orgctl("lineage", *words, "--api", deployed.url, "--format", form)
        assert (far.code, far.err, far.out) == (near.code, "", near.out)
        assert near.out.strip()


def test_contradictions_are_asked_page_after_page_and_no_reason_of_a_page_is_left(
    orgctl: CommandLine, deployed: Deployed, two_sides: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.lineage_lists.LARGEST_SIZE", 2)
    deployed.graph = two_sides
    monkeypatch.setattr("cli.lineage_asked.now", lambda: NOW)
    far = orgctl("lineage", "contradictions", "--api", deployed.url, "--format", "json")
    near = orgctl("lineage", "contradictions", "--graph", f"sqlite://{two_sides}", "--format", "json")
    assert len(deployed.signed) == 3
    assert (far.code, far.out) == (3, near.out)


def test_every_request_is_signed_for_execute_api_in_the_region(orgctl: CommandLine, deployed: Deployed) -> None:
    orgctl("lineage", "show", GOLDEN, "--api", deployed.url)
    ((path, authorization),) = deployed.signed
    assert path == f"{STAGE}/api/v1/lineage/show"
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in authorization


def test_the_key_of_a_usage_plan_is_taken_from_the_environment_and_signed(
    orgctl: CommandLine, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGCTL_LINEAGE_API_KEY", "a-key-of-the-plan")
    orgctl("lineage", "show", GOLDEN, "--api", deployed.url)
    assert deployed.headers["x-api-key"] == "a-key-of-the-plan"
    assert "x-api-key" in deployed.headers["Authorization"]
    assert "x-orgctl-sandbox-vpce" not in deployed.headers


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "ami-00000000"), "AMI not found"),
        (("show", ec2_id("ami-twin")), "it is in 2 Regions; name one of them as region: eu-central-1, us-east-1"),
        (("show", "ami-nonsense"), "Invalid request; query.id (string_pattern_mismatch)"),
        (("show", GOLDEN, "--live"), "--live: the API knows itself which accounts there are; leave out --live"),
        (("coverage", "--silence", "3"), "--silence: the API knows itself"),
        (("show", GOLDEN, "--graph", "sqlite:///x"), "--api: a graph is named, too"),
    ],
)
def test_what_the_api_refuses_is_one_line(
    orgctl: CommandLine, deployed: Deployed, words: tuple[str, ...], said: str
) -> None:
    answered = orgctl("lineage", *words, "--api", deployed.url)
    assert (answered.code, answered.out) == (1, "")
    assert said in answered.err
    assert answered.err.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            403,
            '{"Message": "User: x is not authorized to perform: execute-api:Invoke"}',
            "it refuses: User: x is not authorized to perform: execute-api:Invoke; have execute-api:Invoke on this API",
        ),
        (403, '{"Message": "x is not authorized … with an explicit deny"}', "; a policy denies it"),
        (403, '{"message": "Missing Authentication Token"}', "Token; see that the URL ends with the stage"),
        (403, '{"message": "Signature expired: 20261126T000000Z is now earlier than …"}', "; set this machine's clock"),
        (403, '{"message": "Signature not yet current: …"}', "; set this machine's clock"),
        (403, '{"message": "The security token included in the request is expired"}', "; sign in again"),
        (403, '{"message": "Forbidden"}', "it refuses: Forbidden; set ORGCTL_LINEAGE_API_KEY if"),
        (404, '{"message": "Not Found"}', "Not Found; see that the id, the Region and the stage in the URL are right"),
        (409, '{"error": "it is in 2", "todo": "name one", "regions": ["a-b-1", "c-d-2"]}', "name one: a-b-1, c-d-2"),
        (500, '{"error": "Internal error", "correlation_id": "c-1"}', "it fails with 500: Internal error (correlation"),
        (301, '{"message": "Moved"}', "it answers 301, and points elsewhere"),
        (400, "[1]", "it does not say why"),
        (400, '{"error": {"a": "\\u001b[2J"}, "regions": 3, "details": 4}', "{'a': '\\x1b[2J'}"),
        (404, '{"error": "' + "x" * 5_000 + '"}', "x" * 600 + "…"),
        (200, "<html>", "it answers 200, and no JSON"),
        (200, "[" * 100_000, "it answers 200, and no JSON"),
        (
            200,
            "[]",
            "orgctl does not know: Shown: no object; see that it is the URL of a lineage API",
        ),
        (200, '{"status": "ok"}', "what this version of orgctl does not know: Shown."),
    ],
)
def test_what_is_no_answer_is_one_line(
    orgctl: CommandLine, deployed: Deployed, status: int, body: str, said: str
) -> None:
    deployed.instead = (status, body)
    answered = orgctl("lineage", "show", GOLDEN, "--api", deployed.url)
    assert (answered.code, answered.out) == (1, "")
    assert said in answered.err
    assert answered.err.count("\n") == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_goes_on_failing_is_one_line_with_the_correlation_id(status: int) -> None:
    body = '{"error": "Out of time", "correlation_id": "c-7", "todo": "ask for less, or again"}'
    api, _ = _api([(status, body, {})] * 9, [])
    with pytest.raises(OrgctlError) as caught:
        api.get("/lineage/show", {"id": GOLDEN})
    assert "Out of time (correlation id c-7)" in str(caught.value)


def test_the_id_of_a_gateway_that_timed_out_is_told() -> None:
    api, _ = _api([(504, '{"message": "Endpoint request timed out"}', {"x-amzn-requestid": "r-9"})] * 9, [])
    with pytest.raises(OrgctlError, match=r"504: Endpoint request timed out \(correlation id r-9\)"):
        api.get("/lineage/show", {"id": GOLDEN})


def test_without_credentials_nothing_is_sent(
    orgctl: CommandLine, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answered = orgctl("lineage", "show", GOLDEN, "--api", deployed.url)
    assert (answered.code, answered.out, deployed.signed) == (1, "", [])
    assert "no AWS credentials were found to sign with; set AWS_PROFILE" in answered.err


def test_credentials_that_cannot_be_renewed_are_one_line() -> None:
    def expired() -> Credentials:
        raise UnauthorizedSSOTokenError

    api, asked = _api([], [])
    with pytest.raises(OrgctlError, match=r"there is nothing to sign with: .*; sign in again"):
        replace(api, credentials=expired).get("/lineage/show", {"id": GOLDEN})
    assert asked == []


class Odd(BaseHTTPRequestHandler):
    """Answers as APIs do not."""

    asked: ClassVar[list[str]] = []
    elsewhere: ClassVar[str] = ""

    def do_GET(self) -> None:  # as the library calls it
        self.asked.append(self.path)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"{self.elsewhere}/stolen")
            self.end_headers()
        elif self.path.startswith("/slow"):
            self._send(b"{" + b" " * 100, (b" " for _ in iter(lambda: time.sleep(0.2), 0)))
        elif self.path.startswith("/zipped"):
            self._send(gzip.compress(b"{}" + b" " * 10_000_000), (), encoding="gzip")
        else:
            self._send(b"{", (b" " * 1_000_000 for _ in range(100)))

    def _send(self, head: bytes, parts: Iterable[bytes], encoding: str = "") -> None:
        self.send_response(200)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(head)
            for each in parts:
                self.wfile.write(each)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Odd.asked.clear()
    Odd.elsewhere = f"http://127.0.0.1:{server.server_address[1]}"
    yield Odd.elsewhere
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/moved", "it answers 302, and points elsewhere"),
        ("/slow", "it does not answer within 1 seconds"),
        ("/large", "its answer has more than 10,485,760 bytes"),
        ("/zipped", "it answers 200, and no JSON"),
    ],
)
def test_answers_are_bounded_in_size_and_time_and_nothing_signed_goes_elsewhere(odd: str, path: str, says: str) -> None:
    keys = Credentials("AKIAEXAMPLE", "secret")
    api = Api(f"{odd}{path}", "eu-central-1", lambda: keys, sender(odd, {}, patience=1))
    with pytest.raises(OrgctlError, match=says):
        api.get("/lineage/show", {"id": GOLDEN})
    assert [each.split("/api")[0] for each in Odd.asked] == [path]


def test_a_server_that_takes_the_request_and_answers_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        keys = Credentials("AKIAEXAMPLE", "secret")
        api = Api(url, "eu-central-1", lambda: keys, sender(url, {}, patience=1))
        with pytest.raises(OrgctlError, match="it does not answer within 1 seconds; ask again, or for less"):
            api.get("/lineage/show", {"id": GOLDEN})


def test_a_certificate_that_nobody_trusts_ends_it_before_anything_is_sent(tmp_path: Path) -> None:
    door = Door(tmp_path)
    url = f"https://127.0.0.1:{door.port}"
    keys = Credentials("AKIAEXAMPLE", "secret")
    api = Api(url, "eu-central-1", lambda: keys, sender(url, {}, patience=5))
    with pytest.raises(OrgctlError, match="its certificate is not trusted"):
        api.get("/lineage/show", {"id": GOLDEN})
    door.close()
    assert door.said == []


def test_an_api_that_is_not_there_is_one_line(orgctl: CommandLine, deployed: Deployed) -> None:
    answered = orgctl("lineage", "show", GOLDEN, "--api", "http://127.0.0.1:9/v1")
    assert answered.code == 1
    assert "it does not answer" in answered.err


@pytest.mark.parametrize("url", ["http://example.org/v1", "ftp://127.0.0.1/v1", "nonsense", "https://x.org/v1?a=b"])
def test_a_url_that_is_none_is_refused_before_anything_is_signed(
    orgctl: CommandLine, deployed: Deployed, url: str
) -> None:
    answered = orgctl("lineage", "show", GOLDEN, "--api", url)
    assert (answered.code, deployed.signed) == (1, [])
    assert "is no URL of an API" in answered.err


def test_with_sandbox_nothing_is_asked_beyond_this_machine(orgctl: CommandLine, deployed: Deployed) -> None:
    url = "https://abcdef1234.execute-api.eu-central-1.amazonaws.com/v1"
    answered = orgctl("lineage", "show", GOLDEN, "--api", url, "--sandbox")
    assert answered.code == 1
    assert "nothing is asked beyond this machine" in answered.err


def _api(
    replies: list[tuple[int, str, dict[str, str]]], slept: list[float], chance: Callable[[], float] = lambda: 1.0
) -> tuple[Api, list[str]]:
    asked: list[str] = []

    def send(request: AWSPreparedRequest) -> Reply:
        asked.append(str(request.url))
        status, body, headers = replies.pop(0)
        return Reply(status, headers, body.encode())

    keys = Credentials("AKIAEXAMPLE", "secret")
    return Api("https://a.example/v1", "eu-central-1", lambda: keys, send, sleep=slept.append, chance=chance), asked


def test_a_throttled_request_is_sent_again_after_longer_and_longer() -> None:
    slept: list[float] = []
    api, asked = _api([(429, "{}", {})] * 3 + [(200, '{"complete": true}', {})], slept)
    assert api.get("/lineage/show", {"id": GOLDEN}) == {"complete": True}
    assert slept == [1.0, 2.0, 4.0]
    assert len(asked) == 4


def test_the_pause_that_the_api_asks_for_is_kept() -> None:
    slept: list[float] = []
    api, _ = _api([(503, "{}", {"retry-after": "5"}), (200, '{"complete": true}', {})], slept)
    api.get("/lineage/show", {"id": GOLDEN})
    assert slept == [5.0]


@pytest.mark.parametrize(
    ("status", "kind", "said", "times"),
    [
        (429, OrgctlError, "it is throttled, after 5 attempts", ATTEMPTS),
        (503, OrgctlError, "it fails with 503", ATTEMPTS),
        (504, OrgctlError, "it fails with 504", ATTEMPTS),
        (500, OrgctlError, "it fails with 500", 1),
        (403, AccessDenied, "it refuses", 1),
        (404, NotFound, "it does not say why", 1),
    ],
)
def test_only_what_may_pass_is_asked_again_and_not_for_ever(
    status: int, kind: type[Exception], said: str, times: int
) -> None:
    api, asked = _api([(status, "{}", {})] * 9, [])
    with pytest.raises(kind, match=said):
        api.get("/lineage/show", {"id": GOLDEN})
    assert len(asked) == times


def test_what_is_asked_is_written_into_the_url_once_and_empty_things_are_not() -> None:
    api, asked = _api([(200, "{}", {})], [])
    api.get(
        "/lineage/search", {"kind": "image", "where": ["tag:a b=c&d", "x=+"], "cursor": None, "region": "", "limit": 3}
    )
    (url,) = asked
    assert url == (
        "https://a.example/v1/api/v1/lineage/search?kind=image&where=tag%3Aa%20b%3Dc%26d&where=x%3D%2B&limit=3"
    )
