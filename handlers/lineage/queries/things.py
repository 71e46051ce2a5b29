"""What an answer says of each thing: its name, whose it is, where, and in which state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from handlers.lineage.fold import State, fold_states
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, Relation, Time, parts_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.fetch import facts_of
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.passage import LATER, WALKED
from handlers.lineage.queries.reasons import Reason, Why
from org.ids import Region

NAME, OWNER, OWNER_ALIAS, STATE, CREATION_METHOD = "name", "owner", "owner_alias", "state", "creation_method"
CREATED_AT = "created_at"
"""CreationDate of DescribeImages, as the reconciliation notes it."""
BLANK = "blank"
"""A creation method: of nothing, such as a volume without snapshot."""
GONE = frozenset({"terminated", "deregistered", "deleted", "failed", "missing"})
"""States in which a thing can no longer be used; a terminated instance does not come back, a deregistered image may."""

_ACCOUNT_FIRST = frozenset({Kind.PARAMETER, Kind.GROUP, Kind.LAUNCH_CONFIGURATION})
_OUTSIDE = frozenset({Kind.EXTERNAL, Kind.PRINCIPAL, Kind.ACCOUNT, Kind.WATERMARK, Kind.CONSUMER, Kind.COVERAGE})
"""Not made within AWS's eyes, so that nobody can have missed how."""
MADE = WALKED - LATER | {Relation.STORED_FROM, Relation.ROOT_REPLACED_BY}
"""What tells how a thing was made. (A machine whose root was replaced boots what replaced it, whoever launched it.)"""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing as it is at the time asked about."""

    key: Key
    kind: Kind
    name: str
    """Its attribute, or what its key is called by."""
    account: str
    """The owner, where it is said; else where the call was made that made it; empty where neither is known."""
    region: Region
    state: str
    """Empty where it is not known."""
    known: bool
    """False for a stub: nothing was ever said of it alone."""
    state_of: State = field(compare=False)
    """All that is noted of it. It stands in no answer, and two that are told alike are alike."""

    @property
    def gone(self) -> bool:
        return self.state in GONE


def describe_things(graph: Graph, keys: Iterable[Key], hops: Iterable[Hop], at: Time | None) -> dict[Key, Thing]:
    """Answer what is known of things, given the hops among them; in the order of keys."""
    wanted = sorted(set(keys))
    states = fold_states(facts_of(graph, wanted, {Relation.NOTED}, at))
    made_in: dict[Key, str] = {}
    for hop in hops:
        made_in.setdefault(hop.child, hop.facts[0].evidence.account)
    return {key: thing_of(key, states.get(key), made_in.get(key)) for key in wanted}


def thing_of(key: Key, state: State | None, made_in: str | None = None) -> Thing:
    """Answer a thing, given its state (None: nothing was noted) and the account in which it was made."""
    _, region, kind, name = parts_of(key)
    known = state or State(key, known=made_in is not None)
    account = known.value(OWNER) or (name.split("/", 1)[0] if kind in _ACCOUNT_FIRST else "") or made_in or ""
    return Thing(
        key, kind, known.value(NAME) or name, account, region, known.value(STATE) or "", known.known, state_of=known
    )


def unseen_reasons(things: Mapping[Key, Thing], hops: Iterable[Hop], scope: Scope) -> list[Reason]:
    """Answer a reason for each thing on the way up of which it is not known of what it was made.

    A thing whose owner is outside the organization was made where nobody looks: that is an end, not a gap.
    """
    seen = _made(tuple(hops))
    found: list[Reason] = []
    for key, thing in things.items():
        if key in seen or thing.kind in _OUTSIDE:
            continue
        method = thing.state_of.value(CREATION_METHOD)
        if method == BLANK:
            continue
        if not thing.known:
            says = "only its name is known: how it was made was not seen"
        elif not scope.may_own(thing.account):
            continue
        else:
            says = f"it was made by {method}, and of what was not seen" if method else "how it was made was not seen"
        found.append(Reason(Why.UNSEEN_CREATION, key, says))
    return found


def _made(hops: tuple[Hop, ...]) -> set[Key]:
    """Answer the things whose making was seen; a volume that comes with an instance is made by its launch."""
    launches = {
        (hop.child, fact.evidence.event_id)
        for hop in hops
        if hop.relation is Relation.LAUNCHED_FROM
        for fact in hop.facts
    }
    seen = {hop.child for hop in hops if hop.relation in MADE}
    for hop in hops:
        if hop.relation is Relation.ATTACHED_TO:
            with_it = any((hop.parent, fact.evidence.event_id) in launches for fact in hop.facts)
            seen |= {hop.child} if with_it else set()
    return seen
