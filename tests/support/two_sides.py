"""A small world told twice, by events and by AWS's answers: they agree until a test lets them differ."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.graph import Graph
from handlers.lineage.model import Time
from handlers.lineage.queries.contradictions import Contradictions, contradictions
from handlers.lineage.queries.places import known_scope
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile.memory import Memory
from handlers.lineage.reconcile.reader import read_place
from handlers.plan_reconciliation import plan
from org.model import Region
from tests.support.ec2_answers import AMAZON, FakeEc2, image, instance, place
from tests.support.lineage import REGION, MemoryGraph
from tests.support.lineage_events import call, notification

A, B, STRANGER = "111122223333", "444455556666", "999988887777"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
TAGGED = "ec2:SharedTag/status"


def clock(hours: int, minutes: int = 0) -> datetime:
    return DAY + timedelta(hours=hours, minutes=minutes)


def time(hours: int, minutes: int = 0) -> Time:
    return Time(int(clock(hours, minutes).timestamp() * 1000))


def text(hours: int, minutes: int = 0) -> str:
    return clock(hours, minutes).isoformat(timespec="seconds").replace("+00:00", "Z")


def heard(name: str, at: tuple[int, int], request: Any, response: Any, account: str = A) -> dict[str, Any]:
    """A call that CloudTrail tells of."""
    event = call(
        name,
        request,
        response,
        eventTime=text(*at),
        eventID=f"{name}-{at[0]}-{at[1]}-{account}",
        recipientAccountId=account,
    )
    return {**event, "account": account, "time": text(*at)}


def state_change(image: str, state: str, at: tuple[int, int]) -> dict[str, Any]:
    event = notification("EC2 AMI State Change", "aws.ec2", {"ImageId": image, "State": state})
    return {**event, "id": f"{image}-{state}-{at[0]}-{at[1]}", "time": text(*at)}


def run(instance: str, image: str, at: tuple[int, int], account: str = A) -> dict[str, Any]:
    row = {"instanceId": instance, "imageId": image, "instanceState": {"name": "pending"}, "instanceType": "t4g.small"}
    request = {"instancesSet": {"items": [{"imageId": image}]}}
    return heard("RunInstances", at, request, {"ownerId": account, "instancesSet": {"items": [row]}}, account)


def _events() -> dict[str, dict[str, Any]]:
    copy = {"sourceImageId": "ami-base", "sourceRegion": str(REGION), "name": "golden-copy"}
    share = {"imageId": "ami-made", "launchPermission": {"add": {"items": [{"userId": B}]}}}
    tag = {
        "resourcesSet": {"items": [{"resourceId": "ami-made"}]},
        "tagSet": {"items": [{"key": TAGGED, "value": "approved"}]},
    }
    template = {
        "CreateLaunchTemplateRequest": {"LaunchTemplateName": "web", "LaunchTemplateData": {"ImageId": "ami-made"}}
    }
    made = {"launchTemplate": {"launchTemplateId": "lt-1", "defaultVersionNumber": 1, "latestVersionNumber": 1}}
    register = {
        "name": "golden-reg",
        "blockDeviceMapping": {"items": [{"deviceName": "/dev/xvda", "ebs": {"snapshotId": "snap-1"}}]},
    }
    return {
        "copy": heard("CopyImage", (10, 0), copy, {"imageId": "ami-copy"}),
        "copy is there": state_change("ami-copy", "available", (10, 4)),
        "mark": heard(
            "AttachImageWatermark",
            (10, 5),
            {"imageId": "ami-copy", "watermarkName": "golden"},
            {"watermarkKey": f"{A}:golden"},
        ),
        "build": run("i-builder", "ami-copy", (10, 10)),
        "make": heard(
            "CreateImage", (10, 20), {"instanceId": "i-builder", "name": "golden-made"}, {"imageId": "ami-made"}
        ),
        "made is there": state_change("ami-made", "available", (10, 25)),
        "approve": heard("CreateTags", (10, 30), tag, {"_return": True}),
        "share": heard("ModifyImageAttribute", (10, 35), share, {"_return": True}),
        "web": run("i-web", "ami-made", (10, 40)),
        "their web": run("i-theirs", "ami-made", (10, 41), B),
        "template": heard("CreateLaunchTemplate", (10, 45), template, {"CreateLaunchTemplateResponse": made}),
        "register": heard("RegisterImage", (11, 0), register, {"imageId": "ami-reg"}),
    }


def _mark(source: str) -> dict[str, Any]:
    return {
        "WatermarkKey": f"{A}:golden",
        "SourceImageId": source,
        "SourceImageRegion": str(REGION),
        "WatermarkCreationTime": clock(10, 5),
    }


def _machine(id: str, image: str, at: tuple[int, int]) -> dict[str, Any]:
    row = instance(id, image, LaunchTime=clock(*at))
    row["NetworkInterfaces"][0]["Attachment"]["AttachTime"] = clock(*at)
    row["BlockDeviceMappings"][0]["Ebs"]["AttachTime"] = clock(*at)
    return row


def _answers() -> FakeEc2:
    ec2 = FakeEc2(place(A), now=clock(12))
    here = {"SourceImageRegion": str(REGION)}
    ec2.put(
        image("ami-base", OwnerId=AMAZON, ImageOwnerAlias="amazon", CreationDate="2026-01-01T00:00:00.000Z"),
        image("ami-copy", CreationDate=text(10), SourceImageId="ami-base", **here, ImageWatermarks=[_mark("ami-copy")]),
        image(
            "ami-made",
            CreationDate=text(10, 20),
            SourceImageId="ami-copy",
            **here,
            SourceInstanceId="i-builder",
            Tags=[{"Key": TAGGED, "Value": "approved"}],
            ImageWatermarks=[_mark("ami-copy")],
            LastLaunchedTime=text(10, 40),
        ),
        image("ami-reg", CreationDate=text(11)),
        _machine("i-builder", "ami-copy", (10, 10)),
        _machine("i-web", "ami-made", (10, 40)),
    )
    ec2.permissions["ami-made"] = [{"UserId": B}]
    ec2.usage["ami-made"] = {B: 1}
    ec2.references = [_template("lt-1")]
    ec2.ancestries["ami-copy"] = [
        {"ImageId": "ami-copy", "CreationDate": clock(10), "SourceImageId": "ami-base", **here},
        {"ImageId": "ami-base", "CreationDate": datetime(2026, 1, 1, tzinfo=UTC), "ImageOwnerAlias": "amazon"},
    ]
    return ec2


def _template(id: str) -> dict[str, str]:
    arn = f"arn:aws:ec2:{REGION}:{A}:launch-template/{id}"
    return {"ImageId": "ami-made", "ResourceType": "ec2:LaunchTemplate", "Arn": arn}


@dataclass
class TwoSides:
    """What is heard and what is answered; `judge` lets both into a graph and asks what contradicts itself."""

    events: dict[str, dict[str, Any]] = field(default_factory=_events)
    ec2: FakeEc2 = field(default_factory=_answers)
    graph: Graph = field(default_factory=MemoryGraph)
    memory: Memory | None = None

    def expect(self, *accounts: str) -> None:
        """Let the plan tell which accounts there are."""
        told: list[str] = []
        open_ones = [{"Id": each, "State": "ACTIVE"} for each in accounts]
        plan(open_ones, [Region(REGION)], "o-exampleorg", place(A), lambda _: None, told.append, time(0))
        self.take_readings(told)

    def hear(self) -> None:
        heards = [parse_event(json.dumps(each)) for each in self.events.values()]
        assert {each.outcome for each in heards} <= {Outcome.FACTS}, [each.reason for each in heards]
        self.graph.append(batch_of(heards))

    def read(self, hours: int) -> None:
        found = read_place(self.ec2, place(A), self.memory, time(hours))
        self.memory = found.memory
        self.take_readings(found.messages)

    def take_readings(self, messages: Any) -> None:
        heards = [parse_reading(each) for each in messages]
        assert {each.outcome for each in heards} == {Outcome.FACTS}, [each.reason for each in heards]
        assert not [gap for each in heards for gap in each.gaps]
        self.graph.append(batch_of(heards))

    def finish_reports(self) -> None:
        for each in self.ec2.reports.values():
            each["State"] = "available"

    def tell(self) -> None:
        """Events, then two readings: the second has the usage report that the first has asked for."""
        self.expect(A, B)
        self.hear()
        self.read(12)
        self.finish_reports()
        self.read(18)

    def ask(self, hours: int = 19) -> Contradictions:
        return contradictions(self.graph, known_scope(self.graph, time(hours), 7 * 86_400_000))

    def judge(self) -> set[tuple[str, str]]:
        self.tell()
        return {(each.rule, each.about.rpartition("/")[2]) for each in self.ask().found}

    def drop(self, *names: str) -> None:
        for each in names:
            del self.events[each]
