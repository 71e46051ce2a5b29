"""What the published sample of this system gets wrong in reading events, each a mistake not to repeat.

The numbers are those of the inventory of the sample: E for the events that it takes, plain ones for its weaknesses.
"""

from __future__ import annotations

import pytest

from handlers.lineage.events.heard import batch_of
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import CALLS, parse_event
from handlers.lineage.fold import fold_states
from handlers.lineage.model import Kind, Relation, digest_of, key_of, parts_of
from stacksets.lineage_events import render_patterns
from tests.support.lineage import ACCOUNT, REGION
from tests.support.lineage_events import ACTOR, all_events, call, notification, said

IMAGE = key_of(Kind.IMAGE, "ami-0aaa1111", REGION)
DENIED = {"errorCode": "Client.UnauthorizedOperation", "errorMessage": "You are not authorized"}
TAGS = {
    "resourcesSet": {"items": [{"resourceId": "ami-0aaa1111"}]},
    "tagSet": {"items": [{"key": "Approval", "value": "Approved"}]},
}


def facts_of(*events):
    return [fact for event in events for fact in parse_event(event).facts]


def about(facts, key):
    return [fact for fact in facts if key in (fact.child, fact.parent)]


# The events that the sample subscribes to


def test_e1_an_image_made_of_an_instance():
    event = call("CreateImage", {"instanceId": "i-0aaa1111", "name": "n"}, {"imageId": "ami-0aaa1111"})
    assert said(facts_of(event))[1] == "image/ami-0aaa1111 CREATED_FROM instance/i-0aaa1111"


def test_e2_a_copy_of_an_image():
    event = call(
        "CopyImage",
        {"sourceImageId": "ami-0bbb1111", "sourceRegion": "us-east-1", "name": "n"},
        {"imageId": "ami-0aaa1111"},
    )
    assert said(facts_of(event))[1] == "image/ami-0aaa1111 COPIED_FROM aws/us-east-1/image/ami-0bbb1111"


def test_e3_an_image_restored_from_an_object():
    event = call("CreateRestoreImageTask", {"bucket": "b", "objectKey": "k.bin"}, {"imageId": "ami-0aaa1111"})
    assert said(facts_of(event))[1] == "image/ami-0aaa1111 RESTORED_FROM object/b/k.bin"


def test_e4_tags_put_and_deleted():
    put, deleted = call("CreateTags", TAGS, {"_return": True}), call("DeleteTags", TAGS, {"_return": True})
    assert said(facts_of(put)) == ["image/ami-0aaa1111 is: tag:Approval='Approved'"]
    assert said(facts_of(deleted)) == ["image/ami-0aaa1111 is: no tag:Approval (inferred)"]


def test_e5_attributes_modified_and_reset():
    add = {"launchPermission": {"add": {"items": [{"userId": "222233334444"}]}}}
    modified = call("ModifyImageAttribute", {"imageId": "ami-0aaa1111", **add}, {"_return": True})
    reset = call("ResetImageAttribute", {"imageId": "ami-0aaa1111", "attribute": "launchPermission"}, {"_return": True})
    assert said(facts_of(modified)) == ["image/ami-0aaa1111 SHARED_WITH account/222233334444: holds='yes'"]
    assert said(facts_of(reset))[0] == "image/ami-0aaa1111 SHARED_WITH account/*: holds='no'"


def test_e6_an_image_deregistered():
    event = call("DeregisterImage", {"imageId": "ami-0aaa1111"}, {"_return": True})
    state = fold_states(facts_of(event))[IMAGE]
    assert (state.value("state"), state.attributes["state"].evidence.actor) == ("deregistered", ACTOR)


def test_e7_an_instance_launched_and_running():
    row = {"instanceId": "i-0aaa1111", "imageId": "ami-0aaa1111", "instanceType": "t3.micro"}
    launched = call("RunInstances", {}, {"ownerId": ACCOUNT, "instancesSet": {"items": [row]}})
    running = notification(
        "EC2 Instance State-change Notification", "aws.ec2", {"instance-id": "i-0aaa1111", "state": "running"}
    )
    facts = facts_of(launched, running)
    assert "instance/i-0aaa1111 LAUNCHED_FROM image/ami-0aaa1111" in said(facts)
    state = fold_states(facts)[key_of(Kind.INSTANCE, "i-0aaa1111", REGION)]
    assert (state.value("state"), state.value("instance_type")) == ("running", "t3.micro")


