"""Sources that contradict each other: planted in the accounts, read by the deployed reconciliation, told as findings.

All are planted first, each on a thing of its own; then the accounts are read once, on the schedule, and judged once.
What a usage report contradicts is not among them: it takes an account that cannot be read (see the tests of
`handlers.lineage.queries.contradictions`).
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.lineage.queries.disagreement import SETTLED
from org.sandbox.scenarios.images import APPROVED
from org.sandbox.scenarios.stage import APPROVER, BUILDER, DEVELOPER, STRANGER
from tests.support.deployed import HOME, Company

pytestmark = pytest.mark.xdist_group("company")

FACTORY, SHOP, SEARCH, PIPELINES = "Image Factory", "Shop", "Search", "Pipelines"
NOWHERE = "ami-44444444444444444"
DAY = 24 * 3600
Found = set[tuple[str, str]]
"""Rules and the ids of the things that break them."""


@dataclass
class Planted:
    company: Company
    things: dict[str, str] = field(default_factory=dict)
    """Ids by what is wrong with them."""
    before: Found = field(default_factory=set)
    after: Found = field(default_factory=set)
    mailed: list[str] = field(default_factory=list)

    def found(self) -> Found:
        return {
            (each["ProductFields"]["orgctl/rule"], each["ProductFields"]["orgctl/about"].rpartition("/")[2])
            for each in self.company.findings(GeneratorId="orgctl/contradiction/")
        }

    def say(self, what: str, image: str, **says: object) -> None:
        self.things[what] = image
        self.company.stage.control.say(image, HOME, **says)

    def silently(self, account: str, *, silent: bool) -> None:
        self.company.stage.control.silence(self.company.id_of(account), HOME, silent=silent)

    def forge(self, account: str, name: str, image: str, **other: str) -> None:
        """Send an event as an account's own CloudTrail would, now: like one that was sent, but for what is replaced."""
        genuine = next(
            each
            for each in self.company.stage.control.events()
            if each["detail"].get("eventName") == name and image in json.dumps(each["detail"])
            if "errorCode" not in each["detail"]
        )
        text = json.dumps(genuine).replace(genuine["account"], self.company.id_of(account))
        for old, new in ((genuine["id"], str(uuid.uuid4())), (genuine["detail"]["eventID"], str(uuid.uuid4()))):
            text = text.replace(old, new)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        times = {genuine["time"]: now, genuine["detail"]["eventTime"]: now}
        for old, new in {**other, **times}.items():
            text = text.replace(old, new)
        self.company.stage.control.publish(self.company.id_of(account), HOME, [json.loads(text)])


def plant(planted: Planted) -> None:
    company, things = planted.company, planted.things
    ids, stage = company.ids, company.stage
    factory, approver = stage.ec2(FACTORY, BUILDER), stage.ec2(FACTORY, APPROVER)
    shop, pipelines = stage.ec2(SHOP, DEVELOPER), stage.ec2(PIPELINES, DEVELOPER)

    def launch(ec2: Any, image: str) -> str:
        answer = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
        return str(answer["Instances"][0]["InstanceId"])

    machine = launch(factory, ids["base"])

    def image(name: str) -> str:
        return str(factory.create_image(InstanceId=machine, Name=name)["ImageId"])

    # EC2 says something else than the events.
    mark = {"WatermarkKey": f"{STRANGER}:gold", "SourceImageId": "ami-33333333", "SourceImageRegion": HOME}
    planted.say("another source", ids["copy of pipelines"], SourceImageId=ids["base"])
    # Of images of one parent, the ancestry is asked for once.
    strange = stage.control.public_image(STRANGER, HOME, "another-linux")
    other = pipelines.copy_image(SourceImageId=strange, SourceRegion=HOME, Name="linux-9")["ImageId"]
    planted.say(
        "another ancestry", other, Ancestry=[{"ImageId": other, "SourceImageId": ids["base"]}, {"ImageId": ids["base"]}]
    )
    planted.say("another machine", ids["derived"], SourceInstanceId=ids["group instance"])
    planted.say("a stranger's watermark", ids["self-approved"], ImageWatermarks=[mark])
    # Events that were dropped.
    things["a tag without approval"], things["a lost disabling"], things["a lost sharing"] = map(
        image, ("tagged", "disabled", "shared")
    )
    planted.silently(FACTORY, silent=True)
    approver.create_tags(Resources=[things["a tag without approval"]], Tags=[APPROVED])
    factory.disable_image(ImageId=things["a lost disabling"])
    factory.modify_image_attribute(ImageId=things["a lost sharing"], LaunchPermission={"Add": [{"UserId": STRANGER}]})
    things["a lost making"] = image("unheard")
    planted.silently(FACTORY, silent=False)
    things["a lost root"] = swapped = ids["template instance"]
    _wait_until_old(shop, swapped)
    planted.silently(SHOP, silent=True)
    _swap_root(shop, swapped, ids["written snapshot"], f"{HOME}a")
    data = {"ImageId": ids["copy of pipelines"], "InstanceType": "t3.micro"}
    planted.silently(SHOP, silent=False)
    planted.silently(PIPELINES, silent=True)
    pipelines.create_launch_template(
        LaunchTemplateName="unheard", LaunchTemplateData={**data, "ImageId": ids["laundered"]}
    )
    things["a lost template"] = ids["laundered"]
    planted.silently(PIPELINES, silent=False)
    # A root that is swapped while everybody listens.
    things["a swapped root"] = heard = launch(shop, ids["golden"])
    _swap_root(shop, heard, ids["written snapshot"], f"{HOME}a")
    # Events that are forged, by somebody who can write into the queue of an account's events.
    things["a forged image"] = NOWHERE
    planted.forge(PIPELINES, "CopyImage", ids["laundered copy"], **{ids["laundered copy"]: NOWHERE})
    things["a forged owner"] = ids["laundered copy"]
    planted.forge(SEARCH, "CopyImage", ids["laundered copy"])
    planted.silently(SEARCH, silent=True)
    things["a forged launch"] = launched = launch(stage.ec2(SEARCH, DEVELOPER), ids["golden"])
    planted.silently(SEARCH, silent=False)
    planted.forge(
        SEARCH,
        "RunInstances",
        ids["parameter instance"],
        **{ids["parameter instance"]: launched, ids["golden"]: ids["base"]},
    )


