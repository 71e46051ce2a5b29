from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gremlin_python.process.traversal import Cardinality, Direction, T
from gremlin_python.statics import long

from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Search
from handlers.lineage.gremlin.bulk_load import write_bulk_load
from handlers.lineage.model import Batch, Kind, Place, Relation, Time, digest_of, key_of
from org.model import AccountId
from tests.support.gremlin_server import GremlinServer, g
from tests.support.lineage import ACCOUNT, REGION, fact, image, note

HEARD = {Place(ACCOUNT, REGION): Time(7), Place(AccountId("222233334444"), REGION): Time(1_790_000_000_000)}
STRANGE = 'a "quoted", text;\r\nof two lines\tand \\ é 🗝'
FACTS = [
    note(
        image("golden"), 1, name=STRANGE, **{"tag:cost, centre": "x", "tag:a:b": "", "tag:gone": None, "=1+1": "=1+1"}
    ),
    note(image("copy"), 2, name="copy"),
    fact(Relation.COPIED_FROM, image("copy"), image("golden"), 2, encrypted="yes"),
    fact(Relation.RESTORED_FROM, image("back"), key_of(Kind.OBJECT, f"bucket/{STRANGE}"), 3),
]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a file by the loader's rules: a column's header is `name:type`; an empty cell is nothing."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    reader = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
    header = next(reader)
    assert not any(char in name for name in header for char in " ,\r\n")
    made = {"String": str, "Int": int, "Long": lambda text: long(int(text))}
    for row in reader:
        assert len(row) == len(header)
        found: dict[str, Any] = {}
        for name, cell in zip(header, row, strict=True):
            column, _, type = name.partition(":")
            if cell:
                found[column] = cell if column.startswith("~") else made[type.removesuffix("(single)")](cell)
        yield found


def load(server: GremlinServer, source: str, paths: list[Path]) -> None:
    """Do what Neptune's loader does."""
    things, places, facts = paths
    for row in [*rows(things), *rows(places)]:
        made = g.add_v(row.pop("~label")).property(T.id, row.pop("~id"))
        for name, value in row.items():
            made = made.property(Cardinality.single, name, value)
        server.run(made.id_(), source)
    for row in rows(facts):
        ends = {Direction.from_: row.pop("~from"), Direction.to: row.pop("~to")}
        server.run(g.merge_e({T.id: row.pop("~id"), T.label: row.pop("~label"), **ends, **row}).id_(), source)


@pytest.mark.parametrize("compress", [False, True])
def test_what_the_loader_loads_is_the_graph_that_was_written(
    gremlin_server: GremlinServer, tmp_path: Path, compress: bool
) -> None:
    written, loaded = gremlin_server.empty(), gremlin_server.empty()
    written.append(Batch(tuple(FACTS), HEARD))
    paths = write_bulk_load(written.export, written.heard(), tmp_path, compress=compress)
    load(gremlin_server, loaded._connection._source, paths)
    assert list(loaded.export()) == list(written.export())
    assert digest_of((each.id for each in loaded.export()), loaded.heard()) == digest_of(
        (each.id for each in FACTS), HEARD
    )
    assert loaded.find(Search(Kind.IMAGE, equal=(("name", STRANGE), ("tag:a:b", "")))).keys == (image("golden"),)
    assert loaded.facts_into([image("golden")], [Relation.COPIED_FROM]) == [FACTS[2]]
    # What comes by event afterwards goes on where the loader ended.
    loaded.append(Batch((*FACTS, note(image("back"), 4, name="back")), {Place(ACCOUNT, REGION): Time(8)}))
    assert len(list(loaded.export())) == len(FACTS) + 1
    assert loaded.heard()[Place(ACCOUNT, REGION)] == 8
    written.close()
    loaded.close()


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_bulk_load(lambda: FACTS, HEARD, tmp_path / name, compress=True)
    one, two = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [each.read_bytes() for each in one] == [each.read_bytes() for each in two]
    assert [each.name for each in one] == ["facts.csv.gz", "places.csv.gz", "things.csv.gz"]


def test_each_thing_is_written_once(tmp_path: Path) -> None:
    things, *_ = write_bulk_load(lambda: [*FACTS, *FACTS], HEARD, tmp_path)
    ids = [row["~id"] for row in rows(things)]
    assert len(ids) == len(set(ids)) == 4


def test_a_fact_without_an_event_is_refused(tmp_path: Path) -> None:
    bad = replace(FACTS[2], evidence=replace(FACTS[2].evidence, event_id=""))
    with pytest.raises(GraphError, match="without an event"):
        write_bulk_load(lambda: [bad], {}, tmp_path)
