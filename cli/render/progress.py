"""What a run is doing: a bar with an estimate on a terminal, a line per step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from org.apply.outcome import Done, Failed, Outcome, Skipped
from org.plan.model import Step


class RunProgress:
    def __init__(self, console: Console, steps: int, *, quiet: bool = False, verbose: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._verbose = verbose and not quiet
        self._said = ""
        self._bar = (
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            if console.is_terminal and not quiet
            else None
        )
        self._task = self._bar.add_task("bootstrap", total=steps) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def started(self, step: Step) -> None:
        if self._verbose:
            self._console.print(f"begin    {step.change.describe()}")

    def settled(self, outcome: Outcome) -> None:
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        if not self._quiet:
            self._console.print(said(outcome))

    def waits(self, what: str) -> None:
        """Show what is waited for; in lines, each thing once."""
        if self._verbose and what != self._said:
            self._console.print(f"waiting  {what}")
            self._said = what
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=what)


def said(outcome: Outcome) -> str:
    match outcome:
        case Done(step=step):
            return f"done     {step.change.describe()}"
        case Failed(step=step, error=error):
            return f"FAILED   {step.change.describe()}: {error}"
        case Skipped(step=step, because=because):
            return f"skipped  {step.change.describe()}: {because}"
