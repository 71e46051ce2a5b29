"""One accessor for all the ways in which CloudTrail writes members."""

from __future__ import annotations

import pytest

from handlers.lineage.events.dialect import MAX_TEXT, Node, open_call
from handlers.lineage.events.outcome import EventError, Outcome
from handlers.lineage.events.parse import parse_event
from tests.support.lineage_events import call, said


def node(**members):
    return Node(members, "request", [])


@pytest.mark.parametrize("name", ["imageId", "ImageId", "IMAGEID", "imageid"])
def test_the_case_of_a_name_does_not_matter(name):
    assert node(**{name: "ami-1"}).text("imageid") == "ami-1"


@pytest.mark.parametrize("value", [3, 3.0, "3", {"tag": 1, "content": 3}, {"tag": 1, "content": "3"}])
def test_a_text_may_be_written_as_a_number_or_with_its_place_in_a_list(value):
    assert node(Version=value).text("version") == "3"


@pytest.mark.parametrize("value", [None, "", "HIDDEN_DUE_TO_SECURITY_REASONS", "<sensitiveDataRemoved>"])
def test_null_empty_and_hidden_are_absent(value):
    assert node(x=value).text("x") is None
    with pytest.raises(EventError) as caught:
        node(x=value).need("x")
    assert caught.value.absent


@pytest.mark.parametrize("value", [True, [], {}, ["a"], 1.5, float("nan"), float("inf"), 10**30, "a" * (MAX_TEXT + 1)])
def test_what_is_no_text_is_a_declared_error(value):
    with pytest.raises(EventError) as caught:
        node(x=value).text("x")
    assert not caught.value.absent


@pytest.mark.parametrize(
    "value",
    [
        ["a", "b"],
        {"items": ["a", "b"]},
        {"item": ["a", "b"]},
        [{"tag": 1, "content": "a"}, {"tag": 2, "content": "b"}],
        {"items": {"item": ["a", None, "b"]}},
    ],
)
def test_a_list_of_texts_in_whichever_form(value):
    assert node(x=value).texts("x") == ["a", "b"]


@pytest.mark.parametrize("value", ["a", {"tag": 1, "content": "a"}, {"item": "a"}, ["a"]])
def test_a_list_of_one_text_in_whichever_form(value):
    assert node(x=value).texts("x") == ["a"]


@pytest.mark.parametrize(
    "value",
    [[{"k": "a"}], {"items": [{"k": "a"}]}, {"item": {"k": "a"}}, {"tag": 1, "k": "a"}, {"k": "a"}, {"K": "a"}],
)
def test_a_list_of_one_object_in_whichever_form(value):
    assert [row.text("k") for row in node(x=value).rows("x")] == ["a"]


@pytest.mark.parametrize("value", [None, "", [], {}, {"items": []}, {"items": None}, {"item": ""}])
def test_an_empty_list_in_whichever_form(value):
    assert node(x=value).rows("x") == node(x=value).texts("x") == []


@pytest.mark.parametrize("value", [["a"], [["a"]], {"items": "a"}, 5, {"items": {"items": {"items": {"items": []}}}}])
def test_what_is_no_list_of_objects_is_a_declared_error(value):
    with pytest.raises(EventError):
        node(x=value).rows("x")


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), ("true", True), (False, False), ("false", False), (None, None)]
)
def test_a_flag_may_be_written_as_text(value, flag):
    assert node(x=value).flag("x") is flag


def test_two_members_that_differ_in_case_only_are_ambiguous_unless_one_is_the_place_in_a_list():
    with pytest.raises(EventError):
        node(imageId="ami-1", ImageId="ami-2")
    assert [row.need("key") for row in node(tag=1, Tag={"Key": "a"}).rows("tag")] == ["a"]


def test_the_wrapper_of_newer_calls_is_opened():
    assert open_call({"DisableImageRequest": {"ImageId": "ami-1"}}, "disableimagerequest", "r", []).text("imageid")
    assert open_call({"imageId": "ami-1"}, "disableimagerequest", "r", []).text("imageid") == "ami-1"


OMITTED = [
    {"omitted": True, "originalSize": 204800, "reason": "responseElements too large"},
    {"omitted": "true"},
    {"RunInstancesResponse": {"omitted": True}},
    {"reservationId": "r-1", "instancesSet": {"omitted": True}},
]


@pytest.mark.parametrize("response", OMITTED, ids=str)
def test_what_cloudtrail_left_out_is_a_gap_and_not_silence(response):
    heard = parse_event(call("RunInstances", {"instancesSet": {"items": [{"imageId": "ami-1"}]}}, response))
    assert heard.outcome is Outcome.FACTS
    assert any("was too large for CloudTrail and is left out" in gap for gap in heard.gaps)


def test_a_request_that_was_left_out_leaves_what_the_answer_says():
    heard = parse_event(call("CreateVolume", {"omitted": True}, {"volumeId": "vol-1", "snapshotId": "snap-1"}))
    assert "volume/vol-1 VOLUME_FROM snapshot/snap-1" in said(heard.facts)
    assert heard.gaps == ("requestParameters was too large for CloudTrail and is left out",)


def test_what_is_missing_because_it_was_left_out_is_a_gap_and_what_was_said_before_stays():
    heard = parse_event(call("CopyImage", {"omitted": True}, {"imageId": "ami-2"}))
    assert heard.outcome is Outcome.FACTS
    assert heard.gaps[1] == "requestParameters.sourceregion: is missing"
    assert said(heard.facts) == ["image/ami-2 is: creation_method='copy', owner='111122223333', state='pending'"]


def test_an_event_that_is_cut_as_a_whole_is_a_gap():
    heard = parse_event(call("CopyImage", None, None, omitted=True))
    assert heard.outcome is Outcome.FACTS
    assert heard.gaps[0] == "detail was too large for CloudTrail and is in part left out"


def test_an_account_that_was_written_as_a_number_gets_its_zeros_back():
    request = {
        "ModifyImageAttributeRequest": {
            "ImageId": "ami-1",
            "LaunchPermission": {"Add": {"tag": 1, "UserId": 12345678901}},
        }
    }
    assert said(parse_event(call("ModifyImageAttribute", request, None)).facts) == [
        "image/ami-1 SHARED_WITH account/012345678901: holds='yes'"
    ]