def _wait_until_old(ec2: Any, instance: str) -> None:
    """What is attached within a minute of the launch is taken to have come with it."""
    (group,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    begun = group["Instances"][0]["NetworkInterfaces"][0]["Attachment"]["AttachTime"]
    time.sleep(max(0.0, 62 - (datetime.now(UTC) - begun).total_seconds()))


def _swap_root(ec2: Any, instance: str, snapshot: str, zone: str) -> None:
    ec2.stop_instances(InstanceIds=[instance])
    (group,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    (old,) = [each["Ebs"]["VolumeId"] for each in group["Instances"][0]["BlockDeviceMappings"]]
    new = ec2.create_volume(AvailabilityZone=zone, SnapshotId=snapshot, Encrypted=True)["VolumeId"]
    ec2.detach_volume(VolumeId=old, InstanceId=instance)
    ec2.attach_volume(VolumeId=new, InstanceId=instance, Device="/dev/xvda")
    ec2.start_instances(InstanceIds=[instance])


@pytest.fixture(scope="module")
def planted(company: Company) -> Planted:
    planted = Planted(company)
    company.run("assess")
    planted.before = planted.found()
    sent = len(company.stage.control.sent())
    plant(planted)
    # Some of what AWS is asked, it is asked once a day.
    company.clock.turn(DAY + 3600)
    company.run("plan")
    company.clock.turn(SETTLED / 1000 + 60)
    company.run("assess")
    planted.after = planted.found()
    planted.mailed = [each["message"] for each in company.stage.control.sent()[sent:]]
    return planted


EXPECTED: dict[str, set[str]] = {
    "another source": {"parent", "ancestry"},
    "another ancestry": {"ancestry"},
    "another machine": {"source-instance"},
    "a stranger's watermark": {"watermark"},
    "a tag without approval": {"approval-tag"},
    "a lost disabling": {"state"},
    "a lost sharing": {"sharing"},
    "a lost making": {"unheard"},
    "a lost root": {"root-swap-unheard"},
    "a lost template": {"reference"},
    "a swapped root": {"root-swap"},
    "a forged image": {"unseen"},
    "a forged owner": {"owner"},
    "a forged launch": {"launch"},
}


def test_an_honest_life_contradicts_nothing_but_where_roots_were_replaced(planted: Planted) -> None:
    ids = planted.company.ids
    assert planted.before == {("contradiction/root-swap", ids[each]) for each in ("shop instance", "swapped instance")}


@pytest.mark.parametrize("what", EXPECTED)
def test_each_pair_of_sources_that_contradicts_itself_is_a_finding(planted: Planted, what: str) -> None:
    about = planted.things[what]
    rules = {rule for rule, id in planted.after - planted.before if id == about}
    assert rules == {f"contradiction/{each}" for each in EXPECTED[what]}
    assert any(about in each for each in planted.mailed), "people are told"


def test_nothing_else_is_found(planted: Planted) -> None:
    expected = {(f"contradiction/{rule}", planted.things[what]) for what, rules in EXPECTED.items() for rule in rules}
    assert planted.after == planted.before | expected


def test_a_finding_says_who_says_what_and_the_api_answers_it_as_well(planted: Planted) -> None:
    id = planted.things["another source"]
    (finding,) = planted.company.findings(
        Id=f"orgctl/contradiction/parent/aws/{HOME}/image/{id}", GeneratorId="orgctl/contradiction/parent"
    )
    ids = planted.company.ids
    for word in (f"{ids['golden']} by events", ids["base"], "by DescribeImages"):
        assert word in finding["Description"]
    said = planted.company.ask("/lineage/contradictions?size=10000").said
    assert {
        (f"contradiction/{each['rule']}", each["about"].rpartition("/")[2]) for each in said["found"]
    } == planted.after


def test_a_finding_ends_when_the_sources_agree_again(planted: Planted) -> None:
    company, id = planted.company, planted.things["a tag without approval"]
    company.stage.ec2(FACTORY, APPROVER).create_tags(Resources=[id], Tags=[APPROVED])
    company.run("assess")
    assert planted.after - planted.found() == {("contradiction/approval-tag", id)}
    (ended,) = company.findings(GeneratorId="orgctl/contradiction/approval-tag", RecordState="ARCHIVED")
    assert ended["ProductFields"]["orgctl/about"].endswith(id)
    assert ended["Compliance"]["Status"] == "PASSED"


def test_an_event_that_contradicts_its_envelope_is_a_finding_and_no_fact(planted: Planted) -> None:
    company = planted.company
    genuine = next(each for each in company.stage.control.events() if each["detail"].get("eventName") == "CopyImage")
    then = (datetime.now(UTC) - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    forged = {**genuine, "id": str(uuid.uuid4()), "account": company.id_of(SHOP), "time": then}
    company.stage.control.publish(company.id_of(SHOP), HOME, [forged])
    company.run("assess")
    (finding,) = company.findings(GeneratorId="orgctl/coverage/forged")
    assert company.id_of(SHOP) in finding["Id"]
    assert finding["Severity"]["Label"] == "HIGH"
