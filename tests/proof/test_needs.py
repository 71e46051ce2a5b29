"""Who is proved where, with the templates that orgctl itself deploys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from config.load import load_manifest
from org.model import AccountId, DesiredOrganization, ObservedOrganization
from org.plan.build import plan_changes
from org.plan.model import Plan
from org.proof import needs
from org.proof.chains import chains_after
from org.proof.needs import Needs
from org.proof.prove import prove
from org.proof.stacks import Stacks
from org.quotas import load_quotas
from stacksets.desired import render_desired
from stacksets.template_value import template_value
from stacksets.templates import names

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
NOTHING = ObservedOrganization(caller_account=AccountId("123456789012"))


def example(name: str) -> DesiredOrganization:
    return render_desired(load_manifest(EXAMPLES / name / "organization.yaml"))


def plan_of(wanted: DesiredOrganization) -> Plan:
    return plan_changes(wanted, NOTHING, load_quotas())


def test_names_are_those_of_the_templates() -> None:
    assert (needs.AUDIT_ROLE, needs.FORWARDER_ROLE_PREFIX) == (names.AUDIT_ROLE, names.FORWARDER_ROLE_PREFIX)


def test_demands_of_an_account_with_the_baseline() -> None:
    plan = plan_of(example("minimal"))
    chains = chains_after(plan)
    stacks = Stacks(plan, chains, template_value)
    shop = chains.id_of("Shop")
    found = {demand.who: demand for demand in Needs(plan, chains, stacks).of(shop)}
    assert list(found) == [
        "break-glass",
        "OrganizationAccountAccessRole",
        "management account",
        "StackSet orgctl-account-baseline",
        "StackSet orgctl-config-recorder",
        "orgctl-audit",
        "auditors",
        "event forwarding of orgctl-account-baseline",
    ]
    assert found["auditors"].arn == f"arn:aws:iam::{chains.id_of('Audit')}:role/*"
    forwarding = found["event forwarding of orgctl-account-baseline"]
    assert forwarding.arn == f"arn:aws:iam::{shop}:role/orgctl-forward-events-eu-central-1"
    (call,) = forwarding.calls
    bus = f"arn:aws:events:eu-central-1:{chains.id_of('AMI Lineage')}:event-bus/orgctl-lineage"
    assert (call.action, call.resource) == ("events:PutEvents", bus)
    assert "iam:CreateRole" in {call.action for call in found["StackSet orgctl-account-baseline"].calls}


def test_without_stacksets_nobody_needs_their_roles() -> None:
    plan = plan_of(replace(example("minimal"), stacksets=()))
    chains = chains_after(plan)
    found = Needs(plan, chains, Stacks(plan, chains)).of(chains.id_of("Shop"))
    assert [demand.who for demand in found] == ["break-glass", "OrganizationAccountAccessRole", "management account"]


def test_identity_center_with_trusted_access_must_let_people_in() -> None:
    plan = plan_of(replace(example("minimal"), trusted_access=("sso.amazonaws.com",)))
    chains = chains_after(plan)
    *_, sign_in = Needs(plan, chains, Stacks(plan, chains, template_value)).of(chains.id_of("Shop"))
    assert sign_in.calls[0].action == "sts:AssumeRoleWithSAML"
    assert prove(plan, template_value).findings == ()


def test_examples_lock_nobody_out() -> None:
    for name in ("minimal", "company"):
        assert prove(plan_of(example(name)), template_value).findings == ()


def test_template_in_yaml_reads_like_its_long_form() -> None:
    short = (
        "Resources:\n  A: {Type: T, Properties: {B: !Sub 'x-${C}', D: !GetAtt E.Arn, F: !If [G, !Ref H, 2012-10-17]}}\n"
    )
    assert template_value(short) == {
        "Resources": {
            "A": {
                "Type": "T",
                "Properties": {
                    "B": {"Fn::Sub": "x-${C}"},
                    "D": {"Fn::GetAtt": ["E", "Arn"]},
                    "F": {"Fn::If": ["G", {"Ref": "H"}, "2012-10-17"]},
                },
            }
        }
    }
    assert template_value("- no mapping") is None
    assert template_value("{no json") is None
