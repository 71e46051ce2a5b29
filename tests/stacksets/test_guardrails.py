"""What the built-in guardrails deny, and whom they spare."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from org.policy_types import load_policy_types
from org.quotas import load_quotas
from stacksets.guardrails.catalog import guardrails
from stacksets.guardrails.statement import Deny
from stacksets.guardrails.surroundings import Surroundings
from tests.support.golden import assert_golden

BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
STACKSETS = "arn:aws:iam::*:role/stacksets-exec-*"
ACCESS = "arn:aws:iam::*:role/OrganizationAccountAccessRole"
SURROUNDINGS = Surroundings(("eu-central-1", "us-east-1"), "aws", (BREAK_GLASS,))
NAMES = tuple(guardrails())


def content(name: str, **parameters):
    guardrail = guardrails()[name]
    return guardrail.render(guardrail.parameters(**parameters), SURROUNDINGS)


def exempt(statement) -> list[str]:
    principals = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    return [principals] if isinstance(principals, str) else principals


@pytest.mark.parametrize("name", NAMES)
def test_guardrail_is_the_one_that_was_reviewed(name):
    assert_golden(f"guardrails/{name}.json", content(name))


@pytest.mark.parametrize("name", NAMES)
def test_guardrail_is_within_the_size_of_its_type(name):
    guardrail = guardrails()[name]
    compact = json.dumps(content(name), separators=(",", ":"))
    assert guardrail.type in load_policy_types()
    assert len(compact) <= load_quotas().policy(guardrail.type).max_bytes


@pytest.mark.parametrize("name", NAMES)
def test_guardrail_says_what_it_is_for_and_what_each_parameter_does(name):
    guardrail = guardrails()[name]
    assert guardrail.description.endswith(".")
    assert all(field.description for field in guardrail.parameters.model_fields.values())


@pytest.mark.parametrize("name", [name for name in NAMES if guardrails()[name].type == "SERVICE_CONTROL_POLICY"])
def test_protected_principals_are_exempt_from_every_statement(name):
    statements = content(name)["Statement"]
    assert all(BREAK_GLASS in exempt(statement) for statement in statements)
    assert all(statement["Effect"] == "Deny" for statement in statements)


@pytest.mark.parametrize("name", ["encrypted-volumes", "governed-regions", "quarantine"])
def test_stacksets_and_the_management_account_are_not_locked_out(name):
    assert all({STACKSETS, ACCESS} <= set(exempt(statement)) for statement in content(name)["Statement"])


def test_nobody_but_protected_principals_can_leave_the_organization():
    (statement,) = content("deny-leaving-organization")["Statement"]
    assert statement["Action"] == "organizations:LeaveOrganization"
    assert exempt(statement) == [BREAK_GLASS]


def test_leaving_is_denied_to_all_where_nobody_is_protected():
    guardrail = guardrails()["deny-leaving-organization"]
    (statement,) = guardrail.render(guardrail.parameters(), Surroundings(("eu-central-1",), "aws"))["Statement"]
    assert "Condition" not in statement


def test_governed_regions_are_the_manifests_unless_others_are_named():
    (by_default,) = content("governed-regions")["Statement"]
    (named,) = content("governed-regions", regions=("eu-north-1",), also_allowed=("billing:*",))["Statement"]
    assert by_default["Condition"]["StringNotEquals"] == {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}
    assert named["Condition"]["StringNotEquals"] == {"aws:RequestedRegion": "eu-north-1"}
    assert named["NotAction"][-1] == "billing:*"


def test_partition_is_that_of_the_home_region():
    guardrail = guardrails()["encrypted-volumes"]
    china = guardrail.render(guardrail.parameters(), Surroundings(("cn-north-1",), "aws-cn"))
    assert china["Statement"][0]["Resource"] == "arn:aws-cn:ec2:*:*:volume/*"


def test_quarantined_account_goes_on_forwarding_events_and_forwarders_can_do_nothing_else():
    everything, events = content("quarantine")["Statement"]
    forwarders = "arn:aws:iam::*:role/orgctl-forward-events-*"
    assert everything["NotAction"] == "events:PutEvents"
    assert forwarders not in exempt(everything)
    assert forwarders in exempt(events)


def test_metadata_hop_limit_is_text_as_aws_shows_it():
    settings = content("ec2-account-settings", http_put_response_hop_limit=1)["ec2_attributes"]
    assert settings["instance_metadata_defaults"]["http_put_response_hop_limit"] == {"@@assign": "1"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("governed-regions", {"regions": ("eu-centrl-1",)}),
        ("governed-regions", {"region": ("eu-central-1",)}),
        ("ec2-account-settings", {"http_put_response_hop_limit": 65}),
        ("ec2-account-settings", {"http_put_response_hop_limit": "2"}),
        ("quarantine", {"exempt_principals": ("Responder",)}),
    ],
)
def test_parameter_that_the_guardrail_does_not_take_is_refused(name, parameters):
    with pytest.raises(ValidationError):
        guardrails()[name].parameters(**parameters)


def test_statement_needs_either_actions_or_all_but_some():
    with pytest.raises(ValueError, match="DenyNothing: give either actions or not_actions"):
        Deny(sid="DenyNothing")
