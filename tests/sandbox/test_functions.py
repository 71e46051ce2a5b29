"""Events travel from bus to bus to queue to function, and the function that runs is the zip that was deployed."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.sandbox.functions.worker import FunctionFailed, Program, Worker
from tests.support.full_disk import full_disk
from tests.support.functions import REGION, allow, role, zipped

CODE = """
import json, os
import boto3

ATTEMPTS = []

def handler(event, context):
    failed = []
    s3 = boto3.client("s3")
    for record in event["Records"]:
        body = json.loads(record["body"])
        ATTEMPTS.append(body["detail"]["n"])
        if body["detail"].get("raise"):
            raise RuntimeError("asked to")
        if body["detail"].get("exit"):
            os._exit(3)
        if body["detail"].get("fail"):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        left = context.get_remaining_time_in_millis() > 0
        said = {"attempts": ATTEMPTS, "event": body, "context": context.function_name, "left": left}
        s3.put_object(Bucket=os.environ["BUCKET"], Key=f"n-{body['detail']['n']}", Body=json.dumps(said))
    return {"batchItemFailures": failed}
"""


def template(
    *, reads: bool = True, writes: bool = True, trusts: str = "lambda.amazonaws.com", sends: bool = True
) -> dict[str, Any]:
    may = [allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])] if reads else []
    may += [allow("s3:PutObject", "arn:aws:s3:::outcome/*")] if writes else []
    may += [allow("logs:PutLogEvents")]
    rule_may = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    resources: dict[str, Any] = {
        "Outcome": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "outcome"}},
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": "events",
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3},
            },
        },
        "Role": role(trusts, *may),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "taker",
                "Handler": "app.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": 20,
                "Code": {"S3Bucket": "code", "S3Key": "code.zip"},
                "Environment": {"Variables": {"BUCKET": {"Ref": "Outcome"}}},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "to-queue",
                "EventPattern": {"source": ["test"]},
                "Targets": [
                    {
                        "Id": "queue",
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Dead", "Arn"]}},
                    }
                ],
            },
        },
    }
    if sends:
        resources["QueuePolicy"] = {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [rule_may]},
            },
        }
        dead = {**rule_may, "Resource": {"Fn::GetAtt": ["Dead", "Arn"]}}
        resources["DeadPolicy"] = {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Dead"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [dead]},
            },
        }
    return {"Resources": resources}


@pytest.fixture
def session(served: boto3.Session) -> boto3.Session:
    return served


Deploy = Callable[..., None]


@pytest.fixture
def deploy(session: boto3.Session) -> Deploy:
    def make(**settings: Any) -> None:
        s3 = session.client("s3")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="code", Key="code.zip", Body=zipped(CODE))
        cloudformation = session.client("cloudformation")
        cloudformation.create_stack(
            StackName="s", TemplateBody=json.dumps(template(**settings)), Capabilities=["CAPABILITY_IAM"]
        )
        (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack

    return make


def put(session: boto3.Session, *details: dict[str, Any]) -> None:
    entries = [{"Source": "test", "DetailType": "t", "Detail": json.dumps(each)} for each in details]
    assert session.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0


def outcome(session: boto3.Session) -> dict[str, Any]:
    s3 = session.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="outcome").get("Contents", ())]
    return {key: json.loads(s3.get_object(Bucket="outcome", Key=key)["Body"].read()) for key in keys}


def waiting(session: boto3.Session, name: str) -> int:
    sqs = session.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(each) for each in attributes.values())


def test_an_event_on_the_bus_reaches_the_function_before_the_next_request(
    session: boto3.Session, deploy: Deploy
) -> None:
    deploy()
    put(session, {"n": 1}, {"n": 2})
    found = outcome(session)
    assert sorted(found) == ["n-1", "n-2"]
    event = found["n-1"]["event"]
    assert (event["source"], event["account"], event["region"], event["version"]) == (
        "test",
        "123456789012",
        REGION,
        "0",
    )
    assert (found["n-1"]["context"], found["n-1"]["left"]) == ("taker", True)
    assert waiting(session, "events") == 0


def test_the_process_stays_warm(session: boto3.Session, deploy: Deploy) -> None:
    deploy()
    put(session, {"n": 1})
    put(session, {"n": 2})
    assert outcome(session)["n-2"]["attempts"] == [1, 2]


def test_a_message_that_is_named_as_failed_comes_again_and_then_goes_to_the_dead_letters(
    session: boto3.Session, deploy: Deploy
) -> None:
    deploy()
    put(session, {"n": 1, "fail": True}, {"n": 2})
    put(session, {"n": 3})
    assert outcome(session)["n-3"]["attempts"] == [1, 2, 1, 1, 3]
    assert (waiting(session, "events"), waiting(session, "dead")) == (0, 1)


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_where_the_function_breaks_all_of_the_batch_come_again(
    session: boto3.Session, deploy: Deploy, how: str
) -> None:
    deploy()
    put(session, {"n": 1, how: True})
    assert (waiting(session, "events"), waiting(session, "dead")) == (0, 1)
    put(session, {"n": 2})
    assert "n-2" in outcome(session)


def test_new_code_is_what_runs(session: boto3.Session, deploy: Deploy) -> None:
    deploy()
    put(session, {"n": 1})
    s3, cloudformation = session.client("s3"), session.client("cloudformation")
    s3.put_object(Bucket="code", Key="new.zip", Body=zipped(CODE.replace('"n-{', '"new-{').replace('f"n-', 'f"new-')))
    changed = template()
    changed["Resources"]["Function"]["Properties"]["Code"]["S3Key"] = "new.zip"
    cloudformation.update_stack(StackName="s", TemplateBody=json.dumps(changed), Capabilities=["CAPABILITY_IAM"])
    put(session, {"n": 2})
    assert sorted(outcome(session)) == ["n-1", "new-2"]


def test_what_the_functions_role_may_not_do_fails(session: boto3.Session, deploy: Deploy) -> None:
    deploy(writes=False)
    put(session, {"n": 1})
    assert (outcome(session), waiting(session, "dead")) == ({}, 1)


def test_a_function_whose_role_may_not_read_the_queue_gets_nothing(session: boto3.Session, deploy: Deploy) -> None:
    deploy(reads=False)
    put(session, {"n": 1})
    assert (outcome(session), waiting(session, "events")) == ({}, 1)


def test_a_function_whose_role_does_not_trust_lambda_gets_nothing(session: boto3.Session, deploy: Deploy) -> None:
    deploy(trusts="ec2.amazonaws.com")
    put(session, {"n": 1})
    assert (outcome(session), waiting(session, "events")) == ({}, 1)


def test_a_queue_that_does_not_let_the_rule_send_gets_nothing(session: boto3.Session, deploy: Deploy) -> None:
    deploy(sends=False)
    put(session, {"n": 1})
    assert (outcome(session), waiting(session, "events"), waiting(session, "dead")) == ({}, 0, 0)


def test_a_mapping_that_is_made_by_hand_works_as_well(session: boto3.Session, deploy: Deploy) -> None:
    deploy()
    queue, client = f"arn:aws:sqs:{REGION}:123456789012:events", session.client("lambda")
    (mapping,) = client.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    put(session, {"n": 1})
    assert outcome(session) == {}
    client.create_event_source_mapping(EventSourceArn=queue, FunctionName="taker")
    assert sorted(outcome(session)) == ["n-1"]
    with pytest.raises(ClientError, match="only of queues"):
        client.create_event_source_mapping(
            EventSourceArn=f"arn:aws:kinesis:{REGION}:123456789012:stream/s", FunctionName="taker"
        )


def test_nobody_but_aws_sends_events_of_aws(session: boto3.Session) -> None:
    entry = {"Source": "aws.ec2", "DetailType": "EC2 AMI State Change", "Detail": "{}"}
    answer = session.client("events").put_events(Entries=[entry])
    assert (answer["FailedEntryCount"], answer["Entries"][0]["ErrorCode"]) == (1, "NotAuthorizedForSourceException")


def test_a_function_without_its_code_is_not_made(session: boto3.Session) -> None:
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template()), Capabilities=["CAPABILITY_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [
        e.get("ResourceStatusReason", "") for e in cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    ]
    assert any("S3 Error Code: NoSuchKey" in each for each in reasons), reasons


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_process_that_was_killed_fails_its_batch_and_is_cleared_away(size: int) -> None:
    worker = Worker(Program("arn", "f", "app.handler", "d", 5, 128, ()), zipped("def handler(e, c): return 1"))
    assert worker.invoke({}, "1") == 1
    os.kill(worker.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(FunctionFailed, match="exited with error: signal: SIGKILL"):
            worker.invoke({"body": "x" * size}, "2")
    worker.end()
    assert worker.has_ended


def test_a_function_that_takes_too_long_is_ended_and_its_message_comes_again() -> None:
    worker = Worker(Program("arn", "f", "app.handler", "d", 1, 128, ()), zipped(SLOW))
    begun = time.monotonic()
    with pytest.raises(FunctionFailed, match=r"timed out after 1\.00 seconds"):
        worker.invoke({}, "1")
    assert worker.has_ended
    assert time.monotonic() - begun < 5
    worker.end()


SLOW = """
import time
def handler(event, context):
    time.sleep(60)
"""


def test_function_for_whose_code_there_is_no_room_fails_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = Program("arn", "f", "app.handler", "d", 3, 128, ())
    with full_disk(), pytest.raises(FunctionFailed, match=r"Sandbox\.NoRoom: .* cannot be unpacked into .*: File too"):
        Worker(program, zipped(CODE))
    assert not list(tmp_path.iterdir())
