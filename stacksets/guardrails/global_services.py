"""Calls that no Region can be asked of: their services have one endpoint for the whole world, or are told to be left.

Both of AWS's lists are as public copies of its pages have them: AWS changes the pages without saying so. Prefixes of
services that are no more stay as long as AWS's lists have them; they match nothing.
"""

AWS_EXAMPLE = (
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
"""The list of AWS's own example and nothing else, so that a reader can compare them.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
"""

SINCE_THEN = (
    "account:*",
    "artifact:*",
    "billing:*",
    "billingconductor:*",
    "chatbot:*",
    "consolidatedbilling:*",
    "ecr-public:*",
    "freetier:*",
    "invoicing:*",
    "notifications-contacts:*",
    "notifications:*",
    "payments:*",
    "s3:CreateMultiRegionAccessPoint",
    "s3:DeleteMultiRegionAccessPoint",
    "s3:DescribeMultiRegionAccessPointOperation",
    "s3:GetMultiRegionAccessPoint*",
    "s3:PutMultiRegionAccessPointPolicy",
    "savingsplans:*",
    "supportapp:*",
    "supportplans:*",
    "sustainability:*",
    "tax:*",
)
"""Services without a Region that the example does not know, from the list that AWS Control Tower keeps for itself.

Left out of that list is what has Regions (access-analyzer, compute-optimizer, resource-explorer-2, sso, Storage Lens,
…) or one that can be governed (devicefarm, iq).
https://docs.aws.amazon.com/controltower/latest/controlreference/primary-region-deny-policy.html
"""

GLOBAL_SERVICES = (*AWS_EXAMPLE, *SINCE_THEN)
