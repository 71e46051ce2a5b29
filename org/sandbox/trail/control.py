"""The sandbox's own `…/events`: what AWS has sent, and a way to send it again, late, twice, or as nobody ever would.

    GET   → [event, …], the oldest first
    POST  {"account": "111122223333", "region": "eu-central-1", "events": [event, …]} → {"published": 2}

PutEvents of AWS refuses `aws.…` as a source; this puts each event as it is on the default bus.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from org.sandbox.authorization.gate import read_body
from org.sandbox.event_buses import Bus, publish
from org.sandbox.trail.events import published

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BAD = "400 Bad Request"
_REQUIRED = ("id", "detail-type", "source", "account", "region", "detail")
"""What the rules of a bus look at."""


def answer_events(environ: WSGIEnvironment) -> tuple[str, bytes]:
    """Answer the HTTP status and the JSON text."""
    if environ["REQUEST_METHOD"] == "GET":
        return "200 OK", json.dumps(published()).encode()
    try:
        asked: Any = json.loads(read_body(environ))
        bus = Bus(str(asked["account"]), str(asked["region"]))
        events = [{name: event[name] for name in _REQUIRED} | event for event in asked["events"]]
    except (ValueError, KeyError, TypeError) as error:
        return _BAD, json.dumps({"error": f"not as it should be: {error!r}"}).encode()
    for event in events:
        publish(event, bus)
    return "200 OK", json.dumps({"published": len(events)}).encode()