# What it gets wrong


def test_weakness_6_a_notification_is_read_without_what_only_a_call_has():
    heard = parse_event(notification("EC2 AMI State Change", "aws.ec2", {"ImageId": "ami-0aaa1111", "State": "failed"}))
    assert said(heard.facts) == ["image/ami-0aaa1111 is: state='failed'"]


@pytest.mark.parametrize("name", sorted(name for source, name in CALLS if source == "aws.ec2"))
def test_weakness_7_a_failed_call_has_null_for_an_answer_and_raises_nothing(name):
    heard = parse_event(call(name, {"imageId": "ami-0aaa1111"}, None, **DENIED))
    assert (heard.outcome, heard.facts) == (Outcome.FAILED, ())


def test_weakness_14_what_is_read_is_forwarded_from_the_default_bus_of_every_account():
    names = {name for pattern in render_patterns().values() for name in pattern.get("detail", {}).get("eventName", ())}
    assert {"CreateImage", "CopyImage", "DeregisterImage", "RunInstances"} <= names


def test_weakness_15_a_launch_is_heard_by_its_call_and_the_end_of_the_instance_by_its_state():
    names = {name for pattern in render_patterns().values() for name in pattern.get("detail", {}).get("eventName", ())}
    types = {type for pattern in render_patterns().values() for type in pattern["detail-type"]}
    assert "RunInstances" in names
    assert "EC2 Instance State-change Notification" in types
    ended = notification(
        "EC2 Instance State-change Notification", "aws.ec2", {"instance-id": "i-0aaa1111", "state": "terminated"}
    )
    assert said(facts_of(ended)) == ["instance/i-0aaa1111 is: state='terminated'"]


@pytest.mark.parametrize(
    "name",
    ["RegisterImage", "ImportImage", "ModifyImageAttribute", "ResetImageAttribute", "DisableImage", "EnableImage",
     "EnableImageDeprecation", "DisableImageDeprecation", "EnableImageDeregistrationProtection",
     "DisableImageDeregistrationProtection", "RestoreImageFromRecycleBin", "CreateReplaceRootVolumeTask",
     "CreateLaunchTemplate", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "CreateStoreImageTask"],
)  # fmt: skip
def test_weakness_16_the_calls_that_it_does_not_handle_are_handled(name):
    assert ("aws.ec2", name) in CALLS
    assert {("aws.ssm", "PutParameter"), ("aws.autoscaling", "UpdateAutoScalingGroup")} <= set(CALLS)
    assert ("aws.imagebuilder", "CreateImageRecipe") in CALLS


def test_weakness_17_region_and_owner_are_those_of_the_event_and_nothing_is_looked_up():
    event = call(
        "CopyImage",
        {"sourceImageId": "ami-0bbb1111", "sourceRegion": "us-east-1", "name": "n"},
        {"imageId": "ami-0aaa1111"},
        awsRegion="ap-southeast-2",
        recipientAccountId="444455556666",
    )
    event |= {"region": "ap-southeast-2", "account": "444455556666"}
    said_of, copied = facts_of(event)
    assert parts_of(said_of.child).region == "ap-southeast-2"
    assert dict(said_of.attributes)["owner"] == "444455556666"
    assert parts_of(copied.parent).region == "us-east-1"


def test_weakness_18_what_cannot_be_read_is_kept_and_counted_instead_of_skipped():
    bad = [call("CopyImage", {"sourceRegion": 1}, {"imageId": "ami-0aaa1111"}), {"what": "ever"}, "no event"]
    counted = [dict(fact.attributes)["outcome"] for fact in batch_of(map(parse_event, bad)).facts]
    assert counted == ["malformed"] * 3


