"""What was heard of one event, and of many: the batch that a graph takes, with all that could not be read counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.lineage.events.outcome import Outcome
from handlers.lineage.model import (
    NO_REGION,
    Batch,
    Evidence,
    Fact,
    Key,
    Kind,
    Place,
    Time,
    key_of,
    noted,
)

_MAX_REASON = 300
_TRUSTED = frozenset({Outcome.FACTS, Outcome.FAILED, Outcome.NOT_LINEAGE, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Heard:
    """An event after its reading."""

    outcome: Outcome
    what: str
    """`ec2:CopyImage`, or the notification's detail-type; what it claims to be if it is forged or malformed."""
    evidence: Evidence
    """Of a forged or malformed event: what it claims, `unknown`, `-` and 0 for what it does not, and as the event's id
    a hash of all of it, so that each is counted once."""
    partition: str = "aws"
    facts: tuple[Fact, ...] = ()
    reason: str = ""
    """Why there are no facts; empty if there are."""
    gaps: tuple[str, ...] = ()
    """What the event should have said and does not."""
    event_id: str = ""
    """By what the event names itself."""
    resources: tuple[str, ...] = ()
    """Of a failed call: the ids that its request names."""
    counts_as_heard: bool = True
    """False for what we read ourselves: it is no sign that events come from there."""

    @property
    def place(self) -> Place | None:
        """Where it happened; None where the event only claims it, or was none."""
        trusted = self.counts_as_heard and self.outcome in _TRUSTED
        return Place(self.evidence.account, self.evidence.region) if trusted else None

    @property
    def time(self) -> Time:
        return self.evidence.time


def batch_of(heards: Iterable[Heard]) -> Batch:
    """Put together what a graph takes: facts, what is to be counted on the coverage things, and what was heard.

    A failed call is kept on the coverage thing of its place and nowhere else. On the image it would be a statement
    about the image by whoever was refused, and on the principal it would let a stranger make things at will; the place
    is what AWS vouches for. Who tried is in the evidence, what was tried in the attributes, which can be searched.

    Only events whose envelope holds move the time up to which a place was heard.
    """
    facts: dict[str, Fact] = {}
    times: dict[Place, Time] = {}
    for heard in heards:
        for fact in (*heard.facts, *_counted(heard)):
            facts[fact.id] = fact
        place = heard.place
        if place is not None:
            times[place] = max(heard.time, times.get(place, heard.time))
    return Batch(tuple(facts.values()), times)


def _counted(heard: Heard) -> Iterable[Fact]:
    if heard.outcome not in {Outcome.FACTS, Outcome.NOT_LINEAGE}:
        said = {"outcome": heard.outcome.value, "reason": heard.reason[:_MAX_REASON]}
        if heard.resources:
            said["resources"] = " ".join(heard.resources)
        yield _about(heard, said)
    for gap in heard.gaps:
        yield _about(heard, {"outcome": "gap", "reason": gap[:_MAX_REASON]})


def _about(heard: Heard, said: dict[str, str]) -> Fact:
    named = {"call": heard.what, "event": heard.event_id}
    return noted(coverage_key(heard), heard.evidence, {**said, **{name: text for name, text in named.items() if text}})


def coverage_key(heard: Heard) -> Key:
    """Answer the coverage thing on which an event counts; `unknown` of those that do not even claim a place."""
    return key_of(Kind.COVERAGE, heard.evidence.account, heard.evidence.region or NO_REGION, heard.partition)
