"""Stands around the authorization of requests, so that what is denied is recorded as well.

Not recorded: calls whose key is no good, or whose form; calls that the sandbox does not emulate;
and what CloudFormation or StackSets do, which here is no request.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.parsers import create_parser
from moto.core.request import Request, normalize_request

from org.sandbox.authorization.gate import is_of_moto
from org.sandbox.authorization.principals import Caller, UnusableKey, caller_of, current_caller
from org.sandbox.authorization.requests import MalformedRequest, ReadRequest, read_request, read_signature
from org.sandbox.config_service.backend import notice_changes
from org.sandbox.failures import read_body
from org.sandbox.trail.calls import RECORDED, Dialect
from org.sandbox.trail.changes import Change, Seen, look, tell_changes
from org.sandbox.trail.dialects import write_request, write_response
from org.sandbox.trail.events import new_id, tell_call
from org.sandbox.trail.groups import tell_launches, tell_successes
from org.sandbox.trail.identity import identity_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_REST = frozenset({"ebs"})
"""Services whose operation stands in the path."""
_NOT_EMULATED = 501
_DENIED = {"AccessDeniedException": "AccessDenied"}
"""Codes that CloudTrail writes otherwise than the services that answer them [H]."""

Call = tuple[ReadRequest, Caller, Dialect, Seen]
Answer = tuple[int, Mapping[str, str], bytes]


def record_calls(application: WSGIApplication) -> WSGIApplication:
    """Do so for the server."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if not _may_be_recorded(authorization) or is_of_moto(environ.get("PATH_INFO", "")):
            return application(environ, start_response)
        body = read_body(environ)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not _is_named(authorization, target, body):
            return application(environ, start_response)
        call = _begin(authorization, lambda: Request({**environ, "wsgi.input": io.BytesIO(body)}))
        if call is None:
            return application(environ, start_response)
        started: list[Any] = []

        def remember(*arguments: Any) -> Callable[[bytes], object]:
            started[:] = arguments
            return lambda _: None

        answer = b"".join(application(environ, remember))
        status, headers = int(started[0].split()[0]), dict(started[1])
        _end(call, (status, headers, answer))
        start_response(*started)
        return [answer]

    return serve


def record_calls_in_process(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Do so for the sandbox within this process, where a request in the midst of another is moto's own."""

    def serve(request: AWSPreparedRequest) -> Any:
        signed = request.headers.get("Authorization") or ""
        authorization = signed.decode() if isinstance(signed, bytes) else str(signed)
        if current_caller() or not _may_be_recorded(authorization) or is_of_moto(urlsplit(request.url).path):
            return process(request)
        if not isinstance(request.body, str | bytes | bytearray | None):
            request.body = request.body.read()
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        target = request.headers.get("X-Amz-Target") or ""
        if not _is_named(authorization, target.decode() if isinstance(target, bytes) else str(target), body):
            return process(request)
        call = _begin(authorization, lambda: normalize_request(request))
        answer = process(request)
        if call is not None:
            status, headers, text = answer
            _end(call, (status, headers, text.encode() if isinstance(text, str) else text))
        return answer

    return serve


def _may_be_recorded(authorization: str) -> bool:
    return read_signature(authorization, {}).service in RECORDED


def _is_named(authorization: str, target: str, body: bytes) -> bool:
    """Say so before the request is read whole, which costs more than the rest of some calls."""
    service = read_signature(authorization, {}).service
    found = _ACTION.search(body)
    name = target.rpartition(".")[2] or (found[1].decode() if found else "")
    return service in _REST or name in RECORDED[service]


def _begin(authorization: str, request: Callable[[], Request]) -> Call | None:
    signature = read_signature(authorization, {})
    try:
        caller = caller_of(signature.access_key, signature.region)
        read = read_request(request(), signature)
    except (UnusableKey, MalformedRequest):
        return None
    dialect = RECORDED.get(read.call.service, {}).get(read.call.operation) if read is not None else None
    if read is None or dialect is None or read.call.service != signature.service:
        return None
    return read, caller, dialect, look(caller.account, signature.region)


def _end(call: Call, answered: Answer) -> None:
    read, caller, dialect, before = call
    status, headers, body = answered
    if status == _NOT_EMULATED:
        return
    answer = create_parser(read.protocol).parse(
        {"status_code": status, "headers": dict(headers), "body": body},
        read.operation.output_shape,  # type: ignore[arg-type]  # operations without an answer have none
    )
    request_id = new_id()
    failure = answer.get("Error") if status >= 300 else None
    tell_call(
        read.call.service,
        read.call.operation,
        account=caller.account,
        region=read.call.region,
        identity=identity_of(caller, read.call.access_key),
        request=write_request(read, dialect),
        response=None if failure else write_response(read, dialect, answer, request_id),
        request_id=request_id,
        error=_error(read, status, failure) if failure else None,
        address=read.http.remote_addr or "127.0.0.1",
        agent=read.http.headers.get("User-Agent", ""),
    )
    if failure:
        return
    after = look(caller.account, read.call.region)
    change = Change(
        read.call.operation, caller.account, read.call.region, request_id, read.call.parameters, before, after
    )
    tell_launches(change)
    tell_changes(change)
    tell_successes(change)
    notice_changes(caller.account, read.call.region)


def _error(read: ReadRequest, status: int, failure: Mapping[str, str]) -> tuple[str, str]:
    """Answer `errorCode` and `errorMessage`; EC2's codes say whose fault it was."""
    code = failure["Code"]
    if read.call.service == "ec2":
        code = f"{'Server' if status >= 500 else 'Client'}.{code}"
    return _DENIED.get(code, code), failure["Message"]
