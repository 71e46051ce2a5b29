"""How many events a second are read into facts: the fixtures of the calls that are frequent, in one thread."""

from __future__ import annotations

import time

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
