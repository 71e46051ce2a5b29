"""The reference pages name all that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from config import compliance, manifest
from stacksets.catalog import templates
from stacksets.guardrails.catalog import guardrails

DOCS = Path(__file__).parents[2] / "docs"


def models() -> list[type[BaseModel]]:
    return [
        each
        for each in vars(manifest).values()
        if isinstance(each, type) and issubclass(each, BaseModel) and each.__module__ == manifest.__name__
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_of_the_manifest_is_in_its_reference(model):
    text = (DOCS / "manifest.md").read_text(encoding="utf-8")
    assert [name for name in model.model_fields if name not in text] == []


@pytest.mark.parametrize("name", guardrails())
def test_every_guardrail_and_parameter_is_in_the_reference(name):
    guardrail = guardrails()[name]
    (row,) = [line for line in (DOCS / "guardrails.md").read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert f"`{guardrail.type}`" in row
    about = (DOCS / "guardrails.md").read_text().partition(f"\n**`{name}`**")[2].partition("\n**`")[0]
    assert [parameter for parameter in guardrail.parameters.model_fields if f"`{parameter}`" not in about] == []


@pytest.mark.parametrize("name", templates())
def test_every_template_and_parameter_is_in_the_reference(name):
    about = (DOCS / "templates.md").read_text().partition(f"\n## `{name}`")[2].partition("\n## ")[0]
    declared = templates()[name].render().to_dict()["Parameters"]
    assert [parameter for parameter in declared if f"`{parameter}`" not in about] == []


@pytest.mark.parametrize("rule", compliance.ComplianceSettings.model_fields)
def test_every_rule_and_parameter_of_compliance_is_in_the_reference(rule):
    rows = [line for line in (DOCS / "compliance.md").read_text().splitlines() if line.startswith("| `")]
    (row,) = [line for line in rows if line.startswith(f"| `{rule.replace('_', '-')}`")]
    settings = compliance.ComplianceSettings.model_fields[rule].default
    assert rule == rule.replace("_", "-") or f"({rule})" in row
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[4:6] == ["yes" if settings.enabled else "no", settings.severity]
    parameters = set(type(settings).model_fields) - {"enabled", "severity"}
    assert [name for name in sorted(parameters) if name not in cells[3]] == []
