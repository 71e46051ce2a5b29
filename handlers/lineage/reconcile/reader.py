"""Reads one account in one Region by the fewest calls, and answers what is to be sent. It asks EC2 alone.

What was sent before is not sent again (`memory`). Calls that are one for each image are kept to where nothing else
tells: ancestry once for each parent that is not the account's own, permissions and usage on periods of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from handlers.lineage.model import Place, Time
from handlers.lineage.readings.form import digest, moment, packed, plain, write_reading
from handlers.lineage.reconcile.asking import Asker, Call
from handlers.lineage.reconcile.memory import Memory, fresh
from handlers.lineage.reconcile.rows import ENDED, image_row, instance_row, stranger_row
from handlers.lineage.reconcile.uses import permission_rows, reference_rows, usage_rows

PAGE = 1_000
"""Rows of an answer: the most that DescribeInstances gives, and taken for that of DescribeImages [H]."""
FILTER_VALUES = 200
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html"""
TRACED_AT_ONCE = 1_000
"""Calls of GetImageAncestry in one reading, which must end within the function's time; the next reading goes on."""
AGAIN = 7 * 86_400_000
"""Milliseconds after which an image of others is looked for again that was not to be seen."""

Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """What a reading comes to."""

    messages: tuple[str, ...]
    memory: Memory
    """What to remember once all messages are sent."""
    calls: Counter[str]
    refused: Mapping[str, str]
    """Calls that AWS refused, with the code of the error."""
    things: int
    """Things that are sent."""


def read_place(call: Call, place: Place, memory: Memory | None, now: Time) -> Read:
    """Ask for all of an account in a Region; raises nothing that AWS refuses: that is part of the answer."""
    asker, known = Asker(call), memory or fresh(now)
    own = asker.pages(
        "DescribeImages", "Images", Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, MaxResults=PAGE
    )
    reservations = asker.pages("DescribeInstances", "Reservations", MaxResults=PAGE, IncludeManagedResources=True)
    things: list[tuple[str, object]] = []
    images = {each["ImageId"]: image_row(each) for each in own or ()}
    instances = {
        each["InstanceId"]: instance_row(each, str(reservation.get("OwnerId", place.account)))
        for reservation in reservations or ()
        for each in reservation.get("Instances", ())
    }
    if own is not None:
        things += _news("images", images, known, "ImageId")
        things += _traced(asker, place, images, known)
    if reservations is not None:
        things += _news("instances", instances, known, "InstanceId")
    used = {str(each["ImageId"]) for each in instances.values() if each.get("ImageId")}
    parents = {str(each["SourceImageId"]) for each in images.values() if _is_here(each, place)}
    things += _strangers(asker, (used | parents) - set(images), known, now)
    things += permission_rows(asker, images, known, now)
    things += reference_rows(asker, images, used, known, now)
    things += usage_rows(asker, images, known, now)
    unread = [{"call": call, "reason": code} for call, code in sorted(asker.refused.items())]
    also = {"done": True, "since": moment(Time(known.since)), "unread": unread}
    messages = tuple(write_reading(place, now, detail) for detail in packed(things, also))
    return Read(messages, known, asker.counts, asker.refused, len(things))


def refused_message(place: Place, now: Time, call: str, code: str) -> str:
    """Answer the reading of an account that could not be entered at all."""
    also = {"done": True, "refused": True, "unread": [{"call": call, "reason": code}]}
    return write_reading(place, now, also)


def _is_here(image: Row, place: Place) -> bool:
    return bool(image.get("SourceImageId")) and image.get("SourceImageRegion") in (None, place.region)


def _news(name: str, rows: Mapping[str, Row], known: Memory, id: str) -> Iterator[tuple[str, object]]:
    """Yield what is not as it was sent last, and what was sent and is no longer there."""
    sent = known.sent.setdefault(name, {})
    for key, row in sorted(rows.items()):
        # When it was launched from last moves daily, and is sent along with what else is new.
        hashed = digest({each: value for each, value in row.items() if each != "LastLaunchedTime"})
        if sent.get(key) != hashed:
            yield name, row
            sent[key] = hashed
            known.permitted.pop(key, None)
        if str(row.get("State", {}).get("Name") if name == "instances" else row.get("State")) in ENDED:
            known.ended[key] = name
    for key in sorted(set(sent) - set(rows)):
        del sent[key]
        if known.ended.pop(key, None) is None:
            yield "missing", {id: key}


def _strangers(asker: Asker, wanted: set[str], known: Memory, now: Time) -> Iterator[tuple[str, object]]:
    """Describe images of others. By filter: asked by id, one that is not to be seen would hide all others."""
    sent = known.sent.setdefault("strangers", {})
    asked = sorted(each for each in wanted - set(sent) if now - known.elsewhere.get(each, -AGAIN) >= AGAIN)
    for some in batches(asked, FILTER_VALUES):
        rows = asker.pages(
            "DescribeImages",
            "Images",
            Filters=[{"Name": "image-id", "Values": some}],
            IncludeDeprecated=True,
            IncludeDisabled=True,
        )
        if rows is None:
            return
        found = {each["ImageId"]: stranger_row(each) for each in rows}
        known.elsewhere.update(dict.fromkeys((each for each in some if each not in found), int(now)))
        for key, row in sorted(found.items()):
            sent[key] = ""
            known.elsewhere.pop(key, None)
            yield "images", row


def _traced(asker: Asker, place: Place, images: Mapping[str, Row], known: Memory) -> Iterator[tuple[str, object]]:
    """Ask for the ancestry where the account's own images do not tell it: once for each parent that is not its own.

    Of an image that came of an instance and has no source, AWS may know one all the same [H].
    """
    heads: dict[str, str] = {}
    for key, row in sorted(images.items()):
        source = row.get("SourceImageId")
        if source and not (_is_here(row, place) and source in images):
            heads.setdefault(f"{row.get('SourceImageRegion') or place.region}/{source}", key)
        elif not source and row.get("SourceInstanceId"):
            heads[f"{place.region}/{key}"] = key
    asked = set(known.traced)
    for head, key in [each for each in sorted(heads.items()) if each[0] not in asked][:TRACED_AT_ONCE]:
        answer = asker.ask("GetImageAncestry", ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"), ImageId=key)
        if answer is None:
            return
        known.traced.append(head)
        if answer.get("ImageAncestryEntries"):
            yield "ancestries", {"ImageId": key, "ImageAncestryEntries": plain(answer["ImageAncestryEntries"])}


def batches(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
