"""The function that brings notices to a chat."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import notify_chat
from handlers.notify_chat import KEPT, LONGEST, Kept, NotDelivered, Webhook, body_of, deliver, post, webhook

URL = "https://hooks.example.com/services/T000/B000/s3cr3t"


def notices(*messages: str) -> dict[str, Any]:
    return {"Records": [{"Sns": {"MessageId": "1", "Subject": "HIGH: x", "Message": each}} for each in messages]}


class Chat:
    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[Webhook, dict[str, Any]]] = []
        self._statuses = list(statuses)

    def post(self, to: Webhook, body: bytes) -> int:
        self.got.append((to, json.loads(body)))
        return self._statuses.pop(0) if self._statuses else 200


def kept(*secrets: str) -> Kept:
    left = list(secrets)
    return Kept(lambda: left.pop(0) if len(left) > 1 else left[0], lambda: 0.0)


def test_each_notice_is_posted_with_its_subject() -> None:
    chat = Chat()
    assert deliver(notices("one", "two"), kept(URL), chat.post) == 2
    assert [said["text"] for _, said in chat.got] == ["*HIGH: x*\none", "*HIGH: x*\ntwo"]
    assert chat.got[0][0] == Webhook("hooks.example.com", None, "/services/T000/B000/s3cr3t")


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 429, 500, 503])
def test_a_refused_notice_is_an_error_so_that_it_comes_again_and_is_put_aside(status: int) -> None:
    with pytest.raises(NotDelivered, match=f"answered {status}") as caught:
        deliver(notices("one"), kept(URL), Chat(status).post)
    assert "s3cr3t" not in str(caught.value)


def test_after_a_refusal_the_address_is_read_anew() -> None:
    address, chat = kept(URL, "https://new.example.com/x"), Chat(404)
    with pytest.raises(NotDelivered):
        deliver(notices("one"), address, chat.post)
    deliver(notices("one"), address, chat.post)
    assert [to.host for to, _ in chat.got] == ["hooks.example.com", "new.example.com"]


def test_the_address_is_kept_for_a_while_only() -> None:
    reads, now = [], [0.0]

    def read() -> str:
        reads.append(1)
        return URL

    address = Kept(read, lambda: now[0])
    for at in (0.0, KEPT - 1, KEPT + 1):
        now[0] = at
        address.get()
    assert len(reads) == 2


@pytest.mark.parametrize(
    "secret",
    [
        "http://hooks.example.com/x",
        "hooks.example.com",
        "",
        "{",
        '{"address": "https://x"}',
        "https://",
        "https://user:s3cr3t@hooks.example.com/x",
        "https://hooks.example.com/x\r\nHost: evil",
        "https://hooks.example.com/a b",
        "https://hooks.example.com:port/x",
        "https://hööks.example.com/x",
        "file:///etc/passwd",
    ],
)
def test_only_an_https_address_is_one_and_no_error_shows_it(secret: str) -> None:
    with pytest.raises(NotDelivered) as caught:
        webhook(secret)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_may_stand_in_json() -> None:
    assert webhook(json.dumps({"url": "https://x.example:8443/y?z=1"})) == Webhook("x.example", 8443, "/y?z=1")


def test_what_would_mean_something_to_slack_is_escaped() -> None:
    said = json.loads(body_of({"Subject": "*a*", "Message": "<!channel> <http://evil|ok> & >"}))
    assert said["text"] == "*∗a∗*\n&lt;!channel&gt; &lt;http://evil|ok&gt; &amp; &gt;"


@given(st.text(max_size=6_000), st.text(alphabet="<>&*x", max_size=200))
def test_a_text_is_bounded_and_never_ends_within_an_escape(message: str, subject: str) -> None:
    text = json.loads(body_of({"Subject": subject, "Message": message}))["text"]
    assert len(text) <= LONGEST
    assert "<" not in text
    assert ">" not in text
    plain = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in plain


def test_a_long_text_is_cut_where_it_fits() -> None:
    text = json.loads(body_of({"Subject": "s", "Message": "&" * 5_000}))["text"]
    assert text.endswith("&amp;…")
    assert LONGEST - 10 < len(text) <= LONGEST


def test_the_address_is_in_no_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    deliver(notices("one"), kept(URL), Chat().post)
    assert "s3cr3t" not in caplog.text + capsys.readouterr().out


class _Redirecting(BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.paths.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def redirecting() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Redirecting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_not_followed(redirecting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify_chat.http.client, "HTTPSConnection", notify_chat.http.client.HTTPConnection)
    assert post(Webhook("127.0.0.1", redirecting, "/first"), b"{}") == 302
    assert _Redirecting.paths == ["/first"]


def test_a_server_without_a_certificate_gets_nothing(redirecting: int) -> None:
    with pytest.raises(NotDelivered, match="there is no answer") as caught:
        post(Webhook("127.0.0.1", redirecting, "/services/s3cr3t"), b"{}")
    assert "s3cr3t" not in str(caught.value)
    assert isinstance(caught.value.__context__, ssl.SSLError | OSError)


def test_an_event_of_another_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        deliver({}, kept(URL), Chat().post)
