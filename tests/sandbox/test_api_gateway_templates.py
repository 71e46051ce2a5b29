"""What of an API's template the sandbox takes, and that it refuses what it would not act upon."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from org.sandbox.gateway.document import Method, Unusable, read_document
from org.sandbox.gateway.limits import Limits
from org.sandbox.gateway.refusals import render
from org.sandbox.gateway.routes import find_route
from tests.sandbox.test_api_gateway_limits import acl, contains, group, rule, size
from tests.support.gateway import REGION, document, operation, role
from tests.support.sandbox import sandbox_session

ARN = f"arn:aws:lambda:{REGION}:111122223333:function:small"
URI = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{ARN}/invocations"


def plain(body: Mapping[str, Any]) -> Any:
    """Put an ARN in the place of each reference."""
    if isinstance(body, dict):
        return URI if "Fn::Sub" in body else {name: plain(each) for name, each in body.items()}
    return [plain(each) for each in body] if isinstance(body, list) else body


def with_operation(**changes: Any) -> Any:
    return plain(document({"/one": {"get": {**operation("iam"), **changes}}}))


def with_integration(**changes: Any) -> Any:
    body = plain(document({"/one": {"get": operation("iam")}}))
    body["paths"]["/one"]["get"]["x-amazon-apigateway-integration"] |= changes
    return body


def test_a_document_is_read_into_its_methods() -> None:
    methods = {(each.verb, each.resource): each for each in read_document(plain(document())).methods}
    deep = methods["GET", "/deep"]
    assert (deep.function, deep.seconds, deep.authorization, deep.needs_key) == (ARN, 2.0, "AWS_IAM", False)
    assert (deep.required, deep.parameters) == (
        (("querystring", "depth"),),
        {"method.request.querystring.depth": True},
    )
    assert methods["GET", "/images/{ami_id}"].required == (("path", "ami_id"),)
    assert (methods["GET", "/keyed"].authorization, methods["GET", "/keyed"].needs_key) == ("NONE", True)
    assert ("ANY", "/any/{rest+}") in methods


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({**plain(document()), "openapi": "3.1.0"}, "the orgctl sandbox reads a Body of OpenAPI 3.0 alone"),
        (with_integration(type="http_proxy"), "does not emulate the integration type http_proxy"),
        (with_integration(credentials="arn:aws:iam::1:role/r"), "does not emulate credentials of an integration"),
        (with_integration(uri="https://example.com"), "takes the uri of a Lambda function alone"),
        (with_integration(httpMethod="GET"), "must use httpMethod POST"),
        (with_integration(timeoutInMillis=29_001), "Timeout should be between 50 ms and 29000 ms"),
        (with_operation(**{"x-amazon-apigateway-integration": None}), "No integration defined for method GET /one"),
        (with_operation(security=[{"other": []}]), "there is no security scheme other"),
        (with_operation(**{"x-amazon-apigateway-request-validator": "none"}), "Invalid request validator none"),
        (with_operation(**{"x-amazon-apigateway-any": 1}), "does not emulate x-amazon-apigateway-any of GET /one"),
        (with_operation(parameters=[{"$ref": "#/components/parameters/X"}]), "Unable to resolve #/components"),
        ({**plain(document()), "x-amazon-apigateway-importexport-version": "1"}, "importexport-version"),
        (
            {**plain(document()), "x-amazon-apigateway-gateway-responses": {"NOSUCH": {}}},
            "there is no gateway response type NOSUCH",
        ),
        (plain(document({"/a b": {"get": operation("iam")}})), "Resource's path part only allow"),
        (
            plain(document({"/{a}/x": {"get": operation("iam")}, "/{b}/x": {"get": operation("iam")}})),
            "already has a variable path part",
        ),
    ],
)
def test_what_of_a_document_is_not_acted_upon_is_refused(body: Mapping[str, Any], why: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_document(body)
    assert why in str(caught.value)


def test_an_operation_that_relies_on_the_documents_security_does_not_stand_open() -> None:
    body = {**with_operation(), "security": [{"iam": []}]}
    assert read_document(body).methods[0].authorization == "AWS_IAM"
    del body["paths"]["/one"]["get"]["security"]
    with pytest.raises(Unusable, match="GET /one has no security of its own"):
        read_document(body)


SEGMENT = st.text(string.ascii_letters + string.digits + " %ä.-", min_size=1, max_size=6)


@given(SEGMENT, SEGMENT)
def test_a_variable_holds_one_segment_whatever_is_in_it(one: str, other: str) -> None:
    methods = [Method("/a/{x}", "GET", ARN), Method("/a/{x}/b/{y}", "GET", ARN), Method("/a/{all+}", "GET", ARN)]
    near, far, rest = (find_route(methods, "GET", path) for path in (f"/a/{one}", f"/a/{one}/b/{other}", f"/a/{one}/c"))
    assert near is not None
    assert far is not None
    assert rest is not None
    assert (near.method.resource, near.path_parameters) == ("/a/{x}", {"x": one})
    assert (far.method.resource, far.path_parameters) == ("/a/{x}/b/{y}", {"x": one, "y": other})
    assert (rest.method.resource, rest.path_parameters) == ("/a/{all+}", {"all": f"{one}/c"})
    assert find_route(methods, "POST", f"/a/{one}") is None


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.integers(1, 10))
def test_a_bucket_never_gives_more_than_its_burst_and_its_rate(steps: list[float], rate: int, burst: int) -> None:
    limits, now, taken = Limits(), 0.0, 0
    for step in steps:
        now += step
        taken += limits.take(("k",), rate, burst, now)
        assert taken <= burst + rate * now + 1e-6


@given(st.lists(st.floats(0, 30), max_size=60))
def test_a_window_counts_what_lies_within_it(steps: list[float]) -> None:
    limits, now, seen = Limits(), 0.0, []
    for step in steps:
        now += step
        seen.append(now)
        assert limits.count(("k",), 60, now) == sum(each > now - 60 for each in seen)


@given(st.text())
def test_only_variables_of_the_context_are_put_in(text: str) -> None:
    assert render(text.replace("$context", ""), {"status": "1"}) == text.replace("$context", "")
    assert render("$context.status$context.no.$context.a.b", {"status": "1", "a.b": "2"}) == "1-.2"


@pytest.fixture(scope="module")
def session() -> Iterator[boto3.Session]:
    with sandbox_session(region=REGION) as session:
        yield session


def deploy(session: boto3.Session, resources: Mapping[str, Any]) -> str:
    """Create a stack, and answer why it failed; empty where it did not. Then delete it."""
    cloudformation = session.client("cloudformation")
    text = json.dumps({"Resources": resources})
    cloudformation.create_stack(StackName="s", TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    events = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    cloudformation.delete_stack(StackName="s")
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    failed = [each for each in reasons if each not in {"", "User Initiated"}]
    assert bool(failed) == (stack["StackStatus"] != "CREATE_COMPLETE"), reasons
    return failed[0] if failed else ""


def api(**changes: Any) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "Api": {"Name": "a", "Body": plain(document()), "EndpointConfiguration": {"Types": ["REGIONAL"]}},
        "Deployment": {"RestApiId": {"Ref": "Api"}},
        "Stage": {"StageName": "live", "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}},
    }
    types = {"Api": "RestApi", "Deployment": "Deployment", "Stage": "Stage"}
    return {
        name: {"Type": f"AWS::ApiGateway::{types[name]}", "Properties": {**each, **changes.get(name, {})}}
        for name, each in found.items()
    }


LOG = {"DestinationArn": f"arn:aws:logs:{REGION}:123456789012:log-group:g", "Format": "$context.requestId"}


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (api(), ""),
        (api(Api={"EndpointConfiguration": {"Types": ["EDGE"]}}), "takes one endpoint type of PRIVATE, REGIONAL"),
        (api(Api={"Body": None}), "takes a RestApi by its Body alone"),
        (api(Stage={"StageName": "a b"}), "Stage name only allows a-zA-Z0-9_-"),
        (api(Stage={"DeploymentId": "none"}), "Deployment id does not exist"),
        (api(Deployment={"RestApiId": "none"}), "Invalid API identifier specified"),
        (
            api(Stage={"MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "CachingEnabled": True}]}),
            "does not emulate the method setting CachingEnabled",
        ),
        (api(Stage={"AccessLogSetting": LOG}), "CloudWatch Logs role ARN must be set in account settings"),
        ({**api(), **acl(rule("r", size({"Body": {}}, 1)))}, ""),
        ({**api(), **acl(rule("r", {"GeoMatchStatement": {"CountryCodes": ["CH"]}}))}, ""),
        ({**api(), **acl(rule("r", {"NoSuchStatement": {}}))}, "does not emulate the statement NoSuchStatement"),
        ({**api(), **acl(rule("r", size({"JsonBody": {}}, 1)))}, "does not emulate the FieldToMatch JsonBody"),
        (
            {**api(), **acl(rule("r", contains({"Body": {}}, "x", "BASE64_DECODE")))},
            "does not emulate the transformation BASE64_DECODE",
        ),
        (
            {**api(), **acl(rule("r", {"RateBasedStatement": {"Limit": 9, "AggregateKeyType": "IP"}}))},
            "the Limit of a RateBasedStatement is at least 10",
        ),
        ({**api(), **acl(rule("r", size({"Body": {}}, 1), "Captcha"))}, "must be one of Allow, Block, Count"),
        ({**api(), **acl({**group("AWSManagedRulesSQLiRuleSet"), "OverrideAction": {}})}, "the OverrideAction"),
        ({**api(), **acl(Scope="CLOUDFRONT")}, "web ACLs of the Scope REGIONAL alone"),
    ],
)
def test_a_stack_is_made_or_says_what_is_not_emulated(
    session: boto3.Session, resources: Mapping[str, Any], why: str
) -> None:
    reason = deploy(session, resources)
    assert (why in reason) if why else not reason, reason


def test_an_api_is_gone_with_its_stack(session: boto3.Session) -> None:
    log = {"Properties": {"LogGroupName": "aws-waf-logs-a"}, "Type": "AWS::Logs::LogGroup"}
    logging = {
        "ResourceArn": {"Fn::GetAtt": ["Acl", "Arn"]},
        "LogDestinationConfigs": [f"arn:aws:logs:{REGION}:123456789012:log-group:aws-waf-logs-a"],
    }
    account = {"CloudWatchRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    more = {
        "Log": log,
        "Logging": {"Type": "AWS::WAFv2::LoggingConfiguration", "Properties": logging},
        "Role": role("apigateway.amazonaws.com"),
        "Account": {"Type": "AWS::ApiGateway::Account", "Properties": account},
    }
    assert deploy(session, {**api(), **acl(), **more}) == ""
    assert session.client("apigateway").get_rest_apis()["items"] == []
    assert session.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert session.client("apigateway").get_account()["cloudwatchRoleArn"].startswith("arn:aws:iam::123456789012:role/")
