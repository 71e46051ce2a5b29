"""Findings as SARIF 2.1.0, for code hosts and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import TypeAlias
from urllib.parse import quote

from org.policy.lint_model import LintFinding, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "orgctlFinding/v1"
Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json]"


def sarif_log(findings: Sequence[LintFinding], rules: Sequence[Rule], catalog: str) -> str:
    """Answer the log: every rule there is, and one result for each finding; `catalog` is the data's version."""
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "orgctl",
                "version": version("orgctl"),
                "rules": [_rule(rule) for rule in rules],
                "properties": {"actionCatalog": catalog},
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[finding.rule], seen) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.description},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: LintFinding, number: int, seen: Counter[str]) -> Json:
    location: dict[str, Json] = {"artifactLocation": {"uri": _uri(finding.place.file)}}
    if finding.place.line:
        location["region"] = {"startLine": finding.place.line, "startColumn": max(finding.place.column, 1)}
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}; {finding.todo}"},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding, seen)},
    }


def _fingerprint(finding: LintFinding, seen: Counter[str]) -> str:
    """Tell a finding from all others by what does not change when lines are added above it.

    Equal findings in one file are told apart by their order.
    """
    told = "\0".join((finding.rule, _uri(finding.place.file), finding.what))
    seen[told] += 1
    return hashlib.sha256(f"{told}\0{seen[told]}".encode()).hexdigest()[:32]


def _uri(file: str) -> str:
    """Answer a reference that is relative to where the command runs, or the URI of an absolute path outside of it."""
    path, here = PurePath(file), Path.cwd()
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
