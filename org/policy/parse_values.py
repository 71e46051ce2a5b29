"""What single values of a policy look like: ARNs, actions, and the values that each kind of operator compares."""

from __future__ import annotations

import re

from org.policy.grammar import Family
from org.policy.operators import read_binary, read_date, read_network, read_number

_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_ACTION = re.compile(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?_-]+")
_ARN_PARTS = 6
_PARTITION = re.compile(r"aws[a-z-]*|.*[*?x].*")
Fault = tuple[str, str]


def without_variables(text: str) -> str:
    """Answer the text with `x` for each `${…}`, be it IAM's own or one that is filled in later."""
    return _VARIABLE.sub("x", text)


def has_variable(text: str) -> bool:
    return "${" in text


def find_action_fault(action: str) -> Fault | None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"""
    if action == "*" or _ACTION.fullmatch(without_variables(action)):
        return None
    if re.search(r"\s", action):
        return f"the action {action!r} holds white space", "remove it"
    if ":" not in action:
        return f"the action {action!r} names no service", f"write it as service:{action}"
    return f"{action!r} is not an action", "write service:Action, such as s3:GetObject"


def find_arn_fault(arn: str) -> Fault | None:
    """Find what keeps a Resource from being an ARN; one that ends in `*` may be shorter than an ARN.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    text = without_variables(arn)
    parts = text.split(":")
    if parts[0] != "arn":
        if text == "*" or text.startswith("x") or (text.startswith("*") and len(parts) > 1):
            return None
        todo = "write arn:partition:service:region:account:resource, or *"
        return f"{arn!r} is not an ARN", todo
    if len(parts) > 1 and not _PARTITION.fullmatch(parts[1]):
        return f"the ARN {arn!r} has the partition {parts[1]!r}", "write aws, aws-cn, aws-us-gov or *"
    if len(parts) < _ARN_PARTS and not text.endswith("*"):
        missing = f"the ARN {arn!r} has {len(parts)} parts of {_ARN_PARTS}"
        return missing, "write arn:partition:service:region:account:resource; parts may be empty"
    if len(parts) >= _ARN_PARTS and not text.split(":", _ARN_PARTS - 1)[-1]:
        return f"the ARN {arn!r} names no resource", "write what follows the last colon, or *"
    return None


def complete_arn(text: str) -> str:
    """Answer an ARN with `*` for the parts that it lacks, which is what AWS says of them where it refuses one [H]."""
    lacking = _ARN_PARTS - 1 - text.count(":")
    if lacking <= 0 or not text.startswith("arn:") or text.endswith("*") or has_variable(text):
        return text
    return text + ":*" * lacking


def find_value_fault(family: Family, value: str) -> Fault | None:
    """Find what keeps a value from ever being compared by an operator of the family, which reads it as is done here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    if has_variable(value):
        return None
    match family:
        case Family.BOOL | Family.NULL:
            return (
                None if value.lower() in {"true", "false"} else (f"{value!r} is not a boolean", "write true or false")
            )
        case Family.NUMERIC:
            return None if read_number(value) is not None else (f"{value!r} is not a number", "write a number")
        case Family.DATE:
            if read_date(value) is not None:
                return None
            return f"{value!r} is not a date", "write it as 2026-01-31T00:00:00Z, or as seconds since 1970"
        case Family.IP:
            if read_network(value) is not None:
                return None
            return f"{value!r} is not an IP address or a range of them", "write a CIDR block such as 203.0.113.0/24"
        case Family.BINARY:
            return (
                None if read_binary(value) is not None else (f"{value!r} is not base64", "encode the value in base64")
            )
        case _:
            return None
