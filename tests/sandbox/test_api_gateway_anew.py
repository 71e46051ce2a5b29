"""A REST API from its first deployment to its end, each time in a sandbox of its own, which empties any other."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from org.sandbox.server import Sandbox
from tests.support.api import Clock
from tests.support.gateway import document, operation, small, template

FORBIDDEN = (403, "Forbidden")
NO_ROUTE = (403, "Missing Authentication Token")
ONE_A_SECOND = {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    sandbox = Sandbox(now=clock)
    sandbox.start()
    yield sandbox
    sandbox.stop()


def test_a_change_of_the_document_shows_with_the_next_deployment_only(sandbox: Sandbox, clock: Clock) -> None:
    made = small(sandbox, clock)
    made.deploy(template())
    assert made.ask("/new").refusal == NO_ROUTE
    body = document()
    body["paths"]["/new"] = {"get": operation("iam")}
    made.deploy(template(api={"Body": body}))
    assert made.ask("/new").refusal == NO_ROUTE
    made.deploy(template(api={"Body": body}, deployment="Next"))
    assert made.ask("/new").status == 200
    made.owner.client("cloudformation").delete_stack(StackName="small")
    assert made.owner.client("apigateway").get_rest_apis()["items"] == []
    assert made.ask("/new").refusal == FORBIDDEN


def test_a_reset_sandbox_makes_the_same_api_again_and_counts_anew(sandbox: Sandbox, clock: Clock) -> None:
    ids = []
    for _ in range(2):
        made = small(sandbox, clock)
        made.deploy(template(stage={"MethodSettings": [ONE_A_SECOND]}))
        assert [made.ask("/images/ami-1").status for _ in range(2)] == [200, 429]
        ids.append(made.api_id)
        reset = urllib.request.Request(f"{sandbox.endpoint}/orgctl-sandbox/reset", method="POST")
        urllib.request.urlopen(reset).close()
        assert made.ask("/images/ami-1").refusal == FORBIDDEN
    assert ids[0] == ids[1]
