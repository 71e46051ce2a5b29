"""`guardrails simulate` under a manifest alone, on whole outputs and exit codes, and under the live organization."""

from __future__ import annotations

import io
import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.test_guardrails import write_manifest
from tests.support.command_line import CommandLine

DEV = ("--principal", "arn:aws:iam::Shop:role/Dev")
DENIED = "  denied by GovernedRegions · OutsideRegions (service control policy), Workloads\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    write_manifest(tmp_path)
    return orgctl


def test_verdict_comes_with_what_decided_it(here: CommandLine) -> None:
    words = ("guardrails", "simulate", *DEV, "--action", "sqs:SendMessage")
    denied = here(*words, "--region", "us-east-1")
    said = "denied: sqs:SendMessage on * in us-east-1 by arn:aws:iam::Shop:role/Dev\n"
    assert (denied.code, denied.out, denied.err) == (3, said + DENIED, "")
    allowed = here(*words, "--region", "eu-central-1")
    said = "allowed: sqs:SendMessage on * in eu-central-1 by arn:aws:iam::Shop:role/Dev\n"
    assert (allowed.code, allowed.out) == (0, said)
    verbose = here(*words, "--region", "eu-central-1", "-v")
    assert verbose.out == said + "".join(
        f"  allowed by FullAWSAccess · statement 1 (service control policy), {level}\n"
        for level in ("Root", "Workloads", "Workloads/Production", "account Shop")
    )
    unknown = here(*words)
    assert (unknown.code, unknown.out) == (
        3,
        (
            "unknown: sqs:SendMessage on * by arn:aws:iam::Shop:role/Dev\n"
            "  hangs on aws:RequestedRegion: GovernedRegions · OutsideRegions (service control policy), Workloads\n"
        ),
    )
    complete = here(*words, "--assume-complete")
    assert (complete.code, complete.out.partition(":")[0]) == (3, "denied")
    told = here(*words, "--context", "aws:RequestedRegion=eu-central-1")
    assert (told.code, told.out.partition(":")[0]) == (0, "allowed")


