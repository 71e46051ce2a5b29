"""Who of the manifest hears of which findings, in the words of Security Hub and SNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.compliance import Severity
from config.manifest import Notification

SEVERITY_LABELS: Mapping[Severity, str] = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "info": "INFORMATIONAL",
}
"""https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Severity"""


@dataclass(frozen=True, slots=True)
class Mail:
    address: str
    labels: tuple[str, ...]
    """Severities as Security Hub spells them, the worst first."""

    @property
    def hears_of_errors(self) -> bool:
        """The system's own alarms have no severity: they go to those who want what is critical."""
        return SEVERITY_LABELS["critical"] in self.labels


def labels_of(severities: Sequence[Severity]) -> tuple[str, ...]:
    return tuple(label for severity, label in SEVERITY_LABELS.items() if severity in severities)


def mails_of(notifications: Sequence[Notification]) -> tuple[Mail, ...]:
    """Answer one mail for each address: SNS refuses a second subscription of one address to a topic."""
    wanted: dict[str, set[Severity]] = {}
    for each in notifications:
        wanted.setdefault(each.email, set()).update(each.severities)
    return tuple(Mail(address, labels_of(tuple(severities))) for address, severities in sorted(wanted.items()))
