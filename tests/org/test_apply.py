"""The run of a plan: order, failures, limits, the record; with an executor that only remembers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from org.apply.execute import Executor
from org.apply.journal import FileJournal
from org.apply.outcome import Done, Failed, Outcome, Skipped
from org.apply.run import apply_plan
from org.changes import Change, CloseAccount, CreateUnit
from org.errors import OrgctlError
from org.interest import Interest
from org.model import AccountName, ObservedOrganization, UnitPath
from org.plan.model import Plan, Step
from org.quotas import load_quotas
from tests.support.organizations import FRANKFURT, MANAGEMENT_ID
from tests.support.rollout import NoJournal

LIMITS = load_quotas().organization


class Remembering(Executor):
    """Does nothing and remembers what it was asked for; `fails` raise, `hook` runs inside."""

    def __init__(self, fails: dict[str, BaseException] | None = None, hook: Callable[[str], None] = lambda _: None):
        self.done: list[str] = []
        self.fails = fails or {}
        self.hook = hook
        self._lock = threading.Lock()

    def execute(self, change: Change) -> tuple[str, ...]:
        name = change.path if isinstance(change, CreateUnit) else getattr(change, "name", change.kind)
        self.hook(name)
        with self._lock:
            self.done.append(name)
        if name in self.fails:
            raise self.fails[name]
        return ()


def step(name: str, *needs: str, after: tuple[str, ...] = ()) -> Step:
    return Step(name, CreateUnit(UnitPath(name), {}), needs, after)


def plan_of(*steps: Step) -> Plan:
    return Plan(steps, FRANKFURT, ObservedOrganization(caller_account=MANAGEMENT_ID), Interest(), {})


def told(outcomes: tuple[Outcome, ...]) -> list[str]:
    words = []
    for outcome in outcomes:
        match outcome:
            case Done(step=step):
                words.append(f"done {step.id}")
            case Failed(step=step, error=error):
                words.append(f"failed {step.id}: {error}")
            case Skipped(step=step, because=because):
                words.append(f"skipped {step.id}: {because}")
    return words


def test_each_step_comes_after_what_it_needs() -> None:
    executor = Remembering()
    apply_plan(plan_of(step("a"), step("b", "a"), step("c", "b")), executor, NoJournal(), LIMITS)
    assert executor.done == ["a", "b", "c"]


def test_failure_stops_what_needs_it_and_finishes_the_rest() -> None:
    failing = Remembering({"a": OrgctlError("unit a", "refused", "ask")})
    steps = plan_of(step("a"), step("b", "a"), step("c", "b"), step("other"), step("later", after=("a",)))
    assert told(apply_plan(steps, failing, NoJournal(), LIMITS)) == [
        "failed a: unit a: refused; ask",
        "skipped b: needs a, which failed",
        "skipped c: needs b, which was not done",
        "done other",
        "done later",
    ]


def test_independent_steps_run_side_by_side() -> None:
    meet = threading.Barrier(3, timeout=10)
    executor = Remembering(hook=lambda _: meet.wait() and None)
    outcomes = apply_plan(plan_of(step("a"), step("b"), step("c")), executor, NoJournal(), LIMITS)
    assert all(isinstance(outcome, Done) for outcome in outcomes)


def test_steps_begin_in_the_order_of_the_plan() -> None:
    executor = Remembering()
    steps = plan_of(step("c", "a"), step("b"), step("a"), step("d", after=("b",)))
    apply_plan(steps, executor, NoJournal(), LIMITS, workers=1)
    assert executor.done == ["b", "a", "c", "d"]


def test_plan_that_somebody_tied_into_a_circle_is_refused() -> None:
    with pytest.raises(OrgctlError) as caught:
        apply_plan(plan_of(step("a", "b"), step("b", "a")), Remembering(), NoJournal(), LIMITS)
    assert str(caught.value) == "plan: its steps wait for each other; plan again"


def test_run_of_thousands_of_steps_does_not_look_at_each_of_them_each_time() -> None:
    steps = [Step(f"close-account:{n}", CloseAccount(AccountName(f"n{n}"))) for n in range(3_000)]
    last = step("last", after=tuple(step.id for step in steps))
    began = time.perf_counter()
    apply_plan(plan_of(*steps, last), Remembering(), NoJournal(), LIMITS)
    assert time.perf_counter() - began < 5


def test_no_more_accounts_are_closing_at_once_than_aws_allows() -> None:
    running, most, lock = set(), [0], threading.Lock()

    def hook(name: str) -> None:
        with lock:
            running.add(name)
            most[0] = max(most[0], len(running))
        threading.Event().wait(0.01)
        with lock:
            running.discard(name)

    steps = [Step(f"close-account:{n}", CloseAccount(AccountName(f"n{n}"))) for n in range(12)]
    apply_plan(plan_of(*steps), Remembering(hook=hook), NoJournal(), LIMITS)
    assert 1 <= most[0] <= LIMITS.accounts_closed_at_once == 3


def test_a_bug_keeps_its_traceback_and_is_not_an_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        apply_plan(plan_of(step("a")), Remembering({"a": ZeroDivisionError()}), NoJournal(), LIMITS)


def test_stopping_lets_what_runs_end_and_says_what_was_left() -> None:
    executor = Remembering()
    outcomes = apply_plan(
        plan_of(step("a"), step("b", after=("a",))),
        executor,
        NoJournal(),
        LIMITS,
        should_stop=lambda: bool(executor.done),
    )
    assert told(outcomes) == ["done a", "skipped b: the run was stopped"]


def test_the_record_has_every_intent_before_its_outcome(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run.jsonl"
    failing = Remembering({"a": OrgctlError("unit a", "refused")})
    with FileJournal(path, lambda: datetime(2026, 1, 2, tzinfo=UTC)) as journal:
        apply_plan(plan_of(step("a"), step("b", "a")), failing, journal, LIMITS)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"at": "2026-01-02T00:00:00+00:00", "event": "run", "steps": ["a", "b"]},
        {"at": "2026-01-02T00:00:00+00:00", "event": "begin", "step": "a", "does": "create unit a"},
        {"at": "2026-01-02T00:00:00+00:00", "event": "failed", "step": "a", "error": "unit a: refused"},
        {"at": "2026-01-02T00:00:00+00:00", "event": "skipped", "step": "b", "because": "needs a, which failed"},
        {"at": "2026-01-02T00:00:00+00:00", "event": "end", "done": 0},
    ]


def test_run_that_cannot_be_recorded_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OrgctlError) as caught:
        FileJournal(tmp_path / "file" / "run.jsonl", lambda: datetime.now(UTC))
    assert str(caught.value) == (
        f"journal {tmp_path / 'file' / 'run.jsonl'}: cannot be written: File exists; "
        "make room or pass another --journal"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_disk_stops_the_run_before_the_first_change() -> None:
    executor = Remembering()
    with (
        FileJournal(Path("/dev/full"), lambda: datetime.now(UTC)) as journal,
        pytest.raises(OrgctlError) as caught,
    ):
        apply_plan(plan_of(step("a")), executor, journal, LIMITS)
    assert "No space left on device" in str(caught.value)
    assert executor.done == []
