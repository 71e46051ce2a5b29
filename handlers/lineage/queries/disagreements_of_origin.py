"""The rules by which events, DescribeImages and GetImageAncestry are compared about an image's origin."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.lineage.findings import Severity
from handlers.lineage.model import Fact, Key, Kind, Relation, Source, kind_of
from handlers.lineage.queries.descent import ancestors
from handlers.lineage.queries.disagreement import (
    ASKED,
    EVENTS,
    SETTLED,
    Case,
    Found,
    Known,
    Rule,
    Side,
    differing,
    name_of,
    names,
)

_ANCESTRY = frozenset({Source.ANCESTRY_API})


def _booted(case: Case, known: Known) -> dict[Key, Fact]:
    """Answer the images that an image may have come from by the machine that it was made of."""
    found: dict[Key, Fact] = {}
    for machine, made in case.parents(EVENTS, Relation.CREATED_FROM).items():
        for root in known.roots.get(machine, ()):
            # AWS may name the image of the launch, or one that has replaced it since [H]: either is no contradiction.
            if root.evidence.time <= made.evidence.time + SETTLED and kind_of(root.parent) is Kind.IMAGE:
                found[root.parent] = made
    return found


def _parents(case: Case, known: Known, native: dict[Key, Fact], call: str) -> Iterator[Found]:
    sources, what = ("events", call), "the image it came from"
    yield from differing(case.parents(EVENTS, Relation.COPIED_FROM, kind=Kind.IMAGE), native, sources, what)
    yield from differing(_booted(case, known), native, sources, what, either=True)


def parent(case: Case, known: Known) -> Iterator[Found]:
    native = case.parents(ASKED, Relation.DERIVED_FROM, kind=Kind.IMAGE)
    yield from _parents(case, known, native, "DescribeImages")
    registered = case.parents(EVENTS, Relation.REGISTERED_FROM)
    yield from differing(registered, native, ("events", "DescribeImages"), "what it came from")


def ancestry(case: Case, known: Known) -> Iterator[Found]:
    native = case.parents(_ANCESTRY, Relation.DERIVED_FROM)
    yield from _parents(case, known, native, "GetImageAncestry")
    described = case.parents(ASKED, Relation.DERIVED_FROM, kind=Kind.IMAGE)
    yield from differing(described, native, ("DescribeImages", "GetImageAncestry"), "the image it came from")


def source_instance(case: Case, known: Known) -> Iterator[Found]:  # noqa: ARG001 - as all rules
    told, native = (case.parents(by, Relation.CREATED_FROM) for by in (EVENTS, ASKED))
    yield from differing(told, native, ("events", "DescribeImages"), "the instance it was made of")


def mark(case: Case, known: Known) -> Iterator[Found]:
    """A watermark says of which image this one is a descendant."""
    for watermark, fact in case.holding(ASKED, Relation.WATERMARKED).items():
        source = dict(fact.attributes).get("source")
        if not source or source == case.key:
            continue
        descent = ancestors(known.graph, case.key, known.scope, known.bounds)
        if Key(source) not in descent.things and not descent.truncated:
            yield (
                Side("events", f"it descends from {names(set(descent.tops) - {case.key})}"),
                Side("DescribeImages", f"it carries {name_of(watermark)} of {name_of(Key(source))}", (fact,)),
                f"it carries {name_of(watermark)} of {name_of(Key(source))}, of which it does not descend",
                None,
            )


RULES: tuple[Rule, ...] = (
    Rule(
        "parent",
        Kind.IMAGE,
        Severity.HIGH,
        "events (CopyImage, CreateImage)",
        "DescribeImages (SourceImageId)",
        "Events and DescribeImages name different parents of an image",
        "take the image out of use until it is known which of the two is right; look for a forged or a lost event",
        parent,
    ),
    Rule(
        "ancestry",
        Kind.IMAGE,
        Severity.HIGH,
        "events, DescribeImages",
        "GetImageAncestry",
        "GetImageAncestry names another parent of an image than events or DescribeImages",
        "take the image out of use until it is known which of them is right",
        ancestry,
    ),
    Rule(
        "source-instance",
        Kind.IMAGE,
        Severity.HIGH,
        "events (CreateImage)",
        "DescribeImages (SourceInstanceId)",
        "Events and DescribeImages name different instances of which an image was made",
        "look for a forged CreateImage, and at what the instance that AWS names was running",
        source_instance,
    ),
    Rule(
        "watermark",
        Kind.IMAGE,
        Severity.HIGH,
        "events (ancestors)",
        "DescribeImages (ImageWatermarks)",
        "An image carries the watermark of an image of which it does not descend",
        "find out how the image was made: a hop of its lineage was not heard",
        mark,
    ),
)
