"""How fast the lineage API answers: each endpoint over a graph of a hundred thousand images, in one process.

From the event that API Gateway hands to the function to the answer that it hands back, SQLite below: what the API
itself takes, without the network to Neptune. `python -m tests.bench.lineage_api` prints it.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from handlers.lineage.api import app as api_app
from handlers.lineage.api.app import answer
from handlers.lineage.api.desk import Means
from handlers.lineage.api.judging import Rules
from handlers.lineage.model import Key, parts_of
from handlers.lineage.queries.places import known_scope
from handlers.lineage.settings import Settings
from handlers.lineage.sqlite import SqliteGraph
from tests.bench.lineage_history import History, Sort
from tests.support.lineage_api import Context, event_for, means_for

IMAGES = 100_000
EACH = 200
"""Requests of each endpoint, about other images each: a p99 of fewer would be the slowest alone."""
Row = tuple[float, str, str, str]
Asked = tuple[str, str, list[tuple[str, str]], dict[str, Any] | None]
RULES = '{"organization":"o-abcdefghij","home_region":"us-east-1","regions":["us-east-1"],"external_id":"a-b-c",\
"trusted_owners":["amazon"]}'


def measure_api(say: Callable[[str], object], images: int = IMAGES, each: int = EACH) -> dict[str, Row]:
    """Measure p50 and p99 of each endpoint, requests a second of the most frequent, and the import of the function."""
    found: dict[str, Row] = {}
    api_app.logger.setLevel(logging.ERROR)
    with TemporaryDirectory() as folder, closing(SqliteGraph(Path(folder) / "graph.sqlite")) as graph:
        history = History(images, 5 * images, describe_all=False)
        for batch in history.batches(50_000):
            graph.append(batch)
        say(f"{images:,} images are loaded")
        means = means_for(
            graph,
            clock=time.monotonic,
            judge=Rules(Settings.model_validate_json(RULES)),
            scope_of=lambda graph, now: known_scope(graph, now, None),
        )
        how = f"{each} requests, each about another of {images:,} images (few of which have many descendants); SQLite"
        for name, asked in _endpoints(history, each).items():
            found |= _rows(name, [_timed(means, one) for one in asked], how)
    return found


def _endpoints(history: History, each: int) -> dict[str, list[Asked]]:
    keys = [history.key((Sort.IMAGE, history.mixed(n, 7) % history.images)) for n in range(each)]
    built = history.images - history.bases
    machines = [history.key((Sort.BUILDER, history.bases + history.mixed(n, 6) % built)) for n in range(each)]
    found: dict[str, list[Asked]] = {
        "security_context": [_get(f"/ami/{_name(key)}/security-context", region=_region(key)) for key in keys],
        "ami_lineage": [_get(f"/ami/{_name(key)}/lineage", region=_region(key)) for key in keys],
        "security_impact": [_post("/security-impact", ami_id=_name(key), region=_region(key)) for key in keys],
        "compliance_assessment_500_images": [
            _post("/compliance-assessment", scope="ACCOUNT", account_id=history.account((Sort.IMAGE, number)))
            for number in range(min(each, 20))
        ],
        "ami_search": [_post("/ami/search", filters={"account_id": _account(history, n)}) for n in range(each)],
        "search_name": [
            _get("/lineage/search", kind="image", name_contains=f"thing-{n}") for n in range(min(each, 50))
        ],
        "show_without_region": [_get("/lineage/show", id=_name(key)) for key in keys],
        "root": [_get("/lineage/root", id=str(key)) for key in machines],
        "coverage_10000_things": [_get("/lineage/coverage") for _ in range(min(each, 10))],
        "contradictions_1000_things": [_get("/lineage/contradictions") for _ in range(min(each, 10))],
    }
    for question in ("show", "ancestors", "descendants", "impact", "frontiers", "smallest", "verify"):
        found[question] = [_get(f"/lineage/{question}", id=str(key)) for key in keys]
    found["evidence"] = [_get("/lineage/evidence", id=str(key), attribute="state") for key in keys]
    return found


def _rows(name: str, taken: list[float], how: str) -> dict[str, Row]:
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    told = how if len(taken) == EACH else how.replace(f"{EACH} requests", f"{len(taken)} requests")
    return {
        f"lineage_api_{name}_p50": (statistics.median(ordered) * 1000, "ms", "—", told),
        f"lineage_api_{name}_p99": (p99 * 1000, "ms", "—", told),
        f"lineage_api_{name}_rate": (len(taken) / sum(taken), "/s", "—", f"one after another; {told}"),
    }


def _timed(means: Means, asked: Asked) -> float:
    method, path, query, body = asked
    event = event_for(method, f"/api/v1{path}", query, None if body is None else json.dumps(body))
    began = time.perf_counter()
    answered = answer(event, Context(), means)  # type: ignore[arg-type]  # what Lambda gives has more
    taken = time.perf_counter() - began
    if answered["statusCode"] != 200:
        raise AssertionError(f"{path} {query} {body}: {answered['body'][:500]}")
    return taken


def _get(path: str, **query: str) -> Asked:
    return "GET", path, list(query.items()), None


def _post(path: str, **body: Any) -> Asked:
    return "POST", path, [], body


def _name(key: Key) -> str:
    return parts_of(key).name


def _region(key: Key) -> str:
    return str(parts_of(key).region)


def _account(history: History, number: int) -> str:
    return str(history.account((Sort.IMAGE, number)))


def _print(images: int) -> Iterator[str]:
    for name, (value, unit, target, _) in measure_api(sys.stderr.write, images).items():
        yield f"{name:<52} {value:>12,.2f} {unit:<3} target: {target}"


if __name__ == "__main__":
    for line in _print(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES):
        sys.stdout.write(line + "\n")
