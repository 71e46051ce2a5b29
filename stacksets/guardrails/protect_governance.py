"""Nobody in a member account changes, stops or imitates what governs it; StackSets and orgctl's own access still do.

It knows the governance system by names (`orgctl-…`, `stacksets/templates/names.py`), by the tag that orgctl gives its
StackSets and CloudFormation hands on to what they make, and by the names that guardrails spare.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html
"""

from __future__ import annotations

from config.fields import PrincipalArn
from org.model import OVERRIDES_TAG, OWNER_TAG
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings, account_id
from stacksets.templates.names import FORWARDER_ROLE_PREFIX, OWN_LOG_GROUPS, OWN_PREFIX, STACK_PREFIX


class Parameters(GuardrailParameters):
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals that may change the governance system, such as AWSControlTowerExecution."""
    also_protected: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals to keep from change and imitation: those that policies of yours spare."""


IDENTITY_CALLS = tuple(
    f"iam:{verb}*" for verb in ("Attach", "Create", "Delete", "Detach", "Pass", "Put", "Set", "Tag", "Untag", "Update")
)
"""All that IAM can do to a role or a policy but read it; which of them is for the resources to say."""
USER_CALLS = tuple(f"iam:{verb}*" for verb in ("Change", "Deactivate", "Enable", "Reset", "Resync", "Upload"))
"""What it can do to users besides."""
FEDERATING = ("sts:GetFederationToken",)
"""Any user of the account chooses by it what the federated user is called."""
RESOURCE_CALLS = (
    *("cloudformation:Cancel*", "cloudformation:Continue*", "cloudformation:Create*", "cloudformation:Delete*"),
    *("cloudformation:Execute*", "cloudformation:Record*", "cloudformation:Rollback*", "cloudformation:Set*"),
    *("cloudformation:Signal*", "cloudformation:Tag*", "cloudformation:Untag*", "cloudformation:Update*"),
    *("cloudtrail:AddTags", "cloudtrail:Create*", "cloudtrail:Delete*", "cloudtrail:Put*", "cloudtrail:RemoveTags"),
    *("cloudtrail:StopLogging", "cloudtrail:Update*"),
    *("cloudwatch:DeleteAlarms", "cloudwatch:Disable*", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"),
    *("events:Cancel*", "events:Create*", "events:Delete*", "events:Disable*", "events:Enable*", "events:PutRule"),
    *("events:PutTargets", "events:Remove*", "events:StartReplay", "events:Tag*", "events:Untag*", "events:Update*"),
    *("lambda:Add*", "lambda:Create*", "lambda:Delete*", "lambda:Invoke*", "lambda:Publish*", "lambda:Put*"),
    *("lambda:Remove*", "lambda:Update*", "rds:Delete*", "rds:Modify*", "rds:Reset*", "rds:Stop*"),
    *("s3:CreateBucket*", "s3:DeleteBucket*", "s3:PauseReplication", "s3:Put*Configuration", "s3:PutBucket*"),
    *("s3:TagResource", "s3:UntagResource", "s3:UpdateBucket*"),
    *("sns:AddPermission", "sns:DeleteTopic", "sns:RemovePermission", "sns:SetTopicAttributes"),
    *("sqs:AddPermission", "sqs:CancelMessageMoveTask", "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PurgeQueue"),
    *("sqs:RemovePermission", "sqs:SetQueueAttributes", "sqs:StartMessageMoveTask", "sqs:TagQueue", "sqs:UntagQueue"),
)
"""To invoke is among them: the ingest believes whoever hands it a message. Services that call are no principals that a
guardrail holds for, and none of orgctl's roles calls a function.
"""
MAPPING_CALLS = (
    "lambda:CreateEventSourceMapping",
    "lambda:DeleteEventSourceMapping",
    "lambda:UpdateEventSourceMapping",
)
"""What connects a queue to a function; its ARN is an id, so that the function's tells ours.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""
DATA_CALLS = (
    *("logs:AssociateKmsKey", "logs:Create*", "logs:Delete*", "logs:Disassociate*", "logs:Put*", "logs:Tag*"),
    *("logs:Untag*", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention", "s3:DeleteObject*"),
    *("s3:InitiateReplication", "s3:ObjectOwnerOverrideToBucketOwner", "s3:PutObject*", "s3:Replicate*"),
    *("s3:RestoreObject", "s3:UpdateObjectEncryption", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    *("neptune-db:DeleteDataViaQuery", "neptune-db:Write*", "sns:Publish", "sqs:ReceiveMessage", "sqs:SendMessage"),
)
"""What orgctl's own functions do all day, and nobody else should."""
TAGGED_CALLS = (
    *("config:DeleteConfigRule", "config:DeleteEvaluationResults", "config:PutConfigRule"),
    *("config:PutExternalEvaluation", "config:TagResource", "config:UntagResource", "kms:DeleteAlias"),
    *("kms:DeleteImportedKeyMaterial", "kms:DisableKey*", "kms:ImportKeyMaterial", "kms:PutKeyPolicy"),
    *("kms:ReplicateKey", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource"),
    *("kms:UpdateAlias", "kms:UpdateKeyDescription", "kms:UpdatePrimaryRegion"),
)
"""Their ARNs hold ids that AWS makes up, so that the tag alone tells ours from others.

https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
"""
RECORDER_CALLS = (
    *("config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:DeleteRetentionConfiguration"),
    *("config:DisassociateResourceTypes", "config:PutConfigurationRecorder", "config:PutDeliveryChannel"),
    *("config:PutRetentionConfiguration", "config:StopConfigurationRecorder"),
)
"""There is one recorder of the account's own in each Region, whatever its name."""

_OF_SESSIONS = ("sts:*",)
"""Its tags are those of a session, which no guardrail asks for; whoever assumes a role may be denied none of it."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Deny in statements that differ in whom else they spare and by what they know ours.

    The tags are guarded twice: by prefix, and whatever their case where a condition names them, since the key in
    `aws:ResourceTag/…` is compared without regard to case and a second tag in another case would spoil the comparison.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
    """
    exempt = (*surroundings.exempt, *parameters.exempt_principals)
    own_roles = surroundings.role_in_any_account(OWN_PREFIX + "*")
    forwarders = surroundings.role_in_any_account(FORWARDER_ROLE_PREFIX + "*")
    own = _Resources(surroundings.partition, surroundings.lineage_account)
    known = (*exempt, own_roles, *surroundings.spared, *parameters.also_protected)
    identities = tuple(arn for arn in known if not arn.endswith(":root"))  # which nobody makes or changes
    users, federated = (any(kind in arn for arn in identities) for kind in (":user/", ":federated-user/"))
    return render_document(
        [
            Deny(
                sid="DenyChangingOrImitatingSparedPrincipals",
                actions=(*IDENTITY_CALLS, *(USER_CALLS if users else ()), *(FEDERATING if federated else ())),
                resources=(*identities, own.policies),
                exempt=exempt,
            ),
            Deny(
                sid="DenyChangingTheGovernanceSystem",
                actions=RESOURCE_CALLS,
                resources=own.things,
                exempt=exempt,
            ),
            Deny(
                sid="DenyFeedingFunctionsOfOrgctl",
                actions=MAPPING_CALLS,
                conditions={"ArnLike": {"lambda:FunctionArn": own.functions}},
                exempt=exempt,
            ),
            Deny(
                sid="DenyWritingGovernanceData",
                actions=DATA_CALLS,
                resources=(*own.log_groups, *own.graphs, own.buckets, own.queues, own.topics),
                exempt=(*exempt, own_roles),
            ),
            Deny(
                sid="DenyPuttingEventsOnGovernanceBuses",
                actions=("events:PutEvents",),
                resources=(own.events,),
                exempt=(*exempt, forwarders),
            ),
            Deny(
                sid="DenyChangingKeysAndRulesOfOrgctl",
                actions=TAGGED_CALLS,
                conditions={"StringEquals": {f"aws:ResourceTag/{OWNER_TAG}": "true"}},
                exempt=exempt,
            ),
            Deny(sid="DenyStoppingTheConfigRecorder", actions=RECORDER_CALLS, exempt=exempt),
            Deny(
                sid="DenyWritingTagsOfOrgctl",
                not_actions=_OF_SESSIONS,
                conditions={"ForAnyValue:StringLike": {"aws:TagKeys": "orgctl:*"}},
                exempt=(*exempt, own_roles),
            ),
            Deny(
                sid="DenyWritingTagsOfOrgctlInAnyCase",
                not_actions=_OF_SESSIONS,
                conditions={"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": (OWNER_TAG, OVERRIDES_TAG)}},
                exempt=(*exempt, own_roles),
            ),
        ]
    )


class _Resources:
    """ARN patterns of what is known by its name; `*` crosses `/` and `:`."""

    def __init__(self, partition: str, lineage_account: str) -> None:
        self.policies = f"arn:{partition}:iam::*:policy/{OWN_PREFIX}*"
        self.events = f"arn:{partition}:events:*:*:*/{OWN_PREFIX}*"
        self.buckets = f"arn:{partition}:s3:::{OWN_PREFIX}*"
        self.queues = f"arn:{partition}:sqs:*:*:{OWN_PREFIX}*"
        self.topics = f"arn:{partition}:sns:*:*:{OWN_PREFIX}*"
        self.functions = f"arn:{partition}:lambda:*:*:*:{OWN_PREFIX}*"
        self.things = (
            *(f"arn:{partition}:cloudformation:*:*:stack/{start}*" for start in (STACK_PREFIX, OWN_PREFIX)),
            f"arn:{partition}:cloudtrail:*:*:trail/{OWN_PREFIX}*",
            f"arn:{partition}:cloudwatch:*:*:alarm:{OWN_PREFIX}*",
            f"arn:{partition}:rds:*:*:*:{OWN_PREFIX}*",
            *(self.events, self.buckets, self.queues, self.topics, self.functions),
        )
        # A graph's data is known by an id that AWS makes up: all of the account that has orgctl's.
        self.graphs = (f"arn:{partition}:neptune-db:*:{account_id(lineage_account)}:*",) if lineage_account else ()
        self.log_groups = tuple(f"arn:{partition}:logs:*:*:log-group:{start}*" for start in OWN_LOG_GROUPS)
