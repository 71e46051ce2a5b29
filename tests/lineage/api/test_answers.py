"""What each endpoint answers of a small history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.lineage.api import compliance
from handlers.lineage.api.desk import Means
from handlers.lineage.errors import GraphError
from handlers.lineage.findings import Severity
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Kind, Place, Relation, Time, key_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.reasons import Reason, Why
from handlers.lineage.queries.search import Page
from org.errors import OrgctlError
from tests.support.golden import assert_golden
from tests.support.lineage import ACCOUNT, REGION, fact, image, instance, note
from tests.support.lineage_api import Hub, ask, ec2_id, means_for, scope_of, send, with_ec2_ids
from tests.support.lineage_story import ABROAD, SHOP

GOLDEN, BASE, COPY = ec2_id("ami-golden"), ec2_id("ami-base"), ec2_id("ami-copy")
ASKED = {
    "security-context": f"/ami/{GOLDEN}/security-context",
    "ami-lineage": f"/ami/{GOLDEN}/lineage",
    "show": f"/lineage/show?id={GOLDEN}",
    "ancestors": f"/lineage/ancestors?id={COPY}",
    "descendants": f"/lineage/descendants?id={BASE}",
    "impact": f"/lineage/impact?id={GOLDEN}",
    "frontiers": f"/lineage/frontiers?id={GOLDEN}",
    "smallest": f"/lineage/smallest?id={GOLDEN}",
    "verify": f"/lineage/verify?id={COPY}",
    "root": f"/lineage/root?id={ec2_id('i-swapped')}",
    "evidence-parent": f"/lineage/evidence?id={COPY}&parent={GOLDEN}",
    "evidence-attribute": f"/lineage/evidence?id={GOLDEN}&attribute=state",
    "coverage": "/lineage/coverage",
    "contradictions": "/lineage/contradictions?size=3",
    "search": "/lineage/search?kind=instance&account=222233334444",
}
SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "security-impact": (
        "/security-impact",
        {"ami_id": GOLDEN, "severity": "CRITICAL", "finding_type": "vulnerability", "finding_id": "CVE-2026-1234"},
    ),
    "compliance-assessment": ("/compliance-assessment", {"rules": ["approval"], "scope": "ACCOUNT"}),
    "ami-search": ("/ami/search", {"filters": {"name_contains": "gold", "region": "us-east-1"}}),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_question_is_answered_as_committed(means: Means, name: str) -> None:
    answered = ask(means, ASKED[name])
    assert answered.status == 200
    assert_golden(f"lineage-api/{name}.json", answered.body)


@pytest.mark.parametrize("name", SENT)
def test_a_request_with_a_body_is_answered_as_committed(means: Means, name: str) -> None:
    answered = send(means, *SENT[name])
    assert answered.status == 200
    assert_golden(f"lineage-api/{name}.json", answered.body)


def _rich(graph: Graph) -> Means:
    """Add an image of which much is said, and of AWS Marketplace one."""
    rich, market, unknown = image("rich"), image("market"), image("stub")
    graph.append(
        with_ec2_ids(
            Batch(
                (
                    note(
                        rich,
                        20,
                        owner=ACCOUNT,
                        name="web-prod-12",
                        state="available",
                        encrypted="yes",
                        scan_severity="HIGH",
                        scanned_at="2026-09-01T00:00:00Z",
                        creation_method="copy",
                        **{
                            "tag:ApprovalStatus": "Approved",
                            "tag:SecurityScan": "FAILED",
                            "tag:Creator": "ann",
                            "tag:PatchLevel": "2026-09",
                            "tag:Environment": "prod",
                        },
                    ),
                    fact(Relation.COPIED_FROM, rich, image("golden"), 20),
                    fact(Relation.LAUNCHED_FROM, instance("live"), rich, 21),
                    note(instance("live"), 21, owner=ACCOUNT, state="running"),
                    fact(Relation.LAUNCHED_FROM, instance("dead"), rich, 21),
                    note(instance("dead"), 22, owner=ACCOUNT, state="terminated"),
                    note(market, 20, owner="679593333241", owner_alias="aws-marketplace", state="available"),
                    fact(Relation.COPIED_FROM, image("of-stub"), unknown, 23),
                )
            )
        )
    )
    return means_for(graph, trusted=("amazon", "679593333241"))


def test_what_is_noted_of_an_image_is_told(graph: Graph) -> None:
    context = ask(_rich(graph), f"/ami/{ec2_id('ami-rich')}/security-context").body
    said = context["security_context"]
    assert said["source_validation"] == {
        "marketplace_verified": False,
        "trusted_account": False,
        "approval_status": "Approved",
        "owner_id": ACCOUNT,
        "error": None,
    }
    assert (said["compliance_status"]["patch_level"], said["compliance_status"]["encryption_verified"]) == (
        "2026-09",
        True,
    )
    assert [each["type"] for each in said["compliance_status"]["policy_violations"]] == ["security_scan_not_passed"]
    assert said["vulnerability_status"] == {
        "cve_findings": [{"severity": "HIGH"}],
        "last_scan_date": "2026-09-01T00:00:00Z",
        "scan_status": "FAILED",
    }
    near = context["lineage_data"]
    assert [each["ami_id"] for each in near["parent_amis"]] == [GOLDEN]
    assert [each["instance_id"] for each in near["instances"]] == [ec2_id("i-live")]
    assert not [each for each in context["reasons"] if each["why"] == "not-said"]


def test_the_creation_date_is_that_of_the_reconciliation(graph: Graph) -> None:
    date = "2026-09-20T01:02:03.000Z"
    graph.append(with_ec2_ids(Batch((note(image("rich"), 9, created_at=date),))))
    near = ask(_rich(graph), f"/ami/{ec2_id('ami-golden')}/security-context").body["lineage_data"]
    assert date in [each["creation_date"] for each in near["child_amis"]]


def test_weakness_31_a_marketplace_image_is_known_by_its_owner_alias(graph: Graph) -> None:
    context = ask(_rich(graph), f"/ami/{ec2_id('ami-market')}/security-context").body
    source = context["security_context"]["source_validation"]
    assert (source["marketplace_verified"], source["trusted_account"]) == (True, True)


def test_weakness_31_an_image_whose_owner_is_not_known_is_trusted_by_nobody(graph: Graph) -> None:
    for trusted in ((), ("",)):
        means = replace(_rich(graph), trusted=trusted)
        source = ask(means, f"/ami/{ec2_id('ami-stub')}/security-context").body["security_context"]["source_validation"]
        assert (source["owner_id"], source["trusted_account"], source["marketplace_verified"]) == (None, False, False)


def test_an_image_of_which_only_the_name_is_known_says_so(graph: Graph) -> None:
    answered = ask(_rich(graph), f"/ami/{ec2_id('ami-stub')}/security-context")
    source = answered.body["security_context"]["source_validation"]
    assert (answered.status, source["approval_status"], source["owner_id"]) == (200, "AMI_NOT_FOUND", None)
    assert source["error"]
    assert answered.body["complete"] is False


def test_revoking_an_approval_revokes_it(graph: Graph) -> None:
    means, path = _rich(graph), f"/ami/{ec2_id('ami-rich')}/security-context"
    graph.append(with_ec2_ids(Batch((note(image("rich"), 40, **{"tag:ApprovalStatus": "Revoked"}),))))
    assert ask(means, path).body["security_context"]["source_validation"]["approval_status"] == "Revoked"
    found = send(means, "/ami/search", {"filters": {"approval_status": "Approved"}}).body
    assert found["amis"] == []


def test_compliance_is_left_out_where_it_is_not_asked_for(means: Means) -> None:
    context = ask(means, f"{ASKED['security-context']}?include_compliance=false").body
    assert context["security_context"]["compliance_status"] is None


@pytest.mark.parametrize(("direction", "empty"), [("ancestors", "descendants"), ("descendants", "ancestors")])
def test_one_direction_leaves_the_other_empty(means: Means, direction: str, empty: str) -> None:
    body = ask(means, f"{ASKED['ami-lineage']}?direction={direction}").body
    assert body[empty] == []
    assert body[direction] != []


def test_a_depth_that_cuts_says_so(means: Means) -> None:
    body = ask(means, f"/ami/{BASE}/lineage?depth=1").body
    assert body["complete"] is False
    assert {each["about"] for each in body["reasons"]} == {"depth"}


def test_a_time_before_it_all_finds_nothing_below(means: Means) -> None:
    body = ask(means, f"/ami/{BASE}/lineage?at=2026-09-21T14:13:20Z").body
    assert body["descendants"] == []


def test_an_impact_is_told_to_security_hub_with_the_callers_severity(graph: Graph) -> None:
    hub = Hub()
    body = send(means_for(graph, publish=hub), *SENT["security-impact"]).body
    (finding,) = hub.findings
    assert (finding.rule, finding.severity) == ("vulnerability/CVE-2026-1234", Severity.CRITICAL)
    assert finding.about == f"aws/eu-central-1/image/{GOLDEN}"
    assert body["finding"] == {"id": finding.id, "imported": True, "why": None}
    assert finding.details["affected_auto_scaling_groups"] == "1"


def test_that_security_hub_does_not_take_a_finding_is_told_and_the_impact_too(graph: Graph) -> None:
    hub, heard = Hub(), list[str]()
    hub.fails = OrgctlError("securityhub:BatchImportFindings", "is refused to arn:aws:iam::1:role/x", "see the role")
    means = means_for(graph, publish=hub, complain=lambda what, error: heard.append(f"{what}: {error}"))
    body = send(means, *SENT["security-impact"]).body
    assert body["finding"]["imported"] is False
    assert "role/x" not in body["finding"]["why"]
    assert "role/x" in heard[0]
    assert body["affected_resources"]["auto_scaling_groups"] != []


@pytest.mark.parametrize(
    ("severity", "urgent"), [("CRITICAL", True), ("HIGH", True), ("MEDIUM", False), ("LOW", False)]
)
def test_what_is_grave_is_to_be_stopped_first(means: Means, severity: str, urgent: bool) -> None:
    steps = send(means, "/security-impact", {"ami_id": GOLDEN, "severity": severity}).body["remediation_steps"]
    assert steps[0].startswith("Stop the affected instances") is urgent
    assert len(steps) == (8 if urgent else 6)


def test_an_assessment_goes_on_with_its_cursor_and_counts_each_image_once(means: Means) -> None:
    whole = send(means, "/compliance-assessment", {}).body
    seen, cursor = list[str](), None
    while True:
        body = send(means, "/compliance-assessment", {"limit": 3} | ({"cursor": cursor} if cursor else {})).body
        assert body["complete"] is (body["cursor"] is None)
        seen += [each["ami_id"] for each in body["non_compliant_resources"]]
        if (cursor := body["cursor"]) is None:
            break
    assert seen == [each["ami_id"] for each in whole["non_compliant_resources"]]
    assert len(seen) == whole["compliance_summary"]["total_amis"] == 6, "neither Amazon's nor a stranger's"


def test_of_no_image_there_is_no_percentage(means: Means) -> None:
    body = send(means, "/compliance-assessment", {"scope": "ACCOUNT", "account_id": "000000000000"}).body
    assert body["compliance_summary"]["compliance_percentage"] is None


def test_a_rule_that_is_none_is_refused(means: Means) -> None:
    assert send(means, "/compliance-assessment", {"rules": ["no-such"]}).status == 400


def test_contradictions_go_on_after_the_last_thing_and_end(means: Means) -> None:
    examined, after, answers = 0, "", 0
    while True:
        body = ask(means, f"/lineage/contradictions?size=5{after}").body
        examined, answers = examined + body["examined"], answers + 1
        if body["after"] is None:
            break
        after = f"&after={body['after']}"
    assert (examined, answers) == (12, 3)


def test_a_search_goes_through_all_pages(means: Means) -> None:
    seen, cursor = list[str](), ""
    while True:
        body = ask(means, f"/lineage/search?kind=image&limit=3{cursor}").body
        seen += [each["key"] for each in body["things"]]
        if body["cursor"] is None:
            break
        cursor = f"&cursor={body['cursor']}"
    assert len(seen) == len(set(seen)) == 8


def test_an_unknown_error_of_the_graph_is_no_answer(graph: Graph) -> None:
    def fail(graph: Graph, now: object) -> Any:
        raise GraphError("wss://internal", "is down", "wait")

    assert ask(means_for(graph, scope_of=fail), ASKED["show"]).status == 503


UNHEARD = Place(SHOP, REGION)
"""A place that is expected and was never heard."""


def _with_unheard(graph: Graph, **more: Any) -> Means:
    def scope(graph: Graph, now: Time) -> Scope:
        known = scope_of(graph, now)
        return replace(known, expected=known.expected | {UNHEARD})

    return means_for(graph, scope_of=scope, **more)


def _said(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    assert body["complete"] is (not body["reasons"])
    return [(each["why"], each["about"], each["says"]) for each in body["reasons"]]


NEVER = ("silent", f"{UNHEARD.account}/{UNHEARD.region}", "nothing was ever heard")


@pytest.mark.parametrize(
    ("account", "region", "lacks"),
    [
        (None, None, [NEVER]),
        (SHOP, None, [NEVER]),
        (None, REGION, [NEVER]),
        (SHOP, REGION, [NEVER]),
        (ACCOUNT, None, []),
        (None, ABROAD, []),
        (ACCOUNT, REGION, []),
    ],
)
def test_nothing_is_complete_where_a_place_that_is_asked_about_was_never_heard(
    graph: Graph, account: str | None, region: str | None, lacks: list[tuple[str, str, str]]
) -> None:
    means = _with_unheard(graph)
    where = {name: value for name, value in (("account_id", account), ("region", region)) if value}
    query = "".join(f"&{name.removesuffix('_id')}={value}" for name, value in where.items())
    owned = {"scope": "ACCOUNT"} if account else {}
    assert _said(ask(means, f"/lineage/search?kind=image{query}").body) == lacks
    assert _said(send(means, "/ami/search", {"filters": where}).body) == lacks
    assert _said(send(means, "/compliance-assessment", where | owned).body) == lacks


def test_nothing_is_complete_of_an_account_that_could_not_be_read(graph: Graph) -> None:
    said = {"read": "no", "unread": "AccessDenied"}
    graph.append(Batch((note(key_of(Kind.COVERAGE, SHOP, ABROAD), 900, **said),)))
    lacks = [("unread", f"{SHOP}/{ABROAD}", "could not be read whole: AccessDenied")]
    means = means_for(graph)
    assert _said(ask(means, "/lineage/search?kind=image").body) == lacks
    assert _said(send(means, "/ami/search", {}).body) == lacks
    assert _said(send(means, "/compliance-assessment", {}).body) == lacks
    assert _said(send(means, "/compliance-assessment", {"region": REGION}).body) == []


def test_of_a_place_that_nobody_listens_to_nothing_is_complete(means: Means) -> None:
    says = "nothing is heard from there, or expected: only what other places told is known"
    filters = {"filters": {"account_id": "000000000000"}}
    assert _said(send(means, "/ami/search", filters).body) == [("silent", "000000000000/-", says)]


def test_an_assessment_that_stops_at_its_limit_still_says_what_is_not_heard(graph: Graph) -> None:
    body = send(_with_unheard(graph), "/compliance-assessment", {"limit": 3}).body
    assert body["cursor"] is not None
    assert _said(body) == [("bound", "limit", "3 images were judged; go on with the cursor"), NEVER]


def test_an_assessment_that_stops_says_what_stopped_its_search(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page((), "on", (Reason(Why.BOUND, "examined", "so many were looked at"),))
    monkeypatch.setattr(compliance, "search", lambda *given: page)
    body = send(means_for(graph), "/compliance-assessment", {}).body
    assert [each[1] for each in _said(body)] == ["examined", "limit"]
