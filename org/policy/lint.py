"""What a policy says that its author can hardly mean, beyond what the grammar refuses; see docs/policy-lint.md."""

from __future__ import annotations

import json

from org.policy import lint_absence, lint_conditions, lint_exemptions, lint_names, lint_statements, lint_variables
from org.policy.catalog import Catalog
from org.policy.lint_model import Linted, LintFinding, Rule, Severity
from org.policy.model import PolicyKind
from org.policy.parse import compose_policy, read_placed
from org.policy.parse_nodes import Faults
from org.source.findings import Finding
from org.source.nodes import Node, plain

GRAMMAR = Rule(
    "grammar",
    Severity.ERROR,
    "AWS would refuse the policy: it is not JSON, or not what the grammar of its kind allows.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
    lambda _linted: iter(()),
)
"""Found by the reader; where it cannot tell what is meant, no other rule is asked."""


def rules() -> tuple[Rule, ...]:
    """Answer every rule there is, in the order in which the docs list them."""
    modules = (lint_names, lint_conditions, lint_absence, lint_variables, lint_exemptions, lint_statements)
    return (GRAMMAR, *(rule for module in modules for rule in module.RULES))


def lint_policy(text: str, kind: PolicyKind, name: str, file: str, catalog: Catalog) -> tuple[LintFinding, ...]:
    """Answer the findings in a policy's text, sorted by place; never raises for what the text holds."""
    findings: list[Finding] = []
    node = compose_policy(text, file or name, findings)
    if node is None:
        return _grammar_findings(findings)
    return lint_node(node, kind, name, catalog)


def lint_node(node: Node, kind: PolicyKind, name: str, catalog: Catalog) -> tuple[LintFinding, ...]:
    """Answer the findings in a policy that was read already; those of the grammar alone if it is not plain."""
    faults = Faults()
    placed = read_placed(node, kind, name, "", faults)
    if placed is None or faults.unclear:
        return _grammar_findings(faults.all)
    size = len(json.dumps(plain(node, []), separators=(",", ":"), ensure_ascii=False))
    linted = Linted(placed, catalog, size)
    found = {
        LintFinding(rule.id, rule.severity, place, what, todo)
        for rule in rules()
        for place, what, todo in rule.check(linted)
    }
    return tuple(sorted(found.union(_grammar_findings(faults.refused)), key=_order))


def _order(finding: LintFinding) -> tuple[object, ...]:
    place = finding.place
    return place.file, place.line, place.column, finding.rule, finding.what


def _grammar_findings(findings: list[Finding]) -> tuple[LintFinding, ...]:
    found = {LintFinding(GRAMMAR.id, GRAMMAR.severity, each.place, each.what, each.todo) for each in findings}
    return tuple(sorted(found, key=_order))
