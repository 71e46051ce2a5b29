"""What the lineage account gets in the home Region to make a graph of the events: queue, function, archive.

Central bus → rule → queue → function, which writes each event to the archive before it adds to the graph. A message
that fails goes back to the queue, and after some tries to the dead-letter queue.
"""

from __future__ import annotations

from typing import ClassVar

from troposphere import AccountId, GetAtt, Output, Parameter, Ref, Sub, Template
from troposphere.awslambda import (
    Code,
    Environment,
    EventSourceMapping,
    Function,
    LoggingConfig,
    ScalingConfig,
    TracingConfig,
)
from troposphere.events import DeadLetterConfig, Rule, Target
from troposphere.iam import Policy, Role
from troposphere.kms import Key
from troposphere.logs import LogGroup
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    DefaultRetention,
    ObjectLockConfiguration,
    ObjectLockRule,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
    VersioningConfiguration,
)
from troposphere.sqs import Queue, QueuePolicy, RedrivePolicy
from troposphere.validators import integer

from stacksets.templates.names import BUS_NAME_PATTERN, CENTRAL_BUS, INGEST_FUNCTION, LINEAGE_QUEUE
from stacksets.templates.own_key import own_key

_SECONDS = 60
_TRIES = 5
_FOURTEEN_DAYS = 14 * 24 * 60 * 60
_RULE_ARN = Sub(
    f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/${{CentralBusName}}/{LINEAGE_QUEUE}"
)
_LOG_GROUP = f"/orgctl/{INGEST_FUNCTION}"


class _QueueScaling(ScalingConfig):  # type: ignore[misc]
    """Of a queue's mapping: troposphere 4.11 has only that of another type of the same name."""

    props: ClassVar = {"MaximumConcurrency": (integer, False)}


def render() -> Template:
    template = Template("orgctl lineage ingest: queue, function and archive of machine image events")
    template.set_version()
    _add_parameters(template)
    key = template.add_resource(_key())
    archive = template.add_resource(_archive(key))
    template.add_resource(_tls_only(archive))
    dead = template.add_resource(_queue("DeadLetters", f"{LINEAGE_QUEUE}-dead-letters", key))
    queue = template.add_resource(_queue("Events", LINEAGE_QUEUE, key, dead))
    rule = template.add_resource(_rule(queue, dead))
    template.add_resource(_rule_may_send("EventsPolicy", queue))
    template.add_resource(_rule_may_send("DeadLettersPolicy", dead))
    logs = template.add_resource(
        LogGroup(
            "IngestLog",
            LogGroupName=_LOG_GROUP,
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=GetAtt(key, "Arn"),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    role = template.add_resource(_role(queue, key))
    function = template.add_resource(_function(role, logs, key, archive))
    template.add_resource(
        EventSourceMapping(
            "EventsToIngest",
            EventSourceArn=GetAtt(queue, "Arn"),
            FunctionName=GetAtt(function, "Arn"),
            BatchSize=100,
            MaximumBatchingWindowInSeconds=2,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            # Writers of one graph get into each other's way beyond a few; what waits, waits in the queue.
            ScalingConfig=_QueueScaling(MaximumConcurrency=5),
        )
    )
    template.add_output(Output("ArchiveBucket", Description="Every event as it came", Value=Ref(archive)))
    template.add_output(Output("QueueUrl", Description="Events on their way", Value=Ref(queue)))
    template.add_output(Output("RuleArn", Description="From the bus to the queue", Value=GetAtt(rule, "Arn")))
    return template


def _add_parameters(template: Template) -> None:
    def add(name: str, description: str, **settings: object) -> None:
        template.add_parameter(Parameter(name, Type="String", Description=description, **settings))

    add("CentralBusName", "Name of the central event bus", Default=CENTRAL_BUS, AllowedPattern=BUS_NAME_PATTERN)
    add(
        "CodeBucket",
        "Bucket of this Region with the functions' code",
        AllowedPattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    )
    add("CodeKey", "Key of the code in the bucket: orgctl names it by its digest", MinLength=1, MaxLength=1024)
    add(
        "GraphUrl",
        "Where the graph is: wss://… of Neptune; sqlite:///… is for the sandbox",
        AllowedPattern=r"(wss|ws|sqlite)://.+",
    )
    add(
        "RetentionMode",
        "GOVERNANCE: principals with s3:BypassGovernanceRetention may delete events before their time; "
        "COMPLIANCE: nobody may, and nobody can change that",
        Default="GOVERNANCE",
        AllowedValues=["GOVERNANCE", "COMPLIANCE"],
    )
    days = {"Type": "Number", "MinValue": 1, "MaxValue": 36500}
    template.add_parameter(
        Parameter("RetentionDays", Description="How long events cannot be deleted", Default=365, **days)
    )
    retention = {"Type": "Number", "Default": 365, "AllowedValues": [30, 90, 180, 365, 400, 545, 731, 1827, 3653]}
    template.add_parameter(
        Parameter("LogRetentionDays", Description="How many days the log group keeps its events", **retention)
    )


def _queue(title: str, name: str, key: Key, dead: Queue | None = None) -> Queue:
    redrive = (
        {"RedrivePolicy": RedrivePolicy(deadLetterTargetArn=GetAtt(dead, "Arn"), maxReceiveCount=_TRIES)}
        if dead
        else {}
    )
    return Queue(
        title,
        QueueName=name,
        # A queue that is left behind would make the next deployment fail on its name.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        KmsMasterKeyId=GetAtt(key, "Arn"),
        MessageRetentionPeriod=_FOURTEEN_DAYS,
        # Six times the function's timeout, as AWS advises:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        VisibilityTimeout=6 * _SECONDS,
        **redrive,
    )


def _rule(queue: Queue, dead: Queue) -> Rule:
    return Rule(
        "EventsToQueue",
        Name=LINEAGE_QUEUE,
        Description="Brings every event of the central bus to the queue, also one that should not be there: it is told",
        EventBusName=Ref("CentralBusName"),
        EventPattern={"source": [{"prefix": ""}]},
        State="ENABLED",
        Targets=[
            Target(Id="queue", Arn=GetAtt(queue, "Arn"), DeadLetterConfig=DeadLetterConfig(Arn=GetAtt(dead, "Arn")))
        ],
    )


def _rule_may_send(title: str, queue: Queue) -> QueuePolicy:
    arn = GetAtt(queue, "Arn")
    return QueuePolicy(
        title,
        Queues=[Ref(queue)],
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "RuleMaySend",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": _RULE_ARN}},
                },
                {
                    "Sid": "NothingWithoutTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sqs:*",
                    "Resource": arn,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        },
    )


def _archive(key: Key) -> Bucket:
    return Bucket(
        "Archive",
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        BucketName=Sub("orgctl-lineage-archive-${AWS::AccountId}-${AWS::Region}"),
        ObjectLockEnabled=True,
        ObjectLockConfiguration=ObjectLockConfiguration(
            ObjectLockEnabled="Enabled",
            Rule=ObjectLockRule(
                DefaultRetention=DefaultRetention(Mode=Ref("RetentionMode"), Days=Ref("RetentionDays"))
            ),
        ),
        VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
        OwnershipControls=OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
        PublicAccessBlockConfiguration=PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        BucketEncryption=BucketEncryption(
            ServerSideEncryptionConfiguration=[
                ServerSideEncryptionRule(
                    BucketKeyEnabled=True,
                    ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(
                        SSEAlgorithm="aws:kms", KMSMasterKeyID=GetAtt(key, "Arn")
                    ),
                )
            ]
        ),
        Metadata={"Reasons": {"Retain": "The graph can be rebuilt from it alone"}},
    )


def _tls_only(archive: Bucket) -> BucketPolicy:
    return BucketPolicy(
        "ArchivePolicy",
        Bucket=Ref(archive),
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "NothingWithoutTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [GetAtt(archive, "Arn"), Sub("${Archive.Arn}/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        },
    )


