"""A request as a value: who wants to do what with what, and what is known of its circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

ContextValue: TypeAlias = "str | tuple[str, ...] | None"
"""One value, several, or None for a key that is known not to be in the request."""


class PrincipalKind(StrEnum):
    ROLE = "role"
    """A session of a role: `arn` is the role's, `session_arn` that of the session."""
    USER = "user"
    """Also a federated user: `arn` is that of its session, the grants are those of the user who asked for it."""
    ROOT = "root"
    SERVICE = "service"
    """An AWS service that acts for itself; `arn` is its service principal."""
    FEDERATED = "federated"
    """Somebody signed in by a web identity or SAML provider, who assumes a role; `arn` is the provider."""
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    arn: str
    """What `aws:PrincipalArn` holds: for a session the ARN of the role, with its path."""
    account: str
    kind: PrincipalKind
    session_arn: str = ""
    """`arn:aws:sts::111122223333:assumed-role/NAME/SESSION`, where known."""

    @property
    def is_service_linked(self) -> bool:
        """Say whether neither SCPs nor RCPs reach it: a role under the path `/aws-service-role/`.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        return self.kind is PrincipalKind.ROLE and ":role/aws-service-role/" in self.arn

    @property
    def is_federated_user(self) -> bool:
        """Say whether it is a session by way of GetFederationToken, which without a session policy may do nothing.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
        """
        return self.kind is PrincipalKind.USER and ":federated-user/" in self.arn


@dataclass(frozen=True, slots=True)
class Request:
    principal: Principal
    action: str
    """`ec2:RunInstances`; any case."""
    resource: str
    """One ARN, `*` for an action without resources.

    A `*` or `?` within stands for a part that is not known; in a complete request it is a plain character, as in the
    `instance/*` that AWS asks for where the instance does not exist yet [H].
    """
    resource_account: str = ""
    """Empty where it is the principal's own."""
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    """By condition key in lower case (`org.policy.context.make_context` fills in what follows from the rest)."""
    complete: bool = False
    """Whether a key that is not in `context` is absent from the request; else it is not known.

    A complete request hangs on nothing, unless its principal is known in part only or a policy's is not clear.
    """
