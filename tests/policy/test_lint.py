"""Each lint rule where it speaks and where it is silent, and what it says of the published landing zone."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from org.policy.catalog import Catalog
from org.policy.lint import lint_policy, rules
from org.policy.lint_model import LintFinding
from org.policy.model import PolicyKind
from org.quotas import load_quotas
from tests.support.landing_zone import landing_zone_source

FOLDER = Path(__file__).parent
ROWS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "data/lint_findings.yaml").read_text("utf-8"))
MARK = "▸"
CATALOG = Catalog()
SCP = PolicyKind.SERVICE_CONTROL
KEYS = ("Action", "NotAction"), ("Effect",), ("Resource", "NotResource"), ("Sid",)
DEFAULTS = '"Action": "s3:GetObject"', '"Effect": "Deny"', '"Resource": "*"', '"Sid": "S"'


def lint(text: str, kind: PolicyKind = SCP) -> tuple[LintFinding, ...]:
    return lint_policy(text, kind, "p", "p.json", CATALOG)


def complete(row: dict[str, Any]) -> str:
    """Add to each statement of a row what it does not say: a Deny of s3:GetObject on everything, with a Sid."""
    text = row["text"]
    version = '"Version": "2012-10-17"'
    if '"Version": "2008-10-17", ' in text:
        text, version = text.replace('"Version": "2008-10-17", ', ""), '"Version": "2008-10-17"'
    if '"Resource": null, ' in text:
        text, without = text.replace('"Resource": null, ', ""), '"Resource": "*"'
    else:
        without = '"Resource": "*"' if row["kind"] == PolicyKind.TRUST else ""
    statements = re.split(r"(?<=\}), (?=▸?\{\")", text[1:-1]) if text.startswith("[") else [text]
    filled = []
    for number, statement in enumerate(statements):
        given = set(json.loads(statement.replace(MARK, "")))
        more = [
            default.replace('"S"', f'"S{number}"')
            for keys, default in zip(KEYS, DEFAULTS, strict=True)
            if not given & set(keys) and default != without
        ]
        filled.append(", ".join([statement[:-1], *more]) + "}")
    return f'{{"Statement": [{", ".join(filled)}],\n {version}}}'


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['rule']}: {row['text']}")
def test_a_rule_speaks_at_its_place_or_is_silent(row: dict[str, Any]) -> None:
    text = complete(row)
    found = [
        finding for finding in lint(text.replace(MARK, ""), PolicyKind(row["kind"])) if finding.rule == row["rule"]
    ]
    if "says" not in row:
        assert [str(finding) for finding in found] == []
    else:
        severity = next(rule.severity for rule in rules() if rule.id == row["rule"])
        place = f"p.json:1:{text.index(MARK) + 1}"
        assert [str(finding) for finding in found] == [f"{place}: {severity}: {row['says']} [{row['rule']}]"]


def test_every_rule_is_tried_and_documented() -> None:
    tried = {row["rule"] for row in ROWS if "says" in row} | {"over-quota", "near-quota"}
    assert {rule.id for rule in rules()} == tried
    text = (FOLDER.parent.parent / "docs/policy-lint.md").read_text("utf-8")
    for rule in rules():
        row = f"| `{rule.id}` | {rule.severity} | {rule.description} | [AWS]({rule.source}) |"
        assert row in text, f"docs/policy-lint.md lacks: {row}"


@pytest.mark.parametrize(("share", "rules_found"), [(0.8, []), (0.95, ["near-quota"]), (1.01, ["over-quota"])])
@pytest.mark.parametrize(
    ("kind", "type"),
    [(SCP, "SERVICE_CONTROL_POLICY"), (PolicyKind.RESOURCE_CONTROL, "RESOURCE_CONTROL_POLICY")],
)
def test_the_length_of_a_policy_is_held_against_its_quota(
    kind: PolicyKind, type: str, share: float, rules_found: list[str]
) -> None:
    resources = ["arn:aws:s3:::" + "b" * int(load_quotas().policy(type).max_bytes * share - 150)]
    statement = {"Sid": "S", "Effect": "Deny", "Action": "s3:CreateBucket", "Resource": resources}
    if kind is PolicyKind.RESOURCE_CONTROL:
        statement["Principal"] = "*"
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=400)
    assert [finding.rule for finding in lint(text, kind)] == rules_found


def test_broken_json_is_one_finding() -> None:
    (finding,) = lint('{"Version":\n "2012-10-17" "Statement": []}')
    message = "the file is not JSON: expecting ',' delimiter; correct the line or the one before it"
    assert str(finding) == f"p.json:2:15: error: {message} [grammar]"


@pytest.fixture(scope="module")
def published() -> Path:
    source = landing_zone_source()
    if not source.is_dir():
        reason = f"no {source}; set ORGCTL_REAL_DATA to the folder that holds lza-universal-configuration"
        if os.environ.get("ORGCTL_REQUIRE_REAL_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return source


EXPECTED = {
    "lza-core-guardrails-2.json": ["25:13 exempt-path"],
    "lza-core-sandbox-guardrails-1.json": ["56:11 key-of-some-actions", "85:11 negated-missing-key"],
    "lza-core-security-guardrails-1.json": ["40:21 negated-missing-key"],
    "lza-core-workloads-guardrails-1.json": ["83:11 negated-missing-key"],
    "lza-infrastructure-guardrails-1.json": ["129:11 negated-missing-key"],
}


def test_the_published_landing_zone_has_these_findings_and_no_others(published: Path) -> None:
    found = {}
    for path in sorted([*published.glob("service-control-policies/*.json"), *published.glob("rcp-policies/*.json")]):
        kind = PolicyKind.RESOURCE_CONTROL if path.parent.name == "rcp-policies" else SCP
        findings = lint(path.read_text("utf-8"), kind)
        if findings:
            found[path.name] = [f"{each.place.line}:{each.place.column} {each.rule}" for each in findings]
    assert found == EXPECTED
