"""What an organization's rule is in each account.

https://docs.aws.amazon.com/config/latest/APIReference/API_OrganizationCustomRuleMetadata.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from org.sandbox.config_service import refusals
from org.sandbox.config_service.rules import ON_CHANGE, ON_OVERSIZED, ON_SCHEDULE

KINDS = (
    "OrganizationCustomPolicyRuleMetadata",
    "OrganizationCustomRuleMetadata",
    "OrganizationManagedRuleMetadata",
)
_TRIGGERS = {
    "ConfigurationItemChangeNotification": ON_CHANGE,
    "OversizedConfigurationItemChangeNotification": ON_OVERSIZED,
    "ScheduledNotification": ON_SCHEDULE,
}


def rule_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the members of ConfigRule that the metadata mean; one of KINDS is in `given`."""
    (kind,) = [each for each in KINDS if each in given]
    said: Mapping[str, Any] = given[kind]
    frequency = said.get("MaximumExecutionFrequency")
    scope = {
        "ComplianceResourceTypes": said.get("ResourceTypesScope"),
        "ComplianceResourceId": said.get("ResourceIdScope"),
        "TagKey": said.get("TagKeyScope"),
        "TagValue": said.get("TagValueScope"),
    }
    rule = {
        "Description": said.get("Description"),
        "InputParameters": said.get("InputParameters"),
        "MaximumExecutionFrequency": frequency,
        "Scope": {name: value for name, value in scope.items() if value},
        "Source": _SOURCES[kind](said),
    }
    return {name: value for name, value in rule.items() if value}


def _details(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    triggers = said.get("OrganizationConfigRuleTriggerTypes") or []
    unknown = [each for each in triggers if each not in _TRIGGERS]
    if unknown:
        choices = ", ".join(sorted(_TRIGGERS))
        raise refusals.unlawful(
            "organizationConfigRuleTriggerTypes", f"Member must satisfy enum value set: [{choices}]"
        )
    return [{"EventSource": "aws.config", "MessageType": _TRIGGERS[each]} for each in triggers]


def _of_policy(said: Mapping[str, Any]) -> dict[str, Any]:
    # CloudFormation calls it Runtime.
    runtime = said.get("PolicyRuntime") or said.get("Runtime")
    policy = {"PolicyRuntime": runtime, "PolicyText": said.get("PolicyText")}
    return {"Owner": "CUSTOM_POLICY", "SourceDetails": _details(said), "CustomPolicyDetails": policy}


def _of_function(said: Mapping[str, Any]) -> dict[str, Any]:
    function = said.get("LambdaFunctionArn")
    return {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function, "SourceDetails": _details(said)}


_SOURCES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "OrganizationCustomPolicyRuleMetadata": _of_policy,
    "OrganizationCustomRuleMetadata": _of_function,
    "OrganizationManagedRuleMetadata": lambda said: {"Owner": "AWS", "SourceIdentifier": said.get("RuleIdentifier")},
}
