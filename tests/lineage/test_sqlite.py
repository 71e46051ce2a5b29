"""The graph in a file: what it refuses, and that a batch is kept whole or not at all."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from handlers.lineage import sqlite as module
from handlers.lineage.errors import GraphError
from handlers.lineage.model import Batch, Relation, Time, digest_of
from handlers.lineage.sqlite import SqliteGraph
from tests.support.lineage import fact, image, instance, note

BATCH = Batch(tuple(fact(Relation.LAUNCHED_FROM, instance(str(n)), image("base"), n) for n in range(50)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lineage.sqlite"


def kept(path: Path) -> int:
    graph = SqliteGraph(path)
    try:
        return len(list(graph.export()))
    finally:
        graph.close()


def test_a_graph_that_must_be_there_is_not_made(path: Path) -> None:
    with pytest.raises(GraphError, match="there is no lineage graph; ingest events, or rebuild from the archive"):
        SqliteGraph(path, create=False)
    assert not path.exists()


def test_another_programs_file_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA application_id = 7")
    db.close()
    before = path.read_bytes()
    with pytest.raises(GraphError, match="this is another program's file; name another file"):
        SqliteGraph(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [True, False])
def test_a_database_that_nobody_has_marked_is_left_alone(path: Path, create: bool) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(GraphError, match=r"another program's file|holds no lineage graph"):
        SqliteGraph(path, create=create)
    assert path.read_bytes() == before


def test_a_question_makes_no_graph_of_an_empty_file(path: Path) -> None:
    path.touch()
    with pytest.raises(GraphError, match="it holds no lineage graph; name another file, or rebuild the graph"):
        SqliteGraph(path, create=False)
    assert path.read_bytes() == b""
    SqliteGraph(path).close()
    SqliteGraph(path, create=False).close()


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    SqliteGraph(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    with pytest.raises(GraphError, match="it is of version 2"):
        SqliteGraph(path)


def test_a_file_that_is_no_database_is_told(path: Path) -> None:
    path.write_text("not a database, but long enough to be asked what it is" * 100)
    with pytest.raises(GraphError, match="file is not a database; see that the file can be read and written"):
        SqliteGraph(path)


def test_a_batch_that_fails_is_kept_in_no_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = SqliteGraph(path)
    graph.append(Batch((note(image("base"), 1, name="base"),)))
    broken = Batch(BATCH.facts, {("a", "b"): "no time"})  # type: ignore[dict-item]
    with pytest.raises(GraphError, match="cannot be used"):
        graph.append(broken)
    assert [each.child for each in graph.export()] == [image("base")]
    graph.append(BATCH)
    assert len(list(graph.export())) == 51
    graph.close()


def test_a_full_disk_keeps_nothing_of_the_batch(path: Path) -> None:
    graph = SqliteGraph(path)
    graph._db.execute("PRAGMA max_page_count = 20")
    facts = [note(image(str(number)), number, name="x" * 500) for number in range(1_000)]
    graph.append(Batch(tuple(facts[:10])))
    with pytest.raises(GraphError, match="make room on the disk; nothing of the batch was kept"):
        graph.append(Batch(tuple(facts[10:])))
    assert len(list(graph.export())) == 10
    graph._db.execute("PRAGMA max_page_count = 1000000")
    graph.append(Batch(tuple(facts)))
    graph.close()
    assert kept(path) == 1_000


def test_a_reader_opens_the_graph_while_another_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.1)
    writer = SqliteGraph(path)
    with writer._transaction():
        assert kept(path) == 0
    writer.close()


def test_readers_see_whole_batches_while_another_process_writes(path: Path) -> None:
    SqliteGraph(path).close()
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=_write_batches, args=(path, 20))
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(kept(path) % 50)
    writer.join()
    assert writer.exitcode == 0
    assert seen == {0}
    assert kept(path) == 1_000


def _write_batches(path: Path, count: int) -> None:
    graph = SqliteGraph(path)
    for number in range(count):
        facts = (fact(Relation.LAUNCHED_FROM, instance(f"{number}-{n}"), image("base"), n) for n in range(50))
        graph.append(Batch(tuple(facts)))
    graph.close()


def test_two_writers_wait_for_one_another(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_batches, args=(path, 20)) for _ in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert [each.exitcode for each in writers] == [0, 0]
    assert kept(path) == 1_000, "both wrote the same"


def test_a_writer_killed_in_the_middle_leaves_whole_batches(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=_write_batches, args=(path, 100_000))
    writer.start()
    while not path.exists() or kept(path) < 100:
        assert writer.is_alive(), "else nobody would ever write"
        time.sleep(0.01)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert kept(path) % 50 == 0


def test_a_graph_is_found_again(path: Path) -> None:
    graph = SqliteGraph(path)
    graph.append(Batch(BATCH.facts, {}))
    before = digest_of((each.id for each in graph.export()), graph.heard())
    graph.close()
    graph = SqliteGraph(path, create=False)
    assert digest_of((each.id for each in graph.export()), graph.heard()) == before
    assert graph.facts_into([image("base")], [Relation.LAUNCHED_FROM], Time(0)) == []
    graph.close()
