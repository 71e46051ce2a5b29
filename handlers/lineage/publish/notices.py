"""Tell people of findings through SNS; subscribers choose by the message's attributes.

One run tells of all that is new at once, in at most one message for each severity. Calls Publish.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from handlers.lineage.findings import Finding, Severity
from org.gateway.errors import aws_errors

LARGEST = 25_000
"""Bytes of the text of one message: with its attributes it is far below SNS's 256 KiB."""
RULES_SHOWN, LINES, LONGEST_LINE = 12, 40, 300
"""Of one message: rules that are named, things that are named by all of them together, characters of a line."""
UNKNOWN = "unknown"
SEVERITY, RULE, ACCOUNT = "severity", "rule", "account"
"""Names of the attributes. Severities are as Security Hub spells them; `rule` is the family and the rule."""


class Topics(Protocol):
    """What of boto3's client of SNS is used."""

    def publish(self, **message: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as boto3 has it
        """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""


def announce(sns: Topics, topic: str, findings: Iterable[Finding], where: str) -> int:
    """Send one message for each severity, the worst first, that names the findings by rule; answer how many were sent.

    `where`: where all of them are to be seen. What subscribers choose by is a list of all rules and all accounts.
    """
    by_severity: dict[Severity, list[Finding]] = {}
    for each in findings:
        by_severity.setdefault(each.severity, []).append(each)
    for severity in sorted(by_severity, key=list(Severity).index, reverse=True):
        some = by_severity[severity]
        subject = some[0].title if len(some) == 1 else f"{len(some):,} new findings"
        with aws_errors("sns:Publish"):
            sns.publish(
                TopicArn=topic,
                Subject=_subject(f"{severity.value}: {subject}"),
                Message=_bounded(_listed(severity, some, where)),
                MessageAttributes=attributes(
                    severity, {each.rule for each in some}, {each.account or UNKNOWN for each in some}
                ),
            )
    return len(by_severity)


def tell(sns: Topics, topic: str, subject: str, text: str, severity: Severity, rule: str, account: str) -> None:
    """Send one message that is about no single finding."""
    with aws_errors("sns:Publish"):
        sns.publish(
            TopicArn=topic,
            Subject=_subject(subject),
            Message=_bounded(text),
            MessageAttributes=attributes(severity, {rule}, {account or UNKNOWN}),
        )


def attributes(severity: Severity, rules: Collection[str], accounts: Collection[str]) -> dict[str, dict[str, str]]:
    """Answer the attributes by which subscribers choose: of several rules or accounts, one that fits is enough.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html (String.Array)
    """
    found = {SEVERITY: {"DataType": "String", "StringValue": severity.value}}
    for name, values in ((RULE, rules), (ACCOUNT, accounts)):
        found[name] = {"DataType": "String.Array", "StringValue": json.dumps(sorted(values), separators=(",", ":"))}
    return found


def _listed(severity: Severity, findings: Sequence[Finding], where: str) -> str:
    by_rule: dict[str, list[Finding]] = {}
    for each in sorted(findings, key=lambda each: each.id):
        by_rule.setdefault(each.rule, []).append(each)
    rules = sorted(by_rule.items(), key=lambda each: (-len(each[1]), each[0]))
    lines = [f"{len(findings):,} new of severity {severity.value}. What was open before is not told again."]
    for rule, some in rules[:RULES_SHOWN]:
        shown = some[: max(1, LINES // min(len(rules), RULES_SHOWN))]
        lines += ["", f"{some[0].title.partition(': ')[0]} ({rule}): {len(some):,} new"]
        lines += [f"- {_line(each)}" for each in shown]
        lines += [f"- and {len(some) - len(shown):,} more"] if len(some) > len(shown) else []
        lines += [f"What to do: {some[0].todo}"]
    if left := sum(len(some) for _, some in rules[RULES_SHOWN:]):
        lines += ["", f"And {left:,} more by {len(rules) - RULES_SHOWN} other rules."]
    return "\n".join([*lines, "", where])


def _line(finding: Finding) -> str:
    name = finding.details.get("name") or finding.about.rpartition("/")[2]
    says = finding.says.removeprefix(f"{finding.about}: ")
    # A name or a tag may hold anything, and is to make no line of its own.
    whole = " ".join(f"{name} ({finding.about}, account {finding.account or UNKNOWN}): {says}".split())
    return whole if len(whole) <= LONGEST_LINE else whole[: LONGEST_LINE - 1] + "…"


def _subject(text: str) -> str:
    """SNS takes printable ASCII, not beginning with a space, below 100 characters."""
    plain = "".join(each if " " <= each <= "~" else "?" for each in text).strip() or "orgctl"
    return plain if len(plain) < 100 else plain[:96] + "..."


def _bounded(text: str) -> str:
    kept = text.encode("utf-8", "replace")
    if len(kept) <= LARGEST:
        return kept.decode()
    return kept[: LARGEST - 3].decode("utf-8", "ignore") + "…"
