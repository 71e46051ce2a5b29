"""What every governed account gets in every governed Region: roles for those who look in, a log group, forwarding."""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import (
    AccountId,
    Equals,
    GetAtt,
    If,
    Not,
    NoValue,
    Output,
    Parameter,
    Ref,
    Region,
    Sub,
    Template,
)
from troposphere.events import Rule, Target
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from stacksets.lineage_events import render_patterns
from stacksets.templates.lineage_roles import lineage_roles
from stacksets.templates.names import (
    AUDIT_ROLE,
    BUS_NAME_PATTERN,
    CENTRAL_BUS,
    FORWARDER_ROLE_PREFIX,
    FORWARDING_RULE_PREFIX,
    LOG_GROUP,
)

_IS_HOME_REGION = "IsHomeRegion"
_HAS_LOG_KEY = "HasLogKey"
_BUS_ARN = Sub("arn:${AWS::Partition}:events:${HomeRegion}:${LineageAccountId}:event-bus/${CentralBusName}")

DATA_READS = (
    "athena:GetQueryResults",
    "cloudformation:GetTemplate",
    "codecommit:GitPull",
    "cognito-idp:AdminGetUser",
    "cognito-idp:ListUsers",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ebs:GetSnapshotBlock",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:GetPasswordData",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "kinesis:GetRecords",
    "kms:Decrypt",
    "lambda:GetFunction",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "rds:DownloadCompleteDBLogFile",
    "rds:DownloadDBLogFilePortion",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
)
"""What an audit of configuration never needs: the content of data stores, logs, code, secrets and templates."""


def render() -> Template:
    """Render the template; it needs CAPABILITY_NAMED_IAM for the fixed role names."""
    template = Template("orgctl account baseline: roles to look in, log group, and forwarding of machine image events")
    template.set_version()
    _add_parameters(template)
    template.add_condition(_IS_HOME_REGION, Equals(Region, Ref("HomeRegion")))
    template.add_condition(_HAS_LOG_KEY, Not(Equals(Ref("LogKeyArn"), "")))
    template.add_resource(_audit_role())
    for role in lineage_roles():
        template.add_resource(role)
    template.add_resource(_log_group())
    forwarder = template.add_resource(_forwarder_role())
    for name, pattern in render_patterns().items():
        template.add_resource(_forwarding_rule(name, pattern, forwarder))
    template.add_output(
        Output(
            "AuditRoleArn",
            Description="The role that the audit account assumes to read this account's configuration",
            Condition=_IS_HOME_REGION,
            Value=GetAtt("AuditRole", "Arn"),
        )
    )
    return template


def _add_parameters(template: Template) -> None:
    def add(name: str, description: str, **settings: object) -> None:
        template.add_parameter(Parameter(name, Type="String", Description=description, **settings))

    account = {"AllowedPattern": "[0-9]{12}", "ConstraintDescription": "twelve digits"}
    add("HomeRegion", "Where what exists once per account is made, and where the central event bus is")
    add(
        "OrganizationId", "Only principals of this organization may assume the audit role", AllowedPattern="o-[a-z0-9]+"
    )
    add("AuditAccountId", "The account whose principals may assume the audit role", **account)
    add(
        "AuditPrincipal",
        "Which roles of the audit account may assume the audit role: the end of their ARN, * stands for any text",
        Default="role/orgctl-*",
        AllowedPattern=r"role/[\w+=,.@*/-]+",
    )
    add(
        "ExternalId",
        "What the audit account and the lineage account must present to assume roles; not a secret",
        MinLength=8,
        MaxLength=1224,
        AllowedPattern=r"[\w+=,.@:/-]+",
    )
    add("LineageAccountId", "The account that has the central event bus", **account)
    add("CentralBusName", "Name of the central event bus", Default=CENTRAL_BUS, AllowedPattern=BUS_NAME_PATTERN)
    retention = {"Type": "Number", "Default": 365, "AllowedValues": [30, 90, 180, 365, 400, 545, 731, 1827, 3653]}
    template.add_parameter(
        Parameter("LogRetentionDays", Description="How many days the log group keeps its events", **retention)
    )
    add(
        "LogKeyArn",
        "ARN of the KMS key for the log group; empty for encryption with a key of AWS",
        Default="",
        AllowedPattern="(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+)?",
        ConstraintDescription="the ARN of a key, not of an alias, or nothing",
    )


