"""What API Gateway answers itself, in the place of the integration, and how an API may have it say it otherwise.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULTS: Mapping[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "EXPIRED_TOKEN": (403, "ExpiredTokenException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "INVALID_SIGNATURE": (403, "InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "QUOTA_EXCEEDED": (429, "LimitExceededException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException"),
    "RESOURCE_NOT_FOUND": (404, "NotFoundException"),
    "THROTTLED": (429, "TooManyRequestsException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "BadRequestException"),
    "WAF_FILTERED": (403, "ForbiddenException"),
}
"""Each type's status and the `x-amzn-ErrorType` that comes with it ([H] beyond those that AWS's pages show)."""

_VARIABLE = re.compile(r"\$context\.([A-Za-z][\w-]*(?:\.[\w-]+)*)")
_MESSAGE = '{"message":$context.error.messageString}'
_DENIAL = '{"Message":$context.error.messageString}'


class Refused(Exception):
    """A request that gets no further: a gateway response type, with its message."""

    def __init__(self, kind: str, message: str, *, status: int = 0, error_type: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status or DEFAULTS[kind][0]
        """Where it differs from the type's: a function that fails is an INTEGRATION_FAILURE of 502."""
        self.error_type = error_type or DEFAULTS[kind][1]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def render(text: str, variables: Mapping[str, str]) -> str:
    """Put the values of `$context` variables in; what has none is `-`, as in access logs.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    """
    return _VARIABLE.sub(lambda found: variables.get(found[1], "-"), text)


def answer_refusal(
    refused: Refused, variables: Mapping[str, str], responses: Mapping[str, Mapping[str, Any]]
) -> Answer:
    """Answer as the API's gateway responses say; `responses` are in the names of the OpenAPI extension.

    A denial has `Message` with a capital letter where nobody says otherwise.
    """
    fallback = responses.get("DEFAULT_4XX" if refused.status < 500 else "DEFAULT_5XX", {})
    chosen = responses.get(refused.kind, fallback)
    templates = chosen.get("responseTemplates") or {}
    usual = _DENIAL if refused.kind == "ACCESS_DENIED" else _MESSAGE
    content_type, template = next(iter(templates.items()), ("application/json", usual))
    parameters = chosen.get("responseParameters") or {}
    headers = [("Content-Type", content_type), ("x-amzn-ErrorType", refused.error_type)]
    for name, value in parameters.items():
        text = str(value)
        shown = text[1:-1] if text.startswith("'") else render(f"${text}", variables)
        headers.append((name.removeprefix("gatewayresponse.header."), shown))
    said = {"error.message": refused.message, "error.messageString": json.dumps(refused.message)}
    body = render(template, {**variables, **said, "error.responseType": refused.kind})
    return Answer(int(chosen.get("statusCode") or refused.status), tuple(headers), body.encode())
