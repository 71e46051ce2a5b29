"""One websocket to a Gremlin engine, opened anew when it is lost, and what is sent again when it fails for now.

The driver's own `Client` is not used: its headers are for ever (a signature lasts five minutes), it keeps a thread for
each connection, and waits without end for one that could not be opened. Its transport, protocol and serializers are.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from queue import Queue
from threading import Lock
from typing import Any
from uuid import uuid4

import aiohttp
from gremlin_python.driver.aiohttp.transport import AiohttpTransport
from gremlin_python.driver.protocol import GremlinServerError, GremlinServerWSProtocol
from gremlin_python.driver.request import RequestMessage
from gremlin_python.driver.resultset import ResultSet
from gremlin_python.driver.serializer import GraphBinarySerializersV1

from handlers.lineage.errors import GraphError
from handlers.lineage.gremlin.writer import quick_writer

ATTEMPTS = 7
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
GOODBYE = 0.3
"""Seconds in which an engine may answer that a connection is closed: one that hangs does not."""
LARGEST_ANSWER = 256 * 1024 * 1024

# "Ok to Retry? Yes", as far as sending the same again can help:
# https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html
# https://docs.aws.amazon.com/neptune/latest/userguide/lambda-functions-gremlin-write-recommendations.html
_PASSING = {
    "ConcurrentModificationException",
    "ConstraintViolationException",
    "InternalFailureException",
    "MemoryLimitExceededException",
    "QueryLimitExceededException",
    "ThrottlingException",
    "TimeLimitExceededException",
    "TooManyRequestsException",
    # Of TinkerPop's own transactional graph.
    "TransactionException",
}
# The writer has become a reader: the cluster's name leads to another instance now.
_MOVED = {"ReadOnlyViolationException"}
_TAKEN = " with id already exists: "
# Failed for now; timed out: https://tinkerpop.apache.org/docs/3.7.3/dev/provider/#_graph_driver_provider_requirements
_PASSING_STATUS = {596, 598}


class Lost(ConnectionError):
    """The websocket could not be opened, or broke."""


class Connection:
    """Sends one traversal at a time. Everything sent must be safe to send twice. Not opened before it is needed."""

    def __init__(
        self,
        url: str,
        headers: Callable[[], Mapping[str, str]],
        *,
        source: str = "g",
        timeout: float = 60,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._headers, self._source, self._timeout = url, headers, source, timeout
        self._attempts, self._sleep, self._chance, self._clock = attempts, sleep, chance, clock
        self._give_up = math.inf
        self._open: tuple[_Socket, GremlinServerWSProtocol] | None = None
        self._lock = Lock()

    def give_up_in(self, seconds: float) -> None:
        """Have no call wait longer than so many seconds from now, until another time is told."""
        self._give_up = self._clock() + seconds

    def run(self, traversal: Any) -> list[Any]:  # noqa: ANN401  gremlinpython has no types
        """Answer the results of a traversal; GraphError if it fails for good, or again and again.

        No attempt begins later than twice `timeout` after the first, and none lasts beyond the moment to give up at.
        """
        failed: Exception = Lost("there was no time for it")
        attempt, until = 0, self._clock() + 2 * self._timeout
        while attempt < self._attempts and self._clock() <= until and self._at_most(self._timeout) > 0:
            if attempt:
                # Full jitter: two writers that met must not meet again.
                pause = self._chance() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
                self._sleep(self._at_most(pause))
            attempt += 1
            try:
                with self._lock:
                    return self._send(traversal.bytecode)
            except Lost as error:
                failed = error
            except GremlinServerError as error:
                if not passing(error):
                    raise GraphError(
                        self._url, f"the graph refuses: {_reason(error)}", "see the engine's log"
                    ) from error
                failed = error
            except UnicodeEncodeError as error:
                what = f"a lineage graph cannot keep {error.object[:80]!r}, which is no text"
                raise GraphError(self._url, what, "mend its source") from error
        what = f"the graph fails after {attempt} attempts: {_reason(failed)}"
        raise GraphError(self._url, what, "send the same again later") from failed

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _send(self, bytecode: Any) -> list[Any]:  # noqa: ANN401
        done = False
        try:
            socket, protocol = self._open = self._open or self._connect()
            identity = str(uuid4())
            results = ResultSet(Queue(), identity)
            waiting = {identity: results}
            protocol.write(identity, self._request(bytecode))
            status = 206
            while status == 206:
                socket.wait(self._patience())
                status = protocol.data_received(socket.read(), waiting)
            done = True
        except GremlinServerError as error:
            # Said by an engine that lives; but one that only reads now must be left.
            done = _code(error) not in _MOVED
            raise
        finally:
            if not done:
                self._drop()
        found = []
        while not results.stream.empty():
            for each in results.stream.get_nowait():
                found += [each.object] * each.bulk
        return found

    def _request(self, bytecode: Any) -> RequestMessage:  # noqa: ANN401
        limit = int(self._at_most(self._timeout) * 1000)
        said = {"gremlin": bytecode, "aliases": {"g": self._source}, "evaluationTimeout": limit}
        return RequestMessage("traversal", "bytecode", said)

    def _connect(self) -> tuple[_Socket, GremlinServerWSProtocol]:
        socket = _Socket(self._patience())
        socket.connect(self._url, self._headers())
        protocol = GremlinServerWSProtocol(GraphBinarySerializersV1(writer=quick_writer()))
        protocol.connection_made(socket)
        return socket, protocol

    def _patience(self) -> float:
        """Answer a little more than the engine is given, so that it says itself that it took too long."""
        left = self._at_most(self._timeout + 5)
        if left <= 0:
            raise Lost("the time is up")
        return left

    def _at_most(self, seconds: float) -> float:
        return seconds if math.isinf(self._give_up) else max(0.0, min(seconds, self._give_up - self._clock()))

    def _drop(self) -> None:
        if self._open is not None:
            socket, _ = self._open
            self._open = None
            socket.close()


class _Transport(AiohttpTransport):  # type: ignore[misc]
    """The driver's, which would wait five minutes for a port that takes the connection and answers nothing."""

    def connect(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        async def open_in_time() -> None:
            self._client_session = aiohttp.ClientSession()
            patience = aiohttp.ClientWSTimeout(ws_close=GOODBYE)
            async with asyncio.timeout(self._read_timeout):
                self._websocket = await self._client_session.ws_connect(
                    url, headers=headers, timeout=patience, **self._aiohttp_kwargs
                )

        self._loop.run_until_complete(open_in_time())

    def wait(self, patience: float) -> None:
        self._read_timeout = self._write_timeout = patience


class _Socket:
    """The driver's transport, whose failures have one name and leave nothing open."""

    def __init__(self, patience: float) -> None:
        self._transport = _Transport(read_timeout=patience, write_timeout=patience, max_content_length=LARGEST_ANSWER)

    def connect(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            self._transport.connect(url, dict(headers))
        except (OSError, ValueError, RuntimeError, aiohttp.ClientError) as error:
            self.close()
            raise Lost(str(error) or type(error).__name__) from error

    def wait(self, patience: float) -> None:
        """Wait so many seconds for what comes next."""
        self._transport.wait(patience)

    def write(self, message: bytes) -> None:
        try:
            self._transport.write(message)
        except (OSError, RuntimeError) as error:
            raise Lost(str(error) or type(error).__name__) from error

    def read(self) -> bytes:
        try:
            data = self._transport.read()
        except (OSError, RuntimeError) as error:
            raise Lost(str(error) or type(error).__name__) from error
        if not isinstance(data, bytes):
            raise Lost("closed by the engine")
        return data

    def close(self) -> None:
        self._transport.close()


def passing(error: GremlinServerError) -> bool:
    """Say whether the same request may succeed when it is sent again."""
    if error.status_code in _PASSING_STATUS or _code(error) in _PASSING | _MOVED:
        return True
    # Of two writers that add one thing, TinkerPop may tell the second that it was not there, and then that it is.
    return _code(error) == "IllegalArgumentException" and _TAKEN in str(error.status_message)


def _code(error: GremlinServerError) -> str:
    """Answer the name of an error: Neptune says it in JSON, TinkerPop in the attribute `exceptions`."""
    try:
        said = json.loads(error.status_message)
    except ValueError:
        said = None
    if isinstance(said, dict):
        return str(said.get("code", ""))
    exceptions = (error.status_attributes or {}).get("exceptions") or [""]
    return str(exceptions[0]).rpartition(".")[2]


def _reason(error: Exception) -> str:
    if isinstance(error, GremlinServerError):
        return f"{_code(error) or error.status_code}: {str(error.status_message)[:300]}"
    return str(error)
