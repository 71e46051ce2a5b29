from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp.connector
import pytest
from botocore.credentials import ReadOnlyCredentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gremlin_python.driver.protocol import GremlinServerError
from gremlin_python.process.graph_traversal import __

from handlers.lineage.errors import GraphError
from handlers.lineage.gremlin.connection import LONGEST_PAUSE, Connection, Lost, _Socket, passing
from handlers.lineage.gremlin.graph import connect
from handlers.lineage.model import Batch, Place, Relation, Time
from org.model import Region
from tests.support.gremlin_server import GremlinServer, g
from tests.support.lineage import ACCOUNT, REGION, fact, image

COPIED = fact(Relation.COPIED_FROM, image("copy"), image("golden"), 1)


def neptune(code: str, status: int = 500) -> GremlinServerError:
    """What Neptune says: https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html."""
    message = f'{{"requestId":"1","code":"{code}","detailedMessage":"said by ami-1"}}'
    return GremlinServerError({"code": status, "message": message, "attributes": {}})


class Engine:
    """A socket and a protocol at once, which fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.opened = 0
        self.closed = 0

    def connect(self) -> Any:
        self.opened += 1
        return self, self

    def write(self, identity: str, request: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def wait(self, patience: float) -> None:
        self.patience = patience

    def read(self) -> bytes:
        return b""

    def data_received(self, data: bytes, waiting: dict[str, Any]) -> int:
        for each in waiting.values():
            each.stream.put([])
        return 204

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def connection(pauses: list[float]) -> Connection:
    return Connection("ws://engine/gremlin", dict, sleep=pauses.append, chance=lambda: 1.0)


def serve(connection: Connection, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_connect", engine.connect)


@pytest.mark.parametrize(
    "code", ["ConcurrentModificationException", "ThrottlingException", "TimeLimitExceededException"]
)
def test_what_fails_for_now_is_sent_again_on_the_same_connection(
    connection: Connection, pauses: list[float], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    engine = Engine(neptune(code), neptune(code))
    serve(connection, engine, monkeypatch)
    assert connection.run(g.inject(1)) == []
    assert (engine.opened, engine.closed) == (1, 0)
    assert pauses == [0.2, 0.4]


def test_a_writer_that_became_a_reader_is_left(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(neptune("ReadOnlyViolationException", 400))
    serve(connection, engine, monkeypatch)
    assert connection.run(g.inject(1)) == []
    assert (engine.opened, engine.closed) == (2, 1)


@pytest.mark.parametrize("code", ["AccessDeniedException", "MalformedQueryException", "ReadOnly", ""])
def test_what_fails_for_good_is_not_sent_again(
    connection: Connection, pauses: list[float], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    serve(connection, Engine(neptune(code)), monkeypatch)
    with pytest.raises(GraphError, match="the graph refuses"):
        connection.run(g.inject(1))
    assert pauses == []


def test_after_some_attempts_it_is_given_up(
    connection: Connection, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(*[neptune("ConcurrentModificationException")] * 20)
    serve(connection, engine, monkeypatch)
    with pytest.raises(GraphError, match="after 7 attempts: ConcurrentModificationException"):
        connection.run(g.inject(1))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_PAUSE]


def test_what_takes_long_each_time_is_given_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.0, 60.0, 120.0, 121.0])
    connection = Connection("ws://engine/gremlin", dict, timeout=60, sleep=lambda _: None, clock=lambda: next(times))
    serve(connection, Engine(*[neptune("TimeLimitExceededException")] * 20), monkeypatch)
    with pytest.raises(GraphError, match="after 3 attempts: TimeLimitExceededException"):
        connection.run(g.inject(1))


def test_no_attempt_lasts_or_begins_beyond_the_moment_to_give_up_at(monkeypatch: pytest.MonkeyPatch) -> None:
    time, pauses = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        time[0] += seconds

    connection = Connection(
        "ws://engine/gremlin", dict, timeout=6, sleep=sleep, chance=lambda: 1.0, clock=lambda: time[0]
    )
    connection.give_up_in(0.5)
    engine = Engine(*[neptune("ThrottlingException")] * 20)
    serve(connection, engine, monkeypatch)
    with pytest.raises(GraphError, match="ThrottlingException"):
        connection.run(g.inject(1))
    assert pauses == pytest.approx([0.2, 0.3])
    assert time[0] == 100.5
    time[0] = 101.0
    with pytest.raises(GraphError, match="after 0 attempts: there was no time for it"):
        connection.run(g.inject(1))
    engine.failures.clear()
    connection.give_up_in(7.0)
    connection.run(g.inject(1))
    assert engine.patience == 7.0


def test_an_error_of_ours_leaves_nothing_half_read(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(KeyError("a bug"))
    serve(connection, engine, monkeypatch)
    with pytest.raises(KeyError):
        connection.run(g.inject(1))
    assert engine.closed == 1


def test_words_in_a_message_do_not_make_it_passing() -> None:
    said = "no vertex 'ConcurrentModificationException'"
    assert not passing(GremlinServerError({"code": 500, "message": said, "attributes": {}}))
    assert not passing(GremlinServerError({"code": 500, "message": '["code"]', "attributes": None}))
    said = {"code": 500, "message": "Vertex with id already exists: ami-1"}
    assert passing(GremlinServerError(said | {"attributes": {"exceptions": ["java.lang.IllegalArgumentException"]}}))
    assert not passing(GremlinServerError(said | {"attributes": {"exceptions": ["java.lang.IllegalStateException"]}}))
    assert passing(GremlinServerError({"code": 598, "message": "too long", "attributes": {}}))


def test_a_port_that_answers_nothing_at_all_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(Lost):
            _Socket(0.2).connect(f"ws://127.0.0.1:{silent.getsockname()[1]}/gremlin", {})
    assert time.monotonic() - begun < 10


def test_nobody_at_the_port_is_an_error_of_the_graph(pauses: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        graph = connect(f"ws://127.0.0.1:{taken.getsockname()[1]}/gremlin", sleep=pauses.append, chance=lambda: 0.5)
        with pytest.raises(GraphError, match="after 7 attempts"):
            graph.heard()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE / 2]
    graph.close()


@pytest.mark.parametrize("url", ["http://engine:8182/gremlin", "engine:8182", "ws://", "", "wss:///gremlin"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(GraphError, match="no address of a Gremlin engine"):
        connect(url)


def test_a_signature_does_not_travel_in_the_clear() -> None:
    with pytest.raises(GraphError, match="needs wss"):
        connect("ws://engine:8182/gremlin", lambda: ReadOnlyCredentials("a", "b", None), Region("eu-central-1"))


def test_an_engine_that_was_killed_and_started_again_is_found_again(gremlin_server: GremlinServer) -> None:
    graph, idle = (gremlin_server.empty(source="g", sleep=lambda _: None) for _ in range(2))
    for each in (graph, idle):
        each.append(Batch((COPIED,)))
    gremlin_server.stop()
    with pytest.raises(GraphError, match="send the same again later"):
        graph.append(Batch((COPIED,)))
    gremlin_server.start()
    graph.append(Batch((COPIED,), {Place(ACCOUNT, REGION): Time(1)}))
    # This one hears only now that the engine to which it is connected is no more.
    assert idle.heard() == {Place(ACCOUNT, REGION): 1}
    assert list(idle.export()) == [COPIED]
    for each in (graph, idle):
        each.close()


def test_a_closed_graph_opens_again_when_it_is_asked(gremlin_server: GremlinServer) -> None:
    graph = gremlin_server.empty()
    graph.append(Batch((COPIED,)))
    graph.close()
    graph.close()
    assert list(graph.export()) == [COPIED]
    graph.close()


def test_what_takes_too_long_is_stopped_by_the_engine(gremlin_server: GremlinServer, pauses: list[float]) -> None:
    connection = Connection(gremlin_server.url, dict, timeout=0.2, attempts=2, sleep=pauses.append)
    endless = g.inject(*range(300))
    for _ in range(8):
        endless = endless.union(*[__.identity() for _ in range(30)])
    with pytest.raises(GraphError, match="after 2 attempts"):
        connection.run(endless.count())
    connection.close()


class Door:
    """Takes connections by TLS, remembers what they say, and lets nobody in."""

    def __init__(self, folder: Path) -> None:
        certificate = _certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.trusted = ssl.create_default_context(cafile=str(certificate))
        self.said: list[dict[str, str]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._context, self._shut = context, False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            taken, _ = self._listening.accept()
            with taken:
                if self._shut:
                    return
                try:
                    with self._context.wrap_socket(taken, server_side=True) as safe:
                        lines = safe.recv(65_536).decode().split("\r\n")[1:]
                        self.said.append(dict(line.split(": ", 1) for line in lines if line))
                        safe.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except ssl.SSLError:
                    continue

    def close(self) -> None:
        self._shut = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listening.close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "engine.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path)
    yield opened
    opened.close()


def test_an_engine_whose_certificate_is_not_trusted_is_not_spoken_to(door: Door) -> None:
    graph = connect(f"wss://localhost:{door.port}/gremlin", sleep=lambda _: None)
    with pytest.raises(GraphError, match="certificate verify failed"):
        graph.heard()
    assert door.said == []


def test_every_attempt_to_connect_is_signed_anew_with_the_credentials_of_then(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", door.trusted)
    times = (datetime(2026, 10, 27, 12, 0, tzinfo=UTC) + timedelta(minutes=10 * n) for n in range(100))
    keys = (ReadOnlyCredentials(f"AKID{n}", "secret", f"token-{n}") for n in range(100))
    graph = connect(
        f"wss://localhost:{door.port}/gremlin",
        lambda: next(keys),
        Region("eu-central-1"),
        now=lambda: next(times),
        sleep=lambda _: None,
    )
    with pytest.raises(GraphError, match="403, message="):
        graph.heard()
    assert [each["X-Amz-Date"] for each in door.said[:2]] == ["20261027T120000Z", "20261027T121000Z"]
    assert [each["X-Amz-Security-Token"] for each in door.said[:2]] == ["token-0", "token-1"]
    assert "AKID1/20261027/eu-central-1/neptune-db/" in door.said[1]["Authorization"]
    assert len({each["Authorization"] for each in door.said}) == 7
    # What was signed is what was said.
    assert door.said[0]["Host"] == f"localhost:{door.port}"
