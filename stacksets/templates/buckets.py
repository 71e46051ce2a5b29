"""Buckets of our own: private, encrypted, and reached by TLS alone."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)


def own_bucket(title: str, name: str, key_arn: object | None, **settings: object) -> Bucket:
    """Make a bucket that is encrypted with the key, or by S3 itself if there is none."""
    keyed = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    encryption = ServerSideEncryptionByDefault(**(keyed if key_arn is not None else {"SSEAlgorithm": "AES256"}))
    return Bucket(
        title,
        BucketName=Sub(name),
        OwnershipControls=OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
        PublicAccessBlockConfiguration=PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        BucketEncryption=BucketEncryption(
            ServerSideEncryptionConfiguration=[
                ServerSideEncryptionRule(BucketKeyEnabled=key_arn is not None, ServerSideEncryptionByDefault=encryption)
            ]
        ),
        **settings,
    )


def bucket_by_tls_only(bucket: Bucket, *of_objects: dict[str, object]) -> BucketPolicy:
    """Nothing without TLS; and what the statements say of all objects."""
    objects = Sub(f"${{{bucket.title}.Arn}}/*")
    statements = [*({**each, "Resource": objects} for each in of_objects), tls_statement(bucket)]
    return BucketPolicy(
        f"{bucket.title}Policy",
        Bucket=Ref(bucket),
        PolicyDocument={"Version": "2012-10-17", "Statement": statements},
    )


def tls_statement(bucket: Bucket) -> dict[str, object]:
    return {
        "Sid": "NothingWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
