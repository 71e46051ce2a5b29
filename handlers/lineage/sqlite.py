"""The graph in one SQLite file: the embedded engine, for organizations that need no Neptune, the sandbox and tests.

Reads and writes one file, and calls nothing. Any number of processes may read while one writes (WAL,
https://www.sqlite.org/wal.html); writers wait for one another.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from handlers.lineage.errors import GraphError
from handlers.lineage.graph import Found, Search
from handlers.lineage.model import (
    Attributes,
    Batch,
    Confidence,
    Evidence,
    Fact,
    Key,
    Place,
    Relation,
    Source,
    Time,
    parts_of,
)
from org.ids import AccountId, Region

APPLICATION = 0x6F726763
"""`orgc`, by which `file` and we tell such a file from others (https://www.sqlite.org/pragma.html)."""
VERSION = 1
CACHE = 256
WAIT = 30.0
"""Seconds that a writer waits for another."""

# What repeats (keys, origins) is kept once, beside the facts. `note` finds things by what is said of them.
SCHEMA = """
CREATE TABLE thing (
    n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, region TEXT NOT NULL
) STRICT;
CREATE TABLE origin (
    n INTEGER PRIMARY KEY, source TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, actor TEXT NOT NULL,
    confidence TEXT NOT NULL, UNIQUE (source, account, region, actor, confidence)
) STRICT;
CREATE TABLE fact (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, relation TEXT NOT NULL, child INTEGER NOT NULL REFERENCES thing,
    parent INTEGER NOT NULL REFERENCES thing, time INTEGER NOT NULL, event TEXT NOT NULL,
    origin INTEGER NOT NULL REFERENCES origin, attributes TEXT NOT NULL
) STRICT;
CREATE INDEX fact_of ON fact (child, time);
CREATE INDEX fact_into ON fact (parent, time) WHERE parent <> child;
CREATE INDEX thing_in_order ON thing (kind, key);
CREATE TABLE note (
    name TEXT NOT NULL, value TEXT NOT NULL, child INTEGER NOT NULL REFERENCES thing, PRIMARY KEY (name, value, child)
) STRICT, WITHOUT ROWID;
CREATE TABLE heard (
    account TEXT NOT NULL, region TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;
"""

SELECTED = """
SELECT fact.relation, child.key, parent.key, fact.origin, fact.event, fact.time, fact.attributes
FROM fact JOIN thing AS child ON child.n = fact.child JOIN thing AS parent ON parent.n = fact.parent
"""
_NAMED = "(SELECT value FROM json_each(:things))"
# A NOTED fact's parent is the thing itself: no child of it, and so not in the index by parent.
_FACTS_OF = f"""
{SELECTED} WHERE fact.child IN {_NAMED} AND fact.relation IN (SELECT value FROM json_each(:relations))
AND fact.time <= :until ORDER BY child.key, fact.time, fact.event, fact.id
"""  # noqa: S608 - put together from the constants above
_FACTS_INTO = f"""
{SELECTED} WHERE fact.parent IN {_NAMED} AND fact.parent <> fact.child
AND fact.relation IN (SELECT value FROM json_each(:relations))
AND fact.time <= :until ORDER BY parent.key, fact.time, fact.event, fact.id LIMIT :limit
"""  # noqa: S608 - put together from the constants above
_ALL = f"{SELECTED} ORDER BY fact.id"
_NUMBERS = "SELECT thing.key, thing.n FROM json_each(?) AS asked CROSS JOIN thing ON thing.key = asked.value"
_END_OF_TIME = 2**62
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_RELATIONS = {each.value: each for each in Relation}
_Row = tuple[str, str, str, int, str, int, str]


class _Origin(NamedTuple):
    """What many facts have in common: kept once."""

    source: Source
    account: AccountId
    region: Region
    actor: str
    confidence: Confidence


P = ParamSpec("P")
R = TypeVar("R")


def _told(method: Callable[Concatenate[SqliteGraph, P], R]) -> Callable[Concatenate[SqliteGraph, P], R]:
    """Raise what SQLite says as ours."""

    def asked(self: SqliteGraph, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except sqlite3.Error as error:
            raise GraphError(
                str(self.path), f"the lineage graph cannot be used: {error}", _what_to_do(error)
            ) from error

    asked.__doc__ = method.__doc__
    return asked


class SqliteGraph:
    """Implements `graph.Graph`; not to be shared among threads."""

    def __init__(self, path: Path, *, create: bool = True, cache: int = CACHE) -> None:
        """`cache`: the most memory for pages, in MiB; loading a large graph is slow if its indexes do not fit."""
        self.path = path
        self._cache = cache
        self._things: dict[Key, int] = {}
        self._origins: dict[tuple[str, ...], int] = {}
        self._known_origins: dict[int, _Origin] = {}
        self._open(create=create)

    @_told
    def _open(self, *, create: bool) -> None:
        if not create and not self.path.exists():
            raise GraphError(str(self.path), "there is no lineage graph", "ingest events, or rebuild from the archive")
        self._db = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
        try:
            self._prepare(create=create)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, *, create: bool) -> None:
        version = self._version()
        if version == 0:
            if not create:
                raise self._foreign("it holds no lineage graph")
            with self._transaction():
                self._make_tables()
        self._db.execute("PRAGMA journal_mode = WAL")
        # A batch that is answered as kept must outlive a power cut: its messages are deleted from the queue then.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA cache_size = -{self._cache * 1024}")
        self._db.execute("PRAGMA wal_autocheckpoint = 16384")

    def _version(self) -> int:
        """Answer ours, or 0 of a file that nobody has marked; nothing is written before that is known."""
        (mark,), (version,) = (
            self._db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if (mark, version) in {(0, 0), (APPLICATION, VERSION)}:
            return int(version)
        raise self._foreign(f"it is of version {version}" if mark == APPLICATION else "this is another program's file")

    def _make_tables(self) -> None:
        if self._version() == VERSION:
            return  # another process has made them meanwhile
        if self._db.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise self._foreign("this is another program's file")
        for statement in SCHEMA.strip().split(";\n"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _foreign(self, what: str) -> GraphError:
        return GraphError(str(self.path), what, "name another file, or rebuild the graph from the archive")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite itself rolls back where the disk is full
                self._db.execute("ROLLBACK")
            # What was numbered in vain is forgotten with it.
            self._things, self._origins = {}, {}
            raise
        self._db.execute("COMMIT")

    @_told
    def append(self, batch: Batch) -> None:
        with self._transaction():
            numbers = self._number({key for fact in batch.facts for key in (fact.child, fact.parent)})
            rows = [self._row(fact, numbers) for fact in batch.facts]
            self._db.executemany("INSERT INTO fact VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
            notes = _notes(batch.facts, numbers)
            self._db.executemany("INSERT INTO note VALUES (?, ?, ?) ON CONFLICT DO NOTHING", notes)
            self._db.executemany(
                "INSERT INTO heard VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
                [(*place, time) for place, time in sorted(batch.heard.items())],
            )

    def _row(self, fact: Fact, numbers: Mapping[Key, int]) -> tuple[object, ...]:
        each = fact.evidence
        origin = (each.source.value, each.account, each.region, each.actor, each.confidence.value)
        return (
            bytes.fromhex(fact.id),
            fact.relation.value,
            numbers[fact.child],
            numbers[fact.parent],
            each.time,
            each.event_id,
            self._origin(origin),
            _JSON(fact.attributes) if fact.attributes else "[]",
        )

    def _number(self, keys: Collection[Key]) -> dict[Key, int]:
        """Answer the number of each thing; what is new gets one, in the order of keys. Within a transaction."""
        numbers = self._numbers(keys)
        new = sorted(key for key in keys if key not in numbers)
        if new:
            # Nobody else numbers things meanwhile: the transaction is the only one that writes.
            (last,) = self._db.execute("SELECT coalesce(max(n), 0) FROM thing").fetchone()
            made = dict(zip(new, range(last + 1, last + 1 + len(new)), strict=True))
            rows = ((made[key], key, parts.kind.value, parts.region) for key in new for parts in [parts_of(key)])
            self._db.executemany("INSERT INTO thing VALUES (?, ?, ?, ?)", rows)
            self._remember(made)
            numbers |= made
        return numbers

    def _numbers(self, keys: Collection[Key]) -> dict[Key, int]:
        """Answer the numbers of the things that are there, with one query for all that are not remembered."""
        known = self._things
        numbers = {key: known[key] for key in keys if key in known}
        unknown = [key for key in keys if key not in numbers]
        if unknown:
            found = {Key(key): int(n) for key, n in self._db.execute(_NUMBERS, (json.dumps(unknown),))}
            self._remember(found)
            numbers |= found
        return numbers

    def _remember(self, numbers: Mapping[Key, int]) -> None:
        if len(self._things) + len(numbers) > MOST_REMEMBERED:
            self._things = {}
        self._things |= numbers

    def _origin(self, origin: tuple[str, ...]) -> int:
        number = self._origins.get(origin)
        if number is None:
            select = "SELECT n FROM origin WHERE (source, account, region, actor, confidence) = (?, ?, ?, ?, ?)"
            insert = "INSERT INTO origin VALUES (NULL, ?, ?, ?, ?, ?) RETURNING n"
            found = self._db.execute(select, origin).fetchone() or self._db.execute(insert, origin).fetchone()
            number = int(found[0])
            self._origins = _remembered(self._origins, origin, number)
        return number

    @_told
    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        return self._facts(_FACTS_OF, self._asked(children, relations, until))

    @_told
    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        return self._facts(_FACTS_INTO, self._asked(parents, relations, until) | {"limit": limit})

    def _asked(self, keys: Collection[Key], relations: Collection[Relation], until: Time | None) -> dict[str, object]:
        return {
            "things": json.dumps(list(self._numbers(keys).values())),
            "relations": json.dumps([each.value for each in relations]),
            "until": _END_OF_TIME if until is None else until,
        }

    def _facts(self, query: str, values: Mapping[str, object]) -> list[Fact]:
        return [self._fact(row) for row in self._db.execute(query, values)]

    def _fact(self, row: _Row) -> Fact:
        relation, child, parent, number, event, time, attributes = row
        origin = self._known_origins.get(number) or self._read_origin(number)
        told: Attributes = () if attributes == "[]" else tuple((name, value) for name, value in json.loads(attributes))
        evidence = Evidence(
            origin.source, event, Time(time), origin.account, origin.region, origin.actor, origin.confidence
        )
        return Fact(_RELATIONS[relation], Key(child), Key(parent), evidence, told)

    def _read_origin(self, number: int) -> _Origin:
        select = "SELECT source, account, region, actor, confidence FROM origin WHERE n = ?"
        source, account, region, actor, confidence = self._db.execute(select, (number,)).fetchone()
        origin = _Origin(Source(source), AccountId(account), Region(region), actor, Confidence(confidence))
        self._known_origins = _remembered(self._known_origins, number, origin)
        return origin

    @_told
    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        conditions, values = ["kind = ?", "key > ?"], [search.kind.value, after or ""]
        if search.region is not None:
            conditions.append("region = ?")
            values.append(search.region)
        for pair in search.equal:
            conditions.append("n IN (SELECT child FROM note WHERE name = ? AND value = ?)")
            values += pair
        for pair in search.containing:
            conditions.append("n IN (SELECT child FROM note WHERE name = ? AND instr(value, ?) > 0)")
            values += pair
        query = f"SELECT key FROM thing WHERE {' AND '.join(conditions)} ORDER BY key LIMIT ?"  # noqa: S608 - fixed texts
        keys = [Key(key) for (key,) in self._db.execute(query, (*values, limit + 1))]
        return Found(tuple(keys[:limit]), len(keys) > limit)

    def export(self) -> Iterator[Fact]:
        # A cursor of its own connection: it sees one state, whatever is appended meanwhile.
        try:
            db = sqlite3.connect(self.path, timeout=WAIT)
            try:
                for row in db.execute(_ALL):
                    yield self._fact(row)
            finally:
                db.close()
        except sqlite3.Error as error:
            raise GraphError(
                str(self.path), f"the lineage graph cannot be read: {error}", _what_to_do(error)
            ) from error

    @_told
    def heard(self) -> Mapping[Place, Time]:
        rows = self._db.execute("SELECT account, region, last FROM heard ORDER BY account, region")
        return {Place(AccountId(account), Region(region)): Time(last) for account, region, last in rows}

    def close(self) -> None:
        self._db.close()


MOST_REMEMBERED = 200_000


def _notes(facts: Collection[Fact], numbers: Mapping[Key, int]) -> Iterator[tuple[str, str, int]]:
    for fact in facts:
        if fact.relation is Relation.NOTED:
            for name, value in fact.attributes:
                if value is not None:
                    yield name, value, numbers[fact.child]


What = TypeVar("What")
Value = TypeVar("Value")


def _remembered(known: dict[What, Value], what: What, value: Value) -> dict[What, Value]:
    known = {} if len(known) >= MOST_REMEMBERED else known
    known[what] = value
    return known


def _what_to_do(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return "another process writes to it; try again"
    if code == sqlite3.SQLITE_FULL:
        return "make room on the disk; nothing of the batch was kept"
    return "see that the file can be read and written, or rebuild the graph from the archive"
