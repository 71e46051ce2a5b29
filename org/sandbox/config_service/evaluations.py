"""What functions say of resources, and the tokens by which they may say it.

https://docs.aws.amazon.com/config/latest/APIReference/API_PutEvaluations.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

from org.sandbox.config_service import refusals

COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE = "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"
UNKNOWN = "INSUFFICIENT_DATA"
MOST_AT_ONCE = 100
_LONGEST = {"ComplianceResourceType": 256, "ComplianceResourceId": 768, "Annotation": 256}
_MOST_TOKENS = 10_000
_MOST_SHOWN = 25
"""Resources that are counted one by one; beyond, AWS says that there are more."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One time that a rule's function was called."""

    rule: str
    """The rule's id: a rule of the same name that is made anew is another."""
    time: float


@dataclass(slots=True)
class Evaluations:
    """Of the rules of one account and Region."""

    tokens: dict[str, Invocation] = field(default_factory=dict)
    results: dict[str, dict[_Key, dict[str, Any]]] = field(default_factory=dict)
    """By the rule's id, and the resource's type and id."""

    def new_token(self, rule_id: str) -> str:
        token = mock_random.get_random_string(length=200, include_digits=True)
        self.tokens[token] = Invocation(rule_id, unix_time())
        if len(self.tokens) > _MOST_TOKENS:
            del self.tokens[next(iter(self.tokens))]
        return token

    def find_invocation(self, token: str) -> Invocation:
        found = self.tokens.get(token)
        if found is None:
            message = "The specified ResultToken is invalid."
            raise refusals.ConfigRefusal("InvalidResultTokenException", message)
        return found

    def keep(self, invocation: Invocation, given: Iterable[Mapping[str, Any]]) -> None:
        """Keep the newest evaluation of each resource.  [H]: that an older one changes nothing."""
        results = self.results.setdefault(invocation.rule, {})
        for each in given:
            key = (str(each["ComplianceResourceType"]), str(each["ComplianceResourceId"]))
            if key in results and results[key]["OrderingTimestamp"] > each["OrderingTimestamp"]:
                continue
            results[key] = {**each, "RecordedTime": unix_time(), "InvokedTime": invocation.time}

    def forget(self, rule_id: str) -> None:
        self.results.pop(rule_id, None)

    def show(self, rule_id: str, name: str, types: Sequence[str] | None) -> list[dict[str, Any]]:
        """Answer the results as GetComplianceDetailsByConfigRule does, the newest first."""
        found = self.results.get(rule_id, {}).values()
        chosen = [each for each in found if not types or each["ComplianceType"] in types]
        return [_shown(each, name) for each in sorted(chosen, key=lambda each: -each["RecordedTime"])]

    def compliance(self, rule_id: str) -> dict[str, Any]:
        """Answer what follows for the rule: unknown, until a resource is compliant or not.

        https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeComplianceByConfigRule.html
        """
        counted = Counter(each["ComplianceType"] for each in self.results.get(rule_id, {}).values())
        if counted[NON_COMPLIANT]:
            count = {
                "CappedCount": min(counted[NON_COMPLIANT], _MOST_SHOWN),
                "CapExceeded": counted[NON_COMPLIANT] > _MOST_SHOWN,
            }
            return {"ComplianceType": NON_COMPLIANT, "ComplianceContributorCount": count}
        return {"ComplianceType": COMPLIANT if counted[COMPLIANT] else UNKNOWN}


def check_evaluations(given: Any) -> list[Mapping[str, Any]]:
    """Answer evaluations that are as they should be, or refuse all of them."""
    if not given:
        raise refusals.invalid("The Evaluations object in your request cannot be null. Add the required parameters.")
    if len(given) > MOST_AT_ONCE:
        constraint = f"Member must have length less than or equal to {MOST_AT_ONCE}"
        raise refusals.unlawful("evaluations", constraint)
    for number, each in enumerate(given, 1):
        _check_one(f"evaluations.{number}.member", each)
    return list(given)


def _check_one(where: str, given: Mapping[str, Any]) -> None:
    for name in ("ComplianceResourceType", "ComplianceResourceId", "ComplianceType", "OrderingTimestamp"):
        if given.get(name) in (None, ""):
            raise refusals.unlawful(f"{where}.{name}", "Member must not be null")
    for name, most in _LONGEST.items():
        if name in given and not 1 <= len(given[name]) <= most:
            raise refusals.unlawful(f"{where}.{name}", f"Member must have length from 1 to {most}")
    if given["ComplianceType"] not in (COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE):
        raise refusals.invalid(f"The ComplianceType {given['ComplianceType']} is not accepted from PutEvaluations.")


def _shown(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    qualifier = {
        "ConfigRuleName": name,
        "ResourceType": result["ComplianceResourceType"],
        "ResourceId": result["ComplianceResourceId"],
        "EvaluationMode": "DETECTIVE",
    }
    identifier = {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": result["OrderingTimestamp"]}
    annotation = {"Annotation": result["Annotation"]} if result.get("Annotation") else {}
    return {
        "EvaluationResultIdentifier": identifier,
        "ComplianceType": result["ComplianceType"],
        "ResultRecordedTime": result["RecordedTime"],
        "ConfigRuleInvokedTime": result["InvokedTime"],
        **annotation,
    }
