"""From a row of `stacksets.functions`: role, log group, function, what becomes of failures, and alarms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from troposphere import AccountId, Equals, GetAtt, If, Not, NoValue, Parameter, Ref, Sub, Template
from troposphere.awslambda import (
    Code,
    DestinationConfig,
    Environment,
    EventInvokeConfig,
    EventSourceMapping,
    Function,
    LoggingConfig,
    OnFailure,
    ScalingConfig,
    TracingConfig,
    VPCConfig,
)
from troposphere.cloudwatch import Alarm, MetricDimension
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup
from troposphere.sqs import Queue
from troposphere.validators import integer

from stacksets.functions import LambdaFunction, Need
from stacksets.templates.queues import own_queue, tls_only

LOG_DAYS = {"Type": "Number", "Default": 365, "AllowedValues": [30, 90, 180, 365, 400, 545, 731, 1827, 3653]}
HAS_LAYER = "HasLayer"
_ARN = "arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+"
_FIVE_MINUTES = 300
_LATE_SECONDS = 900
_NO_DEAD_LETTERS = {
    "id": "CKV_AWS_116",
    "comment": "A queue has dead letters of its own, a caller who waits hears of the failure, and all others go to the "
    "destination in the EventInvokeConfig, which tells more than a dead letter",
}


class QueueScaling(ScalingConfig):  # type: ignore[misc]
    """Of a queue's mapping: troposphere 4.11 has only that of another type of the same name."""

    props: ClassVar = {"MaximumConcurrency": (integer, False)}


def add_parameter(template: Template, name: str, description: str, **settings: object) -> None:
    template.add_parameter(Parameter(name, **{"Type": "String", "Description": description, **settings}))


def add_arn_parameter(template: Template, name: str, description: str) -> None:
    add_parameter(template, name, description, AllowedPattern=_ARN, ConstraintDescription="an ARN")


def add_function_parameters(template: Template, *, in_network: bool) -> None:
    """Declare what every function's template takes: the code, and what earlier stacks made."""
    add_parameter(
        template,
        "CodeBucket",
        "Bucket of this Region with the functions' code",
        AllowedPattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    )
    add_parameter(
        template, "CodeKey", "Key of the code in the bucket: orgctl names it by its digest", MinLength=1, MaxLength=1024
    )
    add_parameter(
        template,
        "LayerArn",
        "Layer with the packages that the code imports; empty in the sandbox, which has them itself",
        Default="",
        AllowedPattern=f"({_ARN})?",
    )
    template.add_condition(HAS_LAYER, Not(Equals(Ref("LayerArn"), "")))
    add_arn_parameter(template, "FunctionsKeyArn", "KMS key for the functions' logs, variables and queues")
    add_arn_parameter(template, "ErrorTopicArn", "Topic that alarms are sent to")
    add_parameter(template, "LogRetentionDays", "How many days log groups keep their events", **LOG_DAYS)
    if in_network:
        add_parameter(
            template, "SubnetIds", "Private subnets of the functions, with commas", Type="List<AWS::EC2::Subnet::Id>"
        )
        add_parameter(
            template, "FunctionsSecurityGroupId", "Of functions in the network", Type="AWS::EC2::SecurityGroup::Id"
        )


def add_graph_parameters(template: Template) -> None:
    add_parameter(
        template,
        "GraphUrl",
        "Where the graph is: wss://… of Neptune; sqlite:///… is for the sandbox",
        AllowedPattern=r"(wss|ws|sqlite)://.+",
    )
    add_arn_parameter(template, "GraphDataArn", "The graph's data, as policies of Neptune name it")


def add_settings_parameter(template: Template) -> None:
    add_parameter(template, "Settings", "What functions know of the manifest, as JSON", MinLength=2, MaxLength=4096)


