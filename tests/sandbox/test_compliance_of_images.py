"""What the functions of compliance tell arrives: in AWS Config of the account, in Security Hub, and at the topics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handlers import config_rules, finding_actions
from handlers.assess_compliance import Desk, answer
from handlers.lineage.ingest import add
from handlers.lineage.model import Batch, Fact, Kind, Relation, Time, key_of
from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.ledger import S3Store
from handlers.lineage.queries.asking import Scope
from handlers.lineage.readings.parse import parse_reading
from org.model import AccountId, Region
from org.sandbox.functions.invocations import waiting
from org.sandbox.securityhub.console import send_to_action
from org.sandbox.trail.events import published
from tests.support.cloud import HOME, Cloud
from tests.support.compliance import AMAZON, graph_of, settings
from tests.support.functions import zipped
from tests.support.lineage import MemoryGraph, fact, note
from tests.support.sandbox import written

NOW = Time(1_795_000_000_000)
GOOD, BAD = (key_of(Kind.IMAGE, f"ami-{number:017x}", Region(HOME)) for number in (1, 2))
FEW = {rule: {"enabled": False} for rule in ("encryption", "scan_freshness", "maximum_age", "naming", "required_tags")}
SCHEDULE = {"source": "aws.events"}


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    waiting.clear()
    yield
    waiting.clear()


def images(account: str) -> list[Fact]:
    """One image that keeps all rules, and one that is not approved."""
    facts = [AMAZON]
    for image in (GOOD, BAD):
        facts.append(fact(Relation.COPIED_FROM, image, AMAZON.child, 1))
        said = {"tag:SecurityScan": "PASSED", "state": "available", "creation_method": "copy"}
        facts.append(note(image, 1, owner=account, **said))
    return [*facts, note(GOOD, 2, **{"tag:ec2:SharedTag/status": "approved"})]


class Lineage:
    """The lineage account, with its hub, its custom actions and its topics, and a graph."""

    def __init__(self, cloud: Cloud) -> None:
        self.account = AccountId(cloud.make_account())
        self.owner = cloud.make_account()
        self.hub: Any = cloud.client("securityhub", self.account)
        self.sns: Any = cloud.client("sns", self.account)
        self.hub.enable_security_hub(EnableDefaultStandards=False)
        self.topics = [self.sns.create_topic(Name=name)["TopicArn"] for name in ("compliance", "alerts")]
        self.s3: Any = cloud.client("s3", self.account)
        self.s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": HOME})
        self.sqs: Any = cloud.client("sqs", self.account)
        self.product = Product(self.account, Region(HOME))
        self.graph: MemoryGraph = graph_of(*images(self.owner))

    def hear(self, topic: str, **filter: list[str]) -> str:
        """Answer the URL of a queue that gets what passes the filter."""
        url: str = self.sqs.create_queue(QueueName=f"q-{topic.rpartition(':')[2]}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": written(allowed)})
        attributes = {"FilterPolicy": json.dumps(filter)} if filter else {}
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return url

    def heard(self, url: str) -> list[dict[str, Any]]:
        got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"]) for each in got]

    def assess(self, now: int = NOW) -> dict[str, Any]:
        scope = Scope(frozenset({AccountId(self.owner)}))
        rules = settings(**FEW)
        desk = Desk(
            self.graph,
            self.hub,
            self.sns,
            *self.topics,
            rules,
            scope,
            self.product,
            Time(now),
            S3Store(self.s3, "state"),
        )
        return answer(SCHEDULE, desk)

    def findings(self, **filters: str) -> list[dict[str, Any]]:
        asked = {name: [{"Value": value, "Comparison": "EQUALS"}] for name, value in filters.items()}
        return [dict(each) for each in self.hub.get_findings(Filters=asked)["Findings"]]


@pytest.fixture
def lineage(cloud: Cloud) -> Lineage:
    return Lineage(cloud)


def test_findings_arrive_in_security_hub_are_left_alone_and_end(lineage: Lineage) -> None:
    assert lineage.assess()["findings_created"] == 1
    (finding,) = lineage.findings(RecordState="ACTIVE")
    assert finding["Id"] == f"orgctl/compliance/approval/{BAD}"
    assert finding["Severity"]["Label"] == "HIGH"
    assert finding["Compliance"]["Status"] == "FAILED"
    assert lineage.assess(NOW + 1000)["findings_unchanged"] == 1
    lineage.graph.append(Batch((note(BAD, 9, **{"tag:ec2:SharedTag/status": "approved"}),)))
    assert lineage.assess(NOW + 2000)["findings_resolved"] == 1
    assert lineage.findings(RecordState="ACTIVE") == []
    (ended,) = lineage.findings(RecordState="ARCHIVED")
    assert ended["Compliance"]["Status"] == "PASSED"


def test_an_unchanged_run_asks_security_hub_nothing(lineage: Lineage) -> None:
    lineage.assess()
    made: list[str] = []
    events = lineage.hub.meta.events
    events.register("before-call.securityhub", lambda model, **_: made.append(model.name))
    assert lineage.assess(NOW + 1000)["findings_unchanged"] == 1
    assert made == []
    lineage.s3.delete_object(Bucket="state", Key="published/compliance.json")
    assert lineage.assess(NOW + 2000)["findings_unchanged"] == 1
    assert made == ["GetFindings"]


def test_weakness_42_grave_findings_reach_who_asks_for_them_by_severity(lineage: Lineage) -> None:
    summaries, alerts = (
        lineage.hear(lineage.topics[0]),
        lineage.hear(lineage.topics[1], severity=["HIGH", "CRITICAL"], rule=["compliance/approval"]),
    )
    lineage.assess()
    (alert,) = lineage.heard(alerts)
    assert alert["Subject"].startswith("HIGH: An image is not approved")
    assert json.loads(alert["MessageAttributes"]["account"]["Value"]) == [lineage.owner]
    (summary,) = lineage.heard(summaries)
    assert summary["Message"].startswith("1 of 2 images and instances are compliant")


@pytest.mark.parametrize("action", ["ApproveAMI", "AnalyzeAMILineage"])
def test_a_custom_action_is_taken_as_security_hub_sends_it(lineage: Lineage, action: str) -> None:
    lineage.assess()
    alerts = lineage.hear(lineage.topics[1])
    lineage.hub.create_action_target(Name=action[:19], Description="…", Id=action)
    send_to_action(action, [f"orgctl/compliance/approval/{BAD}"])
    (event,) = [dict(each) for each in published() if each["detail-type"].endswith("Custom Action")]

    def send(body: str) -> None:
        add([parse_reading(body)], lineage.graph)

    desk = finding_actions.Desk(
        lineage.graph, send, lineage.hub, lineage.sns, lineage.topics[1], settings(), Scope(), lineage.product
    )
    assert finding_actions.answer(event, desk)["done"] == 1
    (told,) = lineage.heard(alerts)
    asked = [each for each in lineage.graph.facts.values() if dict(each.attributes).get("requested")]
    (finding,) = lineage.findings(RecordState="ACTIVE")
    if action == "ApproveAMI":
        assert [each.child for each in asked] == [BAD]
        assert told["Subject"] == f"Asked for: approve {BAD.rpartition('/')[2]}"
        assert "Note" not in finding
    else:
        assert asked == []
        assert "0 instances run its content" in finding["Note"]["Text"]


class Member:
    """An account with a recorder and a rule, whose function is not run: what waits for it is answered by the test."""

    def __init__(self, cloud: Cloud) -> None:
        self.id = cloud.make_account()
        self.config: Any = cloud.client("config", self.id)
        role = f"arn:aws:iam::{self.id}:role/recorder"
        self.config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
        place = {"LocationConstraint": HOME}
        cloud.client("s3", self.id).create_bucket(Bucket=f"config-{self.id}", CreateBucketConfiguration=place)
        self.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": f"config-{self.id}"})
        self.config.start_configuration_recorder(ConfigurationRecorderName="default")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        made = cloud.client("iam", self.id).create_role(RoleName="judge", AssumeRolePolicyDocument=written(trust))
        functions = cloud.client("lambda", self.id)
        code = {"ZipFile": zipped("def handler(event, context): pass")}
        functions.create_function(
            FunctionName="judge", Runtime="python3.13", Handler="app.handler", Role=made["Role"]["Arn"], Code=code
        )
        functions.add_permission(
            FunctionName="judge",
            StatementId="config",
            Principal="config.amazonaws.com",
            Action="lambda:InvokeFunction",
        )

    def put_rule(self, message: str, parameters: dict[str, str], **more: Any) -> None:
        source = {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": f"arn:aws:lambda:{HOME}:{self.id}:function:judge",
            "SourceDetails": [{"EventSource": "aws.config", "MessageType": message}],
        }
        rule = {"ConfigRuleName": "images", "Source": source, "InputParameters": json.dumps(parameters), **more}
        self.config.put_config_rule(ConfigRule=rule)

    def run(self, facts: list[Fact]) -> None:
        events = [json.loads(each.payload) for each in waiting]
        waiting.clear()
        assert events
        for event in events:
            config_rules.answer(event, graph_of(*facts), settings(**FEW), Scope(), NOW, lambda _: self.config)

    def results(self) -> dict[tuple[str, str], tuple[str, str]]:
        found = self.config.get_compliance_details_by_config_rule(ConfigRuleName="images")["EvaluationResults"]
        return {
            (qualifier["ResourceType"], qualifier["ResourceId"]): (each["ComplianceType"], each.get("Annotation", ""))
            for each in found
            for qualifier in [each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]]
        }


def test_a_scheduled_rule_of_config_shows_a_verdict_for_each_image(cloud: Cloud) -> None:
    member = Member(cloud)
    member.put_rule("ScheduledNotification", {"rules": "approval"})
    waiting.clear()
    member.config.start_config_rules_evaluation(ConfigRuleNames=["images"])
    member.run(images(member.id))
    good, bad = (image.rpartition("/")[2] for image in (GOOD, BAD))
    assert member.results() == {
        ("AWS::EC2::Image", good): ("COMPLIANT", "approval: its tag ec2:SharedTag/status is 'approved'"),
        ("AWS::EC2::Image", bad): ("NON_COMPLIANT", "approval: it has no tag ec2:SharedTag/status"),
        ("AWS::::Account", member.id): (
            "NON_COMPLIANT",
            "not evaluated: what is there was not read whole in eu-central-1",
        ),
    }


def test_a_changed_instance_gets_the_verdict_on_its_image(cloud: Cloud) -> None:
    member = Member(cloud)
    scope = {"Scope": {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}}
    member.put_rule("ConfigurationItemChangeNotification", {"rules": "instance-image"}, **scope)
    waiting.clear()
    ec2 = cloud.client("ec2", member.id)
    launched = ec2.run_instances(ImageId=ec2.register_image(Name="an-image")["ImageId"], MinCount=1, MaxCount=1)
    id = launched["Instances"][0]["InstanceId"]
    machine = key_of(Kind.INSTANCE, id, Region(HOME))
    facts = [fact(Relation.LAUNCHED_FROM, machine, BAD, 3), note(machine, 3, owner=member.id)]
    member.run([*images(member.id), *facts])
    says = f"instance-image: it boots {BAD.rpartition('/')[2]}, which is not compliant"
    assert member.results() == {("AWS::EC2::Instance", id): ("NON_COMPLIANT", says)}
