"""Findings and clicks on them reach a function by EventBridge, in the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from org.sandbox.scenarios.control import Control
from org.sandbox.server import Sandbox
from tests.support.functions import ACCOUNT, REGION, deploy, functions, permission, put_code, seen

PRODUCT = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
FINDING = {
    "SchemaVersion": "2018-10-08",
    "Id": "one",
    "ProductArn": PRODUCT,
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


@pytest.fixture
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def _action(id: str) -> dict[str, Any]:
    properties = {"Name": id, "Description": "d", "Id": id}
    return {"Type": "AWS::SecurityHub::ActionTarget", "DependsOn": "Hub", "Properties": properties}


def test_a_click_reaches_the_function_whose_rule_names_the_action(server: Sandbox) -> None:
    session = server.session(REGION)
    put_code(session)
    pattern = {
        "source": ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Custom Action"],
        "resources": [{"Fn::GetAtt": ["Approve", "ActionTargetArn"]}],
    }
    target = {"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}
    resources = {
        **functions(),
        "Hub": {"Type": "AWS::SecurityHub::Hub"},
        "Approve": _action("Approve"),
        "Refuse": _action("Refuse"),
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}},
        "Permission": permission("events.amazonaws.com", SourceArn={"Fn::GetAtt": ["Rule", "Arn"]}),
    }
    made = deploy(session, resources)
    hub: Any = session.client("securityhub")
    assert hub.batch_import_findings(Findings=[FINDING])["FailedCount"] == 0
    control = Control(server.endpoint)
    control.act_on_findings("Refuse", ["one"])
    assert seen(session) == []
    assert control.act_on_findings("Approve", ["one"]) == made["Approve"]
    (event,) = seen(session)
    assert event["resources"] == [made["Approve"]]
    assert (event["detail"]["actionName"], event["detail"]["findings"][0]["Id"]) == ("Approve", "one")
