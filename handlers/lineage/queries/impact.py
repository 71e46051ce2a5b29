"""What a bad image touches: what was made of it, what runs it, and what would start it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from handlers.lineage.fold import hold_at, periods_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Key, Kind, Relation, Time, kind_of, parts_of
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, Bounds, Scope, check_key
from handlers.lineage.queries.descent import checked_walk, reasons_below
from handlers.lineage.queries.fetch import facts_of
from handlers.lineage.queries.reasons import Reason, in_order
from handlers.lineage.queries.things import Thing, describe_things
from handlers.lineage.queries.walk import Direction, Walk
from handlers.lineage.queries.windows import END

DERIVED = (Kind.IMAGE, Kind.SNAPSHOT, Kind.VOLUME, Kind.OBJECT)
LATENT = (
    Kind.TEMPLATE_VERSION,
    Kind.GROUP,
    Kind.FLEET,
    Kind.PARAMETER,
    Kind.LAUNCH_CONFIGURATION,
    Kind.RECIPE,
    Kind.CONSUMER,
)


@dataclass(frozen=True, slots=True)
class Share:
    """A thing that is affected, and to whom it is open at the time asked about."""

    key: Key
    sharee: str
    """An account, an organization or a unit by its ARN, or `all`."""
    evidence: Fact


class Tally(NamedTuple):
    """How much of what lies in one account and Region."""

    account: str
    region: str
    kind: str
    things: int


@dataclass(frozen=True, slots=True)
class Impact:
    """What is affected at a time; each list in the order of keys."""

    start: Thing
    at: Time | None
    derived: tuple[Thing, ...]
    """Images, snapshots, volumes and objects with the content, the start not among them, what is gone included."""
    running: tuple[Thing, ...]
    """Instances that boot the content and are not known to be terminated: stopped ones start again."""
    state_unknown: tuple[Key, ...]
    """Of those running, the ones that were counted because nothing tells their state."""
    latent: tuple[Thing, ...]
    """What would start a machine from the content: versions, pointers, groups, fleets, parameters, recipes, …"""
    prelaunched: tuple[Thing, ...]
    """Snapshots that were pre-launched (fast launch): they outlive a revoked share."""
    stored: tuple[Thing, ...]
    """Objects in S3 from which the content can be restored."""
    external: tuple[Share, ...]
    """Shares with accounts outside the organization, or with any where its accounts are not known."""
    accounts_known: bool
    """Whether it was known which accounts are the organization's."""
    formerly: tuple[Thing, ...]
    """Instances, groups and pointers that had it once: what ran then may have left something behind."""
    tallies: tuple[Tally, ...]
    """Of derived, running and latent things that are not gone."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


class Affected(NamedTuple):
    """A walk down with what is known of each thing: what impact, frontiers and the smallest set start from."""

    walk: Walk
    things: Mapping[Key, Thing]
    reasons: tuple[Reason, ...]

    def now(self) -> Iterable[Thing]:
        """Answer what holds the content at the time asked about, the start included; in the order of keys."""
        return (thing for key, thing in self.things.items() if self.walk.holds(key))

    def users(self) -> Iterable[Thing]:
        """Answer what runs, or would run, the content at that time."""
        there = (each for each in self.now() if not (each.gone or self._went_with_its_parameter(each)))
        return (each for each in there if each.kind is Kind.INSTANCE or _is_latent(each))

    def _went_with_its_parameter(self, thing: Thing) -> bool:
        """Tell of a version or label whether its parameter was deleted: no event names those that went with it."""
        if thing.kind is not Kind.PARAMETER:
            return False
        bare, _, selector = thing.key.rpartition(":")
        parameter = self.things.get(Key(bare)) if selector else None
        return parameter is not None and parameter.gone


def affected_by(graph: Graph, start: Key, scope: Scope, bounds: Bounds, at: Time | None) -> Affected:
    """Read what came of a thing. BadQuery, UnknownThing, GraphError.

    An image is its snapshots: where it is bad, so are they, and whatever else was made of them.
    """
    check_key(start)
    disks = graph.facts_of([start], {Relation.REGISTERED_FROM}, at) if kind_of(start) is Kind.IMAGE else []
    also = {fact.parent for fact in disks if kind_of(fact.parent) is Kind.SNAPSHOT}
    walk = checked_walk(graph, start, Direction.DOWN, bounds, at, also)
    hops = walk.hops
    things = describe_things(graph, walk.keys, hops, at)
    return Affected(walk, things, in_order(reasons_below(graph, walk, hops, scope)))


def impact(
    graph: Graph, start: Key, scope: Scope = NO_SCOPE, bounds: Bounds = USUAL_BOUNDS, at: Time | None = None
) -> Impact:
    """Answer what is affected by a bad image, snapshot, volume, instance, … BadQuery, UnknownThing, GraphError."""
    affected = affected_by(graph, start, scope, bounds, at)
    walk, things = affected.walk, affected.things
    now = [each for each in affected.now() if each.key != start]
    derived = tuple(each for each in now if each.kind in DERIVED)
    users = [each for each in affected.users() if each.key != start]
    running = tuple(each for each in users if each.kind is Kind.INSTANCE)
    latent = tuple(each for each in users if each.kind is not Kind.INSTANCE)
    prelaunched = {child for child, relation, _ in walk.arcs if relation is Relation.PRELAUNCHED_FROM}
    return Impact(
        things[start],
        at,
        derived,
        running,
        tuple(each.key for each in running if not each.state),
        latent,
        tuple(each for each in derived if each.key in prelaunched and not each.gone),
        tuple(each for each in derived if each.kind is Kind.OBJECT and not each.gone),
        _shares(graph, (start, *(each.key for each in derived)), scope, at),
        bool(scope.accounts),
        tuple(each for key, each in things.items() if not walk.holds(key)),
        _tally((*derived, *running, *latent)),
        affected.reasons,
    )


def _is_latent(thing: Thing) -> bool:
    """Tell whether a thing would start machines. A build of Image Builder (`…:image/…`) is over when it is made."""
    return thing.kind in LATENT and not (thing.kind is Kind.RECIPE and ":image/" in thing.key)


def _shares(graph: Graph, keys: Iterable[Key], scope: Scope, at: Time | None) -> tuple[Share, ...]:
    bytes_of = [key for key in keys if parts_of(key).kind in (Kind.IMAGE, Kind.SNAPSHOT)]
    periods = periods_of(facts_of(graph, bytes_of, {Relation.SHARED_WITH}, at))
    latest: dict[tuple[Key, str], Share] = {}
    for fact in sorted(hold_at(periods, END if at is None else at), key=attrgetter("order")):
        sharee = parts_of(fact.parent).name
        if not is_inside(sharee, scope):
            latest[fact.child, sharee] = Share(fact.child, sharee, fact)
    return tuple(latest[each] for each in sorted(latest))


def is_inside(sharee: str, scope: Scope) -> bool:
    """Tell whether a sharee is surely within the organization.

    The ARNs of an organization and of its units carry the organization's id as a part of their path
    (docs.aws.amazon.com/organizations, "Resource types defined by AWS Organizations").
    """
    if sharee in scope.accounts:
        return True
    return bool(scope.organization) and sharee.startswith("arn:") and scope.organization in sharee.split("/")


def _tally(things: Iterable[Thing]) -> tuple[Tally, ...]:
    counts = Counter((each.account, each.region, each.kind.value) for each in things if not each.gone)
    return tuple(Tally(*place, count) for place, count in sorted(counts.items()))
