"""The landing zone that AWS publishes, as a manifest, with its policies as published."""

from __future__ import annotations

import json
import os

import pytest

from config.load import load_manifest
from org.errors import OrgctlError
from org.quotas import load_quotas
from stacksets.desired import render_desired
from stacksets.lint import lint_desired
from tests.support.landing_zone import landing_zone_source, write_landing_zone

SOURCE = landing_zone_source()
pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir() and os.environ.get("ORGCTL_REQUIRE_REAL_DATA") != "1",
    reason=f"no {SOURCE}; set ORGCTL_REAL_DATA to the folder that holds lza-universal-configuration",
)


@pytest.fixture
def manifest_file(tmp_path):
    return write_landing_zone(SOURCE, tmp_path / "landing-zone")


def test_policies_are_those_that_were_published(manifest_file):
    published = {path.relative_to(SOURCE) for path in SOURCE.glob("*/*.json")}
    assert len(published) == 13
    for name in published:
        assert (manifest_file.parent / name).read_bytes() == (SOURCE / name).read_bytes()


def test_landing_zone_has_nothing_that_aws_would_refuse(manifest_file):
    desired = render_desired(load_manifest(manifest_file))
    assert len(desired.accounts) == 6
    assert [unit.path for unit in desired.units] == [
        "Security",
        "Infrastructure",
        "Suspended",
        "Workloads",
        "Workloads/Sandbox",
        "Workloads/Dev",
        "Workloads/Test",
        "Workloads/Prod",
    ]
    assert len(desired.policies) == 13


def test_policies_are_filled_in_and_within_their_quotas(manifest_file):
    for policy in render_desired(load_manifest(manifest_file)).policies:
        json.loads(policy.content)
        # What is left belongs to IAM, to AWS Backup, or to the ids that orgctl fills in later.
        assert "${" not in policy.content.replace("${orgctl:", "")
        assert len(policy.content) <= load_quotas().policy(policy.type).max_bytes


def test_templates_of_the_landing_zone_pass_cfn_lint(manifest_file):
    assert lint_desired(render_desired(load_manifest(manifest_file))) == {}


def refusal(manifest_file) -> str:
    with pytest.raises(OrgctlError) as caught:
        render_desired(load_manifest(manifest_file))
    return str(caught.value).replace(f"{manifest_file.parent}/", "")


def test_variable_without_value_is_named_in_the_published_file(manifest_file):
    lines = [line for line in manifest_file.read_text().splitlines(keepends=True) if "ORG_ID:" not in line]
    manifest_file.write_text("".join(lines))
    said = refusal(manifest_file)
    assert "rcp-policies/lza-core-rcp-guardrails-1.json:26:" in said
    assert "rcp-policies/lza-core-rcp-guardrails-1.json:44:" in said
    assert "ORG_ID" in said


def test_policy_that_grew_over_its_quota_is_named_with_its_file(manifest_file):
    path = manifest_file.parent / "rcp-policies/lza-core-rcp-guardrails-1.json"
    policy = json.loads(path.read_text())
    policy["Statement"] *= 3
    for number, statement in enumerate(policy["Statement"]):
        policy["Statement"][number] = {**statement, "Sid": f"S{number}"}
    path.write_text(json.dumps(policy))
    lines = manifest_file.read_text().splitlines()
    number = lines.index("  file: rcp-policies/lza-core-rcp-guardrails-1.json") + 1
    assert refusal(manifest_file) == (
        f"organization.yaml:{number}:9: the policy has 5,809 characters without white space, and AWS allows 5,120 for "
        "a RESOURCE_CONTROL_POLICY; shorten it or split it into two policies"
    )
