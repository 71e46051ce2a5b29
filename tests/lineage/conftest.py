"""Every engine, empty: what a test is told to hold on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers.lineage.graph import Graph
from handlers.lineage.gremlin.storage import Form
from handlers.lineage.sqlite import SqliteGraph
from tests.support.gremlin_server import gremlin_server
from tests.support.lineage import MemoryGraph

__all__ = ["gremlin_server"]

Empty = Callable[[], Graph]
"""Answers the engine, without a fact."""


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        *(pytest.param(form, id=f"gremlin, {form.value}") for form in Form),
    ]
)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Empty]:
    opened: list[Graph] = []

    def make() -> Graph:
        if request.param == "memory":
            graph: Graph = MemoryGraph()
        elif isinstance(request.param, Form):
            graph = request.getfixturevalue("gremlin_server").empty(request.param)
        else:
            graph = SqliteGraph(tmp_path / f"lineage-{len(opened)}.sqlite")
        opened.append(graph)
        return graph

    yield make
    for graph in opened:
        graph.close()


@pytest.fixture
def graph(empty: Empty) -> Graph:
    return empty()
