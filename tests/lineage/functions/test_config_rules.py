"""The function behind AWS Config's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from handlers.config_rules import EVALUATIONS_ROLE, answer
from handlers.lineage.compliance.evaluations import NotPut
from handlers.lineage.compliance.invocation import BadInvocation, Invocation, read_invocation
from handlers.lineage.compliance.subjects import FORGOTTEN
from handlers.lineage.graph import Graph
from handlers.lineage.model import Fact, Kind, Relation, Time, key_of
from handlers.lineage.queries.asking import NO_SCOPE, Scope
from org.model import AccountId, Region
from stacksets.templates import names
from tests.support.compliance import ALL_GOOD, GOLDEN, NOW, SCOPE, graph_of, settings
from tests.support.lineage import ACCOUNT, fact, image, note
from tests.support.security_hub import Texts, check_call

HOME = "eu-central-1"
DAY = 24 * 3_600_000
OTHER = Region("eu-west-1")
WHEN = "2026-11-26T05:00:00.370Z"
SERVER_ID = "i-0123456789abcdef0"
MACHINE = key_of(Kind.INSTANCE, SERVER_ID, Region(HOME))


def scheduled(account: str = ACCOUNT, **event: Any) -> dict[str, Any]:
    message = {
        "awsAccountId": account,
        "notificationCreationTime": WHEN,
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0",
    }
    return _event(message, **event)


def changed(oversized: bool = False, event: Mapping[str, Any] | None = None, **item: Any) -> dict[str, Any]:
    kind = f"{'Oversized' if oversized else ''}ConfigurationItemChangeNotification"
    said = {
        "configurationItemCaptureTime": WHEN,
        "awsAccountId": ACCOUNT,
        "awsRegion": HOME,
        "configurationItemStatus": "OK",
        "resourceId": SERVER_ID,
        "resourceType": "AWS::EC2::Instance",
        **item,
    }
    where = "configurationItemSummary" if oversized else "configurationItem"
    return _event({where: said, "messageType": kind, "notificationCreationTime": WHEN}, **(event or {}))


def _event(message: Mapping[str, Any], **event: Any) -> dict[str, Any]:
    said = {
        "invokingEvent": json.dumps(message),
        "ruleParameters": "{}",
        "resultToken": "token",
        "eventLeftScope": False,
        "executionRoleArn": "arn:aws:iam::999999999999:role/somebody-elses",
        "configRuleArn": f"arn:aws:config:{HOME}:{ACCOUNT}:config-rule/config-rule-abc123",
        "configRuleName": "orgctl-images",
        "configRuleId": "config-rule-abc123",
        "accountId": ACCOUNT,
        "version": "1.0",
    }
    return said | event


class FakeConfig:
    def __init__(self, refuses: Sequence[str] = ()) -> None:
        self.calls: list[dict[str, Any]] = []
        self.asked: list[Invocation] = []
        self._refuses = refuses

    def put_evaluations(self, **said: Any) -> Mapping[str, Any]:
        check_call("config", "PutEvaluations", said)
        assert len(said["Evaluations"]) <= 100
        self.calls.append(said)
        failed = [each for each in said["Evaluations"] if each["ComplianceResourceId"] in self._refuses]
        return {"FailedEvaluations": failed} if failed else {}

    def client(self, asked: Invocation) -> FakeConfig:
        self.asked.append(asked)
        return self

    def told(self) -> dict[str, tuple[str, str, str]]:
        """Of resources; what is told of the account itself is `account`."""
        return {id: said for id, said in self._told().items() if id != ACCOUNT}

    @property
    def account(self) -> tuple[str, str, str]:
        return self._told()[ACCOUNT]

    def _told(self) -> dict[str, tuple[str, str, str]]:
        return {
            each["ComplianceResourceId"]: (
                each["ComplianceResourceType"],
                each["ComplianceType"],
                each.get("Annotation", ""),
            )
            for call in self.calls
            for each in call["Evaluations"]
        }


def run(event: dict[str, Any], graph: Graph, scope: Scope = SCOPE, now: Time = NOW, **rules: Any) -> FakeConfig:
    config = FakeConfig()
    answer(event, graph, settings(**rules), scope, now, config.client)
    return config


def test_each_image_of_the_account_gets_one_evaluation() -> None:
    bad = note(image("bad"), 1, owner=ACCOUNT, name="bad")
    others = note(image("others"), 1, owner="999999999999")
    told = run(scheduled(), graph_of(*ALL_GOOD, bad, others)).told()
    assert told["ami-golden"] == ("AWS::EC2::Image", "COMPLIANT", _all_kept(told["ami-golden"][2]))
    assert told["ami-bad"][:2] == ("AWS::EC2::Image", "NON_COMPLIANT")
    assert told["ami-bad"][2].startswith("required-tags: it lacks Creator")
    assert told["i-server"][:2] == ("AWS::EC2::Instance", "COMPLIANT")
    assert "ami-others" not in told
    assert "ami-public" not in told


def _all_kept(text: str) -> str:
    assert text.startswith("required-tags: it has Creator")
    assert len(text) <= 256
    return text


def test_weakness_4_an_image_that_cannot_be_judged_is_told_to_be_non_compliant_and_why() -> None:
    told = run(scheduled(ruleParameters='{"rules": "naming"}'), graph_of(note(image("x"), 1, owner=ACCOUNT))).told()
    assert told == {"ami-x": ("AWS::EC2::Image", "NON_COMPLIANT", "naming: not evaluated: its name is not known")}


def test_weakness_5_the_invoking_event_is_a_text_under_the_name_that_aws_gives_it() -> None:
    with pytest.raises(BadInvocation, match="invokingEvent is missing"):
        read_invocation({**scheduled(), "invokingEvent": {"messageType": "ScheduledNotification"}})
    with pytest.raises(BadInvocation, match="invokingEvent is not JSON"):
        read_invocation({**scheduled(), "invokingEvent": "{"})


def test_weakness_30_rule_parameters_decide_which_rules_are_judged() -> None:
    graph = graph_of(*ALL_GOOD, note(GOLDEN, 5, **{"tag:Creator": None}))
    assert run(scheduled(ruleParameters='{"rules": "naming_convention"}'), graph).told() == {
        "ami-golden": ("AWS::EC2::Image", "COMPLIANT", "naming: its name 'golden-prod-1' is as it should be")
    }
    both = run(scheduled(ruleParameters='{"rules": "naming, required_tags"}'), graph).told()
    assert both["ami-golden"][1:] == ("NON_COMPLIANT", "required-tags: it lacks Creator")


def test_a_rule_that_is_off_in_the_manifest_is_not_judged_unless_it_is_asked_for() -> None:
    graph = graph_of(*ALL_GOOD, note(GOLDEN, 5, name="x"))
    assert run(scheduled(), graph, naming={"enabled": False}).told()["ami-golden"][1] == "COMPLIANT"
    asked = scheduled(ruleParameters='{"rules": "naming"}')
    assert run(asked, graph, naming={"enabled": False}).told()["ami-golden"][1] == "NON_COMPLIANT"


def test_images_of_all_governed_regions_are_judged_and_those_of_others_than_the_rules_go_by_their_arn() -> None:
    far = key_of(Kind.IMAGE, "ami-far", OTHER)
    graph = graph_of(*ALL_GOOD, note(far, 1, owner=ACCOUNT))
    assert "ami-far" not in str(run(scheduled(), graph).told())
    named = run(scheduled(ruleParameters='{"regions": "eu-west-1"}'), graph).told()
    assert list(named) == ["arn:aws:ec2:eu-west-1::image/ami-far"]
    config = FakeConfig()
    every = settings().model_copy(update={"regions": (HOME, OTHER)})
    answer(scheduled(), graph, every, SCOPE, NOW, config.client)
    assert {"ami-golden", "arn:aws:ec2:eu-west-1::image/ami-far"} <= set(config.told())


def test_an_image_that_went_is_not_applicable_for_a_while_and_then_forgotten() -> None:
    graph = graph_of(*ALL_GOOD, note(GOLDEN, 9, state="deregistered"))
    soon = Time(1_790_000_000_000 + 60_000)
    assert run(scheduled(), graph, now=soon).told()["ami-golden"][1] == "NOT_APPLICABLE"
    assert "ami-golden" not in run(scheduled(), graph, now=Time(soon + FORGOTTEN)).told()


def read(answer: str, region: str = HOME, at: int = 1) -> Fact:
    return note(key_of(Kind.COVERAGE, ACCOUNT, Region(region)), at, read=answer)


def test_an_account_that_was_read_whole_and_has_no_image_is_not_applicable() -> None:
    config = run(scheduled(), graph_of(read("yes")))
    assert (config.told(), config.account) == ({}, ("AWS::::Account", "NOT_APPLICABLE", "all of it was read"))


@pytest.mark.parametrize("known", [(), (read("no"),), (read("in-part"),), (read("yes"), read("no", at=2)), ALL_GOOD])
def test_an_account_that_was_not_read_whole_is_not_compliant_whatever_is_known_of_its_images(known: Any) -> None:
    assert run(scheduled(), graph_of(*known)).account == (
        "AWS::::Account",
        "NON_COMPLIANT",
        "not evaluated: what is there was not read whole in eu-central-1",
    )


def test_each_region_that_a_rule_is_about_must_have_been_read() -> None:
    graph = graph_of(read("yes"))
    for regions, result in ((HOME, "NOT_APPLICABLE"), (f"{HOME}, {OTHER}", "NON_COMPLIANT"), (OTHER, "NON_COMPLIANT")):
        asked = scheduled(ruleParameters=json.dumps({"regions": regions}))
        assert run(asked, graph).account[1] == result


def machine(*more: Any) -> Graph:
    launched = fact(Relation.LAUNCHED_FROM, MACHINE, GOLDEN, 3)
    return graph_of(*ALL_GOOD, launched, note(MACHINE, 3, owner=ACCOUNT, state="running"), *more)


@pytest.mark.parametrize("oversized", [False, True])
def test_a_changed_instance_is_judged_by_its_image_however_large_the_message_was(oversized: bool) -> None:
    assert run(changed(oversized), machine()).told() == {
        SERVER_ID: ("AWS::EC2::Instance", "COMPLIANT", "instance-image: it boots ami-golden, which is compliant")
    }
    bad = machine(note(GOLDEN, 5, **{"tag:Creator": None}))
    assert run(changed(oversized), bad).told()[SERVER_ID][1] == "NON_COMPLIANT"


def test_an_instance_that_was_not_heard_of_is_not_compliant() -> None:
    assert run(changed(), graph_of(*ALL_GOOD)).told()[SERVER_ID][1:] == (
        "NON_COMPLIANT",
        "instance-image: not evaluated: only its name is known",
    )


@pytest.mark.parametrize(
    "event",
    [
        changed(configurationItemStatus="ResourceDeleted"),
        changed(configurationItemStatus="ResourceDeletedNotRecorded"),
        changed(oversized=True, configurationItemStatus="ResourceDeleted"),
        changed(event={"eventLeftScope": True}),
    ],
)
def test_an_instance_that_is_deleted_or_out_of_scope_is_not_applicable(event: dict[str, Any]) -> None:
    assert run(event, machine()).told()[SERVER_ID][1] == "NOT_APPLICABLE"


def test_a_trial_changes_nothing() -> None:
    assert [call["TestMode"] for call in run(scheduled(resultToken="TESTMODE"), graph_of()).calls] == [True]
    assert [call["TestMode"] for call in run(scheduled(), graph_of()).calls] == [False]


def test_evaluations_are_ordered_by_the_time_that_config_gave() -> None:
    (call,) = run(scheduled(), graph_of(*ALL_GOOD)).calls
    assert {each["OrderingTimestamp"].isoformat() for each in call["Evaluations"]} == {
        "2026-11-26T05:00:00.370000+00:00"
    }


def test_no_call_puts_more_than_a_hundred() -> None:
    many = [note(image(f"{number:04}"), 1, owner=ACCOUNT) for number in range(250)]
    config = run(scheduled(ruleParameters='{"rules": "naming"}'), graph_of(*many))
    assert [len(call["Evaluations"]) for call in config.calls] == [100, 100, 51]


def test_evaluations_that_config_refuses_are_an_error_once_all_were_tried() -> None:
    many = [note(image(f"{number:04}"), 1, owner=ACCOUNT) for number in range(150)]
    config = FakeConfig(refuses=["ami-0000"])
    with pytest.raises(NotPut, match="1 of 151 evaluations were not taken: ami-0000"):
        answer(scheduled(ruleParameters='{"rules": "naming"}'), graph_of(*many), settings(), SCOPE, NOW, config.client)
    assert len(config.calls) == 2


def test_weakness_36_the_role_is_that_of_the_rules_account_whatever_the_event_says() -> None:
    config = run(scheduled(), graph_of())
    (asked,) = config.asked
    assert (asked.account, asked.region) == (ACCOUNT, HOME)
    assert "999999999999" not in str(asked)
    assert EVALUATIONS_ROLE == names.EVALUATIONS_ROLE


def test_weakness_36_an_account_that_is_not_of_the_organization_is_refused() -> None:
    config = FakeConfig()
    with pytest.raises(BadInvocation, match="is not of this organization"):
        answer(scheduled(), graph_of(), settings(), Scope(frozenset({AccountId("1" * 12)})), NOW, config.client)
    assert config.asked == []


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (scheduled(accountId="999999999999"), "accountId is not the account of the rule"),
        (scheduled("999999999999"), "awsAccountId is not the account of the rule"),
        (scheduled(configRuleArn="arn:aws:iam::111122223333:role/x"), "configRuleArn is not the ARN of a rule"),
        (scheduled(resultToken=""), "resultToken is missing"),
        (scheduled(ruleParameters="[]"), "ruleParameters is not an object"),
        (scheduled(ruleParameters='{"rule": "naming"}'), "the rule has no parameter 'rule'"),
        (scheduled(ruleParameters='{"rules": "nonsense"}'), "there is no rule 'nonsense'"),
        (scheduled(ruleParameters='{"rules": ""}'), "rules is missing"),
        (changed(awsAccountId="999999999999"), "the resource is of another account or Region"),
        (changed(awsRegion="us-east-1"), "the resource is of another account or Region"),
        (changed(resourceType="AWS::S3::Bucket"), "the resource is no instance"),
        (changed(resourceId="i-x/../y"), "the resource is no instance"),
        (changed(configurationItemCaptureTime="now"), "configurationItemCaptureTime is not a time"),
        (changed(event={"ruleParameters": '{"rules": "naming"}'}), "an instance changed, and the rule asks for naming"),
        (_event({"messageType": "ConfigurationItemChangeNotification"}), "configurationItem is missing"),
        (_event({"messageType": "ConfigurationSnapshotDeliveryCompleted"}), "it cannot be told what"),
        ({}, "configRuleArn is missing"),
    ],
)
def test_what_config_does_not_send_is_refused(event: dict[str, Any], says: str) -> None:
    config = FakeConfig()
    with pytest.raises(BadInvocation, match=says):
        answer(event, graph_of(), settings(), NO_SCOPE, NOW, config.client)
    assert config.calls == []


def test_only_what_config_does_not_have_is_put_and_all_of_it_after_a_week() -> None:
    facts = [*ALL_GOOD, *(note(image(f"{n:03}"), 1, owner=ACCOUNT) for n in range(120))]
    images = {"ruleParameters": '{"rules": "required-tags"}'}
    store = Texts()

    def told(graph: Graph, now: Time = NOW, refuses: Sequence[str] = (), **more: Any) -> set[str]:
        config = FakeConfig(refuses)
        answer(scheduled(**images, **more), graph, settings(), SCOPE, now, config.client, store)
        assert config.account[0] == "AWS::::Account", "of it is told each time, or a rule with nothing new would fail"
        return set(config.told())

    assert len(told(graph_of(*facts))) == 121
    assert told(graph_of(*facts)) == set()
    tagged = [*facts, note(image("007"), 5, **{"tag:Creator": "x"})]
    with pytest.raises(NotPut):
        told(graph_of(*tagged), refuses=["ami-007"])
    assert told(graph_of(*tagged)) == {"ami-007"}, "what was refused is put again"
    assert len(told(graph_of(*tagged), Time(NOW + 7 * DAY))) == 121
    anew = f"arn:aws:config:{HOME}:{ACCOUNT}:config-rule/config-rule-other"
    assert len(told(graph_of(*tagged), configRuleArn=anew)) == 121, "a rule that was made anew has no results"
    store.texts.clear()
    assert len(told(graph_of(*tagged))) == 121


def test_instances_are_put_each_time_since_a_change_of_one_is_told_in_between() -> None:
    store, config = Texts(), FakeConfig()
    for _ in range(2):
        answer(scheduled(ruleParameters='{"rules": "instance-image"}'), graph_of(*ALL_GOOD), settings(), SCOPE, NOW,
               config.client, store)  # fmt: skip
    assert [len(each["Evaluations"]) for each in config.calls] == [2, 2]
