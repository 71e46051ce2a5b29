"""A Config rule: what it is said to be, what sets it off, and what it has been told of.

https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html. Rules of AWS's own and of Guard policies are
kept and never evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.config.models import MANAGED_RULES_CONSTRAINTS

from org.sandbox.config_service import refusals

AWS, CUSTOM_LAMBDA, CUSTOM_POLICY = "AWS", "CUSTOM_LAMBDA", "CUSTOM_POLICY"
ON_CHANGE = "ConfigurationItemChangeNotification"
ON_OVERSIZED = "OversizedConfigurationItemChangeNotification"
ON_SCHEDULE = "ScheduledNotification"
ON_SNAPSHOT = "ConfigurationSnapshotDeliveryCompleted"

_FREQUENCIES = frozenset({"One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"})
_DAILY = "TwentyFour_Hours"
_TIMED = frozenset({ON_SCHEDULE, ON_SNAPSHOT})
_MESSAGES = frozenset({ON_CHANGE, ON_OVERSIZED, *_TIMED})
_LONGEST_NAME = 128
_MOST_DETAILS = 25


@dataclass(slots=True)
class Rule:
    """Under the names by which moto's tagging finds it."""

    config_rule_name: str
    config_rule_id: str
    config_rule_arn: str
    given: Mapping[str, Any]
    """The members of ConfigRule, checked."""
    created_by: str = ""
    """The service whose rule it is, and nobody else's to change."""
    tags: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    """What DescribeConfigRuleEvaluationStatus shows besides the names."""

    @property
    def source(self) -> Mapping[str, Any]:
        source: Mapping[str, Any] = self.given["Source"]
        return source

    @property
    def function(self) -> str:
        """The ARN of the function that judges; empty for rules that the sandbox does not evaluate."""
        return str(self.source["SourceIdentifier"]) if self.source["Owner"] == CUSTOM_LAMBDA else ""

    @property
    def triggers(self) -> frozenset[str]:
        return frozenset(str(each["MessageType"]) for each in self.source.get("SourceDetails") or ())

    @property
    def parameters(self) -> str:
        """JSON, as the function is given it."""
        return str(self.given.get("InputParameters") or "{}")

    def covers(self, type: str, id: str, tags: Mapping[str, str]) -> bool:
        """Say whether a resource is within the rule's scope; without one, all are.

        https://docs.aws.amazon.com/config/latest/APIReference/API_Scope.html
        """
        scope = self.given.get("Scope") or {}
        key, value = scope.get("TagKey"), scope.get("TagValue")
        if key and (key not in tags or value not in (None, "", tags[key])):
            return False
        types = scope.get("ComplianceResourceTypes")
        return (not types or type in types) and scope.get("ComplianceResourceId") in (None, "", id)

    def show(self) -> dict[str, Any]:
        names = {
            "ConfigRuleName": self.config_rule_name,
            "ConfigRuleArn": self.config_rule_arn,
            "ConfigRuleId": self.config_rule_id,
            "ConfigRuleState": "ACTIVE",
        }
        return {**names, **self.given, **({"CreatedBy": self.created_by} if self.created_by else {})}