def _audit_role() -> Role:
    conditions = {
        "StringEquals": {"sts:ExternalId": Ref("ExternalId"), "aws:PrincipalOrgID": Ref("OrganizationId")},
        "ArnLike": {"aws:PrincipalArn": Sub("arn:${AWS::Partition}:iam::${AuditAccountId}:${AuditPrincipal}")},
    }
    return Role(
        "AuditRole",
        Condition=_IS_HOME_REGION,
        RoleName=AUDIT_ROLE,
        Description="Reads the configuration of this account for the audit account, and none of its data",
        MaxSessionDuration=3600,
        AssumeRolePolicyDocument=_document(
            Sid="AuditAccountMayAssume",
            Effect="Allow",
            # The account rather than its roles: IAM refuses a trust in a role that does not exist yet.
            Principal={"AWS": Sub("arn:${AWS::Partition}:iam::${AuditAccountId}:root")},
            Action="sts:AssumeRole",
            Condition=conditions,
        ),
        ManagedPolicyArns=[Sub("arn:${AWS::Partition}:iam::aws:policy/SecurityAudit")],
        Policies=[
            Policy(
                PolicyName="no-data",
                PolicyDocument=_document(Sid="DenyReadingData", Effect="Deny", Action=list(DATA_READS), Resource="*"),
            )
        ],
        Metadata={
            "Reasons": {
                "SecurityAudit": "AWS keeps this list of configuration reads up to date as services are added",
                "Resource": "The only statement with Resource * is a Deny, which can but narrow",
            }
        },
    )


def _log_group() -> LogGroup:
    # Deleted with the stack: a group that is left behind would make the next deployment to the account fail.
    return LogGroup(
        "GovernanceLog",
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        LogGroupName=LOG_GROUP,
        RetentionInDays=Ref("LogRetentionDays"),
        KmsKeyId=If(_HAS_LOG_KEY, Ref("LogKeyArn"), NoValue),
    )


def _forwarder_role() -> Role:
    rules = Sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{FORWARDING_RULE_PREFIX}*")
    return Role(
        "ForwarderRole",
        RoleName=Sub(FORWARDER_ROLE_PREFIX + "${AWS::Region}"),
        Description="Lets the forwarding rules of this Region put events on the central bus",
        MaxSessionDuration=3600,
        AssumeRolePolicyDocument=_document(
            Sid="ForwardingRulesMayAssume",
            Effect="Allow",
            Principal={"Service": "events.amazonaws.com"},
            Action="sts:AssumeRole",
            Condition={"StringEquals": {"aws:SourceAccount": AccountId}, "ArnLike": {"aws:SourceArn": rules}},
        ),
        Policies=[
            Policy(
                PolicyName="put-events",
                PolicyDocument=_document(
                    Sid="PutEventsOnCentralBus", Effect="Allow", Action="events:PutEvents", Resource=_BUS_ARN
                ),
            )
        ],
    )


def _forwarding_rule(name: str, pattern: Mapping[str, object], forwarder: Role) -> Rule:
    title = "Forward" + "".join(word.capitalize() for word in name.split("-"))
    return Rule(
        title,
        Name=FORWARDING_RULE_PREFIX + name,
        Description=f"Forwards {name.replace('-', ' ')} that bear on machine images to the central event bus",
        EventPattern=dict(pattern),
        State="ENABLED",
        Targets=[Target(Id="central-bus", Arn=_BUS_ARN, RoleArn=GetAtt(forwarder, "Arn"))],
    )


def _document(**statement: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [statement]}
