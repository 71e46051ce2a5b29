"""What the judging of a thing by a rule comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.lineage.model import Evidence


class Result(StrEnum):
    """Whether a thing keeps a rule. Of several, the first in this order that occurs is that of all together."""

    NON_COMPLIANT = "non-compliant"
    NOT_EVALUATED = "not-evaluated"
    """What would decide it is not known. It counts as not compliant, and never as not applicable."""
    COMPLIANT = "compliant"
    NOT_APPLICABLE = "not-applicable"
    """The thing is gone, or the rule is about another kind of thing."""


class Rule(StrEnum):
    """The rules; in settings with `_` in place of `-`."""

    REQUIRED_TAGS = "required-tags"
    APPROVAL = "approval"
    SECURITY_SCAN = "security-scan"
    NAMING = "naming"
    LINEAGE = "lineage"
    TRUSTED_ROOT = "trusted-root"
    UNBROKEN = "unbroken"
    MAXIMUM_AGE = "maximum-age"
    ENCRYPTION = "encryption"
    SCAN_FRESHNESS = "scan-freshness"
    INSTANCE_IMAGE = "instance-image"

    @property
    def key(self) -> str:
        """As settings call it."""
        return self.value.replace("-", "_")


ALIASES: Mapping[str, Rule] = {
    **{rule.value: rule for rule in Rule},
    **{rule.key: rule for rule in Rule},
    "approval_status": Rule.APPROVAL,
    "approved_source_validation": Rule.APPROVAL,
    "security_scan_status": Rule.SECURITY_SCAN,
    "naming_convention": Rule.NAMING,
    "lineage_verification": Rule.LINEAGE,
    "instance_ami_compliance": Rule.INSTANCE_IMAGE,
}
"""By which names callers may ask for a rule."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a thing keeps a rule, why, and who said what decides it."""

    rule: Rule
    result: Result
    says: str
    """One sentence, without what only a reader of the graph may know: it goes to Config, Security Hub and people."""
    evidence: tuple[Evidence, ...] = ()


def together(verdicts: Iterable[Verdict]) -> Result:
    """Answer the result of several rules together: not applicable only if all are, or if there are none."""
    found = {each.result for each in verdicts}
    return next((each for each in Result if each in found), Result.NOT_APPLICABLE)
