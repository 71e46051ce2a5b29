"""What the sandbox has no clock or mailbox for is asked for, and shown, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from org.sandbox.process import sandbox_status
from org.sandbox.session import session_for
from tests.support.command_line import CommandLine

TARGET = "arn:aws:sns:us-east-1:123456789012:alerts"


@pytest.fixture
def clients(sandbox_home: Path, in_sandbox: CommandLine) -> Any:
    """What makes clients of the sandbox that the commands talk to."""
    del in_sandbox
    running = sandbox_status(sandbox_home)
    assert running is not None
    return session_for(running.endpoint).client


def test_a_schedule_is_run_and_its_mail_is_shown(in_sandbox: CommandLine, clients: Any) -> None:
    assert in_sandbox("sandbox", "run-schedules").err == "no enabled rule has a schedule\n"
    assert in_sandbox("sandbox", "sent").err == "nothing was sent\n"
    sns, events = clients("sns"), clients("events")
    sns.create_topic(Name="alerts")
    may = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**may, "Resource": TARGET}]})
    sns.set_topic_attributes(TopicArn=TARGET, AttributeName="Policy", AttributeValue=text)
    sns.subscribe(TopicArn=TARGET, Protocol="email", Endpoint="ops@example.com")
    arn = events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)")["RuleArn"]
    events.put_targets(Rule="nightly", Targets=[{"Id": "t", "Arn": TARGET, "Input": json.dumps({"say": "[hi]"})}])
    assert in_sandbox("sandbox", "run-schedules", "nightly").out == f"{arn}  rate(1 day)\n"
    assert [each["rule"] for each in json.loads(in_sandbox("sandbox", "run-schedules", "--format", "json").out)] == [
        arn
    ]
    heading, said, _ = in_sandbox("sandbox", "sent").out.splitlines()[:3]
    assert heading.endswith("  email  ops@example.com  AWS Notification Message")
    assert said == '{"say": "[hi]"}'
    kept = json.loads(in_sandbox("sandbox", "sent", "--format", "json").out)
    assert [(each["protocol"], each["endpoint"], each["topic"]) for each in kept] == [
        ("email", "ops@example.com", TARGET)
    ] * 2


def test_what_several_get_at_once_is_shown_once_and_only_what_is_asked_for(
    in_sandbox: CommandLine, clients: Any
) -> None:
    sns = clients("sns")
    sns.create_topic(Name="alerts")
    for who in ("a@example.com", "b@example.com"):
        sns.subscribe(TopicArn=TARGET, Protocol="email", Endpoint=who)
    for subject in ("Fire [drill]", "Water"):
        sns.publish(TopicArn=TARGET, Subject=subject, Message=f"{subject}!")
    lines = in_sandbox("sandbox", "sent", "Fire").out.splitlines()
    assert [line.partition("  ")[2] for line in lines[:2]] == [
        f"email  {who}@example.com  Fire [drill]" for who in ("a", "b")
    ]
    assert lines[2:] == ["Fire [drill]!", ""]
    assert in_sandbox("sandbox", "sent", "Wind").err == "nothing was sent whose subject has 'Wind'\n"


def test_a_rule_that_is_not_there_is_named(in_sandbox: CommandLine, clients: Any) -> None:
    del clients
    said = in_sandbox("sandbox", "run-schedules", "nightly")
    assert said.code == 1
    assert "there is no enabled rule nightly with a schedule" in said.err


def test_without_a_sandbox_both_say_how_to_start_one(
    orgctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGCTL_HOME", str(tmp_path))
    for command in ("run-schedules", "sent"):
        said = orgctl("sandbox", command)
        assert (said.code, said.err) == (1, "error: sandbox: is not running; start it with: orgctl sandbox start\n")
