"""Turns what moto does not emulate into an AWS error that names it; moto itself answers with a page of HTML, or raises.

The error is NotImplementedException with the HTTP status 501, which no SDK retries.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CODE = "NotImplementedException"

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/(?P<service>[^/]+)/")
_FORM = "application/x-www-form-urlencoded"
_NO_ROUTE = b"<title>404 Not Found</title>"
"""In the page with which Flask says that moto knows no such URL; a missing resource is answered otherwise."""
_NO_SERVICE: tuple[int, dict[str, str], str] = (404, {}, "Not yet implemented")
"""moto's answer in process for a service that it does not know."""

Answer = tuple[int, dict[str, str], str]


def name_what_is_not_emulated(application: WSGIApplication) -> WSGIApplication:
    """Do so for the server: where moto raises NotImplementedError, or knows no such operation."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []

        def remember(*arguments: Any) -> Any:
            started[:] = arguments
            return lambda _: None

        form = _peek_form(environ)
        why = ""
        try:
            body = b"".join(application(environ, remember))
        except NotImplementedError as error:
            why = str(error)
        else:
            if not (started[0].startswith("404") and _NO_ROUTE in body):
                start_response(*started)
                return [body]
        status, headers, text = _refuse(
            environ.get("HTTP_AUTHORIZATION", ""),
            environ.get("HTTP_X_AMZ_TARGET", ""),
            form,
            f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}",
            why,
        )
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [text.encode()]

    return serve


def name_what_is_not_emulated_in_process(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Do so for the sandbox within this process; `process` is moto's, given botocore's prepared request."""

    def answer(request: Any) -> Any:
        why = ""
        try:
            response = process(request)
        except NotImplementedError as error:
            why = str(error)
        else:
            if response != _NO_SERVICE:
                return response
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        form = _text(request.body) if headers.get("content-type", "").startswith(_FORM) else ""
        place = f"{request.method} {urlsplit(request.url).path}"
        return _refuse(headers.get("authorization", ""), headers.get("x-amz-target", ""), form, place, why)

    return answer


def _refuse(authorization: str, target: str, form: str, place: str, why: str) -> Answer:
    found = _CREDENTIAL.search(authorization)
    service = found["service"] if found else "unknown"
    operation = target.rpartition(".")[2] or parse_qs(form).get("Action", [""])[0] or place
    message = f"the orgctl sandbox does not emulate {service}:{operation}"
    if why and not why.endswith("action has not been implemented"):  # moto's way to say no more than the operation
        message += f": {why}"
    headers = {"Content-Type": "application/json", "x-amzn-errortype": CODE}
    if not form:
        return HTTPStatus.NOT_IMPLEMENTED, headers, json.dumps({"__type": CODE, "code": CODE, "message": message})
    error = f"<Error><Type>Sender</Type><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{error}<RequestId>sandbox</RequestId></ErrorResponse>"
    return HTTPStatus.NOT_IMPLEMENTED, {**headers, "Content-Type": "text/xml"}, body


def _peek_form(environ: WSGIEnvironment) -> str:
    """Read the body of a Query API request, whose operation stands only there, and put it back."""
    if not environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return ""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode("utf-8", "replace")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
