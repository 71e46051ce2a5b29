"""A quarantined account can do nothing but be cleaned up, looked into, and go on reporting machine image events."""

from __future__ import annotations

from config.fields import PrincipalArn
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings
from stacksets.templates.names import AUDIT_ROLE, EVALUATIONS_ROLE, FORWARDER_ROLE_PREFIX, READER_ROLE


class Parameters(GuardrailParameters):
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals that may still act, such as an incident responder's role."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Deny in two statements, so that the forwarder roles, which anyone could have imitated, may put events only.

    The lineage account goes on reading what runs there, and AWS Config hears its verdicts: a quarantined account is the
    last that one wants to know nothing of. Service-linked roles are beyond every service control policy, so instances
    that run go on running.
    """
    lookers = (surroundings.role_in_any_account(each) for each in (AUDIT_ROLE, READER_ROLE, EVALUATIONS_ROLE))
    forwarders = surroundings.role_in_any_account(FORWARDER_ROLE_PREFIX + "*")
    exempt = tuple(dict.fromkeys((*surroundings.exempt, *lookers, *parameters.exempt_principals)))
    return render_document(
        [
            Deny(sid="DenyAllUseOfAQuarantinedAccount", not_actions=("events:PutEvents",), exempt=exempt),
            Deny(
                sid="DenyPuttingEventsExceptForwarding",
                actions=("events:PutEvents",),
                exempt=(*exempt, forwarders),
            ),
        ]
    )
