"""Why an answer may lack something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from handlers.lineage.fold import fold_states
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Key, Kind, Place, Relation, Time, parts_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import facts_of, pages
from org.ids import AccountId

HIDING = frozenset({"gap", "omitted", "malformed", "unknown"})
"""Outcomes of events that may have told something of lineage. A forged one told nothing that is so."""
FEW = 5
"""Places of which each is a reason of its own: an organization has hundreds, and `coverage` lists them all."""
_EXAMPLES = 3


class Why(StrEnum):
    """The kinds of reasons."""

    UNSEEN_CREATION = "unseen-creation"
    BOUND = "bound"
    GAP = "gap"
    INFERRED = "inferred"
    SILENT = "silent"
    NOT_SAID = "not-said"
    """What was asked about a thing was never said of it."""
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why an answer may lack something, or say too much."""

    why: Why
    about: str
    """A key, a place as `<account>/<region>`, `places` for more than a few of them, or the name of a bound."""
    says: str


class PlaceReason(NamedTuple):
    """A reason that lies in a place."""

    place: Place
    why: Why
    says: str
    of_many: str
    """What is said of many places at once: without what is of this one alone."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Events from a place that told nothing, by what became of them."""

    place: Place
    outcome: str
    count: int
    first: Time
    last: Time


def find_gaps(graph: Graph, keys: Iterable[Key], until: Time | None = None) -> tuple[Gap, ...]:
    """Answer what is noted of places, given as coverage things, by outcome; an event counts once for each outcome."""
    times: dict[tuple[Place, str], dict[str, Time]] = {}
    for fact in facts_of(graph, keys, {Relation.NOTED}, until):
        if outcome := dict(fact.attributes).get("outcome"):
            heard = times.setdefault((place_of(fact.child), outcome), {})
            heard[fact.evidence.event_id] = fact.evidence.time
    return tuple(
        Gap(place, outcome, len(heard), min(heard.values()), max(heard.values()))
        for (place, outcome), heard in sorted(times.items())
    )


def place_of(coverage: Key) -> Place:
    _, region, _, account = parts_of(coverage)
    return Place(AccountId(account), region)


def _with_gaps(graph: Graph) -> set[Key]:
    """Answer the coverage things with gaps: refused calls are many, and most places have no gap."""
    found: set[Key] = set()
    for outcome in sorted(HIDING):
        wanted = Search(Kind.COVERAGE, equal=(("outcome", outcome),))
        for keys in pages(graph, wanted):
            found.update(keys)
    return found


def gather(reasons: Iterable[PlaceReason], places: int) -> list[Reason]:
    """Answer a reason for each place, or one for all that say alike, where they are more than a few.

    `places`: of how many places in all they are some.
    """
    alike: dict[tuple[Why, str], list[PlaceReason]] = {}
    for each in reasons:
        alike.setdefault((each.why, each.of_many), []).append(each)
    found: list[Reason] = []
    for (why, says), some in alike.items():
        names = sorted({_name(each.place) for each in some})
        if len(names) <= FEW:
            found += [Reason(why, _name(each.place), each.says) for each in some]
            continue
        such = ", ".join(names[:_EXAMPLES])
        told = f"{len(names):,} of {places:,} places, such as {such}: {says}; coverage lists them all"
        found.append(Reason(why, "places", told))
    return found


def unread_reasons(graph: Graph, heard: Collection[Place], at: Time | None) -> list[PlaceReason]:
    """Answer the reasons that lie in places whose accounts could not be read when AWS was asked last."""
    keys = {
        key
        for read in ("no", "in-part")
        for some in pages(graph, Search(Kind.COVERAGE, equal=(("read", read),)))
        for key in some
        if place_of(key) in heard
    }
    states = fold_states(facts_of(graph, keys, {Relation.NOTED}, at))
    return [
        unread_reason(place_of(key), state.value("unread") or "refused")
        for key, state in states.items()
        if state.value("read") in {"no", "in-part"}
    ]


def unread_reason(place: Place, why: str) -> PlaceReason:
    return PlaceReason(place, Why.UNREAD, f"could not be read whole: {why}", "could not be read whole")


def places_heard(graph: Graph, scope: Scope) -> dict[Place, Time | None]:
    """Answer the time of the newest event of each place, None for one that is expected and was never heard."""
    heard: dict[Place, Time | None] = dict.fromkeys(scope.expected)
    heard.update(graph.heard())
    return heard


def coverage_reasons(
    graph: Graph, heard: Mapping[Place, Time | None], scope: Scope, at: Time | None, since: Time | None = None
) -> list[Reason]:
    """Answer the reasons that lie in the places: events not understood (since a time), and silence before `at`.

    Those of more than a few places are gathered.
    """
    gaps = find_gaps(graph, [key for key in _with_gaps(graph) if place_of(key) in heard], at)
    found = [
        PlaceReason(gap.place, Why.GAP, f"{gap.count:,} {_hidden(gap, gap.count)}", _hidden(gap))
        for gap in gaps
        if gap.outcome in HIDING and (since is None or gap.last >= since)
    ]
    never, late = "nothing was ever heard", "nothing was heard of late"
    found += [PlaceReason(place, Why.SILENT, never, never) for place, last in heard.items() if last is None]
    if scope.now is not None and scope.silence is not None:
        latest = (scope.now if at is None else min(scope.now, at)) - scope.silence
        found += [
            PlaceReason(place, Why.SILENT, late, late)
            for place, last in heard.items()
            if last is not None and last < latest
        ]
    return gather(found + unread_reasons(graph, heard, at), len(heard))


def reasons_where(graph: Graph, scope: Scope, account: str | None, region: str | None) -> list[Reason]:
    """Answer the reasons that lie in the places of an account, of a Region, or of both; of all, if neither is given.

    Where there is no such place, that is the reason: nobody listens there.
    """
    heard = {
        place: last
        for place, last in places_heard(graph, scope).items()
        if account in (None, place.account) and region in (None, place.region)
    }
    if not heard:
        says = "nothing is heard from there, or expected: only what other places told is known"
        return [Reason(Why.SILENT, f"{account or '-'}/{region or '-'}", says)]
    return coverage_reasons(graph, heard, scope, None)


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Answer each reason once, in one order."""
    return tuple(sorted(set(reasons)))


def _hidden(gap: Gap, count: int = 0) -> str:
    """A gap is what a readable event does not tell; the others could not be read."""
    events = f"event{'s'[: count != 1]}"
    if gap.outcome == "gap":
        return f"{events} left something out"
    return f"{gap.outcome} {events} may hide something"


def _name(place: Place) -> str:
    return f"{place.account}/{place.region}"
