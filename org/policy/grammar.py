"""What the policy language allows, by kind of policy; data only.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html (the full language,
but for principals, since September 2025)
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from org.policy.model import PolicyKind
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY

TOP_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
CURRENT_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"
"""What counts where a policy names none; it has no policy variables.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
"""


class Presence(StrEnum):
    NEEDED = "needed"
    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one kind of policy departs from the others."""

    principal: Presence
    resource: Presence
    only_deny: bool = False
    only_everyone: bool = False
    """The one principal is `"*"`, and neither NotPrincipal, NotAction nor the action `"*"` exist."""
    needs_version: bool = False
    plain_sid: bool = False
    """A Sid holds letters and digits only."""


_IDENTITY = Grammar(Presence.REFUSED, Presence.NEEDED, plain_sid=True)
GRAMMARS: Mapping[PolicyKind, Grammar] = {
    PolicyKind.IDENTITY: _IDENTITY,
    PolicyKind.BOUNDARY: _IDENTITY,
    PolicyKind.SESSION: _IDENTITY,
    PolicyKind.RESOURCE: Grammar(Presence.NEEDED, Presence.ALLOWED),
    PolicyKind.TRUST: Grammar(Presence.NEEDED, Presence.REFUSED, plain_sid=True),
    PolicyKind.KEY: Grammar(Presence.NEEDED, Presence.NEEDED),
    PolicyKind.ENDPOINT: Grammar(Presence.NEEDED, Presence.NEEDED),
    # [H] Every example of an SCP has a Resource, and no page says that it is needed.
    PolicyKind.SERVICE_CONTROL: Grammar(Presence.REFUSED, Presence.ALLOWED, needs_version=True),
    PolicyKind.RESOURCE_CONTROL: Grammar(
        Presence.NEEDED, Presence.NEEDED, only_deny=True, only_everyone=True, needs_version=True
    ),
}

RCP_FULL_ACCESS = "RCPFullAWSAccess"
"""AWS's own policy, attached everywhere; the one RCP that allows.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""


def grammar_of(kind: PolicyKind, name: str, arn: str = "") -> Grammar:
    """Answer what a policy of the kind may hold; AWS's own resource control policy may do what others may not."""
    if kind is PolicyKind.RESOURCE_CONTROL and (name == RCP_FULL_ACCESS or arn.endswith(f"/p-{RCP_FULL_ACCESS}")):
        return Grammar(Presence.NEEDED, Presence.NEEDED, needs_version=True)
    return GRAMMARS[kind]


MANAGEMENT_TOP_KEYS: Mapping[str, str] = {
    "AISERVICES_OPT_OUT_POLICY": "services",
    "BACKUP_POLICY": "plans",
    "BEDROCK_POLICY": "bedrock",
    "CHATBOT_POLICY": "chatbot",
    "DECLARATIVE_POLICY_EC2": "ec2_attributes",
    "INSPECTOR_POLICY": "inspector",
    "NETWORK_SECURITY_DIRECTOR_POLICY": "network_security_director",
    "S3_POLICY": "s3_attributes",
    "SECURITYHUB_POLICY": "securityhub",
    "TAG_POLICY": "tags",
    "UPGRADE_ROLLOUT_POLICY": "upgrade_rollout",
}
"""The one key at the top of a policy that has no statements, by its type; a type that is not here is not known.

By the "syntax and examples" page of each, such as
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_chatbot_syntax.html
"""
STATEMENT_KINDS: Mapping[str, PolicyKind] = {
    SERVICE_CONTROL_POLICY: PolicyKind.SERVICE_CONTROL,
    RESOURCE_CONTROL_POLICY: PolicyKind.RESOURCE_CONTROL,
}
"""The types of organization policies that are made of statements."""


class Family(StrEnum):
    """What an operator compares; decides what its values may be."""

    STRING = "string"
    NUMERIC = "number"
    DATE = "date"
    BOOL = "boolean"
    BINARY = "binary"
    IP = "IP address"
    ARN = "ARN"
    NULL = "presence"


OPERATORS: Mapping[str, Family] = {
    "StringEquals": Family.STRING,
    "StringNotEquals": Family.STRING,
    "StringEqualsIgnoreCase": Family.STRING,
    "StringNotEqualsIgnoreCase": Family.STRING,
    "StringLike": Family.STRING,
    "StringNotLike": Family.STRING,
    "NumericEquals": Family.NUMERIC,
    "NumericNotEquals": Family.NUMERIC,
    "NumericLessThan": Family.NUMERIC,
    "NumericLessThanEquals": Family.NUMERIC,
    "NumericGreaterThan": Family.NUMERIC,
    "NumericGreaterThanEquals": Family.NUMERIC,
    "DateEquals": Family.DATE,
    "DateNotEquals": Family.DATE,
    "DateLessThan": Family.DATE,
    "DateLessThanEquals": Family.DATE,
    "DateGreaterThan": Family.DATE,
    "DateGreaterThanEquals": Family.DATE,
    "Bool": Family.BOOL,
    "BinaryEquals": Family.BINARY,
    "IpAddress": Family.IP,
    "NotIpAddress": Family.IP,
    "ArnEquals": Family.ARN,
    "ArnNotEquals": Family.ARN,
    "ArnLike": Family.ARN,
    "ArnNotLike": Family.ARN,
    "Null": Family.NULL,
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""

NEGATED = frozenset(
    {
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "StringNotLike",
        "NumericNotEquals",
        "DateNotEquals",
        "NotIpAddress",
        "ArnNotEquals",
        "ArnNotLike",
    }
)
"""They hold where the key is not in the request."""
