"""Turns what moto does not emulate, and what it breaks over, into AWS errors that name the operation.

moto itself answers with a page of HTML, or raises. Both errors have the HTTP status 501, which no SDK retries: the
same call would fail the same way, and botocore would make it ten times.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/(?P<service>[^/]+)/")
_XML = frozenset({"s3", "s3control", "route53", "cloudfront"})
"""Services that are no Query API, and answer in XML all the same."""
_FORM = "application/x-www-form-urlencoded"
_NO_ROUTE = b"<title>404 Not Found</title>"
"""In the page with which Flask says that moto knows no such URL; a missing resource is answered otherwise."""
_NO_SERVICE: tuple[int, dict[str, str], str] = (404, {}, "Not yet implemented")
"""moto's answer in process for a service that it does not know."""

Answer = tuple[int, dict[str, str], str]


@dataclass(frozen=True, slots=True)
class _Call:
    """What a request asks for, as far as an error about it must know."""

    operation: str
    """With its service, as in IAM actions."""
    is_form: bool
    """Of the Query API, which answers in XML."""

    @property
    def is_xml(self) -> bool:
        return self.is_form or self.operation.partition(":")[0] in _XML


def answer_failures(application: WSGIApplication) -> WSGIApplication:
    """Do so for the server: where moto raises, or knows no such operation."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []

        def remember(*arguments: Any) -> Any:
            started[:] = arguments
            return lambda _: None

        call = _read_call(
            environ.get("HTTP_AUTHORIZATION", ""),
            environ.get("HTTP_X_AMZ_TARGET", ""),
            _peek_form(environ),
            f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}",
        )
        try:
            body = b"".join(application(environ, remember))
        except NotImplementedError as error:
            status, headers, text = _not_emulated(call, str(error))
        except Exception as error:  # noqa: BLE001 — whatever broke, the client learns in which call, and the log why
            _log.exception("%s broke", call.operation)
            status, headers, text = _broken(call, error)
        else:
            if not (started[0].startswith("404") and _NO_ROUTE in body):
                start_response(*started)
                return [body]
            status, headers, text = _not_emulated(call)
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [text.encode()]

    return serve


def answer_failures_in_process(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Do so for the sandbox within this process, but let a bug through, with its traceback.

    `process` is moto's, given botocore's prepared request.
    """

    def answer(request: Any) -> Any:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        form = _text(request.body) if headers.get("content-type", "").startswith(_FORM) else ""
        place = f"{request.method} {urlsplit(request.url).path}"
        call = _read_call(headers.get("authorization", ""), headers.get("x-amz-target", ""), form, place)
        try:
            response = process(request)
        except NotImplementedError as error:
            return _not_emulated(call, str(error))
        return _not_emulated(call) if response == _NO_SERVICE else response

    return answer


def _read_call(authorization: str, target: str, form: str, place: str) -> _Call:
    found = _CREDENTIAL.search(authorization)
    service = found["service"] if found else "unknown"
    operation = target.rpartition(".")[2] or parse_qs(form).get("Action", [""])[0] or place
    return _Call(f"{service}:{operation}", is_form=bool(form))


def _not_emulated(call: _Call, why: str = "") -> Answer:
    message = f"the orgctl sandbox does not emulate {call.operation}"
    if why and not why.endswith("action has not been implemented"):  # moto's way to say no more than the operation
        message += f": {why}"
    return _render(call, "NotImplementedException", message)


def _broken(call: _Call, error: Exception) -> Answer:
    what = f"{type(error).__name__}: {error}"
    message = f"the orgctl sandbox broke over {call.operation}: {what}; the traceback is in its log, sandbox.log"
    return _render(call, "InternalFailure", message)


def _render(call: _Call, code: str, message: str) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    if not call.is_xml:
        return HTTPStatus.NOT_IMPLEMENTED, headers, json.dumps({"__type": code, "code": code, "message": message})
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{error}<RequestId>sandbox</RequestId></ErrorResponse>"
    if call.operation.startswith("s3:"):
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return HTTPStatus.NOT_IMPLEMENTED, {**headers, "Content-Type": "text/xml"}, body


def _peek_form(environ: WSGIEnvironment) -> str:
    """Read the body of a Query API request, whose operation stands only there, and put it back."""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return ""
    return read_body(environ).decode("utf-8", "replace")


def read_body(environ: WSGIEnvironment) -> bytes:
    """Read the body, also one that comes in chunks and has no length, and put it back."""
    chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
    body: bytes = environ["wsgi.input"].read(-1 if chunked else int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
