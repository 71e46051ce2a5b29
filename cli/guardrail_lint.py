"""`orgctl guardrails lint`: the findings in policy files, or in all policies of the manifest."""

from __future__ import annotations

from pathlib import Path

from cli.manifest_policies import written_policies
from cli.render.console import results, talk
from cli.render.lint_findings import lint_json, lint_lines, summary
from cli.render.sarif import sarif_log
from cli.settings import Format, Settings, load_desired
from cli.text_files import name_of, read_text
from org.policy.catalog import Catalog
from org.policy.lint import GRAMMAR, lint_node, lint_policy, rules
from org.policy.lint_model import LintFinding, Severity
from org.policy.model import PolicyKind

CLEAN, FINDINGS = 0, 3
_TAKEN_FOR = PolicyKind.SERVICE_CONTROL


def lint_policies(settings: Settings, files: list[Path], kind: str, *, strict: bool) -> int:
    """Print the findings of the files, else of the manifest; answer 3 if there is an error, a warning, or, if strict,
    a note. Where nobody told the kind of the files, it is empty.
    """
    catalog = Catalog()
    found = _lint_files(files, PolicyKind(kind or _TAKEN_FOR), catalog) if files else _lint_manifest(settings, catalog)
    if settings.format is Format.SARIF:
        results().print(sarif_log(found, rules(), catalog.version))
    elif settings.is_json:
        results().print(lint_json(found))
    else:
        for line in lint_lines(found):
            results().print(line)
    talk().print(summary(found))
    if not kind and files and any(finding.rule == GRAMMAR.id for finding in found):
        talk().print("the files were taken for service control policies; tell another kind with --type")
    counting = [finding for finding in found if strict or finding.severity is not Severity.NOTE]
    return FINDINGS if counting else CLEAN


def _lint_files(files: list[Path], kind: PolicyKind, catalog: Catalog) -> list[LintFinding]:
    return [
        finding
        for path in dict.fromkeys(files)
        for finding in lint_policy(read_text(path), kind, path.stem, name_of(path), catalog)
    ]


def _lint_manifest(settings: Settings, catalog: Catalog) -> list[LintFinding]:
    loaded, desired = load_desired(settings)
    return [
        finding
        for policy in written_policies(loaded, desired)
        for finding in lint_node(policy.node, policy.kind, policy.name, catalog)
    ]
