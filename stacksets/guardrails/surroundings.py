"""What a guardrail must know of the organization that it is for: its Regions and who must never be locked out."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from config.fields import known_regions
from config.manifest import Manifest

STACKSETS_EXECUTION_ROLE = "role/stacksets-exec-*"
"""As which service-managed StackSets work in a member account.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
"""
ACCESS_ROLE = "role/OrganizationAccountAccessRole"
"""The role that CreateAccount puts into a new account; the management account may assume it."""


class GuardrailParameters(BaseModel):
    """Parameters as the manifest gives them: unknown names and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Surroundings:
    governed_regions: tuple[str, ...]
    partition: str
    """`aws`, or that of the home Region: `aws-cn`, `aws-us-gov`, …"""
    protected: tuple[str, ...] = ()
    """ARN patterns of the manifest's protected principals."""

    def role_in_any_account(self, end: str) -> str:
        return f"arn:{self.partition}:iam::*:{end}"

    @property
    def exempt(self) -> tuple[str, ...]:
        """Who is exempt from a guardrail that could stop orgctl itself or lock people out."""
        own = (self.role_in_any_account(STACKSETS_EXECUTION_ROLE), self.role_in_any_account(ACCESS_ROLE))
        return tuple(dict.fromkeys((*own, *self.protected)))


def surroundings_of(manifest: Manifest) -> Surroundings:
    organization = manifest.organization
    return Surroundings(
        governed_regions=organization.governed_regions,
        partition=known_regions()[organization.home_region],
        protected=tuple(principal.arn for principal in manifest.protected_principals),
    )
