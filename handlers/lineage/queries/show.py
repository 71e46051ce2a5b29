"""One thing: what is said of it, what it is made of, and what has to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.lineage.fold import Period, Said, periods_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Key, Relation, Time, kind_of
from handlers.lineage.queries.asking import ALL_RELATIONS, NO_SCOPE, Bounds, Scope, check_key, check_known
from handlers.lineage.queries.fetch import facts_into
from handlers.lineage.queries.hops import hop_of, inferred_reasons
from handlers.lineage.queries.passage import WALKED, arcs_of
from handlers.lineage.queries.reasons import Reason, Why, in_order
from handlers.lineage.queries.things import Thing, describe_things, unseen_reasons

USERS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A thing at a time."""

    thing: Thing
    at: Time | None
    attributes: Mapping[str, Said]
    """Each with the evidence for its present value."""
    parents: tuple[Period, ...]
    """What it comes from, points at, is shared with, or carries; and until when (inclusive; None: on)."""
    users: tuple[Fact, ...]
    """The first hundred facts by which something came of it or uses it; by (time, event)."""
    users_by_kind: Mapping[str, int]
    """Things, by kind."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def show(graph: Graph, key: Key, scope: Scope = NO_SCOPE, at: Time | None = None, per_parent: int = 10_000) -> Shown:
    """Answer one thing. BadQuery, UnknownThing, GraphError."""
    check_key(key)
    others = ALL_RELATIONS - {Relation.NOTED}
    facts = graph.facts_of([key], others, at)
    into, more = facts_into(graph, [key], others, at, Bounds(per_parent=per_parent).per_parent)
    users = sorted(into.get(key, ()), key=lambda fact: (*fact.order, fact.id))
    hops = tuple(hop_of([arc]) for arc in arcs_of(fact for fact in facts if fact.relation in WALKED))
    thing = describe_things(graph, [key], hops, at)[key]
    if not (thing.known or facts or users):
        check_known(graph, key)
    reasons = [*inferred_reasons(hops), *unseen_reasons({key: thing}, hops, scope)]
    if more:
        reasons.append(Reason(Why.BOUND, "per-parent", f"only {per_parent:,} of its users were read"))
    parents = sorted(periods_of(facts), key=lambda each: (*each.fact.order, each.fact.id))
    kinds = Counter(kind_of(child).value for child in {fact.child for fact in users})
    return Shown(
        thing,
        at,
        thing.state_of.attributes,
        tuple(parents),
        tuple(users[:USERS]),
        dict(sorted(kinds.items())),
        in_order(reasons),
    )
