"""The web firewall in front of the API: AWS's own rules, a limit for each address, and a limit for bodies."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, Template
from troposphere.logs import LogGroup
from troposphere.wafv2 import (
    AllowAction,
    BlockAction,
    Body,
    DefaultAction,
    FieldToMatch,
    LoggingConfiguration,
    LoggingConfigurationFieldToMatch,
    ManagedRuleGroupStatement,
    OverrideAction,
    RateBasedStatement,
    RuleAction,
    SingleHeader,
    SizeConstraintStatement,
    Statement,
    TextTransformation,
    VisibilityConfig,
    WebACL,
    WebACLAssociation,
    WebACLRule,
)

from stacksets.templates.function import add_parameter

NAME = "orgctl-lineage"
LOG_GROUP = "aws-waf-logs-orgctl-lineage"
"""WAF takes names with this beginning alone."""
MANAGED = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)
MOST_BYTES = 8_192
"""Of a body: as AWS's common rules have it; WAF looks at the first 16 KB of a request to API Gateway.

https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html
"""


def add_firewall(template: Template, stage_arn: object) -> None:
    add_parameter(
        template,
        "RequestsPerAddress",
        "Requests of one address in five minutes, beyond which it is refused",
        Type="Number",
        Default=3000,
        MinValue=10,
        MaxValue=2_000_000_000,
    )
    firewall = template.add_resource(
        WebACL(
            "Firewall",
            Name=NAME,
            Description="In front of the lineage API",
            Scope="REGIONAL",
            DefaultAction=DefaultAction(Allow=AllowAction()),
            Rules=_rules(),
            VisibilityConfig=_seen("all"),
        )
    )
    template.add_resource(WebACLAssociation("FirewallOfApi", ResourceArn=stage_arn, WebACLArn=GetAtt(firewall, "Arn")))
    logs = template.add_resource(
        LogGroup(
            "FirewallLog",
            LogGroupName=LOG_GROUP,
            RetentionInDays=Ref("LogRetentionDays"),
            KmsKeyId=Ref("FunctionsKeyArn"),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    template.add_resource(
        LoggingConfiguration(
            "FirewallLogging",
            ResourceArn=GetAtt(firewall, "Arn"),
            DependsOn=[logs.title],
            LogDestinationConfigs=[log_arn(LOG_GROUP)],
            # What proves who the caller is has no place in a log.
            RedactedFields=[
                LoggingConfigurationFieldToMatch(SingleHeader=SingleHeader(Name=name))
                for name in ("authorization", "x-amz-security-token", "x-api-key")
            ],
        )
    )


def log_arn(group: str) -> Sub:
    """Answer a log group's ARN as these services want it: without the `:*` at the end of its Arn attribute."""
    return Sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}")


def _rules() -> list[WebACLRule]:
    blocked = RuleAction(Block=BlockAction())
    limits = [
        WebACLRule(
            Name="too-many-requests",
            Priority=0,
            Action=blocked,
            Statement=Statement(
                RateBasedStatement=RateBasedStatement(AggregateKeyType="IP", Limit=Ref("RequestsPerAddress"))
            ),
            VisibilityConfig=_seen("too-many-requests"),
        ),
        WebACLRule(
            Name="large-body",
            Priority=1,
            Action=blocked,
            Statement=Statement(
                SizeConstraintStatement=SizeConstraintStatement(
                    FieldToMatch=FieldToMatch(Body=Body(OversizeHandling="MATCH")),
                    ComparisonOperator="GT",
                    Size=MOST_BYTES - 1,
                    TextTransformations=[TextTransformation(Priority=0, Type="NONE")],
                )
            ),
            VisibilityConfig=_seen("large-body"),
        ),
    ]
    managed = [
        WebACLRule(
            Name=name,
            Priority=len(limits) + number,
            # WAF's word for: do as the group says.
            OverrideAction=OverrideAction(**{"None": {}}),
            Statement=Statement(ManagedRuleGroupStatement=ManagedRuleGroupStatement(VendorName="AWS", Name=name)),
            VisibilityConfig=_seen(name),
        )
        for number, name in enumerate(MANAGED)
    ]
    return [*limits, *managed]


def _seen(name: str) -> VisibilityConfig:
    return VisibilityConfig(CloudWatchMetricsEnabled=True, SampledRequestsEnabled=False, MetricName=f"{NAME}-{name}")
