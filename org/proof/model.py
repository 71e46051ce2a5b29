"""What is asked of a plan's policies, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from org.model import RequiredCall
from org.policy.decision import Deciding, Verdict


class Meaning(StrEnum):
    """What a `*` in the resource of a call stands for."""

    EACH = "each"
    """Every resource of such a name: one that is refused is a lockout."""
    UNKNOWN = "unknown"
    """One resource, of which this much is known."""
    USUAL = "usual"
    """A resource of no special name: that others are guarded is as it should be."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Calls that a principal must be able to make in one account."""

    who: str
    """How people call the principal: `break-glass`, `StackSet orgctl-account-baseline`."""
    arn: str
    """May hold `*` for a part of the name that is not known."""
    exempt: str
    """What an exemption names: the same with `*` as the account."""
    calls: tuple[RequiredCall, ...]
    regions: tuple[str, ...]
    account: str
    """In which account the resources are; where the principal is, its ARN says."""
    context: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    meaning: Meaning = Meaning.EACH


@dataclass(frozen=True, slots=True)
class Exemption:
    """The smallest change that lets a call through, proved by evaluating again."""

    policy: str
    sid: str
    level: str
    says: str
    """One sentence."""
    statement: str = ""
    """JSON of the changed or added statement, ready to paste; empty where a policy is attached instead."""


@dataclass(frozen=True, slots=True)
class BlockedCall:
    action: str
    resource: str
    """With `*` as the account: the finding names the accounts."""
    region: str = ""
    """Empty where no policy tells Regions apart."""
    asked: str = ""
    """The pattern that means this call among others: `iam:*`."""

    def __str__(self) -> str:
        on = f" on {self.resource}" if self.resource != "*" else ""
        of = f" (of {self.asked})" if self.asked else ""
        return f"{self.action}{of}{on}" + (f" in {self.region}" if self.region else "")


@dataclass(frozen=True, slots=True)
class LockoutFinding:
    """A principal that would lose calls to the same statements, in however many accounts."""

    verdict: Verdict
    """Denied is a proven lockout; unknown and not evaluated mean that it could not be ruled out."""
    who: str
    arn: str
    """With `*` as the account, unless it is the principal of one account."""
    calls: tuple[BlockedCall, ...]
    accounts: tuple[str, ...]
    """Their names, sorted."""
    deciding: tuple[Deciding, ...] = ()
    attached: tuple[str, ...] = ()
    """For each of `deciding` where its policy is attached in all: `Root, Workloads`."""
    exemptions: tuple[Exemption, ...] = ()
    hints: tuple[str, ...] = ()
    because: str = ""
    """For what could not be evaluated: why."""
    when: str = ""
    """`while the plan is carried out`; empty: once it is done."""

    @property
    def is_proven(self) -> bool:
        return self.verdict is Verdict.DENIED

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(sorted({key for each in self.deciding for key in each.unknown}))


@dataclass(frozen=True, slots=True)
class Proof:
    principals: int
    calls: int
    """Pairs of principal and call, as they were asked for."""
    accounts: int
    findings: tuple[LockoutFinding, ...] = ()
    assumed_types: tuple[str, ...] = ()
    """Resource types in the StackSets' templates whose calls are guessed from the names of calls."""

    @property
    def lockouts(self) -> tuple[LockoutFinding, ...]:
        return tuple(finding for finding in self.findings if finding.is_proven)

    @property
    def open(self) -> tuple[LockoutFinding, ...]:
        """Answer what could be neither proved nor ruled out."""
        return tuple(finding for finding in self.findings if not finding.is_proven)
