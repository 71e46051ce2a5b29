"""The function that judges everything: findings, notices and numbers, run after run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from handlers.assess_compliance import Desk, answer, read_request
from handlers.lineage.compliance.assessment import assess, findings_of, severity_of, summary_of, worst_of
from handlers.lineage.compliance.verdicts import Result, Rule
from handlers.lineage.findings import Severity
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Kind, Place, Relation, Time, key_of
from handlers.lineage.publish.asff import Product
from handlers.lineage.publish.books import Unfinished
from handlers.lineage.publish.security_hub import NotImported
from handlers.lineage.queries.asking import BadQuery
from handlers.lineage.queries.places import known_scope
from org.model import AccountId, Region
from tests.support.compliance import ALL_GOOD, GOLDEN, NOW, SCOPE, graph_of, settings
from tests.support.histories import at
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, fact, image, instance, note
from tests.support.security_hub import FakeHub, FakeTopics, Texts
from tests.support.two_sides import TwoSides
from tests.support.two_sides import time as sides_time

HOME = AccountId("555566667777")
SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
COMPLIANCE, ALERTS_TOPIC = "arn:aws:sns:eu-central-1:555566667777:c", "arn:aws:sns:eu-central-1:555566667777:a"
BAD = image("bad")
UNAPPROVED = note(BAD, 1, owner=ACCOUNT, name="bad", state="available", creation_method="register")


def desk(graph: Graph, hub: FakeHub | None = None, sns: FakeTopics | None = None, **changes: Any) -> Desk:
    made = Desk(
        graph,
        hub or FakeHub(),
        sns or FakeTopics(),
        COMPLIANCE,
        ALERTS_TOPIC,
        settings(),
        SCOPE,
        Product(HOME, Region("eu-central-1")),
        NOW,
    )
    return replace(made, **changes)


def test_every_broken_rule_of_every_image_is_a_finding_and_good_images_have_none() -> None:
    hub = FakeHub()
    told = answer(SCHEDULE, desk(graph_of(*ALL_GOOD, UNAPPROVED), hub))
    assert {each["ProductFields"]["orgctl/about"] for each in hub.open().values()} == {BAD}
    assert (told["judged"], told["compliant"], told["non_compliant"]) == (3, 2, 1)
    assert told["findings_created"] == len(hub.open()) == 10
    statuses = {each["GeneratorId"]: each["Compliance"]["Status"] for each in hub.open().values()}
    assert statuses["orgctl/compliance/approval"] == "FAILED"
    assert statuses["orgctl/compliance/scan-freshness"] == "WARNING"


def test_weakness_39_findings_are_of_the_severity_of_their_rule_and_end_when_the_image_is_good() -> None:
    hub = FakeHub()
    bad = note(GOLDEN, 5, **{"tag:ec2:SharedTag/status": None})
    answer(SCHEDULE, desk(graph_of(*ALL_GOOD, bad), hub))
    severities = {each["FindingProviderFields"]["Severity"]["Label"] for each in hub.open().values()}
    assert severities == {"HIGH"}
    again = note(GOLDEN, 6, **{"tag:ec2:SharedTag/status": "approved"})
    told = answer(SCHEDULE, desk(graph_of(*ALL_GOOD, bad, again), hub, now=Time(NOW + 1000)))
    assert told["findings_resolved"] == 2
    assert hub.open() == {}


def test_a_second_run_that_finds_the_same_tells_nobody_but_the_summary() -> None:
    hub, graph = FakeHub(), graph_of(*ALL_GOOD, UNAPPROVED)
    answer(SCHEDULE, desk(graph, hub))
    sns, calls = FakeTopics(), len(hub.imports)
    told = answer(SCHEDULE, desk(graph, hub, sns, now=Time(NOW + 1000)))
    assert (told["findings_created"], told["findings_unchanged"]) == (0, 10)
    assert [topic for topic, _ in sns.sent] == [COMPLIANCE]
    assert len(hub.imports) == calls


def test_weakness_42_grave_findings_go_to_the_alert_topic_and_the_summary_to_the_other() -> None:
    sns = FakeTopics()
    answer(SCHEDULE, desk(graph_of(*ALL_GOOD, UNAPPROVED), sns=sns))
    alerts = [each for topic, each in sns.sent if topic == ALERTS_TOPIC]
    assert [each["MessageAttributes"]["severity"]["StringValue"] for each in alerts] == ["HIGH"]
    assert json.loads(alerts[0]["MessageAttributes"]["rule"]["StringValue"]) == [
        "compliance/approval",
        "compliance/lineage",
        "compliance/security-scan",
        "compliance/trusted-root",
    ]
    ((_, summary),) = [each for each in sns.sent if each[0] == COMPLIANCE]
    assert summary["MessageAttributes"]["severity"]["StringValue"] == "HIGH"
    assert summary["Message"].startswith("2 of 3 images and instances are compliant (66.7 %).")


def test_a_run_that_finds_much_is_told_in_one_message_and_a_later_one_tells_only_what_is_new() -> None:
    many = [note(image(f"{number:03}"), 1, owner=ACCOUNT) for number in range(40)]
    hub, sns = FakeHub(), FakeTopics()
    answer(SCHEDULE, desk(graph_of(*many), hub, sns))
    (alert,) = [each for topic, each in sns.sent if topic == ALERTS_TOPIC]
    assert alert["Subject"] == "HIGH: 160 new findings"
    assert "account 555566667777, Region eu-central-1" in alert["Message"]
    sns = FakeTopics()
    answer(SCHEDULE, desk(graph_of(*many, UNAPPROVED), hub, sns, now=Time(NOW + 1000)))
    (alert,) = [each for topic, each in sns.sent if topic == ALERTS_TOPIC]
    assert alert["Subject"] == "HIGH: 4 new findings"
    assert image("000") not in alert["Message"]


def test_a_run_that_dies_after_it_has_told_people_tells_them_again() -> None:
    class Dying(FakeHub):
        def batch_import_findings(self, **_: Any) -> Any:
            raise TimeoutError

    graph, sns = graph_of(*ALL_GOOD, UNAPPROVED), FakeTopics()
    with pytest.raises(TimeoutError):
        answer(SCHEDULE, desk(graph, Dying(), sns))
    answer(SCHEDULE, desk(graph, FakeHub(), sns))
    subjects = [each["Subject"] for topic, each in sns.sent if topic == ALERTS_TOPIC]
    assert subjects == ["HIGH: 4 new findings"] * 2


def test_a_run_without_time_left_is_not_cut_but_gone_on_with() -> None:
    graph, hub, sns, texts = graph_of(*ALL_GOOD, UNAPPROVED), FakeHub(), FakeTopics(), Texts()
    left = iter([False] * 4)
    with pytest.raises(Unfinished, match="run it again"):
        answer(SCHEDULE, desk(graph, hub, sns, store=texts, late=lambda: next(left, True)))
    assert hub.open() == {}
    assert [topic for topic, _ in sns.sent] == [ALERTS_TOPIC], "the summary comes when all is done"
    told = answer(SCHEDULE, desk(graph, hub, sns, store=texts))
    assert len(hub.open()) == 10
    assert told["judged"] == 3
    assert [topic for topic, _ in sns.sent] == [ALERTS_TOPIC, COMPLIANCE]


def test_people_hear_of_a_grave_finding_though_security_hub_refuses_it() -> None:
    refused = f"orgctl/compliance/approval/{BAD}"
    sns = FakeTopics()
    with pytest.raises(NotImported):
        answer(SCHEDULE, desk(graph_of(UNAPPROVED), FakeHub(refuses=[refused]), sns))
    assert any("(compliance/approval): 1 new" in each["Message"] and BAD in each["Message"] for _, each in sns.sent)


def test_a_finding_about_an_image_that_the_graph_has_lost_stays_open() -> None:
    hub = FakeHub()
    answer(SCHEDULE, desk(graph_of(*ALL_GOOD, UNAPPROVED), hub))
    told = answer(SCHEDULE, desk(graph_of(*ALL_GOOD), hub, now=Time(NOW + 1000)))
    assert told["findings_resolved"] == 0
    assert len(hub.open()) == 10


def test_findings_about_an_image_that_is_gone_end_however_long_ago_it_went() -> None:
    hub = FakeHub()
    answer(SCHEDULE, desk(graph_of(UNAPPROVED), hub))
    gone = note(BAD, 9, state="deregistered")
    assert answer(SCHEDULE, desk(graph_of(UNAPPROVED, gone), hub, now=Time(NOW + 1000)))["findings_resolved"] == 10


def test_findings_of_a_rule_that_is_switched_off_end() -> None:
    hub, graph = FakeHub(), graph_of(UNAPPROVED)
    answer(SCHEDULE, desk(graph, hub))
    off = settings(naming={"enabled": False})
    assert answer(SCHEDULE, desk(graph, hub, settings=off, now=Time(NOW + 1000)))["findings_resolved"] == 1


def ask(hub: FakeHub, graph: Graph, **request: Any) -> dict[str, Any]:
    return answer(request, desk(graph, hub))


REAL = key_of(Kind.IMAGE, "ami-0123456789abcdef0", REGION)


def test_weakness_30_a_direct_request_judges_one_image_by_the_rules_that_it_names() -> None:
    hub = FakeHub()
    graph = graph_of(UNAPPROVED, note(REAL, 1, owner=ACCOUNT, name="x"))
    told = ask(hub, graph, resource_id="ami-0123456789abcdef0", resource_type="ami", rules=["approval_status"])
    assert told["resources"] == [
        {
            "resource": REAL,
            "result": "non-compliant",
            "rules": [
                {"rule": "approval", "result": "non-compliant", "says": "it has no tag ec2:SharedTag/status"},
            ],
        }
    ]
    assert list(hub.open()) == [f"orgctl/compliance/approval/{REAL}"]


def test_a_direct_request_ends_no_finding_of_a_rule_or_image_that_it_did_not_judge() -> None:
    hub = FakeHub()
    answer(SCHEDULE, desk(graph_of(UNAPPROVED, note(REAL, 1, owner=ACCOUNT)), hub))
    before = len(hub.open())
    approved = note(REAL, 5, **{"tag:ec2:SharedTag/status": "approved"})
    graph = graph_of(UNAPPROVED, note(REAL, 1, owner=ACCOUNT), approved)
    request = {"resource_id": "ami-0123456789abcdef0", "resource_type": "AWS::EC2::Image", "rules": ["approval"]}
    told = answer(request, desk(graph, hub, now=Time(NOW + 1000)))
    assert told["findings_resolved"] == 1
    assert len(hub.open()) == before - 1


def test_a_direct_request_for_something_unknown_makes_no_finding() -> None:
    hub = FakeHub()
    told = ask(hub, graph_of(), resource_id="ami-0123456789abcdef0", resource_type="image")
    assert told["resources"][0]["result"] == "not-evaluated"
    assert hub.findings == {}


def test_a_direct_request_for_an_instance_judges_what_it_boots() -> None:
    machine = key_of(Kind.INSTANCE, "i-0123456789abcdef0", REGION)
    facts = (fact(Relation.LAUNCHED_FROM, machine, GOLDEN, 3), note(machine, 3, owner=ACCOUNT))
    told = ask(
        FakeHub(), graph_of(*ALL_GOOD, *facts), resource_id="i-0123456789abcdef0", resource_type="AWS::EC2::Instance"
    )
    assert told["resources"][0]["result"] == "compliant"


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({}, "resource_type: it is none"),
        ({"resource_type": ["ami"]}, "resource_type: it is none"),
        ({"resource_type": "ami"}, "resource_id: it is not the id"),
        ({"resource_type": "ami", "resource_id": "ami-1; drop"}, "resource_id: it is not the id"),
        ({"resource_type": "instance", "resource_id": "ami-0123456789abcdef0"}, "resource_id: it is not the id"),
        ({"resource_type": "ami", "resource_id": "ami-01234567", "region": "x"}, "region: it is not a Region"),
        ({"resource_type": "ami", "resource_id": "ami-01234567", "rules": [1]}, "rules: they are no list"),
        ({"resource_type": "ami", "resource_id": "ami-01234567", "rules": ["x"]}, "rules: there is no rule 'x'"),
        ({"resource_type": "ami", "resource_id": "ami-01234567", "more": 1}, "there is no field 'more'"),
        ({"source": "aws.ec2"}, "there is no field 'source'"),
    ],
)
def test_a_request_that_is_none_is_refused(request_: dict[str, Any], says: str) -> None:
    with pytest.raises(BadQuery, match=says):
        read_request(request_, Region("eu-central-1"))


def test_an_organization_is_assessed_without_what_is_not_its_own_or_only_a_name() -> None:
    stub = fact(Relation.COPIED_FROM, image("known"), image("stub"), 1)
    strangers = note(image("strangers"), 1, owner="999999999999")
    found = assess(graph_of(*ALL_GOOD, stub, strangers), settings(), SCOPE, NOW)
    assert [each.thing.key for each in found.of] == [GOLDEN, image("known"), instance("server")]


def test_numbers_add_up_and_are_the_same_for_the_same_graph() -> None:
    graph = graph_of(*ALL_GOOD, UNAPPROVED)
    first, second = (assess(graph, settings(), SCOPE, NOW) for _ in range(2))
    assert first == second
    for rule, counts in first.counted().items():
        assert sum(counts.values()) == (1 if rule is Rule.INSTANCE_IMAGE else 2)
    assert first.counted()[Rule.MAXIMUM_AGE] == {
        Result.COMPLIANT: 1,
        Result.NON_COMPLIANT: 0,
        Result.NOT_EVALUATED: 1,
        Result.NOT_APPLICABLE: 0,
    }
    found = findings_of(first, settings(), HOME)
    assert found == findings_of(second, settings(), HOME)
    assert [each.severity for each in found] == sorted(
        (each.severity for each in found), key=[*Severity].index, reverse=True
    )


def test_the_worst_are_those_that_break_the_gravest_rules_and_ten_are_named() -> None:
    facts = [note(image(f"{number:03}"), 1, owner=ACCOUNT) for number in range(20)]
    less = note(image("010"), 2, **{"tag:ec2:SharedTag/status": "approved"})
    found = assess(graph_of(*facts, less, *ALL_GOOD), settings(), SCOPE, NOW)
    worst = [each.thing.key for each in worst_of(found, settings())]
    assert worst == [image(f"{number:03}") for number in range(10)]
    assert image("010") not in [each.thing.key for each in worst_of(found, settings(), 19)]
    text = summary_of(found, settings())
    assert "The worst 10:" in text
    assert "approval: 2 compliant, 19 not, 0 not evaluated" in text


def test_a_summary_of_nothing_says_so() -> None:
    found = assess(graph_of(), settings(), SCOPE, NOW)
    assert summary_of(found, settings()).startswith("0 of 0 images and instances are compliant (—).")


def test_severities_of_the_manifest_are_those_of_security_hub() -> None:
    for said, expected in (("info", Severity.INFORMATIONAL), ("critical", Severity.CRITICAL), ("low", Severity.LOW)):
        assert severity_of(settings(naming={"severity": said}), Rule.NAMING) is expected


def test_silent_accounts_are_told_once_updated_with_their_regions_and_resolved_when_they_are_heard() -> None:
    graph = MemoryGraph()
    regions = [Region("eu-central-1"), Region("us-east-1")]
    keys = [key_of(Kind.COVERAGE, ACCOUNT, region) for region in regions]
    hub = FakeHub()

    def told(day: int) -> list[tuple[str, str]]:
        plan = [note(key, day * 86_400, f"{day}", member="yes", expected="yes") for key in keys]
        graph.append(Batch(tuple(plan)))
        when = at(day * 86_400)
        answer(SCHEDULE, desk(graph, hub, scope=known_scope(graph, when), now=when))
        return [
            (each["Id"], each["Resources"][0]["Details"]["Other"]["regions"])
            for each in hub.open().values()
            if each["GeneratorId"] == "orgctl/coverage/silent"
        ]

    def heard(region: Region, day: int) -> None:
        graph.append(Batch((), {Place(ACCOUNT, region): at(day * 86_400)}))

    assert told(0) == told(7) == []
    id = f"orgctl/coverage/silent/aws/-/coverage/{ACCOUNT}"
    assert told(8) == [(id, "eu-central-1 us-east-1")]
    heard(regions[0], 9)
    assert told(9) == [(id, "us-east-1")]
    heard(regions[1], 10)
    assert told(10) == []
    assert hub.findings[id]["Compliance"] == {"Status": "PASSED"}


def test_contradictions_and_gaps_of_coverage_are_findings_too_and_end_when_they_are_no_longer_so() -> None:
    sides = TwoSides()
    approve = sides.events.pop("approve")
    sides.tell()
    hub, sns = FakeHub(), FakeTopics()
    when = sides_time(19)
    answer(SCHEDULE, desk(sides.graph, hub, sns, scope=known_scope(sides.graph, when), now=when))
    rules = {each["GeneratorId"] for each in hub.open().values()}
    assert {"orgctl/contradiction/approval-tag", "orgctl/coverage/stale"} <= rules
    alerts = [each["MessageAttributes"] for topic, each in sns.sent if topic == ALERTS_TOPIC]
    assert [each["severity"]["StringValue"] for each in alerts] == ["CRITICAL", "HIGH"]
    assert any("contradiction/approval-tag" in json.loads(each["rule"]["StringValue"]) for each in alerts)
    sides.events = {"approve": approve}
    sides.hear()
    later = Time(when + 1000)
    answer(SCHEDULE, desk(sides.graph, hub, scope=known_scope(sides.graph, later), now=later))
    rules = {each["GeneratorId"] for each in hub.open().values()}
    assert "orgctl/contradiction/approval-tag" not in rules
    assert "orgctl/coverage/stale" in rules
