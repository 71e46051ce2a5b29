"""A graph that hangs: the answer is a 503 of ours before API Gateway gives the function up."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import handlers.lineage_api as function
from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import LONGEST, MARGIN, Desk
from handlers.lineage.gremlin.graph import connect
from handlers.lineage.sqlite import SqliteGraph
from tests.support.lineage_api import (
    REQUEST_ID,
    Answered,
    Context,
    Hub,
    ask,
    ec2_id,
    event_for,
    means_for,
    with_ec2_ids,
)
from tests.support.lineage_story import story

GOLDEN = ec2_id("ami-golden")
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""https://www.rfc-editor.org/rfc/rfc6455#section-1.3"""


class Hanging:
    """A port that takes connections, opens websockets if it is told to, and never answers a request."""

    def __init__(self, *, opens: bool) -> None:
        self._opens, self._taken = opens, list[socket.socket]()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}/gremlin"
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            self._taken.append(taken)
            self.asked += 1
            said = taken.recv(65_536).decode()
            if self._opens and (key := re.search(r"(?i)sec-websocket-key: (\S+)", said)):
                proof = base64.b64encode(hashlib.sha1(f"{key[1]}{_MAGIC}".encode()).digest()).decode()
                head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                taken.sendall(f"{head}Sec-WebSocket-Accept: {proof}\r\n\r\n".encode())

    def close(self) -> None:
        self._listening.close()
        for each in self._taken:
            each.close()


@pytest.fixture(params=[False, True], ids=["before the handshake", "after it"])
def hanging(request: pytest.FixtureRequest) -> Iterator[Hanging]:
    there = Hanging(opens=request.param)
    yield there
    there.close()


def _timed(ask_it: Callable[[], Answered]) -> tuple[Answered, float]:
    began = time.monotonic()
    return ask_it(), time.monotonic() - began


def test_a_call_that_hangs_ends_before_the_function_does(hanging: Hanging) -> None:
    graph = connect(hanging.url, timeout=function.GRAPH_SECONDS)
    with closing(graph):
        means = means_for(graph, clock=time.monotonic)
        said, seconds = _timed(lambda: ask(means, f"/lineage/show?id={GOLDEN}", milliseconds=2_500))
    assert hanging.asked >= 1
    assert (said.status, said.body["correlation_id"]) == (503, REQUEST_ID)
    assert said.headers["Retry-After"] == "5"
    assert 1.2 <= seconds < 2.5


def test_the_next_request_has_its_own_time(hanging: Hanging) -> None:
    with closing(connect(hanging.url, timeout=function.GRAPH_SECONDS)) as graph:
        means = means_for(graph, clock=time.monotonic)
        for _ in range(2):
            said, seconds = _timed(lambda: ask(means, f"/lineage/show?id={GOLDEN}", milliseconds=1_800))
            assert said.status == 503
            assert 0.6 <= seconds < 1.8


def test_the_function_tells_a_graph_when_to_give_up_within_what_api_gateway_waits() -> None:
    told: list[float] = []

    class Told:
        def give_up_in(self, seconds: float) -> None:
            told.append(seconds)

    Desk(means_for(Told(), clock=lambda: 100.0), 900.0)  # type: ignore[arg-type]
    Desk(means_for(Told(), clock=lambda: 100.0), 10.0)  # type: ignore[arg-type]
    assert told == [LONGEST - MARGIN, 10.0 - MARGIN]
    assert LONGEST < 29


def test_security_hub_is_not_waited_for_when_the_time_does_not_suffice(tmp_path: Path) -> None:
    hub, graph = Hub(), SqliteGraph(tmp_path / "graph.sqlite")
    graph.append(with_ec2_ids(story()))
    for milliseconds, imported in ((4_500, False), (28_000, True)):
        body = json.dumps({"ami_id": GOLDEN})
        event = event_for("POST", "/api/v1/security-impact", (), body)
        said = Answered(answer(event, Context(milliseconds), means_for(graph, publish=hub)))
        assert (said.status, said.body["finding"]["imported"]) == (200, imported)
    assert len(hub.findings) == 1
    assert said.body["finding"]["why"] is None
