"""Findings that somebody selected in Security Hub for a custom action, read strictly; pure.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Key, Kind, Time, parts_of
from handlers.lineage.publish.asff import ABOUT, GENERATOR, RULE, Product, finding_id
from org.errors import OrgctlError
from org.ids import AccountId, Region

DETAIL_TYPE = "Security Hub Findings - Custom Action"
NAMES: Mapping[Kind, re.Pattern[str]] = {
    Kind.IMAGE: re.compile(r"ami-[0-9a-f]{8,17}", re.ASCII),
    Kind.INSTANCE: re.compile(r"i-[0-9a-f]{8,17}", re.ASCII),
    Kind.SNAPSHOT: re.compile(r"snap-[0-9a-f]{8,17}", re.ASCII),
    Kind.VOLUME: re.compile(r"vol-[0-9a-f]{8,17}", re.ASCII),
}
"""What an action can be about; ids have 8 or 17 digits after the dash."""
_PLACE = re.compile(r"aws[a-z-]*/[a-z]{2}(-[a-z]+)+-\d{1,2}", re.ASCII)


class Action(StrEnum):
    """The custom actions, by the id at the end of their ARN."""

    APPROVE = "ApproveAMI"
    QUARANTINE = "QuarantineAMI"
    ANALYZE = "AnalyzeAMILineage"


class BadAction(OrgctlError):
    """Not what Security Hub of this account sends."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A finding of ours, and what it is about."""

    id: str
    product_arn: str
    rule: str
    about: Key
    severity: Severity


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for. Security Hub does not tell who."""

    action: Action
    event_id: str
    time: Time
    findings: tuple[Selected, ...]
    ignored: tuple[str, ...]
    """Why a finding was left alone, each in a few words; ids of others are not repeated: they may say anything."""


def read_request(event: Mapping[str, Any], product: Product) -> Request:
    """Read an event. BadAction if it is not one of this account's own Security Hub and actions."""
    prefix = f"arn:{product.partition}:securityhub:{product.region}:{product.account}:action/custom/"
    resources = event.get("resources")
    named = str(resources[0]) if isinstance(resources, list) and len(resources) == 1 else ""
    detail, id = event.get("detail"), event.get("id")
    if event.get("source") != "aws.securityhub" or event.get("detail-type") != DETAIL_TYPE:
        raise _bad("it is no custom action of Security Hub")
    if event.get("account") != product.account or not named.startswith(prefix):
        raise _bad("it is of another account or Region, or names no action")
    action = named.removeprefix(prefix)
    if action not in list(Action):
        raise _bad(f"there is no action {action[:30]!r}")
    if not isinstance(detail, dict) or not isinstance(detail.get("findings"), list) or not isinstance(id, str):
        raise _bad("it has no findings or no id")
    read = [_read(each, product) for each in detail["findings"]]
    selected = {each.id: each for each in read if isinstance(each, Selected)}
    ignored = tuple(each for each in read if isinstance(each, str))
    return Request(Action(action), id, _time(event.get("time")), tuple(selected.values()), ignored)


def _read(finding: object, product: Product) -> Selected | str:
    """Answer a finding, or why it is none of ours: its id must be the one that we would give it."""
    if not isinstance(finding, dict):
        return "no finding"
    fields = finding.get("ProductFields")
    id, generator = finding.get("Id"), finding.get("GeneratorId")
    if finding.get("ProductArn") != product.arn or finding.get("AwsAccountId") != product.account:
        return "of another product"
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in (RULE, ABOUT)):
        return "of another generator"
    rule, about = fields[RULE], Key(fields[ABOUT])
    expected = Finding(rule, about, AccountId(""), Region(""), Severity.LOW, "", "", "")
    if generator != f"{GENERATOR}{rule}" or id != finding_id(expected):
        return "of another generator"
    if not _can_be_acted_upon(about):
        return "about nothing that an action is for"
    return Selected(id, product.arn, rule, about, _severity(finding))


def _severity(finding: Mapping[str, Any]) -> Severity:
    """Answer the severity as Security Hub has it now: a person may have changed it."""
    said = finding.get("Severity")
    label = said.get("Label") if isinstance(said, dict) else None
    return Severity(label) if label in list(Severity) else Severity.MEDIUM


def _can_be_acted_upon(about: Key) -> bool:
    try:
        partition, region, kind, name = parts_of(about)
    except ValueError:
        return False
    return kind in NAMES and bool(_PLACE.fullmatch(f"{partition}/{region}") and NAMES[kind].fullmatch(name))


def _time(text: object) -> Time:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _bad("its time is none") from error
    if time.tzinfo is None:
        raise _bad("its time has no zone")
    return Time(int(time.timestamp() * 1000))


def ignored_counts(ignored: Iterable[str]) -> dict[str, int]:
    listed = list(ignored)
    return {reason: listed.count(reason) for reason in sorted(set(listed))}


def _bad(what: str) -> BadAction:
    return BadAction("the event", what, "let Security Hub's rule alone invoke this function")
