"""Plan and bootstrap through the command line, on whole outputs and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

from jsonschema import Draft202012Validator

from cli.plan_file import plan_schema
from org.plan.model import PLAN_VERSION
from tests.support.command_line import CommandLine

MANIFEST = """\
version: 1
organization:
  home_region: eu-central-1
  governed_regions: [eu-central-1]
  management_account: Management
  log_archive_account: Log Archive
  audit_account: Audit
  lineage_account: AMI Lineage
units:
  - name: Security
  - name: Workloads
    units: [{name: Production}]
accounts:
  - {name: Management, email: management@example.com, unit: Root}
  - {name: Log Archive, email: log-archive@example.com, unit: Security}
  - {name: Audit, email: audit@example.com, unit: Security}
  - {name: AMI Lineage, email: ami-lineage@example.com, unit: Security}
  - {name: Shop, email: shop@example.com, unit: Workloads/Production}
policies:
  - name: DenyLeaving
    type: SERVICE_CONTROL_POLICY
    inline:
      Version: "2012-10-17"
      Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]
    attach: {root: true}
stacksets:
  - name: topics
    file: topics.json
    targets: {units: [Workloads]}
"""
TOPICS = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}}}'


def write(text: str = MANIFEST) -> None:
    Path("organization.yaml").write_text(text, encoding="utf-8")
    Path("topics.json").write_text(TOPICS, encoding="utf-8")


def bootstrap(orgctl: CommandLine) -> None:
    write()
    said = orgctl("bootstrap", "--yes")
    assert said.code == 0, said.err


def test_plan_from_nothing_is_a_tree_and_exits_with_3(in_sandbox: CommandLine) -> None:
    write()
    said = in_sandbox("plan")
    assert said.out == dedent("""\
        17 changes: 17 to make
        Organization
        ├── + create the organization, with all features
        └── + let CloudFormation StackSets act in the organization (trusted access)
        Policies
        └── + create SERVICE_CONTROL_POLICY DenyLeaving (114 characters)
        Units and accounts
        └── Root
            ├── + attach SERVICE_CONTROL_POLICY DenyLeaving to the root
            ├── + Security
            │   ├── + create account Log Archive <log-archive@example.com>
            │   ├── + create account Audit <audit@example.com>
            │   └── + create account AMI Lineage <ami-lineage@example.com>
            └── + Workloads
                └── + Production
                    └── + create account Shop <shop@example.com>
        StackSets
        └── topics  1 created
            ├── + create StackSet topics
            ├── + deploy StackSet topics to Workloads · eu-central-1
            └── created in 1 account × eu-central-1: Shop
        Lockout proof: nobody is locked out (3 principals × 24 calls in 5 accounts)
        """)
    assert (said.code, said.err) == (3, "reading the live organization\n")


def test_bootstrap_says_what_it_did_and_a_second_plan_finds_nothing(in_sandbox: CommandLine) -> None:
    write()
    said = in_sandbox("bootstrap", "--yes")
    assert (said.code, said.out) == (0, "17 done, 0 failed, 0 not tried\n")
    lines = said.err.splitlines()
    assert lines[:2] == ["reading the live organization", "17 changes: 17 to make"]
    assert sorted(line for line in lines if line.startswith("done") and "account Shop" in line) == [
        "done     create account Shop <shop@example.com>",
        "done     move account Shop: Root → Workloads/Production",
    ]
    again = in_sandbox("plan")
    assert (again.code, again.out) == (
        0,
        dedent("""\
        no changes: the organization is what the manifest says
        StackSets
        └── topics  1 unchanged
        """),
    )
    assert in_sandbox("bootstrap", "--yes").out == "no changes: the organization is what the manifest says\n"


def test_show_prints_the_live_organization(in_sandbox: CommandLine) -> None:
    bootstrap(in_sandbox)
    said = in_sandbox("show")
    assert [line.split("  ")[0].rstrip("0123456789 ") for line in said.out.splitlines()[1:9]] == [
        "├── Root",
        "│",
        "│",
        "│",
        "│",
        "│",
        "│",
        "│",
    ]
    assert "Shop" in said.out
    assert "StackSet topics: 1 CURRENT" in said.out
    assert {a["name"] for a in json.loads(in_sandbox("show", "--format", "json").out)["accounts"]} == {
        "Management",
        "Log Archive",
        "Audit",
        "AMI Lineage",
        "Shop",
    }


def test_saved_plan_is_applied_exactly(in_sandbox: CommandLine) -> None:
    write()
    saved = in_sandbox("plan", "--out", "plan.json")
    assert (
        saved.err
        == "reading the live organization\nsaved to plan.json; apply it with: orgctl bootstrap --plan plan.json\n"
    )
    Path("organization.yaml").write_text("not: read any more", encoding="utf-8")
    assert in_sandbox("bootstrap", "--plan", "plan.json", "--yes").code == 0
    write()
    assert in_sandbox("plan").code == 0


def test_saved_plan_is_refused_once_the_organization_has_moved(in_sandbox: CommandLine) -> None:
    bootstrap(in_sandbox)
    write(MANIFEST.replace("  - name: Security\n", "  - name: Security\n  - name: Sandbox\n"))
    in_sandbox("plan", "--out", "plan.json")
    write(MANIFEST.replace("  - name: Security\n", "  - name: Security\n  - name: Other\n"))
    in_sandbox("bootstrap", "--yes")
    said = in_sandbox("bootstrap", "--plan", "plan.json", "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "reading the live organization\nerror: plan.json: the organization has moved since: units: Other is new; "
        "policies: SERVICE_CONTROL_POLICY FullAWSAccess has changed; plan again and review it\n"
    )


def test_plan_as_json_is_what_is_saved_and_says_each_step(in_sandbox: CommandLine) -> None:
    write()
    said = in_sandbox("plan", "--format", "json", "--out", "plan.json")
    assert said.out == Path("plan.json").read_text(encoding="utf-8")
    plan = json.loads(said.out)
    assert plan["version"] == 2
    assert plan["steps"][0] == {
        "id": "create-organization",
        "change": {"kind": "create-organization"},
        "needs": [],
        "after": [],
        "says": "create the organization, with all features",
        "destructive": False,
    }


def test_saved_plan_is_of_the_committed_schema(in_sandbox: CommandLine) -> None:
    committed = json.loads((Path(__file__).parents[2] / "docs" / "plan.schema.json").read_text(encoding="utf-8"))
    assert plan_schema() == committed, "python -m cli.plan_file docs/plan.schema.json writes it anew"
    bootstrap(in_sandbox)
    write(MANIFEST.partition("policies:")[0])
    Draft202012Validator(committed).validate(json.loads(in_sandbox("plan", "--format", "json").out))


def test_region_that_aws_does_not_have_is_refused(in_sandbox: CommandLine) -> None:
    told = "error: --region: unknown Region 'eu-centrl-1'; did you mean 'eu-central-1'?\n"
    for words in (("show",), ("sandbox", "env")):
        said = in_sandbox(*words, "--region", "eu-centrl-1")
        assert (said.code, said.out, said.err) == (1, "", told)


def test_reference_of_plans_has_every_key_and_the_version() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
    keys = {name for row in re.findall(r"^\| (`.*?) \|", reference, re.M) for name in re.findall(r"`(\w+)", row)}
    assert keys == set(plan_schema()["properties"])
    assert f"the same document. Version {PLAN_VERSION}:" in reference
    assert f"| `version` | {PLAN_VERSION};" in reference


def test_file_that_is_no_plan_is_refused(in_sandbox: CommandLine) -> None:
    for text, told in (
        ("", "error: plan.json: not a plan: Expecting value: line 1 column 1 (char 0); save one with plan --out\n"),
        ("{}", "error: plan.json: a plan of version None, where this orgctl reads 2; plan again\n"),
        (
            '{"version": 2, "steps": 7}',
            "error: plan.json: steps: not a plan: input should be a valid tuple; plan again\n",
        ),
    ):
        Path("plan.json").write_text(text, encoding="utf-8")
        said = in_sandbox("bootstrap", "--plan", "plan.json", "--yes")
        assert said.code == 1
        assert said.err.startswith(told)
    missing = in_sandbox("bootstrap", "--plan", "no.json")
    assert missing.err == "error: no.json: cannot be read: No such file or directory; save one with plan --out\n"


def test_destructive_plan_needs_to_be_allowed_and_does_nothing_until_then(in_sandbox: CommandLine) -> None:
    bootstrap(in_sandbox)
    smaller = MANIFEST.partition("policies:")[0]
    write(smaller)
    said = in_sandbox("bootstrap", "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1] == (
        "error: bootstrap: the plan holds 3 destructive changes (withdraw StackSet topics from Workloads · "
        "eu-central-1, …); nothing was done; pass --allow-destroy if they are meant"
    )
    assert in_sandbox("bootstrap", "--yes", "--allow-destroy").code == 0
    assert in_sandbox("plan").code == 0


def test_bootstrap_asks_first_and_cannot_where_nobody_is_there_to_answer(in_sandbox: CommandLine) -> None:
    write()
    said = in_sandbox("bootstrap")
    assert said.code == 1
    assert said.err.splitlines()[-1] == ("error: bootstrap: nobody can be asked to approve the plan here; pass --yes")


def test_failure_is_told_with_what_was_not_tried_and_exits_with_1(in_sandbox: CommandLine) -> None:
    taken = MANIFEST.replace("shop@example.com", "Management@example.com").replace("management@", "boss@")
    write(taken)
    said = in_sandbox("bootstrap", "--yes")
    assert (said.code, said.out) == (
        1,
        dedent("""\
        15 done, 1 failed, 1 not tried
        failed: create account Shop <Management@example.com>: account Shop <Management@example.com>: not created: \
