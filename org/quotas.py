"""AWS's quotas, read from the dated data beside this module (`quotas.toml`); makes no AWS call."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyQuota:
    """What AWS allows for one policy type."""

    max_bytes: int
    """Of the document as it is sent, white space included. AWS counts characters; the same for ASCII."""
    max_per_target: int
    """Attached directly to one root, unit or account; what is inherited does not count."""
    per_organization: int
    assumed: bool = False
    """AWS publishes no number for this type."""


@dataclass(frozen=True, slots=True)
class OrganizationQuotas:
    accounts: int
    """Members and the management account together; closed accounts count for the 90 days until they are gone."""
    accounts_created_at_once: int
    accounts_closed_at_once: int
    closures_floor: int
    closures_percent: int
    closures_ceiling: int
    accounts_removable_after_days: int
    units: int
    unit_depth: int
    """Levels of units below the root."""
    tags: int
    policy_description: int
    policy_name: int

    def closures(self, members: int) -> int:
        """Answer how many member accounts may be closed in a rolling 30 days."""
        return min(self.closures_ceiling, max(self.closures_floor, members * self.closures_percent // 100))


@dataclass(frozen=True, slots=True)
class StackSetQuotas:
    stack_sets: int
    instances_per_stack_set: int
    dependencies: int
    template_bytes: int
    template_bytes_in_s3: int


@dataclass(frozen=True, slots=True)
class Quotas:
    read: date
    """When the numbers were read from AWS's documentation."""
    source: str
    organization: OrganizationQuotas
    stacksets: StackSetQuotas
    policies: Mapping[str, PolicyQuota]
    """By policy type; a type that is not among them has `default_policy`."""
    default_policy: PolicyQuota

    def policy(self, type: str) -> PolicyQuota:
        return self.policies.get(type, self.default_policy)


@cache
def load_quotas() -> Quotas:
    """Read the numbers that ship with orgctl, once a process."""
    data = tomllib.loads(resources.files("org").joinpath("quotas.toml").read_text(encoding="utf-8"))
    policies = {type: PolicyQuota(**numbers) for type, numbers in data["policies"].items()}
    return Quotas(
        read=data["read"],
        source=data["source"],
        organization=OrganizationQuotas(**data["organization"]),
        stacksets=StackSetQuotas(**_without_source(data["stacksets"])),
        default_policy=policies.pop("default"),
        policies=policies,
    )


def _without_source(numbers: dict[str, Any]) -> dict[str, Any]:
    return {name: number for name, number in numbers.items() if name != "source"}