@pytest.mark.parametrize("on", ["arn:aws:s3:::elsewhere/key", "arn:aws:ec2:eu-central-1::image/ami-0"])
def test_whose_a_bucket_or_an_image_is_has_to_be_told(here: CommandLine, on: str) -> None:
    away = {"Sid": "Away", "Effect": "Deny", "Action": "*", "Resource": "*"}
    away["Condition"] = {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
    Path("identity.json").write_text(json.dumps(
        {"Version": "2012-10-17", "Statement": [away, {"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    ))  # fmt: skip
    action = "s3:GetObject" if ":s3:" in on else "ec2:RunInstances"
    words = ("guardrails", "simulate", *DEV, "--action", action, "--resource", on, "--region", "eu-central-1")
    words = (*words, "--identity-policy", "identity.json")
    assert "hangs on aws:ResourceOrgID" in here(*words).out
    assert here(*words, "--account", "Shop").out.startswith("allowed")
    assert here(*words, "--assume-complete").out.startswith("allowed")
    assert here(*words, "--context", "aws:ResourceOrgID=o-other").out.startswith("denied")


def test_unknown_action_is_not_evaluated_and_never_a_pass(here: CommandLine) -> None:
    said = here("guardrails", "simulate", *DEV, "--action", "sqs:SendMesage", "--region", "eu-central-1")
    assert (said.code, said.out) == (
        3,
        (
            "not evaluated: sqs:SendMesage on * in eu-central-1 by arn:aws:iam::Shop:role/Dev\n"
            "  sqs:SendMesage is not in the catalog of actions; did you mean 'sqs:SendMessage'?\n"
        ),
    )
    nowhere = here("guardrails", "simulate", *DEV, "--action", "nosuch:Call", "--region", "eu-central-1")
    assert nowhere.out.splitlines()[1:] == ["  nosuch:Call is not in the catalog of actions"]


QUEUE = "sqs:SendMessage is asked on arn:${Partition}:sqs:${Region}:${Account}:${QueueName}, and never on this"


@pytest.mark.parametrize(
    ("action", "resource", "told"),
    [
        ("sqs:SendMessage", "queue", QUEUE),
        ("sqs:SendMessage", "arn:aws:sqs:eu-central-1:queue", QUEUE),
        ("sqs:SendMessage", "arn:aws:s3:::queue", QUEUE),
        (
            "ec2:RegisterImage",
            "arn:aws:ec2:eu-central-1:Shop:image/ami-1",
            (
                "ec2:RegisterImage is asked on arn:${Partition}:ec2:${Region}::image/${ImageId}, "
                "arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}, and never on this"
            ),
        ),
        (
            "organizations:LeaveOrganization",
            "arn:aws:s3:::b",
            "organizations:LeaveOrganization is asked on *, and never on this",
        ),
    ],
)
def test_resource_that_the_call_cannot_be_on_is_not_evaluated_and_never_a_pass(
    here: CommandLine, action: str, resource: str, told: str
) -> None:
    """A Deny on the resource that was meant does not reach one that was written wrongly."""
    words = ("--region", "eu-central-1", "--assume-complete")
    said = here("guardrails", "simulate", *DEV, "--action", action, "--resource", resource, *words)
    assert (said.code, said.out.splitlines()[1:]) == (3, [f"  {told}"])
    assert said.out.startswith("not evaluated: ")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sqs:SendMessage", "arn:aws:sqs:*:Shop:*"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-central-1:Shop:q"),
        ("ec2:RunInstances", "arn:aws:ec2:eu-central-1::image/ami-1"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:Shop:function:f:live"),
    ],
)
def test_resource_that_the_call_can_be_on_is_judged(here: CommandLine, action: str, resource: str) -> None:
    words = ("--region", "eu-central-1", "--assume-complete")
    said = here("guardrails", "simulate", *DEV, "--action", action, "--resource", resource, *words)
    assert (said.code, said.out.partition(":")[0]) == (0, "allowed")


def test_region_that_there_is_not_is_told(here: CommandLine) -> None:
    said = here("guardrails", "simulate", *DEV, "--action", "sqs:SendMessage", "--region", "eu-centrl-1")
    assert said.out.splitlines()[2:] == ["  eu-centrl-1 is no Region that is known; did you mean 'eu-central-1'?"]


def test_global_service_is_called_in_the_first_region_and_the_management_account_is_beyond(here: CommandLine) -> None:
    leave = here("guardrails", "simulate", *DEV, "--action", "organizations:LeaveOrganization")
    assert (leave.code, leave.out.splitlines()[1]) == (
        3,
        "  denied by DenyLeaving · statement 1 (service control policy), Root",
    )
    management = ("--principal", "arn:aws:iam::Management:role/Dev", "--action", "organizations:LeaveOrganization")
    said = here("guardrails", "simulate", *management)
    assert (said.code, said.out) == (
        0,
        (
            "allowed: organizations:LeaveOrganization on * by arn:aws:iam::Management:role/Dev\n"
            "  beyond the organization's policies: management account\n"
        ),
    )


def test_policies_beside_those_of_the_organization_are_asked(here: CommandLine) -> None:
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    Path("mine.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [allow]}), encoding="utf-8")
    other = {"Sid": "Other", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    Path("limit.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [other]}), encoding="utf-8")
    words = ("guardrails", "simulate", *DEV, "--action", "sqs:SendMessage", "--region", "eu-central-1")
    assert here(*words, "--identity-policy", "mine.json").code == 0
    limited = here(*words, "--identity-policy", "mine.json", "--boundary", "limit.json")
    assert (limited.code, limited.out.splitlines()[1]) == (3, "  no permissions boundary allows it")
    without = here(*words, "--identity-policy", "limit.json")
    assert (without.code, without.out.splitlines()[1]) == (3, "  no identity-based policy allows it")


def test_trust_policy_is_the_resource_policy_of_a_role(here: CommandLine) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    Path("trust.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": trust}), encoding="utf-8")
    role = "arn:aws:iam::Shop:role/App"
    words = (
        "guardrails",
        "simulate",
        "--action",
        "sts:AssumeRole",
        "--resource",
        role,
        "--resource-policy",
        "trust.json",
    )
    assert here(*words, "--principal", "ec2.amazonaws.com").code == 0
    refused = here(*words, *DEV)
    assert (refused.code, refused.out.splitlines()[1]) == (3, "  no role trust policy allows it")


REQUESTS = """\
- principal: arn:aws:iam::Shop:role/Dev
  action: ec2:RunInstances
  region: us-east-1
  expect: denied
- {principal: "arn:aws:iam::Shop:role/stacksets-exec-1", action: ec2:RunInstances, region: us-east-1, expect: allowed}
- principal: arn:aws:iam::Shop:role/Dev
  action: ec2:RunInstances
  context: {"aws:RequestedRegion": [eu-central-1], "aws:MultiFactorAuthPresent": true, "aws:SourceVpc": null}
- principal: arn:aws:iam::Shop:role/Dev
  action: sqs:SendMessage
  resource: arn:aws:sqs:eu-west-1:Shop:queue
  assume_complete: false
  expect: denied
"""


def test_file_of_requests_is_a_test_of_guardrails(here: CommandLine) -> None:
    Path("requests.yaml").write_text(REQUESTS, encoding="utf-8")
    said = here("guardrails", "simulate", "--requests", "requests.yaml")
    assert said.out == dedent("""\
        requests.yaml:1:3: denied: ec2:RunInstances on * in us-east-1 by arn:aws:iam::Shop:role/Dev
          denied by GovernedRegions · OutsideRegions (service control policy), Workloads
        requests.yaml:5:3: allowed: ec2:RunInstances on * in us-east-1 by arn:aws:iam::Shop:role/stacksets-exec-1
        requests.yaml:6:3: allowed: ec2:RunInstances on * by arn:aws:iam::Shop:role/Dev
        requests.yaml:9:3: unknown: sqs:SendMessage on arn:aws:sqs:eu-west-1:Shop:queue by arn:aws:iam::Shop:role/Dev, \
where denied was expected
          hangs on aws:RequestedRegion: GovernedRegions · OutsideRegions (service control policy), Workloads
        """)
    assert (said.code, said.err) == (3, "4 requests: 3 as wanted, 1 not (1 unknown)\n")
    Path("requests.yaml").write_text(REQUESTS.replace("false\n  expect: denied", "true\n  expect: denied"), "utf-8")
    mended = here("guardrails", "simulate", "--requests", "requests.yaml")
    assert (mended.code, mended.err) == (0, "4 requests: 4 as wanted\n")


def test_verdicts_as_json_are_whole(here: CommandLine) -> None:
    request = {"principal": "arn:aws:iam::Shop:role/Dev", "action": "sqs:SendMessage", "region": "us-east-1"}
    Path("requests.json").write_text(json.dumps([{**request, "expect": "denied"}]), encoding="utf-8")
    said = here("guardrails", "simulate", "--requests", "requests.json", "--format", "json")
    (found,) = json.loads(said.out)["requests"]
    (deciding,) = found.pop("deciding")
    assert (said.code, found) == (
        0,
        {
            "place": "requests.json:1:2",
            **request,
            "resource": "*",
            "verdict": "denied",
            "expected": "denied",
            "as_wanted": True,
            "unknown": [],
            "exempt": "",
            "notes": [],
        },
    )
    assert {key: deciding[key] for key in ("kind", "explicit", "policy", "sid", "index", "level", "unknown")} == {
        "kind": "service control policy",
        "explicit": True,
        "policy": "GovernedRegions",
        "sid": "OutsideRegions",
        "index": 0,
        "level": "Workloads",
        "unknown": [],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", [" the file is empty; write a list of requests, each as an item: - principal: …"]),
        ("a: b\n", ["1:1: the file holds no list of requests; write each as an item: - principal: …"]),
        ("- a\n", ["1:3: the request is no mapping of keys to values; begin it with principal:"]),
        (
            "- {principal: x, acton: s3:ListBucket}\n",
            [
                "1:3: the key 'action' is missing; add it",
                "1:18: unknown key 'acton'; did you mean 'action'?",
            ],
        ),
        (
            "- principal: x\n  action: s3:*\n  expect: refused\n  assume_complete: 1\n  context: [a]\n",
            [
                "2:11: 's3:*' is no action: it is written service:Action, without a *; correct it",
                "3:11: 'expect' cannot be 'refused'; it can be allowed, denied, unknown, not evaluated",
                "4:20: 'assume_complete' is neither true nor false; write true or false",
                "5:12: 'context' is no mapping of condition keys to values; write key: value",
            ],
        ),
        (
            "- principal: [x]\n  action: s3:ListBucket\n  context: {Region: x, 'aws:A': {b: c}}\n",
            [
                "1:14: 'principal' is no text; write one text, in quotes where in doubt",
                "3:13: 'Region' is no condition key; write it like aws:RequestedRegion",
                "3:33: a condition key's value is one value or a list of them; write it so",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_file_of_requests_is_told_with_its_place(
    here: CommandLine, text: str, told: list[str]
) -> None:
    Path("requests.yaml").write_text(text, encoding="utf-8")
    said = here("guardrails", "simulate", "--requests", "requests.yaml")
    lines = said.err.removeprefix("error: ").splitlines()
    assert (said.code, said.out, lines) == (1, "", [f"requests.yaml:{line}" for line in told])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "- {principal: 'arn:aws:iam::Shop:role/Dev', action: 'sqs:SendMessage', region: us-east-1}",
            "stdin:1:3: denied: sqs:",
        ),
        ("a: b", "error: stdin:1:1: the file holds no list of requests"),
    ],
)
def test_requests_are_read_from_stdin(here: CommandLine, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    said = here("guardrails", "simulate", "--requests", "-")
    assert (said.out or said.err).startswith(told)


def test_account_that_is_not_there_is_told(here: CommandLine) -> None:
    words = ("guardrails", "simulate", "--action", "sqs:SendMessage", "--region", "us-east-1", "--principal")
    named = here(*words, "arn:aws:iam::Shoop:role/Dev")
    assert (named.code, named.err) == (1, "error: --principal: there is no account 'Shoop'; did you mean 'Shop'?\n")
    numbered = here(*words, "arn:aws:iam::999988887777:role/Dev")
    assert (numbered.code, numbered.out, numbered.err) == (
        1,
        "",
        (
            "error: request: account 999988887777 is not in the organization, so that no policy would be asked; write "
            "the account's name for its id if the manifest does not tell the id, or tell the resource's account\n"
        ),
    )
    outside = here(*words, "arn:aws:iam::999988887777:role/Dev", "--account", "Shop")
    assert (outside.code, outside.out) == (
        0,
        (
            "allowed: sqs:SendMessage on * in us-east-1 by arn:aws:iam::999988887777:role/Dev\n"
            "  account 999988887777 is not in the organization, so that none of its policies reaches the principal\n"
        ),
    )
    wrong = here(*words, "Dev")
    assert (wrong.code, wrong.err) == (
        1,
        "error: --principal: 'Dev' is no principal; give the ARN of a role, a user, a root user or a session\n",
    )
    on = here(*words, "arn:aws:iam::Shop:role/Dev", "--resource", "arn:aws:sqs:us-east-1:Shoop:q")
    assert on.err == "error: --resource: there is no account 'Shoop'; did you mean 'Shop'?\n"
    owner = here(*words, "arn:aws:iam::Shop:role/Dev", "--account", "Shoop")
    assert owner.err == "error: --account: there is no account 'Shoop'; did you mean 'Shop'?\n"


def test_principal_in_a_file_of_requests_is_told_with_its_place(here: CommandLine) -> None:
    Path("requests.yaml").write_text("- {principal: Dev, action: s3:ListBucket}\n", encoding="utf-8")
    said = here("guardrails", "simulate", "--requests", "requests.yaml")
    assert (said.code, said.err) == (
        1,
        ("error: requests.yaml:1:3: 'Dev' is no principal; give the ARN of a role, a user, a root user or a session\n"),
    )


def test_condition_key_that_there_is_not_is_told(here: CommandLine) -> None:
    words = ("guardrails", "simulate", *DEV, "--action", "sqs:SendMessage", "--region", "eu-central-1")
    said = here(*words, "--context", "aws:SourceVcp=vpc-1")
    assert (said.code, said.out.splitlines()[1:]) == (
        0,
        ["  aws:sourcevcp is no condition key that is known: is it written rightly?"],
    )


def test_account_whose_id_the_manifest_tells_goes_by_it(here: CommandLine) -> None:
    path = Path("organization.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{name: Shop, ", '{name: Shop, id: "111122223333", '), encoding="utf-8")
    words = ("guardrails", "simulate", "--action", "sqs:SendMessage", "--region", "us-east-1")
    said = here(*words, "--principal", "arn:aws:iam::111122223333:role/Dev")
    assert (said.code, said.out.splitlines(keepends=True)[1:]) == (3, [DENIED])


def test_live_organization_is_judged_as_it_is(in_sandbox: CommandLine, tmp_path: Path) -> None:
    write_manifest(tmp_path)
    words = ("guardrails", "simulate", *DEV, "--action", "sqs:SendMessage", "--region", "us-east-1")
    before = in_sandbox(*words, "--live")
    assert (before.code, before.err.splitlines()[-1]) == (
        1,
        "error: account 123456789012: in no organization; run orgctl bootstrap",
    )
    assert in_sandbox("bootstrap", "--yes").code == 0
    assert in_sandbox(*words, "--live").out.splitlines(keepends=True)[1:] == [DENIED]
    Path("regions.json").write_text(
        Path("regions.json").read_text(encoding="utf-8").replace('["eu-central-1"]', '["us-east-1"]'), encoding="utf-8"
    )
    assert (in_sandbox(*words).code, in_sandbox(*words, "--live").code) == (0, 3)
