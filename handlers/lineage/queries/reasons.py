"""Why an answer may lack something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.lineage.graph import Graph
from handlers.lineage.model import Kind, Place, Relation, Time, key_of
from handlers.lineage.queries.asking import Scope
from org.model import Region

GAPS_READ = 10_000
HIDING = frozenset({"gap", "omitted", "malformed", "unknown"})
"""Outcomes of events that may have told something of lineage. A forged one told nothing that is so."""


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


class Why(StrEnum):
    """The kinds of reasons."""

    UNSEEN_CREATION = "unseen-creation"
    BOUND = "bound"
    GAP = "gap"
    INFERRED = "inferred"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """Why an answer may lack something, or say too much."""

    why: Why
    about: str
    """A key, a place as `<account>/<region>`, or the name of a bound."""
    says: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Events from a place that told nothing, by what became of them."""

    place: Place
    outcome: str
    count: int
    first: Time
    last: Time


def find_gaps(graph: Graph, places: Collection[Place], until: Time | None = None) -> tuple[tuple[Gap, ...], bool]:
    """Answer what is noted of places as not understood, and whether that is all of it.

    An event may be noted with several facts (a rebuild with a newer parser): it counts once by outcome.
    """
    keys = {key_of(Kind.COVERAGE, each.account, each.region, partition_of(each.region)): each for each in places}
    if not keys:
        return (), True
    facts = graph.facts_into(keys, {Relation.NOTED}, until, GAPS_READ + 1)
    times: dict[tuple[Place, str], dict[str, Time]] = {}
    for fact in facts[:GAPS_READ]:
        said = dict(fact.attributes)
        if outcome := said.get("outcome"):
            heard = times.setdefault((keys[fact.child], outcome), {})
            heard[fact.evidence.event_id] = fact.evidence.time
    gaps = [
        Gap(place, outcome, len(heard), min(heard.values()), max(heard.values()))
        for (place, outcome), heard in sorted(times.items())
    ]
    return tuple(gaps), len(facts) <= GAPS_READ


def partition_of(region: Region) -> str:
    """Answer the partition of a Region (docs.aws.amazon.com/whitepapers, "AWS Fault Isolation Boundaries")."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def places_heard(graph: Graph, scope: Scope) -> dict[Place, Time | None]:
    """Answer the time of the newest event of each place, None for one that is expected and was never heard."""
    heard: dict[Place, Time | None] = dict.fromkeys(scope.expected)
    heard.update(graph.heard())
    return heard


def coverage_reasons(
    graph: Graph, heard: Mapping[Place, Time | None], scope: Scope, at: Time | None, since: Time | None = None
) -> list[Reason]:
    """Answer the reasons that lie in the places: events not understood (since a time), and silence before `at`."""
    gaps, whole = find_gaps(graph, list(heard), at)
    found = [
        Reason(Why.GAP, _name(gap.place), f"{gap.count} {gap.outcome} event{'s'[: gap.count != 1]} may hide something")
        for gap in gaps
        if gap.outcome in HIDING and (since is None or gap.last >= since)
    ]
    if not whole:
        found.append(Reason(Why.BOUND, "gaps", f"more than {GAPS_READ:,} events were not understood"))
    if scope.now is not None and scope.silence is not None:
        latest = (scope.now if at is None else min(scope.now, at)) - scope.silence
        found += [
            Reason(Why.SILENT, _name(place), "nothing was ever heard" if last is None else "nothing was heard of late")
            for place, last in heard.items()
            if last is None or last < latest
        ]
    return found


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Answer each reason once, in one order."""
    return tuple(sorted(set(reasons)))


def _name(place: Place) -> str:
    return f"{place.account}/{place.region}"
