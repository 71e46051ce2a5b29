"""What became of each step of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from org.plan.model import Step


@dataclass(frozen=True, slots=True)
class Done:
    step: Step
    notes: tuple[str, ...] = ()
    """What went through and still deserves a look: instances that failed within the tolerance, say."""


@dataclass(frozen=True, slots=True)
class Failed:
    step: Step
    error: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not tried, because of a step that failed before it or because the run was stopped."""

    step: Step
    because: str


Outcome: TypeAlias = Done | Failed | Skipped
