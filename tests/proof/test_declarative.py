"""What an EC2 declarative policy takes from the accounts under it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from org.errors import OrgctlError
from org.policy.catalog import Catalog
from org.policy.model import Effect, PolicyKind
from org.proof.declarative import CALLS, denied_calls

GOLDEN = Path(__file__).parents[1] / "golden" / "guardrails" / "ec2-account-settings.json"


def taken(attributes: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    policy = denied_calls(json.dumps({"ec2_attributes": attributes}))
    return {each.sid: each.actions for each in policy.statements} if policy else {}


def test_every_call_exists() -> None:
    catalog = Catalog()
    calls = {call for each in CALLS.values() for call in each} | {"ec2:CreateVpcBlockPublicAccessExclusion"}
    found = {entry.full_name for call in calls if (entry := catalog.find_action(call))}
    assert found == calls


def test_the_built_in_guardrail_takes_what_it_sets_and_nothing_else() -> None:
    content = GOLDEN.read_text(encoding="utf-8")
    policy = denied_calls(content, "Ec2AccountSettings")
    assert policy is not None
    assert (policy.name, policy.kind) == ("Ec2AccountSettings", PolicyKind.SERVICE_CONTROL)
    sets = sorted(set(json.loads(content)["ec2_attributes"]) - {"exception_message"})
    assert {"image_block_public_access", "instance_metadata_defaults", "snapshot_block_public_access"} <= set(sets)
    assert [each.sid for each in policy.statements] == sets
    assert [each.index for each in policy.statements] == list(range(len(sets)))
    for statement in policy.statements:
        assert (statement.effect, statement.resources) == (Effect.DENY, ("*",))
        assert (statement.actions, statement.conditions) == (CALLS[statement.sid], ())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("allowed_images_settings", {"state": {"@@assign": "audit_mode"}}),
        ("allowed_images_settings", {"image_criteria": {"one": {"allowed_image_providers": {"@@append": ["amazon"]}}}}),
        ("image_block_public_access", {"state": {"@@assign": "unblocked"}}),
        ("instance_metadata_defaults", {"http_tokens": {"@@assign": "no_preference"}}),
        ("serial_console_access", {"status": {"@@assign": "enabled"}}),
        ("snapshot_block_public_access", {"state": {"@@assign": "block_all_sharing"}}),
    ],
)
def test_whatever_the_value_an_attribute_that_is_set_is_out_of_the_account_s_hands(attribute: str, value: Any) -> None:
    assert taken({attribute: value}) == {attribute: CALLS[attribute]}


@pytest.mark.parametrize(
    ("allowed", "calls"),
    [
        ("enabled", ("ec2:ModifyVpcBlockPublicAccessOptions",)),
        ("disabled", ("ec2:ModifyVpcBlockPublicAccessOptions", "ec2:CreateVpcBlockPublicAccessExclusion")),
    ],
)
def test_exclusions_can_be_made_where_the_policy_allows_them(allowed: str, calls: tuple[str, ...]) -> None:
    block = {"mode": {"@@assign": "block_ingress"}, "exclusions_allowed": {"@@assign": allowed}}
    assert taken({"vpc_block_public_access": {"internet_gateway_block": block}}) == {"vpc_block_public_access": calls}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"exception_message": {"@@assign": "Ask us"}},
        {"serial_console_access": {}},
        {"serial_console_access": {"status": {"@@operators_allowed_for_child_policies": ["@@none"]}}},
        {"something_new": {"state": {"@@assign": "on"}}},
    ],
)
def test_what_sets_nothing_that_is_known_takes_nothing(attributes: dict[str, Any]) -> None:
    assert taken(attributes) == {}


@pytest.mark.parametrize("content", ["[]", "{}", '"text"', '{"ec2_attributes": []}'])
def test_other_documents_take_nothing(content: str) -> None:
    assert denied_calls(content) is None


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(OrgctlError, match="Bpa: its content is not JSON"):
        denied_calls("{", "Bpa")