def _role(queue: Queue, key: Key) -> Role:
    def allow(sid: str, actions: list[str], resource: object) -> dict[str, object]:
        return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}

    statements = [
        allow(
            "TakeEvents", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], GetAtt(queue, "Arn")
        ),
        allow("KeepEvents", ["s3:PutObject"], Sub("${Archive.Arn}/events/*")),
        allow("ReadQueueWriteArchive", ["kms:Decrypt", "kms:GenerateDataKey"], GetAtt(key, "Arn")),
        allow(
            "Log",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{_LOG_GROUP}:*"),
        ),
    ]
    return Role(
        "IngestRole",
        RoleName=Sub(f"{INGEST_FUNCTION}-${{AWS::Region}}"),
        Description="Takes machine image events from the queue, keeps them, and adds them to the graph",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "LambdaMayAssume",
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        },
        Policies=[
            Policy(PolicyName="ingest", PolicyDocument={"Version": "2012-10-17", "Statement": statements}),
        ],
    )


def _function(role: Role, logs: LogGroup, key: Key, archive: Bucket) -> Function:
    return Function(
        "Ingest",
        FunctionName=INGEST_FUNCTION,
        Description="Keeps machine image events in the archive and adds what they say to the lineage graph",
        Runtime="python3.13",
        Architectures=["arm64"],
        Handler="handlers.ingest_events.handler",
        Code=Code(S3Bucket=Ref("CodeBucket"), S3Key=Ref("CodeKey")),
        Role=GetAtt(role, "Arn"),
        KmsKeyArn=GetAtt(key, "Arn"),
        MemorySize=512,
        Timeout=_SECONDS,
        LoggingConfig=LoggingConfig(LogGroup=Ref(logs)),
        TracingConfig=TracingConfig(Mode="PassThrough"),
        Environment=Environment(
            Variables={
                "ORGCTL_LINEAGE_ARCHIVE": Ref(archive),
                "ORGCTL_LINEAGE_GRAPH": Ref("GraphUrl"),
            }
        ),
    )


def _key() -> Key:
    """Encrypt queue, archive, log group and the function's environment."""

    def service(*names: object) -> dict[str, object]:
        return {"Service": names[0] if len(names) == 1 else list(names)}

    here = {"StringEquals": {"aws:SourceAccount": AccountId}}
    log_group = Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{_LOG_GROUP}")
    uses = [
        {
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
            "Sid": "EventBridgeSendsToTheQueue",
            "Effect": "Allow",
            "Principal": service("events.amazonaws.com"),
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": here,
        },
        {
            # Documented with the Region in the principal's name; other services use the one without [H].
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
            "Sid": "CloudWatchEncryptsTheLog",
            "Effect": "Allow",
            "Principal": service(Sub("logs.${AWS::Region}.amazonaws.com"), "logs.amazonaws.com"),
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": "*",
            "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group}},
        },
    ]
    return own_key("LineageKey", "Encrypts the queue, archive and logs of orgctl's lineage ingest", uses)
