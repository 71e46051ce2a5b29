"""What AWS Organizations asks of a policy's document, by type; pure.

Sources: orgs_manage_policies_scps_syntax.html, …_rcps_syntax.html, and the syntax page of each management policy type,
in https://docs.aws.amazon.com/organizations/latest/userguide/.
"""

from __future__ import annotations

import json
from typing import Any

from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.quotas import PolicyQuota
from org.sandbox.refusals import constraint, malformed

_STATEMENT_KEYS: dict[str, set[str]] = {
    SERVICE_CONTROL_POLICY: {
        "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
    },
    RESOURCE_CONTROL_POLICY: {
        "Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition",
    },
}  # fmt: skip

_TOP_LEVEL_KEY = {
    "AISERVICES_OPT_OUT_POLICY": "services",
    "BACKUP_POLICY": "plans",
    "BEDROCK_POLICY": "bedrock",
    "CHATBOT_POLICY": "chatbot",
    "DECLARATIVE_POLICY_EC2": "ec2_attributes",
    "INSPECTOR_POLICY": "inspector",
    "S3_POLICY": "s3_attributes",
    "SECURITYHUB_POLICY": "securityhub",
    "TAG_POLICY": "tags",
    "UPGRADE_ROLLOUT_POLICY": "upgrade_rollout",
}


def check_document(type: str, content: str, quota: PolicyQuota) -> None:
    """Refuse a document as CreatePolicy and UpdatePolicy do.

    Raises ConstraintViolationException for its size and MalformedPolicyDocumentException for all else.
    """
    size = len(content.encode())
    if size > quota.max_bytes:
        message = f"You have exceeded the maximum policy size of {quota.max_bytes}: this policy has {size}."
        raise constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message)
    document = _parse(content)
    if type in _STATEMENT_KEYS:
        _check_authorization_policy(type, document)
    elif type in _TOP_LEVEL_KEY:
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
    key = _TOP_LEVEL_KEY[type]
    if not isinstance(document.get(key), dict):
        raise malformed(f"A {type} document must have the top-level key '{key}', an object.")
    for other in document:
        # Inheritance operators (`@@operators_allowed_for_child_policies`) may stand at any level.
        if other != key and not other.startswith("@@"):
            raise malformed(f"A {type} document must not have the top-level key '{other}'.")


def _check_authorization_policy(type: str, document: dict[str, Any]) -> None:
    for key in document:
        if key not in {"Version", "Id", "Statement"}:
            raise malformed(f"The element '{key}' is not allowed in a {type}.")
    if document.get("Version") != "2012-10-17":
        raise malformed("The element 'Version' must be '2012-10-17'.")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise malformed("The element 'Statement' is missing or empty.")
    for number, statement in enumerate(statements, start=1):
        _check_statement(type, statement, f"Statement {number}")


def _check_statement(type: str, statement: Any, where: str) -> None:
    if not isinstance(statement, dict):
        raise malformed(f"{where} is not a JSON object.")
    for key in statement:
        if key not in _STATEMENT_KEYS[type]:
            raise malformed(f"{where}: the element '{key}' is not allowed in a {type}.")
    if statement.get("Effect") not in {"Allow", "Deny"}:
        raise malformed(f"{where}: the element 'Effect' must be 'Allow' or 'Deny'.")
    if ("Action" in statement) == ("NotAction" in statement):
        raise malformed(f"{where}: exactly one of 'Action' and 'NotAction' is needed.")
    if "Resource" in statement and "NotResource" in statement:
        raise malformed(f"{where}: at most one of 'Resource' and 'NotResource' is allowed.")
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        if key in statement:
            _check_strings(statement[key], f"{where}: the element '{key}'")
    if not isinstance(statement.get("Condition", {}), dict):
        raise malformed(f"{where}: the element 'Condition' must be a JSON object.")
    if type == RESOURCE_CONTROL_POLICY:
        _check_resource_control_statement(statement, where)


def _check_resource_control_statement(statement: dict[str, Any], where: str) -> None:
    if statement["Effect"] != "Deny":
        raise malformed(f"{where}: a RESOURCE_CONTROL_POLICY of your own can only have the effect 'Deny'.")
    if statement.get("Principal") != "*":
        raise malformed(f"{where}: the element 'Principal' must be '*'.")
    if "*" in _as_list(statement["Action"]):
        raise malformed(f"{where}: the action '*' alone is not allowed in a RESOURCE_CONTROL_POLICY of your own.")
    if "Resource" not in statement and "NotResource" not in statement:
        raise malformed(f"{where}: one of 'Resource' and 'NotResource' is needed.")


def _check_strings(value: Any, where: str) -> None:
    values = _as_list(value)
    if not values or not all(isinstance(each, str) and each for each in values):
        raise malformed(f"{where} must be a string or a list of strings, not empty.")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
