"""What AWS answers, in the shapes of boto3, makes the facts that were reviewed; what is no reading makes none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Confidence, Kind, Source, Time, key_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.effective_root import effective_root
from handlers.lineage.queries.show import show
from handlers.lineage.queries.verify import Result, verify
from handlers.lineage.readings.form import PLACES, digest, plain, write_reading
from handlers.lineage.readings.parse import DESCRIBERS, parse_reading
from handlers.lineage.reconcile.reader import read_place
from handlers.lineage.reconcile.rows import image_row, instance_row, stranger_row
from org.model import AccountId
from tests.support.ec2_answers import AMAZON, PLACE, FakeEc2, at, image, instance
from tests.support.golden import assert_golden
from tests.support.lineage import REGION, MemoryGraph
from tests.support.lineage_events import said
from tests.support.two_sides import A, TwoSides, heard, time

NOW = Time(1_795_000_000_000)

BUILT = image(
    "ami-built",
    SourceImageId="ami-base",
    SourceImageRegion="us-east-1",
    SourceInstanceId="i-builder",
    Description="nightly",
    DeprecationTime="2027-11-01T08:00:00.000Z",
    DeregistrationProtection="enabled-with-cooldown",
    ImdsSupport="v2.0",
    BootMode="uefi-preferred",
    ImageAllowed=True,
    LastLaunchedTime="2026-11-19T00:00:00Z",
    Tags=[{"Key": "Team", "Value": "web"}, {"Key": "ec2:SharedTag/status", "Value": "approved"}],
    ImageWatermarks=[
        {
            "WatermarkKey": "111122223333:golden",
            "SourceImageId": "ami-base",
            "SourceImageRegion": "us-east-1",
            "SourceImageCreationTime": at("2026-01-01T00:00:00+00:00"),
            "WatermarkCreationTime": at("2026-02-01T00:00:00+00:00"),
        }
    ],
    ScanResults={"HighestFindingSeverityLabel": "high", "FindingScanDate": at("2026-11-18T00:00:00+00:00")},
)
PUBLIC = image("ami-amazon", OwnerId=AMAZON, ImageOwnerAlias="amazon", Public=True, Name="al2023")
WEB = instance(
    "i-web",
    "ami-built",
    Tags=[
        {"Key": "aws:ec2launchtemplate:id", "Value": "lt-1"},
        {"Key": "aws:ec2launchtemplate:version", "Value": "3"},
    ],
    Operator={"Managed": True, "Principal": "eks.amazonaws.com"},
)
RESTARTED = instance("i-restarted", "ami-built", LaunchTime=at("2026-11-10T00:00:00+00:00"))
SWAPPED = instance("i-swapped", "ami-built")
SWAPPED["BlockDeviceMappings"][0]["Ebs"] |= {"VolumeId": "vol-new", "AttachTime": at("2026-11-05T00:00:00+00:00")}
SHAPES: dict[str, tuple[str, Any]] = {
    "an own image of an instance, with all that can be said": ("images", image_row(BUILT)),
    "an own image that was registered": ("images", image_row(image("ami-registered"))),
    "a public own image": ("images", image_row(image("ami-public", Public=True))),
    "an image of others": ("images", stranger_row(PUBLIC)),
    "an instance of a launch template": ("instances", instance_row(WEB, A)),
    "an instance that was restarted": ("instances", instance_row(RESTARTED, A)),
    "an instance whose root came later": ("instances", instance_row(SWAPPED, A)),
    "an ancestry over two Regions": (
        "ancestries",
        {
            "ImageId": "ami-built",
            "ImageAncestryEntries": plain(
                [
                    {
                        "ImageId": "ami-built",
                        "CreationDate": at("2026-11-01T08:00:00+00:00"),
                        "SourceImageId": "ami-base",
                        "SourceImageRegion": "us-east-1",
                    },
                    {
                        "ImageId": "ami-base",
                        "CreationDate": at("2026-01-01T00:00:00+00:00"),
                        "SourceImageId": "ami-root",
                        "SourceImageRegion": "us-east-1",
                    },
                    {
                        "ImageId": "ami-root",
                        "CreationDate": at("2025-12-01T00:00:00+00:00"),
                        "ImageOwnerAlias": "amazon",
                    },
                ]
            ),
        },
    ),
    "launch permissions": (
        "permissions",
        {
            "ImageId": "ami-built",
            "LaunchPermissions": [
                {"UserId": "444455556666"},
                {"OrganizationArn": "arn:aws:organizations::111122223333:organization/o-exampleorg"},
            ],
        },
    ),
    "no launch permissions": ("permissions", {"ImageId": "ami-built", "LaunchPermissions": []}),
    "references": (
        "references",
        {
            "ImageId": "ami-built",
            "Arns": [
                "arn:aws:ec2:eu-central-1:111122223333:launch-template/lt-1",
                "arn:aws:ssm:eu-central-1:111122223333:parameter/golden/linux",
                "arn:aws:imagebuilder:eu-central-1:111122223333:image-recipe/web/1.0.0",
            ],
        },
    ),
    "no references": ("references", {"ImageId": "ami-built", "Arns": []}),
    "a usage report": (
        "usage",
        {
            "ImageId": "ami-built",
            "ReportId": "amiur-1",
            "ReportCreationTime": "2026-11-17T00:00:00.000Z",
            "Entries": [{"AccountId": "444455556666", "ResourceType": "ec2:Instance", "UsageCount": 3}],
        },
    ),
    "an image that is missing": ("missing", {"ImageId": "ami-built"}),
    "an instance that is missing": ("missing", {"InstanceId": "i-web"}),
}


def reading(**detail: Any) -> str:
    return write_reading(PLACE, NOW, detail)


def test_answers_make_the_facts_that_were_reviewed():
    found = {}
    for title, (name, row) in SHAPES.items():
        each = parse_reading(reading(**{name: [row]}))
        assert each.outcome is Outcome.FACTS, each.reason
        assert not each.gaps, each.gaps
        found[title] = [
            f"{sentence} @{fact.evidence.time}" for sentence, fact in zip(said(each.facts), each.facts, strict=True)
        ]
    assert_golden("lineage-readings/answers.json", found)


def test_every_list_of_a_reading_has_a_shape():
    assert {name for name, _ in SHAPES.values()} == set(DESCRIBERS)


def test_all_facts_say_that_they_were_asked_for():
    for name, row in SHAPES.values():
        for fact in parse_reading(reading(**{name: [row]})).facts:
            assert fact.evidence.confidence is Confidence.REPORTED
            assert fact.evidence.source in {Source.DESCRIBE, Source.ANCESTRY_API, Source.USAGE_REPORT}


def test_a_reading_is_no_sign_that_events_come_from_there():
    assert parse_reading(reading(done=True, since="x", unread=[])).place is None
    assert not batch_of([parse_reading(reading(done=True, since="x", unread=[]))]).heard


def test_a_thing_that_cannot_be_read_is_a_gap_and_hides_no_other():
    each = parse_reading(reading(images=[image_row(image("not-an-ami")), image_row(image("ami-good")), "no object"]))
    assert each.outcome is Outcome.FACTS
    assert {fact.child for fact in each.facts} == {key_of(Kind.IMAGE, "ami-good", REGION)}
    assert len(each.gaps) == 2


WHOLE = json.loads(reading(images=[image_row(BUILT)], done=True, since="x", unread=[]))


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"source": "aws.ec2"}, Outcome.FORGED),
        ({"source": "custom"}, Outcome.FORGED),
        ({"detail": {}}, Outcome.MALFORMED),
        ({"account": "444455556666"}, Outcome.MALFORMED),
        ({"id": "reading:0"}, Outcome.MALFORMED),
        ({"time": "2026-11-18T00:00:00Z"}, Outcome.MALFORMED),
    ],
)
def test_what_was_changed_on_its_way_is_no_reading(change, outcome):
    each = parse_reading(json.dumps({**WHOLE, **change}))
    assert (each.outcome, each.facts) == (outcome, ())


def signed(**change: Any) -> str:
    said = {name: value for name, value in {**WHOLE, **change}.items() if name != "id"}
    return json.dumps({"id": f"reading:{digest(said)}", **said})


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"detail-type": "Something new"}, Outcome.UNKNOWN),
        ({"account": "1"}, Outcome.MALFORMED),
        ({"region": "nowhere at all"}, Outcome.MALFORMED),
        ({"time": "yesterday"}, Outcome.MALFORMED),
        ({"detail": []}, Outcome.MALFORMED),
        ({"detail": {"images": {}}}, Outcome.MALFORMED),
        (
            {"detail-type": PLACES, "detail": {"places": [{"account": "x", "region": "eu-central-1"}]}},
            Outcome.MALFORMED,
        ),
    ],
)
def test_what_is_signed_and_makes_no_sense_is_told_as_such(change, outcome):
    each = parse_reading(signed(**change))
    assert (each.outcome, each.facts) == (outcome, ())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(DESCRIBERS)), st.data())
def test_no_answer_however_strange_raises_anything(name: str, data: st.DataObject) -> None:
    shape = next(row for each, row in SHAPES.values() if each == name)
    row = dict(shape)
    for member in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
        row[member] = data.draw(_JSON)
    each = parse_reading(reading(**{name: [row]}))
    assert each.outcome is Outcome.FACTS
    for fact in each.facts:
        assert fact.id
    assert parse_reading(data.draw(st.text() | _JSON)).outcome is not Outcome.FACTS


def test_an_event_that_claims_to_be_a_reading_is_a_forgery():
    assert parse_event(reading(images=[image_row(BUILT)])).outcome is Outcome.FORGED


def verified(ec2: FakeEc2, events: list[dict[str, Any]], image: str, *trusted: str) -> Result:
    graph = MemoryGraph()
    graph.append(batch_of([parse_event(json.dumps(each)) for each in events]))
    found = read_place(ec2, PLACE, None, NOW)
    graph.append(batch_of(map(parse_reading, found.messages)))
    scope = Scope(accounts=frozenset({AccountId(A)}))
    return verify(graph, key_of(Kind.IMAGE, image, REGION), trusted, scope).result


def copied() -> tuple[FakeEc2, list[dict[str, Any]]]:
    ec2 = FakeEc2()
    ec2.put(PUBLIC, image("ami-copy", SourceImageId="ami-amazon", SourceImageRegion=str(REGION)))
    request = {"sourceImageId": "ami-amazon", "sourceRegion": str(REGION), "name": "copy"}
    return ec2, [heard("CopyImage", (10, 0), request, {"imageId": "ami-copy"})]


def test_a_copy_of_a_public_base_is_verified_once_the_base_was_asked_for():
    ec2, events = copied()
    assert verified(FakeEc2(), events, "ami-copy", "amazon") is Result.BROKEN
    assert verified(ec2, events, "ami-copy", "amazon") is Result.VERIFIED
    assert verified(ec2, events, "ami-copy", AMAZON) is Result.VERIFIED
    assert verified(ec2, events, "ami-copy", A) is Result.UNTRUSTED_ROOT


def test_a_copy_of_which_no_event_told_is_not_broken_and_its_content_is_not_sure():
    ec2, _ = copied()
    assert verified(ec2, [], "ami-copy", "amazon") is Result.UNVERIFIED


def test_a_base_that_is_gone_is_known_by_the_ancestry():
    ec2 = FakeEc2()
    ec2.put(image("ami-copy", SourceImageId="ami-old", SourceImageRegion="us-east-1"))
    ec2.ancestries["ami-copy"] = [
        {
            "ImageId": "ami-copy",
            "CreationDate": at("2026-11-01T08:00:00+00:00"),
            "SourceImageId": "ami-old",
            "SourceImageRegion": "us-east-1",
        },
        {"ImageId": "ami-old", "CreationDate": at("2024-01-01T00:00:00+00:00"), "ImageOwnerAlias": "amazon"},
    ]
    assert verified(ec2, [], "ami-copy", "amazon") is Result.UNVERIFIED


def test_a_described_launch_lies_before_a_later_root_and_does_not_undo_it():
    sides = TwoSides()
    request = {"CreateReplaceRootVolumeTaskRequest": {"InstanceId": "i-web", "ImageId": "ami-copy"}}
    sides.events["swap"] = heard("CreateReplaceRootVolumeTask", (11, 40), request, {})
    # Stopped and started since: LaunchTime is later than the new root.
    sides.ec2.instances["i-web"]["LaunchTime"] = at("2026-03-01T11:50:00+00:00")
    sides.tell()
    root = effective_root(sides.graph, key_of(Kind.INSTANCE, "i-web", REGION))
    assert root.images == (key_of(Kind.IMAGE, "ami-copy", REGION),)


def test_what_is_no_longer_tagged_or_marked_or_protected_is_no_longer_so():
    graph = MemoryGraph()
    ec2 = FakeEc2()
    ec2.put(dict(BUILT))
    first = read_place(ec2, PLACE, None, NOW)
    for member in ("Tags", "ImageWatermarks", "DeregistrationProtection", "ScanResults"):
        ec2.images["ami-built"].pop(member)
    second = read_place(ec2, PLACE, first.memory, Time(NOW + 3_600_000))
    graph.append(batch_of(map(parse_reading, [*first.messages, *second.messages])))
    shown = show(graph, key_of(Kind.IMAGE, "ami-built", REGION))
    names = set(shown.thing.state_of.attributes)
    assert not [name for name in names if name.startswith("tag:")]
    assert not names & {"deregistration_protection", "scan_severity"}
    assert shown.thing.state == "available"


def test_times_of_readings_are_those_of_the_reading_and_of_makings_those_of_the_making():
    each = parse_reading(reading(images=[image_row(BUILT)]))
    times = {fact.evidence.time for fact in each.facts}
    assert times == {NOW, Time(int(at("2026-11-01T08:00:00+00:00").timestamp() * 1000))}
    assert time(0) < NOW
