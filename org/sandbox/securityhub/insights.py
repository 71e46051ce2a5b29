"""Insights, which count findings by an attribute, and the custom actions of the console.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateInsight.html,
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateActionTarget.html. Not there: AWS's own insights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.moto_api._internal import mock_random

from org.sandbox.securityhub import refusals
from org.sandbox.securityhub.filters import filter_members, values_of

_MOST_INSIGHTS = 100
_MOST_ACTIONS = 50
_LONGEST = 20
_ID = re.compile(r"[a-zA-Z0-9]{1,20}")

Shown = dict[str, Any]


@dataclass(slots=True)
class Insights:
    """Of one hub. `arn` is where its ARNs begin: `arn:aws:securityhub:REGION:ACCOUNT`."""

    arn: str
    insights: dict[str, Shown] = field(default_factory=dict)
    actions: dict[str, Shown] = field(default_factory=dict)

    def create_insight(self, name: str, filters: Mapping[str, Any], group: str) -> str:
        if len(self.insights) >= _MOST_INSIGHTS:
            raise refusals.limited(f"There are already {_MOST_INSIGHTS} custom insights")
        _check_insight(name, filters, group)
        account = self.arn.rpartition(":")[2]
        arn = f"{self.arn}:insight/{account}/custom/{mock_random.uuid4()}"
        self.insights[arn] = {"InsightArn": arn, "Name": name, "Filters": dict(filters), "GroupByAttribute": group}
        return arn

    def find_insight(self, arn: str) -> Shown:
        if arn not in self.insights:
            raise refusals.not_found(f"Insight {arn} was not found")
        return self.insights[arn]

    def update_insight(self, arn: str, **given: Any) -> None:
        changed = {**self.find_insight(arn), **{name: value for name, value in given.items() if value is not None}}
        _check_insight(changed["Name"], changed["Filters"], changed["GroupByAttribute"])
        self.insights[arn] = changed

    def delete_insight(self, arn: str) -> None:
        self.find_insight(arn)
        del self.insights[arn]

    def create_action(self, name: str, description: str, id: str) -> str:
        if not _ID.fullmatch(id):
            raise refusals.invalid(f"Invalid parameter 'Id'. It should be 1 to {_LONGEST} letters and digits: {id!r}.")
        arn = f"{self.arn}:action/custom/{id}"
        if arn in self.actions:
            raise refusals.conflict(f"Action target {arn} already exists")
        if len(self.actions) >= _MOST_ACTIONS:
            raise refusals.limited(f"There are already {_MOST_ACTIONS} custom actions")
        self.actions[arn] = {"ActionTargetArn": arn, **_check_action(name, description)}
        return arn

    def find_action(self, arn: str) -> Shown:
        if arn not in self.actions:
            raise refusals.not_found(f"Action target {arn} was not found")
        return self.actions[arn]

    def update_action(self, arn: str, name: str | None, description: str | None) -> None:
        known = self.find_action(arn)
        chosen = (known["Name"] if name is None else name, known["Description"] if description is None else description)
        self.actions[arn] = {"ActionTargetArn": arn, **_check_action(*chosen)}

    def delete_action(self, arn: str) -> None:
        self.find_action(arn)
        del self.actions[arn]


def listed(known: Mapping[str, Shown], asked: Sequence[str] | None, what: str) -> list[Shown]:
    """Answer those that are asked for, or all."""
    missing = [arn for arn in asked or () if arn not in known]
    if missing:
        raise refusals.not_found(f"{what} {missing[0]} was not found")
    return [known[arn] for arn in asked] if asked else list(known.values())


def _check_action(name: str, description: str) -> dict[str, str]:
    if not 1 <= len(name) <= _LONGEST:
        raise refusals.invalid(f"Invalid parameter 'Name'. It should have 1 to {_LONGEST} characters: {name!r}.")
    if not description:
        raise refusals.invalid("Invalid parameter 'Description'. It should not be empty.")
    return {"Name": name, "Description": description}


def _check_insight(name: str, filters: Mapping[str, Any], group: str) -> None:
    if not name or not filters:
        raise refusals.invalid("An insight needs a Name and Filters.")
    known = filter_members()
    unknown = [each for each in (*filters, group) if each not in known]
    if unknown:
        raise refusals.invalid(f"{unknown[0]!r} is no attribute of findings.")
    for each in (*filters, group):
        values_of({}, each)
