"""Bring the sandbox to what values ask for, the way `orgctl bootstrap` does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import boto3

from org.apply.execute import Executor, Pace
from org.apply.journal import Journal, NoJournal
from org.apply.outcome import Done, Outcome
from org.apply.run import apply_plan
from org.gateway.aws import Aws, connect
from org.gateway.connection import Connection
from org.model import DesiredOrganization, ObservedOrganization
from org.observe import interest_of, observe_organization
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.quotas import load_quotas


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
    ) -> tuple[Outcome, ...]:
        executor = Executor(self.aws(wanted), dict(plan.ids), Pace(sleep), lambda: f"operation-{next(self.numbers)}")
        return apply_plan(plan, executor, journal or NoJournal(), load_quotas().organization)

    def bootstrap(self, wanted: DesiredOrganization) -> Plan:
        """Plan and apply; every step must go through."""
        plan = self.plan(wanted)
        outcomes = self.apply(wanted, plan)
        assert [str(outcome)[-300:] for outcome in outcomes if not isinstance(outcome, Done)] == []
        return plan
