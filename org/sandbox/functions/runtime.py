"""Runs functions: at once for whoever waits for the answer, and in the wake of requests for all others.

A function runs while no request is served, since it makes requests of its own.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-invocation.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.requests import read_signature
from org.sandbox.functions import destinations, invocations, mappings
from org.sandbox.functions.credentials import forget_sessions, is_function_key
from org.sandbox.functions.invocations import Invoker, Refused, Result, Waiting
from org.sandbox.functions.pool import Busy, Pool
from org.sandbox.functions.worker import FunctionFailed, Program

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from moto.awslambda.models import LambdaFunction

_log = logging.getLogger(__name__)

_UNHANDLED = "Unhandled"
_MOST_ANSWER = 6_291_556
"""Bytes, of which this side's text has as many as it has characters: all else is escaped."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A function that may run, as it was when somebody asked."""

    program: Program
    code: bytes
    limit: int | None


class Functions:
    """All functions of a sandbox; `now` is their clock, in seconds since 1970."""

    def __init__(
        self,
        endpoint: str,
        locked: Callable[[], AbstractContextManager[Any]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._now = now
        self._locked = locked
        self._pool = Pool()
        self._settling = threading.Lock()

    def call(self, function_arn: str, payload: object, by: Invoker) -> Result:
        """Invoke a function and answer what it does; for services that wait for it, as API Gateway does.

        To be called while the request lock is not held: the function makes requests of its own. `payload` is what JSON
        can say. A function that fails is a Result with an error, as Lambda answers it.

        Raises Refused where there is no such function or it is as busy as it may be (`TooManyRequestsException`), and
        Denied where its policy does not let the service invoke it for that resource, or its role does not trust Lambda.
        """
        with self._locked():
            function = invocations.find_function(function_arn)
            invocations.require(function, by)
            ready = self.prepare(function)
        return self.run(ready, payload)

    def later(self, function_arn: str, payload: object, by: Invoker) -> str:
        """Do as `org.sandbox.functions.invocations.later`, for whoever does not hold the request lock."""
        with self._locked():
            return invocations.later(function_arn, payload, by)

    def prepare(self, function: LambdaFunction) -> Ready:
        """Answer what it takes to run a function; while the lock is held. Raises Denied as `program_of` does."""
        program = invocations.program_of(function, self._endpoint)
        return Ready(program, function.code_bytes, invocations.limit_of(function))

    def run(self, ready: Ready, payload: object, request_id: str = "", *, wait: bool = False) -> Result:
        """Run a function that the caller may invoke; while the lock is not held.

        Raises Refused where it is as busy as it may be and the caller does not want to wait.
        """
        # No id of the sandbox's own: where it is made here, it shows in logs alone.
        request_id = request_id or str(uuid.uuid4())
        try:
            with self._pool.worker(ready.program, ready.code, ready.limit, wait=wait) as worker:
                answer = json.dumps(worker.invoke(payload, request_id, round(self._now() - time.time())))
        except FunctionFailed as error:
            _log.warning("%s failed: %s", ready.program.name, error)
            return Result(json.dumps(error.error), _UNHANDLED, request_id)
        except Busy as error:
            raise Refused("TooManyRequestsException", 429, "Rate Exceeded.") from error
        if len(answer) > _MOST_ANSWER:
            what = f"Response payload size exceeded maximum allowed payload size ({_MOST_ANSWER} bytes)."
            told = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": what}
            return Result(json.dumps(told), _UNHANDLED, request_id)
        return Result(answer, "", request_id)

    def settle(self) -> None:
        """Return when no event waits for a function, and no queue that one reads holds a message that can be taken.

        Messages that fail come again until their queue gives them up; a queue that never does would keep us for ever,
        so a function is given each message ten times at most.
        """
        with self._settling:
            tries: Counter[str] = Counter()
            while self._give_event() or self._give_batch(tries):
                pass

    def end(self) -> None:
        """End all processes, and forget who they were."""
        with self._settling:
            self._pool.end()
            forget_sessions()

    def _give_event(self) -> bool:
        """Give a function the event that has waited longest; say whether there was one."""
        with self._locked():
            if not invocations.waiting:
                return False
            event = invocations.waiting.popleft()
            invocations.at_work_on(event)
        outcome = self._attempt(event)
        with self._locked():
            destinations.hand_on(event, outcome)
            invocations.at_work_on(None)
        return True

    def _attempt(self, event: Waiting) -> destinations.Outcome:
        """Run a function as often as it takes, and as Lambda does, but without the waiting in between."""
        if event.goes_in_circles:
            return destinations.Outcome(None, 0)
        result, attempts = None, 0
        while True:
            with self._locked():
                try:
                    function = invocations.find_function(event.function)
                    most = destinations.attempts_of(function)
                    ready = self.prepare(function)
                except (Refused, Denied, NotImplementedError) as error:
                    _log.warning("%s cannot run: %s", event.function, error)
                    return destinations.Outcome(result, attempts)
            try:
                result = self.run(ready, json.loads(event.payload), event.request_id, wait=True)
            except Refused as error:
                _log.warning("%s cannot run: %s", event.function, error)
                return destinations.Outcome(result, attempts)
            attempts += 1
            if not result.error or attempts >= most:
                return destinations.Outcome(result, attempts)

    def _give_batch(self, tries: Counter[str]) -> bool:
        """Give a function messages of a queue; say whether there were any."""
        with self._locked():
            taken = next(mappings.batches(tries, self.prepare), None)
        if taken is None:
            return False
        tries.update(message.id for message in taken.messages)
        result = self.run(taken.ready, taken.event, wait=True)
        with self._locked():
            mappings.settle(taken, result)
        return True


def run_in_the_wake(functions: Functions, application: WSGIApplication) -> WSGIApplication:
    """Answer a request when the functions have run that it set off, so that the next one finds their work done."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = read_signature(environ.get("HTTP_AUTHORIZATION", ""), {}).access_key
        answer = application(environ, start_response)
        if not is_function_key(key):
            functions.settle()
        return answer

    return serve
