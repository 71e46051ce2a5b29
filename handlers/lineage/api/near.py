"""What is next to an image: through machines, volumes and snapshots, and not through other images."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from handlers.lineage.api.answers import Answer
from handlers.lineage.api.images import Ami, ami_of, made_at
from handlers.lineage.model import Key, Kind, kind_of
from handlers.lineage.queries.descent import Descent
from handlers.lineage.queries.things import Thing

UNKNOWN = "unknown"


class AmiInstance(Answer):
    """A machine that boots it."""

    instance_id: str
    account_id: str
    region: str
    state: str


class LineageData(Answer):
    """What is next to it: through machines, volumes and snapshots, and not through other images."""

    parent_amis: list[Ami]
    child_amis: list[Ami]
    instances: list[AmiInstance]


class Near(NamedTuple):
    """What is next to an image on one side."""

    images: list[Thing]
    machines: list[Thing]


def next_to(key: Key, up: Descent, down: Descent) -> LineageData:
    above, below = _nearest(key, up, upward=True), _nearest(key, down, upward=False)
    made, came = made_at(up.hops), made_at(down.hops)
    return LineageData(
        parent_amis=[Ami.model_validate(ami_of(each, made)) for each in above.images],
        child_amis=[Ami.model_validate(ami_of(each, came)) for each in below.images],
        instances=[
            AmiInstance(
                instance_id=each.key.rpartition("/")[2],
                account_id=each.account,
                region=each.region,
                state=each.state or UNKNOWN,
            )
            for each in below.machines
            if not each.gone
        ],
    )


def _nearest(key: Key, side: Descent, *, upward: bool) -> Near:
    """Answer the images that are reached through no other image, and the machines on the way that hold it now."""
    following: dict[Key, list[Key]] = defaultdict(list)
    for hop in side.hops:
        start, end = (hop.child, hop.parent) if upward else (hop.parent, hop.child)
        following[start].append(end)
    formerly = set(side.formerly)
    seen, waiting = {key}, [key]
    images: list[Key] = []
    machines: list[Key] = []
    while waiting:
        for each in following[waiting.pop()]:
            if each in seen:
                continue
            seen.add(each)
            kind = kind_of(each)
            if kind is Kind.IMAGE:
                images.append(each)
                continue
            if kind is Kind.INSTANCE and each not in formerly:
                machines.append(each)
            waiting.append(each)
    return Near([side.things[each] for each in sorted(images)], [side.things[each] for each in sorted(machines)])
