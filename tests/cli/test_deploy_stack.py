"""A stack that does not come to a good end: what is said of it, and what goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from cli.deploy.stack import Stacks, Wanted
from org.errors import OrgctlError
from org.sandbox.server import in_process_sandbox

REGION = "eu-central-1"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}


def wanted(*names: str, **queue: Any) -> Wanted:
    resources = {name: {**QUEUE, "Properties": {**QUEUE["Properties"], **queue}} for name in names}  # type: ignore[dict-item]
    return Wanted("x", json.dumps({"Resources": resources}), {})


def test_stack_that_could_not_be_made_says_why_and_next_time_that_it_must_be_deleted() -> None:
    with in_process_sandbox() as session:
        session.client("sqs", REGION).create_queue(QueueName="q", Attributes={"DelaySeconds": "7"})
        stacks = Stacks(session.client("cloudformation", REGION), lambda _: None)
        body = wanted("Queue")
        with pytest.raises(OrgctlError, match=r"ended as ROLLBACK_COMPLETE: .*Queue.*already exists"):
            stacks.put(body, {"TemplateBody": body.body})
        for again in (lambda: stacks.difference(body), lambda: stacks.put(body, {"TemplateBody": body.body})):
            with pytest.raises(OrgctlError, match=r"^stack x: is ROLLBACK_COMPLETE: .*; mend what failed, aws .*x"):
                again()


def test_reason_is_that_of_the_first_failure_of_this_attempt_on_whichever_page() -> None:
    def event(name: str, status: str, reason: str = "") -> dict[str, Any]:
        told = {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason}
        return {"StackId": "arn:x", "EventId": "e", "StackName": "x", "Timestamp": 0, **told}

    first = [event("x", "UPDATE_ROLLBACK_IN_PROGRESS"), event("B", "UPDATE_FAILED", "cancelled")]
    second = [
        event("A", "UPDATE_FAILED", "no room"),
        event("x", "UPDATE_IN_PROGRESS"),
        event("C", "CREATE_FAILED", "old"),
    ]
    with in_process_sandbox() as session:
        client = session.client("cloudformation", REGION)
        with Stubber(client) as stub:
            stub.add_response("describe_stack_events", {"StackEvents": first, "NextToken": "2"}, {"StackName": "x"})
            stub.add_response("describe_stack_events", {"StackEvents": second}, {"StackName": "x", "NextToken": "2"})
            assert Stacks(client, lambda _: None)._reason({"StackName": "x"}) == "A: no room"


def test_stack_whose_update_was_taken_back_is_fine_if_that_is_what_is_wanted() -> None:
    with in_process_sandbox() as session:
        client = session.client("cloudformation", REGION)
        stacks = Stacks(client, lambda _: None)
        good, bad = wanted("Queue"), wanted("Queue", "Other")
        stacks.put(good, {"TemplateBody": good.body})
        with pytest.raises(OrgctlError, match=r"ended as UPDATE_ROLLBACK_COMPLETE: .*; mend what it names"):
            stacks.put(bad, {"TemplateBody": bad.body})
        assert stacks.put(good, {"TemplateBody": good.body})[0] is False


def test_parameter_that_somebody_set_on_the_stack_outlives_the_next_deployment() -> None:
    """CloudFormation gives one that an update leaves out the template's default again."""
    declared = {"Delay": {"Type": "Number", "Default": 0}, "Name": {"Type": "String"}}

    def body(description: str) -> str:
        queue = {"QueueName": {"Ref": "Name"}, "DelaySeconds": {"Ref": "Delay"}}
        resources = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": queue}}
        return json.dumps({"Description": description, "Parameters": declared, "Resources": resources})

    with in_process_sandbox() as session:
        client = session.client("cloudformation", REGION)
        stacks = Stacks(client, lambda _: None)
        first, second = (Wanted("x", body(each), {"Name": "q"}) for each in ("first", "second"))
        stacks.put(first, {"TemplateBody": first.body})
        by_hand: list[Any] = [
            {"ParameterKey": "Delay", "ParameterValue": "7"},
            {"ParameterKey": "Name", "UsePreviousValue": True},
        ]
        client.update_stack(StackName="x", UsePreviousTemplate=True, Parameters=by_hand)
        stacks.put(second, {"TemplateBody": second.body})
        url = session.client("sqs", REGION).get_queue_url(QueueName="q")["QueueUrl"]
        attributes = session.client("sqs", REGION).get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        assert attributes["Attributes"]["DelaySeconds"] == "7"


@pytest.mark.parametrize("status", ["CREATE_FAILED", "ROLLBACK_FAILED"])
def test_stack_that_is_half_made_has_to_be_deleted_too(status: str) -> None:
    with in_process_sandbox() as session:
        client = session.client("cloudformation", REGION)
        stack = {"StackName": "x", "CreationTime": 0, "StackStatus": status}
        body = wanted("Queue")
        with Stubber(client) as stub:
            stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "x"})
            with pytest.raises(OrgctlError, match=rf"^stack x: is {status}: .*delete-stack") as told:
                Stacks(client, lambda _: None).put(body, {"TemplateBody": body.body})
        assert ("deletion protection" in str(told.value)) == (status == "ROLLBACK_FAILED")


def test_what_outlives_its_stack_does_not_stay_when_its_making_is_taken_back() -> None:
    """The archive, a key and the audit log are retained: a second try would find a bucket of that name."""
    with in_process_sandbox() as session:
        client = session.client("cloudformation", REGION)
        asked: list[Any] = []
        for call in ("CreateStack", "UpdateStack"):
            client.meta.events.register(
                f"provide-client-params.cloudformation.{call}",
                lambda params, **_: asked.append(params["RetainExceptOnCreate"]),
            )
        for body in (wanted("Queue"), wanted("Queue", DelaySeconds=3)):
            Stacks(client, lambda _: None).put(body, {"TemplateBody": body.body})
        assert asked == [True, True]


def test_what_a_stack_makes_carries_the_tag_by_which_guardrails_know_it() -> None:
    with in_process_sandbox() as session:
        key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}}
        body = json.dumps({"Resources": {"Key": key}, "Outputs": {"Key": {"Value": {"Ref": "Key"}}}})
        made = Stacks(session.client("cloudformation", REGION), lambda _: None).put(
            Wanted("x", body, {}), {"TemplateBody": body}
        )
        tags = session.client("kms", REGION).list_resource_tags(KeyId=made[1]["Key"])["Tags"]
        assert {each["TagKey"]: each["TagValue"] for each in tags} == {"orgctl:managed": "true"}
