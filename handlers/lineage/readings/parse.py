"""From a message of the reconciliation to what was heard. Pure; it raises nothing, whatever the message.

Only what comes through the queue of readings, or lies under their prefix in the archive, is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from handlers.lineage.events.envelope import decode, partition_of, region_of, time_of
from handlers.lineage.events.heard import Heard
from handlers.lineage.events.outcome import EventError, Outcome
from handlers.lineage.events.parse import refused
from handlers.lineage.model import Confidence, Evidence, Fact, Key, Kind, Place, Source, key_of, noted
from handlers.lineage.readings.answer import Answer, joined
from handlers.lineage.readings.form import (
    EXPECTED,
    MEMBER,
    ORGANIZATION,
    PLACES,
    READ,
    READING,
    RECONCILED,
    REQUEST,
    SINCE,
    SOURCE,
    UNREAD,
    digest,
    moment,
)
from handlers.lineage.readings.images import DESCRIBERS as OF_IMAGES
from handlers.lineage.readings.images import Describer
from handlers.lineage.readings.instances import instance
from handlers.lineage.readings.requests import request
from handlers.lineage.readings.speaker import Speaker
from org.errors import printable
from org.ids import AccountId

DESCRIBERS: Mapping[str, Describer] = {**OF_IMAGES, "instances": instance}
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)

Told = tuple[list[Fact], list[str]]


def parse_reading(message: object) -> Heard:
    """Read a message, decoded or as JSON text."""
    try:
        message = decode(message)
        return _heard(message)
    except EventError as error:
        return refused(message, error, counts_as_heard=False)


def _heard(decoded: object) -> Heard:
    said = Answer(decoded, "reading")
    if said.text("source") != SOURCE:
        raise EventError("source", "is not the reconciliation", Outcome.FORGED)
    _check_id(said, decoded)
    place, time, kind = _place(said), time_of(said.need("time"), "time"), said.need("detail-type")
    parser = _PARSERS.get(kind)
    if parser is None:
        raise EventError("detail-type", f"{kind[:80]!r} is not known", Outcome.UNKNOWN)
    speaker = Speaker(place, time)
    facts, gaps = parser(speaker, said.node("detail"))
    evidence = Evidence(
        Source.DESCRIBE, said.need("id"), time, place.account, place.region, confidence=Confidence.REPORTED
    )
    return Heard(
        Outcome.FACTS,
        kind,
        evidence,
        speaker.partition,
        tuple(facts),
        gaps=tuple(dict.fromkeys(printable(each) for each in gaps)),
        event_id=said.need("id"),
        counts_as_heard=False,
    )


def _check_id(said: Answer, decoded: object) -> None:
    rest = {name: value for name, value in decoded.items() if name != "id"} if isinstance(decoded, dict) else {}
    try:
        right = f"reading:{digest(rest)}"
    except (TypeError, RecursionError) as error:
        raise EventError("reading", f"has no hash: {type(error).__name__}") from error
    if said.text("id") != right:
        raise EventError("id", "is not the hash of what the reading says")


def _place(said: Answer) -> Place:
    account = said.need("account")
    if not _ACCOUNT.fullmatch(account):
        raise EventError(f"{said.path}.account", "is not twelve digits")
    return Place(AccountId(account), region_of(said.need("region"), f"{said.path}.region"))


def _reading(speaker: Speaker, detail: Answer) -> Told:
    """One thing that cannot be read is a gap, and keeps nobody from reading the others."""
    gaps: list[str] = []
    facts: list[Fact] = []
    for name, describe in DESCRIBERS.items():
        for path, row in detail.unread_rows(name):
            speaker.tellers.clear()
            try:
                describe(speaker, Answer(row, path))
            except EventError as error:
                gaps.append(str(error))
                continue
            facts += [fact for teller in speaker.tellers for fact in teller.facts]
            gaps += [gap for teller in speaker.tellers for gap in teller.gaps]
    if detail.flag("done"):
        unread = joined(f"{row.need('call')}: {row.text('reason') or 'refused'};" for row in detail.rows("unread"))
        nothing = bool(detail.flag("refused"))
        said: dict[str, str | None] = {READ: "no" if nothing else "in-part" if unread else "yes", UNREAD: unread}
        if unread is None:
            said[RECONCILED] = moment(speaker.time)
            said[SINCE] = detail.need("since")
        evidence = speaker.now("read", said).evidence
        facts.append(noted(_coverage(speaker.place), evidence, said))
    return facts, gaps


def _places(speaker: Speaker, detail: Answer) -> Told:
    """Which places there are, and from which events ought to come."""
    facts: list[Fact] = []
    organization = detail.text("organization")
    for row in detail.rows("places"):
        place = _place(row)
        said: dict[str, str | None] = {
            EXPECTED: "yes" if row.flag("expected") else "no",
            MEMBER: "yes" if row.flag("member") else "no",
            ORGANIZATION: organization,
        }
        facts.append(noted(_coverage(place), speaker.now("ListAccounts", [place, said]).evidence, said))
    return facts, []


def _coverage(place: Place) -> Key:
    return key_of(Kind.COVERAGE, place.account, place.region, partition_of(place.region))


_PARSERS: Mapping[str, Callable[[Speaker, Answer], Told]] = {
    READING: _reading,
    PLACES: _places,
    REQUEST: request,
}
