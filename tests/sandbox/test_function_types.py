"""What a template says of a function holds, or is refused: permissions, layers, network, dead letters, environment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from org.sandbox.authorization.denial import Denied
from org.sandbox.functions.invocations import Invoker, later
from tests.support.functions import (
    ACCOUNT,
    REGION,
    allow,
    deploy,
    failure,
    functions,
    permission,
    policy,
    put_code,
)
from tests.support.sandbox import create_account, sandbox_session

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:taker"
CONFIG = "config.amazonaws.com"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
DEAD = {"Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}}
INTERFACES = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"]


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with sandbox_session(region=REGION) as session:
        put_code(session)
        yield session


def lets(by: Invoker) -> bool:
    try:
        later(ARN, {}, by)
    except Denied:
        return False
    return True


def statements(session: boto3.Session) -> list[dict[str, Any]]:
    text = session.client("lambda").get_policy(FunctionName="taker")["Policy"]
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def test_a_permission_is_a_statement_of_the_functions_policy_until_it_goes(session: boto3.Session) -> None:
    may = permission("s3.amazonaws.com", SourceArn="arn:aws:s3:::b", SourceAccount=ACCOUNT)
    deploy(session, {**functions(), "May": may, "Other": permission("111122223333", PrincipalOrgID="o-a1b2c3d4e5")})
    mine, others = statements(session)
    assert (mine["Principal"], mine["Action"], mine["Resource"]) == (
        {"Service": "s3.amazonaws.com"},
        "lambda:InvokeFunction",
        ARN,
    )
    assert mine["Condition"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
        "StringEquals": {"AWS:SourceAccount": ACCOUNT},
    }
    assert others["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert others["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    deploy(session, {**functions(), "May": may})
    assert statements(session) == [mine]


def whole_policy(organization: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": CONFIG},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {"StringEquals": {"aws:SourceOrgID": organization}},
    }
    given = {"ResourceArn": {"Fn::GetAtt": ["Function", "Arn"]}, "PolicyDocument": policy(statement)}
    return {"Type": "AWS::Lambda::ResourcePolicy", "Properties": given}


def test_a_policy_can_let_a_service_for_the_accounts_of_the_organization_alone(session: boto3.Session) -> None:
    organizations = session.client("organizations")
    id = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    member = create_account(organizations, "Audit")
    deploy(session, {**functions(), "Policy": whole_policy(id)})
    assert lets(Invoker(CONFIG, "arn:aws:config:x", member))
    assert lets(Invoker(CONFIG, "arn:aws:config:x", ACCOUNT))
    assert not lets(Invoker(CONFIG, "arn:aws:config:x", "999988887777"))
    assert not lets(Invoker(CONFIG))
    assert not lets(Invoker("events.amazonaws.com", "arn:aws:events:x", member))
    deploy(session, {**functions(), "Policy": whole_policy("o-another000")})
    assert not lets(Invoker(CONFIG, "arn:aws:config:x", member))
    deploy(session, functions())
    with pytest.raises(session.client("lambda").exceptions.ResourceNotFoundException):
        statements(session)


def test_a_layer_is_kept_in_versions_and_shown(session: boto3.Session) -> None:
    content = {"S3Bucket": "code", "S3Key": "code.zip"}
    layer: dict[str, Any] = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"LayerName": "packages", "Content": content, "CompatibleRuntimes": ["python3.13"]},
    }
    ids = deploy(session, {**functions(Layers=[{"Ref": "Layer"}]), "Layer": layer})
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:packages:1"
    client = session.client("lambda")
    shown = client.get_function_configuration(FunctionName="taker")
    assert (ids["Layer"], [each["Arn"] for each in shown["Layers"]]) == (arn, [arn])
    assert client.get_layer_version(LayerName="packages", VersionNumber=1)["CompatibleRuntimes"] == ["python3.13"]
    layer["Properties"] = {**layer["Properties"], "Description": "new"}
    deploy(session, {**functions(Layers=[{"Ref": "Layer"}]), "Layer": layer})
    shown = client.get_function_configuration(FunctionName="taker")
    assert [each["Arn"] for each in shown["Layers"]] == [f"{arn.removesuffix('1')}2"]
    assert [each["Version"] for each in client.list_layer_versions(LayerName="packages")["LayerVersions"]] == [2]


def network(session: boto3.Session) -> dict[str, Any]:
    ec2 = session.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="f", Description="d")["GroupId"]
    return {"SubnetIds": [subnet], "SecurityGroupIds": [group]}


def test_a_function_in_a_network_shows_it(session: boto3.Session) -> None:
    config = network(session)
    deploy(session, functions(allow(INTERFACES), VpcConfig=config))
    shown = session.client("lambda").get_function_configuration(FunctionName="taker")["VpcConfig"]
    subnet = session.client("ec2").describe_subnets(SubnetIds=config["SubnetIds"])["Subnets"][0]
    assert (shown["SubnetIds"], shown["SecurityGroupIds"]) == (config["SubnetIds"], config["SecurityGroupIds"])
    assert shown["VpcId"] == subnet["VpcId"]


def test_a_network_that_is_not_there_or_that_the_role_cannot_enter_is_refused(session: boto3.Session) -> None:
    config = network(session)
    assert "permissions to call CreateNetworkInterface on EC2" in failure(session, functions(VpcConfig=config))
    session.client("cloudformation").delete_stack(StackName="s")
    gone = {**config, "SubnetIds": ["subnet-0123456789abcdef0"]}
    assert "does not exist" in failure(session, functions(allow(INTERFACES), VpcConfig=gone))
    session.client("cloudformation").delete_stack(StackName="s")
    other = network(session)["SecurityGroupIds"]
    mixed = {**config, "SecurityGroupIds": other}
    assert "must be in one VPC" in failure(session, functions(allow(INTERFACES), VpcConfig=mixed))


def test_settings_are_shown_as_they_were_asked_for(session: boto3.Session) -> None:
    more = {
        "DeadLetterConfig": {"TargetArn": QUEUE},
        "EphemeralStorage": {"Size": 1024},
        "ReservedConcurrentExecutions": 5,
        "RecursiveLoop": "Terminate",
    }
    made = {**DEAD, **functions(allow("sqs:SendMessage", QUEUE), **more)}
    deploy(session, made)
    client = session.client("lambda")
    shown = client.get_function_configuration(FunctionName="taker")
    assert (shown["DeadLetterConfig"], shown["EphemeralStorage"]) == ({"TargetArn": QUEUE}, {"Size": 1024})
    assert client.get_function_concurrency(FunctionName="taker")["ReservedConcurrentExecutions"] == 5
    deploy(session, {**DEAD, **functions(allow("sqs:SendMessage", QUEUE))})
    shown = client.get_function_configuration(FunctionName="taker")
    assert ("DeadLetterConfig" in shown, shown["EphemeralStorage"]) == (False, {"Size": 512})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Layers": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:packages:1"]}, "Layer version .* does not exist"),
    ({"DeadLetterConfig": {"TargetArn": QUEUE}}, "does not have permissions to call SendMessage on SQS"),
    ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::b"}}, "does not emulate arn:aws:s3:::b as a destination"),
    ({"RecursiveLoop": "Allow"}, "does not emulate the RecursiveLoop Allow"),
    ({"Environment": {"Variables": {"A": "x" * 4_096}}}, "exceeded the 4KB limit"),
    ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
    ({"EphemeralStorage": {"Size": 20_000}}, "less than or equal to 10240"),
    ({"VpcConfig": {"SubnetIds": []}}, "needs SubnetIds and SecurityGroupIds"),
]


@pytest.mark.parametrize(("more", "why"), REFUSED)
def test_what_lambda_would_not_take_fails_the_stack(session: boto3.Session, more: dict[str, Any], why: str) -> None:
    assert re.search(why, failure(session, functions(**more)))


def config(**more: Any) -> dict[str, Any]:
    given = {"FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", **more}
    return {"Config": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": given}}


def test_what_becomes_of_events_is_shown_changed_and_forgotten(session: boto3.Session) -> None:
    to = {"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}
    own = {**DEAD, **functions(allow("sqs:SendMessage", QUEUE))}
    client = session.client("lambda")
    deploy(session, {**own, **config(MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60, **to)})
    shown = client.get_function_event_invoke_config(FunctionName="taker")
    assert (shown["MaximumRetryAttempts"], shown["MaximumEventAgeInSeconds"]) == (0, 60)
    assert shown["DestinationConfig"] == to["DestinationConfig"]
    deploy(session, {**own, **config(MaximumRetryAttempts=1)})
    assert client.get_function_event_invoke_config(FunctionName="taker")["MaximumRetryAttempts"] == 1
    client.put_function_event_invoke_config(FunctionName="taker", MaximumRetryAttempts=2)
    assert client.get_function_event_invoke_config(FunctionName="taker")["MaximumRetryAttempts"] == 2
    deploy(session, own)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName="taker")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"Qualifier": "live"}, "versions and aliases"),
        ({"DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}, "permissions to call SendMessage on SQS"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}}, "does not emulate arn:aws:s3:::b"),
        ({"MaximumRetryAttempts": 3}, "less than or equal to 2"),
    ],
)
def test_what_cannot_become_of_events_fails_the_stack(session: boto3.Session, more: dict[str, Any], why: str) -> None:
    assert why in failure(session, {**DEAD, **functions(), **config(**more)})
