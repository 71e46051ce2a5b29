"""What people asked for in Security Hub, on its way into the graph like a reading: archived, then a declared fact."""

from __future__ import annotations

import re

from handlers.lineage.events.outcome import EventError
from handlers.lineage.model import Confidence, Evidence, Fact, Key, Kind, Place, Source, Time, noted, parts_of
from handlers.lineage.readings.answer import Answer
from handlers.lineage.readings.form import REQUEST, write_reading
from handlers.lineage.readings.speaker import Speaker

REQUESTED, REQUESTED_FOR = "requested", "requested_for"
"""Attributes of an image: what was asked for last, and for which finding. They decide nothing."""
WORDS = frozenset({"approve", "quarantine"})
_ASKED_BY = "securityhub.amazonaws.com"
"""Who clicked, Security Hub does not tell."""
_IMAGE_ID = re.compile(r"ami-[0-9a-f]{8,17}", re.ASCII)


def write_request(place: Place, time: Time, word: str, image: Key, finding: str, event_id: str) -> str:
    """Answer the text of a message: the same for the same click. `place`: the lineage account's own."""
    return write_reading(place, time, {"word": word, "image": image, "finding": finding, "event": event_id}, REQUEST)


def request(speaker: Speaker, detail: Answer) -> tuple[list[Fact], list[str]]:
    """Read a request. EventError if it asks for nothing that can be asked for, or not of an image."""
    word, image = detail.need("word"), Key(detail.need("image"))
    if word not in WORDS:
        raise EventError(f"{detail.path}.word", "is nothing that can be asked for")
    try:
        kind, name = parts_of(image)[2:]
    except ValueError as error:
        raise EventError(f"{detail.path}.image", "is not the key of a thing") from error
    if kind is not Kind.IMAGE or not _IMAGE_ID.fullmatch(name):
        raise EventError(f"{detail.path}.image", "is not the key of an image")
    account, region = speaker.place
    event = detail.need("event")
    evidence = Evidence(Source.DECLARED, event, speaker.time, account, region, _ASKED_BY, Confidence.REPORTED)
    return [noted(image, evidence, {REQUESTED: word, REQUESTED_FOR: detail.need("finding")})], []
