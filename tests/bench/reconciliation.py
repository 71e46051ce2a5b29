"""The reconciliation of 10,000 images in 50 accounts: calls beside the smallest number, time, and facts it adds.

AWS is a dictionary in the shapes of boto3 (`tests.support.ec2_answers`), so the time is ours alone: asking, describing,
and adding to a SQLite graph. The smallest number is counted from the world, not from what was called.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from handlers.lineage.events.heard import batch_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Place, Time
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.contradictions import contradictions
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile.memory import Memory
from handlers.lineage.reconcile.reader import read_place
from handlers.lineage.sqlite import SqliteGraph
from tests.support.ec2_answers import AMAZON, FakeEc2, image, instance, place

Row = tuple[float, str, str, str]
ACCOUNTS, IMAGES, INSTANCES, SHARED = 50, 200, 100, 5
"""Images, instances and images that are shared with a stranger: of each account."""
_BASES = 4
"""Public images from which an account copies."""
_BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = Time(1_795_000_000_000)
_HOUR = 3_600_000


@dataclass
class _Run:
    calls: int = 0
    facts: int = 0
    messages: int = 0
    seconds: float = 0.0


def world(number: int) -> FakeEc2:
    """One account: of five images one is a copy of a public one, three are made of instances, and one is registered."""
    account = f"{100_000_000_000 + number}"
    ec2 = FakeEc2(place(account))
    bases = [f"ami-base{each}" for each in range(_BASES)]
    ec2.put(*(image(base, OwnerId=AMAZON, ImageOwnerAlias="amazon", Public=True) for base in bases))
    for each in range(IMAGES):
        id, created = f"ami-{number:03d}{each:05d}", (_BEGAN + timedelta(minutes=each)).isoformat()
        said: dict[str, object] = {"OwnerId": account, "CreationDate": created}
        if each % 5 == 0:
            said |= {"SourceImageId": bases[each % _BASES], "SourceImageRegion": "eu-central-1"}
            ec2.ancestries[id] = [{"ImageId": id, "CreationDate": created, **said}]
        elif each % 5 != 4:
            copied = f"ami-{number:03d}{each - each % 5:05d}"
            said |= {
                "SourceImageId": copied,
                "SourceImageRegion": "eu-central-1",
                "SourceInstanceId": f"i-b{number}{each}",
            }
        if each < INSTANCES:
            said["LastLaunchedTime"] = created
        if each < SHARED:
            ec2.permissions[id] = [{"UserId": "999988887777"}]
        ec2.put(image(id, **said))
    for each in range(INSTANCES):
        ec2.put(instance(f"i-{number:03d}{each:05d}", f"ami-{number:03d}{each:05d}"))
    return ec2


def smallest(ec2: FakeEc2) -> int:
    """Answer the fewest calls that can tell all of an account, given what each call can tell at most."""
    own = [each for each in ec2.images.values() if each["OwnerId"] == ec2.place.account]
    foreign = {each["ImageId"] for each in ec2.images.values() if each["OwnerId"] != ec2.place.account}
    parents = {each["SourceImageId"] for each in own if each.get("SourceImageId")} & foreign
    used = {each["ImageId"] for each in ec2.instances.values()}
    used |= {each["ImageId"] for each in own if each.get("LastLaunchedTime")} | set(ec2.permissions)
    return (
        math.ceil(len(own) / 1_000)
        + math.ceil(len(ec2.instances) / 1_000)
        + math.ceil(len(foreign) / 200)
        + len(parents)
        + len(own)  # no call tells the launch permissions of two images
        + math.ceil(len(used) / 10)
        + len(ec2.permissions)  # a usage report is of one image
    )


def measure_reconciliation(say: Callable[[str], None] = lambda _: None) -> dict[str, Row]:
    """Read all accounts twice, and ask what contradicts itself."""
    worlds = [world(number) for number in range(ACCOUNTS)]
    memories: dict[Place, Memory] = {}
    with TemporaryDirectory() as folder:
        graph = SqliteGraph(Path(folder) / "lineage.sqlite")
        first = _read_all(worlds, memories, graph, NOW)
        second = _read_all(worlds, memories, graph, Time(NOW + _HOUR))
        began = time.perf_counter()
        found = contradictions(graph, Scope(now=Time(NOW + 2 * _HOUR)), Bounds(size=100_000))
        judged = time.perf_counter() - began
        graph.close()
    floor = sum(map(smallest, worlds))
    # Images, instances, and whether the usage reports are there that the first reading asked for.
    again = 3 * ACCOUNTS
    size = f"{ACCOUNTS * IMAGES:,} images and {ACCOUNTS * INSTANCES:,} instances in {ACCOUNTS} accounts"
    say(f"reconciliation: {size}, {first.calls:,} calls, {first.facts:,} facts")
    how = f"one run; {size}, AWS a dictionary, SQLite"
    return {
        "reconciliation_first_calls": (first.calls, "", f"{floor:,}, the smallest number", how),
        "reconciliation_first_seconds": (first.seconds, "s", "none given", f"{how}: asked, described and added"),
        "reconciliation_first_facts": (first.facts, "", "—", f"in {first.messages:,} messages"),
        "reconciliation_second_calls": (
            second.calls,
            "",
            f"{again:,}, the smallest number",
            "an hour later, nothing new",
        ),
        "reconciliation_second_seconds": (second.seconds, "s", "none given", how),
        "reconciliation_second_facts": (second.facts, "", f"{ACCOUNTS:,}", "one for each place: that it was read"),
        "contradictions_seconds": (judged, "s", "none given", f"{found.examined:,} things, {len(found.found):,} found"),
    }


def _read_all(worlds: list[FakeEc2], memories: dict[Place, Memory], graph: Graph, now: Time) -> _Run:
    run, before, began = _Run(), _count(graph), time.perf_counter()
    for ec2 in worlds:
        found = read_place(ec2, ec2.place, memories.get(ec2.place), now)
        assert not found.refused
        memories[ec2.place] = found.memory
        graph.append(batch_of(map(parse_reading, found.messages)))
        run.calls += found.calls.total()
        run.messages += len(found.messages)
    run.seconds = time.perf_counter() - began
    run.facts = _count(graph) - before
    return run


def _count(graph: Graph) -> int:
    return sum(1 for _ in graph.export())
