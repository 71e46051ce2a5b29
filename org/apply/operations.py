"""StackSet operations: started once, queued behind others where they must be, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from org.apply.watch import Watch
from org.errors import AlreadySo, Busy, NotFound, OrgctlError
from org.gateway.stacksets import Operation, StackSetsGateway


@dataclass(frozen=True, slots=True)
class StackSetOperations:
    gateway: StackSetsGateway
    watch: Watch
    new_id: Callable[[], str]

    def find_arn(self, name: str) -> str:
        """Answer the ARN of a StackSet that has just been made."""
        where = f"StackSet {name}"
        for _ in self.watch.looks(self.watch.pace.switch, where, "AWS does not show it yet", self.watch.pace.blindness):
            with suppress(NotFound):
                return self.gateway.describe_stackset(name).arn
        raise AssertionError("looks end by raising")

    def run(self, name: str, call: Callable[[str], None]) -> tuple[str, ...]:
        """Start a StackSet operation and wait for its end; answer the instances that failed within its tolerance."""
        operation_id = self.new_id()

        def start() -> None:
            # A repeated call finds its own id taken: it has been sent.
            with suppress(AlreadySo):
                call(operation_id)

        self.when_idle(name, start)
        return self._wait(name, operation_id)

    def when_idle(self, name: str, call: Callable[[], None]) -> None:
        """Call, and where operations of an earlier run or of somebody else are in the way, when they have ended.

        CloudFormation queues most calls behind each other; it refuses them where managed execution is off, and the
        deletion of a StackSet in any case.
        """
        for _ in self.watch.looks(
            self.watch.pace.operation, f"StackSet {name}", "another operation of it is still running"
        ):
            try:
                call()
            except Busy:
                for operation_id in self.gateway.list_running_operations(name):
                    self._wait_for_end(name, operation_id)
            else:
                return

    def _wait(self, name: str, operation_id: str) -> tuple[str, ...]:
        operation = self._wait_for_end(name, operation_id)
        failed = self.gateway.list_failed_instances(name, operation_id)
        told = tuple(f"{f.account_id} {f.region}: {f.reason}" for f in failed)
        if operation.status != "SUCCEEDED":
            shown = "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")
            raise OrgctlError(
                f"StackSet {name}",
                f"its operation {operation.status.lower()}: {shown or operation.reason or 'AWS gives no reason'}",
                "mend what the reasons name and run again: what is deployed stays deployed",
            )
        return tuple(f"StackSet {name} failed in {line}" for line in told)

    def _wait_for_end(self, name: str, operation_id: str) -> Operation:
        looked = 0.0
        for _ in self.watch.looks(
            self.watch.pace.operation, f"StackSet {name}", f"operation {operation_id} is still running"
        ):
            try:
                operation = self.gateway.describe_operation(name, operation_id)
            except NotFound:
                # It has just been accepted, so that it is there and only not shown yet.
                if looked >= self.watch.pace.blindness:
                    raise
                looked += self.watch.pace.operation
                continue
            if operation.is_over:
                return operation
        raise AssertionError("looks end by raising")
