"""A small history, with ids as EC2 gives them, and the API over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.lineage.api.desk import Means
from handlers.lineage.graph import Graph
from handlers.lineage.sqlite import SqliteGraph
from tests.support.lineage_api import means_for, with_ec2_ids
from tests.support.lineage_story import story


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    graph = SqliteGraph(tmp_path / "graph.sqlite")
    graph.append(with_ec2_ids(story()))
    yield graph
    graph.close()


@pytest.fixture
def means(graph: Graph) -> Means:
    return means_for(graph)
