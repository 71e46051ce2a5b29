"""AWS Config's recorder in an account that has none, and the one bucket that all recorders deliver to.

There is one recorder in each account and Region, whoever made it: leave the recorder out where a landing zone has one.
"""

from __future__ import annotations

from collections.abc import Iterator

from troposphere import AccountId, GetAtt, Output, Ref, Sub, Template
from troposphere.config import ConfigurationRecorder, DeliveryChannel, RecordingGroup
from troposphere.iam import Policy, Role
from troposphere.s3 import Bucket, BucketPolicy, LifecycleConfiguration, LifecycleRule, VersioningConfiguration
from troposphere.s3 import LifecycleRuleTransition as Transition

from stacksets.templates.buckets import own_bucket, tls_statement
from stacksets.templates.function import add_parameter

RECORDED = ("AWS::EC2::Instance", "AWS::S3::Bucket")
"""What rules of orgctl look at: each further type is paid for by each change of it."""
BUCKET_PREFIX = "orgctl-config-records-"


def render_recorder() -> Template:
    template = Template("orgctl config recorder: AWS Config records what rules of the lineage account judge")
    template.set_version()
    add_parameter(template, "LogArchiveAccountId", "The account that has the bucket", AllowedPattern="[0-9]{12}")
    add_parameter(template, "HomeRegion", "The Region of the bucket")
    role = template.add_resource(_role())
    template.add_resource(
        ConfigurationRecorder(
            "Recorder",
            RoleARN=GetAtt(role, "Arn"),
            RecordingGroup=RecordingGroup(
                AllSupported=False, IncludeGlobalResourceTypes=False, ResourceTypes=list(RECORDED)
            ),
            Metadata={
                "checkov": {
                    "skip": [{"id": "CKV_AWS_78", "comment": "All types would cost much, and no rule of orgctl asks"}]
                }
            },
        )
    )
    template.add_resource(
        DeliveryChannel("RecordsDelivery", S3BucketName=Sub(BUCKET_PREFIX + "${LogArchiveAccountId}-${HomeRegion}"))
    )
    return template


def _role() -> Role:
    """Not Config's service-linked role: CloudFormation cannot make that where it is there already."""
    bucket = f"arn:${{AWS::Partition}}:s3:::{BUCKET_PREFIX}${{LogArchiveAccountId}}-${{HomeRegion}}"
    statements = [
        {
            "Sid": "Deliver",
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": Sub(f"{bucket}/AWSLogs/${{AWS::AccountId}}/*"),
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        },
        {"Sid": "LookAtTheBucket", "Effect": "Allow", "Action": "s3:GetBucketAcl", "Resource": Sub(bucket)},
    ]
    return Role(
        "RecorderRole",
        RoleName=Sub("orgctl-config-recorder-${AWS::Region}"),
        Description="AWS Config reads configurations and delivers them to the log archive",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ConfigMayAssume",
                    "Effect": "Allow",
                    "Principal": {"Service": "config.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}},
                }
            ],
        },
        ManagedPolicyArns=[Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWS_ConfigRole")],
        Policies=[
            Policy(PolicyName="deliver", PolicyDocument={"Version": "2012-10-17", "Statement": statements}),
        ],
        Metadata={"Reasons": {"AWS_ConfigRole": "AWS keeps the reads of its recorder in it"}},
    )


def render_bucket() -> Template:
    """For the log archive account, in the home Region.

    Without Object Lock by default: AWS Config does not deliver to a bucket that locks what comes.
    https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
    """
    template = Template("orgctl config bucket: where the recorders of all accounts deliver")
    template.set_version()
    add_parameter(template, "OrganizationId", "Whose recorders may deliver", AllowedPattern="o-[a-z0-9]+")
    bucket = template.add_resource(_bucket())
    template.add_resource(_policy(bucket))
    template.add_output(Output("ConfigBucket", Description="Where recorders deliver", Value=Ref(bucket)))
    return template


def _bucket() -> Bucket:
    """Encrypted by S3 itself: a key would have to admit the recorder of every account."""
    return own_bucket(
        "Records",
        BUCKET_PREFIX + "${AWS::AccountId}-${AWS::Region}",
        None,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=LifecycleConfiguration(
            Rules=[
                LifecycleRule(
                    Id="cheaper-with-age",
                    Status="Enabled",
                    Transitions=[
                        Transition(StorageClass="STANDARD_IA", TransitionInDays=90),
                        Transition(StorageClass="GLACIER", TransitionInDays=180),
                        Transition(StorageClass="DEEP_ARCHIVE", TransitionInDays=365),
                    ],
                )
            ]
        ),
        Metadata={
            "Reasons": {"Retain": "What was recorded is evidence"},
            "checkov": {
                "skip": [{"id": "CKV_AWS_18", "comment": "Who reads is for data events of the organization's trail"}]
            },
        },
    )


def _policy(bucket: Bucket) -> BucketPolicy:
    config = {"Service": "config.amazonaws.com"}
    of_organization = {"aws:SourceOrgID": Ref("OrganizationId")}
    statements = [
        {
            "Sid": "RecordersLook",
            "Effect": "Allow",
            "Principal": config,
            "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
            "Resource": GetAtt(bucket, "Arn"),
            "Condition": {"StringEquals": of_organization},
        },
        {
            "Sid": "RecordersDeliver",
            "Effect": "Allow",
            "Principal": config,
            "Action": "s3:PutObject",
            "Resource": Sub("${Records.Arn}/AWSLogs/*"),
            "Condition": {"StringEquals": {**of_organization, "s3:x-amz-acl": "bucket-owner-full-control"}},
        },
        *_roles_deliver(bucket),
        tls_statement(bucket),
    ]
    return BucketPolicy(
        "RecordsPolicy", Bucket=Ref(bucket), PolicyDocument={"Version": "2012-10-17", "Statement": statements}
    )


def _roles_deliver(bucket: Bucket) -> Iterator[dict[str, object]]:
    """Recorders deliver as their own role where it is not the service-linked one."""
    condition = {
        "StringEquals": {"aws:PrincipalOrgID": Ref("OrganizationId")},
        "ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:role/orgctl-config-recorder-*"},
    }
    for sid, action, resource in (
        ("RolesOfRecordersLook", "s3:GetBucketAcl", GetAtt(bucket, "Arn")),
        ("RolesOfRecordersDeliver", "s3:PutObject", Sub("${Records.Arn}/AWSLogs/${!aws:PrincipalAccount}/*")),
    ):
        yield {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": "*",
            "Action": action,
            "Resource": resource,
            "Condition": condition,
        }
