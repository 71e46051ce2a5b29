"""The lineage account's part in every account: a role that reads about images, and one that tells AWS Config verdicts.

Each can be assumed by one function's role alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import Ref, Sub
from troposphere.iam import Policy, Role

from stacksets.templates.names import CONFIG_FUNCTION, EVALUATIONS_ROLE, READER_ROLE, RECONCILE_FUNCTION

READS = (
    "ec2:DescribeImageReferences",
    "ec2:DescribeImageUsageReportEntries",
    "ec2:DescribeImageUsageReports",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
)
READS_OF_AN_IMAGE = ("ec2:DescribeImageAttribute", "ec2:GetImageAncestry")
_IMAGES = "arn:${AWS::Partition}:ec2:*::image/*"
_REPORTS = "arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:image-usage-report/*"
_NO_RESOURCE = "AWS defines no resource for these calls"


def lineage_roles() -> tuple[Role, Role]:
    """Answer both roles; their template has the parameters LineageAccountId, HomeRegion, OrganizationId, ExternalId."""
    reads = _allow("Read", READS, "*")
    of_images = _allow("ReadOfAnImage", READS_OF_AN_IMAGE, Sub(_IMAGES))
    reports = _allow("AskForUsageReports", ("ec2:CreateImageUsageReport",), [Sub(_IMAGES), Sub(_REPORTS)])
    return (
        _role(
            "ReaderRole",
            READER_ROLE,
            "Reads where machine images came from and what uses them, for the lineage account",
            RECONCILE_FUNCTION,
            [reads, of_images, reports],
            {
                "Read": _NO_RESOURCE,
                "ReadOfAnImage": "Whatever image the account has or uses, in any Region",
                "AskForUsageReports": "Of whatever image the account has, in any Region",
            },
        ),
        _role(
            "EvaluationsRole",
            EVALUATIONS_ROLE,
            "Tells AWS Config what the lineage account found of images and instances",
            CONFIG_FUNCTION,
            [_allow("PutEvaluations", ("config:PutEvaluations",), "*")],
            {"PutEvaluations": _NO_RESOURCE},
        ),
    )


def _allow(sid: str, actions: Sequence[str], resource: object) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _role(
    title: str,
    name: str,
    description: str,
    function: str,
    statements: Sequence[dict[str, object]],
    reasons: dict[str, str],
) -> Role:
    arn = f"arn:${{AWS::Partition}}:iam::${{LineageAccountId}}:role/{function}-${{HomeRegion}}"
    return Role(
        title,
        Condition="IsHomeRegion",
        RoleName=name,
        Description=description,
        MaxSessionDuration=3600,
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "LineageAccountMayAssume",
                    "Effect": "Allow",
                    # The account rather than its role: IAM refuses a trust in a role that does not exist yet.
                    "Principal": {"AWS": Sub("arn:${AWS::Partition}:iam::${LineageAccountId}:root")},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {
                            "sts:ExternalId": Ref("ExternalId"),
                            "aws:PrincipalOrgID": Ref("OrganizationId"),
                        },
                        "ArnEquals": {"aws:PrincipalArn": Sub(arn)},
                    },
                }
            ],
        },
        Policies=[
            Policy(PolicyName="needs", PolicyDocument={"Version": "2012-10-17", "Statement": list(statements)}),
        ],
        Metadata={"Reasons": reasons},
    )
