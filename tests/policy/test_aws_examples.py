"""Policies after those in AWS's documentation, judged as their pages tell; the data says which were compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from org.policy.authorize import Engine, Grants
from org.policy.catalog import Catalog
from org.policy.context import make_context, principal_of
from org.policy.lint import lint_policy
from org.policy.lint_model import Severity
from org.policy.model import Level, Policy, PolicyKind
from org.policy.parse import parse_policy, policy_of
from org.policy.render import document_of, minify, normalise
from org.policy.request import Request
from org.source.findings import SourceErrors

EXAMPLES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "data/aws_examples.yaml").read_text("utf-8"))
DEVELOPER = "arn:aws:iam::111122223333:role/Developer"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ALL = policy_of(EVERYTHING, PolicyKind.IDENTITY, "AdministratorAccess")
FULL_ACCESS = policy_of(EVERYTHING, PolicyKind.SERVICE_CONTROL, "FullAWSAccess")
LETS_IN = policy_of(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
    PolicyKind.RESOURCE,
    "lets everybody in",
)
CATALOG = Catalog()
ENGINE = Engine(CATALOG)


def read(example: dict[str, Any]) -> Policy:
    return parse_policy(json.dumps(example["policy"]), PolicyKind(example["kind"]), example["name"])


def grants(example: dict[str, Any], case: dict[str, Any], policy: Policy) -> Grants:
    """The example's policy in its place among policies that let everything through."""
    identity = (ALL,) if case.get("grants", "all") == "all" else ()
    match policy.kind:
        case PolicyKind.IDENTITY:
            return Grants(identity=(policy, ALL) if "beside" in example else (policy,))
        case PolicyKind.BOUNDARY:
            return Grants(identity=identity, boundary=(policy,))
        case PolicyKind.SESSION:
            return Grants(identity=identity, session=(policy,))
        case PolicyKind.ENDPOINT:
            return Grants(identity=identity, endpoint=policy)
        case PolicyKind.SERVICE_CONTROL:
            beside = () if "alone" in example else (FULL_ACCESS,)
            return Grants(identity=identity, service_control=(Level("Root", (policy, *beside)),))
        case PolicyKind.RESOURCE_CONTROL:
            resource = LETS_IN if case.get("grants") == "by resource" else None
            return Grants(identity, resource=resource, resource_control=(Level("Root", (policy, FULL_ACCESS)),))
        case _:
            return Grants(identity=identity, resource=policy)


def request(case: dict[str, Any]) -> Request:
    principal = principal_of(case.get("as", DEVELOPER))
    more = {key: tuple(value) if isinstance(value, list) else value for key, value in case.get("with", {}).items()}
    action, resource, owner = case["do"], case.get("to", "*"), case.get("owner", "")
    context = make_context(
        principal,
        action,
        resource,
        region=case.get("region", "eu-west-1"),
        organization_id=case.get("organization", ""),
        resource_account=owner,
        more=more,
    )
    return Request(principal, action, resource, owner, context, complete=True)


CASES = [
    pytest.param(example, case, id=f"{example['name']}: {number}")
    for example in EXAMPLES
    for number, case in enumerate(example["cases"], 1)
]


@pytest.mark.parametrize(("example", "case"), CASES)
def test_an_example_is_judged_as_its_page_says(example: dict[str, Any], case: dict[str, Any]) -> None:
    policy = read(example)
    decision = ENGINE.authorizer(grants(example, case, policy)).decide(request(case))
    assert (decision.verdict.value, decision.unknown) == (case["is"], ())


@pytest.mark.parametrize(("example", "case"), CASES)
def test_minifying_an_example_changes_nothing(example: dict[str, Any], case: dict[str, Any]) -> None:
    policy = parse_policy(minify(read(example)), PolicyKind(example["kind"]), example["name"])
    decision = ENGINE.authorizer(grants(example, case, policy)).decide(request(case))
    assert decision.verdict.value == case["is"]


OWN = [example for example in EXAMPLES if "only_aws" not in example]


@pytest.mark.parametrize("example", OWN, ids=lambda example: str(example["name"]))
def test_an_example_is_read_back_as_it_was_written(example: dict[str, Any]) -> None:
    policy = normalise(read(example))
    assert policy_of(document_of(policy), policy.kind, policy.name) == policy


@pytest.mark.parametrize("example", OWN, ids=lambda example: str(example["name"]))
def test_lint_finds_no_error_in_an_example(example: dict[str, Any]) -> None:
    text = json.dumps(example["policy"])
    found = lint_policy(text, PolicyKind(example["kind"]), example["name"], "example.json", CATALOG)
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []


def test_what_only_aws_may_write_is_refused_of_others() -> None:
    for example in EXAMPLES:
        if "only_aws" in example:
            with pytest.raises(SourceErrors, match="can Deny"):
                read(example)
            kind = PolicyKind(example["kind"])
            by_name = policy_of(example["policy"], kind, "RCPFullAWSAccess")
            arn = "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess"
            assert policy_of(example["policy"], kind, "p", arn).statements == by_name.statements


def test_there_are_many_examples() -> None:
    assert len(EXAMPLES) >= 90
    pages = "https://docs.aws.amazon.com/", "https://github.com/aws-samples/"
    assert all(example["page"].startswith(pages) for example in EXAMPLES)
