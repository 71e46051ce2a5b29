"""A graph in memory, as plain as can be: what the engines must equal, and a double for tests of pure code."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from handlers.lineage.graph import Found, Search
from handlers.lineage.model import (
    Batch,
    Confidence,
    Evidence,
    Fact,
    Key,
    Kind,
    Place,
    Relation,
    Source,
    Time,
    attributes_of,
    key_of,
    noted,
    parts_of,
)
from org.model import AccountId, Region

ACCOUNT = AccountId("111122223333")
REGION = Region("eu-central-1")


class MemoryGraph:
    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self.places: dict[Place, Time] = {}

    def append(self, batch: Batch) -> None:
        self.facts.update((fact.id, fact) for fact in batch.facts)
        for place, time in batch.heard.items():
            self.places[place] = max(time, self.places.get(place, time))

    def facts_of(
        self, children: Collection[Key], relations: Collection[Relation], until: Time | None = None
    ) -> list[Fact]:
        wanted, kinds = set(children), set(relations)
        found = [each for each in self.facts.values() if each.child in wanted and each.relation in kinds]
        return sorted(_until(found, until), key=lambda each: (each.child, *each.order, each.id))

    def facts_into(
        self, parents: Collection[Key], relations: Collection[Relation], until: Time | None = None, limit: int = 10_000
    ) -> list[Fact]:
        wanted, kinds = set(parents), set(relations)
        found = [
            each for each in self.facts.values() if each.parent in wanted and each.relation in kinds - {Relation.NOTED}
        ]
        return sorted(_until(found, until), key=lambda each: (each.parent, *each.order, each.id))[:limit]

    def find(self, search: Search, after: Key | None = None, limit: int = 100) -> Found:
        said: dict[Key, set[tuple[str, str | None]]] = {}
        for fact in self.facts.values():
            for key in (fact.child, fact.parent):
                said.setdefault(key, set()).update(fact.attributes if fact.relation is Relation.NOTED else ())
        fits = sorted(key for key, attributes in said.items() if _fits(search, key, attributes))
        fits = [key for key in fits if after is None or key > after]
        return Found(tuple(fits[:limit]), len(fits) > limit)

    def export(self) -> Iterator[Fact]:
        return (self.facts[each] for each in sorted(self.facts))

    def heard(self) -> Mapping[Place, Time]:
        return dict(self.places)

    def close(self) -> None:
        pass


def _until(facts: list[Fact], until: Time | None) -> list[Fact]:
    return [each for each in facts if until is None or each.evidence.time <= until]


def _fits(search: Search, key: Key, said: set[tuple[str, str | None]]) -> bool:
    _, region, kind, _ = parts_of(key)
    if kind is not search.kind or (search.region is not None and region != search.region):
        return False
    if not all(pair in said for pair in search.equal):
        return False
    return all(
        any(name == wanted and value is not None and part in value for name, value in said)
        for wanted, part in search.containing
    )


def evidence(time: int, event: str = "", actor: str = "arn:aws:iam::111122223333:role/Builder") -> Evidence:
    """Something that happened `time` seconds after a fixed day."""
    return Evidence(
        Source.CLOUDTRAIL,
        event or f"event-{time}",
        Time(1_790_000_000_000 + time * 1000),
        ACCOUNT,
        REGION,
        actor,
        Confidence.OBSERVED,
    )


def fact(relation: Relation, child: Key, parent: Key, time: int, event: str = "", **said: str | None) -> Fact:
    return Fact(relation, child, parent, evidence(time, event), attributes_of(said))


def note(key: Key, time: int, event: str = "", **said: str | None) -> Fact:
    return noted(key, evidence(time, event), said)


def image(name: str) -> Key:
    return key_of(Kind.IMAGE, f"ami-{name}", REGION)


def instance(name: str) -> Key:
    return key_of(Kind.INSTANCE, f"i-{name}", REGION)
