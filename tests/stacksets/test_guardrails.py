"""What the built-in guardrails deny, and whom they spare."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.load import load_manifest
from org.model import DesiredPolicy, PolicyType
from org.policy_types import load_policy_types
from org.quotas import load_quotas
from stacksets.guardrails.catalog import guardrails
from stacksets.guardrails.deny_leaving_organization import LEAVING
from stacksets.guardrails.encrypted_volumes import MAKING
from stacksets.guardrails.statement import Deny
from stacksets.guardrails.surroundings import Surroundings, surroundings_of
from stacksets.policy_template import render_policy_template
from tests.support.golden import assert_golden
from tests.support.guardrails import (
    ACCOUNT,
    ADMIN,
    NEAR_MISSES,
    PARAMETERS,
    SPARED,
    SURROUNDINGS,
    content,
    denying,
)

BREAK_GLASS = "arn:aws:iam::*:role/BreakGlass"
STACKSETS = "arn:aws:iam::*:role/stacksets-exec-*"
ACCESS = "arn:aws:iam::*:role/OrganizationAccountAccessRole"
COMPANY = Path(__file__).parents[2] / "config" / "examples" / "company" / "organization.yaml"
NAMES = tuple(guardrails())
SCPS = tuple(name for name in NAMES if guardrails()[name].type == "SERVICE_CONTROL_POLICY")


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


@pytest.mark.parametrize("name", SCPS)
def test_protected_principals_are_exempt_from_every_statement(name):
    statements = content(name)["Statement"]
    assert all(BREAK_GLASS in exempt(statement) for statement in statements)
    assert all(statement["Effect"] == "Deny" for statement in statements)


@pytest.mark.parametrize("name", [name for name in SCPS if name != "deny-leaving-organization"])
def test_stacksets_and_the_management_account_are_not_locked_out(name):
    assert all({STACKSETS, ACCESS} <= set(exempt(statement)) for statement in content(name)["Statement"])


def test_nobody_but_protected_principals_can_leave_the_organization():
    (statement,) = content("deny-leaving-organization")["Statement"]
    assert statement["Action"] == list(LEAVING)
    assert exempt(statement) == [BREAK_GLASS]


def test_leaving_is_denied_to_all_where_nobody_is_protected():
    guardrail = guardrails()["deny-leaving-organization"]
    (statement,) = guardrail.render(guardrail.parameters(), Surroundings(("eu-central-1",), "aws"))["Statement"]
    assert "Condition" not in statement


def test_governed_regions_are_the_manifests_unless_others_are_named():
    (by_default,) = content("governed-regions")["Statement"]
    (named,) = content("governed-regions", regions=("eu-north-1",), also_allowed=("devicefarm:*",))["Statement"]
    assert by_default["Condition"]["StringNotEquals"] == {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}
    assert named["Condition"]["StringNotEquals"] == {"aws:RequestedRegion": "eu-north-1"}
    assert set(named["NotAction"]) - set(by_default["NotAction"]) == {"devicefarm:*"}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("name", SCPS)
def test_partition_is_that_of_the_home_region(name, partition):
    guardrail = guardrails()[name]
    around = Surroundings(("cn-north-1",), partition, (f"arn:{partition}:iam::*:role/BreakGlass",))
    text = json.dumps(guardrail.render(guardrail.parameters.model_validate(PARAMETERS.get(name, {})), around))
    assert set(re.findall(r"arn:([^:]*):", text)) == {partition}


def test_quarantined_account_goes_on_forwarding_events_and_forwarders_can_do_nothing_else():
    everything, events = content("quarantine")["Statement"]
    forwarders = "arn:aws:iam::*:role/orgctl-forward-events-*"
    assert everything["NotAction"] == "events:PutEvents"
    assert forwarders not in exempt(everything)
    assert forwarders in exempt(events)


def test_metadata_hop_limit_is_text_as_aws_shows_it():
    settings = content("ec2-account-settings", http_put_response_hop_limit=1)["ec2_attributes"]
    assert settings["instance_metadata_defaults"]["http_put_response_hop_limit"] == {"@@assign": "1"}


def test_imdsv2_is_a_default_that_can_be_enforced():
    def metadata(**parameters):
        return content("ec2-account-settings", **parameters)["ec2_attributes"]["instance_metadata_defaults"]

    assert metadata().keys() == {"http_tokens", "http_put_response_hop_limit"}
    assert metadata(http_tokens_enforced="enabled")["http_tokens_enforced"] == {"@@assign": "enabled"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("governed-regions", {"regions": ("eu-centrl-1",)}),
        ("governed-regions", {"region": ("eu-central-1",)}),
        ("governed-regions", {"also_allowed": ("*",)}),
        ("ec2-account-settings", {"http_put_response_hop_limit": 65}),
        ("ec2-account-settings", {"http_put_response_hop_limit": 0}),
        ("ec2-account-settings", {"http_put_response_hop_limit": "2"}),
        ("ec2-account-settings", {"image_names": ("?a",)}),
        ("ec2-account-settings", {"trusted_owners": ("amazon",) * 201}),
        ("quarantine", {"exempt_principals": ("Responder",)}),
    ],
)
def test_parameter_that_the_guardrail_does_not_take_is_refused(name, parameters):
    with pytest.raises(ValidationError):
        guardrails()[name].parameters(**parameters)


def test_statement_needs_either_actions_or_all_but_some():
    with pytest.raises(ValueError, match="DenyNothing: give either actions or not_actions"):
        Deny(sid="DenyNothing")


def test_condition_on_arns_is_kept_for_the_exempt():
    with pytest.raises(ValueError, match="DenySome: ArnNotLike is kept for the exempt principals"):
        Deny(sid="DenySome", actions=("sns:*",), conditions={"ArnNotLike": {"aws:SourceArn": "*"}})


VOLUME = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:volume/*"
BUS = "arn:aws:events:eu-central-1:333333333333:event-bus/orgctl-lineage"
UNENCRYPTED = "DenyUnencryptedVolumes"
REGIONS = "DenyCallsOutsideTheGovernedRegions"
ALL, PUTTING = "DenyAllUseOfAQuarantinedAccount", "DenyPuttingEventsExceptForwarding"


@pytest.mark.parametrize(
    ("name", "action", "resource", "context", "region", "sids"),
    [
        ("governed-regions", "ec2:RunInstances", "*", {}, "eu-west-3", {REGIONS}),
        ("governed-regions", "ec2:RunInstances", "*", {}, "us-east-1", set()),
        ("governed-regions", "iam:CreateRole", "*", {}, "eu-west-3", set()),
        ("governed-regions", "billing:GetBillingData", "*", {}, "eu-west-3", set()),
        ("governed-regions", "s3:PutObject", "*", {}, "eu-west-3", {REGIONS}),
        ("encrypted-volumes", "ec2:CreateVolume", VOLUME, {"ec2:Encrypted": "false"}, "eu-central-1", {UNENCRYPTED}),
        ("encrypted-volumes", "ec2:RunInstances", VOLUME, {"ec2:Encrypted": "true"}, "eu-central-1", set()),
        ("encrypted-volumes", "ec2:RunInstances", VOLUME.replace("volume", "instance"), {}, "eu-central-1", set()),
        ("quarantine", "s3:GetObject", "*", {}, "eu-central-1", {ALL}),
        ("quarantine", "iam:CreateRole", "*", {}, "eu-central-1", {ALL}),
        ("quarantine", "events:PutEvents", BUS, {}, "eu-central-1", {PUTTING}),
    ],
)  # fmt: skip
def test_administrators_are_denied_and_the_spared_are_not(name, action, resource, context, region, sids):
    asked = (action, resource, context)
    for principal in (ADMIN, *NEAR_MISSES):
        assert denying(name, principal, *asked, region=region) == sids, principal
    for principal in SPARED:
        assert denying(name, principal, *asked, region=region) == set(), principal


@pytest.mark.parametrize("action", MAKING)
def test_no_call_that_makes_volumes_makes_unencrypted_ones(action):
    assert denying("encrypted-volumes", ADMIN, action, VOLUME, {"ec2:Encrypted": "false"}) == {UNENCRYPTED}
    for allowed in ({"ec2:Encrypted": "true"}, {}):
        assert denying("encrypted-volumes", ADMIN, action, VOLUME, allowed) == set()


@pytest.mark.parametrize("leave", LEAVING)
def test_nobody_but_the_protected_leaves_the_organization(leave):
    denied = {"DenyLeavingTheOrganization"}
    stacksets_and_access = [principal for principal in SPARED if not principal.endswith("BreakGlass")]
    for principal in (ADMIN, *NEAR_MISSES, *stacksets_and_access):
        assert denying("deny-leaving-organization", principal, leave) == denied
    assert denying("deny-leaving-organization", f"arn:aws:iam::{ACCOUNT}:role/BreakGlass", leave) == set()


def test_in_quarantine_auditors_read_and_forwarders_forward():
    forwarder = f"arn:aws:iam::{ACCOUNT}:role/orgctl-forward-events-eu-central-1"
    auditor = f"arn:aws:iam::{ACCOUNT}:role/orgctl-audit"
    assert denying("quarantine", forwarder, "events:PutEvents", BUS) == set()
    assert denying("quarantine", forwarder, "s3:GetObject") == {ALL}
    assert denying("quarantine", auditor, "ec2:DescribeInstances") == set()


@pytest.mark.parametrize("name", SCPS)
def test_what_synth_writes_as_a_template_is_what_is_attached(name):
    text = json.dumps(content(name))
    template = render_policy_template(DesiredPolicy(PolicyType("SERVICE_CONTROL_POLICY"), name, text)).to_dict()
    assert template["Resources"]["Policy"]["Properties"]["Content"] == json.loads(text)


def test_principals_that_guardrails_of_the_manifest_spare_are_known_to_the_others():
    loaded = load_manifest(COMPANY)
    spared = surroundings_of(loaded.manifest).spared
    assert "arn:aws:iam::*:role/IncidentResponder" in spared
    assert any(arn.endswith(":role/ImageApprover") for arn in spared)


SEVERAL = {
    "governed_regions": ("us-east-1", "eu-central-1"),
    "protected": ("arn:aws:iam::*:role/BreakGlass", "arn:aws:iam::*:role/Also"),
    "spared": ("arn:aws:iam::*:role/B", "arn:aws:iam::*:user/a", "arn:aws:iam::*:role/A"),
    "trusted_image_owners": ("self", "aws-marketplace", "amazon"),
    "approval_tags": ("z", "a"),
}


@pytest.mark.parametrize("name", NAMES)
def test_order_in_the_manifest_changes_nothing(name):
    """Else a policy would be updated because another was moved within its file."""
    guardrail = guardrails()[name]
    told, turned = (
        replace(SURROUNDINGS, **{field: values[::step] for field, values in SEVERAL.items()}) for step in (1, -1)
    )
    parameters = guardrail.parameters.model_validate(PARAMETERS.get(name, {}), context=told)
    assert json.dumps(guardrail.render(parameters, told)) == json.dumps(guardrail.render(parameters, turned))
