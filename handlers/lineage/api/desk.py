"""What a request is answered with: the graph, only read, and only while there is time; and what is known besides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Found, Graph, Search
from handlers.lineage.model import Batch, Fact, Key, Place, Relation, Time
from handlers.lineage.queries.asking import Bounds, Scope
from org.ids import Region

if TYPE_CHECKING:
    from handlers.lineage.findings import Finding

LONGEST = 28.0
"""Seconds for a request: API Gateway waits 29 for a function, and then answers 504 itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""
MARGIN = 1.0
"""Seconds kept for writing the answer."""
TELLING = 4
"""Seconds that Security Hub may take to accept a finding."""
LOOKING = 0.6
"""The share of the time after which no walk or search goes further; the rest is for describing what it found."""


class OutOfTime(GraphError):
    """The time is up in the middle of an answer that has no form for half of it."""


@runtime_checkable
class Hurried(Protocol):
    """A graph over the network, which can be told when to give up a call that hangs."""

    def give_up_in(self, seconds: float) -> None: ...


class ScopeOf(Protocol):
    """Answers what is known of the organization, as of now."""

    def __call__(self, graph: Graph, now: Time) -> Scope: ...


class Publish(Protocol):
    """Tells Security Hub of one finding; OrgctlError if it does not take it."""

    def __call__(self, finding: Finding, now: Time) -> None: ...


@dataclass(frozen=True, slots=True)
class Tags:
    """Keys of the tags by which people say what they hold of an image."""

    approval: str = "ApprovalStatus"
    scan: str = "SecurityScan"
    environment: str = "Environment"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judging of a thing by a rule came to."""

    rule: str
    result: str
    """`compliant`, `non-compliant`, `not-evaluated` or `not-applicable`."""
    says: str


class Judge(Protocol):
    """Judges images by the organization's rules."""

    def named(self, names: Collection[str]) -> Mapping[str, str]:
        """Answer, by the names given, what the rules are called; BadQuery for a name that is none."""

    def judge(
        self, graph: Graph, keys: Collection[Key], scope: Scope, now: Time, rules: Collection[str] | None
    ) -> Mapping[Key, Sequence[Judged]]:
        """Judge by these rules, or by all that are applied."""


@dataclass(frozen=True)
class Means:
    """What outlives a request."""

    graph: Graph
    secret: bytes
    """Signs cursors."""
    now: Callable[[], Time]
    clock: Callable[[], float]
    """Seconds, ever rising."""
    scope_of: ScopeOf
    judge: Judge
    publish: Publish
    complain: Callable[[str, Exception], None]
    """Logs what the caller is told in general words."""
    account: str
    """The lineage account."""
    home_region: Region
    regions: tuple[Region, ...]
    """Those that are governed."""
    trusted: tuple[str, ...]
    """Owners of images that may be roots."""
    tags: Tags = field(default_factory=Tags)
    approved: tuple[str, str] | None = None
    """The tag and its value by which launches are let through; None: the usual ones."""


class Desk:
    """One request's view of the means: nothing is written, and nothing is read once the time is up."""

    def __init__(self, means: Means, seconds: float) -> None:
        """`seconds`: what the function has left."""
        self.means = means
        self.now = means.now()
        began = means.clock()
        usable = max(0.0, min(seconds, LONGEST) - MARGIN)
        self._look_until, self._until = began + usable * LOOKING, began + usable
        if isinstance(means.graph, Hurried):
            means.graph.give_up_in(usable)
        self.graph: Graph = TimedGraph(means.graph, lambda: self.left() <= 0)

    def left(self) -> float:
        """Answer the seconds until the answer must be written."""
        return self._until - self.means.clock()

    def late(self) -> bool:
        return self.means.clock() >= self._look_until

    def bounds(self, depth: int, size: int) -> Bounds:
        return Bounds(depth, size, late=self.late)

    @cached_property
    def scope(self) -> Scope:
        return self.means.scope_of(self.graph, self.now)


class TimedGraph:
    """Reads of another graph, as long as there is time: OutOfTime then."""

    def __init__(self, graph: Graph, over: Callable[[], bool]) -> None:
        self._graph, self._over = graph, over

    def _check(self) -> None:
        if self._over():
            raise OutOfTime("request", "the time for the answer is up", "ask for less, or again")

    def append(self, batch: Batch) -> None:  # noqa: ARG002 - the interface has it
        raise TypeError("the API only reads")

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        self._check()
        return self._graph.facts_of(children, relations, until)

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        self._check()
        return self._graph.facts_into(parents, relations, until, limit)

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        self._check()
        return self._graph.find(search, after, limit)

    def export(self) -> Iterator[Fact]:
        raise TypeError("the API answers questions, and not the whole graph")

    def heard(self) -> Mapping[Place, Time]:
        self._check()
        return self._graph.heard()

    def close(self) -> None:
        """Leave it open: it outlives the request."""
