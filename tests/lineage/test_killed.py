"""The function is killed at every point of a batch, and the batch comes again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.ingest_events import take
from handlers.lineage.archive import EVENTS, archive_name
from handlers.lineage.ingest import ingest, rebuild
from handlers.lineage.model import Batch
from handlers.lineage.sqlite import SqliteGraph
from tests.lineage.test_ingest import MemoryArchive, digest, messages
from tests.support.lineage import MemoryGraph
from tests.support.lineage_events import all_events

BODIES = [json.dumps(event) for event in all_events()[:12]]


class FolderArchive:
    """Keeps each event as a file, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, body: str, shelf: str = EVENTS) -> None:
        path = self.folder / archive_name(body, shelf).replace("/", "+")
        draft = path.with_suffix(".draft")
        draft.write_text(body)
        draft.replace(path)

    def names(self) -> Iterator[str]:
        return iter(sorted(path.name for path in self.folder.glob("*.json")))

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingArchive(FolderArchive):
    """Dies before it keeps the event of this number."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder)
        self.left = number

    def keep(self, body: str, shelf: str = EVENTS) -> None:
        if not self.left:
            die()
        self.left -= 1
        super().keep(body, shelf)


class DyingGraph(SqliteGraph):
    """Dies at a statement of the transaction, or when all is written and nobody was told."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(path)
        self.left = number
        self._db.set_trace_callback(self._count)

    def _count(self, _: str) -> None:
        if not self.left:
            die()
        self.left -= 1

    def append(self, batch: Batch) -> None:
        super().append(batch)
        die()


def _run(folder: Path, where: str, number: int) -> None:
    archive = DyingArchive(folder, number) if where == "archive" else FolderArchive(folder)
    graph = DyingGraph(folder / "graph", number) if where == "graph" else SqliteGraph(folder / "graph")
    take(messages(*BODIES), archive, graph)


def killed(folder: Path, where: str, number: int) -> bool:
    # Not forked from here: a lock that another thread of the tests holds would be held in the child for ever.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(folder, where, number))
    process.start()
    process.join(120)
    if process.exitcode is None:
        process.kill()
        process.join()
        pytest.fail("it neither ended nor died")
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode != 0


@pytest.fixture(scope="module")
def whole() -> str:
    graph = MemoryGraph()
    ingest(BODIES, MemoryArchive(), graph)
    return digest(graph)


POINTS: list[Any] = [("archive", number) for number in (0, 1, 5, 11)]
POINTS += [("graph", number) for number in (0, 1, 2, 3, 5, 10, 20, 40, 60, 80, 100, 1_000_000)]


@pytest.mark.parametrize(("where", "number"), POINTS)
def test_a_batch_that_comes_again_after_a_kill_is_whole_and_single(
    tmp_path: Path, whole: str, where: str, number: int
) -> None:
    assert killed(tmp_path, where, number)
    archive, graph = FolderArchive(tmp_path), SqliteGraph(tmp_path / "graph")
    kept = len(list(graph.export()))
    assert take(messages(*BODIES), archive, graph) == {"batchItemFailures": []}
    assert kept in {0, len(list(graph.export()))}, "a part of a batch was there"
    assert digest(graph) == whole
    assert sorted(map(archive.read, archive.names())) == sorted(BODIES)
    graph.close()
    rebuilt = MemoryGraph()
    rebuild(archive, rebuilt)
    assert digest(rebuilt) == whole


def test_whatever_the_graph_holds_the_archive_holds(tmp_path: Path) -> None:
    assert killed(tmp_path, "graph", 1_000_000), "it dies when all is written"
    graph = SqliteGraph(tmp_path / "graph")
    assert list(graph.export())
    rebuilt = MemoryGraph()
    rebuild(FolderArchive(tmp_path), rebuilt)
    assert digest(rebuilt) == digest(graph)
    graph.close()
