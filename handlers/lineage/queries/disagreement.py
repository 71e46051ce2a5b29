"""What a rule about contradictions is given: one thing with all its facts, and what is known besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from handlers.lineage.findings import Severity
from handlers.lineage.fold import State, fold_states, hold_at, periods_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Key, Kind, Place, Relation, Source, Time, kind_of, parts_of
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.fetch import facts_of
from handlers.lineage.queries.places import PlaceReading
from handlers.lineage.queries.windows import END
from handlers.lineage.relations import WITH_ROLE, Role
from org.ids import AccountId

EVENTS = frozenset({Source.CLOUDTRAIL, Source.NOTIFICATION})
ASKED = frozenset({Source.DESCRIBE})
SETTLED = 15 * 60_000
"""Milliseconds: events come late, and EC2's answers are eventually consistent. What is newer is not judged yet.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""
APPROVED = ("ec2:SharedTag/status", "approved")
_NONE = PlaceReading(Place(AccountId("-"), parts_of(Key("aws/-/account/-")).region))


@dataclass(frozen=True, slots=True)
class Side:
    """What one source says, and by which facts; none where it is silent."""

    source: str
    """`events`, or the call of AWS that was asked."""
    says: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Case:
    """A thing and all that was said of it."""

    key: Key
    facts: tuple[Fact, ...]

    def by(self, sources: frozenset[Source], *relations: Relation) -> list[Fact]:
        return [each for each in self.facts if each.evidence.source in sources and each.relation in relations]

    def parents(self, sources: frozenset[Source], *relations: Relation, kind: Kind | None = None) -> dict[Key, Fact]:
        """Answer what it came from, each with the last fact that says so."""
        return {
            each.parent: each for each in self.by(sources, *relations) if kind is None or kind_of(each.parent) is kind
        }

    def state(self, sources: frozenset[Source]) -> State:
        """Answer what these sources say of it now."""
        return fold_states(self.by(sources, Relation.NOTED)).get(self.key, State(self.key))

    @cached_property
    def told(self) -> State:
        return self.state(EVENTS)

    @cached_property
    def asked(self) -> State:
        return self.state(ASKED)

    @cached_property
    def owner(self) -> str:
        """As AWS says, else as events do."""
        return self.asked.value("owner") or self.told.value("owner") or ""

    def holding(self, sources: frozenset[Source], relation: Relation) -> dict[Key, Fact]:
        """Answer the parents of a relation that hold now, as far as these sources say."""
        return {each.parent: each for each in hold_at(periods_of(self.by(sources, relation)), END)}

    def fact_of(self, sources: frozenset[Source], name: str) -> tuple[Fact, ...]:
        """Answer the fact by which an attribute is as it is."""
        said = self.state(sources).attributes.get(name)
        if said is None:
            return ()
        return tuple(each for each in self.by(sources, Relation.NOTED) if each.evidence == said.evidence)[:1]


@dataclass
class Known:
    """What is known besides one thing."""

    graph: Graph
    scope: Scope
    bounds: Bounds
    now: Time
    readings: Mapping[Place, PlaceReading]
    approval: tuple[str, str] = APPROVED
    roots: dict[Key, list[Fact]] = field(default_factory=dict)
    """What instances boot that images were made of."""

    def prepare(self, cases: Sequence[Case]) -> None:
        """Read at once what the rules ask of other things."""
        machines = {
            fact.parent for case in cases for fact in case.by(EVENTS | ASKED, Relation.CREATED_FROM)
        } - self.roots.keys()
        for fact in facts_of(self.graph, machines, WITH_ROLE[Role.ROOT], None):
            self.roots.setdefault(fact.child, []).append(fact)

    def reading(self, case: Case) -> PlaceReading:
        """Answer what is known of where the thing is."""
        return self.readings.get(Place(AccountId(case.owner), parts_of(case.key).region), _NONE)

    def read_at(self, case: Case) -> Time | None:
        """Answer until when AWS's answers about the thing are good: what is as it was is not sent again."""
        at = self.reading(case).reconciled
        return None if at is None or at > self.now else at


Found = tuple[Side, Side, str, Severity | None]
"""Both sides, the whole of it as a sentence, and how bad it is where that is not as usual."""
Judge = Callable[[Case, Known], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pair of sources, and what is asked of them."""

    name: str
    kind: Kind
    severity: Severity
    first: str
    second: str
    title: str
    todo: str
    judge: Judge


def names(keys: Iterable[Key]) -> str:
    """Write things for people: by id, with the Region where there is one."""
    return ", ".join(sorted(name_of(key) for key in keys)) or "nothing"


def name_of(key: Key) -> str:
    return parts_of(key).name


def differing(
    first: Mapping[Key, Fact], second: Mapping[Key, Fact], sources: tuple[str, str], what: str, *, either: bool = False
) -> Iterator[Found]:
    """Yield a contradiction where both sides name something, and not the same.

    `either`: the first side names what it may be, and one of them is enough.
    """
    same = second.keys() <= first.keys() if either else second.keys() == first.keys()
    if first and second and not same:
        one, other = names(first), names(second)
        yield (
            Side(sources[0], one, tuple(first.values())),
            Side(sources[1], other, tuple(second.values())),
            f"{what}: {one} by {sources[0]}, {other} by {sources[1]}",
            None,
        )
