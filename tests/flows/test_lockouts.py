"""The lockouts that organizations are known for: each is stopped before the first change, with a way out that works."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.client import BaseClient

from org.sandbox.process import reset_sandbox, start_sandbox, stop_sandbox
from tests.support.command_line import CommandLine, Said

BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
PIPELINE = "arn:aws:iam::*:role/deploy/pipeline"
ACCESS = "arn:aws:iam::*:role/OrganizationAccountAccessRole"
STACKSETS = "arn:aws:iam::*:role/stacksets-exec-*"
TOPICS = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}}}
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    start_sandbox(folder)
    yield folder
    stop_sandbox(folder)


@pytest.fixture
def orgctl(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    reset_sandbox(home)
    monkeypatch.setenv("ORGCTL_HOME", str(home))
    monkeypatch.setenv("ORGCTL_SANDBOX", "1")
    monkeypatch.chdir(tmp_path)
    return CommandLine(monkeypatch, capsys)


def company(*policies: Mapping[str, Any], **more: Any) -> Manifest:
    return {
        "version": 1,
        "organization": {
            "home_region": "eu-central-1",
            "governed_regions": ["eu-central-1"],
            "management_account": "Management",
            "log_archive_account": "Security",
            "audit_account": "Security",
            "lineage_account": "Security",
        },
        "units": [{"name": "Workloads"}, {"name": "Strict"}],
        "accounts": [
            {"name": "Management", "email": "management@example.com", "unit": "Root"},
            {"name": "Security", "email": "security@example.com", "unit": "Root"},
            {"name": "Shop", "email": "shop@example.com", "unit": "Workloads"},
        ],
        "policies": [*policies],
        "protected_principals": [{"name": "break-glass", "arn": BREAK_GLASS, "calls": ["iam:*", "sts:AssumeRole"]}],
        **more,
    }


def guardrail(name: str, *, root: bool = False, units: tuple[str, ...] = (), **statement: Any) -> Manifest:
    said = {"Sid": f"{name}Statement", "Effect": "Deny", "Resource": "*"} | statement
    document = {"Version": "2012-10-17", "Statement": [said]}
    attach = {"root": True} if root else {"units": [*units]}
    return {"name": name, "type": "SERVICE_CONTROL_POLICY", "inline": document, "attach": attach}


def sparing(*arns: str) -> dict[str, Any]:
    return {"ArnNotLike": {"aws:PrincipalArn": [*arns]}}


TOPICS_EVERYWHERE = [{"name": "topics", "file": "topics.json", "targets": {"root": True}}]


def write(manifest: Manifest) -> None:
    Path("organization.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    Path("topics.json").write_text(json.dumps(TOPICS), encoding="utf-8")


def observed(orgctl: CommandLine) -> object:
    return json.loads(orgctl("plan", "--format", "json").out)["observed"]


def with_exemptions(manifest: Manifest, findings: list[dict[str, Any]]) -> Manifest:
    """Put what all findings give as their way out into the manifest, as a person would paste it, each text once."""
    changed = deepcopy(manifest)
    exemptions = [exemption for finding in findings for exemption in finding["exemptions"]]
    for exemption in {json.dumps(each, sort_keys=True): each for each in exemptions}.values():
        policy = next(p for p in changed["policies"] if p["name"] == exemption["policy"])
        if not exemption["statement"]:
            unit = exemption["level"]
            if unit == "Root":
                policy["attach"]["root"] = True
            else:
                key = "accounts" if unit.startswith("account ") else "units"
                policy["attach"].setdefault(key, []).append(unit.removeprefix("account "))
            continue
        statements = policy["inline"]["Statement"]
        if not exemption["sid"]:
            statements.append(json.loads(exemption["statement"]))
            continue
        (at,) = [index for index, each in enumerate(statements) if each["Sid"] == exemption["sid"]]
        statements[at] = json.loads(exemption["statement"])
    return changed


@contextmanager
def changing_calls() -> Iterator[list[str]]:
    """Gather the calls to AWS that are no mere reading."""
    made: list[str] = []
    name = "_make_api_call"
    sent = getattr(BaseClient, name)

    def noted(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if not operation.startswith(("List", "Describe", "Get")):
            made.append(operation)
        return sent(self, operation, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, name, noted)
        yield made


def stopped(orgctl: CommandLine, manifest: Manifest) -> Said:
    """Bootstrap is refused, and the organization stays as it is."""
    write(manifest)
    before = observed(orgctl)
    assert orgctl("plan").code == 1
    with changing_calls() as made:
        said = orgctl("bootstrap", "--yes", "--allow-destroy", "--accept-unknown", "--journal", "run.jsonl")
    assert made == []
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1].startswith("error: bootstrap: the plan would lock out "), said.err
    assert not Path("run.jsonl").exists()
    assert observed(orgctl) == before
    return said


def passes_with_exemptions(orgctl: CommandLine, manifest: Manifest) -> Manifest:
    """All of the exemptions printed are put in at once, and that is enough."""
    write(manifest)
    findings = json.loads(orgctl("plan", "--format", "json").out)["proof"]["findings"]
    assert findings
    assert all(finding["exemptions"] for finding in findings)
    manifest = with_exemptions(manifest, findings)
    write(manifest)
    assert json.loads(orgctl("plan", "--format", "json").out)["proof"]["findings"] == []
    with changing_calls() as made:
        said = orgctl("bootstrap", "--yes", "--allow-destroy")
    assert said.code == 0, said.err
    assert made, "the count sees what a run does"
    assert orgctl("plan").code == 0
    return manifest


def bootstrap(orgctl: CommandLine, manifest: Manifest) -> None:
    write(manifest)
    said = orgctl("bootstrap", "--yes", "--allow-destroy")
    assert said.code == 0, said.err


def test_guardrail_that_denies_the_tools_own_role(orgctl: CommandLine) -> None:
    manifest = company(
        guardrail("ProtectRoles", root=True, Action=["iam:*Role*"], Condition=sparing(BREAK_GLASS)),
    )
    said = stopped(orgctl, manifest)
    assert (
        "OrganizationAccountAccessRole (arn:aws:iam::*:role/OrganizationAccountAccessRole) would be denied" in said.err
    )
    assert "by ProtectRolesStatement of ProtectRoles (service control policy at Root)" in said.err
    assert f'"aws:PrincipalArn": ["{BREAK_GLASS}", "{ACCESS}"]' in said.err
    passes_with_exemptions(orgctl, manifest)


def test_quarantine_that_blocks_its_own_stacksets_in_a_new_account(orgctl: CommandLine) -> None:
    manifest = company(
        guardrail("Quarantine", units=("Strict",), Action="*", Condition=sparing(BREAK_GLASS, ACCESS)),
        stacksets=TOPICS_EVERYWHERE,
    )
    bootstrap(orgctl, manifest)
    manifest["accounts"].append({"name": "Stolen", "email": "stolen@example.com", "unit": "Strict"})
    said = stopped(orgctl, manifest)
    assert "StackSet topics (arn:aws:iam::" in said.err
    (finding,) = json.loads(orgctl("plan", "--format", "json").out)["proof"]["findings"]
    assert "sns:CreateTopic" in {call["action"] for call in finding["calls"]}
    changed = passes_with_exemptions(orgctl, manifest)
    spared = changed["policies"][0]["inline"]["Statement"][0]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert STACKSETS in spared


def test_exemption_that_misses_by_case(orgctl: CommandLine) -> None:
    manifest = company(
        guardrail(
            "ProtectRoles", root=True, Action="iam:*", Condition=sparing("arn:aws:iam::*:role/breakglass", ACCESS)
        )
    )
    said = stopped(orgctl, manifest)
    assert (
        "look: ProtectRolesStatement spares arn:aws:iam::*:role/breakglass, which differs from "
        "arn:aws:iam::*:role/BreakGlass only by upper and lower case" in said.err
    )
    passes_with_exemptions(orgctl, manifest)


def test_encryption_guardrail_that_blocks_the_upload_of_templates(orgctl: CommandLine) -> None:
    upload = {
        "call": "s3:PutObject",
        "on": "arn:aws:s3:::company-templates/*",
        "given": {"s3:x-amz-server-side-encryption": None},
    }
    encrypted = {"Null": {"s3:x-amz-server-side-encryption": "true"}}
    manifest = company(guardrail("EncryptedUploads", root=True, Action="s3:PutObject", Condition=encrypted))
    manifest["protected_principals"] = [{"name": "pipeline", "arn": PIPELINE, "calls": [upload]}]
    said = stopped(orgctl, manifest)
    assert "pipeline (arn:aws:iam::*:role/deploy/pipeline) would be denied s3:PutObject on" in said.err
    passes_with_exemptions(orgctl, manifest)


def test_full_access_detached(orgctl: CommandLine) -> None:
    deny = guardrail("DenyLeaving", root=True, Action="organizations:LeaveOrganization")
    deny["attach"] = {"root": True, "units": ["Workloads", "Strict"], "accounts": ["Security", "Shop", "Management"]}
    deny["inline"]["Statement"][0]["Condition"] = sparing(BREAK_GLASS)
    bootstrap(orgctl, company(deny))
    full = {"name": "FullAWSAccess", "type": "SERVICE_CONTROL_POLICY", "aws_managed": True, "attach": {"root": True}}
    manifest = company(deny, full)
    said = stopped(orgctl, manifest)
    assert "no service control policy at Workloads allows it" in said.err
    assert "exemption, proved: keep FullAWSAccess attached to Workloads" in said.err
    passes_with_exemptions(orgctl, manifest)


def test_denied_attachment_of_policies_to_the_break_glass_role(orgctl: CommandLine) -> None:
    manifest = company(
        guardrail(
            "FreezeBreakGlass",
            root=True,
            Action="iam:AttachRolePolicy",
            Resource=BREAK_GLASS,
            Condition=sparing(ACCESS),
        )
    )
    said = stopped(orgctl, manifest)
    told = f"break-glass ({BREAK_GLASS}) would be denied iam:AttachRolePolicy (of iam:*) on {BREAK_GLASS} in"
    assert told in said.err
    passes_with_exemptions(orgctl, manifest)


def test_move_of_an_account_under_a_stricter_unit(orgctl: CommandLine) -> None:
    manifest = company(guardrail("NoRoles", units=("Strict",), Action="iam:*", Condition=sparing(ACCESS)))
    bootstrap(orgctl, manifest)
    manifest["accounts"][2]["unit"] = "Strict"
    said = stopped(orgctl, manifest)
    assert "in 1 account (Shop)" in said.err
    assert "by NoRolesStatement of NoRoles (service control policy at Strict)" in said.err
    passes_with_exemptions(orgctl, manifest)


def test_allow_list_without_the_calls_of_those_who_must_keep_working(orgctl: CommandLine) -> None:
    everywhere = {"root": True, "units": ["Strict"], "accounts": ["Security", "Shop", "Management"]}
    full = {"name": "FullAWSAccess", "type": "SERVICE_CONTROL_POLICY", "aws_managed": True, "attach": everywhere}
    bootstrap(orgctl, company())
    listed = guardrail("Listed", units=("Workloads",), Effect="Allow", Action="ec2:*")
    manifest = company(listed, full)
    said = stopped(orgctl, manifest)
    assert "no service control policy at Workloads allows it" in said.err
    assert "exemption, proved: add to Listed a statement that allows the call to " + BREAK_GLASS in said.err
    passes_with_exemptions(orgctl, manifest)


def test_run_that_may_end_between_a_move_and_what_makes_it_harmless(orgctl: CommandLine) -> None:
    strict = guardrail("NoRoles", units=("Strict",), Action="iam:*", Condition=sparing(ACCESS))
    bootstrap(orgctl, company(strict))
    both = company()
    both["accounts"][2]["unit"] = "Strict"
    said = stopped(orgctl, both)
    assert "in 1 account (Shop), while the plan is carried out" in said.err
    assert "bring it in a run of its own first" in said.err
    assert said.err.endswith(
        "do as is told above, or change the policy, or take break-glass out of protected_principals\n"
    )
    bootstrap(orgctl, company())
    bootstrap(orgctl, both)
