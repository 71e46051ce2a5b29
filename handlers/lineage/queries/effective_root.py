"""What an instance truly boots, beside the image that AWS names for it."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Key, Kind, Relation, Time, key_of, kind_of, parts_of
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, Bounds, Scope, check_kind
from handlers.lineage.queries.descent import ancestors
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.passage import Arc, arcs_of
from handlers.lineage.queries.reasons import Reason
from handlers.lineage.queries.windows import BEGINNING, END
from handlers.lineage.relations import WITH_ROLE, Role

IMAGE_ID = "image_id"


@dataclass(frozen=True, slots=True)
class Booted:
    """What was the root for a time (inclusive; None: from the launch, and until now)."""

    fact: Fact
    since: Time | None
    until: Time | None


@dataclass(frozen=True, slots=True)
class EffectiveRoot:
    """What an instance boots at a time."""

    instance: Key
    at: Time | None
    named: Key | None
    """The image in the instance's own `ImageId`, or else of its launch; None where neither is known."""
    roots: tuple[Booted, ...]
    """What holds at the time: one; two in the very second of a replacement; none where it is not known."""
    images: tuple[Key, ...]
    """The images nearest above these roots, in the order of keys."""
    replaced: bool
    """Whether something else than the launch decides what it boots."""
    history: tuple[Booted, ...]
    """The oldest first."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons

    @property
    def differs(self) -> bool:
        """Tell whether AWS's `ImageId` misleads: no image above the root is the one that is named."""
        return self.named is not None and bool(self.roots) and self.named not in self.images


def effective_root(
    graph: Graph, instance: Key, scope: Scope = NO_SCOPE, bounds: Bounds = USUAL_BOUNDS, at: Time | None = None
) -> EffectiveRoot:
    """Answer what an instance boots. BadQuery, UnknownThing, GraphError.

    That a replaced root leaves `ImageId` as it was is documented for snapshots and reasoned for volumes [H].
    """
    check_kind(instance, Kind.INSTANCE)
    descent = ancestors(graph, instance, scope, bounds, at)
    roots = arcs_of(graph.facts_of([instance], WITH_ROLE[Role.ROOT], at))
    arcs = sorted(roots, key=lambda arc: (arc.start, arc.fact.order))
    now = END if at is None else at
    holding = [arc for arc in arcs if arc.start <= now <= arc.end]
    said = descent.things[instance].state_of.value(IMAGE_ID)
    launched = [arc.fact.parent for arc in arcs if arc.fact.relation is Relation.LAUNCHED_FROM]
    named = key_of(Kind.IMAGE, said, parts_of(instance).region, parts_of(instance).partition) if said else None
    return EffectiveRoot(
        instance,
        at,
        named or next(iter(launched), None),
        tuple(map(_booted, holding)),
        _images(graph, [arc.fact.parent for arc in holding], descent.hops, at),
        any(arc.fact.relation is Relation.ROOT_REPLACED_BY for arc in holding),
        tuple(map(_booted, arcs)),
        descent.reasons,
    )


def _booted(arc: Arc) -> Booted:
    return Booted(arc.fact, None if arc.start == BEGINNING else arc.start, None if arc.end == END else arc.end)


def _images(graph: Graph, roots: list[Key], hops: tuple[Hop, ...], at: Time | None) -> tuple[Key, ...]:
    """Answer the images whose disk it is: the nearest above, and those registered from the same snapshot.

    What a volume was attached to is left aside: it could write there, and it is not where the disk came from.
    """
    parents: dict[Key, list[Key]] = {}
    for hop in hops:
        if hop.relation is not Relation.ATTACHED_TO:
            parents.setdefault(hop.child, []).append(hop.parent)
    seen: set[Key] = set()
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            if kind_of(key) is not Kind.IMAGE:
                waiting += parents.get(key, ())
    snapshots = [key for key in seen if kind_of(key) is Kind.SNAPSHOT]
    same = graph.facts_into(snapshots, {Relation.REGISTERED_FROM}, at) if snapshots else []
    return tuple(sorted({key for key in seen if kind_of(key) is Kind.IMAGE} | {fact.child for fact in same}))
