"""How content passes along a fact, in time: the one place that says so, for walking up, down, and for cutting.

A thing AT A TIME descends from another thing AT A TIME:

* a fact of derivation, or of a root: the child, while the fact holds, has what the parent had when it happened;
* a reference (pointer, template, group): the child at any instant means what the parent means at that same instant
  (but what is made after the pattern of an instance or of another version takes over what that was when it was made);
* an attachment: what the machine held at any instant since, the volume may hold from then on.

Nothing happens to a thing before it is made. So what tells how it was made holds from the beginning of time, even where
it was only reported later, or with another clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from handlers.lineage.fold import periods_of
from handlers.lineage.model import Fact, Key, Relation, Time
from handlers.lineage.queries.windows import ALWAYS, BEGINNING, END, NEVER, Windows, first_from, meets, within
from handlers.lineage.relations import WITH_ROLE, Role

WALKED = WITH_ROLE[Role.DERIVATION] | WITH_ROLE[Role.ROOT] | WITH_ROLE[Role.REFERENCE]
HELD_FOR_A_TIME = WITH_ROLE[Role.ROOT] | WITH_ROLE[Role.REFERENCE]
"""Of these, how long one holds is known only with all others of the same child."""
LATER = frozenset({Relation.ATTACHED_TO, Relation.STORED_FROM, Relation.WRITTEN_BY, Relation.ROOT_REPLACED_BY})
"""What happens to a thing that is there already; all other derivations and roots are how it was made."""

_BYTES = frozenset({"image", "snapshot"})
_UNCHANGING = _BYTES | {"launch-configuration"}
_COPIED = frozenset({"instance", "launch-template"})
_ROOT = WITH_ROLE[Role.ROOT]


class Passage(Enum):
    """See the module."""

    AT = auto()
    THROUGH = auto()
    SINCE = auto()


class Arc(NamedTuple):
    """A fact with how it passes content on, and when it holds (inclusive)."""

    fact: Fact
    passage: Passage
    start: Time
    end: Time


def is_bytes(key: Key) -> bool:
    """Tell whether a thing is bytes that never change, so that one time is as good as another."""
    return key.split("/", 3)[2] in _BYTES


def is_fixed(key: Key) -> bool:
    """Tell whether a thing never changes once it is made: versions do not, what points at them does.

    Labels of parameters are not numbers (docs.aws.amazon.com/systems-manager, "Working with parameter labels").
    """
    _, _, kind, name = key.split("/", 3)
    if kind in _UNCHANGING:
        return True
    last = name.rpartition(":")[2]
    if kind == "launch-template" or kind == "parameter":
        return ":" in name and last.isdecimal()
    return kind == "recipe" and "-recipe/" in name


def arcs_of(facts: Iterable[Fact]) -> list[Arc]:
    """Answer how facts pass content on, given ALL facts of `HELD_FOR_A_TIME` of their children."""
    found: list[Arc] = []
    ordered = sorted(facts, key=attrgetter("child"))
    for child, group in groupby(ordered, attrgetter("child")):
        fixed = is_fixed(child)
        lasting: list[Fact] = []
        for fact in group:
            if fact.relation in HELD_FOR_A_TIME:
                lasting.append(fact)
            else:
                found.append(derivation(fact, fixed))
        if fixed:
            found += [Arc(fact, _meaning(fact), BEGINNING, END) for fact in lasting]
        elif lasting:
            found += _for_a_time(child, lasting)
    return found


def derivation(fact: Fact, fixed: bool) -> Arc:
    """Answer how a derivation passes content on; `fixed`: of its child."""
    if fact.relation is Relation.ATTACHED_TO:
        return Arc(fact, Passage.SINCE, fact.evidence.time, END)
    made = fixed or fact.relation not in LATER
    return Arc(fact, Passage.AT, BEGINNING if made else fact.evidence.time, END)


def _for_a_time(child: Key, facts: list[Fact]) -> Iterable[Arc]:
    machine = child.split("/", 3)[2] == "instance"
    if machine and any(fact.relation in _ROOT for fact in facts):
        # What it boots is known, so the template by which it was launched is not descent.
        facts = [fact for fact in facts if fact.relation in _ROOT]
    first = min(fact.order for fact in facts)
    for period in periods_of(facts):
        fact, until = period.fact, period.until
        if fact.parent == child:
            continue  # Set back to a launch that was not seen: nothing is known of its root from then on.
        born = machine and fact.order == first and fact.relation not in LATER and period.again is None
        start = BEGINNING if born else period.since
        yield Arc(fact, Passage.AT if machine else _meaning(fact), start, END if until is None else until)


def _meaning(reference: Fact) -> Passage:
    """Answer how a reference passes on: what is said after an instance or another version is taken over once."""
    copied = reference.relation is Relation.REFERENCES and reference.parent.split("/", 3)[2] in _COPIED
    return Passage.AT if copied else Passage.THROUGH


def downward(arc: Arc, parent: Windows) -> Windows:
    """Answer when the child holds something, given when the parent does."""
    match arc.passage:
        case Passage.AT:
            time = arc.fact.evidence.time
            return ((arc.start, arc.end),) if parent == ALWAYS or meets(parent, time, time) else NEVER
        case Passage.THROUGH:
            return within(parent, arc.start, arc.end)
        case Passage.SINCE:
            since = first_from(parent, arc.start)
            return NEVER if since is None else ((since, arc.end),)


def upward(arc: Arc, child: Windows) -> Windows:
    """Answer for which times of the parent to ask, given those of the child."""
    if not child:
        return NEVER
    match arc.passage:
        case Passage.AT:
            time = arc.fact.evidence.time
            wanted: Windows = ((time, time),) if meets(child, arc.start, arc.end) else NEVER
        case Passage.THROUGH:
            wanted = within(child, arc.start, arc.end)
        case Passage.SINCE:
            wanted = ((arc.start, child[-1][1]),) if child[-1][1] >= arc.start else NEVER
    return ALWAYS if wanted and is_bytes(arc.fact.parent) else wanted
