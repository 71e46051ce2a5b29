"""Event source mappings: messages of a queue go to a function in batches, and come again where it says so.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends
from moto.sqs.models import sqs_backends

from org.model import RequiredCall
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.deliveries import find_queue, lock_of
from org.sandbox.encryption import TO_READ, NoKey
from org.sandbox.functions.invocations import Refused, Result, role_of

if TYPE_CHECKING:
    from moto.awslambda.models import EventSourceMapping, LambdaFunction
    from moto.sqs.models import Message, Queue

    from org.sandbox.functions.runtime import Ready

    Prepare = Callable[[LambdaFunction], Ready]

_log = logging.getLogger(__name__)

_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch on its way to a function."""

    ready: Ready
    mapping: EventSourceMapping
    queue: Queue
    messages: tuple[Message, ...]

    @property
    def event(self) -> Mapping[str, Any]:
        return {"Records": [_record(message, self.queue) for message in self.messages]}


def batches(tries: Mapping[str, int], prepare: Prepare) -> Iterator[Taken]:
    """Take batches, each as it is asked for, of all queues that a function reads."""
    for account, regions in list(lambda_backends.items()):
        for region, backend in list(regions.items()):
            for mapping in backend.list_event_source_mappings("", ""):
                taken = _take(account, region, mapping, tries, prepare) if mapping.enabled else None
                if taken is not None:
                    yield taken


def settle(taken: Taken, result: Result) -> None:
    """Delete what was taken; what failed can be taken again at once, where AWS waits for the visibility timeout."""
    failed = _failed(taken, result)
    backend = sqs_backends[taken.queue.account_id][taken.queue.region]
    for message in taken.messages:
        if message.id in failed:
            backend.change_message_visibility(taken.queue.name, str(message.receipt_handle), 0)
        else:
            backend.delete_message(taken.queue.name, str(message.receipt_handle))


def _failed(taken: Taken, result: Result) -> frozenset[str]:
    """Answer the ids of the messages that failed: all, where the function did."""
    everything = frozenset(message.id for message in taken.messages)
    if result.error:
        return everything
    if "ReportBatchItemFailures" not in (taken.mapping.function_response_types or ()):
        return frozenset()
    failures = (json.loads(result.payload) or {}).get("batchItemFailures") or []
    named = frozenset(str(each.get("itemIdentifier")) for each in failures)
    # An id that is none of the batch's makes all of it fail, as AWS says.
    return named if named <= everything else everything


def _take(
    account: str, region: str, mapping: EventSourceMapping, tries: Mapping[str, int], prepare: Prepare
) -> Taken | None:
    queue = find_queue(mapping.event_source_arn)
    function = lambda_backends[account][region].get_function_by_arn(mapping.function_arn)
    if queue is None or function is None:
        return None
    if not any(message.visible and tries.get(message.id, 0) < _MOST_TRIES for message in queue.messages):
        return None
    try:
        _require(function, queue)
        ready = prepare(function)
    except (Denied, NoKey, Refused, NotImplementedError) as error:
        _log.warning("%s cannot read %s: %s", function.function_name, queue.name, error)
        return None
    if ready.limit == 0:
        return None
    backend = sqs_backends[queue.account_id][queue.region]
    messages = backend.receive_message(queue.name, mapping.batch_size, 0, int(vars(queue)["visibility_timeout"]))
    if not messages:  # what was there has gone to the dead-letter queue
        return None
    return Taken(ready, mapping, queue, tuple(messages))


def _require(function: LambdaFunction, queue: Queue) -> None:
    """Lambda reads the queue as the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    """
    role = role_of(function)
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        authorize_as(role, RequiredCall(action, queue.queue_arn), queue.region)
    lock_of(queue).require(role, TO_READ)


def _record(message: Message, queue: Queue) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }
