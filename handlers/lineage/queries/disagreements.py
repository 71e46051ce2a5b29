"""The rules by which events and AWS's own answers are held against each other, one for each pair of sources."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.lineage.findings import Severity
from handlers.lineage.model import Kind, Relation
from handlers.lineage.queries.disagreement import ASKED, EVENTS, SETTLED, Case, Found, Known, Rule, Side
from handlers.lineage.queries.disagreements_of_instances import RULES as OF_INSTANCES
from handlers.lineage.queries.disagreements_of_origin import RULES as OF_ORIGIN
from handlers.lineage.queries.disagreements_of_uses import RULES as OF_USES
from handlers.lineage.queries.things import CREATION_METHOD, MADE, OWNER, STATE

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

    The graph then goes on telling the tag; the compliance rule `approval` is not evaluated (`Subject.is_denied`).
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


RULES: tuple[Rule, ...] = (
    *OF_ORIGIN,
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
    *OF_USES,
    *OF_INSTANCES,
)
"""In the order in which a thing's contradictions are told."""
