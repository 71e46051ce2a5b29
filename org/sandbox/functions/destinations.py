"""What becomes of an event when its function is done with it: destinations, and the dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow

from org.sandbox.authorization.denial import Denied
from org.sandbox.deliveries import Sender, Undelivered, send_to_queue
from org.sandbox.functions import invocations
from org.sandbox.functions.configuration import dead_letters_of
from org.sandbox.functions.invocations import INVOKE, Refused, Result, Waiting
from org.sandbox.topic_messages import Message
from org.sandbox.topics import publish

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
"""Two more than the first: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an event fared; without a result, its function never ran."""

    result: Result | None
    attempts: int

    @property
    def succeeded(self) -> bool:
        return self.result is not None and not self.result.error


def attempts_of(function: LambdaFunction) -> int:
    """Answer how often a function is tried with one event."""
    return 1 + int(_config(function).get("MaximumRetryAttempts", _ATTEMPTS - 1))


def hand_on(event: Waiting, outcome: Outcome) -> None:
    """Send what has become of an event where its function has it sent; the function's role must be allowed to."""
    try:
        function = invocations.find_function(event.function)
    except Refused:
        _log.warning("%s is gone, and its event with it", event.function)
        return
    if not outcome.succeeded:
        _log.warning("%s has given up event %s after %d attempts", event.function, event.request_id, outcome.attempts)
    for target, send in _ways(function, event, outcome):
        try:
            send(target)
        except (Denied, Undelivered, Refused, NotImplementedError) as error:
            _log.warning("%s did not reach %s: %s", event.request_id, target, error)


def _ways(function: LambdaFunction, event: Waiting, outcome: Outcome) -> Iterator[tuple[str, Callable[[str], None]]]:
    which = "OnSuccess" if outcome.succeeded else "OnFailure"
    target = str(_config(function).get("DestinationConfig", {}).get(which, {}).get("Destination") or "")
    if target:
        record = _record(event, outcome)
        yield target, lambda arn: _send(function, arn, record)
    dead = dead_letters_of(function)
    if dead and not outcome.succeeded:
        yield dead, lambda arn: _bury(function, arn, event, outcome)


def _config(function: LambdaFunction) -> Mapping[str, Any]:
    return function.event_invoke_config[0].config if function.event_invoke_config else {}


def _send(function: LambdaFunction, arn: str, record: Mapping[str, Any]) -> None:
    by = Sender(invocations.role_of(function))
    match arn.split(":")[2]:
        case "sqs":
            send_to_queue(arn, json.dumps(record), by)
        case "sns":
            publish(arn, Message(json.dumps(record)), by)
        case "lambda":
            by.require(INVOKE, arn, function.region)
            invocations.take(invocations.find_function(arn), record)
        case service:
            raise Undelivered(f"the orgctl sandbox does not emulate {service} as a destination")


def _bury(function: LambdaFunction, arn: str, event: Waiting, outcome: Outcome) -> None:
    """Send the event itself, and what was wrong as attributes of the message.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
    """
    said = json.loads(outcome.result.payload) if outcome.result else {}
    message = str(said.get("errorMessage") or "not run")[:1024]
    told = {
        "RequestID": ("String", event.request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", message),
    }
    by = Sender(invocations.role_of(function))
    match arn.split(":")[2]:
        case "sqs":
            attributes = {name: {"DataType": type, "StringValue": value} for name, (type, value) in told.items()}
            send_to_queue(arn, event.payload, by, attributes)
        case "sns":
            shown = {name: {"Type": type, "Value": value} for name, (type, value) in told.items()}
            publish(arn, Message(event.payload, attributes=shown), by)
        case service:
            raise Undelivered(f"the orgctl sandbox does not emulate {service} for dead letters")


def _record(event: Waiting, outcome: Outcome) -> dict[str, Any]:
    """Answer the record of an invocation; [H]: the condition where the function never ran.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
    """
    condition = "Success" if outcome.succeeded else "RetriesExhausted" if outcome.attempts else "EventAgeExceeded"
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": utcnow().replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{event.function}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": outcome.attempts,
        },
        "requestPayload": json.loads(event.payload),
    }
    if outcome.result is None:
        return record
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if outcome.result.error:
        context["functionError"] = outcome.result.error
    return {**record, "responseContext": context, "responsePayload": json.loads(outcome.result.payload)}
