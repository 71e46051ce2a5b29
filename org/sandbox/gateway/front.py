"""Answers requests to REST APIs: WAF, who calls, whether they may, how often, with what; then the function.

State is read and decided upon while the request lock is held; the function runs while it is not, since it makes
requests of its own.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random
from moto.wafv2.models import wafv2_backends

from org.sandbox.authorization.denial import Denied
from org.sandbox.functions.invocations import Invoker, Result
from org.sandbox.functions.invocations import Refused as NotTaken
from org.sandbox.functions.runtime import Functions
from org.sandbox.gateway import access, firewall
from org.sandbox.gateway.access_log import write_access_log
from org.sandbox.gateway.deployed import find_deployed
from org.sandbox.gateway.exchange import Exchange
from org.sandbox.gateway.limits import Limits
from org.sandbox.gateway.proxy import compress, make_event, malformed, read_answer
from org.sandbox.gateway.refusals import Answer, Refused, answer_refusal
from org.sandbox.gateway.requests import ADDRESS_HEADER, ApiRequest, read_api_request
from org.sandbox.gateway.routes import find_route
from org.sandbox.gateway.throttle import throttle
from org.sandbox.gateway.validation import validate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)

_MOST_BYTES = 10 * 1024 * 1024
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""
_WITHOUT_BODY = frozenset({*range(100, 200), 204, 304})


class Front:
    """All REST APIs of a sandbox; `now` is in seconds since 1970."""

    def __init__(
        self,
        prefix: str,
        functions: Functions,
        locked: Callable[[], AbstractContextManager[Any]],
        now: Callable[[], float],
    ) -> None:
        self._prefix = prefix
        self._functions = functions
        self._locked = locked
        self._now = now
        self._limits = Limits()

    def forget(self) -> None:
        """Begin all counters again."""
        self._limits.forget()

    def serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = read_api_request(environ, self._prefix)
        except ValueError as error:
            return _send(_say(400, f"{ADDRESS_HEADER}: {error}"), environ, start_response)
        try:
            answer = self.answer(request)
        except Exception:  # noqa: BLE001 - whatever broke, the client learns that it did, and the log why
            _log.exception("%s %s broke", environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
            answer = _say(501, "the orgctl sandbox broke over this request: its log says why")
        return _send(answer, environ, start_response)

    def answer(self, request: ApiRequest) -> Answer:
        """Answer a request, while the lock is not held."""
        with self._locked():
            exchange = self._begin(request)
            if exchange is None:
                # Every name below execute-api is somebody's: AWS does not say that nobody has this one.
                return _say(403, "Forbidden", ("x-amzn-ErrorType", "ForbiddenException"))
            answer = self._refuse_or(exchange, lambda: self._decide(exchange))
            event = make_event(exchange) if answer is None else {}
        if answer is None:
            answer = self._refuse_or(exchange, lambda: self._integrate(exchange, event))
        assert answer is not None
        exchange.status, exchange.length, exchange.ended = answer.status, len(answer.body), self._now()
        with self._locked():
            write_access_log(exchange)
        own = ("x-amzn-RequestId", exchange.request_id), ("x-amz-apigw-id", exchange.request_id.replace("-", "")[:15])
        return compress(Answer(answer.status, (*answer.headers, *own), answer.body), exchange)

    def _begin(self, request: ApiRequest) -> Exchange | None:
        deployed = find_deployed(request.api_id, request.stage)
        if deployed is None or deployed.snapshot.is_disabled:
            return None
        vpc_id = access.find_vpc(deployed, request.endpoint) if request.endpoint else ""
        # A private API has no name outside of VPCs, and an endpoint that is none leads nowhere.
        if (deployed.is_private or request.endpoint) and not vpc_id:
            return None
        now = self._now()
        trace = f"1-{int(now):08x}-{mock_random.get_random_hex(24)}"
        return Exchange(request, deployed, str(mock_random.uuid4()), trace, now, vpc_id=vpc_id)

    def _refuse_or(self, exchange: Exchange, act: Callable[[], Answer | None]) -> Answer | None:
        try:
            return act()
        except Refused as refused:
            exchange.refused, exchange.refused_message = refused.kind, refused.message
            exchange.status = refused.status
            return answer_refusal(refused, exchange.variables(), exchange.deployed.snapshot.gateway_responses)
        except NotImplementedError as error:
            return _say(501, f"the orgctl sandbox does not emulate {error}")

    def _decide(self, exchange: Exchange) -> Answer | None:
        """Raise Refused, or answer what WAF says itself; None: the function is next."""
        request, deployed, now = exchange.request, exchange.deployed, exchange.begun
        blocked = self._ask_firewall(exchange)
        if blocked is not None:
            return blocked
        if len(request.body) > _MOST_BYTES:
            raise Refused("REQUEST_TOO_LARGE", f"HTTP content length exceeded {_MOST_BYTES} bytes.")
        exchange.route = find_route(deployed.snapshot.document.methods, request.verb, request.path)
        if exchange.route is None:
            raise Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        access.admit(exchange, now)
        throttle(exchange, self._limits, now)
        validate(request, exchange.route)
        return None

    def _ask_firewall(self, exchange: Exchange) -> Answer | None:
        deployed = exchange.deployed
        acl = wafv2_backends[deployed.account][deployed.region].wacls.get(str(deployed.stage.web_acl_arn))
        if acl is None:
            return None
        request, now = exchange.request, exchange.begun
        ruling = firewall.judge(acl, deployed.account, deployed.region, request, self._limits, now)
        exchange.firewall = "BLOCK" if ruling.blocked else "ALLOW"
        if not ruling.blocked:
            return None
        if ruling.response:
            return _custom(ruling.response, acl.custom_response_bodies or {})
        raise Refused("WAF_FILTERED", "Forbidden")

    def _integrate(self, exchange: Exchange, event: dict[str, Any]) -> Answer:
        assert exchange.route is not None
        method, deployed = exchange.route.method, exchange.deployed
        # [H]: that the resource's path stands in it with its variables, as in `…/GET/images/{ami_id}`.
        source = deployed.resource(exchange.request.verb, method.resource)
        by = Invoker("apigateway.amazonaws.com", source, deployed.account)
        answered: queue.SimpleQueue[Result | Exception] = queue.SimpleQueue()

        def run() -> None:
            try:
                answered.put(self._functions.call(method.function, event, by))
            except (Denied, NotTaken) as error:
                answered.put(error)
            except Exception as error:  # noqa: BLE001 - raised again by who waits; told here, since nobody may any more
                _log.exception("%s broke", method.function)
                answered.put(error)

        begun = self._now()
        # The function goes on when nobody waits for it any more.
        threading.Thread(target=run, name="orgctl-sandbox-integration", daemon=True).start()
        try:
            found = answered.get(timeout=method.seconds)
        except queue.Empty as error:
            raise Refused("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
        finally:
            exchange.integration_seconds = self._now() - begun
        if isinstance(found, Denied | NotTaken):
            _log.warning("%s %s: %s", method.verb, method.resource, found)
            raise Refused("API_CONFIGURATION_ERROR", "Internal server error")
        if isinstance(found, Exception):
            raise found
        if found.error:
            raise malformed()
        exchange.integration_status = "200"
        return read_answer(found.payload, exchange)


def _send(answer: Answer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unknown"
    headers = [each for each in answer.headers if each[0].lower() not in {"content-length", "transfer-encoding"}]
    if answer.status not in _WITHOUT_BODY:
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{answer.status} {phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" or answer.status in _WITHOUT_BODY else [answer.body]


def _say(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    text = json.dumps({"message": message}, separators=(",", ":"))
    return Answer(status, (("Content-Type", "application/json"), *headers), text.encode())


def _custom(response: Any, bodies: Any) -> Answer:
    """https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html."""
    body = bodies.get(response.get("CustomResponseBodyKey"), {})
    kind = (
        str(body.get("ContentType", "TEXT_PLAIN"))
        .lower()
        .replace("text_", "text/")
        .replace("application_", "application/")
    )
    headers = [(each["Name"], each["Value"]) for each in response.get("ResponseHeaders", ())]
    return Answer(
        int(response["ResponseCode"]), (("Content-Type", kind), *headers), str(body.get("Content", "")).encode()
    )
