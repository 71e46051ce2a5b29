"""How a StackSet operation goes through its accounts and Regions, and when it gives up. Pure, but for `perform`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/concurrency-mode.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from org.sandbox.stackset_model import Outcome, Place, Preferences, Progress, Result, Status


@dataclass(frozen=True, slots=True)
class Rollout:
    """What an operation does in one place, and what it does there once it has given up or was stopped."""

    perform: Callable[[Place], Result]
    cancel: Callable[[Place], Result]
    is_stopped: Callable[[], bool]


def order_regions(places: Iterable[Place], preferences: Preferences) -> list[str]:
    """Put the Regions in the order that was asked for; the others follow by name."""
    regions = sorted({place.region for place in places})
    first = [region for region in preferences.region_order if region in regions]
    return first + [region for region in regions if region not in first]


def roll_out(places: Iterable[Place], preferences: Preferences, rollout: Rollout) -> Progress:
    """Work through the places, Region by Region and in each by account id.

    A Region in which more accounts fail than are tolerated is given up, and with it the operation: without parallel
    Regions, those that follow are not begun.
    """
    places = sorted(places)
    failed, given_up = 0, False
    for region in order_regions(places, preferences):
        there = [place for place in places if place.region == region]
        if given_up and not preferences.parallel_regions:
            yield from map(rollout.cancel, there)
            continue
        failed_there = yield from _roll_out_region(there, preferences, rollout)
        failed += failed_there
        given_up = given_up or failed_there > preferences.tolerance(len(there))
    reason = f"{failed} stack instances failed, which is more than the failure tolerance" if given_up else ""
    return Outcome(Status.FAILED if given_up else Status.SUCCEEDED, reason)


def _roll_out_region(places: list[Place], preferences: Preferences, rollout: Rollout) -> Generator[Result, None, int]:
    """Work through one Region and answer how many accounts failed."""
    tolerance = preferences.tolerance(len(places))
    done = failures = 0
    while done < len(places) and failures <= tolerance and not rollout.is_stopped():
        at_once = preferences.concurrency(len(places))
        if not preferences.soft_tolerance:
            # STRICT never lets more accounts fail than one beyond the tolerance.
            at_once = min(at_once, tolerance + 1 - failures)
        for place in places[done : done + at_once]:
            if rollout.is_stopped():
                break
            result = rollout.perform(place)
            failures += result.status is Status.FAILED
            done += 1
            yield result
    yield from map(rollout.cancel, places[done:])
    return failures
