"""A reading as a message: what one account in one Region answered, or which places there are. Pure.

Its id is a hash of what it says, so that the same reading, however often it comes, makes the same facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from handlers.lineage.model import Place, Time

READINGS_QUEUE = "orgctl-lineage-readings"
"""Only from this queue a message of `SOURCE` is believed: its policy admits our own functions alone."""
SOURCE = "orgctl.reconciliation"
READING, PLACES, REQUEST = "Reading", "Places", "Request"
THINGS_AT_ONCE = 100
"""In one message."""
BYTES_AT_ONCE = 200_000
"""Below the 256 KB to which SQS has long been limited: https://docs.aws.amazon.com/general/latest/gr/sqs-service.html."""

READ, UNREAD, RECONCILED, SINCE = "read", "unread", "reconciled_at", "read_since"
"""Of a place: `yes`, `in-part` or `no`; what could not be read and why; when all was read last; since when all that is
there has been told."""
EXPECTED, MEMBER, ORGANIZATION = "expected", "member", "organization"
LISTS = ("images", "instances", "ancestries", "permissions", "references", "usage", "missing")
"""The lists in the detail of a reading; `unread`, `whole` and `done` say how the reading went."""


def write_reading(place: Place, time: Time, detail: Mapping[str, object], detail_type: str = READING) -> str:
    """Answer the text of a message. `time`: when it was read, the same for all messages of one reading."""
    said = {
        "version": "0",
        "detail-type": detail_type,
        "source": SOURCE,
        "account": place.account,
        "region": place.region,
        "time": moment(time),
        "resources": [],
        "detail": detail,
    }
    return _json({"id": f"reading:{digest(said)}", **said})


def moment(time: Time) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest(said: object) -> str:
    """Answer 32 hexadecimal digits by which two values of JSON are told apart."""
    return hashlib.sha256(_json(said).encode()).hexdigest()[:32]


def plain(answer: object) -> object:
    """Bring what boto3 answers into JSON: times become texts, unknown types are a TypeError."""
    if isinstance(answer, datetime):
        # EC2 tells all times in UTC.
        utc = answer.replace(tzinfo=UTC) if answer.tzinfo is None else answer.astimezone(UTC)
        return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(answer, Mapping):
        return {str(name): plain(value) for name, value in answer.items()}
    if isinstance(answer, str | bool | int | float) or answer is None:
        return answer
    if isinstance(answer, Sequence) and not isinstance(answer, bytes | bytearray):
        return [plain(each) for each in answer]
    raise TypeError(f"no form in JSON for {type(answer).__name__}")


def packed(things: Iterable[tuple[str, object]], also: Mapping[str, object]) -> list[dict[str, object]]:
    """Answer details of messages, each with at most so many things and bytes; `also` goes with the last one.

    `things`: the name of the list, and what belongs into it. There is always one message: that a place was read.
    """
    details: list[dict[str, object]] = []
    lists: dict[str, list[object]] = {}
    count = size = 0
    for name, thing in things:
        weight = len(_json(thing))
        if count and (count >= THINGS_AT_ONCE or size + weight > BYTES_AT_ONCE):
            details.append(dict(lists))
            lists, count, size = {}, 0, 0
        lists.setdefault(name, []).append(thing)
        count, size = count + 1, size + weight
    details.append({**lists, **also})
    return details


def _json(said: object) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
