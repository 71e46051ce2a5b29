"""Services call functions, and wait for the answer or not; a function's policy says which may, and for what."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from org.sandbox.authorization.denial import Denied
from org.sandbox.functions.invocations import Invoker, Refused
from org.sandbox.server import Sandbox
from tests.support.functions import ACCOUNT, REGION, allow, deploy, functions, messages, permission, put_code, seen

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:taker"
SOURCE = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/prod/GET/ancestors"
API = Invoker("apigateway.amazonaws.com", SOURCE, ACCOUNT)


def lets(**more: Any) -> dict[str, Any]:
    return {"May": permission("apigateway.amazonaws.com", **more)}


@pytest.fixture
def session(served: boto3.Session) -> boto3.Session:
    put_code(served)
    return served


def call(server: Sandbox, payload: object, by: Invoker = API, arn: str = ARN) -> tuple[Any, str]:
    result = server.functions.call(arn, payload, by)
    return json.loads(result.payload), result.error


def test_a_service_that_the_functions_policy_lets_gets_the_answer(server: Sandbox, session: boto3.Session) -> None:
    deploy(session, {**functions(Environment={"Variables": {"PLACE": "here"}}), **lets(SourceArn=SOURCE)})
    assert call(server, {"n": 1}) == ({"saw": {"n": 1}, "in": "here"}, "")
    assert call(server, ["a", None], arn=f"{ARN}:$LATEST") == ({"saw": ["a", None], "in": "here"}, "")


def test_without_a_permission_nobody_calls(server: Sandbox, session: boto3.Session) -> None:
    deploy(session, functions())
    with pytest.raises(Denied):
        call(server, {})
    assert seen(session) == []


@pytest.mark.parametrize(
    "by",
    [
        Invoker("sns.amazonaws.com", SOURCE, ACCOUNT),
        Invoker("apigateway.amazonaws.com", SOURCE.replace("abc", "xyz"), ACCOUNT),
        Invoker("apigateway.amazonaws.com", SOURCE, "111122223333"),
        Invoker("apigateway.amazonaws.com"),
    ],
)
def test_another_service_another_source_or_another_account_is_refused(
    server: Sandbox, session: boto3.Session, by: Invoker
) -> None:
    deploy(session, {**functions(), **lets(SourceArn=SOURCE, SourceAccount=ACCOUNT)})
    assert call(server, {})[1] == ""
    with pytest.raises(Denied):
        call(server, {}, by)


def test_a_function_that_raises_answers_what_and_where(server: Sandbox, session: boto3.Session) -> None:
    deploy(session, {**functions(), **lets()})
    answer, error = call(server, {"do": "raise"})
    assert (error, answer["errorType"], answer["errorMessage"]) == ("Unhandled", "ValueError", "asked to")
    assert "asked to" in "".join(answer["stackTrace"])


@pytest.mark.parametrize(
    ("do", "type", "message"),
    [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("set", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"),
    ],
)
def test_a_function_that_breaks_says_how_and_works_again(
    server: Sandbox, session: boto3.Session, do: str, type: str, message: str
) -> None:
    deploy(session, {**functions(Timeout=1 if do == "sleep" else 20), **lets()})
    answer, error = call(server, {"do": do})
    assert (error, answer["errorType"]) == ("Unhandled", type)
    assert answer["errorMessage"].endswith(message)


def test_a_function_that_is_not_there_is_not_found(server: Sandbox, session: boto3.Session) -> None:
    del session
    for arn in (ARN, ARN.replace(ACCOUNT, "999999999999"), "nonsense"):
        with pytest.raises(Refused, match="Function not found") as caught:
            call(server, {}, arn=arn)
        assert (caught.value.code, caught.value.status) == ("ResourceNotFoundException", 404)


def test_an_event_is_tried_three_times_and_then_told_to_the_destination_and_the_dead_letters(
    server: Sandbox, session: boto3.Session
) -> None:
    queues = {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name.lower()}} for name in ("Failed", "Dead")
    }
    may = allow("sqs:SendMessage", [{"Fn::GetAtt": [name, "Arn"]} for name in queues])
    config = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": {"Ref": "Function"},
            "Qualifier": "$LATEST",
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}},
        },
    }
    dead = {"DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}}
    deploy(session, {**functions(may, **dead), **lets(), **queues, "Config": config})
    request_id = server.functions.later(ARN, {"do": "raise"}, API)
    server.functions.settle()
    assert seen(session) == [{"do": "raise"}] * 3
    (record,) = (json.loads(each["Body"]) for each in messages(session, "failed"))
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": f"{ARN}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"do": "raise"}
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "ValueError"
    (letter,) = messages(session, "dead")
    assert json.loads(letter["Body"]) == {"do": "raise"}
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "asked to"
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == request_id


def test_later_is_refused_like_a_call(server: Sandbox, session: boto3.Session) -> None:
    deploy(session, functions())
    with pytest.raises(Denied):
        server.functions.later(ARN, {}, API)
    with pytest.raises(Refused, match="Function not found"):
        server.functions.later(f"{ARN}x", {}, API)
    server.functions.settle()
    assert seen(session) == []


def test_a_function_that_sets_itself_off_comes_to_an_end(server: Sandbox, session: boto3.Session) -> None:
    deploy(session, {**functions(allow("lambda:InvokeFunction", ARN)), **lets()})
    server.functions.later(ARN, {"do": "again"}, API)
    server.functions.settle()
    assert len(seen(session)) == 16
