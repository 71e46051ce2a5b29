"""The service principals that AWS Organizations recognizes, as data.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html (mid-2026, from a copy)
"""

from __future__ import annotations

TRUSTED = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "access-analyzer",
        "account",
        "auditmanager",
        "aws-artifact-account-sync",
        "backup",
        "bcm-dashboards",
        "billing-cost-management",
        "cloudtrail",
        "compute-optimizer",
        "config",
        "config-multiaccountsetup",
        "controltower",
        "cost-optimization-hub.bcm",
        "detective",
        "devops-guru",
        "ds",
        "ec2",
        "ec2.capacitymanager",
        "fms",
        "guardduty",
        "health",
        "iam",
        "inspector2",
        "ipam",
        "license-management.marketplace",
        "license-manager",
        "license-manager-linux-subscriptions",
        "license-manager.member-account",
        "macie",
        "malware-protection.guardduty",
        "member.org.stacksets.cloudformation",
        "mgn",
        "network-security-director",
        "networkmanager",
        "notifications",
        "observabilityadmin",
        "ram",
        "reachabilityanalyzer.networkinsights",
        "reporting.trustedadvisor",
        "resource-explorer-2",
        "securityhub",
        "securitylake",
        "security-ir",
        "servicecatalog",
        "servicequotas",
        "sso",
        "ssm",
        "ssm-quicksetup",
        "stacksets.cloudformation",
        "storage-lens.s3",
        "tagpolicies.tag",
        "user-subscriptions",
        "wellarchitected",
    )
)
"""What EnableAWSServiceAccess takes."""

NOT_DELEGABLE = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "aws-artifact-account-sync",
        "controltower",
        "ds",
        "servicequotas",
        "tagpolicies.tag",
        "wellarchitected",
    )
)
"""Of the trusted services those that have no delegated administrator."""

MOST_ADMINISTRATORS = {
    "access-analyzer.amazonaws.com": 1,
    "cloudtrail.amazonaws.com": 3,
    "detective.amazonaws.com": 1,
    "guardduty.amazonaws.com": 1,
    "inspector2.amazonaws.com": 1,
    "ipam.amazonaws.com": 1,
    "macie.amazonaws.com": 1,
    "member.org.stacksets.cloudformation.amazonaws.com": 5,
    "securityhub.amazonaws.com": 1,
    "sso.amazonaws.com": 1,
}
"""How many accounts may be registered for one service, where its own documentation says so."""
