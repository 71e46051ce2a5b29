"""The committed JSON Schema knows the names of our guardrails and templates."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

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


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("guardrail: governed-regions, parameters: {regions: [eu-central-1]}", []),
        ("guardrail: governed-regions, parameters: {regions: '${REGIONS}'}", []),
        ("guardrail: governed-regions, parameters: {region: [eu-central-1]}", ["$.policies[0].parameters"]),
        ("guardrail: quarantine, parameters: {regions: [eu-central-1]}", ["$.policies[0].parameters"]),
        ("guardrail: approved-images, parameters: {}", ["$.policies[0].parameters"]),
        ("guardrail: approved-images, parameters: {image_accounts: [Images]}", []),
        ("inline: {}, parameters: {anything: 1}", []),
    ],
)
def test_editors_know_each_guardrails_parameters(policy, wrong):
    manifest = yaml.safe_load(f"policies: [{{name: A, type: SERVICE_CONTROL_POLICY, {policy}}}]")
    found = jsonschema.Draft202012Validator(render_schema()).iter_errors(manifest)
    assert [error.json_path for error in found] == wrong


def test_editors_show_what_a_parameter_is_for():
    (then,) = [
        rule["then"]["properties"]["parameters"]["properties"]
        for rule in render_schema()["$defs"]["PolicySpec"]["allOf"]
        if rule["if"]["properties"]["guardrail"]["const"] == "quarantine"
    ]
    assert then["exempt_principals"]["description"].startswith("ARN patterns of further principals")


def test_editors_complete_guardrails_and_templates():
    definitions = render_schema()["$defs"]
    assert names(definitions["PolicySpec"]["properties"]["guardrail"]) == sorted(guardrails())
    assert names(definitions["StackSetSpec"]["properties"]["template"]) == sorted(templates())
