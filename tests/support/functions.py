"""Functions for tests: one that does as its event says, in a stack with what a test adds to it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3

from org.sandbox.session import Credentials, session_for

REGION = "eu-central-1"
ACCOUNT = "123456789012"
OUTCOME = "outcome"
"""The bucket in which a function notes each event that it is given."""

CODE = """
import json, os, time
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    seen = len(s3.list_objects_v2(Bucket="outcome").get("Contents", ()))
    s3.put_object(Bucket="outcome", Key=f"{seen:03}-{context.function_name}", Body=json.dumps(event))
    do = event.get("do") if isinstance(event, dict) else None
    if do == "raise":
        raise ValueError("asked to")
    if do == "exit":
        os._exit(3)
    if do == "sleep":
        time.sleep(60)
    if do == "set":
        return {1, 2}
    if do == "invoke":
        answer = boto3.client("lambda").invoke(FunctionName=event["name"], Payload=json.dumps(event["payload"]))
        return json.loads(answer["Payload"].read())
    if do == "again":
        boto3.client("lambda").invoke(
            FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps(event)
        )
    if do == "get":
        return boto3.client("secretsmanager").get_secret_value(SecretId=event["secret"])["SecretString"]
    return {"saw": event, "in": os.environ.get("PLACE", "")}
"""


def zipped(code: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("app.py", code)
    return written.getvalue()


def allow(action: str | list[str], resource: object = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": policy(trust),
            "Policies": [{"PolicyName": "p", "PolicyDocument": policy(*statements)}],
        },
    }


def functions(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Answer the resources Role, with what the statements let it do besides, and Function, which is named `taker`."""
    own = allow(["s3:PutObject", "s3:ListBucket"], [f"arn:aws:s3:::{OUTCOME}", f"arn:aws:s3:::{OUTCOME}/*"])
    return {
        "Role": role("lambda.amazonaws.com", own, *statements),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "taker",
                "Handler": "app.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": 20,
                "Code": {"S3Bucket": "code", "S3Key": "code.zip"},
                **more,
            },
        },
    }


def permission(service: str, **more: Any) -> dict[str, Any]:
    """Answer a resource that lets a service invoke the function."""
    given = {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Function"}, "Principal": service, **more}
    return {"Type": "AWS::Lambda::Permission", "Properties": given}


def put_code(session: boto3.Session) -> None:
    s3 = session.client("s3")
    for bucket in ("code", OUTCOME):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code", Key="code.zip", Body=zipped(CODE))


def deploy(session: boto3.Session, resources: dict[str, Any], name: str = "s") -> dict[str, str]:
    """Create the stack, or update it, and answer the physical ids of its resources by their logical ids."""
    cloudformation = session.client("cloudformation")
    body = json.dumps({"Resources": resources})
    if any(each["StackName"] == name for each in cloudformation.describe_stacks()["Stacks"]):
        cloudformation.update_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    else:
        cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack.get("StackStatusReason")
    described = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in described}


def failure(session: boto3.Session, resources: dict[str, Any]) -> str:
    """Create a stack that fails, and answer why."""
    cloudformation = session.client("cloudformation")
    body = json.dumps({"Resources": resources})
    cloudformation.create_stack(StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE", stack
    events = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    return " | ".join(e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED") or str(
        stack.get("StackStatusReason")
    )


def seen(session: boto3.Session) -> list[Any]:
    """Answer the events that functions have been given, in their order."""
    s3 = session.client("s3")
    keys = sorted(each["Key"] for each in s3.list_objects_v2(Bucket=OUTCOME).get("Contents", ()))
    return [json.loads(s3.get_object(Bucket=OUTCOME, Key=key)["Body"].read()) for key in keys]


def messages(session: boto3.Session, name: str) -> list[dict[str, Any]]:
    """Take all messages of a queue, with their attributes."""
    sqs = session.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        found += some
    return found


def session_in(session: boto3.Session, account: str) -> boto3.Session:
    """Answer a session of the role with which an organization enters its accounts."""
    sts = session.client("sts")
    arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    key = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return session_for(sts.meta.endpoint_url, REGION, credentials)
