"""A plan as a value: steps in an order that works, what they rest on, and what a person should see beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from org.changes import Change, is_destructive
from org.interest import Interest
from org.model import AccountName, ObservedOrganization, ProtectedPrincipal, Region

PLAN_VERSION = 2
"""Raised whenever a saved plan of before would be misread."""


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    """Says kind and subject: `create-unit:Workloads/Prod`."""
    change: Change
    needs: tuple[str, ...] = ()
    """Steps without whose success this one is not tried."""
    after: tuple[str, ...] = ()
    """Steps that go first, whether or not they succeed."""

    @property
    def is_destructive(self) -> bool:
        return is_destructive(self.change)


class Effect(StrEnum):
    """What happens to one stack instance; the order is that of the reading."""

    CREATED = "created"
    UPDATED = "updated"
    REPLACED = "replaced"
    DELETED = "deleted"
    RETAINED = "retained"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class InstanceEffect:
    account: AccountName
    region: Region
    effect: Effect
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StackSetPreview:
    """What a plan does to one StackSet, account by account and Region by Region."""

    stackset: str
    instances: tuple[InstanceEffect, ...]
    resources: tuple[str, ...] = ()
    """For a changed template, one line per resource that differs."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """How much of a quota is used once the plan is applied."""

    what: str
    used: int
    limit: int
    """AWS's default, dated in `org/quotas.toml`."""
    adjustable: bool = False
    """AWS raises it on request, so that the organization's own may be higher."""


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]
    """Ordered so that each comes after all that it names in `needs` and `after`."""
    home_region: Region
    """Where the StackSets live."""
    observed: ObservedOrganization
    interest: Interest
    """How `observed` was read, so that it can be read again and compared."""
    ids: Mapping[str, str]
    """Ids known when the plan was made, by reference (`org.references`)."""
    previews: tuple[StackSetPreview, ...] = ()
    unmanaged: tuple[str, ...] = ()
    """What the live organization has and the manifest does not name; left alone."""
    notes: tuple[str, ...] = ()
    """What the manifest asks for and the plan does not do, and why."""
    headroom: tuple[Headroom, ...] = ()
    protected_principals: tuple[ProtectedPrincipal, ...] = ()
    """Whom the plan may not lock out: carried along, so that a saved plan can be proved too."""
    governed_regions: tuple[Region, ...] = ()
    manifest_digest: str = ""
    version: int = PLAN_VERSION

    @property
    def destructive(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_destructive)
