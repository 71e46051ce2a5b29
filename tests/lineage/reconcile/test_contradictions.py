"""For each pair of sources: a disagreement that is planted is found, and nothing else; where they agree, nothing is."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.findings import Severity
from handlers.lineage.model import Batch, Key, digest_of
from handlers.lineage.queries.asking import BadQuery, Bounds, Scope
from handlers.lineage.queries.contradictions import contradictions, findings_of, rule_names
from handlers.lineage.queries.disagreement import APPROVED
from handlers.lineage.queries.disagreements import RULES
from handlers.lineage.queries.places import known_scope
from handlers.lineage.queries.reasons import Why
from org.model import AccountId
from stacksets.templates.names import APPROVAL_TAG
from tests.support.ec2_answers import image
from tests.support.lineage import REGION, MemoryGraph
from tests.support.two_sides import STRANGER, A, B, TwoSides, clock, heard, run, time

Plant = Callable[[TwoSides], None]
PLANTED: dict[str, tuple[Plant, set[tuple[str, str]]]] = {}


def planted(*expected: tuple[str, str]) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        PLANTED[plant.__name__] = (plant, set(expected))
        return plant

    return add


@planted(("parent", "ami-copy"), ("ancestry", "ami-copy"))
def a_forged_copy_names_another_source(sides: TwoSides) -> None:
    request = {"sourceImageId": "ami-trusted", "sourceRegion": str(REGION), "name": "golden-copy"}
    sides.events["copy"] = heard("CopyImage", (10, 0), request, {"imageId": "ami-copy"})


@planted(("parent", "ami-copy"), ("ancestry", "ami-copy"))
def a_second_copy_is_forged_beside_the_true_one(sides: TwoSides) -> None:
    request = {"sourceImageId": "ami-trusted", "sourceRegion": str(REGION), "name": "golden-copy"}
    sides.events["copy again"] = heard("CopyImage", (10, 1), request, {"imageId": "ami-copy"})


@planted(("parent", "ami-made"))
def an_image_of_an_instance_comes_of_another_image_than_the_instance_booted(sides: TwoSides) -> None:
    sides.ec2.images["ami-made"]["SourceImageId"] = "ami-base"
    sides.ec2.images["ami-made"]["ImageWatermarks"] = []


@planted(("parent", "ami-reg"))
def what_events_call_registered_has_a_source_for_aws(sides: TwoSides) -> None:
    sides.ec2.images["ami-reg"] |= {"SourceImageId": "ami-copy", "SourceImageRegion": str(REGION)}


@planted(("ancestry", "ami-copy"))
def the_ancestry_names_another_parent(sides: TwoSides) -> None:
    sides.ec2.ancestries["ami-copy"][0]["SourceImageId"] = "ami-elsewhere"


@planted(("source-instance", "ami-made"), ("parent", "ami-made"))
def a_forged_image_is_said_to_be_made_of_another_instance(sides: TwoSides) -> None:
    sides.events["other"] = run("i-other", "ami-base", (10, 11))
    sides.events["make"] = heard(
        "CreateImage", (10, 20), {"instanceId": "i-other", "name": "x"}, {"imageId": "ami-made"}
    )


@planted(("owner", "ami-made"))
def another_account_claims_to_have_made_the_image(sides: TwoSides) -> None:
    sides.events["make"] = heard(
        "CreateImage", (10, 20), {"instanceId": "i-builder", "name": "golden-made"}, {"imageId": "ami-made"}, B
    )


@planted(("state", "ami-copy"))
def an_image_is_deregistered_only_in_the_events(sides: TwoSides) -> None:
    sides.events["end"] = heard("DeregisterImage", (11, 30), {"imageId": "ami-copy"}, {"_return": True})


@planted(("state", "ami-copy"))
def an_image_is_disabled_and_the_event_was_dropped(sides: TwoSides) -> None:
    sides.ec2.images["ami-copy"]["State"] = "disabled"


@planted(("approval-gone", "ami-reg"))
def a_tag_that_says_approved_is_only_in_the_events(sides: TwoSides) -> None:
    request = {
        "resourcesSet": {"items": [{"resourceId": "ami-reg"}]},
        "tagSet": {"items": [{"key": APPROVED[0], "value": APPROVED[1]}]},
    }
    sides.events["forged approval"] = heard("CreateTags", (11, 45), request, {"_return": True})


@planted(("approval-tag", "ami-made"))
def a_tag_says_approved_and_nobody_was_heard_to_set_it(sides: TwoSides) -> None:
    sides.drop("approve")


@planted(("approval-tag", "ami-reg"))
def a_second_image_is_tagged_as_approved_in_silence(sides: TwoSides) -> None:
    sides.ec2.images["ami-reg"]["Tags"] = [{"Key": APPROVAL_TAG, "Value": "approved"}]


@planted(("unheard", "ami-reg"))
def the_event_of_an_image_was_dropped(sides: TwoSides) -> None:
    sides.drop("register")


@planted(("unheard", "ami-made"))
def the_events_of_an_image_were_dropped_but_for_its_state_and_its_tag(sides: TwoSides) -> None:
    sides.drop("make")


@planted(("unseen", "ami-forged"))
def an_image_is_only_in_the_events(sides: TwoSides) -> None:
    request = {"sourceImageId": "ami-base", "sourceRegion": str(REGION), "name": "forged"}
    sides.events["forged"] = heard("CopyImage", (11, 10), request, {"imageId": "ami-forged"})


@planted(("unseen", "ami-reg"))
def an_image_went_before_the_first_reading_and_nobody_told(sides: TwoSides) -> None:
    del sides.ec2.images["ami-reg"]


@planted(("watermark", "ami-reg"))
def a_watermark_comes_from_an_image_that_is_no_ancestor(sides: TwoSides) -> None:
    marks = sides.ec2.images["ami-made"]["ImageWatermarks"]
    sides.ec2.images["ami-reg"]["ImageWatermarks"] = marks


@planted(("sharing", "ami-made"))
def an_image_is_shared_and_no_event_told(sides: TwoSides) -> None:
    sides.drop("share")


@planted(("sharing", "ami-reg"))
def an_image_is_public_and_no_event_told(sides: TwoSides) -> None:
    sides.ec2.images["ami-reg"]["Public"] = True


@planted(("sharing", "ami-reg"))
def an_image_is_shared_only_in_the_events(sides: TwoSides) -> None:
    share = {"imageId": "ami-reg", "launchPermission": {"add": {"items": [{"userId": B}]}}}
    sides.events["forged share"] = heard("ModifyImageAttribute", (11, 20), share, {"_return": True})


@planted(("usage", "ami-made"))
def an_account_uses_an_image_and_nothing_was_heard_of_it(sides: TwoSides) -> None:
    sides.drop("their web")


@planted(("usage", "ami-made"))
def a_stranger_uses_an_image(sides: TwoSides) -> None:
    sides.ec2.usage["ami-made"][STRANGER] = 7


@planted(("reference", "ami-made"))
def a_launch_template_names_an_image_and_no_event_told(sides: TwoSides) -> None:
    sides.drop("template")


@planted(("launch", "i-web"))
def an_instance_runs_another_image_than_its_launch_named(sides: TwoSides) -> None:
    sides.events["web"] = run("i-web", "ami-copy", (10, 40))


@planted(("root-swap", "i-web"))
def the_root_was_replaced_and_aws_goes_on_naming_the_first_image(sides: TwoSides) -> None:
    request = {"CreateReplaceRootVolumeTaskRequest": {"InstanceId": "i-web", "SnapshotId": "snap-evil"}}
    sides.events["swap"] = heard("CreateReplaceRootVolumeTask", (11, 40), request, {})
    sides.ec2.instances["i-web"]["BlockDeviceMappings"][0]["Ebs"] |= {
        "VolumeId": "vol-new",
        "AttachTime": clock(11, 45),
    }


@planted(("root-swap-unheard", "i-web"))
def the_root_was_replaced_and_no_event_told(sides: TwoSides) -> None:
    sides.ec2.instances["i-web"]["BlockDeviceMappings"][0]["Ebs"] |= {
        "VolumeId": "vol-new",
        "AttachTime": clock(11, 45),
    }


def test_where_both_sides_agree_nothing_is_found():
    sides = TwoSides()
    assert sides.judge() == set()
    assert sides.ask().complete is False  # B was expected and never read
    assert {each.about for each in sides.ask().reasons} == {f"{B}/{REGION}"}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_disagreement_is_found_and_nothing_else(name):
    plant, expected = PLANTED[name]
    sides = TwoSides()
    plant(sides)
    assert sides.judge() == expected


def test_every_rule_is_planted():
    assert {rule for _, expected in PLANTED.values() for rule, _ in expected} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", PLANTED)
def test_each_contradiction_is_a_finding_with_both_sides(name):
    plant, expected = PLANTED[name]
    sides = TwoSides()
    plant(sides)
    sides.tell()
    found = findings_of(sides.ask().found, AccountId(A))
    assert {(each.rule, each.about.rpartition("/")[2]) for each in found} == {
        (f"contradiction/{rule}", about) for rule, about in expected
    }
    for each in found:
        assert each.rule in rule_names()
        assert each.says
        assert ":" in each.details["first"]
        assert ":" in each.details["second"]
        assert each.account.isdigit()


def test_a_stranger_is_worse_than_an_account_of_the_organization():
    for account, severity in ((STRANGER, Severity.HIGH), (B, Severity.MEDIUM)):
        sides = TwoSides()
        sides.drop("share", "their web")
        sides.ec2.permissions["ami-made"] = [{"UserId": account}]
        sides.ec2.usage["ami-made"] = {account: 1}
        sides.tell()
        assert {(each.rule, each.severity) for each in sides.ask().found} == {
            ("sharing", severity),
            ("usage", severity),
        }


def test_an_image_that_went_after_a_reading_and_nobody_told_is_a_contradiction_of_states():
    sides = TwoSides()
    sides.tell()
    del sides.ec2.images["ami-reg"]
    sides.read(24)
    assert [(each.rule, each.first.says, each.second.says) for each in sides.ask(25).found] == [
        ("state", "available", "missing")
    ]


def test_an_image_whose_end_was_told_contradicts_nothing():
    sides = TwoSides()
    sides.tell()
    del sides.ec2.images["ami-reg"]
    sides.events = {"end": heard("DeregisterImage", (20, 0), {"imageId": "ami-reg"}, {"_return": True})}
    sides.hear()
    assert not sides.ask(21).found
    sides.read(24)
    assert not sides.ask(25).found


def test_without_a_memory_an_image_that_went_is_found_all_the_same():
    sides = TwoSides()
    sides.tell()
    del sides.ec2.images["ami-reg"]
    sides.memory = None
    sides.read(24)
    assert {each.rule for each in sides.ask(25).found} == {"unseen"}


def test_what_is_newer_than_the_last_reading_is_not_judged():
    sides = TwoSides()
    sides.tell()
    late = {"sourceImageId": "ami-base", "sourceRegion": str(REGION), "name": "late"}
    sides.events = {
        "late": heard("CopyImage", (18, 30), late, {"imageId": "ami-late"}),
        "disabled": heard("DisableImage", (18, 30), {"imageId": "ami-copy"}, {"_return": True}),
    }
    sides.hear()
    assert not sides.ask().found


def test_a_reading_of_which_a_part_may_be_on_its_way_is_not_judged_yet():
    sides = TwoSides()
    sides.drop("register")
    sides.ec2.images.clear()
    sides.tell()
    asked = contradictions(sides.graph, Scope(now=time(12, 5)))
    assert {each.why for each in asked.reasons} >= {Why.UNREAD}
    assert not asked.found
    assert {each.rule for each in sides.ask().found} == {"unseen"}


def test_what_was_made_before_anybody_listened_is_no_dropped_event():
    sides = TwoSides()
    sides.ec2.put(image("ami-old", CreationDate="2020-01-01T00:00:00.000Z", Public=True))
    sides.ec2.permissions["ami-old"] = [{"UserId": B}]
    assert sides.judge() == set()


def test_a_share_that_comes_up_on_an_old_image_is_found():
    sides = TwoSides()
    sides.ec2.put(image("ami-old", CreationDate="2020-01-01T00:00:00.000Z"))
    sides.tell()
    sides.ec2.permissions["ami-old"] = [{"UserId": STRANGER}]
    sides.ec2.images["ami-old"]["Description"] = "changed"
    sides.read(24)
    assert [(each.rule, each.severity) for each in sides.ask(25).found] == [("sharing", Severity.HIGH)]


def test_a_share_that_was_taken_back_by_a_call_that_was_heard_is_no_contradiction():
    sides = TwoSides()
    sides.tell()
    back = {"imageId": "ami-made", "launchPermission": {"remove": {"items": [{"userId": B}]}}}
    sides.events = {"back": heard("ModifyImageAttribute", (18, 10), back, {"_return": True})}
    sides.hear()
    assert not sides.ask().found


def test_an_image_that_is_pending_for_one_and_available_for_the_other_contradicts_nothing():
    sides = TwoSides()
    sides.drop("copy is there", "made is there")
    assert sides.judge() == set()


def test_a_place_that_could_not_be_read_accuses_nobody():
    sides = TwoSides()
    sides.ec2.refuse["DescribeImages"] = "UnauthorizedOperation"
    assert sides.judge() == set()
    reasons = {(each.why, each.says) for each in sides.ask().reasons}
    assert (Why.UNREAD, "could not be read whole: DescribeImages: UnauthorizedOperation;") in reasons


def test_an_approval_that_was_taken_back_unheard_is_found_though_the_answers_are_as_before():
    sides = TwoSides()
    sides.tell()
    request = {
        "resourcesSet": {"items": [{"resourceId": "ami-reg"}]},
        "tagSet": {"items": [{"key": APPROVED[0], "value": APPROVED[1]}]},
    }
    # Set, taken away again before the next reading: the second call was not heard.
    sides.events = {"approve": heard("CreateTags", (20, 0), request, {"_return": True})}
    sides.hear()
    assert [each.rule for each in sides.ask(21).found] == [], "no reading has looked yet"
    sides.read(22)
    (found,) = sides.ask(23).found
    assert (found.rule, found.severity) == ("approval-gone", Severity.CRITICAL)
    # Once AWS's answer has it, nothing contradicts itself.
    sides.ec2.images["ami-reg"]["Tags"] = [{"Key": APPROVED[0], "Value": APPROVED[1]}]
    sides.read(24)
    assert sides.ask(25).found == ()


def test_where_nothing_was_ever_read_the_answer_says_so():
    found = contradictions(MemoryGraph(), Scope(now=time(12)))
    assert not found.complete
    assert [each.about for each in found.reasons] == ["reconciliation"]
    with pytest.raises(BadQuery, match="time is not given"):
        contradictions(MemoryGraph(), Scope())


def test_pages_tell_the_same_as_one_answer():
    sides = TwoSides()
    sides.drop("approve", "register")
    sides.events["web"] = run("i-web", "ami-copy", (10, 40))
    sides.tell()
    scope = known_scope(sides.graph, time(19), None)
    whole = contradictions(sides.graph, scope)
    assert len(whole.found) == 3
    for size in (1, 2, 3, 100):
        found, after, examined = [], None, 0
        while True:
            page = contradictions(sides.graph, scope, Bounds(size=size), after)
            found += page.found
            examined += page.examined
            after = page.after
            if after is None:
                break
            assert any(each.why is Why.BOUND for each in page.reasons)
        assert found == list(whole.found)
        assert examined == whole.examined
    with pytest.raises(BadQuery, match="no image"):
        contradictions(sides.graph, scope, after=Key("aws/eu-central-1/volume/vol-1"))


def test_the_usual_approval_is_that_of_the_guardrails():
    assert APPROVED == (APPROVAL_TAG, "approved")
    sides = TwoSides()
    sides.tell()
    scope = known_scope(sides.graph, time(19), None)
    assert not contradictions(sides.graph, scope, approval=("Team", "web")).found


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(PLANTED)), st.randoms(use_true_random=False), st.integers(1, 40))
def test_events_and_readings_in_any_order_and_twice_come_to_the_same(
    name: str, chance: random.Random, size: int
) -> None:
    plant, expected = PLANTED[name]
    sides = TwoSides()
    plant(sides)
    assert sides.judge() == expected
    assert isinstance(sides.graph, MemoryGraph)
    facts = list(sides.graph.export())
    mixed = [*facts, *chance.choices(facts, k=20)]
    chance.shuffle(mixed)
    other = TwoSides(graph=MemoryGraph())
    for start in range(0, len(mixed), size):
        other.graph.append(Batch(tuple(mixed[start : start + size])))
    assert digest_of((each.id for each in other.graph.export()), {}) == digest_of((each.id for each in facts), {})
    assert other.ask().found == sides.ask().found
