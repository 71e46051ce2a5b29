"""What `orgctl lineage deploy` says of a stack that fails, that cannot be changed, or that it may not touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import cli.lineage_deploy
from cli.deploy.code import Code, upload, upload_template
from cli.deploy.stack import Stacks, Wanted
from org.errors import AccessDenied, OrgctlError
from org.gateway.errors import aws_errors
from org.ids import Region
from org.sandbox.server import Sandbox

HOME = Region("eu-central-1")
ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/orgctl-x/1"
GOOD = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
GONE = f"arn:aws:sns:{HOME}:111122223333:gone"
SUBSCRIPTION = {"Protocol": "sqs", "Endpoint": "x", "TopicArn": GONE}
BAD = json.dumps({"Resources": {"Sub": {"Type": "AWS::SNS::Subscription", "Properties": SUBSCRIPTION}}})
WANTED = Wanted("orgctl-x", GOOD, {})


def refused(code: str, message: str, call: str = "UpdateStack") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, call)


def event(name: str, status: str, reason: str = "", type: str = "AWS::SNS::Topic") -> dict[str, Any]:
    physical = ID if name == "orgctl-x" else f"{name}-1"
    said = {"StackId": ID, "LogicalResourceId": name, "PhysicalResourceId": physical, "ResourceType": type}
    return {**said, "ResourceStatus": status, **({"ResourceStatusReason": reason} if reason else {})}


class CloudFormation:
    """One stack: its states, one at each look; what creating and updating it raises; its events by pages."""

    def __init__(self, *states: str | None, events: Any = (), raises: ClientError | None = None) -> None:
        self.states, self.pages, self.raises, self.calls = list(states), events, raises, []

    def describe_stacks(self, **_: object) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            raise refused("ValidationError", "Stack with id orgctl-x does not exist", "DescribeStacks")
        return {"Stacks": [{"StackStatus": state, "Outputs": [{"OutputKey": "A", "OutputValue": "b"}]}]}

    def create_stack(self, **_: object) -> None:
        self._called("create")

    def update_stack(self, **_: object) -> None:
        self._called("update")

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.raises:
            raise self.raises

    def get_paginator(self, name: str) -> SimpleNamespace:
        assert name == "describe_stack_events"
        return SimpleNamespace(paginate=lambda **_: [{"StackEvents": page} for page in self.pages])


def put(client: CloudFormation) -> Any:
    with aws_errors("stack orgctl-x"):
        return Stacks(client, lambda _: None).put(WANTED, {"TemplateBody": GOOD})


def said(client: CloudFormation) -> str:
    with pytest.raises(OrgctlError) as caught:
        put(client)
    return str(caught.value)


FAILED = [
    [event("orgctl-x", "UPDATE_ROLLBACK_COMPLETE"), event("B", "UPDATE_FAILED", "Resource update cancelled")],
    [
        event("Role", "CREATE_FAILED", "The policy is malformed.", "AWS::IAM::Role"),
        event("orgctl-x", "UPDATE_IN_PROGRESS", "User Initiated"),
        event("Old", "CREATE_FAILED", "of an earlier run"),
        event("orgctl-x", "UPDATE_IN_PROGRESS", "User Initiated"),
    ],
]


def test_first_resource_that_failed_in_this_operation_is_told_though_it_is_on_a_later_page():
    client = CloudFormation("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", events=FAILED)
    assert said(client) == (
        "stack orgctl-x: ended as UPDATE_ROLLBACK_COMPLETE: Role (AWS::IAM::Role): The policy is malformed; "
        "mend what it names, and run again"
    )


def test_reason_of_the_rolling_back_is_told_where_no_resource_is_said_to_have_failed():
    events = [[event("orgctl-x", "ROLLBACK_IN_PROGRESS", "Limit exceeded."), event("orgctl-x", "CREATE_IN_PROGRESS")]]
    client = CloudFormation(None, "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", events=events)
    assert "ended as ROLLBACK_COMPLETE: Limit exceeded; mend" in said(client)


@pytest.mark.parametrize("look", ["put", "difference"])
def test_stack_whose_first_making_failed_is_told_with_the_command_that_deletes_it(look):
    events = [[event("Role", "CREATE_FAILED", "no"), event("orgctl-x", "CREATE_IN_PROGRESS")]]
    client = CloudFormation("ROLLBACK_COMPLETE", events=events)
    with pytest.raises(OrgctlError) as caught:
        put(client) if look == "put" else Stacks(client, lambda _: None).difference(WANTED)
    assert str(caught.value) == (
        "stack orgctl-x: is ROLLBACK_COMPLETE: Role (AWS::SNS::Topic): no; mend what it names, then "
        "`aws cloudformation delete-stack --stack-name orgctl-x` in its account, and run again"
    )
    assert client.calls == []


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "REVIEW_IN_PROGRESS"])
def test_stack_that_another_run_is_changing_is_left_to_it(state):
    client = CloudFormation(state)
    what = f"stack orgctl-x: is being changed by something else: {state}; run again when it has ended"
    assert said(client) == what
    assert client.calls == []


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (None, refused("AlreadyExistsException", "Stack [orgctl-x] already exists", "CreateStack")),
        (
            "CREATE_COMPLETE",
            refused("ValidationError", f"Stack:{ID} is in UPDATE_IN_PROGRESS state and can not be updated."),
        ),
    ],
)
def test_run_that_comes_second_by_a_moment_says_so(state, error):
    what = "stack orgctl-x: something else began to change it just now; run again when it has ended"
    assert said(CloudFormation(state, raises=error)) == what


def test_stack_whose_last_update_failed_and_that_is_wanted_as_it_is_now_is_as_it_was():
    client = CloudFormation(
        "UPDATE_ROLLBACK_COMPLETE", raises=refused("ValidationError", "No updates are to be performed.")
    )
    assert put(client) == (False, {"A": "b"})


def test_denied_cloudformation_is_told_with_the_stack():
    with pytest.raises(AccessDenied, match=r"^stack orgctl-x: access denied: not you; use credentials"):
        put(CloudFormation("CREATE_COMPLETE", raises=refused("AccessDenied", "not you")))


class S3:
    def __init__(self, raises: ClientError) -> None:
        self.raises, self.put = raises, []

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": []}

    def list_objects_v2(self, **_: object) -> dict[str, Any]:
        return {}

    def create_bucket(self, **_: object) -> None:
        raise self.raises

    def put_public_access_block(self, **_: object) -> None:
        pass

    def put_object(self, **asked: object) -> None:
        if self.raises.response["Error"]["Code"] == "AccessDenied":
            raise self.raises
        self.put.append(asked["Key"])


def test_bucket_that_another_run_made_a_moment_ago_is_used():
    s3 = S3(refused("BucketAlreadyOwnedByYou", "yours", "CreateBucket"))
    upload(s3, Code("orgctl-code", {"a": b"1", "b": b"2"}, {}), HOME)
    assert s3.put == ["a", "b"]


def test_denied_s3_is_told_with_the_bucket():
    s3 = S3(refused("AccessDenied", "not you", "PutObject"))
    with pytest.raises(AccessDenied, match=r"^s3 bucket orgctl-code: access denied: not you"):
        upload_template(s3, "orgctl-code", HOME, GOOD)


def test_each_stack_has_a_line_as_it_begins_and_one_with_its_time_as_it_ends(capsys):
    times = iter([10.0, 13.2, 20.0, 20.4])
    on_start, on_end = cli.lineage_deploy._progress(2, lambda: next(times))
    for name, changed in (("orgctl-a", True), ("orgctl-b", False)):
        step: Any = SimpleNamespace(stack=SimpleNamespace(stack_name=name))
        on_start(step)
        on_end(step, changed)
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] orgctl-a",
        "[1/2] orgctl-a: made or changed, 3 s",
        "[2/2] orgctl-b",
        "[2/2] orgctl-b: as it was, 0 s",
    ]


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[Any]:
    sandbox = Sandbox()
    sandbox.start()
    try:
        yield sandbox.session(HOME).client("cloudformation", endpoint_url=sandbox.endpoint)
    finally:
        sandbox.stop()


def test_in_the_sandbox_a_first_making_that_fails_is_told_twice_and_goes_on_after_the_deletion(cloudformation):
    stacks = Stacks(cloudformation, lambda _: None)
    for begins in ("ended as ROLLBACK_COMPLETE: ", "is ROLLBACK_COMPLETE: "):
        with pytest.raises(OrgctlError) as caught:
            stacks.put(Wanted("orgctl-x", BAD, {}), {"TemplateBody": BAD})
        assert caught.value.what.startswith(begins)
        assert "Sub" in caught.value.what
        assert "delete-stack --stack-name orgctl-x" in caught.value.todo
    cloudformation.delete_stack(StackName="orgctl-x")
    assert stacks.put(WANTED, {"TemplateBody": GOOD})[0] is True
    assert stacks.put(WANTED, {"TemplateBody": GOOD})[0] is False


def test_in_the_sandbox_an_update_that_was_taken_back_is_fine_if_what_was_before_is_wanted(cloudformation):
    stacks = Stacks(cloudformation, lambda _: None)
    good = Wanted("orgctl-y", GOOD, {})
    stacks.put(good, {"TemplateBody": GOOD})
    with pytest.raises(OrgctlError, match=r"ended as UPDATE_ROLLBACK_COMPLETE: .*Sub.*; mend what it names"):
        stacks.put(Wanted("orgctl-y", BAD, {}), {"TemplateBody": BAD})
    assert stacks.put(good, {"TemplateBody": GOOD})[0] is False


def test_stack_that_somebody_deletes_meanwhile_is_told():
    assert said(CloudFormation("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", None)) == (
        "stack orgctl-x: was deleted by somebody while it was made; run again"
    )
