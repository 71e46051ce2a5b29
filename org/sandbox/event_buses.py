"""EventBridge: an event goes along the rules of a bus to their targets, and AWS's checks are made on the way.

Targets are buses, also of other accounts and Regions, queues, topics, functions and log groups. moto loses the account,
the Region and the id of an event that is forwarded, and asks nobody whether it may be.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.events.models import EventsBackend, events_backends
from moto.moto_api._internal import mock_random

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.deliveries import Sender, Undelivered, log_in_group, send_to_queue
from org.sandbox.functions.invocations import Invoker, Refused, later
from org.sandbox.rule_targets import check_schedule, check_target
from org.sandbox.topic_messages import Message
from org.sandbox.topics import publish as publish_to_topic

if TYPE_CHECKING:
    from moto.events.models import Rule

_log = logging.getLogger(__name__)

_SERVICE = "events.amazonaws.com"
_EVENTS = Principal(_SERVICE, "", PrincipalKind.SERVICE)
_MOST_BUSES = 5
"""As many hops as an event makes before it is taken for one that goes round in circles [H]."""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bus:
    account: str
    region: str
    name: str = "default"

    @classmethod
    def of_arn(cls, arn: str) -> Bus:
        parts = arn.split(":", 5)
        return cls(parts[4], parts[3], parts[5].removeprefix("event-bus/"))


def publish(event: Event, bus: Bus, hops: int = 0) -> None:
    """Bring an event, whole with its envelope, to all targets of the rules that it matches."""
    found = events_backends[bus.account][bus.region].event_buses.get(bus.name)
    if found is None:
        _log.warning(
            "event %s is lost: there is no event bus %s in %s %s", event["id"], bus.name, bus.account, bus.region
        )
        return
    for rule in list(found.rules.values()):
        if rule.state == "ENABLED" and _matches(rule, event):
            bring(event, rule, hops)


def bring(event: Event, rule: Rule, hops: int = 0) -> None:
    """Bring an event to all targets of a rule; what does not arrive goes to the target's dead-letter queue."""
    for target in rule.targets:
        try:
            _deliver(event, rule, target, hops)
        except (Denied, Undelivered, Refused, NotImplementedError) as why:
            _dead_letter(event, rule, target, why)


def _matches(rule: Rule, event: Any) -> bool:
    return bool(rule.event_pattern.get_pattern()) and rule.event_pattern.matches_event(event)


def _deliver(event: Event, rule: Rule, target: Mapping[str, Any], hops: int) -> None:
    arn = str(target["Arn"])
    match arn.split(":")[2]:
        case "events" if hops >= _MOST_BUSES:
            raise Undelivered(f"it has passed {_MOST_BUSES} buses")
        case "events":
            _require_role(rule, target, arn)
            publish(event, Bus.of_arn(arn), hops + 1)
        case "sqs":
            send_to_queue(arn, _text(event, target), _sender(rule))
        case "sns":
            publish_to_topic(arn, Message(_text(event, target)), _sender(rule))
        case "logs":
            log_in_group(arn, _text(event, target), str(mock_random.uuid4()), _sender(rule))
        case "lambda":
            later(arn, json.loads(_text(event, target)), Invoker(_SERVICE, rule.arn, rule.account_id))
        case service:
            raise Undelivered(f"targets of {service} are refused when a rule is made")


def _text(event: Event, target: Mapping[str, Any]) -> str:
    """Answer what a target gets: the event, or what its Input says in place of it."""
    return str(target["Input"]) if "Input" in target else json.dumps(event, separators=(",", ":"))


def _sender(rule: Rule) -> Sender:
    return Sender.service(_SERVICE, rule.arn, rule.account_id)


def _require_role(rule: Rule, target: Mapping[str, Any], arn: str) -> None:
    """The rule's role must be allowed to put events, and the bus's policy must let it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    role = str(target.get("RoleArn") or rule.role_arn or "")
    if not role:
        raise Undelivered("the target has no role, which a bus needs")
    account = role.split(":")[4]
    partition, name = role.split(":")[1], role.rpartition("/")[2]
    session = f"arn:{partition}:sts::{account}:assumed-role/{name}/{mock_random.uuid4().hex}"
    source = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    authorize_as(_EVENTS, RequiredCall("sts:AssumeRole", role, source), rule.region_name)
    authorize_as(
        Principal(role, account, PrincipalKind.ROLE, session), RequiredCall("events:PutEvents", arn), rule.region_name
    )


def _dead_letter(event: Event, rule: Rule, target: Mapping[str, Any], why: Exception) -> None:
    """Say why an event did not arrive and, where the target has a queue for it, put the event there.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    message = str(why)
    _log.warning("event %s did not reach %s from rule %s: %s", event["id"], target["Arn"], rule.arn, message)
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return
    told = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": str(target["Arn"]),
        "ERROR_CODE": "NO_PERMISSIONS" if isinstance(why, Denied) else "NO_RESOURCE",  # [H]: for what is no denial
        "ERROR_MESSAGE": message[:1024],
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    try:
        send_to_queue(str(arn), json.dumps(event, separators=(",", ":")), _sender(rule), attributes)
    except (Denied, Undelivered) as also:
        _log.warning("event %s did not reach the dead-letter queue either: %s", event["id"], also)


def _put_events(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_put(self, entry) for entry in events]


def _put(backend: EventsBackend, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Take one entry of PutEvents.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html; nobody but AWS sends
    events of `aws.…` [H: the words].
    """
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            what = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": what}
    if str(entry["Source"]).startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    event = envelope(
        source=str(entry["Source"]),
        detail_type=str(entry["DetailType"]),
        account=backend.account_id,
        region=backend.region_name,
        detail=detail,
        resources=entry.get("Resources") or [],
        time=_moment(entry.get("Time")),
    )
    named = str(entry.get("EventBusName") or "default")
    bus = Bus.of_arn(named) if named.startswith("arn:") else Bus(backend.account_id, backend.region_name, named)
    publish(event, bus)
    return {"EventId": event["id"]}


def envelope(
    *,
    source: str,
    detail_type: str,
    account: str,
    region: str,
    detail: Event,
    resources: list[str] | None = None,
    time: datetime | None = None,
) -> dict[str, Any]:
    """Answer an event as it looks on a bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    moment = time or utcnow().replace(tzinfo=UTC)
    return {
        "version": "0",
        "id": str(mock_random.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources or [],
        "detail": dict(detail),
    }


def _moment(given: object) -> datetime | None:
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    return None


_moto_put_targets = EventsBackend.put_targets
_moto_put_rule = EventsBackend.put_rule


def _put_targets(self: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        check_target(target)
    _moto_put_targets(self, name, event_bus_arn, targets)


def _put_rule(self: EventsBackend, name: str, **settings: Any) -> Rule:
    if settings.get("scheduled_expression"):
        check_schedule(settings["scheduled_expression"])
    return _moto_put_rule(self, name, **settings)


def install() -> None:
    EventsBackend.put_events = _put_events  # type: ignore[method-assign]
    EventsBackend.put_targets = _put_targets  # type: ignore[method-assign]
    EventsBackend.put_rule = _put_rule  # type: ignore[method-assign,assignment]
