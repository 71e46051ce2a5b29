"""A key of our own: what all of them have in common, whatever they encrypt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from troposphere import Sub
from troposphere.kms import Key


def own_key(
    title: str, description: str, uses: Sequence[Mapping[str, object]], reasons: Mapping[str, str] | None = None
) -> Key:
    """Make a key that the account administers through IAM, and that services use as `uses` lets them.

    `reasons`: why wildcards stand in `uses`, by wildcard.
    """
    administers = {
        # Without it nobody could administer the key, not even the account's root user.
        "Sid": "AccountAdministersThroughIam",
        "Effect": "Allow",
        "Principal": {"AWS": Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
        "Action": "kms:*",
        "Resource": "*",
    }
    return Key(
        title,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Description=description,
        EnableKeyRotation=True,
        KeyPolicy={"Version": "2012-10-17", "Statement": [administers, *uses]},
        Metadata={
            "Reasons": {
                "Resource": "In a key policy * is the key itself",
                "kms:*": "The statement that AWS documents for handing a key's administration to IAM",
                "Retain": "What the key has encrypted must stay readable after the stack is gone",
                **(reasons or {}),
            }
        },
    )


def encrypts_logs(*groups: str) -> dict[str, object]:
    """Let CloudWatch Logs use the key for log groups of these names, which may end with `*`.

    Documented with the Region in the principal's name; other services use the one without [H].
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    arns = [
        Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{each}") for each in groups
    ]
    return {
        "Sid": "CloudWatchEncryptsLogs",
        "Effect": "Allow",
        "Principal": {"Service": [Sub("logs.${AWS::Region}.amazonaws.com"), "logs.amazonaws.com"]},
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
    }
