"""How a StackSet operation goes through its accounts and Regions, and when it gives up. Pure, but for `perform`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/concurrency-mode.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from org.sandbox.stackset_model import Outcome, Place, Preferences, Result, Status


@dataclass(frozen=True, slots=True)
class Rollout:
    """What an operation does in one place, and what it does there once it has given up."""

    perform: Callable[[Place], Result]
    cancel: Callable[[Place], Result]


def order_regions(places: Iterable[Place], preferences: Preferences) -> list[str]:
    """Put the Regions in the order that was asked for; the others follow by name."""
    regions = sorted({place.region for place in places})
    first = [region for region in preferences.region_order if region in regions]
    return first + [region for region in regions if region not in first]


def roll_out(places: Iterable[Place], preferences: Preferences, rollout: Rollout) -> Outcome:
    """Work through the places, Region by Region and in each by account id.

    A Region in which more accounts fail than are tolerated is given up, and with it the operation: without parallel
    Regions, those that follow are not begun.
    """
    places = sorted(places)
    results: list[Result] = []
    given_up = False
    for region in order_regions(places, preferences):
        there = [place for place in places if place.region == region]
        if given_up and not preferences.parallel_regions:
            results += [rollout.cancel(place) for place in there]
            continue
        in_region, exceeded = _roll_out_region(there, preferences, rollout)
        results += in_region
        given_up = given_up or exceeded
    failed = sum(result.status is Status.FAILED for result in results)
    reason = f"{failed} stack instances failed, which is more than the failure tolerance" if given_up else ""
    return Outcome(Status.FAILED if given_up else Status.SUCCEEDED, tuple(results), reason)


def _roll_out_region(places: list[Place], preferences: Preferences, rollout: Rollout) -> tuple[list[Result], bool]:
    tolerance = preferences.tolerance(len(places))
    results: list[Result] = []
    failures = 0
    while len(results) < len(places) and failures <= tolerance:
        at_once = preferences.concurrency(len(places))
        if not preferences.soft_tolerance:
            # STRICT never lets more accounts fail than one beyond the tolerance.
            at_once = min(at_once, tolerance + 1 - failures)
        batch = [rollout.perform(place) for place in places[len(results) : len(results) + at_once]]
        results += batch
        failures += sum(result.status is Status.FAILED for result in batch)
    exceeded = failures > tolerance
    return results + [rollout.cancel(place) for place in places[len(results) :]], exceeded
