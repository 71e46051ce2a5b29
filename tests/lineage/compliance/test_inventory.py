"""Each rule of the published sample by its number in the inventory: kept, broken, and asked for by its name there."""

from __future__ import annotations

import pytest

from handlers.lineage.compliance.evaluate import evaluate, rules_named
from handlers.lineage.compliance.verdicts import Result, Rule, Verdict
from handlers.lineage.model import Fact, Key, Kind, Place, Relation, key_of
from handlers.lineage.readings.form import write_reading
from handlers.lineage.readings.parse import parse_reading
from tests.support.compliance import ALL_GOOD, GOLDEN, NOW, SCOPE, SERVER, TAGS, graph_of, settings
from tests.support.lineage import ACCOUNT, REGION, fact, image, note

GOOD, BAD = Result.COMPLIANT, Result.NON_COMPLIANT


def by_name(name: str, *more: Fact, key: Key = GOLDEN, without: tuple[Relation, ...] = ()) -> Verdict:
    facts = [each for each in ALL_GOOD if each.child != key or each.relation not in without]
    (verdict,) = evaluate(graph_of(*facts, *more), [key], settings(), SCOPE, NOW, rules_named([name]))[key]
    return verdict


@pytest.mark.parametrize("tag", ["Creator", "Source", "ApprovalStatus", "SecurityScan", "Environment"])
def test_c1_required_tags(tag: str) -> None:
    assert by_name("required_tags").result is GOOD
    assert by_name("required_tags", note(GOLDEN, 5, **{f"tag:{tag}": None})).says == f"it lacks {tag}"
    assert by_name("required_tags", note(GOLDEN, 5, **{f"tag:{tag}": " "})).says == f"{tag} says nothing"


@pytest.mark.parametrize("name", ["approval_status", "approved_source_validation"])
def test_c2_approval_status(name: str) -> None:
    assert by_name(name).result is GOOD
    assert by_name(name, note(GOLDEN, 5, **{"tag:ec2:SharedTag/status": "pending"})).result is BAD


def test_c3_security_scan_status() -> None:
    assert by_name("security_scan_status").result is GOOD
    assert by_name("security_scan_status", note(GOLDEN, 5, **{"tag:SecurityScan": "FAILED"})).result is BAD


@pytest.mark.parametrize("bad", ["prod1", "golden-prod", "golden-dev-1"])
def test_c4_naming_convention(bad: str) -> None:
    assert by_name("naming_convention").result is GOOD
    assert by_name("naming_convention", note(GOLDEN, 5, name=bad)).result is BAD


def test_c5_lineage_verification() -> None:
    assert by_name("lineage_verification").result is GOOD
    making = (Relation.COPIED_FROM, Relation.REGISTERED_FROM)
    unmade = note(GOLDEN, 5, creation_method=None)
    assert by_name("lineage_verification", unmade, without=making).says == "it is not known how it was made"
    assert by_name("lineage_verification", without=making).result is BAD


def test_c6_instance_ami_compliance() -> None:
    assert by_name("instance_ami_compliance", key=SERVER).result is GOOD
    bad = note(GOLDEN, 5, **{"tag:Creator": None})
    assert by_name("instance_ami_compliance", bad, key=SERVER).result is BAD
    replaced = fact(Relation.ROOT_REPLACED_BY, SERVER, image("other"), 5)
    assert by_name("instance_ami_compliance", replaced, key=SERVER).result is not GOOD


def test_what_the_reconciliation_reads_is_what_the_rules_look_for() -> None:
    """Or a rule would wait for an attribute that nobody notes."""
    told = {
        "ImageId": "ami-0123456789abcdef0",
        "OwnerId": ACCOUNT,
        "State": "available",
        "Name": "golden-prod-1",
        "CreationDate": "2026-09-21T14:13:21.000Z",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}}],
        "ScanResults": {"HighestFindingSeverityLabel": "LOW", "FindingScanDate": "2026-09-21T15:00:00.000Z"},
        "Tags": [{"Key": name.removeprefix("tag:"), "Value": value} for name, value in TAGS.items()],
    }
    heard = parse_reading(write_reading(Place(ACCOUNT, REGION), NOW, {"images": [told]}))
    key = key_of(Kind.IMAGE, "ami-0123456789abcdef0", REGION)
    rules = settings(security_scan={"worst": "low"})
    found = evaluate(graph_of(*heard.facts), [key], rules, SCOPE, NOW)[key]
    results = {verdict.rule: verdict.result for verdict in found}
    assert results.pop(Rule.LINEAGE) is results.pop(Rule.UNBROKEN) is BAD
    assert results.pop(Rule.TRUSTED_ROOT) is Result.NOT_EVALUATED
    assert set(results.values()) == {GOOD}
