"""Lambda's own Invoke: it is judged and read like any request, and run when the request lock is free again.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.responses import LambdaResponse

from org.sandbox.authorization.denial import Denied
from org.sandbox.functions import invocations
from org.sandbox.functions.invocations import Refused, Result
from org.sandbox.functions.runtime import Functions, Ready

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from moto.awslambda.models import LambdaFunction

_MOST_REQUEST = {"RequestResponse": 6_291_456, "Event": 1_048_576, "DryRun": 6_291_456}
"""Bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_PATH_END = "/invocations"

Answer = tuple[int, dict[str, str], str]


@dataclass(slots=True)
class _Asked:
    """A request that may turn out to ask for a function to be run."""

    functions: Functions
    ready: Ready | None = None
    payload: Any = None


_asked: ContextVar[_Asked | None] = ContextVar("_asked", default=None)


def invoke_outside(functions: Functions, application: WSGIApplication) -> WSGIApplication:
    """Stand around the request lock: run what a request that was let through asks for, and answer it."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").endswith(_PATH_END):
            return application(environ, start_response)
        started: list[Any] = []

        def remember(*arguments: Any) -> Any:
            started[:] = arguments
            return lambda _: None

        asked = _Asked(functions)
        token = _asked.set(asked)
        try:
            body = b"".join(application(environ, remember))
        finally:
            _asked.reset(token)
        if asked.ready is None:
            start_response(*started)
            return [body]
        status, headers, text = _run(asked, asked.ready)
        start_response(f"{status} {'OK' if status == 200 else 'Error'}", list(headers.items()))
        return [text.encode()]

    return serve


def _run(asked: _Asked, ready: Ready) -> Answer:
    try:
        result: Result = asked.functions.run(ready, asked.payload)
    except Refused as error:
        return _refuse(error)
    headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
    headers["x-amzn-RequestId"] = result.request_id
    if result.error:
        headers["X-Amz-Function-Error"] = result.error
    return 200, headers, result.payload


def _invoke(self: LambdaResponse) -> Answer:
    """Read and check the request, in moto's place; what is to be run is left for `invoke_outside`."""
    try:
        status, headers, body = _take(self)
    except Refused as error:
        status, headers, body = _refuse(error)
    # moto reads the status there.
    return status, {**headers, "status": str(status)}, body


def _take(request: LambdaResponse) -> Answer:
    asked = _asked.get()
    if asked is None:
        raise NotImplementedError("functions run in the server alone")
    if request.headers.get("X-Amz-Log-Type", "None") != "None":
        raise NotImplementedError("LogType Tail")
    if request.headers.get("X-Amz-Client-Context"):
        raise NotImplementedError("ClientContext")
    kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
    function = _function(request)
    payload = _read(request.body, kind)
    if kind == "DryRun":
        return 204, {}, ""
    if kind == "Event":
        return 202, {"x-amzn-RequestId": invocations.take(function, payload)}, ""
    try:
        asked.ready, asked.payload = asked.functions.prepare(function), payload
    except Denied as error:
        # [H]: the code
        what = "The role defined for the function cannot be assumed by Lambda."
        raise Refused("AccessDeniedException", 403, what) from error
    return 200, {}, ""


def _function(request: LambdaResponse) -> LambdaFunction:
    name, qualifier = unquote(request.path.rsplit("/", 2)[-2]), request._get_param("Qualifier")
    if qualifier not in (None, "$LATEST"):
        raise NotImplementedError(f"versions and aliases of functions ({qualifier})")
    try:
        found: LambdaFunction = request.backend.get_function(name.removesuffix(":$LATEST"))
    except UnknownFunctionException as error:
        raise Refused("ResourceNotFoundException", 404, str(error.message)) from error
    return found


def _read(body: str | bytes, kind: str) -> Any:
    text = body.encode() if isinstance(body, str) else body
    if kind not in _MOST_REQUEST:
        what = f"Value '{kind}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set"
        raise Refused("ValidationException", 400, f"1 validation error detected: {what}")
    if len(text) > _MOST_REQUEST[kind]:
        what = f"Request must be smaller than {_MOST_REQUEST[kind]} bytes for the InvokeFunction operation"
        raise Refused("RequestTooLargeException", 413, what)
    try:
        return json.loads(text or b"{}")
    except ValueError as error:
        what = f"Could not parse request body into json: {error}"
        raise Refused("InvalidRequestContentException", 400, what) from error


def _refuse(error: Refused) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": error.code}
    return error.status, headers, json.dumps({"Type": "User", "Message": str(error)})


def install() -> None:
    """Put this in the place of moto's, which runs nothing."""
    LambdaResponse.invoke = _invoke  # type: ignore[method-assign]
