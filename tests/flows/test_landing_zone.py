"""The landing zone that AWS publishes, as a manifest with its policies untouched: planned, bootstrapped, refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import load_manifest
from org.plan.model import Plan
from org.source.findings import SourceErrors
from stacksets.desired import render_desired
from stacksets.lint import lint_desired
from tests.support.landing_zone import landing_zone_source, write_landing_zone
from tests.support.rollout import Rollout
from tests.support.sandbox import sandbox_session

SOURCE = landing_zone_source()
GUARDRAILS = "service-control-policies/lza-core-guardrails-1.json"
PERIMETER = "rcp-policies/lza-core-rcp-guardrails-1.json"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest, with the published policies beside it."""
    if not SOURCE.is_dir():
        reason = f"no {SOURCE}; set ORGCTL_REAL_DATA to the folder that holds lza-universal-configuration"
        if os.environ.get("ORGCTL_REQUIRE_REAL_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return write_landing_zone(SOURCE, tmp_path_factory.mktemp("published"))


class Governed:
    """The landing zone after its bootstrap."""

    def __init__(self, rollout: Rollout, manifest: Path) -> None:
        self.rollout = rollout
        self.wanted = render_desired(load_manifest(manifest))
        self.first: Plan = rollout.bootstrap(self.wanted)
        self.organizations: Any = rollout.session.client("organizations")
        self.accounts = {each["Name"]: each["Id"] for each in self.organizations.list_accounts()["Accounts"]}

    def policy(self, type: str, name: str) -> dict[str, Any]:
        pages = self.organizations.get_paginator("list_policies").paginate(Filter=type)
        (id,) = [each["Id"] for page in pages for each in page["Policies"] if each["Name"] == name]
        found: dict[str, Any] = self.organizations.describe_policy(PolicyId=id)["Policy"]
        return found


@pytest.fixture(scope="module")
def governed(published: Path) -> Iterator[Governed]:
    with sandbox_session(region="us-east-1") as session:
        yield Governed(Rollout(session), published)


@pytest.fixture(scope="module")
def configuration(published: Path) -> dict[str, Any]:
    """organization-config.yaml as it was published, its placeholder filled."""
    text = (SOURCE / "organization-config.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text.replace("{{ AcceleratorPrefix }}", "AWSAccelerator"))
    return loaded


LISTS = {
    "DECLARATIVE_POLICY_EC2": "declarativePolicies",
    "RESOURCE_CONTROL_POLICY": "resourceControlPolicies",
    "SERVICE_CONTROL_POLICY": "serviceControlPolicies",
    "TAG_POLICY": "taggingPolicies",
    "BACKUP_POLICY": "backupPolicies",
}


def test_policy_files_are_the_published_ones_byte_for_byte(published: Path) -> None:
    names = {path.relative_to(SOURCE) for path in SOURCE.glob("*/*.json")}
    assert len(names) == 13
    assert all((published.parent / name).read_bytes() == (SOURCE / name).read_bytes() for name in names)


def test_what_would_be_deployed_passes_cfn_lint(published: Path) -> None:
    assert lint_desired(render_desired(load_manifest(published))) == {}


def test_plan_makes_all_of_it_and_planned_again_there_are_no_changes(governed: Governed) -> None:
    kinds = [type(step.change).__name__ for step in governed.first.steps]
    counted = {kind: kinds.count(kind) for kind in ("CreateUnit", "CreateAccount", "CreatePolicy")}
    assert counted == {"CreateUnit": 8, "CreateAccount": 5, "CreatePolicy": 13}
    assert [step.change.describe() for step in governed.rollout.plan(governed.wanted).steps] == []


def test_policies_in_aws_mean_what_was_published(governed: Governed, configuration: dict[str, Any]) -> None:
    fillings = {
        "PARTITION": "aws",
        "HOME_REGION": "us-east-1",
        "ACCELERATOR_PREFIX": "AWSAccelerator",
        "ACCELERATOR_SSM_PREFIX": "/accelerator",
        "MANAGEMENT_ACCOUNT_ACCESS_ROLE": "OrganizationAccountAccessRole",
        "ORG_ID": governed.organizations.describe_organization()["Organization"]["Id"],
        "LOGARCHIVE_ACCOUNT_ID": governed.accounts["LogArchive"],
        "ACCEL_LOOKUP::CUSTOM:AcceleratorPrefix": "AWSAccelerator",
        "ACCEL_LOOKUP::CUSTOM:EnabledRegions": '["us-east-1"]',
    }
    for type, key in LISTS.items():
        for entry in configuration[key]:
            text = (SOURCE / entry["policy"]).read_text(encoding="utf-8")
            filled = re.sub(r"\$\{([^}]+)\}", lambda match: fillings[match[1]], text)
            policy = governed.policy(type, entry["name"])
            assert json.loads(policy["Content"]) == json.loads(filled), entry["policy"]
            assert policy["PolicySummary"]["Description"] == entry["description"].strip()


def test_policies_are_attached_as_the_configuration_says(governed: Governed, configuration: dict[str, Any]) -> None:
    units = {unit.path: unit.id for unit in governed.rollout.observe(governed.wanted).units}
    assert set(units) == {unit["name"] for unit in configuration["organizationalUnits"]}
    for type, key in LISTS.items():
        for entry in configuration[key]:
            targets = entry["deploymentTargets"]
            wanted = {units[path] for path in targets.get("organizationalUnits", [])}
            wanted |= {governed.accounts[name] for name in targets.get("accounts", [])}
            id = governed.policy(type, entry["name"])["PolicySummary"]["Id"]
            found = governed.organizations.list_targets_for_policy(PolicyId=id)["Targets"]
            assert {each["TargetId"] for each in found} == wanted, entry["name"]


# --- copies in which something is wrong


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published.parent, tmp_path / "copy")) / published.name


