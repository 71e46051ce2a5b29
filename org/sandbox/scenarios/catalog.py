"""The stories by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from org.errors import OrgctlError
from org.sandbox.scenarios import attacks, deliveries, images
from org.sandbox.scenarios.stage import Stage
from org.sandbox.scenarios.story import Played, Story

SCENARIOS: Mapping[str, Callable[[Story], object]] = {
    "golden": images.build_golden,
    "share": images.share_golden,
    "launch": images.launch_golden,
    "derive": images.derive,
    "launder": images.launder,
    "tamper": attacks.tamper,
    "deny": attacks.deny,
    "duplicate": deliveries.duplicate,
    "disorder": deliveries.disorder,
}
LIFE = "life"
"""All of them, in this order."""


def names() -> tuple[str, ...]:
    return (*SCENARIOS, LIFE)


def check_name(name: str) -> None:
    if name not in names():
        raise OrgctlError(f"scenario {name}", "there is none of that name", f"choose among {', '.join(names())}")


def play(name: str, stage: Stage) -> Played:
    """Play a scenario, and whatever must have been played before it; raises OrgctlError for a name that is none."""
    check_name(name)
    stage.check()
    story = Story(stage)
    for each in SCENARIOS if name == LIFE else (name,):
        stage.control.seed(each)
        SCENARIOS[each](story)
    return story.played(name)