def add_function(
    template: Template,
    row: LambdaFunction,
    alarm_topic: str = "ErrorTopicArn",
    undelivered: Sequence[dict[str, object]] = (),
) -> Function:
    """Add all that the row says; the template must declare the parameters that its texts name.

    `alarm_topic`: the parameter, or the resource, whose Ref is the topic of its alarms.
    `undelivered`: let who calls it put into its queue of failures what did not even reach Lambda.
    """
    logs = template.add_resource(_log_group(row))
    failures = template.add_resource(_failures(row)) if row.asynchronous else None
    if failures is not None:
        template.add_resource(tls_only(f"{row.title}FailuresPolicy", failures, *undelivered))
    role = template.add_resource(_role(row, failures))
    function = template.add_resource(_function(row, role, logs))
    if failures is not None:
        template.add_resource(
            EventInvokeConfig(
                f"{row.title}Calls",
                FunctionName=Ref(function),
                Qualifier="$LATEST",
                MaximumRetryAttempts=2,
                MaximumEventAgeInSeconds=3 * 3600,
                DestinationConfig=DestinationConfig(OnFailure=OnFailure(Destination=GetAtt(failures, "Arn"))),
            )
        )
        template.add_resource(depth_alarm(f"{row.name}-failures", failures, alarm_topic))
    for metric, says in (("Errors", "fails"), ("Throttles", "is called more often than it may run")):
        template.add_resource(
            raise_alarm(
                f"{row.title}{metric}",
                f"{row.name}-{metric.lower()}",
                f"The function {row.name} {says}",
                "AWS/Lambda",
                metric,
                {"FunctionName": Ref(function)},
                statistic="Sum",
                topic=alarm_topic,
            )
        )
    return function


def take_from(template: Template, row: LambdaFunction, queue: Queue, *, batch: int, at_once: int, wait: int) -> None:
    """Have the function take batches from the queue, and raise an alarm when messages wait for long.

    `wait`: seconds to wait for a batch to become full.
    """
    template.add_resource(
        EventSourceMapping(
            f"{queue.title}To{row.title}",
            EventSourceArn=GetAtt(queue, "Arn"),
            FunctionName=GetAtt(row.title, "Arn"),
            BatchSize=batch,
            MaximumBatchingWindowInSeconds=wait,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig=QueueScaling(MaximumConcurrency=at_once),
        )
    )
    template.add_resource(
        raise_alarm(
            f"{queue.title}Late",
            Sub(f"${{{queue.title}.QueueName}}-late"),
            f"A message waits for {row.name} for longer than {_LATE_SECONDS // 60} minutes",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": GetAtt(queue, "QueueName")},
            statistic="Maximum",
            above=_LATE_SECONDS,
        )
    )


def depth_alarm(name: str, queue: Queue, topic: str = "ErrorTopicArn") -> Alarm:
    """Raise an alarm as soon as anything is in a queue that should be empty."""
    return raise_alarm(
        f"{queue.title}Alarm",
        name,
        "What could not be done waits here for a person: look at it, mend its cause, and send it again",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": GetAtt(queue, "QueueName")},
        statistic="Maximum",
        topic=topic,
    )


def raise_alarm(
    title: str,
    name: object,
    description: str,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, object],
    *,
    statistic: str,
    above: int = 0,
    topic: str = "ErrorTopicArn",
) -> Alarm:
    """Make an alarm that is raised when the metric is above a number for five minutes."""
    return Alarm(
        title,
        AlarmName=name,
        AlarmDescription=description,
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[MetricDimension(Name=key, Value=value) for key, value in dimensions.items()],
        Statistic=statistic,
        Period=_FIVE_MINUTES,
        EvaluationPeriods=1,
        Threshold=above,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[Ref(topic)],
    )


