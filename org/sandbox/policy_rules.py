"""What AWS Organizations asks of a policy's document, by type; pure.

SCPs and RCPs are read by `org.policy.parse`; of the others only the top is looked at.
"""

from __future__ import annotations

import json
from typing import Any

from org.policy.grammar import MANAGEMENT_TOP_KEYS, STATEMENT_KINDS
from org.policy.parse import parse_policy
from org.quotas import PolicyQuota
from org.sandbox.refusals import constraint, malformed
from org.source.findings import SourceErrors

_REFUSED = "The provided policy document does not meet the requirements of the specified policy type."
"""AWS's sentence [H]; its API reference describes the error in much the same words.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html
"""


def check_document(type: str, content: str, quota: PolicyQuota) -> None:
    """Refuse a document as CreatePolicy and UpdatePolicy do.

    Raises ConstraintViolationException for its size and MalformedPolicyDocumentException for all else.
    """
    size = len(content.encode())
    if size > quota.max_bytes:
        message = f"You have exceeded the maximum policy size of {quota.max_bytes}: this policy has {size}."
        raise constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message)
    if type in STATEMENT_KINDS:
        _check_authorization_policy(type, content)
        return
    document = _parse(content)
    if type in MANAGEMENT_TOP_KEYS:
        _check_management_policy(type, document)


def _parse(content: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise malformed(f"The provided policy document is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise malformed("The provided policy document must be a JSON object.")
    return document


def _check_management_policy(type: str, document: dict[str, Any]) -> None:
    key = MANAGEMENT_TOP_KEYS[type]
    if not isinstance(document.get(key), dict):
        raise malformed(f"A {type} document must have the top-level key '{key}', an object.")
    for other in document:
        # Inheritance operators (`@@operators_allowed_for_child_policies`) may stand at any level.
        if other != key and not other.startswith("@@"):
            raise malformed(f"A {type} document must not have the top-level key '{other}'.")


def _check_authorization_policy(type: str, content: str) -> None:
    """Refuse with AWS's sentence, and then say what and where, which AWS does not."""
    try:
        parse_policy(content, STATEMENT_KINDS[type], "policy")
    except SourceErrors as error:
        first = error.findings[0]
        where = f"line {first.place.line}, column {first.place.column}" if first.place.line else "the document"
        raise malformed(f"{_REFUSED} ({where}: {first.what}; {first.todo})") from error
