"""What compliance is measured by: a hundred thousand images judged by every rule, from a SQLite graph.

Measured in a process of its own, so that the peak of memory is that of judging.
`python -m tests.bench.compliance 10000` measures that many images, and prints it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from handlers.lineage.compliance.assessment import assess, findings_of
from handlers.lineage.compliance.verdicts import Result
from handlers.lineage.graph import Found, Search
from handlers.lineage.model import Batch, Fact, Key, Kind, Relation, Time, noted
from handlers.lineage.queries.asking import Scope
from handlers.lineage.sqlite import SqliteGraph
from org.model import AccountId
from tests.bench.lineage_history import History, Sort
from tests.bench.memory import peak_mib
from tests.support.compliance import TAGS, settings

ROOT = Path(__file__).parents[2]
IMAGES = 100_000
AT_ONCE = 50_000
UNKNOWN_HERE = ("encryption", "scan_freshness", "maximum_age")
"""Rules about what this history does not tell; judging them takes next to nothing."""
Row = tuple[float, str, str, str]


class Counted(SqliteGraph):
    """Counts the questions that it is asked."""

    calls = 0

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        self.calls += 1
        return super().facts_of(children, relations, until)

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        self.calls += 1
        return super().facts_into(parents, relations, until, limit)

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        self.calls += 1
        return super().find(search, after, limit)


def measure_compliance() -> dict[str, Row]:
    """Judge a large organization in another process."""
    words = [sys.executable, "-m", "tests.bench.compliance", str(IMAGES)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return {name: (row[0], row[1], row[2], row[3]) for name, row in json.loads(done.stdout).items()}


def judge(images: int) -> dict[str, Row]:
    with TemporaryDirectory() as folder, closing(Counted(Path(folder) / "graph.sqlite", cache=512)) as graph:
        history = History(images, 3 * images, describe_all=True)
        for batch in history.batches(AT_ONCE):
            tagged = list(_tags(batch.facts))
            graph.append(Batch((*batch.facts, *tagged), batch.heard))
        before, graph.calls = peak_mib(), 0
        began, worked = time.perf_counter(), time.process_time()
        bases = sorted({history.account((Sort.IMAGE, number)) for number in range(history.bases)})
        rules = settings(trusted=tuple(bases), **{key: {"enabled": False} for key in UNKNOWN_HERE})
        found = assess(graph, rules, Scope(), Time(1_800_000_000_000))
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        findings = findings_of(found, rules, AccountId("555566667777"))
        together = time.perf_counter() - began
        instances = sum(each.thing.kind is Kind.INSTANCE for each in found.of)
        assert sum(each.thing.kind is Kind.IMAGE for each in found.of) <= images
        results = {result.value: sum(each.result is result for each in found.of) for result in Result}
        how = f"{images:,} images and {instances:,} instances, eight rules, SQLite, one thread; {results}"
        name = f"compliance_{images}_images"
        return {
            name: (seconds, "s", "—", f"from the graph to verdicts; {how}"),
            f"{name}_processor": (worked, "s", "—", f"of processor time, whatever else the machine does; {how}"),
            f"{name}_rate": (len(found.of) / seconds, "/s", "—", f"things; {how}"),
            f"{name}_findings": (together - seconds, "s", "—", f"from verdicts to {len(findings):,} findings"),
            f"{name}_calls": (graph.calls, "", "—", "questions to the graph"),
            f"{name}_memory": (peak_mib() - before, "MiB", "—", f"beyond the {before:,.0f} MiB held before; {how}"),
        }


def _tags(facts: Collection[Fact]) -> Iterator[Fact]:
    """Tag two images in three as they should be."""
    for fact in facts:
        if fact.relation is Relation.NOTED and fact.child.split("/", 3)[2] == "image" and hash_of(fact.child) % 3:
            yield noted(fact.child, fact.evidence, {**TAGS, "name": "golden-prod-1", "creation_method": "create"})


def hash_of(key: Key) -> int:
    return sum(key.encode())


if __name__ == "__main__":
    json.dump(judge(int(sys.argv[1])), sys.stdout)