def _log_group(row: LambdaFunction) -> LogGroup:
    return LogGroup(
        f"{row.title}Log",
        LogGroupName=f"/orgctl/{row.name}",
        RetentionInDays=Ref("LogRetentionDays"),
        KmsKeyId=Ref("FunctionsKeyArn"),
        # A group that is left behind would make the next deployment fail on its name.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def failures_of(row: LambdaFunction) -> GetAtt:
    """Answer the ARN of the queue of what failed."""
    return GetAtt(f"{row.title}Failures", "Arn")


def _failures(row: LambdaFunction) -> Queue:
    return own_queue(f"{row.title}Failures", f"{row.name}-failures", Ref("FunctionsKeyArn"))


def _function(row: LambdaFunction, role: Role, logs: LogGroup) -> Function:
    skips = [_NO_DEAD_LETTERS]
    network = {}
    if row.in_network:
        network = {
            "VpcConfig": VPCConfig(SubnetIds=Ref("SubnetIds"), SecurityGroupIds=[Ref("FunctionsSecurityGroupId")])
        }
    else:
        why = "It does not touch the graph, and calls what the network has no endpoint for"
        skips.append({"id": "CKV_AWS_117", "comment": why})
    return Function(
        row.title,
        FunctionName=row.name,
        Description=row.description,
        Runtime="python3.13",
        Architectures=["arm64"],
        Handler=row.handler,
        Code=Code(S3Bucket=Ref("CodeBucket"), S3Key=Ref("CodeKey")),
        Layers=If(HAS_LAYER, [Ref("LayerArn")], NoValue),
        Role=GetAtt(role, "Arn"),
        KmsKeyArn=Ref("FunctionsKeyArn"),
        MemorySize=row.memory,
        Timeout=row.seconds,
        ReservedConcurrentExecutions=row.reserved,
        LoggingConfig=LoggingConfig(LogGroup=Ref(logs)),
        TracingConfig=TracingConfig(Mode="Active"),
        Environment=Environment(Variables={name: filled(text) for name, text in sorted(row.environment.items())}),
        Metadata={"checkov": {"skip": skips}},
        **network,
    )


def _role(row: LambdaFunction, failures: Queue | None) -> Role:
    needs = (*row.needs, *_needs_of_any(row), *(_needs_of_failures(failures) if failures is not None else ()))
    statements = [_statement(need) for need in needs]
    if row.in_network:
        statements.append(_not_by_the_code(row))
    reasons = {need.sid: need.reason for need in needs if need.reason}
    return Role(
        f"{row.title}Role",
        RoleName=Sub(f"{row.name}-${{AWS::Region}}"),
        Description=f"What the function {row.name} may do",
        AssumeRolePolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "LambdaMayAssume",
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    # Not aws:SourceArn as well: AWS does not document that all of Lambda's parts that take the role
                    # send it, those that poll queues among them.
                    "Condition": {"StringEquals": {"aws:SourceAccount": AccountId}},
                }
            ],
        },
        Policies=[
            Policy(PolicyName="needs", PolicyDocument={"Version": "2012-10-17", "Statement": statements}),
        ],
        Metadata={"Reasons": reasons, **(_INTERFACES_ON_ALL if row.in_network else {})},
    )


def _needs_of_any(row: LambdaFunction) -> Sequence[Need]:
    own = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{row.name}"
    log = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/orgctl/{row.name}:*"
    needs = [
        Need("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), (log,)),
        Need(
            "Trace",
            ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
            ("*",),
            reason="AWS defines no resource for these calls",
        ),
        Need(
            "ReadOwnVariables",
            ("kms:Decrypt",),
            ("${FunctionsKeyArn}",),
            {"StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": own}},
        ),
    ]
    if row.in_network:
        needs.append(
            Need(
                "StandInTheNetwork",
                _INTERFACE_CALLS,
                ("*",),
                reason="Lambda makes the network interfaces as this role, before they have ids; the function's own "
                "code is denied these calls: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
            )
        )
    return needs


_INTERFACES_ON_ALL = {
    "checkov": {
        "skip": [
            {"id": "CKV_AWS_111", "comment": "StandInTheNetwork: Lambda alone makes these calls, as its reason says"}
        ]
    }
}
_INTERFACE_CALLS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def _needs_of_failures(failures: Queue) -> Sequence[Need]:
    return (
        Need("SendFailures", ("sqs:SendMessage",), (f"${{{failures.title}.Arn}}",)),
        Need(
            "EncryptFailures",
            ("kms:Decrypt", "kms:GenerateDataKey"),
            ("${FunctionsKeyArn}",),
            {"StringEquals": {"kms:ViaService": "sqs.${AWS::Region}.amazonaws.com"}},
        ),
    )


def _not_by_the_code(row: LambdaFunction) -> dict[str, object]:
    own = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{row.name}"
    return {
        "Sid": "NotByTheCode",
        "Effect": "Deny",
        "Action": list(_INTERFACE_CALLS),
        "Resource": "*",
        "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": Sub(own)}},
    }


def _statement(need: Need) -> dict[str, object]:
    resources = [filled(each) for each in need.resources]
    statement: dict[str, object] = {
        "Sid": need.sid,
        "Effect": "Allow",
        "Action": list(need.actions),
        "Resource": resources if len(resources) > 1 else resources[0],
    }
    if need.conditions:
        statement["Condition"] = {
            operator: {key: filled(value) for key, value in keys.items()} for operator, keys in need.conditions.items()
        }
    return statement


def filled(text: str) -> object:
    """Answer the text as CloudFormation fills it in: Ref or GetAtt where it is nothing but one."""
    only = re.fullmatch(r"\$\{(\w+)(?:\.(\w+))?\}", text)
    if only is not None:
        return GetAtt(only[1], only[2]) if only[2] else Ref(only[1])
    return Sub(text) if "${" in text else text
