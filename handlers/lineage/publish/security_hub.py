"""What is asked of Security Hub, and told to it.

Calls GetFindings and BatchImportFindings, in the lineage account and its home Region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from handlers.lineage.publish.asff import GENERATOR, Product
from org.errors import OrgctlError
from org.gateway.errors import aws_errors

AT_ONCE = 100
"""Findings in one call: https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html"""
LARGEST = 240_000
"""Bytes of one finding."""
BY_ID = 20
"""Values of one attribute in a filter (quota of GetFindings)."""


class Hub(Protocol):
    """What of boto3's client of Security Hub is used."""

    def get_findings(self, **wanted: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as boto3 has it
        """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindings.html."""

    def batch_import_findings(self, *, Findings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html."""


class NotImported(OrgctlError):
    """Security Hub did not take some of the findings; the others are there."""


def import_findings(hub: Hub, findings: Sequence[Mapping[str, Any]]) -> None:
    """Import findings, a hundred at a time. NotImported, with the ids and reasons, once all have been tried."""
    refused: list[str] = []
    for start in range(0, len(findings), AT_ONCE):
        refused += import_some(hub, findings[start : start + AT_ONCE]).values()
    complain(refused, len(findings))


def import_some(hub: Hub, findings: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Import at most a hundred findings in one call; answer what is said of those that were refused, by id."""
    for each in findings:
        if len(json.dumps(each)) > LARGEST:
            raise NotImported(str(each["Id"]), "the finding is too large for Security Hub", "report this as a bug")
    with aws_errors("securityhub:BatchImportFindings"):
        answer = hub.batch_import_findings(Findings=findings)
    failed = answer.get("FailedFindings", ())
    refused = {str(each["Id"]): f"{each['Id']} ({each['ErrorCode']}: {each['ErrorMessage']})" for each in failed}
    if answer["FailedCount"] and not refused:
        # It cannot be told which: none of them counts as taken.
        refused = {str(each["Id"]): f"one of {answer['FailedCount']} that it does not name" for each in findings}
    return refused


def complain(refused: Sequence[str], of: int) -> None:
    """Raise NotImported if anything was refused."""
    if refused:
        shown = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")
        what = f"{len(refused)} of {of} findings were not taken: {shown}"
        raise NotImported("securityhub:BatchImportFindings", what, "see why, and run it again")


def read_page(hub: Hub, product: Product, family: str, token: str) -> tuple[list[Mapping[str, Any]], str | None]:
    """Answer the next open findings of a family under our own product, and where to go on; None: there are no more."""
    filters = {
        "GeneratorId": [{"Value": f"{GENERATOR}{family}/", "Comparison": "PREFIX"}],
        "RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}],
    }
    answer = _get(hub, product, filters, **({"NextToken": token} if token else {}))
    return answer["Findings"], str(answer["NextToken"]) if answer.get("NextToken") else None


def read_some(hub: Hub, product: Product, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Answer at most 20 findings by their ids, archived ones too; what Security Hub does not know is left out."""
    wanted = {"Id": [{"Value": each, "Comparison": "EQUALS"} for each in ids]}
    found: dict[str, Mapping[str, Any]] = {}
    more: dict[str, str] = {}
    while True:
        answer = _get(hub, product, wanted, **more)
        found.update((str(each["Id"]), each) for each in answer["Findings"])
        if not answer.get("NextToken"):
            return found
        more = {"NextToken": str(answer["NextToken"])}


def _get(hub: Hub, product: Product, filters: Mapping[str, Any], **more: str) -> Mapping[str, Any]:
    ours = {"ProductArn": [{"Value": product.arn, "Comparison": "EQUALS"}]}
    with aws_errors("securityhub:GetFindings"):
        return hub.get_findings(Filters={**ours, **filters}, MaxResults=AT_ONCE, **more)
