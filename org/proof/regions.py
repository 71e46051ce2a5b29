"""To which Region a call goes."""

from __future__ import annotations

from org.errors import OrgctlError
from org.regions import known_regions

GLOBAL_SERVICES = frozenset({
    "account", "artifact", "billing", "budgets", "ce", "chatbot", "cloudfront", "consolidatedbilling", "cur",
    "freetier", "globalaccelerator", "health", "iam", "importexport", "invoicing", "networkmanager", "organizations",
    "payments", "pricing", "route53", "route53domains", "savingsplans", "shield", "support", "supportplans", "tax",
    "trustedadvisor", "waf",
})  # fmt: skip
"""Services with one endpoint, in the partition's first Region, which `aws:RequestedRegion` then names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
"""
_FIRST = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}


def is_global(action: str) -> bool:
    return action.partition(":")[0].lower() in GLOBAL_SERVICES


def regions_of(action: str, regions: tuple[str, ...], partition: str) -> tuple[str, ...]:
    return (_FIRST.get(partition, regions[0]),) if is_global(action) else regions


def partition_of(region: str) -> str:
    """Answer the partition; raises OrgctlError for a Region that nobody knows, as a saved plan may name one."""
    try:
        return known_regions()[region]
    except KeyError as error:
        raise OrgctlError(f"home Region {region}", "no such Region is known", "correct it") from error
