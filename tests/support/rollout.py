"""Bring the sandbox to what values ask for, the way `orgctl bootstrap` does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

import boto3

from org.apply.execute import Executor
from org.apply.journal import Journal
from org.apply.outcome import Done, Outcome
from org.apply.run import apply_plan
from org.apply.watch import Pace
from org.gateway.aws import Aws, connect
from org.gateway.connection import Connection
from org.interest import interest_of
from org.model import DesiredOrganization, ObservedOrganization
from org.observe import observe_organization
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.quotas import load_quotas


class NoJournal:
    """A run of which nobody needs a record."""

    def record(self, event: str, **told: object) -> None:
        """Forget it."""


def no_sleep(_: float) -> None:
    """Time stands still in the sandbox: it goes on with each look."""


@dataclass(frozen=True, slots=True)
class Rollout:
    session: boto3.Session
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def aws(self, wanted: DesiredOrganization) -> Aws:
        return connect(Connection(self.session, busy_delay=0.001), wanted.home_region)

    def observe(self, wanted: DesiredOrganization) -> ObservedOrganization:
        return observe_organization(self.aws(wanted), interest_of(wanted))

    def plan(self, wanted: DesiredOrganization) -> Plan:
        return plan_changes(wanted, self.observe(wanted), load_quotas())

    def apply(
        self,
        wanted: DesiredOrganization,
        plan: Plan,
        journal: Journal | None = None,
        sleep: Callable[[float], None] = no_sleep,
        order: Random | None = None,
    ) -> tuple[Outcome, ...]:
        """Carry the plan out: side by side, or one step after the other in any order that their needs allow."""
        executor = Executor(self.aws(wanted), dict(plan.ids), Pace(sleep), lambda: f"operation-{next(self.numbers)}")
        limits, workers = load_quotas().organization, 16
        if order:
            plan, workers = replace(plan, steps=tuple(order.sample(plan.steps, len(plan.steps)))), 1
        return apply_plan(plan, executor, journal or NoJournal(), limits, workers=workers)

    def bootstrap(self, wanted: DesiredOrganization, order: Random | None = None) -> Plan:
        """Plan and apply; every step must go through."""
        plan = self.plan(wanted)
        outcomes = self.apply(wanted, plan, order=order)
        failed = [str(outcome)[-300:] for outcome in outcomes if not isinstance(outcome, Done)]
        assert failed == [], "\n".join(failed)
        return plan
