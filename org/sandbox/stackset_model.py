"""What a StackSet is: its settings, its instances, and the queue of its operations.

Time is counted in polls: an operation is RUNNING for the first who asks, and done for the next. Those that wait in the
queue of a StackSet with managed execution move up as those before them are polled, so that nobody waits for ever. A
large operation does its work a portion at a time, one as it begins and one at each poll, so that no request is long.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from moto.core.utils import utcnow

from org.sandbox.stackset_refusals import (
    InvalidOperation,
    OperationIdAlreadyExists,
    OperationInProgress,
    OperationNotFound,
)

PORTION = 200
"""Stack instances at a time: some seconds at the most, which is well below the patience of any client."""


class Status(StrEnum):
    """Of a StackSet and its instances, of operations and of their results, as AWS spells them."""

    ACTIVE = "ACTIVE"
    DELETED = "DELETED"
    CURRENT = "CURRENT"
    OUTDATED = "OUTDATED"
    INOPERABLE = "INOPERABLE"
    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    SKIPPED_SUSPENDED_ACCOUNT = "SKIPPED_SUSPENDED_ACCOUNT"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an instance is: one account and one Region."""

    account_id: str
    region: str


@dataclass(slots=True)
class Instance:
    place: Place
    unit_id: str
    """The root or unit that was targeted when it was made, which may lie above the account's own."""
    overrides: dict[str, str] = field(default_factory=dict)
    stack_id: str = ""
    status: Status = Status.OUTDATED
    detailed_status: Status = Status.PENDING
    reason: str = ""
    last_operation_id: str = ""


@dataclass(frozen=True, slots=True)
class AutoDeployment:
    enabled: bool = False
    retain_stacks: bool = False
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preferences:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html."""

    region_order: tuple[str, ...] = ()
    parallel_regions: bool = False
    soft_tolerance: bool = False
    tolerance_count: int = 0
    tolerance_percentage: int | None = None
    concurrent_count: int = 1
    concurrent_percentage: int | None = None

    def tolerance(self, accounts: int) -> int:
        """Answer in how many of a Region's accounts the operation may fail."""
        if self.tolerance_percentage is None:
            return self.tolerance_count
        return accounts * self.tolerance_percentage // 100

    def concurrency(self, accounts: int) -> int:
        if self.concurrent_percentage is None:
            return self.concurrent_count
        return max(1, math.floor(accounts * self.concurrent_percentage / 100))


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended in one account and Region."""

    place: Place
    status: Status
    reason: str = ""
    unit_id: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended as a whole."""

    status: Status
    reason: str = ""


_BROKEN_OFF = Outcome(Status.FAILED, "The orgctl sandbox broke over the operation")

Progress = Generator[Result, None, Outcome]
"""Work under way: each step of it is done in one place."""
Work = Callable[["Operation"], Progress]


@dataclass(slots=True)
class Operation:
    """An operation; what has been done of its work is in its results, and it ends once that has been polled."""

    id: str
    action: str
    preferences: Mapping[str, object]
    """As they were given, to be shown again."""
    targets: Mapping[str, object]
    work: Work
    retain_stacks: bool | None = None
    status: Status = Status.QUEUED
    results: list[Result] = field(default_factory=list)
    outcome: Outcome | None = None
    """None until all of the work is done."""
    created: datetime = field(default_factory=utcnow)
    ended: datetime | None = None
    _progress: Progress | None = None

    @property
    def reason(self) -> str:
        return self.outcome.reason if self.outcome else ""

    @property
    def failures(self) -> int:
        return sum(result.status is Status.FAILED for result in self.results)

    def begin(self) -> None:
        self.status = Status.RUNNING
        self._progress = self.work(self)
        self.advance()

    def advance(self) -> None:
        """Do the next portion of the work; of one that is to be stopped, all that is left, since that is nothing."""
        done = 0
        while self._progress and not self.outcome and (done < PORTION or self.status is Status.STOPPING):
            try:
                self.results.append(next(self._progress))
            except StopIteration as end:
                # Work that a bug has broken off, in an earlier request, has no outcome of its own.
                self.outcome = end.value or _BROKEN_OFF
            done += 1

    def end(self) -> None:
        if self.status is Status.STOPPING or self.outcome is None:
            self.status = Status.STOPPED
        else:
            self.status = self.outcome.status
        self.ended = utcnow()


@dataclass(slots=True)
class StackSet:
    id: str
    name: str
    arn: str
    region: str
    administrator: str
    """The organization's management account."""
    template: str
    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    auto_deployment: AutoDeployment = AutoDeployment()
    managed_execution: bool = False
    status: Status = Status.ACTIVE
    client_token: str = ""
    targets: dict[str, list[str]] = field(default_factory=OrderedDict)
    """The root or units to which it is deployed, each with its Regions: what auto-deployment goes by."""
    instances: dict[Place, Instance] = field(default_factory=OrderedDict)
    operations: dict[str, Operation] = field(default_factory=OrderedDict)
    queue: list[Operation] = field(default_factory=list)
    """Operations that are not done; the first is running."""

    def submit(self, operation: Operation) -> None:
        """Start the operation, or queue it behind others."""
        self.check_submittable(operation.id)
        self.operations[operation.id] = operation
        self.queue.append(operation)
        if len(self.queue) == 1:
            operation.begin()

    def check_submittable(self, operation_id: str) -> None:
        """Refuse an operation whose id is taken, or that must wait for others to end."""
        if operation_id in self.operations:
            raise OperationIdAlreadyExists(f"Operation {operation_id} already exists for StackSet {self.name}")
        if not self.managed_execution:
            self.require_idle()

    def run_at_once(self, operation: Operation) -> None:
        """Run an operation that nobody asked for, and so nobody will poll: auto-deployment."""
        self.operations[operation.id] = operation
        operation.begin()
        while operation.outcome is None:
            operation.advance()
        operation.end()

    def require_idle(self) -> None:
        """Refuse while an operation is under way; being refused counts as a poll."""
        if self.queue:
            running = self.queue[0].id
            self.count_poll()
            raise OperationInProgress(f"Another Operation on StackSet {self.id} is in progress: {running}")

    def count_poll(self) -> None:
        """Have the running operation get on with its work; end it if that is done, and begin the next."""
        self.advance()
        if self.queue and self.queue[0].outcome:
            self.queue.pop(0).end()
            if self.queue:
                self.queue[0].begin()

    def advance(self) -> None:
        if self.queue:
            self.queue[0].advance()

    def find_operation(self, operation_id: str) -> Operation:
        if operation_id not in self.operations:
            raise OperationNotFound(f"Operation {operation_id} not found for StackSet {self.id}")
        return self.operations[operation_id]

    def stop(self, operation_id: str) -> None:
        """Stop an operation: a queued one never runs; of a running one, what has been done stays done."""
        operation = self.find_operation(operation_id)
        if operation not in self.queue:
            raise InvalidOperation(f"Operation {operation_id} is in status {operation.status} and cannot be stopped")
        operation.status = Status.STOPPING
        if operation is not self.queue[0]:
            self.queue.remove(operation)
            operation.end()

    def add_target(self, unit_id: str, regions: tuple[str, ...]) -> None:
        known = self.targets.setdefault(unit_id, [])
        known.extend(region for region in regions if region not in known)

    def remove_target(self, unit_id: str, regions: tuple[str, ...]) -> None:
        left = [region for region in self.targets.get(unit_id, []) if region not in regions]
        if left:
            self.targets[unit_id] = left
        else:
            self.targets.pop(unit_id, None)
