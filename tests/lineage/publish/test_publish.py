"""Findings in Security Hub and to people: made, changed, resolved, and never lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from handlers.lineage.findings import Finding, Severity
from handlers.lineage.model import Key, Kind, Time, key_of
from handlers.lineage.publish.asff import Product, asff_of, finding_id
from handlers.lineage.publish.notices import LARGEST, LINES, announce, tell
from handlers.lineage.publish.security_hub import NotImported, import_findings
from handlers.lineage.publish.up_to_date import REFRESH, Published, publish
from org.model import AccountId, Region
from tests.support.golden import assert_golden
from tests.support.security_hub import FakeHub, FakeTopics, check_call

HOME = Region("eu-central-1")
PRODUCT = Product(AccountId("555566667777"), HOME)
NOW = Time(1_764_136_800_000)
LATER = Time(NOW + 3_600_000)
IMAGE = key_of(Kind.IMAGE, "ami-0123456789abcdef0", HOME)
WRONG = Finding(
    "compliance/required-tags",
    IMAGE,
    AccountId("111122223333"),
    HOME,
    Severity.MEDIUM,
    "The image lacks tags",
    "it has no tag Creator",
    "tag it",
    {"result": "non-compliant", "lacks": "Creator"},
)


def every(rule: str, about: Key) -> bool:
    return True


def nothing(rule: str, about: Key) -> bool:
    return False


def told(hub: FakeHub, *findings: Finding, now: Time = NOW, covered: Any = every) -> Published:
    return publish(hub, findings, covered, PRODUCT, ["compliance"], now)


def test_a_finding_is_as_committed() -> None:
    instance = key_of(Kind.INSTANCE, "i-0123456789abcdef0", HOME)
    place = key_of(Kind.COVERAGE, "111122223333", HOME)
    found = [
        WRONG,
        replace(WRONG, about=instance, details={"result": "not-evaluated"}),
        replace(WRONG, rule="contradiction/parent", severity=Severity.CRITICAL),
        replace(WRONG, rule="coverage/silent", about=place),
    ]
    made = [asff_of(each, PRODUCT, NOW) for each in found]
    check_call("securityhub", "BatchImportFindings", {"Findings": made})
    assert_golden("security-hub/findings.json", made)


def test_weakness_8_details_are_texts_and_the_account_is_known() -> None:
    (resource,) = asff_of(WRONG, PRODUCT, NOW)["Resources"]
    assert all(isinstance(each, str) and each for each in resource["Details"]["Other"].values())
    assert asff_of(WRONG, PRODUCT, NOW)["AwsAccountId"] == "555566667777"


def test_weakness_39_an_image_has_an_arn_without_account_and_the_severity_of_its_rule() -> None:
    made = asff_of(replace(WRONG, severity=Severity.HIGH), PRODUCT, NOW)
    assert made["Resources"][0]["Id"] == "arn:aws:ec2:eu-central-1::image/ami-0123456789abcdef0"
    assert made["FindingProviderFields"]["Severity"] == {"Label": "HIGH"}
    assert "PII" not in str(made)


def test_what_is_too_long_is_cut_and_ids_stay_different() -> None:
    keys = [key_of(Kind.OBJECT, "bucket/" + "x" * 2000 + end) for end in "ab"]
    long = [replace(WRONG, about=key, title="t" * 500, says="s" * 5000, todo="d" * 900) for key in keys]
    for each in long:
        made = asff_of(replace(each, details={"n" * 100: "v" * 3000}), PRODUCT, NOW)
        assert (len(made["Title"]), len(made["Description"])) == (256, 1024)
        assert len(made["Id"]) <= 512
        assert len(made["Resources"][0]["Id"]) <= 512
    assert finding_id(long[0]) != finding_id(long[1])


def test_a_new_finding_is_created_and_told_again_only_if_it_changes() -> None:
    hub = FakeHub()
    assert told(hub, WRONG).created == (WRONG,)
    assert told(hub, WRONG, now=LATER).unchanged == (WRONG,)
    assert len(hub.imports) == 1
    worse = replace(WRONG, says="it has no tag Creator and no tag Source")
    assert told(hub, worse, now=LATER).updated == (worse,)
    (stored,) = hub.open().values()
    assert stored["Description"] == worse.says
    assert stored["CreatedAt"] < stored["UpdatedAt"]


@pytest.mark.parametrize(
    "change", [{"severity": Severity.HIGH}, {"details": {"result": "not-evaluated"}}, {"title": "x"}, {"todo": "y"}]
)
def test_a_change_of_anything_that_is_told_is_an_update(change: dict[str, Any]) -> None:
    hub = FakeHub()
    told(hub, WRONG)
    changed = replace(WRONG, **change)
    assert told(hub, changed, now=LATER).updated == (changed,)


def test_a_finding_that_is_as_it_was_is_told_again_before_security_hub_forgets_it() -> None:
    hub = FakeHub()
    told(hub, WRONG)
    later = Time(NOW + REFRESH + 1)
    assert told(hub, WRONG, now=later).unchanged == (WRONG,)
    assert len(hub.imports) == 2


def test_weakness_39_what_is_right_again_is_archived_and_passed() -> None:
    hub = FakeHub()
    told(hub, WRONG)
    assert told(hub, now=LATER).resolved == (WRONG.id,)
    (stored,) = hub.findings.values()
    assert (stored["RecordState"], stored["Compliance"]) == ("ARCHIVED", {"Status": "PASSED"})
    assert told(hub, now=Time(LATER + 1)).resolved == ()


def test_what_was_not_judged_this_time_stays_open() -> None:
    hub = FakeHub()
    told(hub, WRONG)
    assert told(hub, now=LATER, covered=nothing).resolved == ()
    assert list(hub.open()) == [WRONG.id]


def test_what_is_wrong_once_more_is_new_and_keeps_its_first_date() -> None:
    hub = FakeHub()
    told(hub, WRONG)
    told(hub, now=LATER)
    again = told(hub, WRONG, now=Time(LATER + 1000))
    assert again.created == (WRONG,)
    assert hub.open()[WRONG.id]["CreatedAt"] == "2025-11-26T06:00:00.000Z"


def test_findings_of_another_family_are_left_alone() -> None:
    hub = FakeHub()
    other = replace(WRONG, rule="contradiction/parent")
    publish(hub, [other], every, PRODUCT, ["contradiction"], NOW)
    assert told(hub, now=LATER).resolved == ()
    assert list(hub.open()) == [other.id]


def test_all_pages_of_what_is_open_are_read() -> None:
    hub = FakeHub(page=2)
    many = [replace(WRONG, rule=f"compliance/r{number}") for number in range(5)]
    told(hub, *many)
    assert len(told(hub, now=LATER).resolved) == 5


def test_no_call_imports_more_than_a_hundred() -> None:
    hub = FakeHub()
    told(hub, *(replace(WRONG, rule=f"compliance/r{number:03}") for number in range(250)))
    assert [len(each) for each in hub.imports] == [100, 100, 50]


def test_weakness_39_a_finding_that_is_refused_is_told_by_its_id_and_the_others_are_there() -> None:
    many = [replace(WRONG, rule=f"compliance/r{number:03}") for number in range(101)]
    hub = FakeHub(refuses=[many[0].id])
    with pytest.raises(NotImported, match=r"1 of 101 findings were not taken: orgctl/compliance/r000/.*InvalidInput"):
        told(hub, *many)
    assert len(hub.open()) == 100


def test_a_failed_count_without_names_is_an_error_too() -> None:
    class Terse(FakeHub):
        def batch_import_findings(self, **said: Any) -> Any:
            return {"FailedCount": 2, "SuccessCount": 0}

    with pytest.raises(NotImported, match="2 that it does not name"):
        import_findings(Terse(), [asff_of(WRONG, PRODUCT, NOW)])


def test_people_are_told_before_a_finding_is_kept_so_that_no_message_is_lost() -> None:
    hub, heard = FakeHub(refuses=[WRONG.id]), []
    for _ in range(2):
        with pytest.raises(NotImported):
            publish(hub, [WRONG], every, PRODUCT, ["compliance"], NOW, lambda each: heard.extend(each.created))
    assert heard == [WRONG, WRONG]


TOPIC = "arn:aws:sns:eu-central-1:555566667777:alerts"


def of(number: int, **changes: Any) -> Finding:
    key = key_of(Kind.IMAGE, f"ami-{number:017x}", HOME)
    return replace(WRONG, about=key, details={"name": f"image-{number}"}, **changes)


def test_weakness_42_people_are_told_once_for_each_severity_the_worst_first() -> None:
    sns = FakeTopics()
    many = [
        of(1),
        of(2, severity=Severity.HIGH, rule="compliance/approval", account=AccountId("222233334444")),
        of(3, severity=Severity.CRITICAL, rule="contradiction/parent"),
        of(3, severity=Severity.HIGH),
    ]
    assert announce(sns, TOPIC, many, "see there") == 3
    assert [each["severity"] for each in sns.attributes()] == ["CRITICAL", "HIGH", "MEDIUM"]
    assert [json.loads(each["rule"]) for each in sns.attributes()] == [
        ["contradiction/parent"],
        ["compliance/approval", "compliance/required-tags"],
        ["compliance/required-tags"],
    ]
    assert json.loads(sns.attributes()[1]["account"]) == ["111122223333", "222233334444"]
    assert sns.sent[1][1]["Subject"] == "HIGH: 2 new findings"


def test_a_notice_names_what_is_new_by_rule_and_says_where_to_look() -> None:
    sns = FakeTopics()
    announce(sns, TOPIC, [of(1), of(2), of(9, rule="compliance/naming", title="A bad name: x", todo="rename")], "there")
    assert sns.sent[0][1]["Message"].splitlines() == [
        "3 new of severity MEDIUM. What was open before is not told again.",
        "",
        "The image lacks tags (compliance/required-tags): 2 new",
        f"- image-1 ({of(1).about}, account 111122223333): it has no tag Creator",
        f"- image-2 ({of(2).about}, account 111122223333): it has no tag Creator",
        "What to do: tag it",
        "",
        "A bad name (compliance/naming): 1 new",
        f"- image-9 ({of(9).about}, account 111122223333): it has no tag Creator",
        "What to do: rename",
        "",
        "there",
    ]


def test_a_notice_about_many_is_one_message_that_counts_what_it_leaves_out() -> None:
    sns = FakeTopics()
    rules = [f"compliance/r{number:02}" for number in range(20)]
    announce(sns, TOPIC, [of(number, rule=rule) for rule in rules for number in range(1000)], "there")
    ((_, message),) = sns.sent
    text = message["Message"]
    named = sum(line.startswith("- image-") for line in text.splitlines())
    counted = sum(int(found.replace(",", "")) for found in re.findall(r"^(?:- and|And) ([0-9,]+) more", text, re.M))
    assert named <= LINES
    assert named + counted == 20_000
    assert len(text.encode()) <= LARGEST


def test_a_name_makes_no_line_of_its_own_and_no_line_is_endless() -> None:
    sns = FakeTopics()
    announce(sns, TOPIC, [replace(of(1), details={"name": "x\n\nWhat to do: nothing"}, says="y" * 5000)], "there")
    (line,) = [each for each in sns.sent[0][1]["Message"].splitlines() if each.startswith("- ")]
    assert line.startswith("- x What to do: nothing (")
    assert len(line) < 310


def test_of_nothing_that_is_new_nobody_is_told() -> None:
    sns = FakeTopics()
    assert announce(sns, TOPIC, [], "there") == 0
    assert sns.sent == []


def test_a_subject_is_what_sns_takes_whatever_the_title_says() -> None:
    sns = FakeTopics()
    announce(sns, TOPIC, [replace(WRONG, title="ä\nb" + "x" * 200)], "there")
    subject = sns.sent[0][1]["Subject"]
    assert len(subject) < 100
    assert subject.startswith("MEDIUM: ??b")


def test_a_message_is_bounded() -> None:
    sns = FakeTopics()
    tell(sns, "arn", "subject", "é" * 100_000, Severity.LOW, "compliance/summary", "")
    assert len(sns.sent[0][1]["Message"].encode()) <= 25_000
    assert sns.attributes()[0]["account"] == '["unknown"]'
