"""One account in one Region: what is new is sent, nothing twice, nothing of what was refused, by the fewest calls."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.model import Kind, Relation, Time, key_of, kind_of
from handlers.lineage.readings.form import BYTES_AT_ONCE, THINGS_AT_ONCE
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.reconcile import reader
from handlers.lineage.reconcile.memory import Memory, from_text, to_text
from handlers.lineage.reconcile.reader import Read, read_place
from tests.support.ec2_answers import AMAZON, PLACE, FakeEc2, at, image, instance
from tests.support.lineage import REGION, MemoryGraph

NOW = Time(1_795_000_000_000)
HOUR = 3_600_000


def read(ec2: FakeEc2, memory: Memory | None = None, now: int = NOW) -> Read:
    ec2.asked.clear()
    return read_place(ec2, PLACE, memory, Time(now))


def lists(each: Read) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for message in each.messages:
        for name, rows in json.loads(message)["detail"].items():
            if isinstance(rows, list):
                found.setdefault(name, []).extend(rows)
    return found


def facts_added(graph: MemoryGraph, each: Read) -> int:
    before = len(graph.facts)
    graph.append(batch_of(map(parse_reading, each.messages)))
    return len(graph.facts) - before


def world() -> FakeEc2:
    """A public base, its copy, an image of an instance of the copy, and one that was registered."""
    ec2 = FakeEc2()
    ec2.put(
        image("ami-base", OwnerId=AMAZON, ImageOwnerAlias="amazon", Public=True),
        image("ami-copy", SourceImageId="ami-base", SourceImageRegion="eu-central-1"),
        image(
            "ami-made", SourceImageId="ami-copy", SourceInstanceId="i-builder", Tags=[{"Key": "Team", "Value": "web"}]
        ),
        image("ami-registered"),
        instance("i-builder", "ami-copy"),
        instance("i-web", "ami-made", Tags=[{"Key": "Name", "Value": "web"}]),
    )
    ec2.ancestries["ami-copy"] = [
        {
            "ImageId": "ami-copy",
            "SourceImageId": "ami-base",
            "SourceImageRegion": "eu-central-1",
            "CreationDate": at("2026-11-01T08:00:00+00:00"),
        },
        {"ImageId": "ami-base", "ImageOwnerAlias": "amazon", "CreationDate": at("2026-10-01T00:00:00+00:00")},
    ]
    return ec2


def test_a_first_reading_sends_all_by_one_call_for_each_thing_that_no_other_call_tells():
    ec2 = world()
    first = read(ec2)
    assert ec2.counts == {
        "DescribeImages": 2,  # its own, and the base by its id
        "DescribeInstances": 1,
        "GetImageAncestry": 1,  # of the one image whose parent is not the account's own
        "DescribeImageAttribute": 3,
        "DescribeImageReferences": 1,
    }
    assert first.calls == ec2.counts
    sent = lists(first)
    assert [each["ImageId"] for each in sent["images"]] == ["ami-copy", "ami-made", "ami-registered", "ami-base"]
    assert [each["InstanceId"] for each in sent["instances"]] == ["i-builder", "i-web"]
    assert not sent["unread"]


def test_a_second_reading_of_the_same_sends_nothing_but_that_it_was_done():
    ec2, graph = world(), MemoryGraph()
    first = read(ec2)
    facts_added(graph, first)
    second = read(ec2, first.memory, NOW + 6 * HOUR)
    assert ec2.counts == {"DescribeImages": 1, "DescribeInstances": 1}
    (message,) = second.messages
    assert json.loads(message)["detail"] == {"done": True, "since": "2026-11-18T11:06:40.000Z", "unread": []}
    assert facts_added(graph, second) == 1


def test_what_is_read_twice_adds_nothing_the_second_time():
    graph = MemoryGraph()
    once = read(world())
    assert facts_added(graph, once) > 20
    assert facts_added(graph, once) == 0
    assert facts_added(graph, read(world())) == 0


def test_without_its_memory_only_states_of_the_new_time_are_added():
    graph = MemoryGraph()
    facts_added(graph, read(world()))
    before = set(graph.facts)
    facts_added(graph, read(world(), None, NOW + HOUR))
    new = [fact for id, fact in graph.facts.items() if id not in before]
    assert {fact.evidence.time for fact in new} == {NOW + HOUR}
    assert {fact.relation for fact in new} <= {Relation.NOTED, Relation.WATERMARKED, Relation.SHARED_WITH}


def test_only_what_has_changed_is_sent():
    ec2 = world()
    first = read(ec2)
    ec2.images["ami-made"]["State"] = "disabled"
    ec2.images["ami-copy"]["LastLaunchedTime"] = "2026-11-19T00:00:00Z"
    second = lists(read(ec2, first.memory, NOW + HOUR))
    assert [each["ImageId"] for each in second["images"]] == ["ami-made"]
    assert "instances" not in second


def test_what_is_no_longer_answered_is_told_as_missing_once():
    ec2 = world()
    first = read(ec2)
    del ec2.images["ami-made"], ec2.instances["i-web"]
    second = read(ec2, first.memory, NOW + HOUR)
    assert lists(second)["missing"] == [{"ImageId": "ami-made"}, {"InstanceId": "i-web"}]
    assert "missing" not in lists(read(ec2, second.memory, NOW + 2 * HOUR))


def test_what_ended_before_it_went_is_not_missing():
    ec2 = world()
    ec2.instances["i-web"]["State"] = {"Name": "terminated"}
    ec2.images["ami-made"]["State"] = "deregistered"
    first = read(ec2)
    del ec2.images["ami-made"], ec2.instances["i-web"]
    assert "missing" not in lists(read(ec2, first.memory, NOW + HOUR))


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
@pytest.mark.parametrize("call", ["DescribeImages", "DescribeInstances"])
def test_a_refused_call_is_told_and_nothing_is_taken_for_missing(call, code):
    ec2 = world()
    first = read(ec2)
    ec2.refuse[call] = code
    second = read(ec2, first.memory, NOW + HOUR)
    assert lists(second)["unread"] == [{"call": call, "reason": code}]
    assert "missing" not in lists(second)
    assert second.refused == {call: code}
    ec2.refuse.clear()
    third = read(ec2, second.memory, NOW + 2 * HOUR)
    assert lists(third) == {"unread": []}


def test_a_page_that_is_refused_makes_the_whole_list_unread():
    ec2 = world()
    ec2.page = 2
    pages = []

    def refusing(call, asked):
        pages.append(call)
        if asked.get("NextToken") and asked.get("Owners"):
            ec2.refuse["DescribeImages"] = "RequestLimitExceeded"
        return ec2(call, asked)

    found = read_place(refusing, PLACE, None, NOW)
    assert lists(found)["unread"] == [{"call": "DescribeImages", "reason": "RequestLimitExceeded"}]
    assert "images" not in lists(found)


def test_a_denied_call_is_not_made_again_for_each_image():
    ec2 = world()
    ec2.refuse["DescribeImageAttribute"] = "UnauthorizedOperation"
    read(ec2)
    assert ec2.counts["DescribeImageAttribute"] == 1


def test_all_pages_are_read():
    ec2 = FakeEc2(page=3)
    ec2.put(*(image(f"ami-{number}") for number in range(10)), *(instance(f"i-{n}", "ami-1") for n in range(7)))
    found = read(ec2)
    assert (len(lists(found)["images"]), len(lists(found)["instances"])) == (10, 7)
    assert (ec2.counts["DescribeImages"], ec2.counts["DescribeInstances"]) == (4, 3)


def test_messages_hold_a_hundred_things_and_fit_into_the_queue():
    ec2 = FakeEc2()
    ec2.put(*(image(f"ami-{number}", Description="ä" * 3_000) for number in range(250)))
    found = read(ec2)
    assert len(lists(found)["images"]) == 250
    for message in found.messages:
        rows = [rows for rows in json.loads(message)["detail"].values() if isinstance(rows, list)]
        assert sum(map(len, rows)) <= THINGS_AT_ONCE
        assert len(message.encode()) < BYTES_AT_ONCE + 40_000
    assert [json.loads(message)["detail"].get("done") for message in found.messages][-1] is True


def test_images_of_others_are_asked_for_by_two_hundred_and_once():
    ec2 = FakeEc2()
    ec2.put(*(instance(f"i-{number}", f"ami-{number}") for number in range(450)))
    ec2.put(*(image(f"ami-{number}", OwnerId=AMAZON) for number in range(400)))
    first = read(ec2)
    assert ec2.counts["DescribeImages"] == 1 + 3
    assert len(lists(first)["images"]) == 400
    # The fifty that were not to be seen are looked for again after a week, the others never.
    second = read(ec2, first.memory, NOW + HOUR)
    assert ec2.counts["DescribeImages"] == 1
    read(ec2, second.memory, NOW + 8 * 24 * HOUR)
    assert ec2.counts["DescribeImages"] == 2


def test_launch_permissions_are_asked_for_weekly_and_when_the_image_has_changed():
    ec2 = world()
    first = read(ec2)
    ec2.permissions["ami-made"] = [{"UserId": "999988887777"}]
    assert "permissions" not in lists(read(ec2, first.memory, NOW + HOUR))
    ec2.images["ami-made"]["Description"] = "new"
    second = read(ec2, first.memory, NOW + 2 * HOUR)
    assert ec2.counts["DescribeImageAttribute"] == 1
    assert lists(second)["permissions"] == [{"ImageId": "ami-made", "LaunchPermissions": [{"UserId": "999988887777"}]}]
    third = read(ec2, second.memory, NOW + 8 * 24 * HOUR)
    assert ec2.counts["DescribeImageAttribute"] == 3
    assert "permissions" not in lists(third)


def test_a_usage_report_is_made_of_shared_images_alone_and_read_when_it_is_there():
    ec2 = world()
    ec2.permissions["ami-made"] = [{"UserId": "999988887777"}]
    ec2.usage["ami-made"] = {"999988887777": 4}
    first = read(ec2)
    assert [asked["ImageId"] for call, asked in ec2.asked if call == "CreateImageUsageReport"] == ["ami-made"]
    second = read(ec2, first.memory, NOW + HOUR)
    assert "usage" not in lists(second)
    ec2.reports["amiur-0"]["State"] = "available"
    third = read(ec2, second.memory, NOW + 2 * HOUR)
    (row,) = lists(third)["usage"]
    assert row["Entries"] == [{"AccountId": "999988887777", "ResourceType": "ec2:Instance", "UsageCount": 4}]
    read(ec2, third.memory, NOW + 3 * HOUR)
    assert not {"CreateImageUsageReport", "DescribeImageUsageReports"} & set(ec2.counts)
    read(ec2, third.memory, NOW + 8 * 24 * HOUR)
    assert ec2.counts["CreateImageUsageReport"] == 1


def test_references_are_asked_for_ten_images_at_once_and_told_when_they_change():
    ec2 = FakeEc2()
    ec2.put(*(image(f"ami-{number}", LastLaunchedTime="2026-11-10T00:00:00Z") for number in range(25)))
    arn = "arn:aws:ec2:eu-central-1:111122223333:launch-template/lt-1"
    ec2.references = [{"ImageId": "ami-3", "ResourceType": "ec2:LaunchTemplate", "Arn": arn}]
    first = read(ec2)
    assert ec2.counts["DescribeImageReferences"] == 3
    assert lists(first)["references"] == [{"ImageId": "ami-3", "Arns": [arn]}]
    ec2.references = []
    assert "references" not in lists(read(ec2, first.memory, NOW + HOUR))
    assert lists(read(ec2, first.memory, NOW + 24 * HOUR))["references"] == [{"ImageId": "ami-3", "Arns": []}]


def test_the_memory_is_the_same_after_it_was_written_and_read():
    memory = read(world()).memory
    kept = from_text(to_text(memory))
    assert kept is not None
    assert asdict(kept) == asdict(memory)
    for strange in ("", "[]", "null", '{"version": 0}', '{"version": 1}', '{"version": 1, "since": 1, "other": 2}'):
        assert from_text(strange) is None, strange


NAMES = st.sampled_from([f"ami-{letter}" for letter in "abcdef"])


@st.composite
def worlds(draw: st.DrawFn) -> FakeEc2:
    ec2 = FakeEc2()
    for id in draw(st.sets(NAMES)):
        said = {"OwnerId": draw(st.sampled_from([PLACE.account, AMAZON])), "Public": draw(st.booleans())}
        said |= {"State": draw(st.sampled_from(["available", "disabled", "pending"]))}
        source = draw(st.none() | NAMES)
        if source and source != id:
            said |= {"SourceImageId": source, "SourceImageRegion": draw(st.sampled_from(["eu-central-1", "us-east-1"]))}
        said["Tags"] = [{"Key": key, "Value": draw(st.text(max_size=3))} for key in draw(st.sets(st.text(max_size=3)))]
        if not all(tag["Key"] for tag in said["Tags"]):
            del said["Tags"]
        ec2.put(image(id, **said))
        ec2.permissions[id] = [{"UserId": each} for each in draw(st.sets(st.sampled_from(["999988887777", "all"])))]
    for number in range(draw(st.integers(0, 4))):
        moved = at("2026-11-02T09:00:00+00:00") + timedelta(hours=draw(st.integers(0, 2)))
        ec2.put(instance(f"i-{number}", draw(NAMES), LaunchTime=moved))
    return ec2


@settings(deadline=None)
@given(worlds())
def test_of_any_world_a_second_reading_adds_nothing_but_that_it_was_done(ec2):
    graph = MemoryGraph()
    first = read(ec2)
    assert {parse_reading(message).outcome for message in first.messages} == {Outcome.FACTS}
    facts_added(graph, first)
    again = read(ec2, from_text(to_text(first.memory)), NOW + HOUR)
    assert facts_added(graph, again) == 1


@settings(deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_what_aws_answers_changes_nothing(ec2, random):
    first = read(ec2)
    for each in (*ec2.images.values(), *ec2.instances.values()):
        for rows in each.values():
            if isinstance(rows, list):
                random.shuffle(rows)
    again = read(ec2, first.memory, NOW + HOUR)
    assert lists(again) == {"unread": []}


def test_facts_are_about_things_that_were_sent():
    graph = MemoryGraph()
    facts_added(graph, read(world()))
    kinds = Counter(kind_of(fact.child) for fact in graph.facts.values())
    assert set(kinds) == {Kind.IMAGE, Kind.INSTANCE, Kind.SNAPSHOT, Kind.VOLUME, Kind.COVERAGE}
    made = key_of(Kind.IMAGE, "ami-made", REGION)
    parents = {(fact.relation, fact.parent) for fact in graph.facts_of([made], Relation) if fact.parent != made}
    assert (Relation.DERIVED_FROM, key_of(Kind.IMAGE, "ami-copy", REGION)) in parents
    assert (Relation.CREATED_FROM, key_of(Kind.INSTANCE, "i-builder", REGION)) in parents


def test_a_reading_asks_for_so_many_ancestries_and_no_more_and_the_next_ones_for_the_rest(monkeypatch):
    monkeypatch.setattr(reader, "TRACED_AT_ONCE", 3)
    ec2, memory, asked = FakeEc2(), None, []
    ec2.put(*(image(f"ami-{number}", SourceInstanceId=f"i-{number}") for number in range(7)))
    for day in range(4):
        each = read(ec2, memory, NOW + day * 24 * HOUR)
        asked.append(each.calls["GetImageAncestry"])
        memory = each.memory
    assert asked == [3, 3, 1, 0]
