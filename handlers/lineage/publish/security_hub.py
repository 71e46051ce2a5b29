"""Bring Security Hub's findings up to date: made, changed, and resolved once the wrong is right again.

Calls GetFindings and BatchImportFindings, in the lineage account and its home Region.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from handlers.lineage.findings import Finding
from handlers.lineage.model import Key, Time
from handlers.lineage.publish.asff import ABOUT, GENERATOR, RULE, Product, asff_of, finding_id, resolved
from org.errors import OrgctlError
from org.gateway.errors import aws_errors

AT_ONCE = 100
"""Findings in one call: https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html"""
LARGEST = 240_000
"""Bytes of one finding."""
REFRESH = 7 * 24 * 3_600_000
"""Milliseconds after which a finding that is as it was is told again: Security Hub forgets one after 90 days."""

Covered = Callable[[str, Key], bool]
"""Tells of a rule and a thing whether it was judged this time, so that a finding that is missing is no longer so."""


class Hub(Protocol):
    """What of boto3's client of Security Hub is used."""

    def get_findings(self, **wanted: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as boto3 has it
        """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindings.html."""

    def batch_import_findings(self, *, Findings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html."""


class NotImported(OrgctlError):
    """Security Hub did not take some of the findings; the others are there."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the findings; each in the order of ids."""

    created: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    """It was known, and says something else now."""
    unchanged: tuple[Finding, ...] = ()
    resolved: tuple[str, ...] = ()
    """Ids of what was wrong and is no longer."""


def _ignore(_: Published) -> None:
    pass


def publish(
    hub: Hub,
    findings: Collection[Finding],
    covered: Covered,
    product: Product,
    families: Collection[str],
    now: Time,
    before_import: Callable[[Published], None] = _ignore,
) -> Published:
    """Tell Security Hub what is wrong now, and resolve what was, was judged again, and is right now.

    `families`: of the findings and of what may be resolved (`compliance`, `contradiction`, …); others are not read. Of
    two findings with one id the last counts. NotImported if a finding was refused; all others are there then, and doing
    it again does no harm.

    `before_import` is where people are told: a message may then come twice, if the import fails, and is never lost.
    """
    wanted = {finding_id(each): each for each in findings}
    known = {str(each["Id"]): each for family in sorted(set(families)) for each in _known(hub, product, family)}
    created, updated, unchanged = [], [], []
    imports: list[dict[str, Any]] = []
    for id, finding in sorted(wanted.items()):
        before = known.get(id)
        stored = before if before is not None and before.get("RecordState") != "ARCHIVED" else None
        new = asff_of(finding, product, now, None if before is None else str(before["CreatedAt"]))
        if stored is None:
            created.append(finding)
        elif _differ(new, stored):
            updated.append(finding)
        else:
            unchanged.append(finding)
            if now - _milliseconds(str(stored["UpdatedAt"])) < REFRESH:
                continue
        imports.append(new)
    ended = sorted(
        id
        for id, each in known.items()
        if id not in wanted and each["RecordState"] == "ACTIVE" and _judged(each, covered)
    )
    imports += [resolved(known[id], now) for id in ended]
    published = Published(tuple(created), tuple(updated), tuple(unchanged), tuple(ended))
    before_import(published)
    import_findings(hub, imports)
    return published


def import_findings(hub: Hub, findings: Sequence[Mapping[str, Any]]) -> None:
    """Import findings, a hundred at a time. NotImported, with the ids and reasons, once all have been tried."""
    refused: list[str] = []
    for start in range(0, len(findings), AT_ONCE):
        some = findings[start : start + AT_ONCE]
        for each in some:
            if len(json.dumps(each)) > LARGEST:
                raise NotImported(str(each["Id"]), "the finding is too large for Security Hub", "report this as a bug")
        with aws_errors("securityhub:BatchImportFindings"):
            answer = hub.batch_import_findings(Findings=some)
        failed = answer.get("FailedFindings", ())
        if answer["FailedCount"] or failed:
            refused += [f"{each['Id']} ({each['ErrorCode']}: {each['ErrorMessage']})" for each in failed] or [
                f"{answer['FailedCount']} that it does not name"
            ]
    if refused:
        shown = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")
        what = f"{len(refused)} of {len(findings)} findings were not taken: {shown}"
        raise NotImported("securityhub:BatchImportFindings", what, "see why, and run it again")


def _known(hub: Hub, product: Product, family: str) -> Iterator[Mapping[str, Any]]:
    """Answer the findings of a family under our own product, archived ones too, so that one keeps its first date."""
    filters = {
        "ProductArn": [{"Value": product.arn, "Comparison": "EQUALS"}],
        "GeneratorId": [{"Value": f"{GENERATOR}{family}/", "Comparison": "PREFIX"}],
    }
    token: dict[str, str] = {}
    while True:
        with aws_errors("securityhub:GetFindings"):
            answer = hub.get_findings(Filters=filters, MaxResults=AT_ONCE, **token)
        for each in answer["Findings"]:
            fields = each.get("ProductFields", {})
            if RULE in fields and ABOUT in fields:
                yield each
        if not answer.get("NextToken"):
            return
        token = {"NextToken": str(answer["NextToken"])}


def _judged(stored: Mapping[str, Any], covered: Covered) -> bool:
    fields = stored["ProductFields"]
    return covered(str(fields[RULE]), Key(str(fields[ABOUT])))


_COMPARED = ("Title", "Description", "Remediation")


def _differ(new: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Tell whether a finding says something else. What Security Hub adds (names, Regions, workflow) does not count."""
    if any(new[name] != stored.get(name) for name in _COMPARED):
        return True
    if new["Compliance"]["Status"] != stored.get("Compliance", {}).get("Status"):
        return True
    told, before = (each.get("FindingProviderFields", {}).get("Severity", {}).get("Label") for each in (new, stored))
    if told != before:
        return True
    (mine,), theirs = new["Resources"], stored.get("Resources") or [{}]
    return bool(mine["Details"]["Other"] != theirs[0].get("Details", {}).get("Other"))


def _milliseconds(text: str) -> Time:
    return Time(int(datetime.fromisoformat(text).timestamp() * 1000))
