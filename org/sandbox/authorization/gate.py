"""Where requests are stopped: before moto sees them, in the server as in process.

What moto, or the sandbox's StackSets, do in the course of a call is no request, and is not judged as the caller's.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from moto.core.exceptions import ServiceException
from moto.core.request import Request, normalize_request
from moto.core.serialize import get_serializer_class

from org.policy.request import ContextValue
from org.sandbox.authorization.checks import checks_of
from org.sandbox.authorization.decide import require
from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.principals import Caller, UnusableKey, caller_of, current_caller, serving
from org.sandbox.authorization.requests import ReadRequest, Signature, read_request, read_signature, service_names

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = tuple[int, dict[str, str], str | bytes]

_CODES = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException", "rest-json": "AccessDeniedException"}
_STATUS = {"json": 400}
_UNUSABLE = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
}
_ACCOUNT = "x-moto-account-id"
_SERVED_BY_OWNER = frozenset({"sqs", "sns", "lambda", "kms", "secretsmanager"})
"""moto serves these in the caller's account whosever the resource is: it is told the owner's."""
_SHARED = frozenset({"s3", "sts", "events", *_SERVED_BY_OWNER})
"""Services in which even the administrator's calls may be about another account's resource."""
_NOT_AWS = "/moto-api/"


class _AccessDenied(ServiceException):
    """In a module of ours: of one of moto's own moto would take the service from its name."""


def judge(
    authorization: str, query: Mapping[str, str], request: Callable[[], Request]
) -> tuple[Answer | None, Caller, str]:
    """Answer the refusal, if it is refused, who asks, and the account that is to serve it, if not the caller's.

    `request` is asked for the whole of it where the signature alone does not decide.
    """
    signature = read_signature(authorization, query)
    try:
        caller = caller_of(signature.access_key, signature.region or "us-east-1")
    except UnusableKey:
        return _turn_away(request(), signature), caller_of("", signature.region or "us-east-1"), ""
    if caller.is_administrator and signature.service not in _SHARED:
        return None, caller, ""
    return _judge_whole(request(), signature, caller)


def _judge_whole(request: Request, signature: Signature, caller: Caller) -> tuple[Answer | None, Caller, str]:
    if not signature.access_key:
        raise NotImplementedError("calls that nobody signed")
    read = read_request(request, signature)
    if read is None:
        if caller.is_administrator:
            return None, caller, ""
        raise NotImplementedError("what it asks for is not known, so that nobody can say whether it is allowed")
    try:
        checks = checks_of(read)
    except NotImplementedError:
        if caller.is_administrator:
            return None, caller, ""
        raise
    try:
        require(caller, checks, signature.region, _keys_of_http(request))
    except Denied as denied:
        return _refuse(read, denied), caller, ""
    return None, caller, _owner(read, checks, caller)


def _turn_away(request: Request, signature: Signature) -> Answer:
    """Answer a key that is good no longer.

    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    """
    read = read_request(request, signature)
    if read is None:
        raise NotImplementedError("what it asks for is not known, so that nobody can say how it is refused")
    special = _UNUSABLE.get(read.call.service)
    if special is not None:
        code, message, status = special
        return _render(read, code, message, status)
    code = "UnrecognizedClientException" if "json" in read.protocol else "InvalidClientTokenId"
    return _render(
        read, code, "The security token included in the request is invalid.", _STATUS.get(read.protocol, 403)
    )


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


def _refuse(read: ReadRequest, denied: Denied) -> Answer:
    """Render the denial as the service's protocol does."""
    code = service_names().codes.get(read.call.service, _CODES.get(read.protocol, "AccessDenied"))
    message = denied.message
    if read.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {message}. "
        message += f"Encoded authorization failure message: {denied.encoded}"
    return _render(read, code, message, _STATUS.get(read.protocol, 403))


def _render(read: ReadRequest, code: str, message: str, status: int) -> Answer:
    serializer = get_serializer_class(read.call.service, read.protocol)(read.operation)
    with warnings.catch_warnings():
        # Most services can deny access and do not list the error among their own.
        warnings.simplefilter("ignore")
        rendered = serializer.serialize(_AccessDenied(code, message))
    body = "" if read.http.method == "HEAD" else rendered["body"]
    return status, dict(rendered["headers"]), body


def authorize_requests(application: WSGIApplication) -> WSGIApplication:
    """Stand before the server's application."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)
        if is_of_moto(environ.get("PATH_INFO", "")):
            return application(environ, start_response)
        body = read_body(environ)
        request = Request({**environ, "wsgi.input": io.BytesIO(body)})
        refusal, caller, owner = judge(request.headers.get("Authorization", ""), request.args, lambda: request)
        if refusal is not None:
            status, headers, text = refusal
            start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
            return [text.encode() if isinstance(text, str) else text]
        if owner:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = owner
        with serving(caller):
            return [b"".join(application(environ, start_response))]

    return serve


def authorize_in_process(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Stand before moto within this process; a request that is made while another is served is moto's own."""

    def serve(request: AWSPreparedRequest) -> Any:
        if current_caller() or _NOT_AWS in request.url:
            return process(request)
        if not isinstance(request.body, str | bytes | bytearray | None):
            request.body = request.body.read()  # it is read twice: here, and by moto
        signed = request.headers.get("Authorization") or ""
        authorization = signed.decode() if isinstance(signed, bytes) else signed
        query = dict(parse_qsl(urlsplit(request.url).query))
        refusal, caller, owner = judge(authorization, query, lambda: normalize_request(request))
        if refusal is not None:
            return refusal
        if owner:
            request.headers[_ACCOUNT] = owner
        with serving(caller):
            return process(request)

    return serve


def is_of_moto(path: str) -> bool:
    """Say whether a request is for moto itself, and not for what it emulates."""
    return path.startswith(_NOT_AWS)


def read_body(environ: WSGIEnvironment) -> bytes:
    """Read the body, also one that comes in chunks and has no length, and put it back."""
    chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
    body: bytes = environ["wsgi.input"].read(-1 if chunked else int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
