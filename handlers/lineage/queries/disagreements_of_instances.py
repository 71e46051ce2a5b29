"""The rules about instances: what they were launched from, and what they boot."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.lineage.events.envelope import time_of
from handlers.lineage.findings import Severity
from handlers.lineage.model import Key, Kind, Relation, key_of, parts_of
from handlers.lineage.queries.disagreement import ASKED, EVENTS, SETTLED, Case, Found, Known, Rule, Side, name_of, names
from handlers.lineage.queries.effective_root import IMAGE_ID, effective_root

_TASK = 3_600_000
"""Milliseconds that a root volume's replacement may take from the call to the attachment [H]."""


def _named(case: Case) -> Key | None:
    said = case.asked.value(IMAGE_ID)
    parts = parts_of(case.key)
    return key_of(Kind.IMAGE, said, parts.region, parts.partition) if said else None


def launch(case: Case, known: Known) -> Iterator[Found]:  # noqa: ARG001 - as all rules
    """What it was launched from; where its root was replaced since, the next rule asks."""
    told, named = case.parents(EVENTS, Relation.LAUNCHED_FROM), _named(case)
    if told and named and named not in told and not case.by(EVENTS, Relation.ROOT_REPLACED_BY):
        yield (
            Side("events", names(told), tuple(told.values())),
            Side("DescribeInstances", name_of(named), case.fact_of(ASKED, IMAGE_ID)),
            f"what it was launched from: events say {names(told)}, DescribeInstances says {name_of(named)}",
            None,
        )


def root_swap(case: Case, known: Known) -> Iterator[Found]:
    """What it boots now, beside the image that AWS goes on naming."""
    swaps, named = case.by(EVENTS, Relation.ROOT_REPLACED_BY), _named(case)
    if not swaps or named is None:
        return
    found = effective_root(known.graph, case.key, known.scope, known.bounds)
    if found.differs:
        boots = names(found.images) if found.images else names(each.fact.parent for each in found.roots)
        yield (
            Side("events", boots, tuple(each.fact for each in found.roots)),
            Side("DescribeInstances", name_of(named), case.fact_of(ASKED, IMAGE_ID)),
            f"what it boots: events say {boots}, DescribeInstances goes on naming {name_of(named)}",
            None,
        )


def unheard_swap(case: Case, known: Known) -> Iterator[Found]:
    """Its root was attached after the launch, and no call was heard that did it."""
    said = case.asked.value("root_attached_at")
    if case.asked.value("root_replaced") != "yes" or said is None:
        return
    attached, first = time_of(said, "root_attached_at"), known.reading(case).first
    if first is None or not first <= attached <= known.now - SETTLED:
        return
    swaps = case.by(EVENTS, Relation.ROOT_REPLACED_BY)
    if not any(abs(each.evidence.time - attached) <= _TASK for each in swaps):
        yield (
            Side("events", "no root was replaced"),
            Side(
                "DescribeInstances",
                f"its root {case.asked.value('root_volume')} was attached at {said}",
                case.fact_of(ASKED, "root_attached_at"),
            ),
            f"its root volume was attached at {said}, after its launch, and no event told of it",
            None,
        )


RULES: tuple[Rule, ...] = (
    Rule(
        "launch",
        Kind.INSTANCE,
        Severity.HIGH,
        "events (RunInstances)",
        "DescribeInstances (ImageId)",
        "Events and DescribeInstances name different images of which an instance was launched",
        "look in CloudTrail for its RunInstances: an event is forged, or the root was replaced and nobody told",
        launch,
    ),
    Rule(
        "root-swap",
        Kind.INSTANCE,
        Severity.HIGH,
        "events (CreateReplaceRootVolumeTask, AttachVolume)",
        "DescribeInstances (ImageId)",
        "An instance does not boot the image that DescribeInstances names",
        "judge the instance by what it boots; launch it anew if that is not approved",
        root_swap,
    ),
    Rule(
        "root-swap-unheard",
        Kind.INSTANCE,
        Severity.HIGH,
        "events (CreateReplaceRootVolumeTask, AttachVolume)",
        "DescribeInstances (BlockDeviceMappings)",
        "The root volume of an instance came after its launch, and no event told of it",
        "look in CloudTrail for who replaced it; launch the instance anew",
        unheard_swap,
    ),
)