def test_weakness_19_a_denied_call_is_no_fact():
    heard = parse_event(call("DeregisterImage", {"imageId": "ami-0aaa1111"}, None, **DENIED))
    assert (heard.outcome, heard.facts, heard.resources) == (Outcome.FAILED, (), ("ami-0aaa1111",))
    batch = batch_of([heard])
    assert about(batch.facts, IMAGE) == []
    (attempt,) = batch.facts
    assert parts_of(attempt.child)[1:] == (REGION, Kind.COVERAGE, ACCOUNT)
    assert dict(attempt.attributes) == {
        "outcome": "failed",
        "call": "ec2:DeregisterImage",
        "event": heard.event_id,
        "reason": "Client.UnauthorizedOperation: You are not authorized",
        "resources": "ami-0aaa1111",
    }
    assert attempt.evidence.actor == ACTOR, "who tried is known"


def test_weakness_19_a_denied_deletion_of_tags_neither_takes_them_nor_approves():
    heard = parse_event(call("DeleteTags", TAGS, None, **DENIED))
    assert (heard.outcome, heard.facts) == (Outcome.FAILED, ())


@pytest.mark.parametrize(
    "more",
    [{"errorCode": "Client.DryRunOperation"}, {"errorMessage": "no code"}, {"errorCode": "ValidationException"}],
    ids=str,
)
def test_weakness_19_a_dry_run_or_an_error_of_any_kind_is_no_fact_whatever_the_answer_says(more):
    heard = parse_event(call("DeregisterImage", {"imageId": "ami-0aaa1111"}, {"_return": True}, **more))
    assert (heard.outcome, heard.facts) == (Outcome.FAILED, ())


def test_weakness_19_a_call_that_returned_false_is_no_fact():
    for answer in ({"_return": False}, {"return": "false"}, {"DisableImageResponse": {"return": False}}):
        heard = parse_event(call("DisableImage", {"imageId": "ami-0aaa1111"}, answer))
        assert (heard.outcome, heard.facts) == (Outcome.FAILED, ())


def test_weakness_20_an_event_that_its_envelope_contradicts_is_refused_and_reported():
    heard = parse_event(
        call("DeregisterImage", {"imageId": "ami-0aaa1111"}, {"_return": True}, recipientAccountId="999999999999")
    )
    assert (heard.outcome, heard.facts, heard.place) == (Outcome.FORGED, (), None)
    batch = batch_of([heard])
    assert about(batch.facts, IMAGE) == []
    assert batch.heard == {}
    assert [dict(fact.attributes)["outcome"] for fact in batch.facts] == ["forged"]


def test_weakness_20_what_an_account_puts_on_its_bus_itself_is_refused():
    event = notification("EC2 AMI State Change", "my.aws.ec2", {"ImageId": "ami-0aaa1111", "State": "deregistered"})
    assert parse_event(event).outcome is Outcome.FORGED


def test_weakness_21_one_id_in_two_regions_is_two_images():
    here = call("DisableImage", {"imageId": "ami-0aaa1111"}, None)
    there = call("DisableImage", {"imageId": "ami-0aaa1111"}, None, awsRegion="us-east-1") | {"region": "us-east-1"}
    assert len({fact.child for fact in facts_of(here, there)}) == 2


def test_weakness_22_every_fact_says_who_did_it():
    for event in all_events():
        for fact in parse_event(event).facts:
            assert fact.evidence.actor
            assert fact.evidence.event_id


def test_weakness_22_a_service_without_arn_is_named():
    event = call(
        "DisableImage",
        {"imageId": "ami-0aaa1111"},
        None,
        identity={"type": "AWSService", "invokedBy": "imagebuilder.amazonaws.com"},
    )
    assert facts_of(event)[0].evidence.actor == "imagebuilder.amazonaws.com"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::111122223333:assumed-role/Evil/AWSServiceRoleForImageBuilder",
        "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForImageBuilder/x",
        "arn:aws:iam::111122223333:user/aws-service-role/imagebuilder.amazonaws.com/x",
    ],
)
def test_weakness_22_nobody_passes_for_a_service_by_a_name_that_he_chose(arn):
    tag = {"key": "Ec2ImageBuilderArn", "value": "arn:aws:imagebuilder:eu-central-1:111122223333:image/golden/1.0.0/1"}
    request = {"instanceId": "i-0aaa1111", "tagSpecificationSet": {"items": [{"resourceType": "image", "tags": [tag]}]}}
    identity = {"type": "AssumedRole", "arn": arn, "sessionContext": {"sessionIssuer": {"arn": arn}}}
    event = call("CreateImage", request, {"imageId": "ami-0aaa1111"}, identity=identity)
    assert Relation.BUILT_BY not in {fact.relation for fact in facts_of(event)}


