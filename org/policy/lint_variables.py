"""Lint rules on policy variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from org.policy.grammar import OLD_VERSION, OPERATORS, Family
from org.policy.lint_model import Fault, Linted, Rule, Severity
from org.policy.variables import VARIABLE
from org.source.findings import Place

_VARIABLES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_CHECKS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
_SPECIAL = re.compile(r"\$\{[*?$]\}")


def _texts(linted: Linted) -> Iterator[tuple[str, Place, Family | None]]:
    for statement, places in linted.statements:
        for text, place in zip(statement.resources, places.resources, strict=True):
            yield text, place, None
    for _, condition, at in linted.conditions:
        for text, place in zip(condition.values, at.values, strict=True):
            yield text, place, OPERATORS[condition.operator]


def _find_old_variables(linted: Linted) -> Iterator[Fault]:
    if linted.policy.version != OLD_VERSION:
        return
    for text, place, _ in _texts(linted):
        name = _VARIABLE.search(_SPECIAL.sub("", text))
        if name and ":" in name[1] and not name[1].startswith("orgctl:"):
            what = f"${{{name[1]}}} is plain text under the Version {OLD_VERSION}"
            yield place, what, 'write "Version": "2012-10-17"'


def _find_unknown_variables(linted: Linted) -> Iterator[Fault]:
    for text, place, family in _texts(linted):
        for match in _VARIABLE.finditer(text):
            key = match[1].partition(",")[0].strip()
            if ":" not in key or key.startswith(("orgctl:", "ACCEL_LOOKUP:")):
                continue  # filled in before AWS sees it
            if not linted.catalog.key_known(key):
                yield place, f"the variable ${{{key}}} names no condition key", "correct its name"
            elif family not in {None, Family.STRING, Family.ARN}:
                yield place, f"a {family} operator takes no variable such as ${{{key}}}", "write a value"


def _find_broken_variables(linted: Linted) -> Iterator[Fault]:
    for text, place, _ in _texts(linted):
        broken = VARIABLE.sub("", text).partition("${")[2]
        if broken and linted.policy.version != OLD_VERSION:
            what = f"what begins with '${{{broken}' is no policy variable, and so plain text"
            yield place, what, "write ${key}, or ${key, 'default'}"


RULES = (
    Rule(
        "variable-in-old-version",
        Severity.WARNING,
        "A policy variable is plain text under the Version 2008-10-17.",
        _VARIABLES,
        _find_old_variables,
    ),
    Rule(
        "unknown-variable",
        Severity.ERROR,
        "A policy variable names no condition key, or stands where none is filled in.",
        _VARIABLES,
        _find_unknown_variables,
    ),
    Rule(
        "broken-variable",
        Severity.ERROR,
        "A policy variable lacks its brace, or the quotes of its default, and so is plain text.",
        _CHECKS,
        _find_broken_variables,
    ),
)
