"""What becomes of a finding that is imported, imported again, and updated by those who look into it.

https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html,
https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchupdatefindings.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from org.sandbox.securityhub.asff import complete_severity

Finding = dict[str, Any]

_OF_PROVIDER = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
"""What a provider says in FindingProviderFields, and an investigator may overrule at the top."""
_OF_INVESTIGATOR = ("Note", "UserDefinedFields", "VerificationState", "Workflow", "WorkflowState")
"""What an import changes no longer once the finding is there."""

PASSED = "PASSED"
ACTIVE = "ACTIVE"
ARCHIVED = "ARCHIVED"
NEW = "NEW"


def moment_of(text: str) -> datetime:
    """Read a time of a finding; one without a zone counts as UTC."""
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def first_import(given: Mapping[str, Any], region: str, account_name: str, processed: str) -> Finding:
    """Answer the finding as Security Hub keeps it, with what it adds."""
    by_product = {
        "aws/securityhub/FindingId": f"{given['ProductArn']}/{given['Id']}",
        "aws/securityhub/ProductName": "Default",
        "aws/securityhub/CompanyName": "Personal",
    }
    finding = {
        "RecordState": ACTIVE,
        "Workflow": {"Status": NEW},
        "WorkflowState": NEW,
        **given,
        "ProductName": "Default",
        "CompanyName": "Personal",
        "Region": region,
        "ProductFields": {**(given.get("ProductFields") or {}), **by_product},
        "ProcessedAt": processed,
        "AwsAccountName": account_name,
    }
    by_provider = _fields_of_provider(given)
    said = (given.get("FindingProviderFields") or {}).get("Severity") or given["Severity"]
    severity = {**(given.get("Severity") or {}), **complete_severity(said)}
    return {**finding, **by_provider, "FindingProviderFields": by_provider, "Severity": severity}


def import_again(
    known: Finding, given: Mapping[str, Any], region: str, overruled: frozenset[str], processed: str
) -> Finding:
    """Answer the finding after its provider has sent it once more; `overruled` are the fields that keep their value.

    A finding that comes back, or fails again, is looked into anew.
    https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Workflow.html
    """
    fresh = first_import(given, region, str(known.get("AwsAccountName", "")), processed)
    kept = {name: known[name] for name in (*_OF_INVESTIGATOR, *overruled) if name in known}
    for name in _OF_INVESTIGATOR:
        fresh.pop(name, None)
    # [H]: an import replaces the finding: what is not said again, is gone.
    finding = {**fresh, **kept}
    back = known["RecordState"] == ARCHIVED and finding["RecordState"] == ACTIVE
    before, after = _compliance(known), _compliance(finding)
    worse = before == PASSED and after not in ("", PASSED)
    if (back or worse) and finding["Workflow"]["Status"] in ("NOTIFIED", "RESOLVED"):
        finding["Workflow"], finding["WorkflowState"] = {"Status": NEW}, NEW
    return finding


def update(known: Finding, asked: Mapping[str, Any], now: str) -> tuple[Finding, frozenset[str]]:
    """Answer the finding after BatchUpdateFindings, and which of the provider's fields are overruled from now on."""
    finding = dict(known)
    for name in ("Confidence", "Criticality", "RelatedFindings", "Types", "UserDefinedFields", "VerificationState"):
        if name in asked:
            finding[name] = asked[name]
    if "Severity" in asked:
        finding["Severity"] = complete_severity(asked["Severity"])
    if "Note" in asked:
        finding["Note"] = {**asked["Note"], "UpdatedAt": now}
    status = (asked.get("Workflow") or {}).get("Status")
    if status:
        finding["Workflow"] = {"Status": status}
        finding["WorkflowState"] = {"SUPPRESSED": "RESOLVED"}.get(status, status)
    return finding, frozenset(name for name in _OF_PROVIDER if name in asked)


def _fields_of_provider(given: Mapping[str, Any]) -> dict[str, Any]:
    said = given.get("FindingProviderFields") or {}
    fields = {name: said.get(name, given.get(name)) for name in _OF_PROVIDER}
    found = {name: value for name, value in fields.items() if value is not None}
    severity = complete_severity(found["Severity"])
    found["Severity"] = {name: severity[name] for name in ("Label", "Original") if name in severity}
    return found


def _compliance(finding: Mapping[str, Any]) -> str:
    return str((finding.get("Compliance") or {}).get("Status", ""))
