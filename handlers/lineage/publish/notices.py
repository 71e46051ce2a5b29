"""Tell people of findings through SNS; subscribers choose by the message's attributes.

Calls Publish and PublishBatch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from handlers.lineage.findings import Finding, Severity
from org.errors import OrgctlError
from org.gateway.errors import aws_errors

AT_ONCE = 10
"""Messages in one call: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""
LARGEST_BATCH = 262_144
"""Bytes of all messages of a call together."""
LARGEST = 25_000
"""Bytes of one message of ours, so that ten fit into a call."""
SEVERITY, RULE, ACCOUNT = "severity", "rule", "account"
"""Names of the attributes. Severities are as Security Hub spells them; `rule` is the family and the rule."""


class Topics(Protocol):
    """What of boto3's client of SNS is used."""

    def publish(self, **message: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as boto3 has it
        """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html."""


class NotSent(OrgctlError):
    """SNS did not take some of the messages."""


def notify(sns: Topics, topic: str, findings: Iterable[Finding]) -> int:
    """Send a message for each finding, in their order; answer how many. NotSent if one was refused."""
    left, sent, refused = iter(findings), 0, []
    while some := list(islice(left, AT_ONCE)):
        entries = [
            {
                "Id": str(number),
                "Subject": _subject(f"{each.severity.value}: {each.title}"),
                "Message": _message(each),
                "MessageAttributes": attributes(each.severity, each.rule, each.account),
            }
            for number, each in enumerate(some)
        ]
        with aws_errors("sns:PublishBatch"):
            answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        failed = answer.get("Failed", ())
        refused += [f"{some[int(each['Id'])].id} ({each.get('Code', 'no code')})" for each in failed]
        sent += len(some) - len(failed)
    if refused:
        raise NotSent(topic, f"SNS did not take {len(refused)}: {', '.join(refused[:5])}", "see why, and run it again")
    return sent


def tell(sns: Topics, topic: str, subject: str, text: str, severity: Severity, rule: str, account: str) -> None:
    """Send one message that is about no single finding."""
    with aws_errors("sns:Publish"):
        sns.publish(
            TopicArn=topic,
            Subject=_subject(subject),
            Message=_bounded(text),
            MessageAttributes=attributes(severity, rule, account),
        )


def attributes(severity: Severity, rule: str, account: str) -> dict[str, dict[str, str]]:
    """Answer the attributes by which subscribers choose. None is ever empty: SNS takes no empty value."""
    said = {SEVERITY: severity.value, RULE: rule, ACCOUNT: account or "unknown"}
    return {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}


def _message(finding: Finding) -> str:
    lines = [
        finding.title,
        "",
        finding.says,
        "",
        f"What to do: {finding.todo}",
        f"Severity: {finding.severity.value}",
        f"Account: {finding.account}",
        f"Region: {finding.region}",
        f"About: {finding.about}",
        f"Rule: {finding.rule}",
        *(f"{name}: {value}" for name, value in sorted(finding.details.items())),
        f"Finding: {finding.id}",
    ]
    return _bounded("\n".join(lines))


def _subject(text: str) -> str:
    """SNS takes printable ASCII, not beginning with a space, below 100 characters."""
    plain = "".join(each if " " <= each <= "~" else "?" for each in text).strip() or "orgctl"
    return plain if len(plain) < 100 else plain[:96] + "..."


def _bounded(text: str) -> str:
    kept = text.encode("utf-8", "replace")
    if len(kept) <= LARGEST:
        return kept.decode()
    return kept[: LARGEST - 3].decode("utf-8", "ignore") + "…"
