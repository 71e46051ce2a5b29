"""Lambda's Invoke: judged as any call, run beside the request lock, answered as Lambda answers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.functions import (
    ACCOUNT,
    REGION,
    allow,
    deploy,
    functions,
    permission,
    policy,
    put_code,
    role,
    seen,
    session_in,
)
from tests.support.sandbox import create_account, refused

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:taker"


@pytest.fixture
def session(served: boto3.Session) -> boto3.Session:
    put_code(served)
    return served


def invoke(session: boto3.Session, event: Any, name: str = "taker", **more: Any) -> dict[str, Any]:
    answer = session.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **more)
    text = answer["Payload"].read()
    return {**answer, "Payload": json.loads(text) if text else None}


def test_the_answer_is_the_functions(session: boto3.Session) -> None:
    deploy(session, functions())
    for name in ("taker", ARN):
        answer = invoke(session, {"n": 1}, name)
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert answer["Payload"] == {"saw": {"n": 1}, "in": ""}
        assert "FunctionError" not in answer


def test_a_function_that_fails_is_answered_with_200_and_its_error(session: boto3.Session) -> None:
    deploy(session, functions())
    answer = invoke(session, {"do": "raise"})
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (answer["Payload"]["errorType"], answer["Payload"]["errorMessage"]) == ("ValueError", "asked to")


def test_an_event_is_taken_at_once_and_done_by_the_next_request(session: boto3.Session) -> None:
    deploy(session, functions())
    answer = invoke(session, {"n": 1}, InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"]) == (202, None)
    assert seen(session) == [{"n": 1}]


def test_a_dry_run_checks_and_runs_nothing(session: boto3.Session) -> None:
    deploy(session, functions())
    assert invoke(session, {}, InvocationType="DryRun")["StatusCode"] == 204
    assert seen(session) == []


def test_what_lambda_does_not_take_it_refuses(session: boto3.Session) -> None:
    deploy(session, functions())
    client = session.client("lambda")
    with refused("ResourceNotFoundException", f"Function not found: {ARN}x"):
        invoke(session, {}, "takerx")
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        client.invoke(FunctionName="taker", Payload=b"{not json")
    with pytest.raises(ClientError, match="smaller than 1048576 bytes"):
        client.invoke(FunctionName="taker", Payload=json.dumps("x" * 1_048_576), InvocationType="Event")
    with pytest.raises(ClientError, match=r"does not emulate .*LogType Tail"):
        client.invoke(FunctionName="taker", LogType="Tail")
    with pytest.raises(ClientError, match=r"does not emulate .*ClientContext"):
        client.invoke(FunctionName="taker", ClientContext="e30=")
    with pytest.raises(ClientError, match=r"does not emulate .*this way to run taker"):
        client.invoke_async(FunctionName="taker", InvokeArgs=b"{}")


def test_a_caller_without_the_permission_is_denied_and_nothing_runs(session: boto3.Session) -> None:
    session.client("organizations").create_organization(FeatureSet="ALL")
    account = create_account(session.client("organizations"), "Audit")
    member = session_in(session, account)
    deploy(session, functions())
    with pytest.raises(ClientError, match="AccessDeniedException"):
        invoke(member, {}, ARN)
    assert seen(session) == []
    deploy(session, {**functions(), "May": permission(account)})
    assert invoke(member, {"n": 1}, ARN)["Payload"]["saw"] == {"n": 1}


def test_a_function_calls_another_and_waits_for_it(session: boto3.Session) -> None:
    second: Any = functions()["Function"]
    second["Properties"]["FunctionName"] = "second"
    second["Properties"]["Role"] = {"Fn::GetAtt": ["SecondRole", "Arn"]}
    resources = {
        **functions(allow("lambda:InvokeFunction", ARN.replace("taker", "second"))),
        "Second": second,
        "SecondRole": functions()["Role"],
    }
    deploy(session, resources)
    answer = invoke(session, {"do": "invoke", "name": "second", "payload": {"n": 2}})
    assert answer["Payload"] == {"saw": {"n": 2}, "in": ""}


def test_a_function_calls_itself_in_a_process_beside(session: boto3.Session) -> None:
    deploy(session, functions(allow("lambda:InvokeFunction", ARN)))
    answer = invoke(session, {"do": "invoke", "name": "taker", "payload": {"n": 2}})
    assert answer["Payload"] == {"saw": {"n": 2}, "in": ""}


def test_reserved_concurrency_is_a_limit(session: boto3.Session) -> None:
    deploy(session, functions(allow("lambda:InvokeFunction", ARN), ReservedConcurrentExecutions=1))
    answer = invoke(session, {"do": "invoke", "name": "taker", "payload": {"n": 2}})
    assert answer["FunctionError"] == "Unhandled"
    assert "TooManyRequestsException" in answer["Payload"]["errorMessage"]
    deploy(session, functions(allow("lambda:InvokeFunction", ARN), ReservedConcurrentExecutions=0))
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke(session, {})


def test_a_role_that_does_not_trust_lambda_runs_nothing(session: boto3.Session) -> None:
    deploy(session, {**functions(), "Role": role("ec2.amazonaws.com", allow("s3:*"))})
    with refused("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda."):
        invoke(session, {})


def test_calls_at_the_same_time_are_answered_each_with_its_own(session: boto3.Session) -> None:
    deploy(session, functions())
    client = session.client("lambda")

    def ask(n: int) -> Any:
        return json.loads(client.invoke(FunctionName="taker", Payload=json.dumps({"n": n}))["Payload"].read())

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(8)))
    assert [each["saw"]["n"] for each in answers] == list(range(8))


def test_in_process_nothing_runs_and_it_says_so() -> None:
    from org.sandbox.server import in_process_sandbox

    with in_process_sandbox(REGION) as session:
        iam = session.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(policy(trust)))["Role"]["Arn"]
        client = session.client("lambda")
        client.create_function(
            FunctionName="f", Role=arn, Runtime="python3.13", Handler="app.handler", Code={"ZipFile": b"x"}
        )
        with pytest.raises(ClientError, match="functions run in the server alone"):
            client.invoke(FunctionName="f")
