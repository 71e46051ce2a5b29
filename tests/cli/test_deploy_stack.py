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
