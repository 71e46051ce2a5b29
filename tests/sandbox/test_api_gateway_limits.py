"""What a REST API refuses for its rate, its size or its form; the clock is turned, not waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from org.sandbox.server import Sandbox
from tests.support.api import ApiAnswer, Clock
from tests.support.gateway import Small, make_user, small, template

TOO_MANY = (429, "Too Many Requests")
FORBIDDEN = (403, "Forbidden")
JSON = {"Content-Type": "application/json"}
NOTHING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


@pytest.fixture(scope="module")
def api() -> Iterator[Small]:
    clock = Clock()
    sandbox = Sandbox(now=clock)
    sandbox.start()
    made = small(sandbox, clock)
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    made.reader, made.nobody = make_user(made.owner, "ann", may), make_user(made.owner, "bob", NOTHING)
    yield made
    sandbox.stop()


def settings(path: str, verb: str, rate: float, burst: int) -> dict[str, Any]:
    return {"ResourcePath": path, "HttpMethod": verb, "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}


def plan_and_keys(throttle: Mapping[str, Any], quota: Mapping[str, Any] | None = None, **stage: Any) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "UsagePlanName": "plan",
        "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}, **stage}],
        "Throttle": dict(throttle),
        **({"Quota": dict(quota)} if quota else {}),
    }
    found: dict[str, Any] = {"Plan": {"Type": "AWS::ApiGateway::UsagePlan", "Properties": plan}}
    for name in ("One", "Two", "Off", "Without"):
        enabled = name != "Off"
        key = {"Name": name, "Enabled": enabled, "Value": f"value-of-the-key-called-{name}"}
        found[name] = {"Type": "AWS::ApiGateway::ApiKey", "Properties": key}
        if name != "Without":
            link = {"KeyId": {"Ref": name}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}}
            found[f"{name}InPlan"] = {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": link}
    return found


def keyed(api: Small, name: str) -> ApiAnswer:
    return api.ask_unsigned("/keyed", headers={"x-api-key": f"value-of-the-key-called-{name}"})


def test_a_stage_has_a_bucket_that_fills_up_again_as_time_goes_by(api: Small) -> None:
    api.deploy(template(stage={"MethodSettings": [settings("/*", "*", 2, 3)]}))
    assert [api.ask("/images/ami-1").status for _ in range(4)] == [200, 200, 200, 429]
    refused = api.ask("/images/ami-1")
    assert (refused.refusal, refused.headers["x-amzn-errortype"]) == (TOO_MANY, "TooManyRequestsException")
    assert api.ask("/images/latest").status == 200, "each method has its own"
    api.clock.turn(1)
    assert [api.ask("/images/ami-1").status for _ in range(3)] == [200, 200, 429]
    api.clock.turn(60)
    assert [api.ask("/images/ami-1").status for _ in range(4)] == [200, 200, 200, 429]


def test_a_methods_own_setting_goes_before_the_stages(api: Small) -> None:
    given = [settings("/*", "*", 1, 100), settings("/images/{ami_id}", "GET", 1, 1)]
    api.deploy(template(stage={"MethodSettings": given}))
    api.clock.turn(1_000)
    assert [api.ask("/images/ami-1").status for _ in range(2)] == [200, 429]
    assert [api.ask("/images/ami-1", method="DELETE").status for _ in range(3)] == [200] * 3
    (stage,) = api.owner.client("apigateway").get_stages(restApiId=api.api_id)["item"]
    assert sorted(stage["methodSettings"]) == ["*/*", "~1images~1{ami_id}/GET"]


def test_who_is_refused_takes_nothing_from_the_rate_of_others(api: Small) -> None:
    api.deploy(template(stage={"MethodSettings": [settings("/*", "*", 1, 1)]}))
    api.clock.turn(1_000)
    assert [api.ask("/images/ami-1", api.nobody).status for _ in range(3)] == [403] * 3
    assert api.ask("/images/ami-1").status == 200


def test_an_api_key_of_a_usage_plan_is_needed_where_the_method_says_so(api: Small) -> None:
    api.deploy(template(**plan_and_keys({"RateLimit": 100, "BurstLimit": 100})))
    assert api.ask_unsigned("/keyed").refusal == FORBIDDEN
    assert [keyed(api, name).status for name in ("One", "Off", "Without", "Unknown")] == [200, 403, 403, 403]
    client = api.owner.client("apigateway")
    ids = {each["name"]: each["id"] for each in client.get_api_keys()["items"]}
    assert keyed(api, "One").said["requestContext"]["identity"]["apiKeyId"] == ids["One"]


def test_each_key_has_the_plans_rate_for_itself(api: Small) -> None:
    api.deploy(template(**plan_and_keys({"RateLimit": 1, "BurstLimit": 2})))
    api.clock.turn(1_000)
    assert [keyed(api, "One").status for _ in range(3)] == [200, 200, 429]
    assert keyed(api, "Two").status == 200
    api.clock.turn(1)
    assert [keyed(api, "One").status for _ in range(2)] == [200, 429]


def test_a_plan_may_set_a_rate_for_one_method(api: Small) -> None:
    narrow = {"/keyed/GET": {"RateLimit": 1, "BurstLimit": 1}}
    api.deploy(template(**plan_and_keys({"RateLimit": 100, "BurstLimit": 100}, Throttle=narrow)))
    api.clock.turn(1_000)
    assert [keyed(api, "One").status for _ in range(2)] == [200, 429]


def test_a_quota_holds_for_its_day_and_begins_again_with_the_next(api: Small) -> None:
    api.deploy(template(**plan_and_keys({"RateLimit": 100, "BurstLimit": 100}, {"Limit": 2, "Period": "DAY"})))
    before = api.clock.seconds
    try:
        api.clock.seconds = (before // 86_400 + 1) * 86_400 + 3_600
        assert [keyed(api, "One").status for _ in range(2)] == [200, 200]
        refused = keyed(api, "One")
        assert refused.refusal == (429, "Limit Exceeded")
        assert refused.headers["x-amzn-errortype"] == "LimitExceededException"
        api.clock.turn(22 * 3_600)
        assert keyed(api, "One").status == 429
        api.clock.turn(2 * 3_600)
        assert keyed(api, "One").status == 200
    finally:
        api.clock.seconds = before


@pytest.mark.parametrize(("query", "missing"), [("", True), ("?depth=", True), ("?other=1", True), ("?depth=1", False)])
def test_a_required_parameter_must_be_there_and_not_blank(api: Small, query: str, missing: bool) -> None:
    api.deploy(template(deployment="Plain"))
    answer = api.ask(f"/deep{query}")
    assert answer.status == (400 if missing else 200)
    if missing:
        assert answer.refusal == (400, "Missing required request parameters: [depth]")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"ids": ["ami-0a"]}', 200),
        (b'{"ids": ["AMI"]}', 400),
        (b'{"ids": [], "more": 1}', 400),
        (b"{}", 400),
        (b"[]", 400),
        (b"not json", 400),
        (b"\xff", 400),
        (b"", 400),
    ],
)
def test_a_body_must_fit_the_methods_model(api: Small, body: bytes, status: int) -> None:
    answer = api.ask("/query", method="POST", body=body, headers=JSON)
    assert answer.status == status
    if status == 400:
        assert answer.refusal == (400, "Invalid request body")


def test_a_body_whose_content_type_has_no_model_is_not_looked_at(api: Small) -> None:
    assert api.ask("/query", method="POST", body=b"x", headers={"Content-Type": "text/plain"}).status == 200


def test_a_body_of_more_than_10_megabytes_is_too_long(api: Small) -> None:
    most = 10 * 1024 * 1024
    answer = api.ask("/any/x", method="POST", body=b"x" * (most + 1), headers={"Content-Type": "text/plain"})
    assert answer.refusal == (413, f"HTTP content length exceeded {most} bytes.")


def acl(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    numbered = [{"Priority": at, "VisibilityConfig": visible, **rule} for at, rule in enumerate(rules)]
    arn = "arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"
    properties = {
        "Name": "guard",
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": visible,
        "Rules": numbered,
        **more,
    }
    association = {"ResourceArn": {"Fn::Sub": arn}, "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]}}
    return {
        "Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": properties},
        "Association": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": association},
    }


def rule(name: str, statement: dict[str, Any], action: str = "Block", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Statement": statement, "Action": {action: {}}, **more}


def size(field: dict[str, Any], most: int) -> dict[str, Any]:
    plain = [{"Priority": 0, "Type": "NONE"}]
    content = {"FieldToMatch": field, "ComparisonOperator": "GT", "Size": most, "TextTransformations": plain}
    return {"SizeConstraintStatement": content}


def contains(field: dict[str, Any], text: str, *transformations: str) -> dict[str, Any]:
    listed = [{"Priority": at, "Type": each} for at, each in enumerate(transformations or ("NONE",))]
    content = {"FieldToMatch": field, "SearchString": text, "PositionalConstraint": "CONTAINS"}
    return {"ByteMatchStatement": {**content, "TextTransformations": listed}}


def group(name: str, override: str = "None", **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name, **more}},
        "OverrideAction": {override: {}},
    }


def test_a_rate_is_counted_for_each_address_over_its_window(api: Small) -> None:
    rate = {"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP", "EvaluationWindowSec": 60}}
    api.deploy(template(**acl(rule("rate", rate))))
    api.clock.turn(1_000)
    before = [each["error"] for each in api.lines()].count("WAF_FILTERED")
    assert [api.ask("/images/ami-1").status for _ in range(11)] == [200] * 10 + [403]
    refused = api.ask_unsigned("/images/ami-1")
    assert (refused.refusal, refused.headers["x-amzn-errortype"]) == (FORBIDDEN, "ForbiddenException")
    assert api.ask("/images/ami-1", headers={"x-orgctl-sandbox-source-ip": "192.0.2.1"}).status == 200
    assert [each["error"] for each in api.lines()].count("WAF_FILTERED") == before + 2
    api.clock.turn(61)
    assert api.ask("/images/ami-1").status == 200


def test_the_web_acl_of_a_stage_is_what_waf_answers(api: Small) -> None:
    api.deploy(template(**acl(rule("body", size({"Body": {}}, 100)))))
    waf = api.owner.client("wafv2")
    arn = f"arn:aws:apigateway:eu-central-1::/restapis/{api.api_id}/stages/live"
    found = waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]
    assert (found["Name"], [each["Name"] for each in found["Rules"]]) == ("guard", ["body"])
    (stage,) = api.owner.client("apigateway").get_stages(restApiId=api.api_id)["item"]
    assert stage["webAclArn"] == found["ARN"]


@pytest.mark.parametrize(("length", "status"), [(100, 200), (101, 403)])
def test_a_body_over_the_size_is_blocked(api: Small, length: int, status: int) -> None:
    api.deploy(template(**acl(rule("body", size({"Body": {"OversizeHandling": "MATCH"}}, 100)))))
    answer = api.ask("/any/x", method="POST", body=b"x" * length, headers={"Content-Type": "text/plain"})
    assert answer.status == status


@pytest.mark.parametrize(("handling", "status"), [("CONTINUE", 200), ("MATCH", 403), ("NO_MATCH", 200)])
def test_what_lies_beyond_the_part_that_waf_is_given_is_handled_as_the_rule_says(
    api: Small, handling: str, status: int
) -> None:
    api.deploy(template(**acl(rule("body", size({"Body": {"OversizeHandling": handling}}, 16 * 1024)))))
    answer = api.ask("/any/x", method="POST", body=b"x" * 20_000, headers={"Content-Type": "text/plain"})
    assert answer.status == status


def test_rules_are_asked_in_their_order_and_counting_lets_pass(api: Small) -> None:
    wild = contains({"AllQueryArguments": {}}, "<b>", "URL_DECODE", "LOWERCASE")
    trusted = contains({"SingleHeader": {"Name": "X-Trusted"}}, "yes")
    both = {"AndStatement": {"Statements": [wild, {"NotStatement": {"Statement": trusted}}]}}
    api.deploy(template(**acl(rule("counts", wild, "Count"), rule("both", both))))
    assert api.ask("/images/ami-1?a=%3CB%3E").status == 403
    assert api.ask("/images/ami-1?a=%3CB%3E", headers={"X-Trusted": "yes"}).status == 200
    assert api.ask("/images/ami-1?a=B").status == 200


def test_a_label_of_one_rule_is_seen_by_the_next(api: Small) -> None:
    marks = rule("marks", contains({"UriPath": {}}, "latest"), "Count", RuleLabels=[{"Name": "own:latest"}])
    api.deploy(template(**acl(marks, rule("sees", {"LabelMatchStatement": {"Scope": "LABEL", "Key": "own:latest"}}))))
    assert (api.ask("/images/latest").status, api.ask("/images/ami-1").status) == (403, 200)


COMMON = "AWSManagedRulesCommonRuleSet"


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        (group(COMMON), 403),
        (group(COMMON, "Count"), 200),
        (group(COMMON, ExcludedRules=[{"Name": "SizeRestrictions_QUERYSTRING"}]), 200),
        (
            group(
                COMMON,
                RuleActionOverrides=[{"Name": "SizeRestrictions_QUERYSTRING", "ActionToUse": {"Count": {}}}],
            ),
            200,
        ),
        (group("AWSManagedRulesSQLiRuleSet"), 200),
    ],
)
def test_the_core_rule_set_knows_the_published_sizes(api: Small, rules: dict[str, Any], status: int) -> None:
    api.deploy(template(**acl(rules)))
    agent = {"User-Agent": "test"}
    assert api.ask(f"/images/ami-1?a={'x' * 2_046}", headers=agent).status == 200
    assert api.ask(f"/images/ami-1?a={'x' * 2_047}", headers=agent).status == status


@pytest.mark.parametrize(
    ("path", "headers", "rules"),
    [
        ("/images/ami-1", {}, COMMON),
        ("/images/ami-1?a=..%2F..%2Fetc", {"User-Agent": "test"}, COMMON),
        ("/images/ami-1?a=%24%7Bjndi:ldap", {"User-Agent": "test"}, "AWSManagedRulesKnownBadInputsRuleSet"),
    ],
)
def test_the_plainest_attacks_meet_the_managed_groups(
    api: Small, path: str, headers: dict[str, str], rules: str
) -> None:
    api.deploy(template(**acl(group(rules))))
    assert api.ask(path, headers=headers).refusal == FORBIDDEN
    assert api.ask("/images/ami-1", headers={"User-Agent": "test"}).status == 200


def test_what_blocks_may_answer_in_its_own_words(api: Small) -> None:
    says = {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "slow"}}
    blocks = {**rule("path", contains({"UriPath": {}}, "latest")), "Action": {"Block": says}}
    bodies = {"slow": {"ContentType": "APPLICATION_JSON", "Content": '{"slow":"down"}'}}
    api.deploy(template(**acl(blocks, CustomResponseBodies=bodies)))
    answer = api.ask("/images/latest")
    assert (answer.status, answer.said) == (429, {"slow": "down"})
    assert answer.headers["content-type"] == "application/json"


def test_a_web_acl_may_block_by_default(api: Small) -> None:
    allows = rule("path", contains({"UriPath": {}}, "latest"), "Allow")
    api.deploy(template(**acl(allows, DefaultAction={"Block": {}})))
    assert (api.ask("/images/latest").status, api.ask("/images/ami-1").status) == (200, 403)


def test_a_regular_expression_and_an_ip_set_are_judged(api: Small) -> None:
    plain = [{"Priority": 0, "Type": "NONE"}]
    expression = {"FieldToMatch": {"QueryString": {}}, "RegexString": "a=[0-9]{3,}", "TextTransformations": plain}
    addresses = api.owner.client("wafv2").create_ip_set(
        Name="bad", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"]
    )["Summary"]["ARN"]
    rules = (
        rule("digits", {"RegexMatchStatement": expression}),
        rule("bad", {"IPSetReferenceStatement": {"Arn": addresses}}),
    )
    api.deploy(template(**acl(*rules)))
    assert [api.ask(f"/images/ami-1?a={each}").status for each in ("12", "123", "x")] == [200, 403, 200]
    found = [
        api.ask("/images/ami-1", headers={"x-orgctl-sandbox-source-ip": each}).status
        for each in ("192.0.2.9", "198.51.100.1", "nowhere")
    ]
    assert found == [403, 200, 400]


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs",)), max_size=20)


def test_whatever_is_asked_is_answered_without_an_error_of_the_server(api: Small) -> None:
    api.deploy(template(deployment="Fuzzed", **acl(group(COMMON), rule("body", size({"Body": {}}, 10)))))
    found = set()

    @settings_of_hypothesis(max_examples=60)
    @given(st.lists(TEXT, max_size=3), st.dictionaries(TEXT, TEXT, max_size=3), st.binary(max_size=50))
    def ask(segments: list[str], query: dict[str, str], body: bytes) -> None:
        api.clock.turn(10)
        query.pop("how", None)
        path = "/any/" + "/".join(quote(each, safe="") for each in segments)
        answer = api.ask(f"{path}?{urlencode(query)}", method="POST", body=body, headers={"User-Agent": "test"})
        found.add(answer.status)
        assert answer.status < 500, answer
        if answer.status == 200:
            assert answer.said["queryStringParameters"] == (query or None)
            assert answer.said["pathParameters"] == {"rest": answer.said["path"].removeprefix("/any/").rstrip("/")}

    ask()
    assert {200, 403} <= found
