"""The graph interface on a Gremlin engine, in the part of Gremlin that Neptune 1.4 and TinkerPop 3.7 share.

That is: ids are strings, cardinality is said, no lambdas, no scripts, and no query is made of strings.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from gremlin_python.process.graph_traversal import __
from gremlin_python.process.traversal import P, T, TextP
from gremlin_python.statics import long

from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Found, Search
from handlers.lineage.gremlin.connection import Connection
from handlers.lineage.gremlin.signing import Credentials, signed_headers
from handlers.lineage.gremlin.storage import (
    EVENT,
    FACT,
    HEARD,
    LAST,
    MOST_FACTS,
    MOST_PLACES,
    REGION,
    SHELF,
    SHELVES,
    TIME,
    Form,
    g,
    passage,
    place_from,
    property_of,
    read_fact,
    searchable,
    upsert,
)
from handlers.lineage.model import Batch, Fact, Key, Place, Relation, Time
from org.ids import Region

FACTS_PER_CALL = 200
KEYS_PER_CALL = 500
FACTS_PER_PAGE = 20_000

Each = TypeVar("Each")


def connect(
    url: str,
    credentials: Credentials | None = None,
    region: Region | None = None,
    *,
    source: str = "g",
    form: Form | None = None,
    facts_per_call: int = FACTS_PER_CALL,
    timeout: float = 60,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], object] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> GremlinGraph:
    """Answer the graph at `wss://<Neptune>:8182/gremlin` or `ws://<Gremlin Server>:8182/gremlin`, opening nothing yet.

    With credentials every connection is signed anew for Neptune with IAM authentication. `timeout`: seconds for one
    call. GraphError if the URL is of another kind, or if a signature would travel in the clear.
    """
    scheme = urlsplit(url).scheme
    if scheme not in {"ws", "wss"} or not urlsplit(url).hostname:
        raise GraphError(url, "no address of a Gremlin engine", "give wss://<host>:8182/gremlin")
    if credentials is not None and (scheme != "wss" or region is None):
        raise GraphError(url, "a signature needs wss:// and a Region", "give both, or no credentials")

    def headers() -> Mapping[str, str]:
        if credentials is None or region is None:
            return {}
        return signed_headers(url, region, credentials(), now())

    connection = Connection(url, headers, source=source, timeout=timeout, sleep=sleep, chance=chance)
    return GremlinGraph(connection, form or (Form.CHAINED if scheme == "wss" else Form.INJECTED), facts_per_call)


class GremlinGraph:
    """Facts as edges; see `storage`. One connection: for more at a time take more graphs."""

    def __init__(self, connection: Connection, form: Form, facts_per_call: int = FACTS_PER_CALL) -> None:
        self._connection, self._form = connection, form
        self._facts_per_call = min(facts_per_call, MOST_FACTS) if form is Form.CHAINED else facts_per_call

    def append(self, batch: Batch) -> None:
        """Add facts in one call for each `facts_per_call` of them; a call adds all or nothing.

        What was heard goes with the last facts: it never says more than what is there. Should a later call fail, the
        whole batch is to be sent again, and what is there already stays as it is.
        """
        facts = sorted({fact.id: fact for fact in batch.facts}.values(), key=lambda fact: fact.id)
        portions = list(_in_portions(facts, self._facts_per_call))
        heard = list(_in_portions(sorted(batch.heard.items()), MOST_PLACES))
        for portion in portions[:-1]:
            self._connection.run(upsert(portion, {}, self._form))
        if portions or heard:
            self._connection.run(upsert(portions[-1] if portions else [], dict(heard[0] if heard else ()), self._form))
        for places in heard[1:]:
            self._connection.run(upsert([], dict(places), self._form))

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        labels = [relation.value for relation in relations]
        # No ids would mean all vertices, no labels all edges.
        found = []
        for keys in _in_portions(sorted(set(children)) if labels else [], KEYS_PER_CALL):
            found += self._facts(_until(g.V(*keys).out_e(*labels), until))
        return sorted(found, key=lambda fact: (fact.child, *fact.order, fact.id))

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        _check(limit)
        labels = [relation.value for relation in relations if relation is not Relation.NOTED]
        found: list[Fact] = []
        for keys in _in_portions(sorted(set(parents)) if labels else [], KEYS_PER_CALL):
            if len(found) < limit:
                edges = _until(g.V(*keys).in_e(*labels), until)
                ordered = edges.order().by(__.in_v().id_()).by(TIME).by(EVENT).by(T.id)
                found += self._facts(ordered.limit(limit - len(found)))
        return sorted(found, key=lambda fact: (fact.parent, *fact.order, fact.id))

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        _check(limit)
        things = g.V().has_label(search.kind.value)
        if search.region is not None:
            things = things.has(REGION, search.region)
        for name, value in search.equal:
            things = things.where(_said(property_of(name), searchable(value)) if value else _written(name, value))
        for name, part in search.containing:
            contains = TextP.containing(searchable(part))
            things = things.where(_said(property_of(name), contains) if part else _written(name))
        keys = things.id_()
        if after is not None:
            keys = keys.is_(P.gt(after))
        found = self._connection.run(keys.order().limit(limit + 1))
        return Found(tuple(Key(key) for key in found[:limit]), len(found) > limit)

    def export(self) -> Iterator[Fact]:
        """Answer all facts in the order of their ids, read in portions; of those that are added meanwhile, some."""
        facts = self._facts(g.E().limit(FACTS_PER_PAGE + 1))
        if len(facts) > FACTS_PER_PAGE:
            # Ids are hashes: each shelf has about as many as another.
            (total,) = self._connection.run(g.E().count())
            width = max(1, SHELVES * FACTS_PER_PAGE // total)
            for first in range(0, SHELVES, width):
                facts = self._facts(g.E().has(SHELF, P.between(first, first + width)))
                yield from sorted(facts, key=lambda fact: fact.id)
        else:
            yield from sorted(facts, key=lambda fact: fact.id)

    def heard(self) -> Mapping[Place, Time]:
        places = g.V().has_label(HEARD).project("id", LAST).by(T.id).by(LAST)
        return {place_from(each["id"]): Time(int(each[LAST])) for each in self._connection.run(places)}

    def give_up_in(self, seconds: float) -> None:
        """Have no call last longer than so many seconds from now, until another time is told."""
        self._connection.give_up_in(seconds)

    def close(self) -> None:
        self._connection.close()

    def _facts(self, edges: Any) -> list[Fact]:  # noqa: ANN401  gremlinpython has no types
        return [read_fact(each) for each in self._connection.run(edges.values(FACT))]


def _check(limit: int) -> None:
    if limit < 1:
        # To Gremlin, -1 is without limit.
        raise ValueError(f"a limit is at least 1, not {limit}")


def _until(edges: Any, until: Time | None) -> Any:  # noqa: ANN401
    return edges if until is None else edges.has(TIME, P.lte(long(until)))


def _said(name: str, value: object) -> Any:  # noqa: ANN401
    return __.out_e(Relation.NOTED.value).has(name, value)


def _written(name: str, value: str | None = None) -> Any:  # noqa: ANN401
    """What is empty has no property of its own (see `properties_of`): it is looked for in what is written."""
    return __.out_e(Relation.NOTED.value).has(FACT, TextP.containing(passage(name, value)))


def _in_portions(items: Sequence[Each], size: int) -> Iterator[Sequence[Each]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
