"""Where requests are stopped: before moto sees them, in the server as in process.

What moto, or the sandbox's StackSets, do in the course of a call is no request, and is not judged as the caller's.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from moto.core.request import Request, environ_key_for_header, normalize_request

from org.policy.request import ContextValue
from org.sandbox.authorization.answers import Answer, refuse, reject, turn_away
from org.sandbox.authorization.checks import checks_of
from org.sandbox.authorization.decide import require
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.keys_used import require_keys
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.one_reading import plain_headers, plain_query
from org.sandbox.authorization.principals import Caller, UnusableKey, caller_of, current_caller, serving
from org.sandbox.authorization.requests import (
    MalformedRequest,
    ReadRequest,
    Signature,
    problems_of,
    read_request,
    read_signature,
)
from org.sandbox.encryption import NoKey
from org.sandbox.failures import read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SERVED_BY_OWNER = frozenset({"sqs", "sns", "lambda", "kms", "secretsmanager"})
"""moto serves these in the caller's account whosever the resource is: it is told the owner's."""
_SHARED = frozenset({"s3", "sts", "events", *_SERVED_BY_OWNER})
"""Services in which even the administrator's calls may be about another account's resource."""
_NOT_AWS = "/moto-api/"
_NOT_AWS_IN_PROCESS = f"http://motoapi.amazonaws.com{_NOT_AWS}"


@dataclass(frozen=True, slots=True)
class _Judgement:
    caller: Caller
    signature: Signature
    refusal: Answer | None = None
    read: ReadRequest | None = None
    """What was judged; None where the signature alone decided."""
    owner: str = ""
    """The account that is to serve the request, if it is not the caller's."""

    @property
    def headers(self) -> Mapping[str, str]:
        return plain_headers(self.signature, self.owner or self.caller.account)

    def query(self, given: str) -> str:
        return given if self.read is None else plain_query(self.read, given)

    def serving(self) -> AbstractContextManager[None]:
        read = self.read
        return serving(self.caller, (read.call.service, read.call.operation) if read is not None else None)


def judge(authorization: str, query: Mapping[str, str], request: Callable[[], Request]) -> _Judgement:
    """Answer whether the request is refused, who asks, for what, and who is to serve it.

    `request` is asked for the whole of it where the signature alone does not decide.
    """
    signature = read_signature(authorization, query)
    try:
        caller = caller_of(signature.access_key, signature.region or "us-east-1")
    except UnusableKey:
        nobody = caller_of("", signature.region or "us-east-1")
        return _Judgement(nobody, signature, _turn_away(request(), signature))
    if caller.is_administrator and signature.service not in _SHARED:
        return _Judgement(caller, signature)
    return _judge_whole(request(), signature, caller)


def _judge_whole(request: Request, signature: Signature, caller: Caller) -> _Judgement:
    if not signature.access_key:
        raise NotImplementedError("calls that nobody signed")
    try:
        read = read_request(request, signature)
    except MalformedRequest as error:
        return _Judgement(caller, signature, reject(error.read, str(error)))
    if read is None:
        if caller.is_administrator:
            return _Judgement(caller, signature)
        raise NotImplementedError("what it asks for is not known, so that nobody can say whether it is allowed")
    try:
        checks = checks_of(read)
    except NotImplementedError:
        if caller.is_administrator:
            return _Judgement(caller, signature)
        raise
    except Exception:
        # What does not have the form of its model breaks whoever reads it; what has, broke over a bug of ours.
        problems = problems_of(read)
        if not problems:
            raise
        return _Judgement(caller, signature, reject(read, problems))
    try:
        require(caller, checks, signature.region, _keys_of_http(request))
        require_keys(caller, read.call, checks)
    except Denied as denied:
        return _Judgement(caller, signature, refuse(read, denied))
    except NoKey as error:
        return _Judgement(caller, signature, reject(read, str(error)))
    return _Judgement(caller, signature, None, read, _owner(read, checks, caller))


def _turn_away(request: Request, signature: Signature) -> Answer:
    try:
        read = read_request(request, signature)
    except MalformedRequest as error:
        read = error.read
    if read is None:
        raise NotImplementedError("what it asks for is not known, so that nobody can say how it is refused")
    return turn_away(read)


def _owner(read: ReadRequest, checks: Iterable[Check], caller: Caller) -> str:
    owners = {check.resource_account for check in checks if check.resource_account}
    elsewhere = read.call.service in _SERVED_BY_OWNER and len(owners) == 1 and owners != {caller.account}
    return owners.pop() if elsewhere else ""


def _keys_of_http(request: Request) -> dict[str, ContextValue]:
    return {
        "aws:sourceip": request.remote_addr or "127.0.0.1",
        "aws:useragent": request.headers.get("User-Agent") or None,
        "aws:referer": request.headers.get("Referer") or None,
    }


def authorize_requests(application: WSGIApplication) -> WSGIApplication:
    """Stand before the server's application."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_of_moto(environ.get("PATH_INFO", "")):
            return application(environ, start_response)
        body = read_body(environ)
        request = Request({**environ, "wsgi.input": io.BytesIO(body)})
        judgement = judge(request.headers.get("Authorization", ""), request.args, lambda: request)
        if judgement.refusal is not None:
            status, headers, text = judgement.refusal
            start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
            return [text.encode() if isinstance(text, str) else text]
        environ |= {environ_key_for_header(name): value for name, value in judgement.headers.items()}
        environ["QUERY_STRING"] = judgement.query(environ.get("QUERY_STRING", ""))
        with judgement.serving():
            return [b"".join(application(environ, start_response))]

    return serve


def authorize_in_process(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Stand before moto within this process; a request that is made while another is served is moto's own."""

    def serve(request: AWSPreparedRequest) -> Any:
        caller = current_caller()
        if caller is not None:
            with serving(caller):
                return process(request)
        if request.url.startswith(_NOT_AWS_IN_PROCESS):
            return process(request)
        if not isinstance(request.body, str | bytes | bytearray | None):
            request.body = request.body.read()  # it is read twice: here, and by moto
        signed = request.headers.get("Authorization") or ""
        authorization = signed.decode() if isinstance(signed, bytes) else signed
        url = urlsplit(request.url)
        judgement = judge(authorization, dict(parse_qsl(url.query)), lambda: normalize_request(request))
        if judgement.refusal is not None:
            return judgement.refusal
        for name, value in judgement.headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        request.url = url._replace(query=judgement.query(url.query)).geturl()
        with judgement.serving():
            return process(request)

    return serve


def is_of_moto(path: str) -> bool:
    """Say whether a request is for moto itself, and not for what it emulates."""
    return path.startswith(_NOT_AWS)