def check(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the members of a rule that say what it is, or refuse them."""
    source = given.get("Source") or {}
    kept = {
        name: given[name]
        for name in ("Description", "Scope", "MaximumExecutionFrequency", "EvaluationModes")
        if given.get(name)
    }
    parameters = _check_parameters(given.get("InputParameters"))
    if parameters:
        kept["InputParameters"] = json.dumps(parameters, separators=(",", ":"))
    _check_frequency(kept.get("MaximumExecutionFrequency"))
    kept.setdefault("EvaluationModes", [{"Mode": "DETECTIVE"}])
    if any(each.get("Mode") != "DETECTIVE" for each in kept["EvaluationModes"]):
        raise NotImplementedError("proactive evaluation of Config rules")
    _check_scope(given.get("Scope") or {})
    kept["Source"] = _check_source(source, parameters, str(given.get("MaximumExecutionFrequency") or ""))
    return kept


def check_name(name: str) -> str:
    if not name:
        raise refusals.invalid("One or more identifiers needs to be provided. Provide Name or Id or Arn")
    if len(name) > _LONGEST_NAME:
        constraint = f"Member must have length less than or equal to {_LONGEST_NAME}"
        raise refusals.unlawful("configRule.configRuleName", constraint)
    return name


def _check_parameters(given: Any) -> dict[str, str]:
    if not given:
        return {}
    try:
        read = json.loads(given) if isinstance(given, str) else dict(given)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise refusals.invalid(f"Invalid json {given} passed in the InputParameters field")
    wrong = [key for key, value in read.items() if not isinstance(value, str)]
    if wrong:
        raise refusals.invalid(f"Blank spaces are not acceptable for input parameter: {wrong[0]}.")
    return read


def _check_frequency(frequency: str | None) -> None:
    if frequency and frequency not in _FREQUENCIES:
        choices = ", ".join(sorted(_FREQUENCIES))
        raise refusals.unlawful("maximumExecutionFrequency", f"Member must satisfy enum value set: [{choices}]")


def _check_scope(scope: Mapping[str, Any]) -> None:
    if scope.get("TagValue") and not scope.get("TagKey"):
        raise refusals.invalid("Tag key should not be empty when tag value is provided in scope")
    types = scope.get("ComplianceResourceTypes") or []
    if scope.get("TagKey") and (types or scope.get("ComplianceResourceId")):
        raise refusals.invalid("Scope cannot be applied to both resource and tag")
    if scope.get("ComplianceResourceId") and len(types) != 1:
        raise refusals.invalid("A single resourceType should be provided when resourceId is provided in scope")


def _check_source(source: Mapping[str, Any], parameters: Mapping[str, str], frequency: str) -> dict[str, Any]:
    match source.get("Owner"):
        case "AWS":
            return _check_managed(source, parameters)
        case "CUSTOM_LAMBDA" if not source.get("SourceIdentifier"):
            raise refusals.invalid("SourceIdentifier should be the ARN of a function if the owner is CUSTOM_LAMBDA")
        case "CUSTOM_LAMBDA":
            return {
                "Owner": CUSTOM_LAMBDA,
                "SourceIdentifier": source["SourceIdentifier"],
                "SourceDetails": _check_details(source.get("SourceDetails") or [], _MESSAGES, frequency),
            }
        case "CUSTOM_POLICY":
            policy = source.get("CustomPolicyDetails") or {}
            if not policy.get("PolicyRuntime") or not policy.get("PolicyText"):
                raise refusals.invalid("CustomPolicyDetails should be provided if the owner is CUSTOM_POLICY")
            on_change = frozenset({ON_CHANGE, ON_OVERSIZED})
            details = _check_details(source.get("SourceDetails") or [], on_change, frequency)
            return {"Owner": CUSTOM_POLICY, "SourceDetails": details, "CustomPolicyDetails": dict(policy)}
        case _:
            constraint = "Member must satisfy enum value set: [AWS, CUSTOM_LAMBDA, CUSTOM_POLICY]"
            raise refusals.unlawful("configRule.source.owner", constraint)


def _check_managed(source: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Check a rule of AWS's own against the list that moto keeps of them."""
    identifier = source.get("SourceIdentifier") or ""
    known = MANAGED_RULES_CONSTRAINTS.get(identifier)
    if known is None:
        raise refusals.invalid(f"The sourceIdentifier {identifier} is invalid.")
    if source.get("SourceDetails"):
        raise refusals.invalid("SourceDetails should be null/empty if the owner is AWS.")
    names = {each["Name"]: each["Optional"] for each in known["Parameters"]}
    if set(parameters) - set(names):
        raise refusals.invalid(f"Unknown parameters provided in the inputParameters: {json.dumps(parameters)}")
    missing = [name for name, optional in names.items() if not optional and name not in parameters]
    if missing:
        raise refusals.invalid(f"The required parameter {missing} is not present in the inputParameters")
    return {"Owner": AWS, "SourceIdentifier": identifier}


def _check_details(details: list[Mapping[str, Any]], messages: frozenset[str], frequency: str) -> list[dict[str, Any]]:
    if not 1 <= len(details) <= _MOST_DETAILS:
        raise refusals.invalid(f"SourceDetails should have 1 to {_MOST_DETAILS} items if the owner is not AWS")
    checked = []
    for each in details:
        message = each.get("MessageType")
        if each.get("EventSource") != "aws.config" or message not in messages:
            choices = ", ".join(sorted(messages))
            raise refusals.unlawful("configRule.source.sourceDetails", f"aws.config, and one of: [{choices}]")
        own = each.get("MaximumExecutionFrequency")
        _check_frequency(own)
        if own and message not in _TIMED:
            raise refusals.invalid(f"A maximum execution frequency is not allowed if MessageType is {message}")
        timed = {"MaximumExecutionFrequency": own or frequency or _DAILY} if message in _TIMED else {}
        checked.append({"EventSource": "aws.config", "MessageType": message, **timed})
    return checked
