"""Whether a finding is one that BatchImportFindings takes: its form, and the sizes that botocore's model does not say.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html,
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html. What is wrong is worded as public
reports show it (`data.Title should NOT be longer than 256 characters`); [H]: which of it AWS names, and in what order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.validate import ParamValidator
from moto.core.utils import get_service_model

MOST_BYTES = 240 * 1024
SCHEMA_VERSION = "2018-10-08"

LABELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
"""Of severity, the least first."""
_LONGEST = {
    "Id": 512,
    "GeneratorId": 512,
    "Title": 256,
    "Description": 1024,
    "Remediation.Recommendation.Text": 512,
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")
_TIMES = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt")
_NAMESPACES = (
    "Effects",
    "Sensitive Data Identifications",
    "Software and Configuration Checks",
    "TTPs",
    "Unusual Behaviors",
)
_MOST_TYPES = 50
_MOST_RESOURCES = 32
_MOST_PAIRS = 50
_LONGEST_KEY = 128
_LONGEST_VALUE = 2048


def problems_of(finding: Any) -> list[str]:
    """Answer what is wrong with the finding, each in a few words; nothing, if it can be imported."""
    model = get_service_model("securityhub").shape_for("AwsSecurityFinding")
    report = ParamValidator().validate(finding, model)
    if report.has_errors():
        return [" ".join(report.generate_report().split())]
    return [*_of_choices(finding, model, "data"), *_of_sizes(finding), *_of_content(finding)]


def _of_choices(value: Any, shape: Any, where: str) -> Iterator[str]:
    choices = getattr(shape, "enum", None)
    if choices and value not in choices:
        yield f"{where} should be equal to one of the allowed values"
    if shape.type_name == "structure":
        for name, each in value.items():
            if each is not None:
                yield from _of_choices(each, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for index, each in enumerate(value):
            yield from _of_choices(each, shape.member, f"{where}[{index}]")


def _of_sizes(finding: Mapping[str, Any]) -> Iterator[str]:
    if len(json.dumps(finding, separators=(",", ":"), ensure_ascii=False).encode()) > MOST_BYTES:
        yield "data should NOT be larger than 240 KB"
    for path, most in _LONGEST.items():
        value: Any = finding
        for name in path.split("."):
            value = (value or {}).get(name)
        if value is not None and not 1 <= len(value) <= most:
            bound = "shorter than 1 characters" if not value else f"longer than {most} characters"
            yield f"data.{path} should NOT be {bound}"
    if not 1 <= len(finding["Resources"]) <= _MOST_RESOURCES:
        yield f"data.Resources should have 1 to {_MOST_RESOURCES} items"
    maps = {"ProductFields": finding.get("ProductFields"), "UserDefinedFields": finding.get("UserDefinedFields")}
    for index, resource in enumerate(finding["Resources"]):
        maps[f"Resources[{index}].Details.Other"] = (resource.get("Details") or {}).get("Other")
    for where, pairs in maps.items():
        if pairs and len(pairs) > _MOST_PAIRS:
            yield f"data.{where} should NOT have more than {_MOST_PAIRS} properties"
        for key, value in (pairs or {}).items():
            if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
                bounds = f"keys over {_LONGEST_KEY} or values over {_LONGEST_VALUE} characters"
                yield f"data.{where} should NOT have {bounds}"


def _of_content(finding: Mapping[str, Any]) -> Iterator[str]:
    if finding["SchemaVersion"] != SCHEMA_VERSION:
        yield "data.SchemaVersion should be equal to one of the allowed values"
    if not re.fullmatch(r"\d{12}", finding["AwsAccountId"]):
        yield 'data.AwsAccountId should match pattern "^\\d{12}$"'
    for name in _TIMES:
        if name in finding and not _TIME.fullmatch(finding[name]):
            yield f'data.{name} should match format "date-time"'
    by_provider = finding.get("FindingProviderFields") or {}
    for name in ("Severity", "Types"):
        if not finding.get(name) and not by_provider.get(name):
            yield f"data should have required property '{name}' or 'FindingProviderFields.{name}'"
    for place in (finding, by_provider):
        types = place.get("Types") or ()
        if len(types) > _MOST_TYPES:
            yield f"data.Types should NOT have more than {_MOST_TYPES} items"
        for each in types:
            if each.split("/")[0] not in _NAMESPACES or each.count("/") > 2:
                yield f"data.Types should be NAMESPACE/CATEGORY/CLASSIFIER of a known namespace, not {each!r}"
        severity = place.get("Severity")
        if severity is not None and not {"Label", "Normalized"} & set(severity):
            yield "data.Severity should have required property 'Label' or 'Normalized'"


_NORMALIZED = dict(zip(LABELS, (0, 1, 40, 70, 90), strict=True))
"""The least number of each label."""


def complete_severity(severity: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a severity with label and number, whichever was given.

    https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Severity.html
    """
    if "Label" in severity:
        return {**severity, "Normalized": _NORMALIZED[severity["Label"]]}
    number = severity["Normalized"]
    label = [name for name, least in _NORMALIZED.items() if number >= least][-1]
    return {**severity, "Label": label}
