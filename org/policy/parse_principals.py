"""The Principal and NotPrincipal elements.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re

from org.policy.grammar import PRINCIPAL_TYPES
from org.policy.model import Principals
from org.policy.parse_nodes import Faults, read_members, read_texts, shown
from org.policy.parse_values import find_arn_fault, has_variable
from org.source.nodes import MappingNode, Node, ScalarNode

_ID = re.compile(r"\d{12}|A[A-Z]{3}[A-Z0-9]{12,}")
"""An account, or the unique id that AWS leaves in place of a principal that was deleted."""
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/.*)?")


def read_principals(node: Node, name: str, faults: Faults) -> Principals | None:
    if isinstance(node, ScalarNode):
        if node.value == "*":
            return Principals(everyone=True)
        what = f"{name} is {shown(node)}"
        faults.puzzle(node.place, what, 'write "*", or an object such as {"AWS": "111122223333"}')
        return None
    if not isinstance(node, MappingNode):
        faults.puzzle(node.place, f"{name} is {shown(node)}", 'write an object, or "*"')
        return None
    if not node.pairs:
        faults.puzzle(node.place, f"{name} is empty", 'name a principal, or write "*"')
        return None
    members = read_members(node, PRINCIPAL_TYPES, name, faults)
    values: dict[str, tuple[str, ...]] = {}
    for type, (_, value) in members.items():
        texts = read_texts(value, f"{name}.{type}", faults)
        for text, place in texts:
            fault = _find_fault(type, text)
            if fault is not None:
                faults.refuse(place, *fault)
        values[type] = tuple(text for text, _ in texts)
    aws = values.get("AWS", ())
    return Principals(
        everyone="*" in aws,
        aws=tuple(each for each in aws if each != "*"),
        service=values.get("Service", ()),
        federated=values.get("Federated", ()),
        canonical=values.get("CanonicalUser", ()),
    )


def _find_fault(type: str, text: str) -> tuple[str, str] | None:
    if text == "*" or has_variable(text):
        return None
    if type == "AWS":
        return _find_aws_fault(text)
    if type == "Service" and not _DOMAIN.fullmatch(text):
        return f"{text!r} is not a service principal", "write one such as ec2.amazonaws.com"
    if type == "Federated" and not text.startswith("arn:") and not _DOMAIN.fullmatch(text):
        return f"{text!r} is not an identity provider", "write its ARN, or its domain"
    return None


def _find_aws_fault(text: str) -> tuple[str, str] | None:
    """No part of a principal's ARN can be a wildcard; aws:PrincipalArn in a condition can have them."""
    if _ID.fullmatch(text):
        return None
    if "*" in text or "?" in text:
        return f"the principal {text!r} has a wildcard", 'write "*" and a condition on aws:PrincipalArn'
    if not text.startswith("arn:"):
        return f"{text!r} is not a principal", "write the id of an account or the ARN of a principal"
    return find_arn_fault(text)
