"""Puts the API together: routes, refusals, what every answer carries, and the one line of log for each request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from handlers.lineage.api.asked import LARGEST_BODY, read_body
from handlers.lineage.api.desk import Desk, Means
from handlers.lineage.api.errors import JSON, add_refusals, refusal
from handlers.lineage.api.routes import add_routes

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "lineage-api"
logger = Logger(service=SERVICE, json_serializer=partial(json.dumps, ensure_ascii=True, default=str))
"""In ASCII: what a terminal acts on (C1 controls, bidirectional marks) stands in it as an escape."""
LARGEST_ANSWER = 5_500_000
"""Bytes: Lambda hands on 6 MB, as JSON in which the body is a text with escapes.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


@cache
def app() -> APIGatewayRestResolver:
    """Answer the API, whole. Its routes find their means in the context of the request."""
    made = APIGatewayRestResolver(
        enable_validation=True,
        debug=False,
        json_body_deserializer=read_body,
        response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    add_refusals(made, logger)
    made.use([_known_parameters_only])
    add_routes(made)
    return made


def answer(event: Mapping[str, Any], context: LambdaContext, means: Means) -> dict[str, Any]:
    """Answer a request, as API Gateway's REST proxy integration gives it and takes it."""
    began = means.clock()
    refused = _unreadable(event)
    if refused is not None:
        answered = _proxied(refused)
    else:
        api, desk = app(), Desk(means, context.get_remaining_time_in_millis() / 1000)
        api.append_context(desk=desk)  # type: ignore[no-untyped-call]
        answered = api.resolve(event, context)
        if len(json.dumps(answered["body"])) > LARGEST_ANSWER:
            todo = "ask for less: a smaller size or limit"
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            answered = _proxied(refusal(status, _id(event), "The answer is too large", "ANSWER_TOO_LARGE", todo=todo))
    return _told(event, answered, round((means.clock() - began) * 1000))


def unavailable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request for which the means cannot be had, to be called where that is caught."""
    logger.exception("the function has not what it needs")
    refused = refusal(HTTPStatus.SERVICE_UNAVAILABLE, _id(event), "Service unavailable", "UNAVAILABLE")
    return _told(event, _proxied(refused), 0)


def _id(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"]["requestId"])


def _proxied(refused: Response[Any]) -> dict[str, Any]:
    headers = {name: [str(value)] for name, value in refused.headers.items()}
    return {
        "statusCode": refused.status_code,
        "body": json.dumps(refused.body),
        "isBase64Encoded": False,
        "multiValueHeaders": {**headers, "Content-Type": [JSON]},
    }


def _told(event: Mapping[str, Any], answered: dict[str, Any], milliseconds: int) -> dict[str, Any]:
    """Add what every answer carries, and log it: who asked which route, and what came of it."""
    asked = event["requestContext"]
    answered["multiValueHeaders"] |= {name: [value] for name, value in HEADERS.items()}
    answered["multiValueHeaders"]["X-Correlation-Id"] = [_id(event)]
    logger.info(
        "answered",
        caller=(asked.get("identity") or {}).get("userArn"),
        method=str(event["httpMethod"]),
        route=asked.get("resourcePath"),
        status=answered["statusCode"],
        milliseconds=milliseconds,
    )
    return answered


def _unreadable(event: Mapping[str, Any]) -> Response[Any] | None:
    """Refuse a body that is not JSON by its own account, or too large to read."""
    if event["httpMethod"] != "POST":
        return None
    id = _id(event)
    kinds = [value for name, value in (event.get("headers") or {}).items() if name.lower() == "content-type"]
    kind = kinds[0].partition(";")[0].strip().lower() if kinds else JSON
    if kind != JSON or event.get("isBase64Encoded"):
        return refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, id, "Unsupported content type", "UNSUPPORTED_TYPE", todo=f"send {JSON}"
        )
    if len(event.get("body") or "") > LARGEST_BODY:
        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, id, "The request is too large", "REQUEST_TOO_LARGE")
    return None


def _known_parameters_only(api: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse a parameter that the route does not have: misspelt, it would quietly give another answer."""
    route = api.context["_route"]
    if route.path.startswith("/api/") and route.func.__name__ != "not_found_handler":
        known = {each.alias for each in route.dependant.query_params}
        if set(api.current_event.resolved_query_string_parameters) - known:
            return refusal(
                HTTPStatus.BAD_REQUEST,
                str(api.current_event.request_context.request_id),
                "Unknown query parameter",
                "UNKNOWN_PARAMETER",
                todo=f"this route knows {', '.join(sorted(known)) or 'none'}",
            )
    answered: Response[Any] = next_middleware(api)
    return answered
