"""Nobody in a member account can take the account out of the organization, and so out of every other guardrail."""

from __future__ import annotations

from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings


class Parameters(GuardrailParameters):
    """There is nothing to choose."""


def render(_parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Exempt the protected principals alone: neither orgctl nor StackSets ever leave an organization.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    """
    return render_document(
        [
            Deny(
                sid="DenyLeavingTheOrganization",
                actions=("organizations:LeaveOrganization",),
                exempt=surroundings.protected,
            )
        ]
    )
