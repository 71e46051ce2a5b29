"""The JSON Schema that editors read."""

import json

import jsonschema
import pytest

from config.scaffold import scaffold_manifest
from config.schema import manifest_schema, schema_text
from config.yaml_source import compose
from org.policy_types import load_policy_types
from org.source.nodes import plain
from tests.config.manifests import BASE
from tests.config.test_load import EVERYTHING


def faults(text: str, schema: dict | None = None) -> list[str]:
    value = json.loads(json.dumps(plain(compose(text, "o.yaml", []), [])))
    found = jsonschema.Draft202012Validator(schema or manifest_schema()).iter_errors(value)
    return sorted(error.json_path for error in found)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema())


@pytest.mark.parametrize("text", ["".join(BASE.values()), "".join((BASE | EVERYTHING).values()), scaffold_manifest()])
def test_manifests_that_load_pass_the_schema(text: str) -> None:
    assert faults(text) == []


def test_an_included_file_passes_the_schema() -> None:
    assert faults(BASE["accounts"]) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("acounts: []\n", "$"),
        ("version: 1\n", "$"),
        ("units: [{nam: A}]\n", "$.units[0]"),
        ("accounts: [{name: A, email: a@example.com, unit: Root, id: 1}]\n", "$.accounts[0].id"),
        ("accounts: [{name: A, email: a@example.com, unit: Root, state: gone}]\n", "$.accounts[0].state"),
        ("policies: [{name: A, type: SCP, aws_managed: true}]\n", "$.policies[0].type"),
        ("policies: [{name: A, type: TAG_POLICY, guardrail: g, file: f}]\n", "$.policies[0]"),
        ("policies: [{name: A, type: TAG_POLICY}]\n", "$.policies[0]"),
        ("stacksets: [{name: a, template: t, targets: {}, regions: [mars]}]\n", "$.stacksets[0].regions[0]"),
    ],
)
def test_what_is_wrong_is_marked_in_an_editor(text: str, path: str) -> None:
    assert set(faults(text)) == {path}


def test_every_policy_type_of_botocore_is_offered() -> None:
    assert manifest_schema()["$defs"]["PolicyType"]["enum"] == list(load_policy_types())


def test_names_of_guardrails_and_templates_are_offered_where_they_are_known() -> None:
    schema = manifest_schema(guardrails={"b": {}, "a": {}}, templates=["t"])
    assert schema["$defs"]["PolicySpec"]["properties"]["guardrail"]["anyOf"][0]["enum"] == ["a", "b"]
    assert faults("policies: [{name: A, type: TAG_POLICY, guardrail: c}]\n", schema) == ["$.policies[0].guardrail"]
    assert faults("stacksets: [{name: a, template: t, targets: {}}]\n", schema) == []


def test_the_schema_names_no_host_of_ours() -> None:
    assert manifest_schema()["$id"] == "urn:orgctl:manifest:1"


def test_the_schema_is_written_the_same_way_every_time() -> None:
    assert schema_text(manifest_schema()) == schema_text(manifest_schema())
    assert schema_text({"a": "ü"}) == '{\n  "a": "ü"\n}\n'
