"""Event source mappings: messages of a queue go to a function in batches, and come again where it says so.

The function runs while no request is served, since it makes requests of its own; queues are changed only between them.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends
from moto.sqs.models import sqs_backends

from org.model import RequiredCall
from org.policy.request import Principal, PrincipalKind
from org.sandbox.authorization.decide import authorize_as
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.requests import read_signature
from org.sandbox.event_buses import find_queue
from org.sandbox.functions.credentials import forget_sessions, is_function_key, role_environment
from org.sandbox.functions.worker import FunctionFailed, Program, Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from moto.awslambda.models import EventSourceMapping, LambdaFunction
    from moto.sqs.models import Message, Queue

_log = logging.getLogger(__name__)

_MOST_TRIES = 10


@dataclass(frozen=True, slots=True)
class _Taken:
    """A batch on its way to a function."""

    function: LambdaFunction
    mapping: EventSourceMapping
    queue: Queue
    messages: tuple[Message, ...]
    program: Program


class Functions:
    """All functions of a sandbox, which run in the wake of a request and not beside it, so that order stays one."""

    def __init__(self, endpoint: str, locked: Callable[[], AbstractContextManager[Any]]) -> None:
        self._endpoint = endpoint
        self._locked = locked
        self._workers: dict[str, Worker] = {}
        self._settling = threading.Lock()

    def settle(self) -> None:
        """Return when no queue that a function reads holds a message that can be taken.

        Messages that fail come again until their queue gives them up; a queue that never does would keep us for ever,
        so a function is given each message ten times at most.
        """
        with self._settling:
            tries: Counter[str] = Counter()
            while True:
                with self._locked():
                    taken = next(_batches(self._endpoint, tries), None)
                if taken is None:
                    return
                tries.update(message.id for message in taken.messages)
                failed = self._invoke(taken)
                with self._locked():
                    _settle(taken, failed)

    def end(self) -> None:
        """End all processes, and forget who they were."""
        with self._settling:
            for worker in self._workers.values():
                worker.end()
            self._workers.clear()
            forget_sessions()

    def _invoke(self, taken: _Taken) -> frozenset[str]:
        """Answer the ids of the messages that failed: all, where the function did."""
        everything = frozenset(message.id for message in taken.messages)
        event = {"Records": [_record(message, taken) for message in taken.messages]}
        try:
            # No id of the sandbox's own: it shows in the log alone.
            answer = self._worker(taken).invoke(event, str(uuid.uuid4()))
        except FunctionFailed as error:
            _log.warning("%s failed: %s", taken.program.name, error)
            return everything
        if "ReportBatchItemFailures" not in (taken.mapping.function_response_types or ()):
            return frozenset()
        failures = (answer or {}).get("batchItemFailures") or []
        named = frozenset(str(each.get("itemIdentifier")) for each in failures)
        # An id that is none of the batch's makes all of it fail, as AWS says.
        return named if named <= everything else everything

    def _worker(self, taken: _Taken) -> Worker:
        worker = self._workers.get(taken.program.arn)
        if worker is not None and (worker.program != taken.program or worker.has_ended):
            worker.end()
            worker = None
        if worker is None:
            worker = self._workers[taken.program.arn] = Worker(taken.program, taken.function.code_bytes)
        return worker


def run_in_the_wake(functions: Functions, application: WSGIApplication) -> WSGIApplication:
    """Answer a request when the functions have run that it set off, so that the next one finds their work done."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = read_signature(environ.get("HTTP_AUTHORIZATION", ""), {}).access_key
        answer = application(environ, start_response)
        if not is_function_key(key):
            functions.settle()
        return answer

    return serve


def _batches(endpoint: str, tries: Mapping[str, int]) -> Iterator[_Taken]:
    for account, regions in list(lambda_backends.items()):
        for region, backend in list(regions.items()):
            for mapping in backend.list_event_source_mappings("", ""):
                taken = _take(account, region, mapping, endpoint, tries) if mapping.enabled else None
                if taken is not None:
                    yield taken


def _take(
    account: str, region: str, mapping: EventSourceMapping, endpoint: str, tries: Mapping[str, int]
) -> _Taken | None:
    queue = find_queue(mapping.event_source_arn)
    function = lambda_backends[account][region].get_function_by_arn(mapping.function_arn)
    if queue is None or function is None:
        return None
    if not any(message.visible and tries.get(message.id, 0) < _MOST_TRIES for message in queue.messages):
        return None
    try:
        _require(function, queue)
        program = _program(function, endpoint)
    except Denied as denied:
        _log.warning("%s cannot read %s: %s", function.function_name, queue.name, denied.message)
        return None
    backend = sqs_backends[queue.account_id][queue.region]
    messages = backend.receive_message(queue.name, mapping.batch_size, 0, int(vars(queue)["visibility_timeout"]))
    if not messages:  # what was there has gone to the dead-letter queue
        return None
    return _Taken(function, mapping, queue, tuple(messages), program)


def _require(function: LambdaFunction, queue: Queue) -> None:
    """Lambda reads the queue as the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    """
    account = function.role.split(":")[4]
    name = function.role.rpartition("/")[2]
    session = f"arn:{function.partition}:sts::{account}:assumed-role/{name}/{function.function_name}"
    role = Principal(function.role, account, PrincipalKind.ROLE, session)
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        authorize_as(role, RequiredCall(action, queue.queue_arn), queue.region)
    key = str(getattr(queue, "kms_master_key_id", None) or "")
    if key.startswith("arn:"):
        authorize_as(role, RequiredCall("kms:Decrypt", key), queue.region)


def _program(function: LambdaFunction, endpoint: str) -> Program:
    environment = {**function.environment_vars, **role_environment(function, endpoint)}
    return Program(
        function.function_arn,
        function.function_name,
        str(function.handler),
        function.code_sha_256,
        int(function.timeout),
        int(function.memory_size),
        tuple(sorted(environment.items())),
    )


def _record(message: Message, taken: _Taken) -> Mapping[str, Any]:
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
        "eventSourceARN": taken.queue.queue_arn,
        "awsRegion": taken.queue.region,
    }


def _settle(taken: _Taken, failed: frozenset[str]) -> None:
    """Delete what was taken; what failed can be taken again at once, where AWS waits for the visibility timeout."""
    backend = sqs_backends[taken.queue.account_id][taken.queue.region]
    for message in taken.messages:
        if message.id in failed:
            backend.change_message_visibility(taken.queue.name, str(message.receipt_handle), 0)
        else:
            backend.delete_message(taken.queue.name, str(message.receipt_handle))
