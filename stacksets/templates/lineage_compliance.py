"""Compliance: AWS Config asks of every account, Security Hub hears, and people act on what it shows them.

Rules of AWS Config and their function are in one Region [H]: the rules are made in the home Region, and judge the
images of all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from troposphere import Equals, GetAtt, If, Join, Not, NoValue, Output, Ref, Sub, Template
from troposphere.awslambda import Function, Permission, ResourcePolicy
from troposphere.config import (
    OrganizationConfigRule,
    OrganizationCustomRuleMetadata,
    OrganizationManagedRuleMetadata,
)
from troposphere.events import Rule
from troposphere.securityhub import AwsSecurityFindingFilters, Insight, StringFilter

from stacksets.functions import ACTIONS, ASSESS, CONFIG_RULES
from stacksets.templates.action_target import ActionTarget
from stacksets.templates.function import (
    add_arn_parameter,
    add_function,
    add_function_parameters,
    add_graph_parameters,
    add_parameter,
    add_settings_parameter,
)
from stacksets.templates.lineage_reconciliation import add_readings_parameters
from stacksets.templates.schedule import add_called_by_rule, add_scheduled, target_of

PERIODIC: Mapping[str, str] = {
    "ami-required-tags": "required-tags",
    "ami-approval-status": "approval",
    "ami-security-scan-status": "security-scan",
    "ami-naming-convention": "naming",
    "ami-lineage-verification": "lineage",
}
"""Rules for images, which are no resource type of AWS Config, by what the function is to judge by."""
INSTANCE_RULE, INSTANCE_IMAGE = "instance-ami-compliance", "instance-image"
STORAGE: Mapping[str, str] = {
    "s3-bucket-object-lock-enabled": "S3_BUCKET_DEFAULT_LOCK_ENABLED",
    "s3-bucket-versioning-enabled": "S3_BUCKET_VERSIONING_ENABLED",
}
"""AWS's own rules, for every bucket: off unless asked for."""
ACTION_TARGETS: Mapping[str, tuple[str, str]] = {
    "ApproveAMI": ("Approve AMI", "Ask for the approval of the image of this finding"),
    "QuarantineAMI": ("Quarantine AMI", "Ask for the quarantine of the image of this finding"),
    "AnalyzeAMILineage": ("Analyze AMI Lineage", "Tell where the image of this finding came from, and what runs on it"),
}
"""Id, at most 20 letters and digits; name, at most 20 characters; description.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_CreateActionTarget.html
"""
INSIGHTS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "ComplianceInsight": ("AMI Compliance Overview", ("orgctl/compliance/",), "ComplianceStatus"),
    "SecurityInsight": ("AMI Security Findings", ("orgctl/",), "SeverityLabel"),
    "LineageInsight": ("AMI Lineage Issues", ("orgctl/contradiction/", "orgctl/coverage/"), "ResourceType"),
}
"""Name, how the generators of its findings begin, and what it groups by."""
_STORAGE = "HasStorageRules"
_EXCEPT = "HasExcludedAccounts"


def render(off: Collection[str] = ()) -> Template:
    """Render; `off`: the rules that the manifest switches off, of which AWS Config gets none."""
    template = Template("orgctl lineage compliance: rules of AWS Config, findings of Security Hub, and actions on them")
    template.set_version()
    _add_parameters(template)
    config = add_function(template, CONFIG_RULES)
    policy = template.add_resource(_config_may_call(config))
    for name, rule in PERIODIC.items():
        if rule not in off:
            template.add_resource(_rule(name, config, policy, {"rules": rule}))
    if INSTANCE_IMAGE not in off:
        template.add_resource(_rule(INSTANCE_RULE, config, policy, None))
    for name, identifier in STORAGE.items():
        template.add_resource(_managed(name, identifier))
    add_scheduled(template, ASSESS, "AssessmentSchedule", "rate(24 hours)")
    _add_actions(template, add_called_by_rule(template, ACTIONS))
    for title, insight in INSIGHTS.items():
        template.add_resource(_insight(title, *insight))
    for row in (CONFIG_RULES, ASSESS, ACTIONS):
        template.add_output(
            Output(f"{row.title}FunctionArn", Description=row.description, Value=GetAtt(row.title, "Arn"))
        )
    return template


def _add_parameters(template: Template) -> None:
    add_function_parameters(template, in_network=True)
    add_graph_parameters(template)
    add_settings_parameter(template)
    add_readings_parameters(template)
    add_parameter(template, "OrganizationId", "Whose accounts are judged, and no others", AllowedPattern="o-[a-z0-9]+")
    for name in ("ComplianceTopicArn", "AlertTopicArn"):
        add_arn_parameter(template, name, "Topic that findings are told to")
    add_arn_parameter(template, "NoticesKeyArn", "KMS key of the topics")
    add_parameter(template, "StateBucket", "Where it is kept what Security Hub was told last", MinLength=3)
    add_parameter(
        template,
        "ExcludedAccounts",
        "Accounts without a recorder of AWS Config in the home Region, with commas: rules cannot be made there",
        Type="CommaDelimitedList",
        Default="",
    )
    add_parameter(
        template,
        "StorageRules",
        "Whether AWS's rules for Object Lock and versioning judge every bucket of the organization",
        Default="no",
        AllowedValues=["yes", "no"],
    )
    template.add_condition(_STORAGE, Equals(Ref("StorageRules"), "yes"))
    template.add_condition(_EXCEPT, _not_empty("ExcludedAccounts"))


def _not_empty(parameter: str) -> object:
    return Not(Equals(Join("", Ref(parameter)), ""))


def _config_may_call(function: Function) -> ResourcePolicy:
    """Let AWS Config call for the accounts of the organization, and for no others.

    That Config sends aws:SourceOrgID is not documented for this call [H]; without it nothing would be judged, and the
    function would never be called, which its metrics show.
    """
    return ResourcePolicy(
        "ConfigMayCall",
        ResourceArn=GetAtt(function, "Arn"),
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ConfigOfTheOrganization",
                    "Effect": "Allow",
                    "Principal": {"Service": "config.amazonaws.com"},
                    "Action": "lambda:InvokeFunction",
                    "Resource": GetAtt(function, "Arn"),
                    "Condition": {"StringEquals": {"aws:SourceOrgID": Ref("OrganizationId")}},
                }
            ],
        },
    )


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-")) + "Rule"


def _rule(
    name: str, function: Function, policy: ResourcePolicy, parameters: Mapping[str, str] | None
) -> OrganizationConfigRule:
    """Judge every image once a day if parameters say by what, else each instance when it changes, and once a day."""
    if parameters is not None:
        trigger = {
            "Description": "Judges every image of the account, in all governed Regions",
            "OrganizationConfigRuleTriggerTypes": ["ScheduledNotification"],
            "MaximumExecutionFrequency": "TwentyFour_Hours",
            "InputParameters": json.dumps(parameters),
        }
    else:
        trigger = {
            "Description": "Judges the image of an instance when it changes, and all of the account once a day",
            "OrganizationConfigRuleTriggerTypes": [
                "ConfigurationItemChangeNotification",
                "OversizedConfigurationItemChangeNotification",
                # Config may be quicker than the event of the launch: then nothing is known of the instance yet.
                "ScheduledNotification",
            ],
            "MaximumExecutionFrequency": "TwentyFour_Hours",
            "ResourceTypesScope": ["AWS::EC2::Instance"],
            "InputParameters": json.dumps({"rules": INSTANCE_IMAGE}),
        }
    return OrganizationConfigRule(
        _title(name),
        # Config tries the function when the rule is made.
        DependsOn=[policy.title],
        OrganizationConfigRuleName=f"orgctl-{name}",
        ExcludedAccounts=If(_EXCEPT, Ref("ExcludedAccounts"), NoValue),
        OrganizationCustomRuleMetadata=OrganizationCustomRuleMetadata(
            LambdaFunctionArn=GetAtt(function, "Arn"), **trigger
        ),
    )


def _managed(name: str, identifier: str) -> OrganizationConfigRule:
    return OrganizationConfigRule(
        _title(name),
        Condition=_STORAGE,
        OrganizationConfigRuleName=f"orgctl-{name}",
        ExcludedAccounts=If(_EXCEPT, Ref("ExcludedAccounts"), NoValue),
        OrganizationManagedRuleMetadata=OrganizationManagedRuleMetadata(RuleIdentifier=identifier),
    )


def _add_actions(template: Template, function: Function) -> None:
    """One rule for all actions: EventBridge tells which was chosen, and on which findings."""
    targets = [
        template.add_resource(ActionTarget(id, Id=id, Name=name, Description=says))
        for id, (name, says) in ACTION_TARGETS.items()
    ]
    rule = template.add_resource(
        Rule(
            "ActionsChosen",
            Name=ACTIONS.name,
            Description="Brings custom actions of Security Hub to the function that carries them out",
            EventPattern={
                "source": ["aws.securityhub"],
                "detail-type": ["Security Hub Findings - Custom Action"],
                "resources": [GetAtt(target, "ActionTargetArn") for target in targets],
            },
            State="ENABLED",
            Targets=[target_of(ACTIONS, function)],
        )
    )
    template.add_resource(
        Permission(
            "ActionsRuleMayCall",
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(rule, "Arn"),
        )
    )


def _insight(title: str, name: str, generators: tuple[str, ...], group: str) -> Insight:
    def one_of(*values: object, comparison: str = "EQUALS") -> list[StringFilter]:
        return [StringFilter(Comparison=comparison, Value=value) for value in values]

    product = "arn:${AWS::Partition}:securityhub:${AWS::Region}:${AWS::AccountId}:product/${AWS::AccountId}/default"
    return Insight(
        title,
        Name=name,
        Filters=AwsSecurityFindingFilters(
            ProductArn=one_of(Sub(product)),
            GeneratorId=one_of(*generators, comparison="PREFIX"),
            RecordState=one_of("ACTIVE"),
        ),
        GroupByAttribute=group,
    )
