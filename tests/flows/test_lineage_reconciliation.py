"""The reconciliation's stack, as it is written for AWS, at work in the sandbox: which readings come into the queue.

Its functions run from the zip, in the roles that the template gives them; each account has the role of the baseline.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from troposphere import Equals, Parameter, Ref, Template

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.model import Kind, key_of
from handlers.lineage.queries.places import place_readings
from handlers.lineage.readings.form import READINGS_QUEUE
from handlers.lineage.readings.parse import parse_reading
from org.model import Region
from org.sandbox.scenarios.control import Control
from org.sandbox.server import Sandbox
from org.sandbox.session import Credentials, session_for
from stacksets.bundle import build_bundle
from stacksets.templates.lineage_roles import lineage_roles
from tests.support.ec2_answers import place
from tests.support.functions import ACCOUNT, REGION, messages
from tests.support.lineage import MemoryGraph
from tests.support.sandbox import create_account

TEMPLATE = Path(__file__).parents[1] / "golden" / "templates" / "lineage-reconciliation.json"
EXTERNAL_ID = "sesame-open"


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


def _roles(organization: str) -> Template:
    """The part of the baseline that lets the reconciliation in."""
    template = Template()
    values = {
        "HomeRegion": REGION,
        "OrganizationId": organization,
        "ExternalId": EXTERNAL_ID,
        "LineageAccountId": ACCOUNT,
    }
    for name, value in values.items():
        template.add_parameter(Parameter(name, Type="String", Default=value))
    template.add_condition("IsHomeRegion", Equals(Ref("HomeRegion"), REGION))
    for role in lineage_roles():
        template.add_resource(role)
    return template


def _deploy(session: boto3.Session, name: str, body: str, **parameters: str) -> None:
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=body,
        Parameters=[{"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")


def _enter(server: Sandbox, session: boto3.Session, account: str) -> boto3.Session:
    arn = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    entered = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    credentials = Credentials(entered["AccessKeyId"], entered["SecretAccessKey"], entered["SessionToken"])
    return session_for(server.endpoint, Region(REGION), credentials)


def test_the_schedule_reads_every_account_that_lets_it_in_and_tells_of_the_others(server: Sandbox) -> None:
    session = server.session(REGION)
    organizations = session.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    ids = {name: create_account(organizations, name) for name in ("Open", "Closed")}
    member = _enter(server, session, ids["Open"])
    for each in (session, member):
        _deploy(each, "roles", _roles(organization).to_json())
    image = member.client("ec2").register_image(Name="golden", RootDeviceName="/dev/xvda")["ImageId"]

    s3, bundle = session.client("s3"), build_bundle()
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code", Key=bundle.key, Body=bundle.content)
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    queue = session.client("sqs").create_queue(QueueName=READINGS_QUEUE)["QueueUrl"]
    settings = {"organization": organization, "home_region": REGION, "regions": [REGION], "external_id": EXTERNAL_ID}
    _deploy(
        session,
        "lineage-reconciliation",
        TEMPLATE.read_text(),
        CodeBucket="code",
        CodeKey=bundle.key,
        FunctionsKeyArn=key,
        ErrorTopicArn=session.client("sns").create_topic(Name="errors")["TopicArn"],
        Settings=json.dumps(settings),
        ReadingsQueueUrl=queue,
        ReadingsQueueArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{READINGS_QUEUE}",
        EventsKeyArn=key,
        OrganizationId=organization,
    )

    def run() -> MemoryGraph:
        Control(server.endpoint).run_schedules()
        heards = [parse_reading(each["Body"]) for each in messages(session, READINGS_QUEUE)]
        assert {each.outcome for each in heards} == {Outcome.FACTS}, [each.reason for each in heards]
        graph = MemoryGraph()
        graph.append(batch_of(heards))
        return graph

    graph = run()
    readings = place_readings(graph)
    told = {each: (reading.expected, reading.read, reading.unread) for each, reading in readings.items()}
    assert told == {
        place(ACCOUNT): (True, "yes", ""),
        place(ids["Open"]): (True, "yes", ""),
        place(ids["Closed"]): (True, "no", "sts:AssumeRole: AccessDenied;"),
    }
    assert key_of(Kind.IMAGE, image, Region(REGION)) in {fact.child for fact in graph.facts.values()}
    assert not messages(session, "orgctl-lineage-reconcile-dead-letters")
    kept = s3.list_objects_v2(Bucket=f"orgctl-lineage-state-{ACCOUNT}-{REGION}")["Contents"]
    assert {each["Key"] for each in kept} == {f"last-read/{each}/{REGION}.json" for each in (ACCOUNT, ids["Open"])}
    # A second run sends nothing about the image, which is as it was.
    assert {each.rpartition("/")[2] for each in {fact.child for fact in run().facts.values()}} == {
        ACCOUNT,
        *ids.values(),
    }
