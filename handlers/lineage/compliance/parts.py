"""What one thing adds to a descent: whether its making was seen, whether it can be trusted, where it was written on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from handlers.lineage.compliance.gathered import Gathered
from handlers.lineage.fold import State
from handlers.lineage.model import Key, Relation
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.hops import Hop, Verdict, hop_of
from handlers.lineage.queries.passage import WALKED, Arc, arcs_of
from handlers.lineage.queries.reasons import Reason
from handlers.lineage.queries.things import CREATION_METHOD, MADE, OWNER, OWNER_ALIAS, thing_of, unseen_reasons
from handlers.lineage.queries.verify import is_trusted

Launch = tuple[Key, str]
"""An instance, and the event by which it was launched."""


@dataclass(frozen=True, slots=True)
class Part:
    """A thing in a descent, by those of its arcs that count there."""

    key: Key
    arcs: tuple[Arc, ...]
    made: bool
    """Whether a fact tells how it was made."""
    unseen: Reason | None
    """What is missing if its making was not seen; None for what need not be seen."""
    trusted: bool
    """Whether it would be believed as a root."""
    writable: Hop | None
    """The first hop up from it on which somebody could have written."""
    launches: tuple[Launch, ...]
    attached: tuple[Launch, ...]
    """Launches with which it would have been made, since it came with the instance."""

    @property
    def top(self) -> bool:
        return not self.arcs


class Parts:
    """Makes parts; of things that are no content (a part of theirs depends on who asks) it keeps what it takes."""

    def __init__(self, gathered: Gathered, trusted: Collection[str], scope: Scope) -> None:
        self._gathered, self._trusted, self._scope = gathered, frozenset(trusted), scope
        self._arcs: dict[Key, tuple[Arc, ...]] = {}
        self._states: dict[Key, State | None] = {}
        self._counted: dict[tuple[Key, int], Part] = {}

    def arcs(self, key: Key) -> tuple[Arc, ...]:
        """Answer all arcs of a thing that is no content; always the same ones in the same order."""
        if key not in self._arcs:
            self._arcs[key] = self._read(key)
            state = self._gathered.state(key)
            kept = {
                name: said
                for name, said in (state.attributes if state else {}).items()
                if name in (OWNER, OWNER_ALIAS, CREATION_METHOD)
            }
            self._states[key] = state and State(key, kept, state.known)
        return self._arcs[key]

    def of(self, key: Key) -> Part:
        """Answer the part of content, of which all arcs count."""
        return self._part(key, self._read(key), self._gathered.state(key))

    def counted(self, key: Key, counts: int) -> Part:
        """Answer the part of another thing; `counts`: by bits which of its arcs do."""
        asked = (key, counts)
        if asked not in self._counted:
            arcs = tuple(arc for bit, arc in enumerate(self.arcs(key)) if counts >> bit & 1)
            self._counted[asked] = self._part(key, arcs, self._states[key])
        return self._counted[asked]

    def _read(self, key: Key) -> tuple[Arc, ...]:
        return tuple(arcs_of(fact for fact in self._gathered.of(key) if fact.relation in WALKED))

    def _part(self, key: Key, arcs: tuple[Arc, ...], state: State | None) -> Part:
        hops = _hops(arcs)
        made_in = hops[0].facts[0].evidence.account if hops else None
        thing = thing_of(key, state, made_in)
        unseen = unseen_reasons({key: thing}, (), self._scope)
        sure = {hop.parent for hop in hops if hop.verdict is Verdict.VERIFIED}
        unsure = (hop for hop in hops if hop.verdict in (Verdict.UNVERIFIED, Verdict.FOREIGN))
        return Part(
            key,
            arcs,
            any(hop.relation in MADE for hop in hops),
            unseen[0] if unseen else None,
            is_trusted(thing, self._trusted),
            next((hop for hop in unsure if hop.parent not in sure), None),
            _events(hops, Relation.LAUNCHED_FROM),
            _events(hops, Relation.ATTACHED_TO),
        )


def hop_order(hop: Hop) -> tuple[Key, Relation, Key]:
    """Bring hops into the order in which a walk answers them."""
    return hop.child, hop.relation, hop.parent


def _hops(arcs: tuple[Arc, ...]) -> list[Hop]:
    if len(arcs) == 1:
        return [hop_of(arcs)]
    found: dict[tuple[Relation, Key], list[Arc]] = {}
    for arc in sorted(arcs, key=lambda arc: arc.start):
        found.setdefault((arc.fact.relation, arc.fact.parent), []).append(arc)
    return [hop_of(found[each]) for each in sorted(found)]


def _events(hops: list[Hop], relation: Relation) -> tuple[Launch, ...]:
    launched = relation is Relation.LAUNCHED_FROM
    return tuple(
        (hop.child if launched else hop.parent, fact.evidence.event_id)
        for hop in hops
        if hop.relation is relation
        for fact in hop.facts
    )
