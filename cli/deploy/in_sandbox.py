"""What a deployment has besides in the sandbox: a file in place of the cluster, which no other sandbox wrote."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

from cli.deploy.lineage import Deployed, Deployment, Foreseen, put_everywhere
from cli.deploy.place import Place
from cli.settings import state_directory
from org.gateway.connection import Connection

_GRAPH, _INGEST = "lineage.sqlite", "lineage-ingest"
_POLL_SECONDS = 0.02


def graph_file() -> Path:
    """Where the sandbox's functions keep the graph."""
    return state_directory() / _GRAPH


def graph_url(path: Path) -> str:
    return f"sqlite://{quote(str(path.absolute()))}"


def sleep(_: float) -> None:
    """Wait as long as the sandbox is worth waiting for: it works at each poll."""
    time.sleep(_POLL_SECONDS)


def begin_anew(foreseen: tuple[Foreseen, ...], endpoint: str, graph: Path) -> None:
    """Put the graph of a sandbox that is gone aside, and forget the events that nobody heard.

    A graph is of another sandbox if the stack that writes to it is not there yet.
    """
    from org.sandbox.scenarios.control import Control

    if any(each.step.stack.name == _INGEST and each.difference.is_new for each in foreseen):
        put_aside(graph)
        Control(endpoint).forget()


def put_aside(graph: Path) -> None:
    """Keep the graph of a sandbox that is gone, as `….old`, where no question finds it."""
    for end in ("", "-wal", "-shm"):
        old = graph.with_name(graph.name + end)
        if old.exists():
            old.replace(graph.with_name(f"{graph.name}.old{end}"))


def ensure_deployed(connection: Connection, place: Place, graph: Path) -> Deployed | None:
    """Deploy the lineage account where it is missing or old; None where there is nothing to do."""
    deployment = Deployment(connection, place, sleep, graph_url=graph_url(graph))
    deployment.prepare()
    foreseen = deployment.preview()
    if all(each.difference.is_nothing for each in foreseen):
        return None
    begin_anew(foreseen, str(connection.endpoint_url), graph)
    put_everywhere(connection, place, sleep)
    return deployment.run()
