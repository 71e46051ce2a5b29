"""A real Gremlin Server on the loopback, from jars that Maven fetches once into build/; tests/gremlin-server says how.

Where Maven or Java is missing, or the jars cannot be had, what needs it is skipped with the reason; it fails instead
where ORGCTL_REQUIRE_GREMLIN=1. Each worker of a test run that needs a server has its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest
from gremlin_python.process.anonymous_traversal import traversal
from gremlin_python.structure.graph import Graph as Anywhere

from handlers.lineage.errors import GraphError
from handlers.lineage.gremlin.connection import Connection
from handlers.lineage.gremlin.graph import GremlinGraph, connect
from handlers.lineage.gremlin.storage import Form

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "tests" / "gremlin-server"
BUILD = ROOT / "build" / "gremlin-server"
SPARES = 8
LOG = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
QUICK = ("-XX:TieredStopAtLevel=1", "-Xmx512m")
"""Starts in half the time; what runs for long is slower, which is not what tests do."""
MAIN = "org.apache.tinkerpop.gremlin.server.GremlinServer"
g: Any = traversal().with_graph(Anywhere())


class GremlinServer:
    """A server that can be killed and started again on the same port; what is in it is in memory only."""

    def __init__(self, jars: Path, folder: Path, flags: Sequence[str] = QUICK) -> None:
        self._jars, self._folder, self._flags = jars, folder, flags
        self.port = _free_port()
        self.url = f"ws://127.0.0.1:{self.port}/gremlin"
        self._process: subprocess.Popen[bytes] | None = None
        self._spares = count()
        for each in CONFIGURATION.iterdir():
            shutil.copy(each, folder)
        settings = (CONFIGURATION / "server.yaml").read_text(encoding="utf-8")
        (folder / "server.yaml").write_text(settings.replace("port: 8182", f"port: {self.port}"), encoding="utf-8")

    def start(self, patience: float = 90) -> None:
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                ["java", LOG, *self._flags, "-cp", f"{self._jars}/*", MAIN, "server.yaml"],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + patience
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self._folder / "log.txt").read_text(encoding="utf-8")
                raise RuntimeError(f"the Gremlin Server does not start: {said[-4000:]}")
            time.sleep(0.1)

    def stop(self, how: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the Gremlin Server does not run")
        return self._process.pid

    def run(self, asked: Any, source: str = "g") -> list[Any]:
        """Answer what a bare traversal gives."""
        with closing(Connection(self.url, dict, source=source, attempts=1)) as connection:
            return connection.run(asked)

    def empty(self, form: Form = Form.INJECTED, source: str | None = None, **more: Any) -> GremlinGraph:
        """Answer an empty graph. There are a few in turn: one answered before eight others is emptied again."""
        source = source or f"spare{next(self._spares) % SPARES}"
        self.run(g.V().drop(), source)
        return connect(self.url, source=source, form=form, **more)

    def _answers(self) -> bool:
        try:
            self.run(g.inject(1))
        except GraphError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _jars() -> Path:
    """Fetch the jars, unless they are there for this pom.xml; a reason not to have them is a RuntimeError."""
    for needed in ("mvn", "java"):
        if shutil.which(needed) is None:
            raise RuntimeError(f"`{needed}` is not installed")
    pom = CONFIGURATION / "pom.xml"
    jars, done = BUILD / "jars", BUILD / "pom.xml"
    BUILD.mkdir(parents=True, exist_ok=True)
    # One worker fetches; the others wait for it.
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_bytes() != pom.read_bytes():
            shutil.rmtree(jars, ignore_errors=True)
            asked = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
            fetched = subprocess.run(asked, capture_output=True, text=True, check=False)
            if fetched.returncode:
                raise RuntimeError(f"Maven cannot fetch the jars: {fetched.stdout[-2000:]}")
            shutil.copy(pom, done)
    return jars


def _absent(reason: str) -> NoReturn:
    if os.environ.get("ORGCTL_REQUIRE_GREMLIN") == "1":
        pytest.fail(f"no Gremlin Server, which is required here: {reason}")
    pytest.skip(f"no Gremlin Server: {reason}")


@contextmanager
def running(folder: Path, flags: Sequence[str] = QUICK) -> Iterator[GremlinServer]:
    """Run a server in a folder of its own; RuntimeError with the reason if it cannot be had."""
    server = GremlinServer(_jars(), folder, flags)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def gremlin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GremlinServer]:
    try:
        _jars()
    except RuntimeError as error:
        _absent(str(error))
    with running(tmp_path_factory.mktemp("gremlin-server")) as server:
        yield server