the email belongs to an AWS account already; use another address (plus-addressing works), or invite the account and \
write its id
        not tried: move account Shop: Root → Workloads/Production: needs create-account:Shop, which failed
        run the same command again: it completes what is left
        """),
    )
    assert in_sandbox("plan").err == (
        "reading the live organization\n"
        "error: account Shop: Management@example.com is the email of the management account, "
        "Management (123456789012); give it another email, or name it as management_account\n"
    )


def test_failure_as_json_names_the_steps(in_sandbox: CommandLine) -> None:
    write(
        MANIFEST.replace("shop@example.com", "management@example.com").replace(
            "{name: Management, email: m", "{name: Management, email: n"
        )
    )
    told = json.loads(in_sandbox("bootstrap", "--yes", "--format", "json").out)
    assert [failed["step"] for failed in told["failed"]] == ["create-account:Shop"]
    assert [skipped["step"] for skipped in told["skipped"]] == ["move-account:Shop"]


def test_record_of_a_run_is_written_where_it_is_asked_for(in_sandbox: CommandLine) -> None:
    write()
    in_sandbox("bootstrap", "--yes", "--journal", "run.jsonl")
    events = [json.loads(line)["event"] for line in Path("run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (events[0], events[-1], events.count("begin"), events.count("done")) == ("run", "end", 17, 17)


def test_verbose_shows_the_plan_and_each_step_as_it_begins(in_sandbox: CommandLine) -> None:
    write()
    said = in_sandbox("bootstrap", "--yes", "-v")
    assert "├── + create the organization, with all features" in said.err
    assert "begin    create the organization, with all features" in said.err
    assert "waiting  StackSet topics: " in said.err
