"""The rules by which events and AWS's own answers are held against each other, one for each pair of sources."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.lineage.findings import Severity
from handlers.lineage.model import Fact, Key, Kind, Relation, Source, kind_of
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
from handlers.lineage.queries.disagreements_of_instances import RULES as OF_INSTANCES
from handlers.lineage.queries.disagreements_of_uses import RULES as OF_USES
from handlers.lineage.queries.things import CREATION_METHOD, MADE, OWNER, STATE

_ANCESTRY = frozenset({Source.ANCESTRY_API})
USABLE, GONE = "usable", "gone"
_MEANS = {
    "pending": USABLE,
    "available": USABLE,
    "transient": USABLE,
    "disabled": "disabled",
    "deregistered": GONE,
    "missing": GONE,
    "failed": GONE,
    "invalid": GONE,
    "error": GONE,
}
"""What a state comes to: that the event about `available` was lost makes no contradiction to `pending`."""


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


def owner(case: Case, known: Known) -> Iterator[Found]:  # noqa: ARG001 - as all rules
    told, native = case.told.value(OWNER), case.asked.value(OWNER)
    if told and native and told != native:
        yield (
            Side("events", told, case.fact_of(EVENTS, OWNER)),
            Side("DescribeImages", native, case.fact_of(ASKED, OWNER)),
            f"whose it is: events say {told}, DescribeImages says {native}",
            None,
        )


def state(case: Case, known: Known) -> Iterator[Found]:
    """Only what was told well before the last reading can be held against it."""
    told, native, read = case.told.attributes.get(STATE), case.asked.attributes.get(STATE), known.read_at(case)
    if told is None or native is None or read is None or told.evidence.time > read - SETTLED:
        return
    if _MEANS.get(told.value, told.value) != _MEANS.get(native.value, native.value):
        yield (
            Side("events", told.value, case.fact_of(EVENTS, STATE)),
            Side("DescribeImages", native.value, case.fact_of(ASKED, STATE)),
            f"its state: events say {told.value}, DescribeImages says {native.value}",
            None,
        )


def approval_tag(case: Case, known: Known) -> Iterator[Found]:
    """Whoever set it, nobody was heard to. (That an approval stands behind it is for the approvals to say.)"""
    name, value = known.approval
    attribute = f"tag:{name}"
    if case.asked.value(attribute) != value:
        return
    if not any((attribute, value) in each.attributes for each in case.by(EVENTS, Relation.NOTED)):
        yield (
            Side("events", "nobody was heard to set it"),
            Side("DescribeImages", f"{name}={value}", case.fact_of(ASKED, attribute)),
            f"it is tagged {name}={value}, and nobody was heard to set the tag",
            None,
        )


def approval_gone(case: Case, known: Known) -> Iterator[Found]:
    """Worse where the event is newer than what was sent of AWS's answers, which are not sent again while they stay.

    The image then goes on being judged as approved.
    """
    name, value = known.approval
    attribute = f"tag:{name}"
    told, read, described = case.told.attributes.get(attribute), known.read_at(case), case.asked.attributes.get(STATE)
    if told is None or told.value != value or read is None or described is None or case.asked.value(attribute) == value:
        return
    if told.evidence.time <= read - SETTLED:
        yield (
            Side("events", f"{name}={value}", case.fact_of(EVENTS, attribute)),
            Side("DescribeImages", f"{name} is {case.asked.value(attribute) or 'not there'}"),
            f"events say that it is tagged {name}={value}, and DescribeImages does not",
            None if described.evidence.time < told.evidence.time else Severity.MEDIUM,
        )


def _is_told(case: Case) -> bool:
    """Tell whether events tell how the image was made."""
    return any(
        each.relation in MADE or any(name == CREATION_METHOD for name, _ in each.attributes)
        for each in case.facts
        if each.evidence.source in EVENTS
    )


def unheard(case: Case, known: Known) -> Iterator[Found]:
    """An image without an event: it was dropped, or came from where nobody hears."""
    first = known.reading(case).first
    if case.asked.value(STATE) is None or first is None or _is_told(case):
        return
    made = min(each.evidence.time for each in case.by(ASKED, Relation.NOTED))
    if first <= made <= known.now - SETTLED:
        yield (
            Side("events", "nothing was heard of its making"),
            Side(
                "DescribeImages",
                f"it was made at {case.asked.value('created_at')}",
                tuple(case.by(ASKED, Relation.NOTED))[:1],
            ),
            "DescribeImages knows it, and no event told of its making since its account was first listened to",
            None,
        )


def unseen(case: Case, known: Known) -> Iterator[Found]:
    """An event without an image: it is forged, or the image went and nobody told."""
    told, read, since = case.told.attributes.get(STATE), known.read_at(case), known.reading(case).since
    if not _is_told(case) or read is None or since is None:
        return
    last = max(each.evidence.time for each in case.facts if each.evidence.source in EVENTS)
    if last > read - SETTLED or (told is not None and _MEANS.get(told.value, told.value) == GONE):
        return
    said = case.asked.attributes.get(STATE)
    if said is None or said.evidence.time < since:
        yield (
            Side("events", "it was made", tuple(each for each in case.facts if each.evidence.source in EVENTS)[:1]),
            Side("DescribeImages", "there is no such image"),
            "events tell of its making and of no end, and DescribeImages does not know it",
            None,
        )


def mark(case: Case, known: Known) -> Iterator[Found]:
    """A watermark says of which image this one is a descendant."""
    from handlers.lineage.queries.descent import ancestors

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
        "owner",
        Kind.IMAGE,
        Severity.HIGH,
        "events",
        "DescribeImages (OwnerId)",
        "Events and DescribeImages name different owners of an image",
        "find out who truly owns the image before anything is launched from it",
        owner,
    ),
    Rule(
        "state",
        Kind.IMAGE,
        Severity.HIGH,
        "events (state)",
        "DescribeImages (State)",
        "The state of an image is not as events told it",
        "look in CloudTrail for who changed it: a call was not heard, or an event is forged",
        state,
    ),
    Rule(
        "approval-tag",
        Kind.IMAGE,
        Severity.CRITICAL,
        "events (CreateTags)",
        "DescribeImages (Tags)",
        "An image is tagged as approved, and nobody was heard to approve it",
        "remove the tag, and look in CloudTrail for who set it",
        approval_tag,
    ),
    Rule(
        "approval-gone",
        Kind.IMAGE,
        Severity.CRITICAL,
        "events (CreateTags)",
        "DescribeImages (Tags)",
        "Events tell that an image was tagged as approved, and it is not",
        "do not take it as approved, whatever it is judged to be: DeleteTags was not heard, or CreateTags is forged",
        approval_gone,
    ),
    Rule(
        "unheard",
        Kind.IMAGE,
        Severity.HIGH,
        "events",
        "DescribeImages",
        "An image exists of whose making no event told",
        "look in CloudTrail for its making (an import tells its image in no event), and at the account's event rules",
        unheard,
    ),
    Rule(
        "unseen",
        Kind.IMAGE,
        Severity.HIGH,
        "events",
        "DescribeImages",
        "Events tell of an image that DescribeImages does not know",
        "look in CloudTrail for its making and its end: the event is forged, or DeregisterImage was not heard",
        unseen,
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
    *OF_USES,
    *OF_INSTANCES,
)
"""In the order in which a thing's contradictions are told."""
