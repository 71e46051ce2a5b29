"""The reconciliation against the sandbox's EC2: an honest life contradicts nothing, and each lie is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from handlers.lineage.events.envelope import time_of
from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Kind, Place, Time, key_of
from handlers.lineage.queries.contradictions import contradictions
from handlers.lineage.queries.places import known_scope
from handlers.lineage.queries.verify import Result, verify
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile.asking import through
from handlers.lineage.reconcile.memory import Memory
from handlers.lineage.reconcile.reader import Read, read_place
from handlers.plan_reconciliation import plan
from org.model import AccountId, Region
from org.sandbox.trail.events import published
from stacksets.templates.names import APPROVAL_TAG
from tests.sandbox.test_image_origins import HOME, OTHER, control
from tests.support.lineage import MemoryGraph
from tests.support.sandbox import assume, create_account, organization

HOUR = 3_600_000
APPROVED = [{"Key": APPROVAL_TAG, "Value": "approved"}]


@dataclass
class Life:
    """Two accounts: Images makes, and shares with Shop, which launches."""

    images: boto3.Session
    shop: boto3.Session
    images_id: str
    shop_id: str
    graph: MemoryGraph = field(default_factory=MemoryGraph)
    memories: dict[Place, Memory] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    """Accounts that are not read."""

    @property
    def ec2(self) -> Any:
        return self.images.client("ec2", HOME)

    def live(self) -> None:
        """Make, approve, share, launch, point at."""
        ids, ec2, shop = self.ids, self.ec2, self.shop.client("ec2", HOME)
        ids["base"] = control("public-images", account="999988887777", region=HOME, name="base", alias="amazon")[
            "image"
        ]
        ids["copy"] = ec2.copy_image(SourceImageId=ids["base"], SourceRegion=HOME, Name="copy")["ImageId"]
        ids["builder"] = ec2.run_instances(ImageId=ids["copy"], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        ids["golden"] = ec2.create_image(InstanceId=ids["builder"], Name="golden")["ImageId"]
        ec2.create_tags(Resources=[ids["golden"]], Tags=APPROVED)
        ec2.modify_image_attribute(ImageId=ids["golden"], LaunchPermission={"Add": [{"UserId": self.shop_id}]})
        abroad = self.images.client("ec2", OTHER)
        ids["abroad"] = abroad.copy_image(SourceImageId=ids["golden"], SourceRegion=HOME, Name="abroad")["ImageId"]
        ids["web"] = shop.run_instances(ImageId=ids["golden"], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        shop.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": ids["golden"]})

    def hear(self) -> None:
        self.graph.append(batch_of([parse_event(json.dumps(each)) for each in published()]))

    def now(self, hours: int) -> Time:
        """So long after the last event; and the plan was there before the first."""
        return Time(max(time_of(str(each["time"]), "time") for each in published()) + hours * HOUR)

    def plan(self) -> None:
        told: list[str] = []
        accounts = [{"Id": each, "State": "ACTIVE"} for each in (self.images_id, self.shop_id)]
        own = Place(AccountId(self.images_id), Region(HOME))
        plan(accounts, [Region(HOME), Region(OTHER)], "o-exampleorg", own, lambda _: None, told.append, self.now(-24))
        self.graph.append(batch_of(map(parse_reading, told)))

    def read(self, hours: int) -> list[Read]:
        found = []
        for session, account in ((self.images, self.images_id), (self.shop, self.shop_id)):
            for region in () if account in self.closed else (HOME, OTHER):
                place = Place(AccountId(account), Region(region))
                each = read_place(
                    through(session.client("ec2", region)), place, self.memories.get(place), self.now(hours)
                )
                assert not each.refused, each.refused
                heards = [parse_reading(message) for message in each.messages]
                assert not [gap for heard in heards for gap in heard.gaps]
                self.graph.append(batch_of(heards))
                self.memories[place] = each.memory
                found.append(each)
        return found

    def judge(self) -> set[tuple[str, str]]:
        self.hear()
        self.plan()
        for hours in (1, 2, 3):  # a usage report is there with the third
            self.read(hours)
        found = contradictions(self.graph, known_scope(self.graph, self.now(4))).found
        names = {id: name for name, id in self.ids.items()}
        return {(each.rule, names.get(id := each.about.rpartition("/")[2], id)) for each in found}

    def silent(self, silent: bool, session: str = "images") -> None:
        account = self.images_id if session == "images" else self.shop_id
        for region in (HOME, OTHER):
            control("silence", account=account, region=region, silent=silent)

    def say(self, image: str, **said: Any) -> None:
        control("images", region=HOME, image=self.ids[image], says=said)


@pytest.fixture
def life() -> Iterator[Life]:
    with organization() as session:
        organizations = session.client("organizations")
        images, shop = create_account(organizations, "Images"), create_account(organizations, "Shop")
        made = Life(assume(session, images), assume(session, shop), images, shop)
        made.live()
        yield made


def test_an_honest_life_contradicts_nothing_and_its_public_base_is_known(life: Life) -> None:
    assert life.judge() == set()
    golden = key_of(Kind.IMAGE, life.ids["golden"], Region(HOME))
    abroad = key_of(Kind.IMAGE, life.ids["abroad"], Region(OTHER))
    scope = known_scope(life.graph, life.now(4))
    for image in (golden, abroad):
        assert verify(life.graph, image, ["amazon"], scope).result is Result.UNVERIFIED
        assert verify(life.graph, image, ["999988887777"], scope).result is Result.UNVERIFIED
        assert verify(life.graph, image, [life.images_id], scope).result is Result.UNTRUSTED_ROOT


def test_a_second_reading_of_the_sandbox_sends_nothing_new(life: Life) -> None:
    life.hear()
    life.plan()
    life.read(1)
    life.read(2)
    life.read(3)  # takes the usage report that the first has asked for
    before = len(life.graph.facts)
    again = life.read(4)
    assert [each.things for each in again] == [0, 0, 0, 0]
    assert len(life.graph.facts) == before + 4


Lie = Callable[[Life], None]


def _a_tag_in_silence(life: Life) -> None:
    life.silent(True)
    life.ec2.create_tags(Resources=[life.ids["copy"]], Tags=APPROVED)
    life.silent(False)


def _an_image_in_silence(life: Life) -> None:
    life.silent(True)
    life.ids["hidden"] = life.ec2.copy_image(SourceImageId=life.ids["base"], SourceRegion=HOME, Name="hidden")[
        "ImageId"
    ]
    life.silent(False)


def _an_end_in_silence(life: Life) -> None:
    life.silent(True)
    life.ec2.deregister_image(ImageId=life.ids["golden"])
    life.silent(False)


def _disabled_in_silence(life: Life) -> None:
    life.silent(True)
    life.ec2.disable_image(ImageId=life.ids["copy"])
    life.silent(False)


def _shared_in_silence(life: Life) -> None:
    life.silent(True)
    life.ec2.modify_image_attribute(ImageId=life.ids["copy"], LaunchPermission={"Add": [{"UserId": "999900001111"}]})
    life.silent(False)


def _used_in_silence(life: Life) -> None:
    life.ec2.modify_image_attribute(ImageId=life.ids["copy"], LaunchPermission={"Add": [{"UserId": life.shop_id}]})
    life.silent(True, "shop")
    life.shop.client("ec2", HOME).run_instances(ImageId=life.ids["copy"], MinCount=2, MaxCount=2)
    life.silent(False, "shop")
    # The account is not read either: the owner's usage report alone tells of it.
    life.closed.add(life.shop_id)


def _another_source(life: Life) -> None:
    life.say("golden", SourceImageId="ami-11111111")


def _another_instance(life: Life) -> None:
    life.say("golden", SourceInstanceId="i-11111111")


def _another_ancestry(life: Life) -> None:
    entry = {"CreationDate": "2026-01-01T00:00:00+00:00", "ImageId": life.ids["copy"], "SourceImageRegion": HOME}
    life.say("copy", Ancestry=[{**entry, "SourceImageId": "ami-22222222"}])


def _a_mark_of_a_stranger(life: Life) -> None:
    mark = {"WatermarkKey": "999988887777:gold", "SourceImageId": "ami-33333333", "SourceImageRegion": HOME}
    life.say("golden", ImageWatermarks=[mark])


def _a_forged_copy(life: Life) -> None:
    (copy,) = [
        each for each in published() if each["detail"].get("responseElements", {}) and _makes(each, life.ids["copy"])
    ]
    text = json.dumps(copy).replace(life.ids["copy"], "ami-44444444").replace(copy["detail"]["eventID"], "forged")
    life.ids["forged"] = "ami-44444444"
    life.graph.append(batch_of([parse_event(text)]))


def _makes(event: Mapping[str, Any], image: str) -> bool:
    return event["detail"].get("eventName") == "CopyImage" and image in json.dumps(event["detail"]["responseElements"])


def _a_root_swap(life: Life) -> None:
    life.ids["bad"] = life.ec2.copy_image(SourceImageId=life.ids["base"], SourceRegion=HOME, Name="bad")["ImageId"]
    (snapshot,) = [
        each["Ebs"]["SnapshotId"]
        for each in life.ec2.describe_images(ImageIds=[life.ids["bad"]])["Images"][0]["BlockDeviceMappings"]
        if "SnapshotId" in each["Ebs"]
    ]
    life.ec2.create_replace_root_volume_task(InstanceId=life.ids["builder"], SnapshotId=snapshot)


LIES: Mapping[str, tuple[Lie, set[tuple[str, str]]]] = {
    "a tag without an event": (_a_tag_in_silence, {("approval-tag", "copy")}),
    "an image without an event": (_an_image_in_silence, {("unheard", "hidden")}),
    "an image that went without an event": (_an_end_in_silence, {("unseen", "golden")}),
    "an image that was disabled without an event": (_disabled_in_silence, {("state", "copy")}),
    "a share without an event": (_shared_in_silence, {("sharing", "copy")}),
    "use without an event": (_used_in_silence, {("usage", "copy")}),
    "another source image": (_another_source, {("parent", "golden"), ("ancestry", "golden")}),
    "another source instance": (_another_instance, {("source-instance", "golden")}),
    "another ancestry": (_another_ancestry, {("ancestry", "copy")}),
    "a watermark of a stranger": (_a_mark_of_a_stranger, {("watermark", "golden")}),
    "a forged event": (_a_forged_copy, {("unseen", "forged")}),
    "a root swap": (_a_root_swap, {("root-swap", "builder")}),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_found_and_nothing_else(life: Life, name: str) -> None:
    lie, expected = LIES[name]
    lie(life)
    assert life.judge() == expected
