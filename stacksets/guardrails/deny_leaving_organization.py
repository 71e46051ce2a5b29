"""Nobody in a member account can take it out of the organization, and so out of every other guardrail, or close it."""

from __future__ import annotations

from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings

LEAVING = ("account:CloseAccount", "organizations:AcceptHandshake", "organizations:LeaveOrganization")
"""A member that accepts another organization's invitation departs from this one without having left it.

Nothing else that a member of an organization with all features could accept is lost.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_AcceptHandshake.html
"""


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
                actions=LEAVING,
                exempt=surroundings.protected,
            )
        ]
    )
