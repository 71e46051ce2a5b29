"""What launches are held against and what compliance asks for is one tag with one value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.load import load_manifest
from config.manifest import Manifest
from handlers.lineage.compliance.verdicts import Result, Rule
from handlers.lineage.settings import SETTINGS, read_settings
from org.errors import OrgctlError
from stacksets.image_rules import image_rules
from stacksets.lineage_settings import render_settings
from tests.support.compliance import ALL_GOOD, GOLDEN, graph_of, judged
from tests.support.guardrails import content
from tests.support.lineage import note

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


def manifest(*guardrails: dict[str, Any], approval: dict[str, Any] | None = None) -> Manifest:
    example = load_manifest(EXAMPLES / "company" / "organization.yaml").manifest
    (policy,) = [each for each in example.policies if each.guardrail == "approved-images"]
    policies = [
        policy.model_copy(update={"name": f"images-{number}", "parameters": {**policy.parameters, **each}})
        for number, each in enumerate(guardrails)
    ]
    others = [each for each in example.policies if each.guardrail != "approved-images"]
    rules = example.lineage.compliance
    asked = rules.model_copy(update={"approval": rules.approval.model_copy(update=approval or {})})
    lineage = example.lineage.model_copy(update={"compliance": asked})
    return example.model_copy(update={"policies": (*others, *policies), "lineage": lineage})


def enforced(**parameters: str) -> tuple[str, str]:
    """Answer the tag and the value in the very policy that launches are held against."""
    statements: Any = content("approved-images", **parameters)["Statement"]
    (deny,) = [each for each in statements if each["Sid"] == "DenyLaunchingUnapprovedImages"]
    ((key, value),) = deny["Condition"]["StringNotEqualsIfExists"].items()
    return key.removeprefix("aws:ResourceTag/"), value if isinstance(value, str) else value[0]


@pytest.mark.parametrize("parameters", [{}, {"approval_tag": "Approval", "approval_value": "yes"}])
def test_weakness_29_what_enforcement_asks_for_satisfies_compliance(parameters: dict[str, str]) -> None:
    approval = image_rules(manifest(parameters)).approval
    assert (approval.tag, approval.value) == enforced(**parameters)
    tagged = note(GOLDEN, 5, **{f"tag:{approval.tag}": approval.value})
    rules = {"approval": approval.model_dump(mode="json")}
    assert judged(graph_of(*ALL_GOOD, tagged), **rules)[Rule.APPROVAL].result is Result.COMPLIANT
    removed = note(GOLDEN, 6, **{f"tag:{approval.tag}": None})
    assert judged(graph_of(*ALL_GOOD, tagged, removed), **rules)[Rule.APPROVAL].result is Result.NON_COMPLIANT


def test_weakness_29_another_tag_than_the_guardrails_is_refused() -> None:
    for approval in ({"tag": "ApprovalStatus"}, {"value": "APPROVED"}):
        with pytest.raises(OrgctlError, match="another tag or value than approved-images"):
            image_rules(manifest({}, approval=approval))
    assert image_rules(manifest({"approval_tag": "X"}, approval={"tag": "X"})).approval.tag == "X"


def test_weakness_29_policies_that_ask_for_different_tags_are_refused() -> None:
    with pytest.raises(OrgctlError, match="policies images-0 and images-1: they name different approvals"):
        image_rules(manifest({}, {"approval_tag": "X"}))
    assert image_rules(manifest({}, {})).approval.tag == enforced()[0]


def test_without_the_guardrail_its_default_is_asked_for_and_other_rules_are_the_manifests() -> None:
    bare = manifest()
    rules = image_rules(bare)
    assert (rules.approval.tag, rules.approval.value) == enforced()
    assert rules.naming == bare.lineage.compliance.naming
    own = image_rules(manifest(approval={"tag": "X", "value": "yes"})).approval
    assert (own.tag, own.value) == ("X", "yes")


@pytest.mark.parametrize("parameters", [{}, {"approval_tag": "Approval", "approval_value": "yes"}])
def test_weakness_29_the_functions_are_told_the_guardrails_tag(parameters: dict[str, str]) -> None:
    text = render_settings(manifest(parameters), "o-abcdefghij", "orgctl-1234")
    approval = read_settings({SETTINGS: text}).compliance.approval
    assert (approval.tag, approval.value) == enforced(**parameters)
