"""The function behind Security Hub's custom actions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.finding_actions import NOTE, Desk, NotNoted, answer
from handlers.lineage.events.outcome import Outcome
from handlers.lineage.events.parse import parse_event
from handlers.lineage.findings import Finding, Severity
from handlers.lineage.fold import fold_states
from handlers.lineage.graph import Graph
from handlers.lineage.ingest import add
from handlers.lineage.model import Key, Kind, Place, Relation, Source, key_of
from handlers.lineage.publish.asff import Product, asff_of
from handlers.lineage.publish.selected import Action, BadAction
from handlers.lineage.readings.parse import parse_reading
from handlers.lineage.readings.requests import write_request
from org.model import AccountId, Region
from tests.support.compliance import NOW, SCOPE, graph_of, settings
from tests.support.lineage import ACCOUNT, REGION, fact, note
from tests.support.security_hub import FakeHub, FakeTopics

HOME = AccountId("555566667777")
PRODUCT = Product(HOME, Region("eu-central-1"))
IMAGE = key_of(Kind.IMAGE, "ami-0123456789abcdef0", REGION)
SHORT = key_of(Kind.IMAGE, "ami-0123abcd", REGION)
MACHINE = key_of(Kind.INSTANCE, "i-0123456789abcdef0", REGION)
WRONG = Finding("compliance/approval", IMAGE, ACCOUNT, REGION, Severity.HIGH, "t", "s", "d")
FACTS = (
    note(IMAGE, 1, owner=ACCOUNT, name="golden", state="available", creation_method="register"),
    fact(Relation.LAUNCHED_FROM, MACHINE, IMAGE, 2),
    note(MACHINE, 2, owner=ACCOUNT, state="running"),
)


def event(action: str, *findings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    said = {
        "version": "0",
        "id": "0a1b2c3d-1111-2222-3333-444455556666",
        "detail-type": "Security Hub Findings - Custom Action",
        "source": "aws.securityhub",
        "account": HOME,
        "time": "2026-11-26T05:00:00Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:securityhub:eu-central-1:{HOME}:action/custom/{action}"],
        "detail": {"actionName": action, "actionDescription": "…", "findings": list(findings)},
    }
    return said | changes


def stored(finding: Finding = WRONG, **changes: Any) -> dict[str, Any]:
    """A finding as Security Hub sends it."""
    return {**asff_of(finding, PRODUCT, NOW), "Severity": {"Label": finding.severity.value}, **changes}


def desk(graph: Graph, hub: FakeHub | None = None) -> tuple[Desk, FakeTopics]:
    """What is sent is taken in at once, as the ingest does it."""
    topics = FakeTopics()

    def send(body: str) -> None:
        add([parse_reading(body)], graph)

    return Desk(graph, send, hub or FakeHub(), topics, "arn:alerts", settings(), SCOPE, PRODUCT), topics


@pytest.mark.parametrize(("action", "word"), [(Action.APPROVE, "approve"), (Action.QUARANTINE, "quarantine")])
def test_weakness_32_a_click_is_kept_as_a_request_and_changes_nothing(action: Action, word: str) -> None:
    graph = graph_of(*FACTS)
    made, sns = desk(graph)
    assert answer(event(action, stored()), made)["done"] == 1
    new = [each for each in graph.export() if each not in FACTS]
    (asked,) = new
    assert (asked.evidence.source, asked.evidence.event_id) == (Source.DECLARED, "0a1b2c3d-1111-2222-3333-444455556666")
    assert dict(asked.attributes) == {"requested": word, "requested_for": WRONG.id}
    state = fold_states(each for each in graph.export() if each.child == IMAGE)[IMAGE]
    assert not [name for name in state.attributes if name.startswith("tag:")]
    assert state.value("state") == "available"
    ((topic, message),) = sns.sent
    assert topic == "arn:alerts"
    assert message["Subject"] == f"Asked for: {word} ami-0123456789abcdef0"
    assert "Nothing was changed" in message["Message"]
    assert "1 instances run its content" in message["Message"]
    assert sns.attributes() == [{"severity": "HIGH", "rule": '["compliance/approval"]', "account": f'["{HOME}"]'}]


def test_an_event_that_comes_twice_is_one_request() -> None:
    graph = graph_of(*FACTS)
    made, _ = desk(graph)
    for _ in range(2):
        answer(event(Action.APPROVE, stored()), made)
    assert len([*graph.export()]) == len(FACTS) + 1


def test_how_an_approval_is_carried_through_names_the_tag_of_the_guardrail() -> None:
    made, sns = desk(graph_of(*FACTS))
    answer(event(Action.APPROVE, stored()), made)
    assert "sets its tag ec2:SharedTag/status to approved" in sns.sent[0][1]["Message"]


def test_an_analysis_is_noted_on_the_finding_and_told() -> None:
    hub, graph = FakeHub(), graph_of(*FACTS)
    made, sns = desk(graph, hub)
    answer(event(Action.ANALYZE, stored()), made)
    (noted,) = hub.notes
    assert noted["FindingIdentifiers"] == [{"Id": WRONG.id, "ProductArn": PRODUCT.arn}]
    assert "1 instances run its content" in noted["Note"]["Text"]
    assert len(noted["Note"]["Text"]) <= NOTE
    assert sns.sent[0][1]["Subject"] == "Lineage of ami-0123456789abcdef0"
    assert len([*graph.export()]) == len(FACTS)


def test_an_analysis_of_something_unknown_says_so() -> None:
    hub = FakeHub()
    made, _ = desk(graph_of(), hub)
    answer(event(Action.ANALYZE, stored()), made)
    assert hub.notes[0]["Note"]["Text"] == f"Of {IMAGE} nothing is known."


def test_a_note_that_security_hub_refuses_is_an_error() -> None:
    made, _ = desk(graph_of(*FACTS), FakeHub(refuses=[WRONG.id]))
    with pytest.raises(NotNoted, match="FindingNotFound"):
        answer(event(Action.ANALYZE, stored()), made)


def test_weakness_32_short_ids_are_read_whole() -> None:
    graph = graph_of(*FACTS)
    made, _ = desk(graph)
    answer(event(Action.QUARANTINE, stored(replace(WRONG, about=SHORT))), made)
    assert [each.child for each in graph.export() if each.evidence.source is Source.DECLARED] == [SHORT]


def test_weakness_10_findings_are_read_from_the_detail_and_all_of_them() -> None:
    graph = graph_of(*FACTS)
    made, sns = desk(graph)
    told = answer(event(Action.APPROVE, stored(), stored(replace(WRONG, about=SHORT)), stored()), made)
    assert told["done"] == 2
    assert len(sns.sent) == 2


def test_an_instance_is_neither_approved_nor_quarantined_but_analyzed() -> None:
    machine = stored(replace(WRONG, rule="compliance/instance-image", about=MACHINE))
    graph = graph_of(*FACTS)
    made, _ = desk(graph)
    assert answer(event(Action.APPROVE, machine), made) == {
        "action": "ApproveAMI",
        "done": 0,
        "ignored": {"about no image": 1},
    }
    assert answer(event(Action.ANALYZE, machine), made)["done"] == 1


NONSENSE = stored(
    Id="orgctl/compliance/approval/nonsense",
    ProductFields={"orgctl/rule": "compliance/approval", "orgctl/about": "nonsense"},
)
FORGED = Key("aws/eu-central-1/image/ami-0123456789abcdef0; drop")


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (stored(ProductArn="arn:aws:securityhub:eu-central-1::product/aws/inspector"), "of another product"),
        (stored(AwsAccountId="999999999999"), "of another product"),
        (stored(GeneratorId="aws-inspector"), "of another generator"),
        (stored(GeneratorId="orgctl/compliance/naming"), "of another generator"),
        (stored(Id="orgctl/compliance/approval/aws/eu-central-1/image/ami-0badbadbad0badbad"), "of another generator"),
        (stored(ProductFields={}), "of another generator"),
        (stored(ProductFields={"orgctl/rule": 1, "orgctl/about": IMAGE}), "of another generator"),
        (stored(replace(WRONG, about=FORGED)), "about nothing that an action is for"),
        (NONSENSE, "about nothing that an action is for"),
        (
            stored(replace(WRONG, about=key_of(Kind.COVERAGE, ACCOUNT, REGION))),
            "about nothing that an action is for",
        ),
        ("text", "no finding"),
    ],
)
@pytest.mark.parametrize("action", Action)
def test_weakness_32_findings_of_others_and_forged_ones_are_left_alone(action: Action, finding: Any, why: str) -> None:
    graph, hub = graph_of(*FACTS), FakeHub()
    made, sns = desk(graph, hub)
    assert answer(event(action, finding), made) == {"action": action.value, "done": 0, "ignored": {why: 1}}
    assert (sns.sent, hub.notes, len([*graph.export()])) == ([], [], len(FACTS))


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "my.app"},
        {"detail-type": "Security Hub Custom Action"},
        {"account": "999999999999"},
        {"resources": []},
        {"resources": ["arn:aws:securityhub:eu-central-1:999999999999:action/custom/ApproveAMI"]},
        {"resources": [f"arn:aws:securityhub:eu-central-1:{HOME}:action/custom/Other"]},
        {"detail": {}},
        {"id": None},
        {"time": "now"},
        {"time": "2026-11-26T05:00:00"},
    ],
)
def test_an_event_that_is_no_action_of_this_account_is_refused(changes: dict[str, Any]) -> None:
    graph = graph_of(*FACTS)
    made, sns = desk(graph)
    with pytest.raises(BadAction):
        answer(event(Action.APPROVE, stored(), **changes), made)
    assert (sns.sent, len([*graph.export()])) == ([], len(FACTS))


def test_what_is_asked_for_is_kept_before_people_are_told() -> None:
    made, sns = desk(graph_of(*FACTS))

    def fail(body: str) -> None:
        raise OSError("the queue is away")

    with pytest.raises(OSError, match="away"):
        answer(event(Action.APPROVE, stored()), replace(made, send=fail))
    assert sns.sent == []


def message(word: str = "approve", image: str = IMAGE) -> str:
    return write_request(Place(HOME, PRODUCT.region), NOW, word, Key(image), WRONG.id, "event")


def test_a_request_is_believed_from_the_queue_of_readings_alone() -> None:
    assert parse_reading(message()).outcome is Outcome.FACTS
    assert parse_event(message()).outcome is Outcome.FORGED
    assert message() == message()


@pytest.mark.parametrize(
    "text",
    [
        message("delete"),
        message(image="nonsense"),
        message(image=MACHINE),
        message(image="aws/eu-central-1/image/ami-0123456789abcdef0/x"),
        message().replace("approve", "quarantine"),
    ],
)
def test_a_request_that_is_none_makes_no_fact(text: str) -> None:
    heard = parse_reading(text)
    assert heard.outcome is Outcome.MALFORMED
    assert heard.facts == ()
