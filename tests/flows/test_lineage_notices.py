"""The notices' stack, as it is written for AWS, at work in the sandbox: mails by severity, and what the chat misses."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from org.sandbox.scenarios.control import Control
from org.sandbox.server import Sandbox
from stacksets.bundle import build_bundle
from tests.support.functions import ACCOUNT, REGION, messages

TEMPLATE = Path(__file__).parents[1] / "golden" / "templates" / "lineage-notices.json"
TOPICS = f"arn:aws:sns:{REGION}:{ACCOUNT}"
ALERTS = f"{TOPICS}:orgctl-ami-security-alerts"


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def session(server: Sandbox) -> boto3.Session:
    urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/orgctl-sandbox/reset", method="POST")).close()
    session = server.session(REGION)
    s3, bundle = session.client("s3"), build_bundle(("handlers.notify_chat",))
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code", Key=bundle.key, Body=bundle.content)
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    parameters = {"CodeBucket": "code", "CodeKey": bundle.key, "FunctionsKeyArn": key}
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(
        StackName="lineage-notices",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName="lineage-notices")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    return session


def publish(session: boto3.Session, severity: str) -> None:
    attributes: Any = {"severity": {"DataType": "String", "StringValue": severity}}
    session.client("sns").publish(TopicArn=ALERTS, Subject=severity, Message="m", MessageAttributes=attributes)


def test_mails_go_out_by_severity(session: boto3.Session, server: Sandbox) -> None:
    for severity in ("CRITICAL", "MEDIUM", "LOW"):
        publish(session, severity)
    kept = Control(server.endpoint).sent()
    assert sorted((each["endpoint"].partition("@")[0], each["subject"]) for each in kept) == [
        ("platform", "CRITICAL"),
        ("platform", "MEDIUM"),
        ("security", "CRITICAL"),
    ]


def test_a_notice_that_the_chat_cannot_get_is_tried_again_and_kept_for_a_person(session: boto3.Session) -> None:
    publish(session, "HIGH")
    (record,) = (json.loads(each["Body"]) for each in messages(session, "orgctl-lineage-notify-failures"))
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["Records"][0]["Sns"]["Subject"] == "HIGH"
    # The role may read the secret, whose key it may use through Secrets Manager: there is only nothing in it yet.
    assert "can't find the specified secret value" in record["responsePayload"]["errorMessage"]


def test_without_the_key_of_the_secret_the_chats_address_is_not_read(
    session: boto3.Session,
) -> None:
    secrets, iam = session.client("secretsmanager"), session.client("iam")
    secrets.put_secret_value(SecretId="orgctl-lineage-webhook", SecretString="https://127.0.0.1:9/hook")
    publish(session, "HIGH")
    (record,) = (json.loads(each["Body"]) for each in messages(session, "orgctl-lineage-notify-failures"))
    assert record["responsePayload"]["errorType"] == "NotDelivered"
    role = session.client("lambda").get_function_configuration(FunctionName="orgctl-lineage-notify")["Role"]
    name = role.rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    for statement in document["Statement"]:
        through = json.dumps(statement.get("Condition", {}))
        if "kms:ViaService" in through and "secretsmanager." in through:
            statement["Effect"] = "Deny"
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    answer = session.client("lambda").invoke(
        FunctionName="orgctl-lineage-notify",
        Payload=json.dumps(record["requestPayload"]),
    )
    read_before = json.loads(answer["Payload"].read())
    # A warm process keeps the address for some minutes; a new one has to read it.
    assert read_before["errorType"] == "NotDelivered"
    session.client("lambda").update_function_configuration(FunctionName="orgctl-lineage-notify", MemorySize=512)
    answer = session.client("lambda").invoke(
        FunctionName="orgctl-lineage-notify", Payload=json.dumps(record["requestPayload"])
    )
    assert "Access to KMS is not allowed" in json.loads(answer["Payload"].read())["errorMessage"]
