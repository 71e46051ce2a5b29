"""What the lineage graph is measured by: ingest, large graphs on both engines, stacked diamonds, the page, the bundle.

Each large graph is made and asked in a process of its own, so that the peak of memory is that of the load.
`python -m tests.bench.lineage sqlite 10000` measures one of that many images alone, and prints it as JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from handlers.lineage.events.parse import parse_event
from handlers.lineage.graph import Graph
from handlers.lineage.gremlin.graph import connect
from handlers.lineage.ingest import add
from handlers.lineage.model import Batch, Relation
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.sqlite import SqliteGraph
from tests.bench import gremlin
from tests.bench.functions import measure_functions
from tests.bench.lineage_events import event_texts
from tests.bench.lineage_history import Adjacency, History, measure_queries
from tests.bench.memory import peak_mib
from tests.support.gremlin_server import GremlinServer, running
from tests.support.lineage import fact, image

ROOT = Path(__file__).parents[2]
AT_ONCE = 100
"""Events in one batch, as the function gets them from its queue."""
Row = tuple[float, str, str, str]
"""Value, unit, target, how."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a large graph: there are five edges for each image; at most `each` questions for a size of answer."""

    images: int
    facts_at_once: int
    each: int
    largest: int = 10_000


SIZES = {"sqlite": Size(1_000_000, 50_000, 15), "gremlin": Size(100_000, 1_000, 3)}


def measure_ingest(say: Callable[[str], object]) -> dict[str, Row]:
    """Measure what the function does with a batch, less the archive; and Gremlin's writing by itself."""
    how = f"from JSON text to what is kept, {AT_ONCE} events to a batch, one thread, without the archive; median of"
    with TemporaryDirectory() as folder, closing(SqliteGraph(Path(folder) / "graph.sqlite")) as graph:
        rate = _ingest_rate(graph, rounds=60)
    found: dict[str, Row] = {"ingest_events_per_second_sqlite": (rate, "/s", "—", f"{how} 60 batches, a commit each")}
    try:
        with _server() as server:
            with closing(server.empty()) as there:
                rate = _ingest_rate(there, rounds=40)
            found["ingest_events_per_second_gremlin"] = (rate, "/s", "—", f"{how} 40 batches, after as many unmeasured")
            for name, value, unit, target, told in gremlin.figures(server):
                found[_NAMES[name]] = (value, unit, target, told)
    except RuntimeError as missing:
        say(f"Gremlin not measured: {missing}")
    return found


_NAMES = {
    "gremlin_ingest": "ingest_facts_per_second_gremlin",
    "gremlin_ingest_to_bare": "ingest_facts_per_second_gremlin_of_bare",
    "gremlin_ingest_to_one_by_one": "ingest_facts_per_second_gremlin_of_one_call_each",
    "gremlin_ingest_chained": "ingest_facts_per_second_gremlin_chained",
}


def _ingest_rate(graph: Graph, rounds: int) -> float:
    rates = []
    for number in range(2 * rounds):
        texts = event_texts(number * AT_ONCE, AT_ONCE)
        began = time.perf_counter()
        add([parse_event(text) for text in texts], graph)
        rates.append(AT_ONCE / (time.perf_counter() - began))
    return statistics.median(rates[rounds:])


def measure_large(say: Callable[[str], object]) -> dict[str, Row]:
    """Load a large graph into each engine, and ask it."""
    found: dict[str, Row] = {}
    for engine, size in SIZES.items():
        words = [sys.executable, "-m", "tests.bench.lineage", engine, str(size.images)]
        done = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        if done.returncode == _MISSING:
            say(f"a large graph in Gremlin not measured: {done.stdout.strip()}")
            continue
        done.check_returncode()
        found |= {name: (row[0], row[1], row[2], row[3]) for name, row in json.loads(done.stdout).items()}
    return found


_MISSING = 3


def measure_diamonds(say: Callable[[str], object]) -> dict[str, Row]:
    """Walk 40 stacked diamonds, of which there are 2^40 ways from end to end."""
    how = "40 diamonds upon one another, 121 things, 160 edges; median of 5"
    with TemporaryDirectory() as folder, closing(SqliteGraph(Path(folder) / "graph.sqlite")) as graph:
        found = _diamonds("sqlite", graph, how)
    try:
        with _server() as server, closing(server.empty()) as there:
            found |= _diamonds("gremlin", there, how)
    except RuntimeError as missing:
        say(f"diamonds in Gremlin not measured: {missing}")
    return found


