"""C1–C6 of the inventory: evaluations in AWS Config of the image's account, findings in Security Hub, the API's names.

Each rule is shown to fail an image and to pass one: an image that keeps all of them is made here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from org.sandbox.scenarios.images import APPROVED
from org.sandbox.scenarios.stage import APPROVER, BUILDER
from tests.support.deployed import Company

pytestmark = pytest.mark.xdist_group("company")

TAGS = {
    "Creator": "platform",
    "Source": "golden-linux",
    "ApprovalStatus": "Approved",
    "SecurityScan": "PASSED",
    "Environment": "staging",
}


@dataclass(frozen=True)
class Judged:
    """One image that keeps every rule, beside the golden one; judged by AWS Config, the assessment and the API."""

    company: Company
    good: str
    instance: str

    def config(self, account: str, rule: str) -> Mapping[str, tuple[str, str]]:
        """Answer type and annotation of an account's evaluations by resource."""
        config = self.company.client("config", account)
        (name,) = [
            each["ConfigRuleName"]
            for each in config.describe_config_rules()["ConfigRules"]
            if rule in each["ConfigRuleName"]
        ]
        results = config.get_compliance_details_by_config_rule(ConfigRuleName=name)["EvaluationResults"]
        return {
            each["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"]: (
                each["ComplianceType"],
                each.get("Annotation", ""),
            )
            for each in results
        }

    def findings(self, rule: str) -> Mapping[str, dict[str, Any]]:
        found = self.company.findings(GeneratorId=f"orgctl/compliance/{rule}")
        return {each["ProductFields"]["orgctl/about"].rpartition("/")[2]: each for each in found}

    def api(self, rule: str) -> Mapping[str, Any]:
        said = self.company.ask("/compliance-assessment", {"rules": [rule], "scope": "ORGANIZATION"}).said
        return {
            "by rule": said["rule_results"][rule],
            "bad": {each["ami_id"] for each in said["non_compliant_resources"]},
        }


