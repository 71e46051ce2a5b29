"""How a manifest spares a principal in what a guardrail renders, and how an explanation tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.manifest_policies import how_to_spare
from cli.render.explanation import Written, explanation_lines
from config.load import LoadedManifest, load_manifest
from org.explain.explanation import Explanation
from org.explain.message import Refusal
from org.proof.model import Exemption

ROOT_FOLDER = Path(__file__).parents[2]
DEV = '"arn:aws:iam::111122223333:role/Dev"'
APPROVER = '"arn:aws:iam::${orgctl:account-id:Image Factory}:role/ImageApprover"'


@pytest.fixture(scope="module")
def company() -> LoadedManifest:
    return load_manifest(ROOT_FOLDER / "config" / "examples" / "company" / "organization.yaml")


@pytest.mark.parametrize(
    ("policy", "statement", "parameter", "reach"),
    [
        ("GovernedRegions", 0, f"governed-regions: exempt_principals: [{DEV}]", ""),
        ("ApprovedImages", 0, f"approved-images: exempt_principals: [{DEV}]", "5 of 5"),
        ("ApprovedImages", 2, f"approved-images: image_makers: [{DEV}]", "1 of 5"),
        ("ApprovalTags", 0, f"approval-tags: writers: [{APPROVER}, {DEV}]", "2 of 2"),
    ],
)
def test_parameter_that_spares_in_the_fewest_statements_is_named(
    company: LoadedManifest, policy: str, statement: int, parameter: str, reach: str
) -> None:
    told = f"add to parameters of guardrail {parameter}" + (f", which spares it in {reach} statements" if reach else "")
    assert how_to_spare(company, index_of(company, policy), statement, json.loads(DEV)) == told


def test_guardrail_without_such_a_parameter_and_policy_that_is_none_are_told(company: LoadedManifest) -> None:
    assert how_to_spare(company, index_of(company, "DenyLeavingOrganization"), 0, json.loads(DEV)).startswith(
        "guardrail deny-leaving-organization has no parameter for it; protected_principals would spare it"
    )
    assert how_to_spare(company, index_of(company, "SandboxInstances"), 0, json.loads(DEV)) == ""


def index_of(company: LoadedManifest, policy: str) -> int:
    return next(index for index, each in enumerate(company.manifest.policies) if each.name == policy)


def test_parameter_that_spares_in_several_statements_is_told_once_below_them() -> None:
    exemptions = tuple(
        Exemption("P", sid, "Root", f"let {sid} of P spare {DEV}", "{}") for sid in ("One", "Two", "Three")
    )
    explained = Explanation(Refusal(DEV, "sqs:SendMessage"), DEV, exemptions=exemptions)
    written = Written(ways={("P", "One"): "add it", ("P", "Two"): "add it", ("P", "Three"): "add that"})
    lines = [line.plain for line in explanation_lines(explained, written)]
    at = lines.index("what lets the call through, proved by evaluating again:")
    assert lines[at + 1 : at + 6] == [
        f"  let One of P spare {DEV}, Root",
        f"  let Two of P spare {DEV}, Root",
        "  add it",
        f"  let Three of P spare {DEV}, Root",
        "  add that",
    ]
