"""A policy as a value: statements with their elements sorted out, and nothing of JSON left.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PolicyKind(StrEnum):
    """What a policy is for; the value is how AWS's access-denied messages call it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "role trust policy"
    KEY = "KMS key policy"
    ENDPOINT = "VPC endpoint policy"


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


class Quantifier(StrEnum):
    """How a condition treats a key with several values."""

    NONE = ""
    FOR_ALL = "ForAllValues"
    FOR_ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator; all conditions of a statement must hold, any of the values will do."""

    operator: str
    """In AWS's own spelling without quantifier and suffix: `StringNotEquals`, `ArnLike`, `Null`, …"""
    key: str
    """As it was written; keys are compared without regard to case."""
    values: tuple[str, ...]
    quantifier: Quantifier = Quantifier.NONE
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal element, by the kinds that AWS tells apart."""

    everyone: bool = False
    """`"*"`, or `{"AWS": "*"}`, which AWS treats alike."""
    aws: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    effect: Effect
    actions: tuple[str, ...]
    """Action or, with `not_actions`, NotAction; never empty."""
    sid: str = ""
    index: int = 0
    """Its place in the policy, from 0."""
    not_actions: bool = False
    resources: tuple[str, ...] = ()
    """Empty where the policy's kind has no such element (role trust): then every resource."""
    not_resources: bool = False
    principals: Principals | None = None
    not_principals: bool = False
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """The Sid, or the statement's place for want of one: `statement 2`."""
        return self.sid or f"statement {self.index + 1}"


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    kind: PolicyKind
    statements: tuple[Statement, ...]
    arn: str = ""
    version: str = "2012-10-17"
    """Policy variables are plain text under `2008-10-17`."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the hierarchy with the policies of one type that are attached there."""

    name: str
    """Where: `Root`, a unit's path, or `account NAME`."""
    policies: tuple[Policy, ...] = field(default=())
