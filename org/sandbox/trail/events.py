"""Events on their way to the bus of the account that they are about; each is remembered, to be sent again on request.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from moto.moto_api._internal import mock_random

from org.sandbox import event_buses
from org.sandbox.event_buses import Bus
from org.sandbox.trail import clock
from org.sandbox.trail.identity import Identity

VIA_CLOUDTRAIL = "AWS API Call via CloudTrail"
_VERSION = "1.11"
_MOST_REMEMBERED = 20_000

Event = Mapping[str, Any]

_published: deque[Event] = deque(maxlen=_MOST_REMEMBERED)
_silent: set[tuple[str, str]] = set()
"""Accounts and Regions whose events are lost for now."""


def published() -> tuple[Event, ...]:
    """Answer the last 20,000 events that the sandbox has sent in the name of AWS, the oldest first."""
    return tuple(_published)


def forget_events() -> None:
    _published.clear()


def forget() -> None:
    """Begin again, also with the time."""
    forget_events()
    _silent.clear()
    clock.forget()


def silence(account: str, region: str, *, silent: bool) -> None:
    """Lose what is to be sent from now on in an account and Region, or end it; AWS promises no more than its best."""
    (_silent.add if silent else _silent.discard)((account, region))


def notify(
    source: str,
    detail_type: str,
    account: str,
    region: str,
    detail: Event,
    resources: Iterable[str] = (),
    time: datetime | None = None,
) -> None:
    """Send what a service says of itself."""
    if (account, region) in _silent:
        return
    event = event_buses.envelope(
        source=source,
        detail_type=detail_type,
        account=account,
        region=region,
        detail=detail,
        resources=list(resources),
        time=time or clock.tick(),
    )
    _published.append(event)
    event_buses.publish(event, Bus(account, region))


def tell_call(
    service: str,
    name: str,
    *,
    account: str,
    region: str,
    identity: Identity,
    request: Event | None,
    response: Event | None,
    request_id: str,
    error: tuple[str, str] | None = None,
    address: str = "127.0.0.1",
    agent: str = "",
    id: str = "",
) -> None:
    """Send what CloudTrail says of a call."""
    moment = clock.tick()
    failed = {"errorCode": error[0], "errorMessage": error[1]} if error else {}
    detail = {
        "eventVersion": _VERSION,
        "userIdentity": identity,
        "eventTime": clock.written(moment),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
        **failed,
        "requestParameters": request,
        "responseElements": response,
        "requestID": request_id,
        "eventID": id or str(mock_random.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    notify(f"aws.{service}", VIA_CLOUDTRAIL, account, region, detail, time=moment)


def new_id() -> str:
    return str(mock_random.uuid4())
