"""How many events a second are read into facts: the fixtures of the calls that are frequent, in one thread."""

from __future__ import annotations

import json
import re
import time
from functools import cache
from hashlib import sha256

from handlers.lineage.events.parse import parse_event
from tests.support.lineage_events import TOPICS, event_of, fixtures, title_of

FREQUENT = (
    "CopyImage",
    "CreateImage",
    "RunInstances",
    "CreateTags",
    "ModifyImageAttribute",
    "RegisterImage",
    "CreateSnapshot",
    "EC2 AMI State Change",
    "EC2 Instance State-change Notification",
    "CreateLaunchTemplateVersion",
    "CreateFleet",
)


def measure_rate(seconds: float = 3.0) -> float:
    """Answer events a second of this thread's own time, so that what else runs on the machine counts less."""
    by_title = {title_of(each): each for topic in TOPICS for each in fixtures(topic)}
    events = [event_of(by_title[title]) for title in FREQUENT]
    began, read = time.thread_time(), 0
    while time.thread_time() - began < seconds:
        for event in events:
            parse_event(event)
        read += len(events)
    return read / (time.thread_time() - began)


_ID = re.compile(r"\b(ami|i|snap|vol|lt|fleet)-[0-9a-f]{8,17}\b")
_EVENT = re.compile(r"(12345678-1111-2222-3333|0bbb1111-2222-3333-4444)-[0-9a-f]+")


@cache
def _frequent() -> tuple[str, ...]:
    by_title = {title_of(each): each for topic in TOPICS for each in fixtures(topic)}
    return tuple(json.dumps(event_of(by_title[title])) for title in FREQUENT)


def event_texts(first: int, count: int) -> list[str]:
    """Answer frequent events as their queue gives them; no two of different numbers share an id of their own."""
    texts = []
    for number in range(first, first + count):
        text = _frequent()[number % len(FREQUENT)]
        text = _EVENT.sub(lambda found, number=number: f"{found[1]}-{number:012x}", text)
        texts.append(_ID.sub(lambda found, number=number: f"{found[1]}-{_mixed(found[0], number)}", text))
    return texts


def _mixed(id: str, number: int) -> str:
    return sha256(f"{id} {number}".encode()).hexdigest()[:17]
