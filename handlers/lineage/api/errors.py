"""How a request is refused: what the caller did is said, what went wrong within is not.

Whoever runs the function finds the rest in its log, by the correlation id.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError

from handlers.lineage.api.answers import Answer
from handlers.lineage.api.asked import Refused
from handlers.lineage.api.desk import OutOfTime
from handlers.lineage.api.ids import Ambiguous
from handlers.lineage.errors import GraphError
from handlers.lineage.queries.asking import BadQuery
from org.errors import NotFound

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

JSON = "application/json"
RETRY_AFTER = 5
"""Seconds."""


class WrongPart(Answer):
    """A part of the request that is not as it must be."""

    where: str
    """`query.depth`, `body.filters.region`, …"""
    type: str
    """`string_pattern_mismatch`, `missing`, …: as pydantic calls it, without the value."""


class Refusal(Answer):
    """Why there is no answer."""

    error: str
    code: str
    correlation_id: str
    """By which the log tells more."""
    todo: str | None = None
    details: list[WrongPart] | None = None
    regions: list[str] | None = None
    """409: in which Regions the id is known."""


def refusal(status: HTTPStatus, correlation_id: str, error: str, code: str, **more: Any) -> Response[Any]:  # noqa: ANN401
    """Answer a refusal, with what of `more` is said."""
    said = {"error": error, "code": code, "correlation_id": correlation_id}
    headers: dict[str, str | list[str]] = (
        {"Retry-After": str(RETRY_AFTER)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    )
    body = said | {name: value for name, value in more.items() if value}
    return Response(status_code=status.value, content_type=JSON, headers=headers, body=body)


def add_refusals(app: APIGatewayRestResolver, logger: Logger) -> None:
    """Have the app turn what is raised into answers."""

    def id() -> str:
        return str(app.current_event.request_context.request_id)

    def refused(error: Refused) -> Response[Any]:
        return refusal(HTTPStatus.BAD_REQUEST, id(), error.what, error.code, todo=error.todo)

    def bad(error: BadQuery) -> Response[Any]:
        # What is quoted in it is what the caller sent.
        return refusal(HTTPStatus.BAD_REQUEST, id(), str(error), "BAD_REQUEST")

    def invalid(error: RequestValidationError) -> Response[Any]:
        wrong = [{"where": ".".join(map(str, each["loc"]))[:100], "type": str(each["type"])} for each in error.errors()]
        what, code = _what_is_wrong(wrong)
        return refusal(HTTPStatus.BAD_REQUEST, id(), what, code, details=wrong[:20])

    def unknown(error: NotFound) -> Response[Any]:
        image = error.where.startswith("ami-") or "/image/" in error.where
        what, code = ("AMI not found", "AMI_NOT_FOUND") if image else ("Thing not found", "NOT_FOUND")
        return refusal(HTTPStatus.NOT_FOUND, id(), what, code, todo=error.todo)

    def no_route(_: NotFoundError) -> Response[Any]:
        return refusal(HTTPStatus.NOT_FOUND, id(), "Endpoint not found", "ENDPOINT_NOT_FOUND")

    def ambiguous(error: Ambiguous) -> Response[Any]:
        return refusal(HTTPStatus.CONFLICT, id(), error.what, "AMBIGUOUS_ID", todo=error.todo, regions=error.regions)

    def unavailable(error: GraphError) -> Response[Any]:
        if isinstance(error, OutOfTime):
            logger.warning("the time for an answer was up")
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, id(), "Out of time", "OUT_OF_TIME", todo=error.todo)
        logger.exception("the graph could not be read")
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, id(), "Service unavailable", "UNAVAILABLE")

    def failed(_: Exception) -> Response[Any]:
        logger.exception("a request failed")
        return internal(id())

    handlers: dict[type[Exception], Callable[[Any], Response[Any]]] = {
        Refused: refused,
        BadQuery: bad,
        RequestValidationError: invalid,
        NotFound: unknown,
        NotFoundError: no_route,
        Ambiguous: ambiguous,
        GraphError: unavailable,
        ResponseValidationError: failed,
        Exception: failed,
    }
    for kind, handle in handlers.items():
        app.exception_handler(kind)(handle)


def internal(correlation_id: str) -> Response[Any]:
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, correlation_id, "Internal error", "INTERNAL_ERROR")


def _what_is_wrong(wrong: list[dict[str, str]]) -> tuple[str, str]:
    """Answer what the whole of it is called: in the published sample's words, where it has any."""
    first = wrong[0]
    if first == {"where": "body", "type": "missing"}:
        return "Request body is required", "BODY_REQUIRED"
    if first["where"].endswith(".ami_id"):
        missing = first["type"] == "missing"
        return ("AMI ID is required", "AMI_ID_REQUIRED") if missing else ("Malformed AMI ID", "INVALID_AMI_ID")
    return "Invalid request", "INVALID_REQUEST"
