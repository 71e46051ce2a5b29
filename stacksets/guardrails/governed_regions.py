"""Accounts work in the governed Regions only; global services stay open, since their endpoints are in one Region."""

from __future__ import annotations

from config.fields import Call, PrincipalArn, RegionText
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings

GLOBAL_SERVICES = (
    "a4b:*",
    "acm:*",
    "aws-marketplace-management:*",
    "aws-marketplace:*",
    "aws-portal:*",
    "budgets:*",
    "ce:*",
    "chime:*",
    "cloudfront:*",
    "config:*",
    "cur:*",
    "directconnect:*",
    "ec2:DescribeRegions",
    "ec2:DescribeTransitGateways",
    "ec2:DescribeVpnGateways",
    "fms:*",
    "globalaccelerator:*",
    "health:*",
    "iam:*",
    "importexport:*",
    "kms:*",
    "mobileanalytics:*",
    "networkmanager:*",
    "organizations:*",
    "pricing:*",
    "route53:*",
    "route53domains:*",
    "route53-recovery-cluster:*",
    "route53-recovery-control-config:*",
    "route53-recovery-readiness:*",
    "s3:GetAccountPublic*",
    "s3:ListAllMyBuckets",
    "s3:ListMultiRegionAccessPoints",
    "s3:PutAccountPublic*",
    "shield:*",
    "sts:*",
    "support:*",
    "trustedadvisor:*",
    "waf-regional:*",
    "waf:*",
    "wafv2:*",
    "wellarchitected:*",
)
"""The list of AWS's own example, unchanged, so that a reader can compare them.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
"""


class Parameters(GuardrailParameters):
    regions: tuple[RegionText, ...] = ()
    """Regions that stay open; the manifest's governed Regions if none is named."""
    also_allowed: tuple[Call, ...] = ()
    """Further calls that stay open in every Region, such as billing:*."""
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals to which the guardrail does not apply."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    regions = parameters.regions or surroundings.governed_regions
    return render_document(
        [
            Deny(
                sid="DenyCallsOutsideTheGovernedRegions",
                not_actions=tuple(dict.fromkeys((*GLOBAL_SERVICES, *parameters.also_allowed))),
                conditions={"StringNotEquals": {"aws:RequestedRegion": regions}},
                exempt=tuple(dict.fromkeys((*surroundings.exempt, *parameters.exempt_principals))),
            )
        ]
    )
