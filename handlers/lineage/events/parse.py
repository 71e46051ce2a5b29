"""From an EventBridge event to what was heard. Pure; it raises nothing, whatever the event."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from handlers.lineage.events import (
    build_calls,
    consumer_calls,
    disk_calls,
    image_calls,
    launch_calls,
    setting_calls,
    sharing_calls,
    template_calls,
)
from handlers.lineage.events.dialect import Node
from handlers.lineage.events.envelope import (
    VIA_CLOUDTRAIL,
    Call,
    Envelope,
    decode,
    partition_of,
    read_call,
    read_envelope,
    region_of,
    time_of,
)
from handlers.lineage.events.heard import Heard
from handlers.lineage.events.notifications import LISTENERS
from handlers.lineage.events.outcome import EventError, Outcome
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import NO_REGION, Confidence, Evidence, Source, Time
from org.errors import printable
from org.ids import AccountId

CALLS: Mapping[tuple[str, str], image_calls.Reader] = {
    **{
        (source, name): reader
        for source, readers in (
            ("aws.autoscaling", template_calls.GROUP_READERS),
            ("aws.ebs", disk_calls.DIRECT_READERS),
            ("aws.ec2", image_calls.READERS),
            ("aws.ec2", disk_calls.READERS),
            ("aws.ec2", launch_calls.READERS),
            ("aws.ec2", setting_calls.READERS),
            ("aws.ec2", sharing_calls.READERS),
            ("aws.ec2", template_calls.READERS),
            ("aws.imagebuilder", build_calls.READERS),
            ("aws.ssm", setting_calls.PARAMETER_READERS),
        )
        for name, reader in readers.items()
    },
    **consumer_calls.READERS,
}
"""What reads a call, by source and name: all that the account baseline forwards."""

_ID = re.compile(r"\b(?:ami|snap|vol|i|lt)-[0-9a-zA-Z]{4,32}\b", re.ASCII)
_MOST_IDS = 10
_MOST_NODES = 2000
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


def parse_event(event: object) -> Heard:
    """Read an event, decoded or as JSON text."""
    try:
        event = decode(event)
        envelope = read_envelope(event)
        if envelope.detail_type == VIA_CLOUDTRAIL:
            return _read_call(envelope)
        return _listen(envelope)
    except EventError as error:
        return refused(event, error)


def _read_call(envelope: Envelope) -> Heard:
    call = read_call(envelope)
    what = f"{envelope.source.removeprefix('aws.')}:{call.name}"
    evidence = Evidence(
        Source.CLOUDTRAIL, call.event_id, call.time, envelope.account, envelope.region, call.actor, Confidence.OBSERVED
    )
    partition = partition_of(envelope.region)
    reader = CALLS.get((envelope.source, call.name))
    if reader is None:
        return _silent(what, evidence, partition, "no call that lineage is concerned with")
    refused = _returned_false(call)
    if call.error or refused:
        reason = printable(f"{call.error or 'returned false'}: {call.message}".removesuffix(": "))
        ids = _ids_in(envelope.detail.get("requestParameters"))
        return Heard(Outcome.FAILED, what, evidence, partition, reason=reason, event_id=call.event_id, resources=ids)
    tell = Teller(evidence, partition)
    try:
        reader(call, tell)
    except EventError as error:
        # What is missing because it was left out is a gap of CloudTrail's, not a fault of the event.
        if not (error.absent and call.gaps):
            raise
        call.gaps.append(str(error))
    return _told(what, tell, call.gaps)


def _listen(envelope: Envelope) -> Heard:
    evidence = Evidence(
        Source.NOTIFICATION,
        envelope.id,
        envelope.time,
        envelope.account,
        envelope.region,
        envelope.source,
        Confidence.OBSERVED,
    )
    partition = partition_of(envelope.region)
    known = LISTENERS.get(envelope.detail_type)
    if known is None:
        return _silent(envelope.detail_type, evidence, partition, "no notification that lineage is concerned with")
    source, listener = known
    if source != envelope.source:
        raise EventError("source", f"{envelope.source!r} never sends this notification", Outcome.FORGED)
    tell, gaps = Teller(evidence, partition), list[str]()
    listener(envelope, Node(dict(envelope.detail), "detail", gaps), tell)
    return _told(envelope.detail_type, tell, gaps)


def _told(what: str, tell: Teller, gaps: list[str]) -> Heard:
    said = tuple(printable(each) for each in (*gaps, *tell.gaps))
    if not tell.facts and not said:
        return _silent(what, tell.evidence, tell.partition, "names nothing that lineage is concerned with")
    return Heard(
        Outcome.FACTS,
        what,
        tell.evidence,
        tell.partition,
        facts=tuple(tell.facts),
        gaps=tuple(dict.fromkeys(said)),
        event_id=tell.evidence.event_id,
    )


def _silent(what: str, evidence: Evidence, partition: str, reason: str) -> Heard:
    return Heard(Outcome.NOT_LINEAGE, what, evidence, partition, reason=reason, event_id=evidence.event_id)


def _returned_false(call: Call) -> bool:
    """Older calls of EC2 answer `_return`."""
    return any(call.response.has(name) and call.response.said_false(name) for name in ("_return", "return"))


def _ids_in(request: object) -> tuple[str, ...]:
    """Answer the first ids that a request names, wherever they stand in it."""
    found: dict[str, None] = {}
    waiting: list[object] = [request]
    for _ in range(_MOST_NODES):
        if not waiting or len(found) >= _MOST_IDS:
            break
        value = waiting.pop()
        if isinstance(value, str):
            found.update(dict.fromkeys(_ID.findall(value[:4096])))
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return tuple(sorted(found))[:_MOST_IDS]


def refused(event: object, error: EventError, *, counts_as_heard: bool = True) -> Heard:
    """Keep what an event claims, as far as it is readable; unknown ones have passed the checks of their envelope."""
    claims: Mapping[str, object] = event if isinstance(event, dict) else {}
    detail = claims.get("detail")
    inside: Mapping[str, object] = detail if isinstance(detail, dict) else {}
    via_cloudtrail = claims.get("detail-type") == VIA_CLOUDTRAIL
    named = inside.get("eventName") if via_cloudtrail else claims.get("detail-type")
    account = claims.get("account")
    outcome, region, time = error.outcome, NO_REGION, Time(0)
    try:
        region = region_of(str(claims.get("region")), "region")
        time = time_of(str(claims.get("time")), "time")
    except EventError:
        outcome = Outcome.MALFORMED if outcome is Outcome.UNKNOWN else outcome
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        account = "unknown"
        outcome = Outcome.MALFORMED if outcome is Outcome.UNKNOWN else outcome
    evidence = Evidence(
        Source.CLOUDTRAIL if via_cloudtrail else Source.NOTIFICATION,
        _hash_of(event),
        time,
        AccountId(account),
        region,
        "",
        Confidence.OBSERVED if outcome is Outcome.UNKNOWN else Confidence.INFERRED,
    )
    return Heard(
        outcome,
        _claim(named),
        evidence,
        "aws" if region == NO_REGION else partition_of(region),
        reason=str(error),
        event_id=_claim((inside.get("eventID") if via_cloudtrail else None) or claims.get("id")),
        counts_as_heard=counts_as_heard,
    )


def _claim(value: object) -> str:
    return printable(value[:128]) if isinstance(value, str) else ""


def _hash_of(event: object) -> str:
    try:
        text = event if isinstance(event, str) else json.dumps(event, sort_keys=True, default=repr)
    except (TypeError, ValueError, RecursionError) as error:
        text = f"unreadable: {type(error).__name__}"
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
