"""Rules bring events, and schedules that are run, to functions; what they cannot do is refused when they are made."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from org.errors import OrgctlError
from org.sandbox.rule_targets import check_schedule
from org.sandbox.scenarios.control import Control
from tests.support.functions import (
    ACCOUNT,
    REGION,
    deploy,
    failure,
    functions,
    messages,
    permission,
    policy,
    put_code,
    seen,
)

RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
FUNCTION = {"Fn::GetAtt": ["Function", "Arn"]}
DEAD = {"Fn::GetAtt": ["Dead", "Arn"]}
PATTERN = {"EventPattern": {"source": ["test"]}}
DAILY = {"ScheduleExpression": "rate(1 day)"}


@pytest.fixture
def session(served: boto3.Session) -> boto3.Session:
    put_code(served)
    return served


@pytest.fixture
def control(session: boto3.Session) -> Control:
    return Control(session.client("sts").meta.endpoint_url)


def rule(*, on: dict[str, Any], target: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    targets = [{"Id": "t", "Arn": FUNCTION, **(target or {})}]
    return {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": "r", "Targets": targets, **on, **more}}}


def lets(**more: Any) -> dict[str, Any]:
    return {"May": permission("events.amazonaws.com", **more)}


def put(session: boto3.Session, detail: dict[str, Any]) -> None:
    entry = {"Source": "test", "DetailType": "t", "Detail": json.dumps(detail)}
    assert session.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_function_gets_the_event(session: boto3.Session) -> None:
    deploy(session, {**functions(), **rule(on=PATTERN), **lets(SourceArn=RULE)})
    put(session, {"n": 1})
    (event,) = seen(session)
    assert (event["source"], event["detail-type"], event["account"], event["detail"]) == (
        "test",
        "t",
        ACCOUNT,
        {"n": 1},
    )


def test_a_function_gets_the_input_of_the_target_in_place_of_the_event(session: boto3.Session) -> None:
    target = {"Input": json.dumps({"all": True})}
    deploy(session, {**functions(), **rule(on=PATTERN, target=target), **lets()})
    put(session, {})
    assert seen(session) == [{"all": True}]


@pytest.mark.parametrize(
    "may",
    [{}, lets(SourceArn=f"{RULE}-other"), lets(SourceAccount="111122223333"), {"May": permission("sns.amazonaws.com")}],
)
def test_a_function_that_does_not_let_the_rule_gets_nothing_and_the_dead_letters_say_why(
    session: boto3.Session, may: dict[str, Any]
) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    dead_may = policy({**service, "Action": "sqs:SendMessage", "Resource": DEAD})
    resources = {
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "DeadPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Dead"}], "PolicyDocument": dead_may},
        },
        **functions(),
        **rule(on=PATTERN, target={"DeadLetterConfig": {"Arn": DEAD}}),
        **may,
    }
    deploy(session, resources)
    put(session, {"n": 1})
    assert seen(session) == []
    (letter,) = messages(session, "dead")
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    told = {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}
    assert (told["RULE_ARN"], told["ERROR_CODE"]) == (RULE, "NO_PERMISSIONS")
    assert "lambda:InvokeFunction" in told["ERROR_MESSAGE"]


def test_a_schedule_runs_when_it_is_asked_to(session: boto3.Session, control: Control) -> None:
    deploy(session, {**functions(), **rule(on=DAILY), **lets(SourceArn=RULE)})
    assert seen(session) == []
    ((ran),) = control.run_schedules()
    (event,) = seen(session)
    assert (ran["rule"], ran["schedule"], ran["event"]) == (RULE, "rate(1 day)", event["id"])
    assert {name: event[name] for name in ("detail-type", "source", "account", "region", "resources", "detail")} == {
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [RULE],
        "detail": {},
    }


def test_one_rule_runs_by_its_name_or_arn_and_a_disabled_one_does_not(session: boto3.Session, control: Control) -> None:
    deploy(session, {**functions(), **rule(on=DAILY), **lets()})
    session.client("events").put_rule(Name="other", ScheduleExpression="rate(2 hours)")
    assert [each["rule"] for each in control.run_schedules("r")] == [RULE]
    assert [each["rule"] for each in control.run_schedules(RULE)] == [RULE]
    assert len(control.run_schedules()) == 2
    session.client("events").disable_rule(Name="r")
    with pytest.raises(OrgctlError, match="there is no enabled rule r with a schedule"):
        control.run_schedules("r")
    assert len(seen(session)) == 3


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(15 minutes)",
        "rate(1 day)",
        "cron(0 10 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0 0 L * ? *)",
        "cron(0 8 1W * ? *)",
        "cron(0 0 ? * 6L *)",
        "cron(0 0 ? * 3#2 2026-2030)",
        "cron(5,35 14 * JAN,DEC ? *)",
    ],
)
def test_a_schedule_of_the_forms_that_aws_takes_is_taken(expression: str) -> None:
    check_schedule(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 days)",
        "rate(2 day)",
        "rate(0 minutes)",
        "rate(1 week)",
        "1 day",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 * 13 ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 * * ? 1969)",
        "cron(a 10 * * ? *)",
        "at(2026-01-01T00:00:00)",
    ],
)
def test_another_schedule_is_refused(session: boto3.Session, expression: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        session.client("events").put_rule(Name="r", ScheduleExpression=expression)


REFUSED = [
    ({"Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"}, "the target arn:aws:states"),
    ({"Arn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"}, "the target arn:aws:kinesis"),
    ({"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"}, "versions and aliases"),
    ({"InputTransformer": {"InputTemplate": "{}"}}, "InputTransformer"),
    ({"InputPath": "$.detail"}, "InputPath"),
    ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}, "the role of a target of sqs"),
]


@pytest.mark.parametrize(("target", "what"), REFUSED)
def test_a_target_that_is_not_emulated_is_refused_when_the_rule_is_made(
    session: boto3.Session, target: dict[str, Any], what: str
) -> None:
    queue = {"Id": "t", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}
    events = session.client("events")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["test"]}))
    with pytest.raises(ClientError, match=what):
        events.put_targets(Rule="r", Targets=[{**queue, **target}])
    put(session, {})
    made = {"Type": "AWS::Events::Rule", "Properties": {**PATTERN, "Targets": [{**queue, **target}]}}
    assert what in failure(session, {"Rule": made})


GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/g"


def logging_rule(**more: Any) -> dict[str, Any]:
    """Answer a rule that writes to a log group, with the policy of log groups that says who may."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{GROUP}:*",
        **more,
    }
    given = {"PolicyName": "p", "PolicyDocument": json.dumps(policy(statement))}
    return {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/events/g"}},
        "May": {"Type": "AWS::Logs::ResourcePolicy", "Properties": given},
        **rule(on=PATTERN, target={"Arn": GROUP}),
    }


def logged(session: boto3.Session) -> list[Any]:
    found = session.client("logs").filter_log_events(logGroupName="/aws/events/g")["events"]
    return [json.loads(each["message"])["detail"] for each in found]


def test_a_log_group_gets_each_event(session: boto3.Session) -> None:
    deploy(session, logging_rule())
    put(session, {"n": 1})
    put(session, {"n": 2})
    assert sorted(each["n"] for each in logged(session)) == [1, 2]


@pytest.mark.parametrize(
    "more",
    [
        {"Resource": f"{GROUP}-other:*"},
        {"Action": "logs:CreateLogStream"},
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{RULE}-other"}}},
    ],
)
def test_a_log_group_that_no_policy_opens_to_the_rule_gets_nothing(
    session: boto3.Session, more: dict[str, Any]
) -> None:
    deploy(session, logging_rule(**more))
    put(session, {"n": 1})
    assert logged(session) == []
