"""The committed JSON Schema knows the names of our guardrails and templates."""

from __future__ import annotations

import json

from config.schema import SCHEMA_FILE
from stacksets.catalog import templates
from stacksets.guardrails.catalog import guardrails
from stacksets.schema import render_schema


def names(property: dict) -> list[str]:
    (text,) = [choice for choice in property["anyOf"] if choice["type"] == "string"]
    return text["enum"]


def test_committed_schema_is_up_to_date():
    committed = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert committed == render_schema(), "write it anew: .venv/bin/python -m stacksets.schema"


def test_editors_complete_guardrails_and_templates():
    definitions = render_schema()["$defs"]
    assert names(definitions["PolicySpec"]["properties"]["guardrail"]) == sorted(guardrails())
    assert names(definitions["StackSetSpec"]["properties"]["template"]) == sorted(templates())
