"""Carry the steps of a plan out: independent ones side by side, each after what it needs, all of what can be done.

A failure stops the steps that need the failed one and nothing else. A run that is told to stop lets the calls under
way end, starts no others, and says what was left.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from org.apply.execute import Executor
from org.apply.journal import Journal
from org.apply.outcome import Done, Failed, Outcome, Skipped
from org.errors import OrgctlError
from org.plan.model import Plan, Step
from org.quotas import OrganizationQuotas

_WORKERS = 16

Progress = Callable[[Outcome], None]


def apply_plan(
    plan: Plan,
    executor: Executor,
    journal: Journal,
    limits: OrganizationQuotas,
    on_start: Callable[[Step], None] = lambda _: None,
    on_outcome: Progress = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    workers: int = _WORKERS,
) -> tuple[Outcome, ...]:
    """Answer the outcome of every step, in the order of the plan. An error that is not OrgctlError is a bug: raised."""
    return _Run(plan, executor, journal, limits, on_start, on_outcome, should_stop).run(workers)


class _Run:
    def __init__(
        self,
        plan: Plan,
        executor: Executor,
        journal: Journal,
        limits: OrganizationQuotas,
        on_start: Callable[[Step], None],
        on_outcome: Progress,
        should_stop: Callable[[], bool],
    ) -> None:
        self.plan = plan
        self.executor = executor
        self.journal = journal
        self.on_start = on_start
        self.on_outcome = on_outcome
        self.should_stop = should_stop
        self.at_once = {
            "create-account": limits.accounts_created_at_once,
            "close-account": limits.accounts_closed_at_once,
        }
        self.outcomes: dict[str, Outcome] = {}
        self.waiting = list(plan.steps)
        self.running: dict[Future[tuple[str, ...]], Step] = {}

    def run(self, workers: int) -> tuple[Outcome, ...]:
        self.journal.record("run", steps=[step.id for step in self.plan.steps])
        with ThreadPoolExecutor(workers) as pool:
            while self.waiting or self.running:
                self._start(pool, workers)
                self._collect()
        self.journal.record("end", done=sum(isinstance(o, Done) for o in self.outcomes.values()))
        return tuple(self.outcomes[step.id] for step in self.plan.steps)

    def _start(self, pool: ThreadPoolExecutor, workers: int) -> None:
        """Start what is ready, in the order of the plan, and pass over what can no longer be done."""
        still: list[Step] = []
        for step in self.waiting:
            because = self._why_not(step)
            if because:
                self._settle(Skipped(step, because))
            elif self._is_ready(step) and len(self.running) < workers and self._has_room(step):
                self.journal.record("begin", step=step.id, does=step.change.describe())
                self.on_start(step)
                self.running[pool.submit(self.executor.execute, step.change)] = step
            else:
                still.append(step)
        self.waiting = still

    def _why_not(self, step: Step) -> str:
        if self.should_stop():
            return "the run was stopped"
        for need in step.needs:
            outcome = self.outcomes.get(need)
            if isinstance(outcome, Failed):
                return f"needs {need}, which failed"
            if isinstance(outcome, Skipped):
                return f"needs {need}, which was not done"
        return ""

    def _is_ready(self, step: Step) -> bool:
        return all(id in self.outcomes for id in (*step.needs, *step.after))

    def _has_room(self, step: Step) -> bool:
        """AWS takes only so many account creations and closures at once, however quick the calls are."""
        kind = step.change.kind
        return sum(other.change.kind == kind for other in self.running.values()) < self.at_once.get(kind, _WORKERS)

    def _collect(self) -> None:
        if not self.running:
            return
        finished, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in finished:
            step = self.running.pop(future)
            try:
                self._settle(Done(step, future.result()))
            except OrgctlError as error:
                self._settle(Failed(step, str(error)))

    def _settle(self, outcome: Outcome) -> None:
        self.outcomes[outcome.step.id] = outcome
        match outcome:
            case Done(step=step, notes=notes):
                self.journal.record("done", step=step.id, notes=list(notes))
            case Failed(step=step, error=error):
                self.journal.record("failed", step=step.id, error=error)
            case Skipped(step=step, because=because):
                self.journal.record("skipped", step=step.id, because=because)
        self.on_outcome(outcome)
