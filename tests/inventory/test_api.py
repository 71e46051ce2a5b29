"""A1–A5 of the inventory: the deployed API, asked as a client asks it, answers with the published sample's fields."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stacksets.templates.names import API_FUNCTION
from tests.support.deployed import ABROAD, HOME, Company
from tests.support.lineage_api import event_for

pytestmark = pytest.mark.xdist_group("company")

AMI = {"ami_id", "name", "creation_date", "account_id", "region", "state"}
NOBODYS = "ami-0123456789abcdef9"


def answered(company: Company, path: str, body: object = None) -> dict[str, Any]:
    answer = company.ask(path, body)
    assert answer.status == 200, answer
    assert isinstance(answer.said["complete"], bool)
    assert bool(answer.said["reasons"]) is not answer.said["complete"]
    said: dict[str, Any] = answer.said
    return said


def refused(company: Company, path: str, body: object = None) -> tuple[int, str]:
    answer = company.ask(path, body)
    assert answer.said["correlation_id"]
    return answer.status, answer.said["error"]


def amis(level: list[dict[str, str]]) -> set[tuple[str, str]]:
    assert all(set(each) == AMI for each in level)
    return {(each["ami_id"], each["region"]) for each in level}


def golden_children(company: Company) -> set[tuple[str, str]]:
    here = ("copy of pipelines", "derived", "self-approved")
    return {(company.ids[each], HOME) for each in here} | {(company.ids["golden copy"], ABROAD)}


def test_a1_security_context_says_whose_an_image_is_what_it_breaks_and_what_is_next_to_it(company: Company) -> None:
    golden = company.ids["golden"]
    said = answered(company, f"/ami/{golden}/security-context?include_compliance=true")
    assert {"ami_id", "security_context", "lineage_data", "last_updated"} <= set(said)
    context = said["security_context"]
    assert context["source_validation"] == {
        "marketplace_verified": False,
        "trusted_account": False,
        "approval_status": "approved",
        "owner_id": company.id_of("Image Factory"),
        "error": None,
    }
    assert set(context["compliance_status"]) == {"patch_level", "encryption_verified", "policy_violations"}
    snapshots = company.client("ec2", "Image Factory").describe_snapshots(SnapshotIds=[company.ids["golden snapshot"]])
    assert context["compliance_status"]["encryption_verified"] is snapshots["Snapshots"][0]["Encrypted"]
    broken = {each["type"]: each["details"] for each in context["compliance_status"]["policy_violations"]}
    assert set(broken) == {"missing_required_tags", "security_scan_not_passed"}, "it is approved"
    assert broken["missing_required_tags"].startswith("it lacks Creator, Source")
    assert context["vulnerability_status"] == {"cve_findings": [], "last_scan_date": None, "scan_status": "unknown"}
    near = said["lineage_data"]
    assert amis(near["parent_amis"]) == {(company.ids["base"], HOME)}
    assert amis(near["child_amis"]) == golden_children(company)
    running = {"template instance", "group instance", "parameter instance", "swapped instance"}
    assert {company.ids[each] for each in running} <= {each["instance_id"] for each in near["instances"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["last_updated"])


def test_a1_compliance_is_left_out_where_it_is_not_asked_for(company: Company) -> None:
    said = answered(company, f"/ami/{company.ids['golden']}/security-context?include_compliance=false")
    assert said["security_context"]["compliance_status"] is None


def test_a1_an_image_that_nobody_approved_says_so(company: Company) -> None:
    said = answered(company, f"/ami/{company.ids['laundered']}/security-context")
    violations = said["security_context"]["compliance_status"]["policy_violations"]
    assert {each["type"] for each in violations} == {
        "missing_required_tags",
        "security_scan_not_passed",
        "not_approved",
    }
    assert said["security_context"]["source_validation"]["approval_status"] == "unknown"


@pytest.mark.parametrize("what", ["security-context", "lineage"])
def test_a1_a2_what_is_no_id_and_what_is_no_image_are_told_apart(company: Company, what: str) -> None:
    assert refused(company, f"/ami/ami-nonsense/{what}") == (400, "Malformed AMI ID")
    assert refused(company, f"/ami/{NOBODYS}/{what}") == (404, "AMI not found")


def test_a2_lineage_goes_up_and_down_in_levels(company: Company) -> None:
    said = answered(company, f"/ami/{company.ids['golden']}/lineage")
    assert {"ami_id", "ancestors", "descendants", "lineage_graph"} <= set(said)
    assert [amis(level) for level in said["ancestors"]] == [{(company.ids["base"], HOME)}]
    assert [amis(level) for level in said["descendants"]] == [golden_children(company)]
    steps = {(each["child"], each["relation"], each["parent"]) for each in said["lineage_graph"]}
    golden, copy = (f"aws/{HOME}/image/{company.ids['golden']}", f"aws/{ABROAD}/image/{company.ids['golden copy']}")
    assert (copy, "COPIED_FROM", golden) in steps
    assert (golden, "CREATED_FROM", f"aws/{HOME}/instance/{company.ids['build instance']}") in steps


@pytest.mark.parametrize(("direction", "other"), [("ancestors", "descendants"), ("descendants", "ancestors")])
def test_a2_one_direction_leaves_the_other_out(company: Company, direction: str, other: str) -> None:
    said = answered(company, f"/ami/{company.ids['golden']}/lineage?direction={direction}")
    assert (bool(said[direction]), said[other]) == (True, [])


def test_a2_depth_bounds_the_hops_and_what_it_cuts_is_told(company: Company) -> None:
    shallow = company.ids["golden copy"]
    said = answered(company, f"/ami/{shallow}/lineage?direction=ancestors&depth=1&region={ABROAD}")
    assert [amis(level) for level in said["ancestors"]] == [{(company.ids["golden"], HOME)}]
    assert "bound" in {each["why"] for each in said["reasons"]}
    deep = answered(company, f"/ami/{shallow}/lineage?direction=ancestors&depth=10&region={ABROAD}")
    assert (company.ids["base"], HOME) in amis(deep["ancestors"][-1])
    assert refused(company, f"/ami/{shallow}/lineage?depth=-1")[0] == 400
    assert refused(company, f"/ami/{shallow}/lineage?direction=sideways")[0] == 400


def test_a3_security_impact_names_what_is_affected_and_what_to_do_and_tells_security_hub(company: Company) -> None:
    asked = {"ami_id": company.ids["golden"], "finding_type": "CVE", "finding_id": "CVE-2026-1", "severity": "CRITICAL"}
    said = answered(company, "/security-impact", asked)
    affected = said["affected_resources"]
    assert amis(affected["amis"]) == golden_children(company) | {(company.ids["golden"], HOME)}
    assert {company.ids[each] for each in ("template instance", "group instance", "parameter instance")} <= {
        each["instance_id"] for each in affected["instances"]
    }
    assert [(each["name"], each["account_id"]) for each in affected["auto_scaling_groups"]] == [
        ("web", company.id_of("Shop"))
    ]
    assert company.ids["template"] in [each["launch_template_id"] for each in affected["launch_templates"]]
    (template,) = [each for each in affected["launch_templates"] if each["name"] == "web"]
    assert template["launch_template_id"] == company.ids["template"]
    assert (template["versions"], template["pointers"]) == (["1"], ["$Default", "$Latest"])
    assert said["impact_summary"] == {
        "total_affected_amis": len(affected["amis"]),
        "total_affected_instances": len(affected["instances"]),
        "severity": "CRITICAL",
        "finding_type": "CVE",
        "finding_id": "CVE-2026-1",
    }
    steps = " ".join(said["remediation_steps"])
    for words in ("Stop the affected instances", "by SCPs", "Update the affected AMIs", "new AMI versions"):
        assert words in steps
    for words in ("launch templates", "Replace the affected instances", "Auto Scaling groups", "Verify by a scan"):
        assert words in steps
    (finding,) = company.findings(GeneratorId="orgctl/vulnerability/")
    assert finding["Id"] == said["finding"]["id"]
    assert finding["Severity"]["Label"] == "CRITICAL"
    assert finding["Resources"][0]["Id"] == f"arn:aws:ec2:{HOME}::image/{company.ids['golden']}"


def test_a3_severity_is_medium_unless_it_is_said_and_then_nothing_is_to_be_stopped(company: Company) -> None:
    said = answered(company, "/security-impact", {"ami_id": company.ids["laundered"]})
    assert said["impact_summary"]["severity"] == "MEDIUM"
    assert not any("Stop" in each or "SCP" in each for each in said["remediation_steps"])


def test_a4_compliance_assessment_counts_the_organizations_images_by_rule(company: Company) -> None:
    rules = ["required_tags", "approved_source_validation", "security_scan_status", "naming_convention"]
    rules.append("lineage_verification")
    said = answered(company, "/compliance-assessment", {"rules": rules, "scope": "ORGANIZATION"})
    ours = {"golden", "golden copy", "copy of pipelines", "derived", "laundered", "laundered copy", "self-approved"}
    bad = {each["ami_id"]: each for each in said["non_compliant_resources"]}
    assert set(bad) == {company.ids[each] for each in ours}, "neither Amazon's image nor the stranger's"
    assert said["compliance_summary"] == {
        "total_amis": 7,
        "compliant_amis": 0,
        "non_compliant_amis": 7,
        "not_evaluated_amis": 0,
        "compliance_percentage": 0.0,
    }
    assert set(said["rule_results"]) == set(rules)
    approved = said["rule_results"]["approved_source_validation"]
    assert (approved["compliant"], approved["non_compliant"]) == (2, 5)
    lineage = said["rule_results"]["lineage_verification"]
    assert (lineage["compliant"], lineage["non_compliant"]) == (5, 2)
    laundered = bad[company.ids["laundered"]]
    assert (laundered["account_id"], laundered["region"]) == (company.id_of("Pipelines"), HOME)
    assert "lineage" in {each["rule"] for each in laundered["violations"]}


def test_a4_scope_account_is_the_callers_unless_one_is_named(company: Company) -> None:
    mine = answered(company, "/compliance-assessment", {"rules": ["approval"], "scope": "ACCOUNT"})
    assert mine["compliance_summary"]["total_amis"] == 0, "the caller is of Audit, which has no images"
    shop = {"rules": ["approval"], "scope": "ACCOUNT", "account_id": company.id_of("Shop")}
    shops = answered(company, "/compliance-assessment", shop)
    assert {each["account_id"] for each in shops["non_compliant_resources"]} == {company.id_of("Shop")}
    assert shops["compliance_summary"]["total_amis"] == 2
    factory = {"rules": ["approval"], "scope": "ACCOUNT", "account_id": company.id_of("Image Factory")}
    theirs = answered(company, "/compliance-assessment", factory)
    assert theirs["compliance_summary"]["compliance_percentage"] == 100.0


def test_a5_search_finds_images_by_each_of_its_filters(company: Company) -> None:
    def found(limit: int = 100, **filters: str) -> set[str]:
        said = answered(company, "/ami/search", {"filters": filters, "limit": limit})
        assert said["filters_applied"] == filters
        assert said["total_results"] == len(said["amis"])
        assert all(set(each) == AMI | {"approval_status", "security_scan", "environment"} for each in said["amis"])
        return {each["ami_id"] for each in said["amis"]}

    golden, copy = company.ids["golden"], company.ids["golden copy"]
    assert found(approval_status="approved") == {golden, copy}
    assert found(approval_status="approved", region=ABROAD) == {copy}
    assert found(account_id=company.id_of("Shop")) == {company.ids["derived"], company.ids["self-approved"]}
    assert found(name_contains="golden") == {golden, copy, company.ids["copy of pipelines"]}
    assert found(security_scan="PASSED") == found(environment="production") == set()
    assert len(found(limit=1, name_contains="golden")) == 1
    assert len(answered(company, "/ami/search", {})["amis"]) >= 8


def test_a5_filters_by_scan_and_environment_find_what_is_tagged_so(company: Company) -> None:
    tags = [{"Key": "SecurityScan", "Value": "PASSED"}, {"Key": "Environment", "Value": "staging"}]
    derived = company.ids["derived"]
    company.client("ec2", "Shop").create_tags(Resources=[derived], Tags=tags)
    for filters in ({"security_scan": "PASSED"}, {"environment": "staging"}):
        (image,) = answered(company, "/ami/search", {"filters": filters})["amis"]
        assert (image["ami_id"], image["security_scan"], image["environment"]) == (derived, "PASSED", "staging")
    company.client("ec2", "Shop").delete_tags(Resources=[derived], Tags=tags)
    assert answered(company, "/ami/search", {"filters": {"environment": "staging"}})["amis"] == []


def test_weakness_1_all_endpoints_of_the_sample_answer_and_none_of_them_emptily(company: Company) -> None:
    golden = company.ids["golden"]
    asked: list[tuple[str, object]] = [
        (f"/ami/{golden}/security-context", None),
        (f"/ami/{golden}/lineage", None),
        ("/security-impact", {"ami_id": golden}),
        ("/compliance-assessment", {"rules": ["required_tags"]}),
        ("/ami/search", {"filters": {"name_contains": "golden"}}),
    ]
    for path, body in asked:
        answer = company.ask(path, body)
        assert answer.status == 200, path
        assert golden in answer.body.decode(), path


@pytest.mark.parametrize("path", ["/security-impact", "/compliance-assessment", "/ami/search"])
def test_a3_a4_a5_a_body_that_does_not_fit_its_model_is_refused_before_the_function(
    company: Company, path: str
) -> None:
    for body in ("{", "[]", '{"surprise": 1}'):
        assert refused(company, path, body) == (400, "Invalid request body")
    assert refused(company, "/security-impact", "{}") == (400, "Invalid request body")


def test_a_path_that_is_none_is_told_as_such_to_who_signs_and_to_nobody_else(company: Company) -> None:
    for path, body in (("/nowhere", None), ("/nowhere", {}), ("/ami/x/lineage/more", None)):
        assert refused(company, path, body) == (404, "Endpoint not found"), path


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/security-impact", {}, (400, "AMI ID is required")),
        ("/security-impact", None, (400, "Request body is required")),
        ("/ami/search", "{", (400, "Invalid JSON in request body")),
        ("/nowhere", {}, (404, "Endpoint not found")),
    ],
)
def test_a1_to_a5_the_deployed_function_refuses_in_the_samples_words_whatever_stands_before_it(
    company: Company, path: str, body: object, said: tuple[int, str]
) -> None:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    event = event_for("POST", f"/api/v1{path}", (), text, {"Content-Type": "application/json"})
    answer = company.client("lambda").invoke(FunctionName=API_FUNCTION, Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    refusal = json.loads(told["body"])
    assert (told["statusCode"], refusal["error"]) == said
    assert refusal["correlation_id"]
