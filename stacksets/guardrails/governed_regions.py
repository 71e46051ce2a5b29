"""Accounts work in the governed Regions only; global services stay open, since their endpoints are in one Region."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from config.fields import Call, PrincipalArn, RegionText
from config.strict import refuse
from stacksets.guardrails.global_services import GLOBAL_SERVICES
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings


def _not_everything(call: str) -> str:
    if call == "*":
        refuse("'*' leaves every call open, and the guardrail without effect", "name services, like devicefarm:*")
    return call


class Parameters(GuardrailParameters):
    regions: tuple[RegionText, ...] = ()
    """Regions that stay open; the manifest's governed Regions if none is named."""
    also_allowed: tuple[Annotated[Call, AfterValidator(_not_everything)], ...] = ()
    """Further calls that stay open in every Region, such as devicefarm:*."""
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals to which the guardrail does not apply."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Deny by a negated operator: a request that carries no Region would be denied too, and every request has one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
    """
    regions = parameters.regions or surroundings.governed_regions
    return render_document(
        [
            Deny(
                sid="DenyCallsOutsideTheGovernedRegions",
                not_actions=(*GLOBAL_SERVICES, *parameters.also_allowed),
                conditions={"StringNotEquals": {"aws:RequestedRegion": regions}},
                exempt=(*surroundings.exempt, *parameters.exempt_principals),
            )
        ]
    )
