"""Find things by what holds of them now, page after page."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Relation
from handlers.lineage.queries.asking import ALL_RELATIONS, BadQuery, Scope, never
from handlers.lineage.queries.reasons import Reason, Why, in_order, reasons_where
from handlers.lineage.queries.things import NAME, OWNER, Thing, thing_of
from org.ids import AccountId, Region

PAGE = range(1, 1_001)
EXAMINED = 100_000
"""Candidates that are looked at for one page: what was so once, and is no longer, may be much."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; everything given must hold at the time of asking. BadQuery if a part is empty."""

    kind: Kind
    region: Region | None = None
    account: AccountId | None = None
    name_contains: str | None = None
    """The case counts."""
    equal: tuple[tuple[str, str], ...] = ()
    """Attributes and their values: `state`, `tag:Environment`, …"""

    def __post_init__(self) -> None:
        if "" in (self.region, self.account, self.name_contains) or any(not name for name, _ in self.equal):
            raise BadQuery("search", "a filter is empty", "leave it out, or say what it should match")

    def as_search(self) -> Search:
        owner = ((OWNER, str(self.account)),) if self.account is not None else ()
        part = ((NAME, self.name_contains),) if self.name_contains is not None else ()
        return Search(self.kind, self.region, (*owner, *sorted(self.equal)), part)

    def holds(self, state: State) -> bool:
        """Tell whether all holds of what a thing is now."""
        search = self.as_search()
        return all(state.value(name) == value for name, value in search.equal) and all(
            part in (state.value(name) or "") for name, part in search.containing
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Things in the order of keys; as many as were asked for, unless the end is reached (or a bound is hit)."""

    things: tuple[Thing, ...]
    cursor: str | None
    """For the next page; None at the end."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def search(
    graph: Graph,
    wanted: Wanted,
    limit: int = 100,
    cursor: str | None = None,
    secret: bytes = b"orgctl",
    late: Callable[[], bool] = never,
) -> Page:
    """Answer a page of at most `limit` things (1 to 1,000), or fewer once it is `late`. BadQuery, GraphError.

    `secret` signs cursors: with one that callers do not know, they cannot make their own. A cursor says where to go on
    and in which search, and opens nothing that a search from the beginning would not.
    """
    if isinstance(limit, bool) or limit not in PAGE:
        raise BadQuery("limit", f"{limit!r} is not within bounds", f"give a number from {PAGE[0]} to {PAGE[-1]:,}")
    after = _read(cursor, wanted, secret) if cursor is not None else None
    things: list[Thing] = []
    examined = 0
    while True:
        found = graph.find(wanted.as_search(), after, max(limit, 100))
        states = _states(graph, found.keys)
        for number, key in enumerate(found.keys, 1):
            after = key
            state = states.get(key, State(key))
            if wanted.holds(state):
                things.append(thing_of(key, state))
            if len(things) == limit:
                more = found.more or number < len(found.keys)
                return Page(tuple(things), _write(key, wanted, secret) if more else None, ())
        examined += len(found.keys)
        if not found.more or after is None:
            return Page(tuple(things), None, ())
        if examined >= EXAMINED or late():
            says = f"{examined:,} candidates were looked at; go on with the cursor"
            return Page(tuple(things), _write(after, wanted, secret), (Reason(Why.BOUND, "examined", says),))


def search_heard(
    graph: Graph,
    wanted: Wanted,
    scope: Scope,
    limit: int = 100,
    cursor: str | None = None,
    secret: bytes = b"orgctl",
    late: Callable[[], bool] = never,
) -> Page:
    """Answer a page of `search`, with the reasons that lie in the places where such things are. BadQuery, GraphError.

    What is not heard cannot be found: a page without these reasons would pass for all there is.
    """
    # Asked first, as a search can stop when it is late, and this cannot.
    lacks = reasons_where(graph, scope, wanted.account, wanted.region)
    page = search(graph, wanted, limit, cursor, secret, late)
    return replace(page, reasons=in_order((*page.reasons, *lacks)))


def _states(graph: Graph, keys: tuple[Key, ...]) -> dict[Key, State]:
    """Of pointers nothing is noted, only at what they point: they are known all the same."""
    states = fold_states(graph.facts_of(keys, {Relation.NOTED})) if keys else {}
    left = [key for key in keys if key not in states]
    return states | (fold_states(graph.facts_of(left, ALL_RELATIONS)) if left else {})


def _write(after: Key, wanted: Wanted, secret: bytes) -> str:
    said = f"{_digest(wanted)}{after}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, said, "sha256")[:16] + said).decode().rstrip("=")


def _read(cursor: str, wanted: Wanted, secret: bytes) -> Key:
    error = BadQuery("cursor", "it is not one of this search", "start from the first page, without a cursor")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        said = raw[16:].decode()
    except (binascii.Error, ValueError) as reason:
        raise error from reason
    if not hmac.compare_digest(raw[:16], hmac.digest(secret, raw[16:], "sha256")[:16]):
        raise error
    digest = _digest(wanted)
    if not said.startswith(digest):
        raise error
    return Key(said[len(digest) :])


def _digest(wanted: Wanted) -> str:
    said = json.dumps(asdict(wanted) | {"equal": sorted(wanted.equal)}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
