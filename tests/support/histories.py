"""Small random histories, and what descends from what in them by trying every path: slow, plain, and no code shared."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hypothesis import strategies as st

from handlers.lineage.fold import hold_at, periods_of
from handlers.lineage.model import Fact, Key, Kind, Relation, Time, key_of, kind_of
from handlers.lineage.relations import RULES, Role
from tests.support.lineage import REGION, fact, image, instance

LAST = 9
"""Seconds: facts lie before it."""


def key(kind: Kind, name: str) -> Key:
    return key_of(kind, name, REGION)


IMAGES = [image(name) for name in "abcd"]
SNAPSHOTS = [key(Kind.SNAPSHOT, f"snap-{n}") for n in "12"]
VOLUMES = [key(Kind.VOLUME, f"vol-{n}") for n in "12"]
INSTANCES = [instance(n) for n in "12"]
VERSIONS = [key(Kind.TEMPLATE_VERSION, f"lt-1:{n}") for n in "12"]
DEFAULT = [key(Kind.TEMPLATE_VERSION, "lt-1:$Default")]
PARAMETER = [key(Kind.PARAMETER, "111122223333//golden")]
VALUES = [key(Kind.PARAMETER, f"111122223333//golden:{n}") for n in "12"]
GROUP = [key(Kind.GROUP, "111122223333/web")]
CONFIGURATION = [key(Kind.LAUNCH_CONFIGURATION, "111122223333/old")]
OBJECT = [key_of(Kind.OBJECT, "bucket/ami-a.bin")]
PIPELINE = [key(Kind.RECIPE, "arn:aws:imagebuilder:eu-central-1:111122223333:image-pipeline/p")]

SHAPES: list[tuple[Relation, list[Key], list[Key]]] = [
    (Relation.COPIED_FROM, IMAGES, IMAGES),
    (Relation.CREATED_FROM, IMAGES, INSTANCES),
    (Relation.CREATED_FROM, IMAGES, INSTANCES),
    (Relation.REGISTERED_FROM, IMAGES, SNAPSHOTS),
    (Relation.RESTORED_FROM, IMAGES, OBJECT),
    (Relation.BUILT_BY, IMAGES, PIPELINE),
    (Relation.STORED_FROM, OBJECT, IMAGES),
    (Relation.SNAPSHOT_OF, SNAPSHOTS, VOLUMES),
    (Relation.VOLUME_FROM, VOLUMES, SNAPSHOTS),
    (Relation.VOLUME_FROM, VOLUMES, VOLUMES),
    (Relation.ATTACHED_TO, VOLUMES, INSTANCES),
    (Relation.LAUNCHED_FROM, INSTANCES, IMAGES),
    (Relation.LAUNCHED_FROM, INSTANCES, IMAGES),
    (Relation.ROOT_REPLACED_BY, INSTANCES, IMAGES + SNAPSHOTS + VOLUMES),
    (Relation.ROOT_REPLACED_BY, INSTANCES, INSTANCES),
    (Relation.USES, INSTANCES, VERSIONS + DEFAULT),
    (Relation.USES, GROUP, VERSIONS + DEFAULT + CONFIGURATION),
    (Relation.REFERENCES, GROUP, IMAGES + INSTANCES),
    (Relation.REFERENCES, VERSIONS, IMAGES + PARAMETER + VERSIONS + DEFAULT),
    (Relation.REFERENCES, CONFIGURATION, IMAGES + INSTANCES),
    (Relation.REFERENCES, PIPELINE, IMAGES),
    (Relation.RESOLVES_TO, DEFAULT, VERSIONS),
    (Relation.RESOLVES_TO, PARAMETER, VALUES),
    (Relation.REFERENCES, VALUES, IMAGES),
]


@st.composite
def a_fact(draw: st.DrawFn) -> Fact:
    relation, children, parents = draw(st.sampled_from(SHAPES))
    time = draw(st.integers(0, LAST - 1))
    said = {"holds": "no"} if relation is Relation.RESOLVES_TO and draw(st.integers(0, 4)) == 0 else {}
    child, parent = draw(st.sampled_from(children)), draw(st.sampled_from(parents))
    if relation is Relation.ROOT_REPLACED_BY and parent in INSTANCES:
        parent = child  # Set back to the launch.
    return fact(relation, child, parent, time, f"{draw(st.sampled_from('ab'))}-{time}", **said)


histories = st.lists(a_fact(), min_size=1, max_size=24)

Point = tuple[Key, int]


def second(time: Time) -> int:
    return (time - 1_790_000_000_000) // 1000


def at(time: int) -> Time:
    return Time(1_790_000_000_000 + time * 1000)


def _unchanging(key: Key) -> bool:
    return key in {*IMAGES, *SNAPSHOTS, *VERSIONS, *VALUES, *CONFIGURATION}


def parents_of(point: Point, facts: Collection[Fact]) -> Iterable[Point]:
    """Answer what a thing at a second has its content from, by the rules as the documentation states them."""
    child, when = point
    mine = [each for each in facts if each.child == child]
    roots = [each for each in mine if RULES[each.relation].role is Role.ROOT]
    holding = set(hold_at(periods_of(mine), at(when)))
    for each in mine:
        if each.parent == child:
            continue
        then, role = second(each.evidence.time), RULES[each.relation].role
        if each.relation is Relation.ATTACHED_TO:
            yield from ((each.parent, since) for since in range(then, when + 1))
        elif role is Role.DERIVATION:
            if _unchanging(child) or each.relation is not Relation.STORED_FROM or then <= when:
                yield each.parent, then
        elif kind_of(child) is Kind.INSTANCE:
            group = roots or mine
            if each in roots or (not roots and role is Role.REFERENCE):
                first = min((one for one in group if RULES[one.relation].role is not Role.DERIVATION), key=_order)
                before = _order(each) == _order(first) and each.relation is not Relation.ROOT_REPLACED_BY
                if each in holding or (before and when < then):
                    yield each.parent, then
        elif role is Role.REFERENCE and (each in holding or _unchanging(child)):
            taken_over = kind_of(each.parent) is Kind.INSTANCE or (
                each.relation is Relation.REFERENCES and kind_of(each.parent) is Kind.TEMPLATE_VERSION
            )
            yield each.parent, then if taken_over else when


def _order(fact: Fact) -> tuple[int, str]:
    return fact.order


def everything_above(start: Point, facts: Collection[Fact], without: Collection[Key] = ()) -> set[Point]:
    """Answer all that a thing at a second descends from, the start included, on paths around some things."""
    seen: set[Point] = set()
    waiting = [start]
    while waiting:
        key, when = waiting.pop()
        point = (key, 0) if key in IMAGES or key in SNAPSHOTS else (key, when)
        if point not in seen and key not in without:
            seen.add(point)
            waiting += parents_of(point, facts)
    return seen
