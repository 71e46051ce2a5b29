"""EBS volumes come into being encrypted, and encryption by default stays on where it is on.

A service control policy, since neither CloudFormation nor an EC2 declarative policy can turn encryption by default on.
"""

from __future__ import annotations

from config.fields import PrincipalArn
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings

MAKING = (
    "ec2:CopyVolumes",
    "ec2:CreateFleet",
    "ec2:CreateVolume",
    "ec2:ImportInstance",
    "ec2:ImportVolume",
    "ec2:RunInstances",
)
"""All that makes volumes and says whether they are encrypted.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""


class Parameters(GuardrailParameters):
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals to which the guardrail does not apply."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    exempt = tuple(dict.fromkeys((*surroundings.exempt, *parameters.exempt_principals)))
    return render_document(
        [
            Deny(
                sid="DenyUnencryptedVolumes",
                actions=MAKING,
                resources=(f"arn:{surroundings.partition}:ec2:*:*:volume/*",),
                conditions={"Bool": {"ec2:Encrypted": "false"}},
                exempt=exempt,
            ),
            Deny(
                sid="DenyTurningEncryptionByDefaultOff",
                actions=("ec2:DisableEbsEncryptionByDefault",),
                exempt=exempt,
            ),
        ]
    )
