"""How events may arrive: more than once, and in any order. What is known of the images must stay the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from org.sandbox.scenarios.images import golden_of
from org.sandbox.scenarios.story import Story

Event = Mapping[str, Any]
_AT_ONCE = 50
_MOST = 300
"""Of the events that are sent again: the newest."""


def duplicate(story: Story) -> None:
    """Send every event twice more."""
    golden_of(story)
    events = _newest(story)
    for _ in range(2):
        _send(story, events)
    story.say(f"{len(events)} events are delivered again, and once more")


def disorder(story: Story) -> None:
    """Send every event again, the last first, and then every other one."""
    golden_of(story)
    events = _newest(story)
    _send(story, events[::-1])
    _send(story, [*events[1::2], *events[::2]])
    story.say(f"{len(events)} events are delivered again, the last first, and again with every other one late")


def _newest(story: Story) -> list[Event]:
    return story.stage.control.events()[-_MOST:]


def _send(story: Story, events: Iterable[Event]) -> None:
    """Put events on the buses of their accounts, in the order given."""
    for (account, region), run in groupby(events, lambda event: (str(event["account"]), str(event["region"]))):
        for some in _portions(list(run)):
            story.stage.control.publish(account, region, some)


def _portions(events: list[Event]) -> Iterator[list[Event]]:
    for start in range(0, len(events), _AT_ONCE):
        yield events[start : start + _AT_ONCE]
