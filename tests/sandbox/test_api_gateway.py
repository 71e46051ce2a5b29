"""Requests to a REST API that a stack made: what the function is given, and what comes of its answer."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from org.sandbox.server import Sandbox
from tests.support.api import Clock
from tests.support.gateway import REGION, Small, small, template


@pytest.fixture(scope="module")
def api() -> Iterator[Small]:
    clock = Clock()
    sandbox = Sandbox(now=clock)
    sandbox.start()
    made = small(sandbox, clock)
    made.deploy(template())
    yield made
    sandbox.stop()


def test_the_function_is_given_the_request_as_a_proxy_event(api: Small) -> None:
    answer = api.ask("/images/ami-1?a=1&a=2&b=%C3%A4", headers={"X-Colour": "red", "User-Agent": "test"})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), answer.body
    event = answer.said
    assert {name: event[name] for name in event if name not in {"headers", "multiValueHeaders", "requestContext"}} == {
        "resource": "/images/{ami_id}",
        "path": "/images/ami-1",
        "httpMethod": "GET",
        "queryStringParameters": {"a": "2", "b": "ä"},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["ä"]},
        "pathParameters": {"ami_id": "ami-1"},
        "stageVariables": {"colour": "blue"},
        "body": None,
        "isBase64Encoded": False,
    }
    assert (event["headers"]["X-Colour"], event["multiValueHeaders"]["X-Colour"]) == ("red", ["red"])
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_the_function_is_told_who_called_but_not_given_the_signature(api: Small) -> None:
    answer = api.ask("/images/ami-1", headers={"User-Agent": "test"})
    event, context = answer.said, answer.said["requestContext"]
    assert "Authorization" not in event["headers"]
    user = context["identity"]["user"]
    assert user.startswith("AROA")
    assert user.endswith(":test")
    assert {name: value for name, value in context["identity"].items() if value is not None} == {
        "accountId": api.account,
        "principalOrgId": api.management.client("organizations").describe_organization()["Organization"]["Id"],
        "accessKey": api.reader.access_key,
        "caller": user,
        "user": user,
        "userArn": f"arn:aws:sts::{api.account}:assumed-role/Reader/test",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert (context["accountId"], context["apiId"], context["stage"]) == (api.account, api.api_id, "live")
    assert (context["path"], context["resourcePath"]) == ("/live/images/ami-1", "/images/{ami_id}")
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert context["requestTimeEpoch"] == int(api.clock() * 1000)
    resources = api.owner.client("apigateway").get_resources(restApiId=api.api_id)["items"]
    assert context["resourceId"] in {each["id"] for each in resources if each["path"] == "/images/{ami_id}"}


def test_a_body_is_passed_on_as_text(api: Small) -> None:
    body = json.dumps({"ids": ["ami-0a"]}).encode()
    answer = api.ask("/query", method="POST", body=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.said["body"]) == (200, '{"ids": ["ami-0a"]}')


def test_bytes_of_a_binary_type_go_through_as_base64(api: Small) -> None:
    sent = api.ask("/any/x", method="POST", body=b"\x00\xff", headers={"Content-Type": "image/png"})
    assert (sent.said["body"], sent.said["isBase64Encoded"]) == ("AP8=", True)
    assert api.ask("/images/ami-1?how=binary", headers={"Accept": "image/png"}).body == b"\x00\xff"
    assert api.ask("/images/ami-1?how=binary").body == b"AP8="


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/images/latest", "/images/latest", None),
        ("/images/latest/", "/images/latest", None),
        ("/images/a%20b%2Fc", None, None),
        ("/images/a%20b", "/images/{ami_id}", {"ami_id": "a b"}),
        ("/any/one/two", "/any/{rest+}", {"rest": "one/two"}),
    ],
)
def test_a_plain_segment_goes_before_a_variable(
    api: Small, path: str, resource: str | None, parameters: dict[str, str] | None
) -> None:
    answer = api.ask(path)
    if resource is None:
        assert answer.refusal == (403, "Missing Authentication Token")
        return
    assert (answer.said["resource"], answer.said["pathParameters"]) == (resource, parameters)


def test_a_method_for_any_verb_takes_each(api: Small) -> None:
    assert api.ask("/any/one", method="PATCH", body=b"x").said["httpMethod"] == "PATCH"


def test_the_functions_own_status_and_headers_are_what_the_caller_gets(api: Small) -> None:
    answer = api.ask("/images/ami-1?how=headers")
    assert (answer.status, answer.body) == (418, b"tea")
    assert (answer.headers["x-one"], answer.headers["x-two"]) == ("1", "b")
    assert api.ask("/images/ami-1?how=bare").status == 204


@pytest.mark.parametrize("how", ["raise", "malformed", "unsayable"])
def test_a_function_that_breaks_or_answers_nonsense_is_an_internal_error(api: Small, how: str) -> None:
    assert api.ask(f"/images/ami-1?how={how}").refusal == (502, "Internal server error")


def test_a_function_that_takes_longer_than_the_integration_waits_is_a_timeout(api: Small) -> None:
    begun = time.monotonic()
    assert api.ask("/images/ami-1?how=sleep").refusal == (504, "Endpoint request timed out")
    assert 2 <= time.monotonic() - begun < 5


def test_a_large_answer_is_compressed_for_who_takes_it_so(api: Small) -> None:
    answer = api.ask("/images/ami-1?how=large", headers={"Accept-Encoding": "gzip"})
    assert (answer.headers["content-encoding"], gzip.decompress(answer.body)) == ("gzip", b"x" * 5_000)
    assert api.ask("/images/ami-1?how=large").body == b"x" * 5_000
    assert "content-encoding" not in api.ask("/images/ami-1?how=headers", headers={"Accept-Encoding": "gzip"}).headers


def test_a_function_behind_the_api_calls_aws_as_its_role(api: Small) -> None:
    answer = api.ask("/images/ami-1?how=who")
    assert answer.body.startswith(f"arn:aws:sts::{api.account}:assumed-role/".encode())
    assert answer.body.endswith(b"/small")


def test_a_slow_request_does_not_keep_others_waiting(api: Small) -> None:
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(api.ask, "/images/ami-1?how=sleep")
        time.sleep(0.3)
        begun = time.monotonic()
        assert api.ask("/images/ami-1").status == 200
        assert time.monotonic() - begun < 1.5
        assert slow.result().status == 504


def test_a_function_may_itself_be_the_one_that_calls_the_api(api: Small) -> None:
    before = len(api.lines())
    url = f"{api.sandbox.endpoint}/orgctl-sandbox/execute-api/{api.api_id}/live/images/latest"
    api.clock.seconds = time.time()
    api.owner.client("lambda").invoke(
        FunctionName="small", InvocationType="Event", Payload=json.dumps({"call": url}).encode()
    )
    (line,) = api.lines()[before:]
    assert (line["path"], line["status"], line["who"].endswith("/small")) == ("/images/latest", "200", True)


def test_each_request_leaves_a_line_in_the_access_log_also_a_refused_one(api: Small) -> None:
    before = len(api.lines())
    api.ask("/images/ami-1", headers={"User-Agent": "test"})
    api.ask_unsigned("/images/ami-1")
    given, refused = api.lines()[before:]
    assert given["who"] == f"arn:aws:sts::{api.account}:assumed-role/Reader/test"
    assert {name: given[name] for name in ("ip", "method", "path", "status", "error", "nothing")} == {
        "ip": "127.0.0.1",
        "method": "GET",
        "path": "/images/{ami_id}",
        "status": "200",
        "error": "-",
        "nothing": "-",
    }
    assert int(given["length"]) > 100
    assert (refused["who"], refused["status"], refused["error"]) == ("-", "403", "MISSING_AUTHENTICATION_TOKEN")


def test_the_control_plane_shows_what_the_stack_made(api: Small) -> None:
    client = api.owner.client("apigateway")
    (found,) = client.get_rest_apis()["items"]
    assert (found["id"], found["name"]) == (api.api_id, "small")
    assert found["endpointConfiguration"]["types"] == ["REGIONAL"]
    (stage,) = client.get_stages(restApiId=api.api_id)["item"]
    assert (stage["stageName"], stage["variables"], stage["tracingEnabled"]) == ("live", {"colour": "blue"}, True)
    assert stage["accessLogSettings"]["destinationArn"] == f"arn:aws:logs:{REGION}:{api.account}:log-group:access:*"
    paths = {each["path"]: each for each in client.get_resources(restApiId=api.api_id, embed=["methods"])["items"]}
    assert {"/", "/images", "/images/{ami_id}", "/images/latest"} <= set(paths)
    method = client.get_method(restApiId=api.api_id, resourceId=paths["/images/{ami_id}"]["id"], httpMethod="GET")
    assert (method["authorizationType"], method["methodIntegration"]["type"]) == ("AWS_IAM", "AWS_PROXY")
    assert {each["name"] for each in client.get_models(restApiId=api.api_id)["items"]} == {"Id", "Query"}
