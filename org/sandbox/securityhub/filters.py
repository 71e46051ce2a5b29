"""Which findings a filter means, in which order, and how many there are of each value of an attribute.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFindingFilters.html: conditions on one attribute
are alternatives, but those that negate must all hold; conditions on several attributes must all hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import get_service_model

from org.sandbox.securityhub.asff import LABELS
from org.sandbox.securityhub.findings import Finding, moment_of

Filters = Mapping[str, Sequence[Mapping[str, Any]]]

_PATHS = {
    "ComplianceStatus": "Compliance.Status",
    "ComplianceSecurityControlId": "Compliance.SecurityControlId",
    "FindingProviderFieldsSeverityLabel": "FindingProviderFields.Severity.Label",
    "FindingProviderFieldsTypes": "FindingProviderFields.Types",
    "NoteText": "Note.Text",
    "NoteUpdatedAt": "Note.UpdatedAt",
    "NoteUpdatedBy": "Note.UpdatedBy",
    "RecommendationText": "Remediation.Recommendation.Text",
    "RelatedFindingsId": "RelatedFindings.Id",
    "RelatedFindingsProductArn": "RelatedFindings.ProductArn",
    "ResourceAwsEc2InstanceImageId": "Resources.Details.AwsEc2Instance.ImageId",
    "ResourceAwsEc2InstanceType": "Resources.Details.AwsEc2Instance.Type",
    "ResourceDetailsOther": "Resources.Details.Other",
    "ResourceId": "Resources.Id",
    "ResourcePartition": "Resources.Partition",
    "ResourceRegion": "Resources.Region",
    "ResourceTags": "Resources.Tags",
    "ResourceType": "Resources.Type",
    "SeverityLabel": "Severity.Label",
    "SeverityNormalized": "Severity.Normalized",
    "SeverityProduct": "Severity.Product",
    "Type": "Types",
    "WorkflowStatus": "Workflow.Status",
}
_PLAIN = frozenset({
    "AwsAccountId", "AwsAccountName", "CompanyName", "Confidence", "CreatedAt", "Criticality", "Description",
    "FirstObservedAt", "GeneratorId", "Id", "LastObservedAt", "ProductArn", "ProductFields", "ProductName",
    "RecordState", "Region", "SourceUrl", "Title", "UpdatedAt", "UserDefinedFields", "VerificationState",
    "WorkflowState",
})  # fmt: skip
_NEGATIVE = frozenset({"NOT_EQUALS", "PREFIX_NOT_EQUALS", "NOT_CONTAINS"})


def filter_members() -> Mapping[str, Any]:
    """Answer botocore's shape of each attribute that AWS knows."""
    shape: Any = get_service_model("securityhub").shape_for("AwsSecurityFindingFilters")
    members: Mapping[str, Any] = shape.members
    return members


def values_of(finding: Finding, attribute: str) -> list[Any]:
    """Answer the values of an attribute, called as filters call it: one for each resource, type and so on.

    Raises NotImplementedError for an attribute that the sandbox does not know its way to.
    """
    if attribute not in _PATHS and attribute not in _PLAIN:
        raise NotImplementedError(f"the attribute {attribute} of findings in a filter, an order or a group")
    found: list[Any] = [finding]
    for name in _PATHS.get(attribute, attribute).split("."):
        found = [each[name] for each in found if isinstance(each, Mapping) and each.get(name) is not None]
        found = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return found


def matches(finding: Finding, filters: Filters, now: datetime) -> bool:
    return all(_meets(finding, name, conditions, now) for name, conditions in filters.items() if conditions)


def _meets(finding: Finding, attribute: str, conditions: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    values = values_of(finding, attribute)
    test = _TESTS[_kind(attribute)]
    negative = [each for each in conditions if each.get("Comparison") in _NEGATIVE]
    positive = [each for each in conditions if each not in negative]
    return all(test(values, each, now) for each in negative) and (
        not positive or any(test(values, each, now) for each in positive)
    )


def _kind(attribute: str) -> str:
    return str(filter_members()[attribute].member.name)


def _test_text(values: list[Any], condition: Mapping[str, Any], _: datetime) -> bool:
    wanted = str(condition.get("Value", ""))
    comparison = condition.get("Comparison", "EQUALS")
    plain = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}.get(comparison)
    held = any(_COMPARISONS[plain or comparison](str(value), wanted) for value in values)
    return held is (plain is None)


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "EQUALS": str.__eq__,
    "PREFIX": str.startswith,
    "CONTAINS": str.__contains__,
    "CONTAINS_WORD": lambda value, word: re.search(rf"\b{re.escape(word)}\b", value) is not None,
}


def _test_map(values: list[Any], condition: Mapping[str, Any], now: datetime) -> bool:
    return _test_text([each[condition["Key"]] for each in values if condition["Key"] in each], condition, now)


def _test_time(values: list[Any], condition: Mapping[str, Any], now: datetime) -> bool:
    least, most = condition.get("Start"), condition.get("End")
    begin = moment_of(least) if least else None
    if "DateRange" in condition:
        begin = now - timedelta(days=condition["DateRange"]["Value"])
    end = moment_of(most) if most else None
    moments = [moment_of(value) for value in values]
    return any((begin is None or begin <= each) and (end is None or each <= end) for each in moments)


def _test_number(values: list[Any], condition: Mapping[str, Any], _: datetime) -> bool:
    tests: Mapping[str, Callable[[float, float], bool]] = {
        "Eq": float.__eq__,
        "Gt": float.__gt__,
        "Gte": float.__ge__,
        "Lt": float.__lt__,
        "Lte": float.__le__,
    }
    asked = {name: float(value) for name, value in condition.items()}
    return any(all(tests[name](float(value), bound) for name, bound in asked.items()) for value in values)


_TESTS: Mapping[str, Callable[[list[Any], Mapping[str, Any], datetime], bool]] = {
    "DateFilter": _test_time,
    "MapFilter": _test_map,
    "NumberFilter": _test_number,
    "StringFilter": _test_text,
}


def sort(findings: Iterable[Finding], criteria: Sequence[Mapping[str, str]]) -> list[Finding]:
    """Sort by the first criterion, then by the next; labels of severity by what they mean [H]."""
    ordered = list(findings)
    for each in reversed(criteria):
        field = each["Field"]

        def key(finding: Finding, field: str = field) -> tuple[bool, Any]:
            values = values_of(finding, field)
            value = values[0] if values else ""
            return bool(values), LABELS.index(value) if field.endswith("SeverityLabel") and values else value

        ordered.sort(key=key, reverse=each.get("SortOrder", "asc") == "desc")
    return ordered


def count(findings: Iterable[Finding], attribute: str) -> list[tuple[str, int]]:
    """Answer how many findings have each value of the attribute, the most first."""
    counted = Counter(str(value) for finding in findings for value in set(values_of(finding, attribute)))
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
