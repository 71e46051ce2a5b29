"""An EventBridge event, read strictly: a contradiction between the envelope and what is in it is a forgery.

The envelope: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html. Nobody but AWS can put
an event of a source `aws.…` on a bus, and a rule that forwards it keeps account, Region and source; what CloudTrail
says inside must therefore agree with them. No service that lineage hears is a global one, which would say `us-east-1`
wherever it was called: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from handlers.lineage.events.dialect import Node, open_call
from handlers.lineage.events.outcome import EventError, Outcome
from handlers.lineage.model import Time
from org.ids import AccountId, Region

VIA_CLOUDTRAIL = "AWS API Call via CloudTrail"

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2}", re.ASCII)
_SERVICE = re.compile(r"aws\.[a-z0-9.-]{1,64}", re.ASCII)
_VERSION = re.compile(r"([0-9]{1,4})\.[0-9]{1,4}", re.ASCII)
_SERVICE_LINKED = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/aws-service-role/([a-z0-9.-]+)/[^/]+", re.ASCII)
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)
_EARLIEST, _LATEST = Time(1_136_073_600_000), Time(4_102_444_800_000)
"""2006, before which there was no EC2, to 2100: a later time would rule over all others for ever."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of an event, checked."""

    id: str
    detail_type: str
    source: str
    account: AccountId
    region: Region
    time: Time
    resources: tuple[str, ...]
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that CloudTrail tells of, checked against its envelope."""

    name: str
    event_id: str
    time: Time
    actor: str
    """The caller's ARN, or the service if there is none."""
    service: str
    """The service of AWS that made the call, as `backup.amazonaws.com`, or empty.

    From what nobody else can take on: `invokedBy`, or the path of a service-linked role. Not from names of roles, users
    and sessions, which anybody chooses.
    """
    error: str
    message: str
    request: Node
    response: Node
    gaps: list[str]


def decode(event: object) -> object:
    """Answer JSON text decoded, and anything else as it is; EventError if the text is none."""
    if not isinstance(event, str | bytes | bytearray):
        return event
    try:
        decoded: object = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise EventError("event", f"is not JSON: {error}") from error
    return decoded


def read_envelope(event: object) -> Envelope:
    """Check the outside of an event; EventError carries the outcome."""
    if not isinstance(event, dict):
        raise EventError("event", "is not an object")
    source = _text(event, "source")
    if not source.startswith("aws."):
        raise EventError("source", f"{source[:80]!r} is no service of AWS", Outcome.FORGED)
    if not _SERVICE.fullmatch(source):
        raise EventError("source", "is not the name of a service")
    account, region = _text(event, "account"), _text(event, "region")
    if not _ACCOUNT.fullmatch(account):
        raise EventError("account", "is not twelve digits")
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise EventError("detail", "is not an object")
    resources = event.get("resources", [])
    if not isinstance(resources, list):
        raise EventError("resources", "is not a list")
    named = tuple(each for each in resources if isinstance(each, str))
    if any("\ud800" <= char <= "\udfff" for each in named if not each.isascii() for char in each):
        # No engine could keep it: the event would come again and again, and all of its batch with it.
        raise EventError("resources", "holds half of a character")
    envelope = Envelope(
        _text(event, "id"),
        _text(event, "detail-type"),
        source,
        AccountId(account),
        region_of(region, "region"),
        time_of(_text(event, "time"), "time"),
        named,
        detail,
    )
    # AWS's own examples of some notifications are without it.
    if event.get("version", "0") != "0":
        raise EventError("version", "is not 0, the only version that is known", Outcome.UNKNOWN)
    return envelope


def read_call(envelope: Envelope) -> Call:
    """Check what CloudTrail says against the envelope; EventError carries the outcome."""
    detail = envelope.detail
    _agree(detail, "recipientAccountId", (envelope.account,))
    _agree(detail, "awsRegion", (envelope.region,))
    service = envelope.source.removeprefix("aws.")
    _agree(detail, "eventSource", (f"{service}.amazonaws.com", f"{service}.amazonaws.com.cn"))
    version = _VERSION.fullmatch(_text(detail, "eventVersion"))
    if version is None or version[1] != "1":
        raise EventError("detail.eventVersion", "has a major version that is not known", Outcome.UNKNOWN)
    for name in ("recipientAccountId", "awsRegion", "eventSource"):
        _text(detail, name)
    name = _text(detail, "eventName")
    gaps: list[str] = []
    if detail.get("omitted") is True or detail.get("omitted") == "true":
        gaps.append("detail was too large for CloudTrail and is in part left out")
    actor, by = _caller(detail.get("userIdentity"))
    error, message = _optional(detail, "errorCode"), _optional(detail, "errorMessage")
    return Call(
        name,
        _text(detail, "eventID"),
        time_of(_text(detail, "eventTime"), "detail.eventTime"),
        actor,
        by,
        error or ("error without a code" if message else ""),
        message,
        open_call(detail.get("requestParameters"), f"{name}request".lower(), "requestParameters", gaps),
        open_call(detail.get("responseElements"), f"{name}response".lower(), "responseElements", gaps),
        gaps,
    )


def _agree(detail: Mapping[str, object], name: str, expected: tuple[str, ...]) -> None:
    value = detail.get(name)
    if value is not None and value not in expected:
        raise EventError(f"detail.{name}", f"{str(value)[:80]!r} does not fit the envelope", Outcome.FORGED)


def _caller(identity: object) -> tuple[str, str]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html."""
    if identity is None:
        return "", ""
    if not isinstance(identity, dict):
        raise EventError("detail.userIdentity", "is not an object")
    arn, by = _optional(identity, "arn"), _optional(identity, "invokedBy")
    if by == "AWS Internal":
        by = ""
    if not by:
        context = identity.get("sessionContext")
        issuer = context.get("sessionIssuer") if isinstance(context, dict) else None
        role = _SERVICE_LINKED.fullmatch(_optional(issuer, "arn")) if isinstance(issuer, dict) else None
        by = role[1] if role else ""
    return arn or by or _optional(identity, "principalId"), by


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if isinstance(value, str) and 0 < len(value) <= 256 and value.isascii():
        return value
    raise EventError(name, "is missing or no text of at most 256 ASCII characters")


def _optional(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EventError(f"detail.{name}", "is not a text")
    # A refusal's message may carry kilobytes of encoded policy.
    return value[:2048] if value.isascii() else value[:2048].encode("ascii", "backslashreplace").decode()


@lru_cache(maxsize=256)
def _known_region(value: str) -> bool:
    return _REGION.fullmatch(value) is not None


def region_of(value: str, path: str) -> Region:
    """Check a Region's name by its form: new ones come."""
    if len(value) > 32 or not _known_region(value):
        raise EventError(path, "is not a Region")
    return Region(value)


@lru_cache(maxsize=256)
def partition_of(region: Region) -> str:
    """Answer the partition that a Region is in.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    """
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def time_of(value: str, path: str) -> Time:
    """Answer the milliseconds of an ISO 8601 time that says its zone."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise EventError(path, "is not a time") from error
    if moment.tzinfo is None:
        raise EventError(path, "has no time zone")
    time = Time(int(moment.timestamp() * 1000 + 0.5))
    if not _EARLIEST <= time <= _LATEST:
        raise EventError(path, "is out of range")
    return time