def _diamonds(engine: str, graph: Graph, how: str, count: int = 40) -> dict[str, Row]:
    facts = []
    for n in range(count):
        top, bottom = image(f"{n:03}"), image(f"{n + 1:03}")
        for side in (image(f"{n:03}-left"), image(f"{n:03}-right")):
            facts.append(fact(Relation.COPIED_FROM, side, top, 4 * n))
            facts.append(fact(Relation.DERIVED_FROM, bottom, side, 4 * n + 1))
    graph.append(Batch(tuple(facts)))
    bounds, scope, first, last = Bounds(depth=100), Scope(), image("000"), image(f"{count:03}")
    reached = 3 * count + 1
    assert len(ancestors(graph, last, scope, bounds).things) == reached
    assert len(descendants(graph, first, scope, bounds).things) == reached
    up = _median(lambda: ancestors(graph, last, scope, bounds), 5)
    down = _median(lambda: descendants(graph, first, scope, bounds), 5)
    return {
        f"diamonds_40_{engine}_up": (up, "s", "—", f"ancestors; {how}"),
        f"diamonds_40_{engine}_down": (down, "s", "—", f"descendants; {how}"),
    }


def measure_drawing(say: Callable[[str], object]) -> dict[str, Row]:
    from tests.bench.page import measure_page

    page = measure_page()
    if isinstance(page, str):
        say(f"the page not measured: {page}")
        return {}
    how = "2,000 things and their hops in headless Chromium"
    return {
        "page_2000_things_drawn": (page.rendered, "s", "< 2", f"opened from a file to drawn, median of 7; {how}"),
        "page_2000_things_drawn_first": (page.first, "s", "—", f"the first opening of a new browser; {how}"),
        "page_2000_things_computed": (page.computed, "s", "—", f"the page's thread alone; {how}"),
        "page_2000_things_written": (page.written, "s", "—", "from the picture to the text of the page"),
        "page_2000_things_size": (page.size, "MiB", "—", "the library in it included"),
    }


MEASURES = (measure_ingest, measure_large, measure_diamonds, measure_drawing, measure_functions)


def _median(run: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


@contextmanager
def _server() -> Iterator[GremlinServer]:
    """With all of Java's compilers, and the memory that a large graph needs."""
    with TemporaryDirectory() as folder, running(Path(folder), ("-Xmx6g",)) as server:
        yield server


def large(engine: str, images: int) -> dict[str, Row]:
    """Load and ask one graph, in this process."""
    size = SIZES[engine]
    history = History(images, 5 * images, describe_all=False)
    with ExitStack() as stack:
        peak: Callable[[], float] = peak_mib
        graph: Graph
        if engine == "sqlite":
            path = Path(stack.enter_context(TemporaryDirectory())) / "graph.sqlite"
            graph = stack.enter_context(closing(SqliteGraph(path, cache=2_048)))
            memory = "the most that the loading process held"
        else:
            server = stack.enter_context(_server())
            graph = stack.enter_context(closing(connect(server.url)))
            peak = partial(peak_mib, server.pid)
            memory = "the most that the server held, its heap at most 6 GiB"
        seconds, facts = _load(graph, history, size.facts_at_once)
        name = f"lineage_{engine}_{images}_images"
        how = f"{images:,} images, {5 * images:,} edges, {facts:,} facts; `append` of {size.facts_at_once:,} at a time"
        found: dict[str, Row] = {
            f"{name}_load": (seconds, "s", "—", f"{how}; without making them up"),
            f"{name}_load_rate": (facts / seconds, "/s", "—", f"facts; {how}"),
            f"{name}_peak_memory": (peak(), "MiB", "—", f"{memory}; {how}"),
        }
        if engine == "sqlite":
            kept = sum(each.stat().st_size for each in path.parent.iterdir())
            found[f"{name}_file_size"] = (kept / 2**20, "MiB", "—", f"the file and its log; {how}")
        for each in measure_queries(graph, Adjacency(history), size.each, size.largest):
            asked = f"lineage_{engine}_{each.query}_{each.things.replace(',', '')}"
            told = f"{each.count} starts whose answers have {each.things} things; {images:,} images"
            bare = "the bare breadth-first search over two arrays in memory, of the same starts"
            found[f"{asked}_p50"] = (each.p50 * 1000, "ms", "—", told)
            found[f"{asked}_p99"] = (each.p99 * 1000, "ms", "—", told)
            found[f"{asked}_bare_p50"] = (each.bare_p50 * 1000, "ms", "—", bare)
    return found


def _load(graph: Graph, history: History, at_once: int) -> tuple[float, int]:
    seconds, facts = 0.0, 0
    for batch in history.batches(at_once):
        began = time.perf_counter()
        graph.append(batch)
        seconds += time.perf_counter() - began
        facts += len(batch.facts)
    return seconds, facts


def main(engine: str, images: str) -> int:
    try:
        found: Any = large(engine, int(images))
    except RuntimeError as missing:
        sys.stdout.write(str(missing))
        return _MISSING
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
