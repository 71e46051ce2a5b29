"""The lineage API's own template in the sandbox: what stands before the function, with a small one in its place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from org.sandbox.server import Sandbox
from stacksets.catalog import template_body
from stacksets.templates import lineage_api
from tests.support.api import ApiAnswer, Clock, api_request
from tests.support.gateway import REGION, Small, make_role, make_user, member, small
from tests.support.sandbox import create_account

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "stacksets" / "lineage_api.openapi.json").read_text(encoding="utf-8")
)
CODE = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"resource": event["resource"]})}
"""
LINEAGE = "/api/v1/ami/ami-0a/lineage"
SEARCH = "/api/v1/ami/search"
JSON = {"Content-Type": "application/json"}
MAY = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
ELSE = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}


class Lineage:
    """The deployed API, with a client of another account of the organization, who has the key."""

    def __init__(self, base: Small) -> None:
        self.base = base
        ec2 = base.owner.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="functions", Description="x", VpcId=vpc)["GroupId"]
        service = f"com.amazonaws.{REGION}.execute-api"
        made = [ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Interface") for _ in range(2)]
        self.endpoint, self.other_endpoint = (each["VpcEndpoint"]["VpcEndpointId"] for each in made)
        organization = base.management.client("organizations").describe_organization()["Organization"]["Id"]
        self.parameters = {
            "CodeBucket": "code-of-small",
            "CodeKey": "lineage.zip",
            "FunctionsKeyArn": base.owner.client("kms").create_key()["KeyMetadata"]["Arn"],
            "ErrorTopicArn": base.owner.client("sns").create_topic(Name="errors")["TopicArn"],
            "SubnetIds": subnet,
            "FunctionsSecurityGroupId": group,
            "GraphUrl": "sqlite:////tmp/none",
            "GraphDataArn": f"arn:aws:neptune-db:{REGION}:{base.account}:cluster-x/*",
            "Settings": "{}",
            "OrganizationId": organization,
            "CallerAccountIds": "",
            "ApiEndpointId": self.endpoint,
            "RequestsPerSecond": "5",
            "RequestsAtOnce": "20",
            "RequestsPerAddress": "60",
        }
        management = base.management.client("organizations")
        self.shop, self.store = (create_account(management, name) for name in ("Shop", "Store"))
        self.role = f"arn:aws:iam::{self.store}:role/Reader"
        self.parameters["CallerAccountIds"] = f"{base.account},{self.shop}"
        self._put_code()
        outputs = self._deploy()
        self.api_id = outputs["ApiId"]
        client = base.owner.client("apigateway")
        self.key = client.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
        self.client = make_user(member(base.sandbox, base.management, self.shop), "client", MAY)

    def _put_code(self) -> None:
        text = io.BytesIO()
        with zipfile.ZipFile(text, "w") as archive:
            archive.writestr("handlers/__init__.py", "")
            archive.writestr("handlers/lineage_api.py", CODE)
        self.base.owner.client("s3").put_object(Bucket="code-of-small", Key="lineage.zip", Body=text.getvalue())

    def _deploy(self) -> dict[str, str]:
        template = lineage_api.render(DOCUMENT, "private", roles=[self.role], key_required=True)
        cloudformation = self.base.owner.client("cloudformation")
        cloudformation.create_stack(
            StackName="lineage-api",
            TemplateBody=template_body(template),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        (stack,) = cloudformation.describe_stacks(StackName="lineage-api")["Stacks"]
        events = cloudformation.describe_stack_events(StackName="lineage-api")["StackEvents"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", [each.get("ResourceStatusReason") for each in events]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def ask(
        self,
        path: str = LINEAGE,
        method: str = "GET",
        *,
        credentials: Credentials | None = None,
        after: float = 10.0,
        **more: Any,
    ) -> ApiAnswer:
        """Ask as the client does, through the endpoint and with the key, but for what is given; `after` seconds."""
        self.base.clock.turn(after)
        usual = {"x-api-key": self.key, "x-orgctl-sandbox-vpce": self.endpoint, "User-Agent": "test"}
        headers = {name: value for name, value in {**usual, **more.pop("headers", {})}.items() if value}
        given = {"at": self.base.clock(), **more}
        who = credentials or self.client
        return api_request(self.base.sandbox, self.api_id, "v1", method, path, who, headers=headers, **given)


@pytest.fixture(scope="module")
def api() -> Iterator[Lineage]:
    clock = Clock()
    sandbox = Sandbox(now=clock)
    sandbox.start()
    yield Lineage(small(sandbox, clock))
    sandbox.stop()


def test_a_client_of_the_organization_reaches_the_function(api: Lineage) -> None:
    answer = api.ask()
    assert (answer.status, answer.said) == (200, {"resource": "/api/v1/ami/{ami_id}/lineage"})


def test_of_another_account_only_the_role_that_is_listed_is_let_in(api: Lineage) -> None:
    store = member(api.base.sandbox, api.base.management, api.store)
    refused = [
        make_user(store, "stranger", MAY),
        make_role(api.base.sandbox, store, api.store, "Writer", MAY),
        make_user(api.base.management, "stranger", MAY),
    ]
    listed = make_role(api.base.sandbox, store, api.store, "Reader", MAY)
    assert [api.ask(credentials=each).status for each in refused] == [403, 403, 403]
    assert api.ask(credentials=listed).status == 200


def test_a_listed_account_lets_in_only_who_may_call_by_its_own_policies(api: Lineage) -> None:
    nobody = make_user(member(api.base.sandbox, api.base.management, api.shop), "nobody", ELSE)
    assert api.ask(credentials=nobody).status == 403


def test_every_route_of_the_document_is_there(api: Lineage) -> None:
    for path, operations in DOCUMENT["paths"].items():
        for verb in operations:
            answer = api.ask(path.replace("{ami_id}", "ami-0a"), verb.upper(), body=b"{}" if verb == "post" else b"")
            said = answer.said
            # What lacks a required parameter is refused by the validator; whatever is refused otherwise is no route.
            assert said == {"resource": path} or answer.status == 400, (verb, path, answer)


def test_a_path_that_is_none_reaches_the_function_if_the_request_is_signed_and_has_the_key(api: Lineage) -> None:
    for path in ("/nowhere", "/api/v2/ami/search", f"{LINEAGE}/more"):
        for method in ("GET", "POST", "DELETE"):
            answer = api.ask(path, method)
            assert (answer.status, answer.said) == (200, {"resource": "/{proxy+}"}), (path, method)
        assert api.ask(path, credentials=Credentials(api.client.access_key, "wrong")).status == 403
        assert api.ask(path, headers={"x-api-key": ""}).status == 403


def test_i23_the_usage_plan_counts_by_a_key_that_is_asked_for(api: Lineage) -> None:
    gateway: Any = api.base.owner.client("apigateway")
    (plan,) = gateway.get_usage_plans()["items"]
    assert plan["throttle"] == {"burstLimit": 100, "rateLimit": 50.0}
    assert (plan["quota"]["limit"], plan["quota"]["period"]) == (10_000, "DAY")
    assert [(each["apiId"], each["stage"]) for each in plan["apiStages"]] == [(api.api_id, "v1")]
    keys = gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
    assert [gateway.get_api_key(apiKey=each["id"], includeValue=True)["value"] for each in keys] == [api.key]
    assert api.ask().status == 200
    assert api.ask(headers={"x-api-key": "another"}).status == 403


def test_the_key_the_endpoint_and_the_signature_are_each_asked_for(api: Lineage) -> None:
    assert api.ask(headers={"x-api-key": ""}).status == 403
    assert api.ask(headers={"x-orgctl-sandbox-vpce": ""}).status == 403
    assert api.ask(headers={"x-orgctl-sandbox-vpce": api.other_endpoint}).status == 403
    assert api.ask(credentials=Credentials(api.client.access_key, "wrong")).status == 403


def test_a_refusal_tells_nothing_but_by_what_to_find_it(api: Lineage) -> None:
    answer = api.ask(credentials=Credentials(api.client.access_key, "wrong"))
    assert sorted(answer.said) == ["correlation_id", "error"]
    assert answer.said["correlation_id"] == answer.headers["x-amzn-requestid"]


def test_a_stranger_to_the_organization_is_denied(api: Lineage) -> None:
    organizations = api.base.management.client("organizations")
    nobody = make_user(
        member(api.base.sandbox, api.base.management, create_account(organizations, "Stranger")),
        "nobody",
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    )
    assert api.ask(credentials=nobody).status == 403


def test_a_body_must_fit_the_documents_model_and_be_small(api: Lineage) -> None:
    for body in (b"[]", b"{", b""):
        answer = api.ask(SEARCH, "POST", body=body, headers=JSON)
        assert (answer.status, answer.said["error"]) == (400, "Invalid request body")
        assert answer.said["code"] == "INVALID_REQUEST"
        assert answer.said["todo"].startswith("send JSON that fits the model")
    assert api.ask(SEARCH, "POST", body=b"{}" + b" " * 8_192, headers=JSON).status == 403


def test_too_many_requests_at_once_are_asked_to_wait(api: Lineage) -> None:
    statuses = [api.ask(after=0.0).status for _ in range(21)]
    assert (statuses[0], statuses[-1]) == (200, 429)
    assert api.ask(after=10.0).status == 200


def test_too_many_requests_of_one_address_are_blocked(api: Lineage) -> None:
    from_there = {"x-orgctl-sandbox-source-ip": "192.0.2.7"}
    statuses = [api.ask(headers=from_there, after=1.0).status for _ in range(61)]
    assert statuses == [200] * 60 + [403]
    assert api.ask(after=1.0).status == 200
    assert api.ask(headers=from_there, after=301.0).status == 200
