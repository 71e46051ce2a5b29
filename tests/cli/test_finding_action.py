"""`orgctl sandbox finding-action`: the click of Security Hub's console, on findings in the sandbox."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from org.sandbox.process import sandbox_status
from org.sandbox.scenarios.control import Control
from org.sandbox.session import session_for
from tests.support.command_line import CommandLine

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@pytest.fixture
def endpoint(in_sandbox: CommandLine, sandbox_home: Any) -> str:
    running = sandbox_status(sandbox_home)
    assert running is not None
    return str(running.endpoint)


@pytest.fixture
def hub(endpoint: str) -> Any:
    session: boto3.Session = session_for(endpoint, REGION)
    hub: Any = session.client("securityhub")
    hub.enable_security_hub(EnableDefaultStandards=False)
    hub.create_action_target(Name="Approve AMI", Description="lets it be used", Id="Approve")
    finding = {
        "SchemaVersion": "2018-10-08",
        "ProductArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default",
        "GeneratorId": "test",
        "AwsAccountId": ACCOUNT,
        "Types": ["TTPs"],
        "CreatedAt": "2026-11-26T08:00:00Z",
        "UpdatedAt": "2026-11-26T08:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "t",
        "Description": "d",
        "Resources": [{"Type": "Other", "Id": "ami-1"}],
    }
    assert hub.batch_import_findings(Findings=[{**finding, "Id": id} for id in ("one", "two")])["FailedCount"] == 0
    return hub


def test_findings_are_sent_to_the_action(in_sandbox: CommandLine, hub: Any, endpoint: str) -> None:
    arn = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/Approve"
    said = in_sandbox("sandbox", "finding-action", "Approve", "one", "two")
    assert (said.code, said.out) == (0, f"2 findings were sent to {arn}\n"), said.err
    told = Control(endpoint).events()[-1]
    assert (told["detail-type"], told["resources"]) == ("Security Hub Findings - Custom Action", [arn])
    assert [each["Id"] for each in told["detail"]["findings"]] == ["one", "two"]
    said = in_sandbox("sandbox", "finding-action", arn, "one", "--format", "json")
    assert json.loads(said.out) == {"action": arn, "findings": ["one"]}


def test_an_action_or_finding_that_is_not_there_is_told(in_sandbox: CommandLine, hub: Any) -> None:
    said = in_sandbox("sandbox", "finding-action", "Refuse", "one")
    assert (said.code, said.out) == (1, "")
    assert "there are 0 custom actions Refuse; known: arn:aws:securityhub:" in said.err
    said = in_sandbox("sandbox", "finding-action", "Approve", "three")
    assert f"there are 0 findings three in {ACCOUNT} {REGION}" in said.err
