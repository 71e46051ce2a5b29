"""All routes of the API."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from handlers.lineage.api import compliance, findings, images, lists, questions, security

PREFIX = "/api/v1"


def add_routes(app: APIGatewayRestResolver) -> None:
    for family in (security, images, findings, compliance, questions, lists):
        app.include_router(family.router, prefix=PREFIX)
