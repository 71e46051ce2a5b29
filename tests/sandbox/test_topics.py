"""A message goes from its topic to those who subscribe, as far as policies, keys and filters let it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.sandbox.scenarios.control import Control
from tests.support.functions import (
    ACCOUNT,
    REGION,
    allow,
    deploy,
    failure,
    functions,
    messages,
    permission,
    policy,
    put_code,
    seen,
    session_in,
)
from tests.support.sandbox import create_account

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}
DEAD = {"Fn::GetAtt": ["Dead", "Arn"]}


@pytest.fixture
def session(served: boto3.Session) -> boto3.Session:
    put_code(served)
    return served


def topic(**more: Any) -> dict[str, Any]:
    return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alerts", **more}}}


def queue(name: str, **more: Any) -> dict[str, Any]:
    """Answer a queue, and a policy by which the topic may send to it."""
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [name, "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name.lower(), **more}},
        f"{name}Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": name}], "PolicyDocument": policy(may)},
        },
    }


def subscription(protocol: str, endpoint: object, **more: Any) -> dict[str, Any]:
    given = {"TopicArn": {"Ref": "Topic"}, "Protocol": protocol, "Endpoint": endpoint, **more}
    return {"Type": "AWS::SNS::Subscription", "Properties": given}


def publish(session: boto3.Session, message: str = "m", **more: Any) -> str:
    return str(session.client("sns").publish(TopicArn=TOPIC, Message=message, **more)["MessageId"])


def attribute(value: str, type: str = "String") -> dict[str, str]:
    return {"DataType": type, "StringValue": value}


def test_a_queue_gets_the_message_in_the_form_of_sns(session: boto3.Session) -> None:
    deploy(session, {**topic(), **queue("Queue"), "S": subscription("sqs", QUEUE)})
    id = publish(session, "text", Subject="s", MessageAttributes={"severity": attribute("HIGH")})
    (got,) = messages(session, "queue")
    told = json.loads(got["Body"])
    assert {name: told[name] for name in ("Type", "MessageId", "TopicArn", "Subject", "Message")} == {
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": TOPIC,
        "Subject": "s",
        "Message": "text",
    }
    assert told["MessageAttributes"] == {"severity": {"Type": "String", "Value": "HIGH"}}


def test_raw_delivery_is_the_text_with_its_attributes(session: boto3.Session) -> None:
    deploy(session, {**topic(), **queue("Queue"), "S": subscription("sqs", QUEUE, RawMessageDelivery=True)})
    publish(session, "text", MessageAttributes={"n": attribute("1", "Number")})
    (got,) = messages(session, "queue")
    assert (got["Body"], got["MessageAttributes"]["n"]["StringValue"]) == ("text", "1")


@pytest.mark.parametrize("raw", ["false", False])
def test_delivery_that_is_said_not_to_be_raw_is_not(session: boto3.Session, raw: object) -> None:
    deploy(session, {**topic(), **queue("Queue"), "S": subscription("sqs", QUEUE, RawMessageDelivery=raw)})
    publish(session, "text")
    (got,) = messages(session, "queue")
    assert json.loads(got["Body"])["Message"] == "text"


def test_a_queue_whose_policy_does_not_let_the_topic_gets_nothing_and_the_dead_letters_do(
    session: boto3.Session,
) -> None:
    resources = {**topic(), **queue("Queue"), **queue("Dead")}
    del resources["QueuePolicy"]
    resources["S"] = subscription("sqs", QUEUE, RedrivePolicy={"deadLetterTargetArn": DEAD})
    deploy(session, resources)
    publish(session, "text")
    assert messages(session, "queue") == []
    (letter,) = messages(session, "dead")
    assert json.loads(letter["Body"])["Message"] == "text"


FILTERS = [
    ({"severity": ["HIGH", "CRITICAL"]}, {"severity": attribute("HIGH")}, True),
    ({"severity": ["HIGH", "CRITICAL"]}, {"severity": attribute("LOW")}, False),
    ({"severity": ["HIGH"]}, {}, False),
    ({"severity": ["HIGH"], "rule": [{"prefix": "c"}]}, {"severity": attribute("HIGH"), "rule": attribute("c1")}, True),
    ({"severity": ["HIGH"], "rule": [{"prefix": "c"}]}, {"severity": attribute("HIGH"), "rule": attribute("x")}, False),
    ({"severity": [{"anything-but": ["LOW"]}]}, {"severity": attribute("LOW")}, False),
    ({"age": [{"numeric": [">=", 30]}]}, {"age": attribute("31", "Number")}, True),
    ({"age": [{"numeric": [">=", 30]}]}, {"age": attribute("29", "Number")}, False),
    ({"age": [{"exists": False}]}, {"age": attribute("1", "Number")}, False),
]


@pytest.mark.parametrize(("wanted", "attributes", "arrives"), FILTERS)
def test_a_filter_policy_lets_through_what_it_says(
    session: boto3.Session, wanted: dict[str, Any], attributes: dict[str, Any], arrives: bool
) -> None:
    deploy(session, {**topic(), **queue("Queue"), "S": subscription("sqs", QUEUE, FilterPolicy=wanted)})
    publish(session, MessageAttributes=attributes)
    assert len(messages(session, "queue")) == arrives


def test_a_filter_policy_of_the_body_reads_the_message_and_a_change_of_it_counts(session: boto3.Session) -> None:
    def filtered(severity: str) -> dict[str, Any]:
        wanted = {"finding": {"severity": [severity]}}
        return subscription("sqs", QUEUE, FilterPolicy=wanted, FilterPolicyScope="MessageBody")

    deploy(session, {**topic(), **queue("Queue"), "S": filtered("HIGH")})
    for severity in ("HIGH", "LOW"):
        publish(session, json.dumps({"finding": {"severity": severity}}))
    assert len(messages(session, "queue")) == 1
    deploy(session, {**topic(), **queue("Queue"), "S": filtered("LOW")})
    publish(session, json.dumps({"finding": {"severity": "LOW"}}))
    assert len(messages(session, "queue")) == 1
    deploy(session, {**topic(), **queue("Queue"), "S": subscription("sqs", QUEUE)})
    publish(session, "no JSON")
    assert len(messages(session, "queue")) == 1


def subscribed_function(**more: Any) -> dict[str, Any]:
    endpoint = {"Fn::GetAtt": ["Function", "Arn"]}
    return {**topic(), **functions(), "S": subscription("lambda", endpoint, **more)}


def test_a_function_gets_the_record_of_sns(session: boto3.Session) -> None:
    may = permission("sns.amazonaws.com", SourceArn={"Ref": "Topic"}, SourceAccount=ACCOUNT)
    ids = deploy(session, {**subscribed_function(), "May": may})
    id = publish(session, "text", MessageAttributes={"severity": attribute("HIGH")})
    ((record,),) = (each["Records"] for each in seen(session))
    assert (record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]) == (
        "aws:sns",
        "1.0",
        ids["S"],
    )
    told = record["Sns"]
    assert (told["MessageId"], told["TopicArn"], told["Subject"], told["Message"]) == (id, TOPIC, None, "text")
    assert told["MessageAttributes"] == {"severity": {"Type": "String", "Value": "HIGH"}}


@pytest.mark.parametrize(
    "may",
    [
        None,
        permission("sns.amazonaws.com", SourceArn=f"{TOPIC}-other"),
        permission("sns.amazonaws.com", SourceAccount="111122223333"),
        permission("events.amazonaws.com"),
    ],
)
def test_a_function_that_does_not_let_the_topic_gets_nothing_and_the_dead_letters_do(
    session: boto3.Session, may: dict[str, Any] | None
) -> None:
    resources = {**subscribed_function(RedrivePolicy={"deadLetterTargetArn": DEAD}), **queue("Dead")}
    deploy(session, resources | ({"May": may} if may else {}))
    publish(session, "text")
    assert (seen(session), len(messages(session, "dead"))) == ([], 1)


def test_mails_and_requests_are_kept_and_can_be_listed(session: boto3.Session) -> None:
    subscriptions = {
        "Mail": subscription("email", "ops@example.com", FilterPolicy={"severity": ["HIGH"]}),
        "Hook": subscription("https", "https://chat.invalid/hook"),
    }
    deploy(session, {**topic(), **subscriptions})
    publish(session, "low", MessageAttributes={"severity": attribute("LOW")})
    text = json.dumps({"default": "short", "email": "long"})
    publish(session, text, Subject="s", MessageStructure="json", MessageAttributes={"severity": attribute("HIGH")})
    kept = Control(session.client("sns").meta.endpoint_url).sent()
    assert [(each["protocol"], each["endpoint"]) for each in kept] == [
        ("https", "https://chat.invalid/hook"),
        ("email", "ops@example.com"),
        ("https", "https://chat.invalid/hook"),
    ]
    assert (kept[1]["subject"], kept[1]["message"], kept[1]["topic"]) == ("s", "long", TOPIC)
    assert json.loads(kept[2]["message"])["Message"] == "short"


def test_a_message_for_each_protocol_needs_a_default(session: boto3.Session) -> None:
    deploy(session, topic())
    for text in ("{}", "no JSON"):
        with pytest.raises(ClientError, match="Message Structure"):
            publish(session, text, MessageStructure="json")


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    return {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(root, *statements)}}}


def notifying(*, lets_events: bool, lets_key: bool, **key_more: Any) -> dict[str, Any]:
    """Answer a rule with the topic as its target, and what it needs."""
    service = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    only = {"aws:SourceAccount": ACCOUNT}
    may = {**service, "Action": "sns:Publish", "Resource": {"Ref": "Topic"}, "Condition": {"StringEquals": only}}
    key_may = {**service, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"}
    key_may["Condition"] = {"StringEquals": {**only, **key_more}}
    rule = {
        "Name": "to-topic",
        "EventPattern": {"source": ["test"]},
        "Targets": [{"Id": "t", "Arn": {"Ref": "Topic"}, "DeadLetterConfig": {"Arn": DEAD}}],
    }
    dead = {**service, "Action": "sqs:SendMessage", "Resource": DEAD}
    resources = {
        **topic(KmsMasterKeyId={"Ref": "Key"}),
        **key(*([key_may] if lets_key else [])),
        **queue("Dead"),
        "Mail": subscription("email", "ops@example.com"),
        "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
    }
    resources["DeadPolicy"]["Properties"]["PolicyDocument"] = policy(dead)
    if lets_events:
        given = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": policy(may)}
        resources["TopicPolicy"] = {"Type": "AWS::SNS::TopicPolicy", "Properties": given}
    return resources


@pytest.mark.parametrize(("lets_events", "lets_key"), [(True, True), (False, True), (True, False)])
def test_a_rule_reaches_a_topic_if_its_policy_and_its_key_let_it(
    session: boto3.Session, lets_events: bool, lets_key: bool
) -> None:
    deploy(session, notifying(lets_events=lets_events, lets_key=lets_key))
    session.client("events").put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": '{"n": 1}'}])
    kept = Control(session.client("sns").meta.endpoint_url).sent()
    letters = messages(session, "dead")
    if lets_events and lets_key:
        assert (json.loads(kept[0]["message"])["detail"], letters) == ({"n": 1}, [])
        return
    assert (kept, len(letters)) == ([], 1)
    told = letters[0]["MessageAttributes"]
    assert (told["ERROR_CODE"]["StringValue"], told["TARGET_ARN"]["StringValue"]) == ("NO_PERMISSIONS", TOPIC)


@pytest.mark.parametrize(
    ("key_more", "arrives"),
    [
        ({"kms:EncryptionContext:aws:sns:topicArn": TOPIC}, True),
        ({"kms:EncryptionContext:aws:sns:topicArn": f"{TOPIC}-other"}, False),
        ({"kms:EncryptionContext:another": "x"}, False),
        ({"kms:ViaService": f"sns.{REGION}.amazonaws.com"}, False),
    ],
)
def test_a_key_can_be_for_a_topic_alone(session: boto3.Session, key_more: dict[str, str], arrives: bool) -> None:
    deploy(session, notifying(lets_events=True, lets_key=True, **key_more))
    session.client("events").put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": "{}"}])
    assert len(Control(session.client("sns").meta.endpoint_url).sent()) == arrives
    assert len(messages(session, "dead")) == (not arrives)


def test_a_topic_without_its_policy_lets_the_service_no_longer(session: boto3.Session) -> None:
    deploy(session, notifying(lets_events=True, lets_key=True))
    deploy(session, notifying(lets_events=False, lets_key=True))
    session.client("events").put_events(Entries=[{"Source": "test", "DetailType": "t", "Detail": "{}"}])
    assert len(messages(session, "dead")) == 1


def user_with(session: boto3.Session, *statements: dict[str, Any]) -> Any:
    iam = session.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(policy(*statements)))
    made = iam.create_access_key(UserName="u")["AccessKey"]
    return session.client("sns", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])


def test_who_publishes_needs_the_topic_and_its_key(session: boto3.Session) -> None:
    deploy(session, {**topic(KmsMasterKeyId={"Ref": "Key"}), **key(), "Mail": subscription("email", "a@example.com")})
    user = user_with(session, allow("sns:Publish", TOPIC))
    with pytest.raises(ClientError, match=r"KMSAccessDenied.*kms:GenerateDataKey"):
        user.publish(TopicArn=TOPIC, Message="m")
    through_sns = {"StringEquals": {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}}
    may = {**allow(["kms:GenerateDataKey", "kms:Decrypt"]), "Condition": through_sns}
    text = json.dumps(policy(allow("sns:Publish", TOPIC), may))
    session.client("iam").put_user_policy(UserName="u", PolicyName="p", PolicyDocument=text)
    user.publish(TopicArn=TOPIC, Message="m")
    assert len(Control(session.client("sns").meta.endpoint_url).sent()) == 1


def test_another_account_publishes_only_if_the_topics_policy_lets_it(session: boto3.Session) -> None:
    session.client("organizations").create_organization(FeatureSet="ALL")
    account = create_account(session.client("organizations"), "Audit")
    member = session_in(session, account)
    resources = {**topic(), "Mail": subscription("email", "a@example.com")}
    deploy(session, resources)
    with pytest.raises(ClientError, match="AuthorizationError"):
        publish(member)
    may = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sns:Publish", "Resource": TOPIC}
    given = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": policy(may)}
    deploy(session, {**resources, "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": given}})
    publish(member)
    assert len(Control(session.client("sns").meta.endpoint_url).sent()) == 1


def test_what_is_not_emulated_is_refused_when_it_is_made(session: boto3.Session) -> None:
    assert "subscriptions by firehose" in failure(session, {**topic(), "S": subscription("firehose", "arn:x")})


def test_a_stack_that_is_deleted_takes_its_subscription_with_it(session: boto3.Session) -> None:
    sns = session.client("sns")
    sns.create_topic(Name="alerts")
    given = {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "a@example.com"}
    deploy(session, {"S": {"Type": "AWS::SNS::Subscription", "Properties": given}})
    assert len(sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]) == 1
    session.client("cloudformation").delete_stack(StackName="s")
    assert sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == []
