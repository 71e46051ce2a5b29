"""`guardrails explain` against the sandbox, and how `guardrails` is held wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from cli.rollout import run_bootstrap
from cli.settings import Settings, connect_to
from org.interest import Interest
from org.model import Region
from org.observe import observe_organization
from org.sandbox.process import reset_sandbox
from tests.cli.test_rollout import MANIFEST, TOPICS
from tests.support.command_line import CommandLine

REGIONS = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OutsideRegions",
      "Effect": "Deny",
      "NotAction": ["iam:*", "organizations:*", "sts:*"],
      "Resource": "*",
      "Condition": {
        "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]},
        "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/stacksets-exec-*"]}
      }
    }
  ]
}
"""
POLICY = """\
  - name: GovernedRegions
    type: SERVICE_CONTROL_POLICY
    file: regions.json
    attach: {units: [Workloads]}
stacksets:
"""


def write_manifest(folder: Path) -> Path:
    path = folder / "organization.yaml"
    path.write_text(MANIFEST.replace("stacksets:\n", POLICY), encoding="utf-8")
    (folder / "regions.json").write_text(REGIONS, encoding="utf-8")
    (folder / "topics.json").write_text(TOPICS, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Company:
    folder: Path
    organization: str
    accounts: Mapping[str, str]
    policies: Mapping[str, str]

    def arn(self, policy: str) -> str:
        owner = f"{self.accounts['Management']}:policy/{self.organization}"
        return f"arn:aws:organizations::{owner}/service_control_policy/{self.policies[policy]}"


@pytest.fixture(scope="module")
def company(sandbox_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """An organization that was bootstrapped once for all tests here: they only read it."""
    folder = tmp_path_factory.mktemp("company")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("ORGCTL_HOME", str(sandbox_home))
        reset_sandbox(sandbox_home)
        settings = Settings(write_manifest(folder), sandbox=True)
        assert run_bootstrap(settings, None, folder / "journal", allow_destroy=False, yes=True) == 0
        observed = observe_organization(connect_to(settings, Region("eu-central-1")), Interest())
    accounts = {account.name: account.id for account in observed.accounts}
    return Company(folder, observed.id, accounts, {policy.name: policy.id for policy in observed.policies})


@pytest.fixture
def explain(company: Company, sandbox_home: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    monkeypatch.setenv("ORGCTL_HOME", str(sandbox_home))
    monkeypatch.setenv("ORGCTL_SANDBOX", "1")
    monkeypatch.chdir(company.folder)
    return orgctl


def test_message_with_a_policy_is_traced_to_statement_file_and_exemption(
    explain: CommandLine, company: Company
) -> None:
    shop, arn = company.accounts["Shop"], company.arn("GovernedRegions")
    said = explain(
        "guardrails",
        "explain",
        "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not authorized to "
        f"perform this operation. User: arn:aws:iam::{shop}:user/John is not authorized to perform: ec2:RunInstances "
        f"on resource: arn:aws:ec2:us-east-1:{shop}:instance/* with an explicit deny in a service control policy: "
        f"{arn}. Encoded authorization failure message: abc-DEF",
    )
    spared = (
        '{"Sid": "OutsideRegions", "Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "sts:*"], '
        '"Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}, "ArnNotLike": '
        f'{{"aws:PrincipalArn": ["arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::{shop}:user/John"]}}}}}}'
    )
    assert said.out == dedent(f"""\
        refused  ec2:RunInstances on arn:aws:ec2:us-east-1:{shop}:instance/*
        to       arn:aws:iam::{shop}:user/John
        because  a statement in a service control policy denies it
        account  {shop} (Shop)
        path     Root → [Workloads] → Workloads/Production → account Shop
        denied by GovernedRegions · OutsideRegions, attached to Workloads
          {arn}
          regions.json:4:5
        what lets the call through, proved by evaluating again:
          let OutsideRegions of GovernedRegions spare arn:aws:iam::{shop}:user/John, Workloads
          {spared}
        """)
    assert (said.code, said.err) == (0, "reading the live organization\n")


def test_message_from_stdin_without_a_policy_hangs_on_what_it_does_not_tell(
    explain: CommandLine, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = company.accounts["Shop"]
    message = (
        f"User: arn:aws:iam::{shop}:user/John is not authorized to perform: s3:ListBucket on resource: "
        '"arn:aws:s3:::b" with an explicit deny in a service control policy\n'
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(message.encode())))
    hanging = explain("guardrails", "explain", "-").out.splitlines()
    assert hanging[5] == (
        "denied by GovernedRegions · OutsideRegions, attached to Workloads; no other can have, though it hangs on "
        "aws:RequestedRegion"
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(message.encode())))
    sure = explain("guardrails", "explain", "-", "--context", "aws:RequestedRegion=us-west-2").out.splitlines()
    assert sure[5] == "denied by GovernedRegions · OutsideRegions, attached to Workloads"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(message.encode())))
    none = explain("guardrails", "explain", "-", "--context", "aws:RequestedRegion=eu-central-1").out
    assert none == dedent(f"""\
        refused  s3:ListBucket on arn:aws:s3:::b
        to       arn:aws:iam::{shop}:user/John
        because  a statement in a service control policy denies it
        account  {shop} (Shop)
        path     Root → Workloads → Workloads/Production → account Shop
        note: no policy of the organization denies it as it stands now
        """)


def test_statement_of_a_guardrail_is_spared_by_its_parameter(
    explain: CommandLine, company: Company, tmp_path: Path
) -> None:
    """What renders it would undo a statement that is pasted over."""
    shop, arn = company.accounts["Shop"], company.arn("GovernedRegions")
    folder = tmp_path / "guardrail"
    folder.mkdir()
    path = write_manifest(folder)
    text = path.read_text(encoding="utf-8").replace("    file: regions.json\n", "    guardrail: governed-regions\n")
    path.write_text(text, encoding="utf-8")
    words = (
        "guardrails",
        "explain",
        (
            f"User: arn:aws:iam::{shop}:role/Dev is not authorized to perform: sqs:CreateQueue on resource: "
            f"arn:aws:sqs:us-west-2:{shop}:q with an explicit deny in a service control policy: {arn}"
        ),
        "--manifest",
        str(path),
    )
    lines = explain(*words).out.splitlines()
    at = lines.index("what lets the call through, proved by evaluating again:")
    line = next(number for number, said in enumerate(text.splitlines(), 1) if "guardrail: governed-regions" in said)
    way = (
        f"{path}:{line}:16: add to parameters of guardrail governed-regions: "
        f'exempt_principals: ["arn:aws:iam::{shop}:role/Dev"]'
    )
    assert lines[at + 2 :] == [f"  {way}"]
    (exemption,) = json.loads(explain(*words, "--format", "json").out)["exemptions"]
    assert exemption["manifest"] == way


def test_message_that_terraform_broke_into_lines_is_whole_again(explain: CommandLine, company: Company) -> None:
    shop = company.accounts["Shop"]
    said = explain(
        "guardrails",
        "explain",
        f"│ Error: creating Queue: User: arn:aws:iam::{shop}:user/John is not authorized to perform:\n"
        f"│ sqs:createqueue on resource: arn:aws:sqs:us-west-2:{shop}:q with an explicit deny in a service control\n"
        "│ policy\n│ \n│   with aws_sqs_queue.q,",
    )
    lines = said.out.splitlines()
    assert lines[0] == f"refused  sqs:createqueue on arn:aws:sqs:us-west-2:{shop}:q"
    assert lines[5] == "denied by GovernedRegions · OutsideRegions, attached to Workloads"