def refusal(manifest: Path) -> list[str]:
    with pytest.raises(SourceErrors) as caught:
        render_desired(load_manifest(manifest))
    return str(caught.value).replace(f"{manifest.parent}/", "").splitlines()


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_all_that_is_wrong_with_a_copy_is_named_at_once_with_file_line_and_column(copy: Path) -> None:
    copy.write_text(copy.read_text().replace("    - Security\n", "    - Securty\n", 1))
    unit = line_of(copy, "- Securty")
    guardrails = copy.parent / GUARDRAILS
    guardrails.write_text(guardrails.read_text().replace('"Effect": "Deny",', '"Effect": "Deny"', 1))
    behind = line_of(guardrails, '"Effect": "Deny"') + 1
    perimeter = copy.parent / PERIMETER
    policy = json.loads(perimeter.read_text())
    thrice = [{**each, "Sid": f"{each['Sid']}{copied}"} for copied in range(3) for each in policy["Statement"]]
    perimeter.write_text(json.dumps({**policy, "Statement": thrice}))
    assert refusal(copy) == [
        f"organization.yaml:{unit}:7: unknown unit 'Securty'; did you mean 'Security'?",
        (
            f"organization.yaml:{line_of(copy, PERIMETER)}:9: the policy has 5,879 characters without white space, and "
            "AWS allows 5,120 for a RESOURCE_CONTROL_POLICY; shorten it by 759 or split it into two policies; the "
            "shortest text that means the same has 5,873"
        ),
        (
            f"{GUARDRAILS}:{behind}:7: the file is not JSON: expecting ',' delimiter; "
            "correct the line or the one before it"
        ),
    ]


def test_variable_without_value_is_named_wherever_it_stands_in_the_published_file(copy: Path) -> None:
    lines = [line for line in copy.read_text().splitlines(keepends=True) if "ORG_ID:" not in line]
    copy.write_text("".join(lines))
    numbered = enumerate((SOURCE / PERIMETER).read_text().splitlines(), 1)
    places = [(number, line.index("${ORG_ID}") + 1) for number, line in numbered if "${ORG_ID}" in line]
    assert refusal(copy) == [
        f"{PERIMETER}:{line}:{column}: ${{ORG_ID}} has no value; add ORG_ID under variables:" for line, column in places
    ]