def test_weakness_23_a_copy_of_an_image_that_nobody_has_heard_of_is_a_fact_all_the_same():
    event = call(
        "CopyImage",
        {"sourceImageId": "ami-0fff1111", "sourceRegion": "us-east-1", "name": "n"},
        {"imageId": "ami-0aaa1111"},
    )
    assert Relation.COPIED_FROM in {fact.relation for fact in facts_of(event)}


def test_weakness_24_an_event_that_comes_twice_changes_nothing():
    once, twice = (batch_of(map(parse_event, all_events() * times)) for times in (1, 2))
    assert digest_of([fact.id for fact in once.facts], once.heard) == digest_of(
        [fact.id for fact in twice.facts], twice.heard
    )


def test_weakness_25_what_is_revoked_is_revoked():
    put = call("CreateTags", TAGS, None, eventTime="2026-03-01T10:00:00Z", eventID="b")
    taken = call("DeleteTags", TAGS, None, eventTime="2026-03-01T10:00:01Z", eventID="a")
    for order in ((put, taken), (taken, put)):
        assert fold_states(facts_of(*order))[IMAGE].value("tag:Approval") is None


def test_weakness_27_a_restored_image_comes_from_its_object():
    event = call("CreateRestoreImageTask", {"bucket": "b", "objectKey": "ami-1.bin"}, {"imageId": "ami-0aaa1111"})
    restored = facts_of(event)[1]
    assert restored.relation is Relation.RESTORED_FROM
    assert restored.parent == key_of(Kind.OBJECT, "b/ami-1.bin")


def test_weakness_28_what_an_instance_was_made_of_is_not_looked_up_after_the_fact():
    event = call("CreateImage", {"instanceId": "i-0aaa1111", "name": "n"}, {"imageId": "ami-0aaa1111"})
    replaced = call("CreateReplaceRootVolumeTask", {"instanceId": "i-0aaa1111", "imageId": "ami-0bad1111"}, None)
    assert said(facts_of(event, replaced))[1:] == [
        "image/ami-0aaa1111 CREATED_FROM instance/i-0aaa1111",
        "instance/i-0aaa1111 ROOT_REPLACED_BY image/ami-0bad1111",
    ]


def test_weakness_29_no_tag_of_whatever_name_makes_anything_but_a_tag():
    for name in ("Approval", "ApprovalStatus", "approval_status", "ec2:SharedTag/status"):
        request = {**TAGS, "tagSet": {"items": [{"key": name, "value": "Approved"}]}}
        assert said(facts_of(call("CreateTags", request, None))) == [f"image/ami-0aaa1111 is: tag:{name}='Approved'"]


def test_weakness_30_nothing_is_said_that_the_event_does_not_say():
    event = call("CreateImage", {"instanceId": "i-0aaa1111"}, {"imageId": "ami-0aaa1111"})
    assert {name for name, _ in facts_of(event)[0].attributes} == {"creation_method", "owner", "state"}


def test_weakness_32_a_claim_of_approval_says_who_makes_it():
    (claim,) = facts_of(call("CreateTags", TAGS, None))
    assert claim.evidence.actor == ACTOR


def test_weakness_37_the_text_of_an_error_is_bounded_and_harmless():
    heard = parse_event(
        call("DisableImage", {"imageId": "ami-0aaa1111"}, None, errorCode="X", errorMessage="\x1b[2J" + "e" * 9000)
    )
    (attempt,) = batch_of([heard]).facts
    reason = dict(attempt.attributes)["reason"]
    assert reason is not None
    assert reason.startswith("X: \\x1b[2J")
    assert len(reason) == 300


@pytest.mark.parametrize(
    "id", ["ami", "ami-", "AMI-1", "i-1", "ami-1/../x", "ami-1 ", "ami-" + "1" * 65, "g.V().drop()"]
)
def test_weakness_38_an_id_that_is_none_is_malformed_before_anything_is_said(id):
    heard = parse_event(call("DisableImage", {"imageId": id}, None))
    assert (heard.outcome, heard.facts) == (Outcome.MALFORMED, ())
