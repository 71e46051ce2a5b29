"""Exemptions that miss the principal that they were meant for, and how."""

from __future__ import annotations

from collections.abc import Iterator

from org.policy.model import Statement
from org.policy.patterns import matches

PRINCIPAL_KEY = "aws:principalarn"
_NEGATED = frozenset({"ArnNotLike", "ArnNotEquals", "StringNotLike", "StringNotEquals", "StringNotEqualsIgnoreCase"})


def exempts(operator: str) -> bool:
    """Say whether a condition with this operator spares the principals that it names."""
    return operator in _NEGATED


def find_hints(statement: Statement, arn: str) -> Iterator[str]:
    """Yield what is nearly right in a Deny's exemptions.

    `aws:PrincipalArn` is the role's ARN with its path, also for a session, and is compared with regard to case.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    for condition in statement.conditions:
        if condition.key.lower() != PRINCIPAL_KEY or not exempts(condition.operator):
            continue
        for value in condition.values:
            if hint := _miss(value, arn):
                yield f"{statement.label} spares {value}, which {hint}"


def _miss(value: str, arn: str) -> str:
    name = arn.rpartition("/")[2]
    if matches(value, arn):
        return ""
    if matches(value, arn, ignore_case=True):
        return f"differs from {arn} only by upper and lower case"
    if ":assumed-role/" in value and value.split("/")[1:2] == [name]:
        return "names a session: aws:PrincipalArn holds the ARN of the role"
    if ":role/" in value and ":role/" in arn and value.partition(":role/")[2] == name:
        return f"lacks the role's path: the role is {arn}"
    return ""
