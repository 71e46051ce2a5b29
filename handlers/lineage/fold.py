"""What holds at a time, from all the facts: pure, and the same whatever the order in which they came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from handlers.lineage.model import Evidence, Fact, Key, Relation, Time
from handlers.lineage.relations import EVERY, EVERY_TAG, HOLDS, RULES, Exclusive

STATE, ENDED = "state", "terminated"
"""An instance that is terminated does not come back: of what is said of one second, that is the last."""


@dataclass(frozen=True)
class Said:
    """One attribute as it is now, and by which evidence."""

    value: str
    evidence: Evidence


@dataclass(frozen=True)
class State:
    """What is known of one thing at a time."""

    key: Key
    attributes: Mapping[str, Said] = field(default_factory=dict)
    known: bool = False
    """False for a stub: something is said to come from it, and nothing of itself."""

    def value(self, name: str) -> str | None:
        said = self.attributes.get(name)
        return said.value if said else None


def fold_states(facts: Iterable[Fact], until: Time | None = None) -> dict[Key, State]:
    """Answer the state of every child in the facts: of each attribute what was said last."""
    newest: dict[Key, dict[str, tuple[Fact, str | None]]] = defaultdict(dict)
    for fact in facts:
        if until is not None and fact.evidence.time > until:
            continue
        said = newest[fact.child]
        if fact.relation is not Relation.NOTED:
            continue
        for name, value in fact.attributes:
            if name not in said or _counts_more((fact, value), said[name], name):
                said[name] = (fact, value)
    for said in newest.values():
        if EVERY_TAG in said:
            emptied = said[EVERY_TAG][0]
            for name in [each for each in said if each.startswith("tag:") and not _is_later(said[each][0], emptied)]:
                del said[name]
    return {
        key: State(
            key,
            {name: Said(value, fact.evidence) for name, (fact, value) in sorted(said.items()) if value is not None},
            known=True,
        )
        for key, said in newest.items()
    }


def _counts_more(one: tuple[Fact, str | None], other: tuple[Fact, str | None], name: str) -> bool:
    if name == STATE and one[0].evidence.time == other[0].evidence.time and (one[1] == ENDED) != (other[1] == ENDED):
        return one[1] == ENDED
    return _is_later(one[0], other[0])


def in_order_of_saying(facts: Iterable[Fact], name: str) -> list[Fact]:
    """Answer the facts that say something of an attribute, that all tags are gone included; the last one counts."""
    is_tag = name.startswith("tag:")
    said = [(fact, dict(fact.attributes)) for fact in facts]
    mine = [(fact, all_of) for fact, all_of in said if name in all_of or (is_tag and EVERY_TAG in all_of)]
    mine.sort(
        key=lambda each: (
            each[0].evidence.time,
            name == STATE and each[1][name] == ENDED,
            each[0].evidence.event_id,
            each[0].id,
        )
    )
    return [fact for fact, _ in mine]


def _is_later(one: Fact, other: Fact) -> bool:
    """Tell which of two counts. Ids, which take a hash, are asked for only where one event says two things."""
    return one.order > other.order or (one.order == other.order and one.id > other.id)


@dataclass(frozen=True, slots=True)
class Period:
    """A fact and how long it holds: from its own time on, unless it holds again."""

    fact: Fact
    until: Time | None
    """Inclusive: the time of what replaces it. None: it holds on."""
    again: Time | None = None
    """From when it holds for another time: an instance's root was set back to what it was launched from."""

    @property
    def since(self) -> Time:
        return self.fact.evidence.time if self.again is None else self.again


def periods_of(facts: Iterable[Fact]) -> list[Period]:
    """Answer how long each fact holds, given ALL facts of their children with their relations.

    Of an exclusive group the facts of one event hold together, until the next event of the group. At the one instant at
    which both hold, both are answered: CloudTrail tells whole seconds, and which came first cannot be known then.
    """
    groups: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    ends: dict[tuple[Key, Relation], list[Fact]] = defaultdict(list)
    found: list[Period] = []
    for fact in facts:
        exclusive = RULES[fact.relation].exclusive
        if exclusive is None:
            found.append(Period(fact, None))
        elif exclusive is Exclusive.PAIR and fact.parent.endswith(f"/{EVERY}"):
            ends[fact.child, fact.relation].append(fact)
        elif exclusive is Exclusive.PAIR:
            groups[fact.child, fact.relation, fact.parent].append(fact)
        else:
            groups[fact.child, exclusive].append(fact)
    for group in groups.values():
        found += _periods_in(group, ends.get((group[0].child, group[0].relation), []))
    return found


def _periods_in(group: list[Fact], ends: list[Fact]) -> Iterable[Period]:
    newest: dict[tuple[int, str], int] = defaultdict(int)
    for fact in group:
        newest[fact.order] = max(newest[fact.order], _version(fact))
    # Of two events in one second, the one of the higher version is the later one: versions are counted upwards.
    moments = sorted({fact.order for fact in (*group, *ends)}, key=lambda each: (each[0], newest[each], each[1]))
    following: dict[tuple[int, str], Time | None] = {each: Time(after[0]) for each, after in pairwise(moments)}
    launches = {fact.parent: fact for fact in group if fact.relation is Relation.LAUNCHED_FROM}
    for fact in sorted(group, key=lambda each: (*each.order, each.id)):
        until = following.get(fact.order)
        if fact.parent == fact.child and launches:
            # Its own root again: that of the launch, whatever has replaced it in between.
            yield from (Period(launch, until, fact.evidence.time) for launch in launches.values())
        elif dict(fact.attributes).get(HOLDS) != "no":
            yield Period(fact, until)


def _version(fact: Fact) -> int:
    number = fact.parent.rpartition(":")[2] if fact.relation is Relation.RESOLVES_TO else ""
    return int(number) if number.isdecimal() and len(number) <= 18 else 0


def hold_at(periods: Iterable[Period], time: Time) -> list[Fact]:
    """Answer the facts that hold at a time."""
    return [each.fact for each in periods if each.since <= time and (each.until is None or time <= each.until)]