def test_bytes_that_are_no_text_are_no_message(explain: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8"))
    said = explain("guardrails", "explain", "-")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: message: '\ufffd\ufffd\\x00' is not an access-denied message")


def test_account_id_of_wrong_length_is_told(explain: CommandLine) -> None:
    message = "User: arn:aws:iam::111122223333:user/J is not authorized to perform: s3:ListBucket"
    said = explain("guardrails", "explain", message, "--account", "12")
    assert (said.code, said.err.splitlines()[-1]) == (
        1,
        "error: --account: 12 is no account id; an id has 12 digits",
    )


def test_explanation_as_json_is_whole(explain: CommandLine, company: Company, tmp_path: Path) -> None:
    shop = company.accounts["Shop"]
    message = f"User: arn:aws:iam::{shop}:user/J is not authorized to perform: organizations:LeaveOrganization with an "
    words = ("guardrails", "explain", message + "explicit deny in a service control policy", "--format", "json")
    said = json.loads(explain(*words).out)
    spared = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{shop}:user/J"}}
    (exemption,) = said["exemptions"]
    statement = {"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
    text = exemption.pop("statement")
    assert json.loads(text) == {**statement, "Condition": spared}
    (cause,) = said["causes"]
    assert cause.pop("place") == "organization.yaml:24:19"
    assert said == {
        "refusal": {
            "principal": f"arn:aws:iam::{shop}:user/J",
            "action": "organizations:LeaveOrganization",
            "resource": "",
            "kind": "service control policy",
            "explicit": True,
            "policy_arn": "",
            "code": "",
            "operation": "",
            "encoded": "",
            "context": {},
            "more": 0,
        },
        "principal": f"arn:aws:iam::{shop}:user/J",
        "account": shop,
        "account_name": "Shop",
        "path": [
            {"level": "Root", "holds": True},
            {"level": "Workloads", "holds": False},
            {"level": "Workloads/Production", "holds": False},
            {"level": "account Shop", "holds": False},
        ],
        "causes": [
            {
                "kind": "service control policy",
                "policy": "DenyLeaving",
                "arn": company.arn("DenyLeaving"),
                "sid": "statement 1",
                "index": 0,
                "levels": ["Root"],
                "unknown": [],
                "hints": [],
                "by_message": False,
                "certain": True,
            }
        ],
        "others": [],
        "exemptions": [
            {
                "policy": "DenyLeaving",
                "sid": "statement 1",
                "level": "Root",
                "says": f"let statement 1 of DenyLeaving spare arn:aws:iam::{shop}:user/J",
                "manifest": None,
            }
        ],
        "notes": [],
    }
    # Without a manifest the place is not known; an invalid one is left aside.
    elsewhere = json.loads(explain(*words, "--manifest", str(tmp_path / "none.yaml")).out)
    assert (elsewhere["causes"][0]["place"], elsewhere["exemptions"]) == (None, [{**exemption, "statement": text}])
    (tmp_path / "bad.yaml").write_text("version: 1\n", encoding="utf-8")
    bad = explain(*words, "--manifest", str(tmp_path / "bad.yaml"))
    assert (bad.code, json.loads(bad.out)) == (0, elsewhere)
    assert bad.err.startswith(f"{tmp_path / 'bad.yaml'} is left aside, since it is not valid: ")


def test_message_that_the_sandbox_itself_gives_is_explained(explain: CommandLine, company: Company) -> None:
    message = _denied_by_sandbox(company)
    said = explain("guardrails", "explain", message)
    assert said.code == 0, said.err
    assert "denied by GovernedRegions · OutsideRegions, attached to Workloads" in said.out.splitlines()


def _denied_by_sandbox(company: Company) -> str:
    """Ask for queues outside of the governed Regions, as OrganizationAccountAccessRole of the shop."""
    from botocore.exceptions import ClientError

    from cli.settings import running_sandbox
    from org.sandbox.session import Credentials, session_for

    endpoint = running_sandbox().endpoint
    role = f"arn:aws:iam::{company.accounts['Shop']}:role/OrganizationAccountAccessRole"
    given = session_for(endpoint).client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with pytest.raises(ClientError) as raised:
        session_for(endpoint, "us-west-2", keys).client("sqs").create_queue(QueueName="q")
    return str(raised.value)


def test_policies_of_accounts_are_told_without_reading_the_organization(orgctl: CommandLine) -> None:
    arn = "arn:aws:iam::111122223333:policy/B"
    said = orgctl(
        "guardrails",
        "explain",
        "User: arn:aws:iam::111122223333:role/HR is not authorized to perform: s3:ListBucket with an explicit deny in "
        f"a permissions boundary: {arn}",
    )
    assert (said.code, said.err) == (0, "")
    assert said.out == dedent(f"""\
        refused  s3:ListBucket
        to       arn:aws:iam::111122223333:role/HR
        because  a statement in a permissions boundary denies it: {arn}
        note: the permissions boundary {arn} denies it with a statement of its own
        note: it is set on the user or role as its permissions boundary; orgctl does not manage it
        """)


def test_values_of_others_do_not_reach_the_terminal_raw(orgctl: CommandLine) -> None:
    message = 'User: a\x1b]31m is not authorized to perform: s3:ListBucket on resource: "x\x1b]0;" with '
    said = orgctl("guardrails", "explain", message + "an explicit deny in a session policy")
    assert said.code == 0
    assert "\x1b" not in said.out
    assert said.out.splitlines()[:2] == ["refused  s3:ListBucket on x\\x1b]0;", "to       a\\x1b]31m"]


def test_message_that_is_not_understood_is_an_error(orgctl: CommandLine) -> None:
    said = orgctl("guardrails", "explain", "Access Denied")
    assert (said.code, said.out, said.err) == (
        1,
        "",
        (
            "error: message: 'Access Denied' is not an access-denied message that names an action; give the whole "
            "message: 'User: ARN is not authorized to perform: service:Action on resource: ARN with an explicit deny "
            "in a service control policy: ARN'\n"
        ),
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("Region",), "'Region' is no condition key with a value; write it like aws:RequestedRegion=eu-central-1"),
        (("Region=x",), "'Region=x' is no condition key with a value; write it like aws:RequestedRegion=eu-central-1"),
        (("a:b=", "A:B=1"), "A:B is given as absent and with a value; give one of the two"),
    ],
)
def test_wrong_condition_key_is_told(orgctl: CommandLine, given: tuple[str, ...], told: str) -> None:
    message = "User: arn:aws:iam::1:user/J is not authorized to perform: s3:ListBucket"
    said = orgctl("guardrails", "explain", message, *(word for each in given for word in ("--context", each)))
    assert (said.code, said.err) == (1, f"error: --context: {told}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--format", "sarif"),
        ("validate", "--format=sarif"),
        ("sandbox", "status", "--format", "sarif"),
        ("guardrails", "explain", "x", "--format", "sarif"),
        ("--format", "sarif", "guardrails", "simulate"),
    ],
)
def test_sarif_is_for_lint_alone(orgctl: CommandLine, words: tuple[str, ...]) -> None:
    said = orgctl(*words)
    assert (said.code, said.out) == (2, "")
    assert "sarif is for orgctl guardrails lint alone" in said.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("explain",),
        ("simulate",),
        ("simulate", "--principal", "arn:aws:iam::1:user/J"),
        ("simulate", "--requests", "r.yaml", "--action", "s3:ListBucket"),
        ("lint", "--type", "nonsense", "p.json"),
        ("lint", "--type", "identity"),
        ("simulate", "--requests", "r.yaml", "--region", "eu-central-1"),
        ("simulate", "--requests", "r.yaml", "--context", "aws:RequestedRegion=eu-central-1"),
        ("simulate", "--requests", "r.yaml", "--resource", "arn:aws:s3:::b"),
        ("simulate", "--requests", "r.yaml", "--account", "Shop"),
        ("simulate", "--requests", "r.yaml", "--assume-complete"),
    ],
)
def test_wrong_words_are_a_usage_error(orgctl: CommandLine, words: tuple[str, ...]) -> None:
    assert orgctl("guardrails", *words).code == 2
