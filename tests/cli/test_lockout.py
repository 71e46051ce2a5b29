"""What the command line says of a lockout, of what it cannot rule out, and of what was accepted."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command_line import CommandLine

MANIFEST = """\
version: 1
organization:
  home_region: eu-central-1
  governed_regions: [eu-central-1]
  management_account: Management
  log_archive_account: Shop
  audit_account: Shop
  lineage_account: Shop
accounts:
  - {name: Management, email: management@example.com, unit: Root}
  - {name: Shop, email: shop@example.com, unit: Root}
policies:
  - name: Guard
    type: SERVICE_CONTROL_POLICY
    inline:
      Version: "2012-10-17"
      Statement:
        - Sid: NoKeys
          Effect: Deny
          Action: "kms:*"
          Resource: "*"
CONDITION    attach: {root: true}
protected_principals:
  - {name: break-glass, arn: "arn:aws:iam::*:role/BreakGlass", calls: ["kms:ListKeys"]}
"""
VPC = '          Condition: {StringNotEquals: {"aws:SourceVpc": vpc-1}}\n'
STATEMENT = (
    '{"Sid": "NoKeys", "Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": '
    '{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlass"}}}'
)


def write(condition: str = "") -> None:
    Path("organization.yaml").write_text(MANIFEST.replace("CONDITION", condition), encoding="utf-8")


def test_lockout_is_told_with_its_exemption_and_stops_the_run(in_sandbox: CommandLine) -> None:
    write()
    told = dedent(f"""\
        Lockout proof: 1 lockout (3 principals × 13 calls in 2 accounts)
          break-glass (arn:aws:iam::*:role/BreakGlass) would be denied kms:ListKeys in 1 account (Shop)
            by NoKeys of Guard (service control policy at Root)
            exemption, proved: let NoKeys of Guard spare arn:aws:iam::*:role/BreakGlass:
              {STATEMENT}
        """)
    planned = in_sandbox("plan")
    assert planned.code == 1
    assert planned.out.endswith(told)
    said = in_sandbox("bootstrap", "--yes", "--accept-unknown")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "reading the live organization\n4 changes: 4 to make\n"
        + told
        + "error: bootstrap: the plan would lock out break-glass; nothing was done; put the exemption into the policy, "
        "or take break-glass out of protected_principals\n"
    )
    assert in_sandbox("show", "--region", "eu-central-1").err.endswith("in no organization; run orgctl bootstrap\n")


def test_who_is_not_in_the_manifest_cannot_be_taken_out_of_it_and_an_exemption_is_shown_once(
    in_sandbox: CommandLine,
) -> None:
    write()
    manifest = Path("organization.yaml").read_text(encoding="utf-8").replace('"kms:*"', '"*"')
    Path("organization.yaml").write_text(manifest, encoding="utf-8")
    said = in_sandbox("bootstrap", "--yes")
    assert said.err.endswith(
        "error: bootstrap: the plan would lock out break-glass, OrganizationAccountAccessRole; nothing was done; "
        "put the exemption into the policy, or take break-glass out of protected_principals\n"
    )
    both = (
        "let NoKeys of Guard spare arn:aws:iam::*:role/BreakGlass and arn:aws:iam::*:role/OrganizationAccountAccessRole"
    )
    exemptions = [line.strip() for line in said.err.splitlines() if "NoKeys" in line and "by NoKeys" not in line]
    assert [line[:20] for line in exemptions] == [
        "exemption, proved: l",
        '{"Sid": "NoKeys", "E',
        "exemption, proved: l",
    ]
    assert exemptions[0] == f"exemption, proved: {both}:"
    assert exemptions[2] == f"exemption, proved: {both} (as above)"
    alone = manifest[: manifest.index("protected_principals:")]
    Path("organization.yaml").write_text(alone, encoding="utf-8")
    assert in_sandbox("bootstrap", "--yes").err.endswith("nothing was done; put the exemption into the policy\n")


def test_what_cannot_be_ruled_out_stops_the_run_until_it_is_accepted_and_recorded(in_sandbox: CommandLine) -> None:
    write(VPC)
    head = "break-glass (arn:aws:iam::*:role/BreakGlass) may be denied kms:ListKeys in 1 account (Shop)"
    said = in_sandbox("bootstrap", "--yes", "--journal", "run.jsonl")
    assert (said.code, said.out) == (1, "")
    lines = said.err.splitlines()
    assert lines[2:5] == [
        "Lockout proof: 1 not ruled out (3 principals × 13 calls in 2 accounts)",
        f"  {head}",
        "    by NoKeys of Guard (service control policy at Root), which hangs on aws:SourceVpc",
    ]
    assert lines[-1] == (
        "error: bootstrap: the plan cannot be proved not to lock out break-glass; nothing was done; put the exemption "
        "into the policy, say more of the call under protected_principals, or pass --accept-unknown if you have made "
        "sure"
    )
    assert not Path("run.jsonl").exists()
    accepted = in_sandbox("bootstrap", "--yes", "--accept-unknown", "--journal", "run.jsonl")
    assert (accepted.code, accepted.out) == (0, "4 done, 0 failed, 0 not tried\n")
    assert f"ACCEPTED WITHOUT PROOF: {head}" in accepted.err.splitlines()
    first = json.loads(Path("run.jsonl").read_text(encoding="utf-8").splitlines()[0])
    del first["at"]
    assert first == {
        "event": "accepted-unknown",
        "says": head,
        "principal": "arn:aws:iam::*:role/BreakGlass",
        "calls": ["kms:ListKeys"],
        "accounts": ["Shop"],
        "policies": [{"policy": "Guard", "sid": "NoKeys", "level": "Root"}],
        "unknown": ["aws:SourceVpc"],
    }


def test_saved_plan_is_proved_again_and_tells_its_proof(in_sandbox: CommandLine) -> None:
    write()
    assert in_sandbox("plan", "--out", "plan.json").code == 1
    saved = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    assert saved["proof"]["findings"][0]["deciding"][0]["sid"] == "NoKeys"
    del saved["proof"]
    Path("plan.json").write_text(json.dumps(saved), encoding="utf-8")
    Path("organization.yaml").unlink()
    said = in_sandbox("bootstrap", "--plan", "plan.json", "--yes")
    assert said.code == 1
    assert "error: bootstrap: the plan would lock out break-glass; nothing was done" in said.err


def test_proof_asks_nothing_of_the_profile_of_whoever_runs_it(
    in_sandbox: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    write()
    said = in_sandbox("plan")
    assert (said.code, said.err) == (1, "reading the live organization\n")
    assert "Lockout proof: 1 lockout" in said.out
