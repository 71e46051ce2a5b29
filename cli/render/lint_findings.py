"""Findings in policies: one a line, as compilers write them, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.text import Text

from org.policy.lint_model import LintFinding, Severity

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def lint_lines(findings: Sequence[LintFinding]) -> Iterator[Text]:
    for finding in findings:
        line = Text(str(finding))
        line.highlight_words([f": {finding.severity}: "], _STYLES[finding.severity])
        yield line


def lint_json(findings: Sequence[LintFinding]) -> str:
    said = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "file": finding.place.file,
            "line": finding.place.line,
            "column": finding.place.column,
            "what": finding.what,
            "todo": finding.todo,
        }
        for finding in findings
    ]
    return json.dumps({"findings": said}, indent=2)


def summary(findings: Sequence[LintFinding]) -> str:
    """Count them: `1 error, 2 warnings`."""
    counts = Counter(finding.severity for finding in findings)
    told = [f"{counts[each]} {each}{'' if counts[each] == 1 else 's'}" for each in Severity if counts[each]]
    return ", ".join(told) or "no findings"
