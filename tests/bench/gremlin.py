"""How fast the Gremlin engine takes facts: beside the server's own rate, and beside one call for each vertex and edge.

`figures(server)` wants a server with all of Java's compilers: `tests.support.gremlin_server.running(folder, flags=())`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from gremlin_python.driver.client import Client
from gremlin_python.driver.serializer import GraphBinarySerializersV1
from gremlin_python.process.traversal import Direction, Merge, T

from handlers.lineage.gremlin.graph import GremlinGraph
from handlers.lineage.gremlin.storage import Form, properties_of, upsert
from handlers.lineage.gremlin.writer import quick_writer
from handlers.lineage.model import Batch, Fact, Relation, parts_of
from tests.support.gremlin_server import GremlinServer, g
from tests.support.lineage import fact, image, instance, note

BATCH = 200
FEW = 20
Row = tuple[str, float, str, str, str]
Prepare = Callable[[Sequence[Fact]], Callable[[], object]]
"""Makes ready what is to be timed."""


def figures(server: GremlinServer, rounds: int = 15) -> list[Row]:
    """Answer rows of (name, value, unit, target, how): medians of batches, after as many unmeasured."""
    for spare in ("spare6", "spare7"):
        server.run(g.V().drop(), spare)
    # What is the server's own is told apart from how fast a client writes: both write alike.
    written = GraphBinarySerializersV1(writer=quick_writer())
    with (
        closing(server.empty(Form.INJECTED)) as ours,
        closing(server.empty(Form.CHAINED)) as chained,
        closing(Client(server.url, "spare6", pool_size=1, message_serializer=written)) as bare,
        closing(Client(server.url, "spare7", pool_size=1)) as each,
    ):
        rates = _rates(
            {
                "ours": (_appended(ours), BATCH),
                "bare": (_bare(bare), BATCH),
                "each": (_one_by_one(each), FEW),
                "chained": (_appended(chained), BATCH),
            },
            rounds,
        )
    how = f"median of {rounds} batches of {BATCH} new facts, TinkerGraph in a Gremlin Server 3.7.3 on the same machine"
    bare_how = (
        "beside the driver's client sending the same mergeV and mergeE, made beforehand and written alike: "
        f"{rates['bare']:,.0f} facts/s"
    )
    each_how = f"beside one call for each vertex and edge: {rates['each']:,.0f} facts/s"
    return [
        ("gremlin_ingest", rates["ours"], "facts/s", "—", f"`append`, one call for a batch; {how}"),
        ("gremlin_ingest_to_bare", rates["ours"] / rates["bare"], "×", "≥ 0.7", bare_how),
        ("gremlin_ingest_to_one_by_one", rates["ours"] / rates["each"], "×", "≥ 20", each_how),
        ("gremlin_ingest_chained", rates["chained"], "facts/s", "—", f"the form that is for Neptune; {how}"),
    ]


def _rates(kinds: dict[str, tuple[Prepare, int]], rounds: int) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(-rounds, rounds):
        for name, (prepare, size) in kinds.items():
            add = prepare(_facts(number, size))
            began = time.perf_counter()
            add()
            if number >= 0:
                found[name].append(size / (time.perf_counter() - began))
    return {name: statistics.median(rates) for name, rates in found.items()}


def _facts(number: int, size: int) -> list[Fact]:
    """Answer what is said of images that are copied, noted and launched; no two batches share a fact."""
    made: list[Fact] = []
    for n in range(size // 5):
        name, at = f"{number + 1_000:06}-{n:03}", number * 1_000 + n
        tags = {"tag:Owner": "platform", "tag:Stage": "production"}
        made.append(note(image(name), at, name=f"al2023-{name}", state="available", owner="111122223333", **tags))
        made.append(fact(Relation.COPIED_FROM, image(name), image(f"golden-{n % 10}"), at, encrypted="yes"))
        made += [fact(Relation.LAUNCHED_FROM, instance(f"{name}-{i}"), image(name), at + i) for i in range(3)]
    return made


def _appended(graph: GremlinGraph) -> Prepare:
    return lambda facts: lambda: graph.append(Batch(tuple(facts)))


def _bare(client: Any) -> Prepare:
    def prepare(facts: Sequence[Fact]) -> Callable[[], object]:
        made = upsert(facts, {}, Form.INJECTED).bytecode
        return lambda: client.submit(made).all().result()

    return prepare


def _one_by_one(client: Any) -> Prepare:
    def prepare(facts: Sequence[Fact]) -> Callable[[], object]:
        made = []
        for each in facts:
            ids = [{T.id: key, T.label: parts_of(key).kind.value} for key in sorted({each.child, each.parent})]
            made += [g.merge_v(vertex).id_().bytecode for vertex in ids]
            ends = {Direction.from_: each.child, Direction.to: each.parent}
            edge = {T.id: each.id, T.label: each.relation.value, **ends}
            made.append(g.merge_e(edge).option(Merge.on_create, properties_of(each)).id_().bytecode)
        return lambda: [client.submit(each).all().result() for each in made]

    return prepare
