"""Which image a parameter stood for, though CloudTrail hides the value that was put: a launch by it tells."""

from __future__ import annotations

import pytest

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.parse import parse_event
from handlers.lineage.model import Kind, key_of
from handlers.lineage.queries.impact import impact
from tests.support.lineage import REGION, MemoryGraph, image
from tests.support.lineage_events import call, said

GOLDEN = "/golden/linux"


def put(version, second):
    request = {"name": GOLDEN, "dataType": "aws:ec2:image", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    answer = {"version": version, "tier": "Standard"}
    return call("PutParameter", request, answer, source="aws.ssm", **moment(f"put-{version}", second))


def launched(asked, *images, second=5):
    rows = [{"instanceId": f"i-{second}{n}", "imageId": each} for n, each in enumerate(images)]
    request = {"instancesSet": {"items": [{"imageId": each, "minCount": 1, "maxCount": 1} for each in asked]}}
    return call("RunInstances", request, {"instancesSet": {"items": rows}}, **moment(f"run-{second}", second))


def moment(id, second):
    return {"eventID": id, "eventTime": f"2026-03-01T10:00:{second:02}Z"}


def resolved(event):
    return [each for each in said(parse_event(event).facts) if each.startswith("parameter/")]


@pytest.mark.parametrize(
    ("selector", "relation"), [("", "RESOLVES_TO"), (":prod", "RESOLVES_TO"), (":3", "REFERENCES")]
)
def test_a_launch_by_a_parameter_says_which_image_it_stood_for(selector, relation):
    event = launched([f"resolve:ssm:{GOLDEN}{selector}"], "ami-1", "ami-1")
    assert resolved(event) == [f"parameter/111122223333/{GOLDEN}{selector} {relation} image/ami-1 (inferred)"]


@pytest.mark.parametrize(
    "event",
    [
        launched([f"resolve:ssm:{GOLDEN}"], "ami-1", "ami-2"),
        launched([f"resolve:ssm:{GOLDEN}", "resolve:ssm:/other"], "ami-1"),
        launched([f"resolve:ssm:{GOLDEN}", "ami-1"], "ami-1"),
        launched([f"resolve:ssm:{GOLDEN}"]),
        launched(["ami-1"], "ami-1"),
        launched(["resolve:ssm:no such name!"], "ami-1"),
    ],
)
def test_where_request_and_answer_leave_a_doubt_nothing_is_said_of_the_parameter(event):
    assert resolved(event) == []


def test_what_would_launch_by_the_parameter_is_a_latent_user_of_the_image_until_it_is_moved():
    made = {"launchTemplateId": "lt-1", "launchTemplateName": "web", "versionNumber": 1}
    data = {"launchTemplateName": "web", "launchTemplateData": {"imageId": f"resolve:ssm:{GOLDEN}"}}
    template = call("CreateLaunchTemplate", data, {"launchTemplate": made}, **moment("lt", 2))
    events = [put(1, 1), template, launched([f"resolve:ssm:{GOLDEN}"], "ami-1", second=5)]
    pointer = key_of(Kind.PARAMETER, f"111122223333/{GOLDEN}", REGION)
    version = key_of(Kind.TEMPLATE_VERSION, "lt-1:1", REGION)
    assert {pointer, version} <= {each.key for each in latent(events)}
    assert latent([*events, put(2, 9)]) == ()


def latent(events):
    graph = MemoryGraph()
    graph.append(batch_of(map(parse_event, events)))
    return impact(graph, image("1")).latent


def test_what_was_deleted_with_its_template_or_parameter_starts_nothing_until_it_is_made_again():
    lt = {"launchTemplateId": "lt-1", "launchTemplateName": "web"}
    data = {"launchTemplateName": "web", "launchTemplateData": {"imageId": "ami-1"}}
    made = call("CreateLaunchTemplate", data, {"launchTemplate": lt}, **moment("a", 1))
    more = call(
        "CreateLaunchTemplateVersion", data, {"launchTemplateVersion": {**lt, "versionNumber": 2}}, **moment("b", 2)
    )
    whole = {**lt, "defaultVersionNumber": 1, "latestVersionNumber": 2}
    gone = call("DeleteLaunchTemplate", {"launchTemplateId": "lt-1"}, {"launchTemplate": whole}, **moment("c", 3))
    again = call("CreateLaunchTemplate", data, {"launchTemplate": {**lt, "launchTemplateId": "lt-2"}}, **moment("d", 4))
    assert len(latent([made, more])) == 8
    assert latent([made, more, gone]) == ()
    names = {each.key.split("/", 3)[3] for each in latent([made, more, gone, again])}
    by_name = {f"111122223333/web:{version}" for version in ("1", "$Default", "$Latest")}
    assert names == {"lt-2:1", "lt-2:$Default", "lt-2:$Latest", *by_name}


def test_what_was_deleted_with_its_parameter_starts_nothing():
    value = {"name": GOLDEN, "value": "ami-1", "dataType": "aws:ec2:image"}
    put = call("PutParameter", value, {"version": 1}, source="aws.ssm", **moment("a", 1))
    marked = {"name": GOLDEN, "labels": ["prod"], "parameterVersion": 1}
    label = call("LabelParameterVersion", marked, {"parameterVersion": 1}, source="aws.ssm", **moment("b", 2))
    gone = call("DeleteParameter", {"name": GOLDEN}, None, source="aws.ssm", **moment("c", 3))
    again = call("PutParameter", value, {"version": 1}, source="aws.ssm", **moment("d", 4))
    assert len(latent([put, label])) == 3
    assert latent([put, label, gone]) == ()
    assert len(latent([put, label, gone, again])) == 3


@pytest.mark.parametrize(
    "event",
    [
        call("CopyImage", {"sourceRegion": str(REGION), "sourceImageId": "ami-1"}, {"imageId": "ami-1"}),
        call("CopySnapshot", {"sourceRegion": str(REGION), "sourceSnapshotId": "snap-1"}, {"snapshotId": "snap-1"}),
    ],
)
def test_what_is_said_to_come_of_itself_is_malformed(event):
    heard = parse_event(event)
    assert (heard.outcome.value, heard.facts) == ("malformed", ())
    assert "come of itself" in heard.reason
