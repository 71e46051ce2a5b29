"""cfn-lint over a template, in this process; takes about a second for the first template."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from org.model import DesiredOrganization
from stacksets.synth import NO_FILES, render_files

if TYPE_CHECKING:
    from cfnlint.match import Match
    from cfnlint.rules import RulesCollection


@dataclass(frozen=True, slots=True, order=True)
class LintFinding:
    rule: str
    """cfn-lint's id: E for errors, W for warnings, I for information."""
    line: int
    """In the text that was linted; 1 throughout a template that is one line."""
    path: str
    """Where in the template: `Resources/AuditRole/Properties`; empty for what could not be parsed."""
    message: str

    def __str__(self) -> str:
        return f"{self.rule} {self.path or f'line {self.line}'}: {self.message}"


def lint_template(body: str, regions: Sequence[str]) -> tuple[LintFinding, ...]:
    """Answer all that cfn-lint has to say of a template in the Regions, down to information; sorted.

    A Region that cfn-lint does not know (it knows only those of its schemas) is left out. A template that cannot be
    parsed is a finding too. No `.cfnlintrc` of the working folder or the user's home counts, so that the same template
    has the same findings everywhere; what the template itself says in its Metadata does.
    """
    # cfn-lint takes half a second to import, which commands that lint nothing should not wait for.
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs
    from cfnlint.helpers import REGIONS

    known = [region for region in regions if region in REGIONS]
    config = ManualArgs(regions=known or ["us-east-1"], include_checks=["I"], config_file=os.devnull)
    return tuple(sorted({_finding(match) for match in lint(body, rules=_load_rules(), config=config)}))


def lint_desired(
    desired: DesiredOrganization, lineage: Mapping[str, str] = NO_FILES
) -> Mapping[str, tuple[LintFinding, ...]]:
    """Lint every template that `orgctl synth` would write; answers those with findings, by file name.

    StackSet templates are linted for the Regions to which they go, all others for the home Region.
    """
    regions = {f"stacksets/{stackset.name}": stackset.regions for stackset in desired.stacksets}
    found = {
        name: lint_template(text, regions.get(name.rpartition("/")[0], (desired.home_region,)))
        for name, text in {**render_files(desired), **lineage}.items()
        if name.endswith((".template.json", "/template.json", "/template.yaml"))
    }
    return {name: findings for name, findings in found.items() if findings}


@cache
def _load_rules() -> RulesCollection:
    """Read cfn-lint's rules once a process: it would read them again for each template, most of its time."""
    from cfnlint.core import get_rules

    return get_rules([], [], ["I"], {})


def _finding(match: Match) -> LintFinding:
    # A template that cannot be parsed gives matches without a path.
    path = getattr(match, "path", None) or ()
    return LintFinding(match.rule.id, match.linenumber, "/".join(str(step) for step in path), match.message)
