"""What a route says of itself in the document: which statuses it can answer, and with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.router import APIGatewayRouter
from pydantic import BaseModel

from handlers.lineage.api.errors import JSON, Refusal

BY_GATEWAY = (403, 429)
"""What API Gateway answers has a body of its own."""
SAYS = {
    400: "The request is not well put.",
    403: "The caller may not ask this, or the request is not signed; API Gateway says so itself.",
    404: "Nothing is known of it.",
    409: "The id is known in several Regions.",
    413: "The request or the answer is too large.",
    415: "The body is not JSON by its own account.",
    429: "Too many requests; API Gateway says so itself.",
    500: "It failed within; the log tells more.",
    503: "The graph does not answer, or the time was up; ask again after Retry-After seconds.",
}


def new_router() -> APIGatewayRouter:
    return APIGatewayRouter()  # type: ignore[no-untyped-call]


F = TypeVar("F", bound=Callable[..., Any])


def statuses(*own: int) -> dict[int, Any]:
    """Answer what a route can answer: 200, its own, and what any can."""
    every = sorted({*own, 400, 403, 413, 429, 500, 503})
    refused = {each: {"description": SAYS[each], "content": {JSON: {"model": Refusal}}} for each in every}
    return {200: {"description": "The answer, and whether it is complete."}, **refused}


def answers(model: Callable[[], type[BaseModel] | Any]) -> Callable[[F], F]:
    """Say what a route answers, where no static type can: Powertools reads the annotation."""

    def annotated(route: F) -> F:
        route.__annotations__["return"] = model()
        return route

    return annotated
