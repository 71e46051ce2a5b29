"""The event that a Lambda proxy integration hands to its function, and the answer that it takes back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from org.sandbox.gateway.exchange import Exchange
from org.sandbox.gateway.refusals import Answer, Refused
from org.sandbox.gateway.requests import OURS

_MALFORMED = "Internal server error"
_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_NOT_PASSED = OURS | {"authorization", "connection", "content-length", "host", "transfer-encoding"}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""


def make_event(exchange: Exchange) -> dict[str, Any]:
    """Make the event, of format 1.0.

    Names of headers are written as `X-Amz-Date`, however they came; the signature itself is not passed on.
    """
    request, route, deployed = exchange.request, exchange.route, exchange.deployed
    assert route is not None
    headers = _headers(exchange)
    body, encoded = _body(request.body, request.headers.get("content-type", ""), deployed.snapshot.binary_types)
    return {
        "resource": route.method.resource,
        "path": request.path,
        "httpMethod": request.verb,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(request.query) or None,
        "multiValueQueryStringParameters": _several(request.query) or None,
        "pathParameters": dict(route.path_parameters) or None,
        "stageVariables": dict(deployed.stage.variables) or None,
        "requestContext": exchange.request_context(),
        "body": body,
        "isBase64Encoded": encoded,
    }


def _headers(exchange: Exchange) -> dict[str, str]:
    request = exchange.request
    given = {_cased(name): value for name, value in request.headers.items() if name not in _NOT_PASSED}
    forwarded = [each for each in (request.headers.get("x-forwarded-for"), request.source_ip) if each]
    return {
        **given,
        "Host": exchange.domain,
        "X-Amzn-Trace-Id": f"Root={exchange.trace_id}",
        "X-Forwarded-For": ", ".join(forwarded),
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }


def _cased(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _several(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _body(body: bytes, content_type: str, binary: tuple[str, ...]) -> tuple[str | None, bool]:
    if not body:
        return None, False
    if _is_binary(content_type, binary):
        return base64.b64encode(body).decode(), True
    return body.decode("utf-8", "replace"), False


def _is_binary(content_type: str, binary: tuple[str, ...]) -> bool:
    plain = content_type.partition(";")[0].strip().lower()
    return "*/*" in binary or plain in binary


def read_answer(text: str, exchange: Exchange) -> Answer:
    """Read what the function returned; raises Refused (502) where it is not what API Gateway wants.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
    """
    answer = json.loads(text)
    if not isinstance(answer, dict) or set(answer) - _KEYS or "statusCode" not in answer:
        raise malformed()
    try:
        status = int(answer["statusCode"])
        headers = tuple(_answered_headers(answer))
        body = _answered_body(answer, exchange)
    except (TypeError, ValueError, AttributeError) as error:
        raise malformed() from error
    if not 100 <= status <= 599:
        raise malformed()
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (("Content-Type", "application/json"), *headers)
    return Answer(status, headers, body)


def compress(answer: Answer, exchange: Exchange) -> Answer:
    """Compress what is large enough, for who takes gzip, where the API says so.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
    """
    least = exchange.deployed.snapshot.compression
    accepted = exchange.request.headers.get("accept-encoding", "").lower()
    encoded = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    if least is None or encoded or "gzip" not in accepted or len(answer.body) < least:
        return answer
    return Answer(answer.status, (*answer.headers, ("Content-Encoding", "gzip")), gzip.compress(answer.body, mtime=0))


def malformed() -> Refused:
    return Refused("INTEGRATION_FAILURE", _MALFORMED, status=502)


def _answered_headers(answer: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    several = {str(name): values for name, values in (answer.get("multiValueHeaders") or {}).items()}
    lowered = {name.lower() for name in several}
    for name, value in (answer.get("headers") or {}).items():
        if str(name).lower() not in lowered:
            yield str(name), _text(value)
    for name, values in several.items():
        yield from ((name, _text(value)) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float | bool):
        raise TypeError("a header's value must be a text, a number or a truth value")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text.isprintable():
        raise ValueError("a header's value must be one line")
    text.encode("latin-1")  # what HTTP can say
    return text


def _answered_body(answer: Mapping[str, Any], exchange: Exchange) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError("the body must be a text")
    binary = exchange.deployed.snapshot.binary_types
    if answer.get("isBase64Encoded") and _is_binary(exchange.request.headers.get("accept", ""), binary):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise ValueError("the body is not Base64") from error
    return body.encode()
