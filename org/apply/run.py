"""Carry the steps of a plan out: independent ones side by side, each after what it needs, all of what can be done.

A failure stops the steps that need the failed one and nothing else. A run that is told to stop lets the calls under
way end, starts no others, and says what was left.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from heapq import heappop, heappush

from org.apply.execute import Executor
from org.apply.journal import Journal
from org.apply.outcome import Done, Failed, Outcome, Skipped
from org.errors import OrgctlError
from org.plan.model import Plan, Step
from org.quotas import OrganizationQuotas

_WORKERS = 16
_NO_LIMIT = 1_000_000

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
        self.running: dict[Future[tuple[str, ...]], Step] = {}
        known = {step.id for step in plan.steps}
        self.awaited = {step.id: known & {*step.needs, *step.after} for step in plan.steps}
        """What has to be settled before each step."""
        self.followers: dict[str, list[Step]] = {}
        self.ready: dict[str, list[int]] = {}
        """Heaps of places in the plan, one for each kind of which AWS takes only so many at once, one for the rest."""
        for place, step in enumerate(plan.steps):
            for id in self.awaited[step.id]:
                self.followers.setdefault(id, []).append(step)
            if not self.awaited[step.id]:
                self._make_ready(place)
        self.places = {step.id: place for place, step in enumerate(plan.steps)}

    def run(self, workers: int) -> tuple[Outcome, ...]:
        self.journal.record("run", steps=[step.id for step in self.plan.steps])
        with ThreadPoolExecutor(workers) as pool:
            while len(self.outcomes) < len(self.plan.steps):
                if self.should_stop():
                    self._leave_the_rest()
                while len(self.running) < workers and (step := self._next()):
                    self.journal.record("begin", step=step.id, does=step.change.describe())
                    self.on_start(step)
                    self.running[pool.submit(self.executor.execute, step.change)] = step
                self._collect()
        self.journal.record("end", done=sum(isinstance(o, Done) for o in self.outcomes.values()))
        return tuple(self.outcomes[step.id] for step in self.plan.steps)

    def _make_ready(self, place: int) -> None:
        kind = self.plan.steps[place].change.kind
        heappush(self.ready.setdefault(kind if kind in self.at_once else "", []), place)

    def _next(self) -> Step | None:
        """Take the first step of the plan that is ready and that AWS has room for."""
        kinds = [kind for kind, places in self.ready.items() if places and self._has_room(kind)]
        if not kinds:
            return None
        first = min(kinds, key=lambda kind: self.ready[kind][0])
        return self.plan.steps[heappop(self.ready[first])]

    def _has_room(self, kind: str) -> bool:
        return sum(step.change.kind == kind for step in self.running.values()) < self.at_once.get(kind, _NO_LIMIT)

    def _leave_the_rest(self) -> None:
        """Pass over what is not begun yet."""
        self.ready.clear()
        under_way = {step.id for step in self.running.values()}
        for step in self.plan.steps:
            if step.id not in under_way:
                self._settle(Skipped(step, "the run was stopped"))

    def _collect(self) -> None:
        if not self.running:
            if len(self.outcomes) < len(self.plan.steps):
                raise OrgctlError("plan", "its steps wait for each other", "plan again")
            return
        finished, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in finished:
            step = self.running.pop(future)
            try:
                self._settle(Done(step, future.result()))
            except OrgctlError as error:
                self._settle(Failed(step, str(error)))

    def _settle(self, outcome: Outcome) -> None:
        """Write an outcome down, unless there is one already, and tell the steps that wait for it."""
        id = outcome.step.id
        if id in self.outcomes:
            return
        self.outcomes[id] = outcome
        match outcome:
            case Done(step=step, notes=notes):
                self.journal.record("done", step=step.id, notes=list(notes))
            case Failed(step=step, error=error):
                self.journal.record("failed", step=step.id, error=error)
            case Skipped(step=step, because=because):
                self.journal.record("skipped", step=step.id, because=because)
        self.on_outcome(outcome)
        for follower in self.followers.get(id, []):
            self.awaited[follower.id].discard(id)
            if id in follower.needs and not isinstance(outcome, Done):
                because = "which failed" if isinstance(outcome, Failed) else "which was not done"
                self._settle(Skipped(follower, f"needs {id}, {because}"))
            elif not self.awaited[follower.id] and follower.id not in self.outcomes:
                self._make_ready(self.places[follower.id])
