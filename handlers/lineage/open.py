"""Which engine a graph's URL means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Graph
from org.ids import Region

_NEPTUNE = re.compile(r".+\.(?P<region>[a-z]{2}(-[a-z]+)+-\d{1,2})\.neptune\.amazonaws\.com(\.cn)?")
"""A cluster's endpoint: https://docs.aws.amazon.com/neptune/latest/userguide/feature-overview-endpoints.html."""


def open_graph(url: str, *, create: bool = True, timeout: float = 60) -> Graph:
    """Open `sqlite:///path`, or `ws://` and `wss://` of a Gremlin server; GraphError for anything else.

    `wss://….neptune.amazonaws.com:8182/gremlin` is signed with the credentials of the environment. With `create` false
    a file that does not exist is an error. `timeout`: seconds for one call over the network.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc and parts.path not in {"", "/"}:
        from handlers.lineage.sqlite import SqliteGraph

        return SqliteGraph(Path(unquote(parts.path)), create=create)
    if parts.scheme in {"ws", "wss"} and parts.hostname:
        return _open_gremlin(url, parts.hostname, timeout)
    raise GraphError(url, "is no URL of a lineage graph", "give sqlite:///path, or ws:// or wss:// of a Gremlin server")


def _open_gremlin(url: str, host: str, timeout: float) -> Graph:
    from handlers.lineage.gremlin.graph import connect

    neptune = _NEPTUNE.fullmatch(host)
    if neptune is None:
        return connect(url, timeout=timeout)
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        raise GraphError(url, "no AWS credentials found for Neptune", "set AWS_PROFILE")
    return connect(url, found.get_frozen_credentials, Region(neptune["region"]), timeout=timeout)