@pytest.fixture(scope="module")
def judged(company: Company) -> Judged:
    factory = company.stage.ec2("Image Factory", BUILDER)
    machine = factory.run_instances(ImageId=company.ids["base"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    id = machine["Instances"][0]["InstanceId"]
    tags = [{"ResourceType": "image", "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()]}]
    good = factory.create_image(InstanceId=id, Name="shop-staging-7", TagSpecifications=tags)["ImageId"]
    company.stage.ec2("Image Factory", APPROVER).create_tags(Resources=[good], Tags=[APPROVED])
    factory.terminate_instances(InstanceIds=[id])
    instance = factory.run_instances(ImageId=good, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    for account in ("Image Factory", "Shop", "Pipelines"):
        config = company.client("config", account)
        names = [each["ConfigRuleName"] for each in config.describe_config_rules()["ConfigRules"]]
        config.start_config_rules_evaluation(ConfigRuleNames=[each for each in names if "orgctl-ami-" in each])
    company.run("assess")
    return Judged(company, good, instance["Instances"][0]["InstanceId"])


ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("orgctl-ami-required-tags", "required-tags", "required_tags", "golden", "it lacks Creator, Source"),
    ("orgctl-ami-approval-status", "approval", "approved_source_validation", "derived", "it has no tag ec2:SharedTag"),
    (
        "orgctl-ami-security-scan-status",
        "security-scan",
        "security_scan_status",
        "golden",
        "it has no tag SecurityScan",
    ),
    ("orgctl-ami-naming-convention", "naming", "naming_convention", "golden", "cannot hold the environment"),
    ("orgctl-ami-lineage-verification", "lineage", "lineage_verification", "laundered", "no trusted owner is said"),
)
OWNERS = {"golden": "Image Factory", "derived": "Shop", "laundered": "Pipelines"}


def check(judged: Judged, row: int) -> None:
    config_rule, rule, api_rule, bad, why = ROWS[row]
    id = judged.company.ids[bad]
    kind, annotation = judged.config(OWNERS[bad], config_rule)[id]
    assert (kind, why in annotation) == ("NON_COMPLIANT", True), annotation
    assert judged.config("Image Factory", config_rule)[judged.good][0] == "COMPLIANT"
    findings = judged.findings(rule)
    assert judged.good not in findings
    assert findings[id]["Compliance"]["Status"] == "FAILED"
    assert why in findings[id]["Description"]
    assert findings[id]["ProductFields"]["orgctl/account"] == judged.company.id_of(OWNERS[bad])
    said = judged.api(api_rule)
    assert (id in said["bad"], judged.good in said["bad"]) == (True, False)
    assert said["by rule"]["compliant"] >= 1
    assert said["by rule"]["non_compliant"] == len(said["bad"])


def test_c1_required_tags(judged: Judged) -> None:
    check(judged, 0)


def test_c2_approval_status(judged: Judged) -> None:
    check(judged, 1)


def test_c3_security_scan_status(judged: Judged) -> None:
    check(judged, 2)


def test_c4_naming_convention(judged: Judged) -> None:
    check(judged, 3)


def test_c5_lineage_verification(judged: Judged) -> None:
    check(judged, 4)


def test_c6_an_instance_is_judged_by_its_image_when_it_changes(judged: Judged) -> None:
    rule = "orgctl-instance-ami-compliance"
    laundered = judged.company.ids["laundered instance"]
    # At its launch Config may ask before the event of the launch has come; then it is not compliant until it changes.
    for account, id in (("Pipelines", laundered), ("Image Factory", judged.instance)):
        judged.company.client("ec2", account).create_tags(Resources=[id], Tags=[{"Key": "Owner", "Value": "x"}])
    kind, annotation = judged.config("Pipelines", rule)[laundered]
    assert kind == "NON_COMPLIANT"
    assert f"it boots {judged.company.ids['laundered']}, which is not compliant" in annotation
    assert judged.config("Image Factory", rule)[judged.instance][0] == "COMPLIANT"
    assert laundered in judged.findings("instance-image")
    assert judged.instance not in judged.findings("instance-image")


def test_c1_to_c6_a_direct_request_judges_one_thing_by_the_rules_that_it_names(judged: Judged) -> None:
    def asked(id: str, type: str, *rules: str) -> dict[str, str]:
        payload = json.dumps({"resource_id": id, "resource_type": type, "rules": list(rules)})
        answer = judged.company.client("lambda").invoke(FunctionName="orgctl-lineage-assess", Payload=payload)
        (resource,) = json.loads(answer["Payload"].read())["resources"]
        return {each["rule"]: each["result"] for each in resource["rules"]}

    every = ("required_tags", "approval_status", "security_scan_status", "naming_convention", "lineage_verification")
    assert set(asked(judged.good, "AWS::EC2::Image", *every).values()) == {"compliant"}
    assert asked(judged.company.ids["golden"], "ami", "required_tags") == {"required-tags": "non-compliant"}
    assert asked(judged.instance, "instance", "instance_ami_compliance") == {"instance-image": "compliant"}


def test_c1_to_c6_the_summary_goes_to_people_with_the_worst_of_it(judged: Judged) -> None:
    summaries = [
        each for each in judged.company.stage.control.sent() if each["subject"] == "Compliance of machine images"
    ]
    text = summaries[-1]["message"]
    assert "images and instances are compliant" in text
    assert judged.company.ids["laundered"] in text


def test_c1_to_c6_a_finding_ends_when_the_rule_is_kept(judged: Judged) -> None:
    """Last: it changes the golden image's tags."""
    golden = judged.company.ids["golden"]
    assert golden in judged.findings("security-scan")
    builder = judged.company.stage.ec2("Image Factory", BUILDER)
    builder.create_tags(Resources=[golden], Tags=[{"Key": "SecurityScan", "Value": "PASSED"}])
    judged.company.run("assess")
    assert golden not in judged.findings("security-scan")
    (ended,) = [
        each
        for each in judged.company.findings(GeneratorId="orgctl/compliance/security-scan", RecordState="ARCHIVED")
        if golden in each["Id"]
    ]
    assert ended["Compliance"]["Status"] == "PASSED"
