"""The answer to a request, and what decided it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from org.policy.model import PolicyKind


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"
    """It hangs on context keys, or on a part of the resource, that were not given."""
    NOT_EVALUATED = "not evaluated"
    """The action is not known, so that nothing can be said; never a pass."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """A statement that decided, or the lack of one."""

    kind: PolicyKind
    explicit: bool
    """A statement denies (or allows); False: no statement allows, and `policy` and `sid` are empty."""
    policy: str = ""
    arn: str = ""
    sid: str = ""
    """The statement's label: its Sid, else `statement 2`."""
    index: int = -1
    level: str = ""
    """For SCPs and RCPs where in the hierarchy: `Root`, a unit's path, `account NAME`."""
    unknown: tuple[str, ...] = ()
    """What it hangs on: condition keys as written, `resource`, `principal`; sorted. Empty where it is certain."""


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    deciding: tuple[Deciding, ...] = ()
    """Denied: every statement that denies, and each level or kind that does not allow. Unknown: those that might.
    Allowed: the statements that allow, one for each level and kind that was asked. In the order of evaluation."""
    exempt: str = ""
    """Why organization policies were not asked: `management account`, `service-linked role`, or `needs no permission`
    for a call that no policy can deny; empty if they were."""

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(sorted({key for each in self.deciding for key in each.unknown}))
