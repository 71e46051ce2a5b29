"""A synthetic history of any size, made by rule and told as a stream, and how fast questions to it are answered.

Everything about a thing follows from its number, so nothing is remembered while a history is told: the memory that it
takes does not grow with it. Ids look random, as AWS's do, so that an index gains nothing from the order.

The shape: a few bases; each other image is a copy of, or was built on a machine of, an older one, which tends to be
much older, so that few images have many descendants and most have none. On what edges are left over, machines run,
templates and groups point, and snapshots lie below.
"""

from __future__ import annotations

import statistics
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from itertools import islice
from typing import NamedTuple

from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Evidence, Fact, Key, Kind, Place, Relation, Source, Time, key_of, noted
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.descent import ancestors, descendants
from handlers.lineage.queries.frontiers import frontiers
from handlers.lineage.queries.impact import impact
from org.model import AccountId, Region

REGIONS = tuple(Region(name) for name in ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1"))
BEGINNING = 1_700_000_000_000
WORD = (1 << 64) - 1


class Sort(IntEnum):
    """What a number stands for; numbers count within their sort."""

    IMAGE = 0
    BUILDER = 1
    """The machine on which an image was built."""
    USER = 2
    """What an edge that is left over makes: a machine, a template's version, a group, or a snapshot."""


class Edge(NamedTuple):
    """Child and parent by their numbers."""

    relation: Relation
    child: tuple[Sort, int]
    parent: tuple[Sort, int]
    moment: int


@dataclass(frozen=True)
class History:
    """`images` and `edges` (at least twice as many) say how large; the same values make the same history."""

    images: int
    edges: int
    seed: int = 1
    accounts: int = 200
    bases: int = 20
    describe_all: bool = True
    """False: owner, name and state are said of images alone, so that there are hardly more facts than edges."""

    def mixed(self, number: int, salt: int) -> int:
        """Answer 64 bits that look random (splitmix64, https://prng.di.unimi.it/splitmix64.c)."""
        word = (number * 16 + salt + self.seed * 0x9E3779B97F4A7C15) & WORD
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
        return word ^ (word >> 31)

    def older(self, number: int, salt: int) -> int:
        """Answer an older image; the older, the likelier."""
        share = self.mixed(number, salt) / (WORD + 1)
        return int(number * share * share)

    def edges_in_order(self) -> Iterator[Edge]:
        """Answer all edges, parents before children."""
        left = self.edges - 2 * (self.images - self.bases)
        per_image, more = divmod(max(0, left), self.images)
        user = 0
        for number in range(self.images):
            moment = number * 4
            if number >= self.bases:
                yield from self._birth(number, moment)
            for _ in range(per_image + (number < more)):
                yield self._use(user, number, moment + 2)
                user += 1

    def _birth(self, number: int, moment: int) -> Iterator[Edge]:
        image, parent = (Sort.IMAGE, number), (Sort.IMAGE, self.older(number, 1))
        if self.mixed(number, 2) % 3:
            yield Edge(Relation.COPIED_FROM, image, parent, moment)
            yield Edge(Relation.LAUNCHED_FROM, (Sort.BUILDER, number), image, moment + 1)
        else:
            yield Edge(Relation.LAUNCHED_FROM, (Sort.BUILDER, number), parent, moment)
            yield Edge(Relation.CREATED_FROM, image, (Sort.BUILDER, number), moment + 1)

    def _use(self, user: int, number: int, moment: int) -> Edge:
        child = (Sort.USER, user)
        match self.kind_of_user(user):
            case Kind.SNAPSHOT:
                return Edge(Relation.DERIVED_FROM, child, (Sort.IMAGE, self.older(number, 3)), moment)
            case Kind.TEMPLATE_VERSION:
                return Edge(Relation.REFERENCES, child, (Sort.IMAGE, self.older(number, 4)), moment)
            case Kind.GROUP if user:
                return Edge(Relation.USES, child, (Sort.USER, (user - 1) // 10 * 10), moment)
        return Edge(Relation.LAUNCHED_FROM, child, (Sort.IMAGE, self.older(number, 5)), moment)

    def kind_of_user(self, user: int) -> Kind:
        """Answer the kind: of ten, one version, one group that uses it, one snapshot, and machines."""
        return {0: Kind.TEMPLATE_VERSION, 1: Kind.GROUP, 2: Kind.SNAPSHOT}.get(user % 10, Kind.INSTANCE)

    def key(self, thing: tuple[Sort, int]) -> Key:
        sort, number = thing
        mixed = self.mixed(number, 8 + sort)
        id, region = f"{mixed:017x}"[-17:], REGIONS[mixed % len(REGIONS)]
        match (
            Kind.IMAGE if sort is Sort.IMAGE else Kind.INSTANCE if sort is Sort.BUILDER else self.kind_of_user(number)
        ):
            case Kind.IMAGE:
                return key_of(Kind.IMAGE, f"ami-{id}", region)
            case Kind.SNAPSHOT:
                return key_of(Kind.SNAPSHOT, f"snap-{id}", region)
            case Kind.TEMPLATE_VERSION:
                return key_of(Kind.TEMPLATE_VERSION, f"lt-{id}:1", region)
            case Kind.GROUP:
                return key_of(Kind.GROUP, f"{self.account(thing)}/asg-{id}", region)
        return key_of(Kind.INSTANCE, f"i-{id}", region)

    def account(self, thing: tuple[Sort, int]) -> AccountId:
        return AccountId(f"{100_000_000_000 + self.mixed(thing[1], 12 + thing[0]) % self.accounts:012}")

    def facts(self) -> Iterator[Fact]:
        """Answer each edge as a fact, and once for each thing (or image alone) its owner, name and state."""
        for number in range(self.bases):
            yield self._noted((Sort.IMAGE, number), number * 4)
        for each in self.edges_in_order():
            yield Fact(
                each.relation, self.key(each.child), self.key(each.parent), self._evidence(each.child, each.moment)
            )
            if self._described(each):
                yield self._noted(each.child, each.moment)

    def _described(self, edge: Edge) -> bool:
        return self.describe_all or edge.child[0] is Sort.IMAGE

    def batches(self, size: int = 1_000) -> Iterator[Batch]:
        """Answer the facts, some at a time, as ingest would append them."""
        facts = self.facts()
        while some := tuple(islice(facts, size)):
            heard: dict[Place, Time] = {}
            for fact in some:
                place = Place(fact.evidence.account, fact.evidence.region)
                heard[place] = max(fact.evidence.time, heard.get(place, Time(0)))
            yield Batch(some, heard)

    def _noted(self, thing: tuple[Sort, int], moment: int) -> Fact:
        state = "available" if thing[0] is Sort.IMAGE else "running"
        said = {"owner": self.account(thing), "name": f"thing-{thing[1]}", "state": state}
        return noted(self.key(thing), self._evidence(thing, moment), said)

    def _evidence(self, thing: tuple[Sort, int], moment: int) -> Evidence:
        event = self.mixed(thing[1], 15 - thing[0])
        account, region = self.account(thing), REGIONS[event % len(REGIONS)]
        actor = f"arn:aws:iam::{account}:role/Builder"
        return Evidence(Source.CLOUDTRAIL, f"{event:032x}", Time(BEGINNING + moment * 1_000), account, region, actor)


class Adjacency:
    """The same edges as two arrays, and the bare breadth-first search over them: what the queries stand beside."""

    def __init__(self, history: History) -> None:
        self.history = history
        offsets = (0, history.images, 2 * history.images)
        self.children = array("q")
        self.parents = array("q")
        for each in history.edges_in_order():
            self.children.append(offsets[each.child[0]] + each.child[1])
            self.parents.append(offsets[each.parent[0]] + each.parent[1])
        self.below = _rows(self.parents, self.children, 2 * history.images + history.edges)
        self.above = _rows(self.children, self.parents, 2 * history.images + history.edges)

    def reach(self, start: int, *, down: bool, size: int = 100_000) -> int:
        """Answer how many things are reached, the start among them."""
        first, rows = self.below if down else self.above
        seen, frontier = {start}, [start]
        while frontier and len(seen) < size:
            following = []
            for node in frontier:
                for other in rows[first[node] : first[node + 1]]:
                    if other not in seen:
                        seen.add(other)
                        following.append(other)
            frontier = following
        return len(seen)


def _rows(froms: array[int], tos: array[int], nodes: int) -> tuple[array[int], array[int]]:
    first = array("q", bytes(8 * (nodes + 2)))
    for node in froms:
        first[node + 2] += 1
    for node in range(2, nodes + 2):
        first[node] += first[node - 1]
    rows = array("q", bytes(8 * len(froms)))
    for node, other in zip(froms, tos, strict=True):
        rows[first[node + 1]] = other
        first[node + 1] += 1
    return first, rows


class Timing(NamedTuple):
    """Seconds that answers of one size took: of the query, and of the bare search."""

    query: str
    things: str
    """`1-10`, `11-100`, …: by the size of the bare search's answer."""
    count: int
    p50: float
    p99: float
    bare_p50: float
    bare_p99: float


def measure_queries(graph: Graph, adjacency: Adjacency, each: int = 30, size: int = 100_000) -> list[Timing]:
    """Answer p50 and p99 of ancestors, descendants, impact and frontiers, by the size of the answer.

    Starts are images of which the history knows that as much comes of them; at most `each` for a size. Larger answers
    than `size` things are left out.
    """
    bounds, scope = Bounds(depth=100, size=size, per_parent=size), Scope()
    asked: dict[str, tuple[bool, Callable[[Key], object]]] = {
        "ancestors": (False, lambda key: ancestors(graph, key, scope, bounds)),
        "descendants": (True, lambda key: descendants(graph, key, scope, bounds)),
        "impact": (True, lambda key: impact(graph, key, scope, bounds)),
        "frontiers": (True, lambda key: frontiers(graph, key, scope, bounds)),
    }
    starts_by = {down: _starts(adjacency, down=down, each=each, size=size) for down in (False, True)}
    found: list[Timing] = []
    for query, (down, ask) in asked.items():
        for sizes, starts in sorted(starts_by[down].items()):
            keys = [adjacency.history.key((Sort.IMAGE, number)) for number in starts]
            taken = [_timed(partial(ask, key)) for key in keys]
            bare = [_timed(partial(adjacency.reach, number, down=down)) for number in starts]
            label = f"{10**sizes // 10 + 1 if sizes else 1:,}-{10**sizes:,}"
            found.append(Timing(query, label, len(starts), *_p50_p99(taken), *_p50_p99(bare)))
    return found


def _starts(adjacency: Adjacency, *, down: bool, each: int, size: int) -> dict[int, list[int]]:
    """Answer images by the power of ten of their answer's size."""
    history = adjacency.history
    starts: dict[int, list[int]] = {}
    # The first images have the large answers; of the rest, some here and there are enough.
    numbers = [*range(min(2_000, history.images)), *(history.mixed(n, 7) % history.images for n in range(2_000))]
    for number in dict.fromkeys(numbers):
        reached = adjacency.reach(number, down=down, size=size + 1)
        if reached <= size:
            power = len(str(reached - 1)) if reached > 1 else 0
            some = starts.setdefault(power, [])
            if len(some) < each:
                some.append(number)
    return starts


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _p50_p99(taken: list[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
