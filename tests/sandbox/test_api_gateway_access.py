"""Who may call a REST API: signatures, identity policies, the API's own policy, service control policies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials

from org.sandbox.server import Sandbox
from tests.support.api import Clock, api_request, credentials_of, send
from tests.support.gateway import EVERYBODY, REGION, Small, make_role, member, small, template
from tests.support.sandbox import create_account, create_policy, written

MISSING = (403, "Missing Authentication Token")
MISMATCH = (
    403,
    (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    ),
)
UNKNOWN = (403, "The security token included in the request is invalid.")


def masked(api: Small, path: str = "images/ami-1", verb: str = "GET") -> str:
    return f"arn:aws:execute-api:{REGION}:********{api.account[8:]}:{api.api_id}/live/{verb}/{path}"


def denied(who: str, where: str, why: str) -> tuple[int, str]:
    return 403, f"User: {who} is not authorized to perform: execute-api:Invoke on resource: {where} {why}".strip()


@pytest.fixture(scope="module")
def api() -> Iterator[Small]:
    clock = Clock()
    sandbox = Sandbox(now=clock)
    sandbox.start()
    made = small(sandbox, clock)
    made.deploy(template())
    yield made
    sandbox.stop()


def test_a_request_that_nobody_signed_is_refused(api: Small) -> None:
    answer = api.ask_unsigned("/images/ami-1")
    assert answer.refusal == MISSING
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_a_route_that_is_none_is_refused_in_the_same_words(api: Small) -> None:
    assert api.ask("/nowhere").refusal == MISSING
    assert api.ask("/images/ami-1", method="PUT").refusal == MISSING


@pytest.mark.parametrize(("id", "stage"), [("nosuchapi0", "live"), ("", "live"), ("own", "nosuch")])
def test_an_api_or_a_stage_that_is_none_is_forbidden(api: Small, id: str, stage: str) -> None:
    id = api.api_id if id == "own" else id
    assert api_request(api.sandbox, id, stage, "GET", "/open").refusal == (403, "Forbidden")


def test_a_wrong_secret_is_a_wrong_signature(api: Small) -> None:
    wrong = Credentials(api.reader.access_key, "x" * 40, api.reader.token)
    answer = api.ask("/images/ami-1", wrong)
    assert answer.refusal == MISMATCH
    assert answer.headers["x-amzn-errortype"] == "InvalidSignatureException"


def test_a_key_that_nobody_made_is_unknown(api: Small) -> None:
    answer = api.ask("/images/ami-1", Credentials("AKIAAAAAAAAAAAAAAAAA", "x" * 40))
    assert answer.refusal == UNKNOWN
    assert answer.headers["x-amzn-errortype"] == "UnrecognizedClientException"


@pytest.mark.parametrize("token", [None, "another"])
def test_a_session_without_its_token_is_unknown(api: Small, token: str | None) -> None:
    assert api.ask("/images/ami-1", Credentials(api.reader.access_key, api.reader.secret_key, token)).refusal == UNKNOWN


def test_a_session_that_has_ended_is_refused(api: Small) -> None:
    before = api.clock.seconds
    try:
        api.clock.turn(3_700)
        assert api.ask("/images/ami-1").refusal == (403, "The security token included in the request is expired")
    finally:
        api.clock.seconds = before


@pytest.mark.parametrize(("seconds", "begins"), [(-301, "Signature expired: "), (301, "Signature not yet current: ")])
def test_a_signature_is_good_for_five_minutes(api: Small, seconds: float, begins: str) -> None:
    status, message = api.ask("/images/ami-1", at=api.clock() + seconds).refusal
    assert (status, message.startswith(begins)) == (403, True), message
    assert api.ask("/images/ami-1", at=api.clock() + seconds * 0.99).status == 200


def test_a_signature_for_another_region_or_service_is_refused(api: Small) -> None:
    assert api.ask("/images/ami-1", region="eu-west-1").refusal == (
        403,
        "Credential should be scoped to a valid region, not 'eu-west-1'.",
    )
    assert api.ask("/images/ami-1", service="ec2").refusal == (
        403,
        "Credential should be scoped to correct service: 'execute-api'.",
    )


def test_an_authorization_that_is_no_signature_is_incomplete(api: Small) -> None:
    answer = api.ask_unsigned("/images/ami-1", headers={"Authorization": "Bearer token"})
    assert answer.headers["x-amzn-errortype"] == "IncompleteSignatureException"
    assert answer.refusal[1].startswith("Authorization header requires 'Credential' parameter.")


@pytest.mark.parametrize("what", ["path", "query", "body", "header", "verb", "date"])
def test_whatever_was_signed_cannot_be_changed_on_the_way(api: Small, what: str) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    target = f"/orgctl-sandbox/execute-api/{api.api_id}/live/query"
    body = b'{"ids": []}'
    request = AWSRequest("POST", f"{api.sandbox.endpoint}{target}?a=1", headers={"X-Own": "1"}, data=body)
    SigV4Auth(api.reader, "execute-api", REGION).add_auth(request)
    headers = dict(request.headers.items())
    api.clock.seconds = time.time()
    assert send(api.sandbox, "POST", f"{target}?a=1", headers, body).status == 200
    if what == "header":
        headers["X-Own"] = "2"
    if what == "date":
        headers["X-Amz-Date"] = headers["X-Amz-Date"][:-2] + ("1Z" if headers["X-Amz-Date"][-2] != "1" else "2Z")
    sent = send(
        api.sandbox,
        "PUT" if what == "verb" else "POST",
        f"{target.replace('query', 'any/x')}?a=1" if what == "path" else f"{target}?a={2 if what == 'query' else 1}",
        headers,
        b'{"ids":[] }' if what == "body" else body,
    )
    assert sent.refusal == (MISSING if what == "verb" else MISMATCH)


def test_who_may_not_invoke_is_denied_with_the_reason(api: Small) -> None:
    answer = api.ask("/images/ami-1", api.nobody)
    assert answer.refusal == denied(
        f"arn:aws:sts::{api.account}:assumed-role/Nobody/test",
        masked(api),
        "because no identity-based policy allows the execute-api:Invoke action",
    )
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_a_policy_that_names_a_method_and_a_path_allows_those_alone(api: Small) -> None:
    resource = f"arn:aws:execute-api:{REGION}:{api.account}:{api.api_id}/live/GET/images/*"
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    narrow = make_role(api.sandbox, api.owner, api.account, "Narrow", may)
    assert api.ask("/images/ami-1", narrow).status == 200
    assert api.ask("/images/ami-1", narrow, method="DELETE").status == 403
    assert api.ask("/any/thing", narrow).status == 403


def test_a_service_control_policy_stops_who_else_may(api: Small) -> None:
    organizations = api.management.client("organizations")
    deny = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/*/DELETE/*"}
    policy = create_policy(organizations, "NoDeleting", written(deny))
    organizations.attach_policy(PolicyId=policy, TargetId=api.account)
    try:
        assert api.ask("/images/ami-1").status == 200
        status, message = api.ask("/images/ami-1", method="DELETE").refusal
        assert (status, "with an explicit deny in a service control policy" in message) == (403, True), message
    finally:
        organizations.detach_policy(PolicyId=policy, TargetId=api.account)


def test_a_user_signs_with_a_lasting_key_until_it_is_deleted(api: Small) -> None:
    iam = api.owner.client("iam")
    iam.create_user(UserName="ann")
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=written(may))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    identity = api.ask("/images/ami-1", credentials).said["requestContext"]["identity"]
    assert identity["userArn"] == f"arn:aws:iam::{api.account}:user/ann"
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert api.ask("/images/ami-1", credentials).refusal == UNKNOWN


def test_a_method_without_authorization_is_open_where_the_api_has_no_policy(api: Small) -> None:
    answer = api.ask_unsigned("/open")
    assert (answer.status, answer.said["requestContext"]["identity"]["userArn"]) == (200, None)


def test_a_token_of_cognito_is_not_judged(api: Small) -> None:
    assert api.ask_unsigned("/pool").refusal == (401, "Unauthorized")
    answer = api.ask_unsigned("/pool", headers={"Authorization": "eyJ.eyJ.sig"})
    assert answer.refusal == (501, "the orgctl sandbox does not emulate tokens of Cognito user pools")


@pytest.fixture(scope="class")
def other(api: Small) -> boto3.Session:
    return member(api.sandbox, api.management, create_account(api.management.client("organizations"), "Other"))


@pytest.fixture(scope="class")
def _policy(api: Small) -> Iterator[None]:
    deny = {**EVERYBODY, "Effect": "Deny", "Resource": "execute-api:/live/DELETE/*"}
    nobody = {**EVERYBODY, "Effect": "Deny", "Resource": "execute-api:/*/GET/open"}
    api.deploy(template(api={"Policy": policy(EVERYBODY, deny, nobody)}, deployment="WithPolicy"))
    yield
    api.deploy(template(deployment="WithoutPolicy"))


@pytest.mark.usefixtures("_policy")
class TestWithAPolicy:
    """An API whose resource policy lets everybody in, but not to delete."""

    def test_the_policy_alone_lets_in_whom_it_names_in_the_same_account(self, api: Small) -> None:
        assert api.ask("/images/ami-1", api.nobody).status == 200

    def test_an_explicit_deny_of_the_policy_holds_for_everybody(self, api: Small) -> None:
        assert api.ask("/images/ami-1", method="DELETE").refusal == denied(
            f"arn:aws:sts::{api.account}:assumed-role/Reader/test",
            masked(api, verb="DELETE"),
            "with an explicit deny in a resource-based policy",
        )

    def test_the_policy_is_asked_of_methods_without_authorization_too(self, api: Small) -> None:
        assert api.ask_unsigned("/open").refusal == denied("anonymous", masked(api, "open"), "")

    def test_another_account_needs_both_its_own_policy_and_the_apis(self, api: Small, other: boto3.Session) -> None:
        account = other.client("sts").get_caller_identity()["Account"]
        may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        reader, nobody = (
            make_role(api.sandbox, other, account, "Reader", may),
            make_role(api.sandbox, other, account, "Nobody"),
        )
        assert api.ask("/images/ami-1", reader).said["requestContext"]["identity"]["accountId"] == account
        assert api.ask("/images/ami-1", nobody).status == 403

    def test_the_sandboxs_own_key_is_verified_too(self, api: Small) -> None:
        own = credentials_of(api.management)
        assert api.ask("/images/ami-1", own).said["requestContext"]["identity"]["accountId"] == "123456789012"
        assert api.ask("/images/ami-1", Credentials(own.access_key, "wrong")).refusal == MISMATCH


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_another_account_without_a_policy_of_the_api_is_denied(api: Small) -> None:
    organizations = api.management.client("organizations")
    account = create_account(organizations, "Stranger")
    may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    stranger = make_role(api.sandbox, member(api.sandbox, api.management, account), account, "Reader", may)
    assert api.ask("/images/ami-1", stranger).refusal == denied(
        f"arn:aws:sts::{account}:assumed-role/Reader/test",
        masked(api),
        "because no resource-based policy allows the execute-api:Invoke action",
    )


def test_a_private_api_answers_through_an_endpoint_that_its_policy_names(api: Small) -> None:
    ec2 = api.owner.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ours, theirs = (
        ec2.create_vpc_endpoint(
            VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.execute-api", VpcEndpointType="Interface"
        )["VpcEndpoint"]["VpcEndpointId"]
        for _ in range(2)
    )
    through = {**EVERYBODY, "Condition": {"StringEquals": {"aws:SourceVpce": ours}}}
    endpoint = {"Types": ["PRIVATE"], "VpcEndpointIds": [ours]}
    settings = {"EndpointConfiguration": endpoint, "Policy": policy(through)}
    api.deploy(template(api=settings, deployment="Private"))
    try:
        answer = api.ask("/images/ami-1", headers={"x-orgctl-sandbox-vpce": ours})
        identity = answer.said["requestContext"]["identity"]
        assert (answer.status, identity["vpceId"], identity["vpcId"]) == (200, ours, vpc)
        assert "X-Orgctl-Sandbox-Vpce" not in answer.said["headers"]
        assert api.ask("/images/ami-1", api.nobody, headers={"x-orgctl-sandbox-vpce": theirs}).status == 403
        assert api.ask("/images/ami-1").refusal == (403, "Forbidden")
        assert api.ask("/images/ami-1", headers={"x-orgctl-sandbox-vpce": "vpce-0"}).refusal == (403, "Forbidden")
        api.deploy(template(api={"EndpointConfiguration": endpoint}, deployment="PrivateWithoutPolicy"))
        status, message = api.ask("/images/ami-1", headers={"x-orgctl-sandbox-vpce": ours}).refusal
        assert (status, "is not authorized to perform: execute-api:Invoke" in message) == (403, True)
    finally:
        api.deploy(template(deployment="Public"))


def test_api_gateway_needs_the_functions_permission_for_the_method(api: Small) -> None:
    client = api.owner.client("lambda")
    client.remove_permission(FunctionName="small", StatementId="api")
    try:
        assert api.ask("/images/ami-1").refusal == (500, "Internal server error")
        api.permit(f"arn:aws:execute-api:{REGION}:{api.account}:{api.api_id}/*/DELETE/*")
        assert api.ask("/images/ami-1").refusal == (500, "Internal server error")
        assert api.ask("/images/ami-1", method="DELETE").status == 200
        client.remove_permission(FunctionName="small", StatementId="api")
    finally:
        api.permit(f"arn:aws:execute-api:{REGION}:{api.account}:{api.api_id}/*")
    assert api.ask("/images/ami-1").status == 200


def test_an_endpoint_that_is_switched_off_is_forbidden(api: Small) -> None:
    api.deploy(template(api={"DisableExecuteApiEndpoint": True}, deployment="Off"))
    try:
        assert api.ask("/images/ami-1").refusal == (403, "Forbidden")
    finally:
        api.deploy(template(deployment="On"))


def test_gateway_responses_say_it_in_the_apis_own_words(api: Small) -> None:
    own = {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": "DEFAULT_4XX",
            "ResponseTemplates": {
                "application/json": '{"said":$context.error.messageString,"id":"$context.requestId"}'
            },
            "ResponseParameters": {"gatewayresponse.header.Cache-Control": "'no-store'"},
        },
    }
    later = template(Response=own, deployment="Later")
    later["Resources"]["Later"]["DependsOn"] = ["Response"]
    api.deploy(later)
    answer = api.ask_unsigned("/images/ami-1")
    assert answer.said == {"said": "Missing Authentication Token", "id": answer.headers["x-amzn-requestid"]}
    assert answer.headers["cache-control"] == "no-store"
