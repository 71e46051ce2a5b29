"""A run that is killed at any call: the next one finds its way from what AWS then has, and makes nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import get_args

import boto3
import pytest
from botocore.model import OperationModel

from org.changes import Change
from org.model import DesiredOrganization
from org.plan.model import Plan
from org.references import account_reference, resolve
from tests.support.facts import asked, seen
from tests.support.rollout import Rollout
from tests.support.sandbox import sandbox_session
from tests.support.two_manifests import FIRST, SECOND

READS = ("Describe", "List", "Get")


class Killed(BaseException):
    """What a process that is killed does: nothing more."""


@dataclass
class Killer:
    """Kills whoever makes the call of that number, and all who call after it; reads are not counted."""

    number: int
    after: bool
    calls: int = 0
    dead: bool = False

    def before_call(self, model: OperationModel, **_: object) -> None:
        if self.dead:
            raise Killed
        if not model.name.startswith(READS):
            self.calls += 1
            self._strike(now=not self.after)

    def after_call(self, model: OperationModel, **_: object) -> None:
        if not model.name.startswith(READS):
            self._strike(now=self.after)

    def _strike(self, *, now: bool) -> None:
        if now and self.calls == self.number:
            self.dead = True
            raise Killed


@contextmanager
def killing(session: boto3.Session, killer: Killer) -> Iterator[None]:
    session.events.register("before-call", killer.before_call)
    session.events.register("after-call", killer.after_call)
    try:
        yield
    finally:
        session.events.unregister("before-call", killer.before_call)
        session.events.unregister("after-call", killer.after_call)


def kinds(*plans: Plan) -> set[str]:
    return {step.change.kind for plan in plans for step in plan.steps}


def check_end(rollout: Rollout, wanted: DesiredOrganization) -> None:
    observed = rollout.observe(wanted)
    ids = {account_reference(account.name): account.id for account in observed.accounts}
    policies = tuple(replace(policy, content=resolve(policy.content, ids)) for policy in wanted.policies)
    assert seen(observed, wanted) == asked(replace(wanted, policies=policies))
    assert [step.change.describe() for step in rollout.plan(wanted).steps] == []
    organizations = rollout.session.client("organizations")
    requests = organizations.list_create_account_status()["CreateAccountStatuses"]
    names = [request["AccountName"] for request in requests if request["State"] == "SUCCEEDED"]
    assert len(names) == len(set(names)) == len(requests)


def test_the_two_manifests_hold_every_kind_of_change() -> None:
    with sandbox_session() as session:
        rollout = Rollout(session)
        plans = rollout.bootstrap(FIRST), rollout.bootstrap(SECOND)
        check_end(rollout, SECOND)
    assert kinds(*plans) == {change.__dataclass_fields__["kind"].default for change in get_args(Change)}


def run_until_killed(rollout: Rollout, wanted: DesiredOrganization, killer: Killer, order: Random) -> bool:
    """Plan, and apply until the killer strikes; answer whether it did."""
    plan = rollout.plan(wanted)
    with killing(rollout.session, killer):
        try:
            rollout.apply(wanted, plan, order=order)
        except Killed:
            return True
    return False


@pytest.mark.parametrize(
    ("number", "after"),
    # Some of them, since every call in turn takes two minutes.
    [*((n, False) for n in range(1, 42, 5)), *((n, True) for n in range(3, 42, 5))],
)
def test_run_that_is_killed_is_completed_by_the_next(number: int, after: bool) -> None:
    with sandbox_session() as session:
        rollout = Rollout(session)
        rollout.bootstrap(FIRST)
        assert run_until_killed(rollout, SECOND, Killer(number, after=after), Random(number))
        rollout.bootstrap(SECOND)
        check_end(rollout, SECOND)


def test_runs_that_are_killed_one_after_the_other_get_there_all_the_same() -> None:
    with sandbox_session() as session:
        rollout = Rollout(session)
        for wanted in (FIRST, SECOND):
            # The second call, since a step may tag first and act then.
            deaths = [run_until_killed(rollout, wanted, Killer(2, after=True), Random(n)) for n in range(30)]
            check_end(rollout, wanted)
            assert 10 < sum(deaths) < 30
