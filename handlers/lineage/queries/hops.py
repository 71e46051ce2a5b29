"""One step of descent, the evidence for it, and what can be said of the content on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.lineage.model import Confidence, Fact, Key, Relation
from handlers.lineage.queries.passage import Arc
from handlers.lineage.queries.reasons import Reason, Why
from handlers.lineage.relations import RULES, Content


class Verdict(StrEnum):
    """What the evidence says of the child's content."""

    VERIFIED = "verified"
    """It is the parent's, AWS says: no call lay between that could have written."""
    UNVERIFIED = "unverified"
    FOREIGN = "foreign"
    """It came from where AWS does not look."""
    REFERENCE = "reference"
    """No content passes here: the one would start machines from the other."""


VERDICTS: Mapping[Content, Verdict] = {
    Content.SAME: Verdict.VERIFIED,
    Content.WRITABLE: Verdict.UNVERIFIED,
    Content.FOREIGN: Verdict.FOREIGN,
    Content.NONE: Verdict.REFERENCE,
}

_WRITTEN: Mapping[Relation, str] = {
    Relation.CREATED_FROM: "the machine could write on its disks before the image was made",
    Relation.DERIVED_FROM: "an ancestor is told, and nothing of what was done in between",
    Relation.RESTORED_FROM: "the object could be replaced in its bucket",
    Relation.BUILT_BY: "the build adds what its recipe says",
    Relation.SNAPSHOT_OF: "the volume could be written on before",
    Relation.ATTACHED_TO: "the machine could write on the volume",
    Relation.PRELAUNCHED_FROM: "a machine ran to prepare the snapshot",
    Relation.IMPORTED_FROM: "the disk was made elsewhere",
    Relation.WRITTEN_BY: "blocks were written through the EBS direct APIs",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """Child and parent, and all facts by which the one came from the other in the time asked about."""

    child: Key
    relation: Relation
    parent: Key
    verdict: Verdict
    why: str
    """Why the content is not sure; empty where it is."""
    facts: tuple[Fact, ...]
    """The oldest first."""

    @property
    def inferred(self) -> bool:
        """Tell whether nobody said so, and it was only reasoned."""
        return all(fact.evidence.confidence is Confidence.INFERRED for fact in self.facts)


def hop_of(arcs: Iterable[Arc]) -> Hop:
    """Make a hop of the arcs between one child and one parent by one relation."""
    facts = [arc.fact for arc in arcs]
    if len(facts) > 1:
        facts.sort(key=lambda fact: (*fact.order, fact.id))
    child, relation, parent = facts[0].child, facts[0].relation, facts[0].parent
    verdict, why = VERDICTS[RULES[relation].content], _WRITTEN.get(relation, "")
    if verdict is Verdict.VERIFIED and all(fact.evidence.confidence is Confidence.INFERRED for fact in facts):
        verdict, why = Verdict.UNVERIFIED, "it was reasoned, not seen"
    return Hop(child, relation, parent, verdict, why, tuple(facts))


def inferred_reasons(hops: Iterable[Hop]) -> list[Reason]:
    """Answer a reason for each hop for which there is no evidence but reasoning."""
    return [
        Reason(Why.INFERRED, hop.child, f"that it {RULES[hop.relation].says} {hop.parent} was reasoned, not seen")
        for hop in hops
        if hop.inferred
    ]
