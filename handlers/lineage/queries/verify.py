"""Is the lineage of an image unbroken up to roots that are trusted? Descent only: derivation is not approval."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Time
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, BadQuery, Bounds, Scope
from handlers.lineage.queries.descent import ancestors
from handlers.lineage.queries.hops import Hop, Verdict
from handlers.lineage.queries.passage import is_bytes
from handlers.lineage.queries.reasons import Reason, Why
from handlers.lineage.queries.things import OWNER, OWNER_ALIAS, Thing


class Result(StrEnum):
    """From the worst to the best; the worst that is so counts."""

    BROKEN = "broken"
    """Facts are missing on the way up."""
    UNTRUSTED_ROOT = "untrusted-root"
    """It begins with something of which no trusted owner is known, or outside of AWS."""
    UNVERIFIED = "unverified"
    """Unbroken, and on some hop somebody could have written."""
    VERIFIED = "verified"
    """Unbroken, and the same content all the way."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What can be said of the descent of a thing, and by which hops."""

    start: Key
    at: Time | None
    result: Result
    hops: tuple[Hop, ...]
    """All, each with its verdict; in the order of (child, relation, parent)."""
    writable: tuple[Hop, ...]
    """Those on which somebody could have written, or whose content came from elsewhere."""
    roots: tuple[Thing, ...]
    untrusted: tuple[Thing, ...]
    missing: tuple[Reason, ...]
    """What breaks it."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def verify(
    graph: Graph,
    start: Key,
    trusted: Collection[str],
    scope: Scope = NO_SCOPE,
    bounds: Bounds = USUAL_BOUNDS,
    at: Time | None = None,
) -> Verification:
    """Judge the descent of an image. `trusted`: owners of roots, as account ids or as AWS's aliases (`amazon`).

    Of a root whose owner is trusted nothing more is asked. BadQuery, UnknownThing, GraphError.
    """
    if not trusted:
        raise BadQuery("trusted owners", "none is given", "name the accounts or aliases whose images may be roots")
    descent = ancestors(graph, start, scope, bounds, at)
    roots = tuple(descent.things[key] for key in descent.tops)
    believed = {root.key for root in roots if is_trusted(root, trusted)}
    reasons = tuple(
        each for each in descent.reasons if not (each.why is Why.UNSEEN_CREATION and each.about in believed)
    )
    missing = tuple(each for each in reasons if each.why in (Why.UNSEEN_CREATION, Why.BOUND))
    unseen = {each.about for each in missing}
    untrusted = tuple(root for root in roots if root.key not in believed and root.key not in unseen)
    # That AWS tells an ancestor, and not how, takes nothing from an event that told of the same content.
    sure = {(hop.child, hop.parent) for hop in descent.hops if hop.verdict is Verdict.VERIFIED}
    unsure = (hop for hop in descent.hops if hop.verdict in (Verdict.UNVERIFIED, Verdict.FOREIGN))
    writable = tuple(hop for hop in unsure if (hop.child, hop.parent) not in sure)
    if missing:
        result = Result.BROKEN
    elif untrusted:
        result = Result.UNTRUSTED_ROOT
    else:
        result = Result.UNVERIFIED if writable else Result.VERIFIED
    return Verification(start, at, result, descent.hops, writable, roots, untrusted, missing, reasons)


def is_trusted(root: Thing, trusted: Collection[str]) -> bool:
    """Tell whether it is an image or a snapshot, and it is SAID that a trusted owner has it.

    In which account a call was made tells nothing; nor does it help to own the recipe of a base that is not known.
    """
    return is_bytes(root.key) and any(root.state_of.value(name) in trusted for name in (OWNER, OWNER_ALIAS))
