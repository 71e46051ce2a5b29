"""The processes of all functions: an event gets one of its own, and a function no more at once than it may have."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from org.sandbox.functions.worker import Program, Worker


class Busy(Exception):
    """As many events are at work as the function's reserved concurrency allows."""


class Pool:
    """Those that run, warm or at work; for several threads."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._idle: defaultdict[str, list[Worker]] = defaultdict(list)
        self._at_work: list[Worker] = []
        self._begun: Counter[str] = Counter()

    @contextmanager
    def worker(self, program: Program, code: bytes, limit: int | None, *, wait: bool) -> Iterator[Worker]:
        """Lend a process; where none may be had, wait for one, or raise Busy."""
        worker = self._borrow(program, code, limit, wait=wait)
        try:
            yield worker
        finally:
            self._give_back(worker)

    def end(self) -> None:
        """End all that are idle, and have those that are at work break."""
        with self._free:
            for workers in self._idle.values():
                for worker in workers:
                    worker.end()
            self._idle.clear()
            for worker in self._at_work:
                worker.kill()

    def _borrow(self, program: Program, code: bytes, limit: int | None, *, wait: bool) -> Worker:
        arn = program.arn
        with self._free:
            while limit is not None and self._begun[arn] >= limit:
                if not wait or limit == 0:
                    raise Busy(arn)
                self._free.wait()
            idle = self._idle[arn]
            while idle:
                worker = idle.pop()
                if worker.program == program and not worker.has_ended:
                    break
                worker.end()
            else:
                worker = Worker(program, code)
            self._begun[arn] += 1
            self._at_work.append(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._free:
            self._begun[worker.program.arn] -= 1
            self._at_work.remove(worker)
            if worker.has_ended:
                worker.end()
            else:
                self._idle[worker.program.arn].append(worker)
            self._free.notify_all()
