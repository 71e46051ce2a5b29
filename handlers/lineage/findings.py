"""What people are to be told: a rule that is broken, sources that contradict each other, a place that is not heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.lineage.model import Key
from org.ids import AccountId, Region


class Severity(StrEnum):
    """As Security Hub spells them, from the least to the worst.

    https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Severity
    """

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one thing; the same wrong has the same id whenever it is found."""

    rule: str
    """`compliance/required-tags`, `contradiction/parent`, `coverage/silent`, …: the family, then the rule."""
    about: Key
    account: AccountId
    """The account that has the thing, as far as it is known; else the lineage account."""
    region: Region
    severity: Severity
    title: str
    """What is wrong, in one line."""
    says: str
    """The whole of it: who says what."""
    todo: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"orgctl/{self.rule}/{self.about}"
