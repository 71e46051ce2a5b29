"""What a guardrail must know of the organization that it is for: its Regions and who must never be locked out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from config.manifest import Manifest
from config.strict import refuse
from org.references import account_reference
from org.regions import known_regions
from org.source.findings import suggest
from stacksets.templates.names import ACCESS_ROLE, APPROVAL_TAG, STACKSETS_EXECUTION_ROLE

SPARING = ("exempt_principals", "image_makers", "writers")
"""The parameters of guardrails by which a manifest spares principals."""


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
    accounts: tuple[str, ...] = ()
    """The names of the manifest's accounts."""
    lineage_account: str = ""
    """The name of the one that has the lineage system."""
    spared: tuple[str, ...] = ()
    """ARN patterns of further principals that some guardrail of the manifest spares."""
    trusted_image_owners: tuple[str, ...] = ()
    approval_tags: tuple[str, ...] = (APPROVAL_TAG,)
    """Keys of the tags by which some guardrail of the manifest knows approved images."""

    def role_in_any_account(self, name: str) -> str:
        return f"arn:{self.partition}:iam::*:role/{name}"

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
        accounts=tuple(account.name for account in manifest.accounts),
        lineage_account=organization.lineage_account,
        spared=tuple(dict.fromkeys(_spared(manifest))),
        trusted_image_owners=manifest.lineage.trusted_image_owners,
        approval_tags=tuple(dict.fromkeys((APPROVAL_TAG, *_approval_tags(manifest)))),
    )


def _spared(manifest: Manifest) -> Iterator[str]:
    """Yield what stands there, well-formed or not: each guardrail checks its own parameters."""
    for policy in manifest.policies:
        if policy.guardrail is not None:
            for name in SPARING:
                value = policy.parameters.get(name, ())
                yield from (arn for arn in (value if isinstance(value, tuple) else ()) if isinstance(arn, str))


def _approval_tags(manifest: Manifest) -> Iterator[str]:
    """Yield what stands there if it is a text, as `_spared` does."""
    for policy in manifest.policies:
        tag = policy.parameters.get("approval_tag")
        if policy.guardrail is not None and isinstance(tag, str):
            yield tag


def account_id(name: str) -> str:
    """Answer the reference that the plan fills with the account's id."""
    return f"${{orgctl:{account_reference(name)}}}"


def _check_known(name: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Surroundings) and name not in info.context.accounts:
        refuse(f"unknown account {name!r}", suggest(name, info.context.accounts, otherwise="name one of accounts:"))
    return name


KnownAccount = Annotated[str, AfterValidator(_check_known)]
"""The name of an account of the manifest."""


def at_least_one(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse the empty list, and that alone: pydantic's own bound also speaks up where the items are wrong."""
    if not values:
        refuse("the list is empty", "name at least one")
    return values
