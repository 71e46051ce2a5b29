"""Each rule: what keeps it, what breaks it, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.lineage.compliance.evaluate import IMAGE_RULES, enabled_rules, evaluate, rules_named
from handlers.lineage.compliance.verdicts import ALIASES, Result, Rule, Verdict, together
from handlers.lineage.model import Confidence, Fact, Kind, Relation, Source, key_of, noted
from handlers.lineage.queries.asking import NO_SCOPE, BadQuery, Scope
from tests.support.compliance import (
    ALL_GOOD,
    AMAZON,
    COPIED,
    ENCRYPTED,
    GOLDEN,
    LAUNCHED,
    MADE,
    NOW,
    PUBLIC,
    RUNNING,
    SCOPE,
    SERVER,
    SNAPSHOT,
    TAGGED,
    graph_of,
    judged,
    settings,
)
from tests.support.histories import key
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, evidence, fact, image, instance, note

GOOD, BAD, UNKNOWN, NOT = Result.COMPLIANT, Result.NON_COMPLIANT, Result.NOT_EVALUATED, Result.NOT_APPLICABLE


def result(rule: Rule, *more: Fact, without: tuple[Fact, ...] = (), **rules: Any) -> Result:
    graph = graph_of(*(each for each in ALL_GOOD if each not in without), *more)
    return judged(graph, **rules)[rule].result


def test_an_image_that_keeps_every_rule_is_compliant_in_each() -> None:
    found = judged(graph_of(*ALL_GOOD))
    assert {rule: each.result for rule, each in found.items()} == dict.fromkeys(IMAGE_RULES, GOOD)
    assert all(each.evidence for each in found.values())


def test_its_machine_is_compliant_too() -> None:
    found = judged(graph_of(*ALL_GOOD), SERVER)
    assert list(found) == [Rule.INSTANCE_IMAGE]
    assert found[Rule.INSTANCE_IMAGE].result is GOOD


@pytest.mark.parametrize(
    ("rule", "said", "expected"),
    [
        (Rule.REQUIRED_TAGS, {"tag:Creator": None}, BAD),
        (Rule.REQUIRED_TAGS, {"tag:Creator": "   "}, BAD),
        (Rule.APPROVAL, {"tag:ec2:SharedTag/status": None}, BAD),
        (Rule.APPROVAL, {"tag:ec2:SharedTag/status": "Approved"}, BAD),
        (Rule.APPROVAL, {"tag:ec2:SharedTag/status": "revoked"}, BAD),
        (Rule.SECURITY_SCAN, {"tag:SecurityScan": "FAILED"}, BAD),
        (Rule.SECURITY_SCAN, {"tag:SecurityScan": None}, BAD),
        (Rule.NAMING, {"name": None}, UNKNOWN),
        (Rule.NAMING, {"name": "prod1"}, BAD),
        (Rule.NAMING, {"name": "golden-prod"}, BAD),
        (Rule.NAMING, {"name": "golden-dev-1"}, BAD),
        (Rule.NAMING, {"name": "GOLDEN-PROD-1"}, GOOD),
        (Rule.MAXIMUM_AGE, {"created_at": "2020-01-01T00:00:00.000Z"}, BAD),
        (Rule.MAXIMUM_AGE, {"created_at": "2036-01-01"}, GOOD),
        (Rule.MAXIMUM_AGE, {"created_at": None}, GOOD),
        (Rule.MAXIMUM_AGE, {"created_at": "yesterday"}, GOOD),
        (Rule.ENCRYPTION, {"encrypted": "no"}, GOOD),
        (Rule.SCAN_FRESHNESS, {"scanned_at": None}, UNKNOWN),
        (Rule.SCAN_FRESHNESS, {"scanned_at": "2026-13-45T00:00:00Z"}, UNKNOWN),
        (Rule.SCAN_FRESHNESS, {"scanned_at": "2036-01-01"}, UNKNOWN),
        (Rule.SCAN_FRESHNESS, {"scanned_at": "2026-08-01T00:00:00Z"}, BAD),
        (Rule.LINEAGE, {"creation_method": None}, GOOD),
    ],
)
def test_what_is_said_of_the_image_decides(rule: Rule, said: dict[str, str | None], expected: Result) -> None:
    assert result(rule, note(GOLDEN, 5, **said)) is expected


def test_weakness_30_blank_values_and_placeholders_satisfy_no_required_tag() -> None:
    for value in ("PENDING", "unknown", "N/A", "", " "):
        verdict = judged(graph_of(*ALL_GOOD, note(GOLDEN, 5, **{"tag:ApprovalStatus": value})))[Rule.REQUIRED_TAGS]
        assert (verdict.result, verdict.says) == (BAD, "ApprovalStatus says nothing")


def test_weakness_30_tags_are_looked_up_as_they_are_written() -> None:
    lower = note(GOLDEN, 5, **{"tag:Creator": None, "tag:creator": "platform"})
    verdict = judged(graph_of(*ALL_GOOD, lower))[Rule.REQUIRED_TAGS]
    assert verdict.says == "it lacks Creator"


def test_weakness_30_a_name_does_not_pass_without_an_environment() -> None:
    for gone in (None, "", " "):
        assert result(Rule.NAMING, note(GOLDEN, 5, **{"tag:Environment": gone})) is BAD


def test_weakness_30_an_instance_that_uses_an_image_is_no_lineage_of_it() -> None:
    lonely = (note(GOLDEN, 1, owner=ACCOUNT, name="golden-prod-1"), LAUNCHED, RUNNING)
    verdict = judged(graph_of(*lonely))[Rule.LINEAGE]
    assert (verdict.result, verdict.says) == (BAD, "it is not known how it was made")


def test_weakness_30_the_rules_that_are_asked_for_are_judged_and_no_others() -> None:
    found = evaluate(graph_of(*ALL_GOOD), [GOLDEN, SERVER], settings(), SCOPE, NOW, rules_named(["naming_convention"]))
    assert {each: [one.rule for one in verdicts] for each, verdicts in found.items()} == {
        GOLDEN: [Rule.NAMING],
        SERVER: [],
    }


def test_weakness_25_a_revoked_approval_does_not_count() -> None:
    tag = "tag:ec2:SharedTag/status"
    revoked = note(GOLDEN, 5, **{tag: None})
    assert result(Rule.APPROVAL, revoked) is BAD
    assert result(Rule.APPROVAL, revoked, note(GOLDEN, 6, **{tag: "approved"})) is GOOD


def _asked(time: int, **said: str | None) -> tuple[Fact, Fact]:
    """What DescribeImages answered, as readings tell it: what it leaves out is taken away first."""
    first = replace(evidence(time, f"asked-{time}"), source=Source.DESCRIBE, confidence=Confidence.REPORTED)
    then = replace(first, event_id=f"asked-{time}-then")
    return noted(GOLDEN, first, {"tag:*": None}), noted(GOLDEN, then, {"state": "available", **said})


def _read(minutes: int, account: str = ACCOUNT) -> Fact:
    """All of an account was read, so many minutes after the image was tagged."""
    time = 2 + minutes * 60
    at = datetime.fromtimestamp(evidence(time).time / 1000, UTC).isoformat()
    return note(key_of(Kind.COVERAGE, account, REGION), time, f"read-{minutes}", read="yes", reconciled_at=at)


APPROVAL_TAG = "tag:ec2:SharedTag/status"


def test_an_approval_that_aws_did_not_have_when_it_was_asked_later_is_not_evaluated() -> None:
    verdict = judged(graph_of(*ALL_GOOD, *_asked(1), _read(15)))[Rule.APPROVAL]
    assert (verdict.result, len(verdict.evidence)) == (UNKNOWN, 1)
    assert verdict.says == (
        "only events say that its tag ec2:SharedTag/status is 'approved': AWS was asked later, and did not say so"
    )
    assert result(Rule.APPROVAL, *_asked(1, **{APPROVAL_TAG: "pending"}), _read(15)) is UNKNOWN


@pytest.mark.parametrize(
    "more",
    [
        (*_asked(1),),
        (*_asked(1), _read(14)),
        (*_asked(1), _read(-1)),
        (*_asked(1), _read(15, "222233334444")),
        (*_asked(1), _read(15), *_asked(60, **{APPROVAL_TAG: "approved"})),
        (*_asked(1), _read(11 * 24 * 60)),
        (_read(15),),
    ],
    ids=["never read", "read too soon", "read before", "another read", "it says so", "in the future", "not described"],
)
def test_an_approval_that_no_later_answer_of_aws_denies_counts(more: tuple[Fact, ...]) -> None:
    assert result(Rule.APPROVAL, *more) is GOOD


def test_an_approval_that_a_newer_answer_left_out_does_not_count() -> None:
    assert result(Rule.APPROVAL, *_asked(60), _read(15)) is BAD


def test_weakness_4_what_cannot_be_judged_is_never_not_applicable() -> None:
    known = judged(graph_of(note(GOLDEN, 1, owner=ACCOUNT)))
    nothing = judged(MemoryGraph())
    for each in (*known.values(), *nothing.values()):
        assert each.result in (BAD, UNKNOWN)
    assert {each.says for each in nothing.values()} == {"only its name is known"}


@pytest.mark.parametrize("state", ["deregistered", "failed"])
def test_an_image_that_is_gone_is_not_applicable(state: str) -> None:
    found = judged(graph_of(*ALL_GOOD, note(GOLDEN, 9, state=state)))
    assert {each.result for each in found.values()} == {NOT}


def test_a_disabled_image_is_judged() -> None:
    assert result(Rule.APPROVAL, note(GOLDEN, 9, state="disabled")) is GOOD


def test_approval_without_a_tag_to_look_for_is_not_evaluated() -> None:
    assert result(Rule.APPROVAL, approval={"tag": None, "value": None}) is UNKNOWN
    assert result(Rule.APPROVAL, approval={"tag": "x"}) is UNKNOWN


@pytest.mark.parametrize(
    ("worst", "found", "expected"),
    [
        ("high", "HIGH", GOOD),
        ("medium", "HIGH", BAD),
        ("low", "NONE", GOOD),
        ("info", "INFORMATIONAL", GOOD),
        ("critical", "UNTRIAGED", UNKNOWN),
        ("critical", None, UNKNOWN),
    ],
)
def test_aws_own_scan_counts_where_a_severity_is_given(worst: str, found: str | None, expected: Result) -> None:
    rules = {"security_scan": {"tag": None, "worst": worst}}
    assert result(Rule.SECURITY_SCAN, note(GOLDEN, 5, scan_severity=found), **rules) is expected


def test_the_worse_of_tag_and_scan_counts() -> None:
    both = {"security_scan": {"worst": "low"}}
    assert result(Rule.SECURITY_SCAN, **both) is GOOD
    assert result(Rule.SECURITY_SCAN, note(GOLDEN, 5, scan_severity=None), **both) is UNKNOWN
    assert result(Rule.SECURITY_SCAN, note(GOLDEN, 5, **{"tag:SecurityScan": "x"}), **both) is BAD
    assert result(Rule.SECURITY_SCAN, security_scan={"tag": None}) is UNKNOWN


def test_a_name_must_match_the_whole_pattern() -> None:
    assert result(Rule.NAMING, naming={"pattern": "golden-[a-z]+-[0-9]+"}) is GOOD
    assert result(Rule.NAMING, naming={"pattern": "golden"}) is BAD


def test_an_environment_and_a_digit_need_not_be_asked_for() -> None:
    plain = note(GOLDEN, 5, name="golden", **{"tag:Environment": None})
    assert result(Rule.NAMING, plain, naming={"contains_environment": False, "has_digit": False}) is GOOD


def test_the_age_is_told_by_the_event_that_was_seen_where_aws_date_is_not_known() -> None:
    undated = note(GOLDEN, 5, created_at=None)
    assert result(Rule.MAXIMUM_AGE, undated, maximum_age={"enabled": True, "days": 9}) is BAD
    assert result(Rule.MAXIMUM_AGE, undated, maximum_age={"enabled": True, "days": 10}) is GOOD
    unseen = tuple(each for each in ALL_GOOD if each.child == GOLDEN and each.relation is not Relation.NOTED)
    assert result(Rule.MAXIMUM_AGE, undated, without=unseen) is UNKNOWN


def test_encryption_needs_every_snapshot_to_be_said_so() -> None:
    second = key(Kind.SNAPSHOT, "snap-2")
    another = fact(Relation.REGISTERED_FROM, GOLDEN, second, 1)
    assert result(Rule.ENCRYPTION, another) is UNKNOWN
    assert result(Rule.ENCRYPTION, another, note(second, 1, encrypted="no")) is BAD
    assert result(Rule.ENCRYPTION, another, note(second, 1, encrypted="yes")) is GOOD


def test_encryption_of_an_image_without_known_snapshots_is_told_by_the_image() -> None:
    gone = tuple(each for each in ALL_GOOD if SNAPSHOT in (each.child, each.parent))
    assert result(Rule.ENCRYPTION, without=gone) is UNKNOWN
    assert result(Rule.ENCRYPTION, note(GOLDEN, 5, encrypted="no"), without=gone) is UNKNOWN
    assert result(Rule.ENCRYPTION, note(GOLDEN, 5, encrypted="yes"), without=gone) is GOOD
    assert result(Rule.ENCRYPTION, without=(ENCRYPTED,)) is UNKNOWN


def test_what_aws_says_of_the_disks_when_it_is_asked_decides_where_snapshots_do_not() -> None:
    gone = tuple(each for each in ALL_GOOD if SNAPSHOT in (each.child, each.parent))

    def described(value: str) -> Fact:
        asked = replace(evidence(5), source=Source.DESCRIBE, confidence=Confidence.REPORTED)
        return noted(GOLDEN, asked, {"encrypted": value})

    assert result(Rule.ENCRYPTION, described("no")) is BAD
    assert result(Rule.ENCRYPTION, described("no"), without=gone) is BAD
    assert result(Rule.ENCRYPTION, described("yes"), without=gone) is GOOD
    assert result(Rule.ENCRYPTION, described("yes"), without=(ENCRYPTED,)) is GOOD
    assert result(Rule.ENCRYPTION, described("yes"), note(SNAPSHOT, 6, encrypted="no")) is BAD


STRANGER = note(PUBLIC, 4, owner="999999999999", owner_alias=None)
UNSEEN = (COPIED, *(each for each in ALL_GOOD if each.relation is Relation.REGISTERED_FROM))


def test_descent_from_a_stranger_breaks_lineage_and_trusted_root_alone() -> None:
    assert result(Rule.LINEAGE, STRANGER) is BAD
    assert result(Rule.TRUSTED_ROOT, STRANGER) is BAD
    assert result(Rule.UNBROKEN, STRANGER) is GOOD


def test_descent_of_which_a_part_was_not_seen_is_broken_and_its_roots_are_not_known() -> None:
    assert result(Rule.LINEAGE, without=UNSEEN) is BAD
    assert result(Rule.UNBROKEN, without=UNSEEN) is BAD
    assert result(Rule.TRUSTED_ROOT, without=UNSEEN) is UNKNOWN


def test_a_stranger_counts_even_where_another_part_was_not_seen() -> None:
    lost = fact(Relation.COPIED_FROM, GOLDEN, image("lost"), 1)
    assert result(Rule.TRUSTED_ROOT, STRANGER, lost) is BAD


def test_without_trusted_owners_roots_cannot_be_judged() -> None:
    found = judged(graph_of(*ALL_GOOD), trusted=())
    assert {rule: found[rule].result for rule in (Rule.LINEAGE, Rule.TRUSTED_ROOT, Rule.UNBROKEN)} == {
        Rule.LINEAGE: UNKNOWN,
        Rule.TRUSTED_ROOT: UNKNOWN,
        Rule.UNBROKEN: GOOD,
    }


def test_content_that_could_be_written_breaks_lineage_only_where_verified_is_asked_for() -> None:
    made = image("made")
    facts = (*ALL_GOOD, fact(Relation.CREATED_FROM, made, SERVER, 4), note(made, 4, owner=ACCOUNT))
    assert judged(graph_of(*facts), made)[Rule.LINEAGE].result is GOOD
    strict = judged(graph_of(*facts), made, lineage={"at_least": "verified"})[Rule.LINEAGE]
    assert strict.result is BAD
    assert "could write on its disks" in strict.says


def test_descent_that_is_too_deep_to_be_looked_at_is_not_evaluated() -> None:
    chain = [fact(Relation.COPIED_FROM, image(f"{n:03}"), image(f"{n + 1:03}"), 1) for n in range(60)]
    found = judged(graph_of(*chain), image("000"))
    assert {found[rule].result for rule in (Rule.LINEAGE, Rule.TRUSTED_ROOT, Rule.UNBROKEN)} == {UNKNOWN}


def test_an_image_of_a_trusted_owner_elsewhere_need_not_carry_our_tags() -> None:
    found = judged(graph_of(AMAZON), PUBLIC)
    assert found[Rule.REQUIRED_TAGS].result is NOT
    assert found[Rule.TRUSTED_ROOT].result is GOOD


def test_an_image_of_ours_must_even_where_its_account_is_trusted() -> None:
    found = judged(graph_of(note(GOLDEN, 1, owner=ACCOUNT)), trusted=(ACCOUNT,))
    assert found[Rule.APPROVAL].result is BAD


def test_an_image_of_a_stranger_is_judged_like_one_of_ours() -> None:
    found = judged(graph_of(note(PUBLIC, 0, owner="999999999999")), PUBLIC)
    assert found[Rule.APPROVAL].result is BAD
    assert found[Rule.TRUSTED_ROOT].result is BAD


def test_without_the_organizations_accounts_only_aws_alias_makes_an_image_foreign() -> None:
    owned = graph_of(note(PUBLIC, 0, owner="999999999999"))
    assert judged(owned, PUBLIC, NO_SCOPE, ("999999999999",))[Rule.APPROVAL].result is BAD
    assert judged(graph_of(AMAZON), PUBLIC, NO_SCOPE)[Rule.APPROVAL].result is NOT


def machine(*more: Fact, without: tuple[Fact, ...] = (), scope: Scope = SCOPE, **rules: Any) -> Verdict:
    graph = graph_of(*(each for each in ALL_GOOD if each not in without), *more)
    return judged(graph, SERVER, scope, **rules)[Rule.INSTANCE_IMAGE]


def test_a_machine_of_an_image_that_breaks_a_rule_is_not_compliant() -> None:
    verdict = machine(note(GOLDEN, 5, **{"tag:Creator": None}))
    assert (verdict.result, verdict.says) == (BAD, "it boots ami-golden, which is not compliant")


def test_a_machine_of_an_image_of_which_something_is_not_known_is_not_evaluated() -> None:
    assert machine(note(GOLDEN, 5, scanned_at=None)).result is UNKNOWN


def test_a_machine_is_judged_by_what_it_truly_boots_and_not_by_its_image_id() -> None:
    verdict = machine(fact(Relation.ROOT_REPLACED_BY, SERVER, image("bad"), 6))
    assert verdict.result is UNKNOWN
    assert verdict.says == "it boots ami-bad, of which not everything is known (AWS names ami-golden)"


def test_a_machine_goes_on_being_judged_when_its_image_is_deregistered() -> None:
    assert machine(note(GOLDEN, 9, state="deregistered")).result is GOOD
    gone_and_bad = (note(GOLDEN, 9, state="deregistered"), note(GOLDEN, 5, **{"tag:Creator": None}))
    assert machine(*gone_and_bad).result is BAD


def test_a_machine_whose_disk_several_images_share_is_as_compliant_as_the_worst_of_them() -> None:
    volume, twin = key(Kind.VOLUME, "vol-1"), image("twin")
    replaced = (
        fact(Relation.ROOT_REPLACED_BY, SERVER, volume, 6),
        fact(Relation.VOLUME_FROM, volume, SNAPSHOT, 5),
        note(volume, 5, owner=ACCOUNT),
    )
    assert machine(*replaced).result is GOOD
    assert machine(*replaced, fact(Relation.REGISTERED_FROM, twin, SNAPSHOT, 5)).result is BAD


def test_a_terminated_machine_is_not_applicable_and_an_unknown_one_not_evaluated() -> None:
    assert machine(note(SERVER, 9, state="terminated")).result is NOT
    assert judged(graph_of(*ALL_GOOD), instance("other"))[Rule.INSTANCE_IMAGE].result is UNKNOWN
    assert machine(without=(LAUNCHED,)).result is UNKNOWN


def test_a_machine_of_a_trusted_owners_image_is_compliant_and_one_of_a_strangers_is_not() -> None:
    launched = fact(Relation.LAUNCHED_FROM, SERVER, PUBLIC, 3)
    few = {rule.key: {"enabled": False} for rule in (Rule.MAXIMUM_AGE,)}
    assert machine(launched, without=(LAUNCHED,), **few).result is GOOD
    assert machine(launched, STRANGER, without=(LAUNCHED,), **few).result is BAD


def test_a_machine_is_not_evaluated_where_no_rule_is_applied_to_images() -> None:
    none = {rule.key: {"enabled": False} for rule in IMAGE_RULES}
    assert machine(**none).result is UNKNOWN


def test_a_rule_that_is_off_is_judged_only_where_it_is_asked_for() -> None:
    off = settings(naming={"enabled": False})
    assert Rule.NAMING not in enabled_rules(off)
    found = evaluate(graph_of(*ALL_GOOD), [GOLDEN], off, SCOPE, NOW, [Rule.NAMING])
    assert [each.rule for each in found[GOLDEN]] == [Rule.NAMING]


def test_what_is_neither_image_nor_instance_is_refused() -> None:
    with pytest.raises(BadQuery, match="neither an image nor an instance"):
        evaluate(MemoryGraph(), [SNAPSHOT], settings(), SCOPE, NOW)


def test_rules_are_known_by_the_names_of_the_inventory() -> None:
    names = [
        "required_tags",
        "approved_source_validation",
        "security_scan_status",
        "naming_convention",
        "lineage_verification",
    ]
    assert rules_named(names) == (Rule.REQUIRED_TAGS, Rule.APPROVAL, Rule.SECURITY_SCAN, Rule.NAMING, Rule.LINEAGE)
    assert set(ALIASES.values()) == set(Rule)
    for wrong in (["nonsense"], []):
        with pytest.raises(BadQuery, match="rules"):
            rules_named(wrong)


def test_together_the_worst_counts_and_nothing_is_not_applicable() -> None:
    def of(*results: Result) -> Result:
        return together(Verdict(Rule.NAMING, each, "") for each in results)

    assert of() is NOT
    assert of(NOT, GOOD) is GOOD
    assert of(GOOD, UNKNOWN, NOT) is UNKNOWN
    assert of(UNKNOWN, BAD) is BAD


def test_verdicts_say_who_said_it() -> None:
    (evidence,) = judged(graph_of(*ALL_GOOD))[Rule.APPROVAL].evidence
    assert evidence == TAGGED.evidence
    (named,) = judged(graph_of(*ALL_GOOD))[Rule.NAMING].evidence
    assert named == MADE.evidence
