"""The manifest's JSON Schema, for editors that complete and check while one types; pure.

`stacksets.schema`, which knows the guardrails and templates, writes the file that is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from config.manifest import Manifest
from org.policy_types import load_policy_types
from org.regions import known_regions

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")


def manifest_schema(
    guardrails: Mapping[str, Mapping[str, Any]] | None = None, templates: Iterable[str] = ()
) -> dict[str, Any]:
    """Answer the schema; the names given become the only ones that editors accept for guardrails and templates.

    With a guardrail goes the JSON Schema of its parameters.

    An included file has no `version` and no `organization`: a document without `version` passes without both.
    """
    lists: dict[str, list[str]] = {"Region": sorted(known_regions()), "PolicyType": [*load_policy_types()]}
    schema = _with_lists(Manifest.model_json_schema(), lists)
    definitions = schema["$defs"]
    definitions.update({name: {"title": name, "type": "string", "enum": names} for name, names in lists.items()})
    _narrow(definitions["PolicySpec"]["properties"]["guardrail"], guardrails or ())
    if guardrails:
        definitions["PolicySpec"]["allOf"] = [_parameters_of(name, guardrails[name]) for name in sorted(guardrails)]
    _narrow(definitions["StackSetSpec"]["properties"]["template"], templates)
    definitions["PolicySpec"]["oneOf"] = _exactly_one("file", "inline", "guardrail", "aws_managed")
    definitions["StackSetSpec"]["oneOf"] = _exactly_one("template", "file")
    del schema["required"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:orgctl:manifest:1",
        **schema,
        "title": "orgctl manifest",
        "dependentRequired": {"version": ["organization"], "organization": ["version"]},
    }


def schema_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _with_lists(schema: Any, lists: Mapping[str, list[str]]) -> Any:  # noqa: ANN401 - any JSON value
    """Point at one list of names wherever a field's format is called like it, instead of writing it out each time."""
    if isinstance(schema, list):
        return [_with_lists(item, lists) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") in lists:
        rest = {key: value for key, value in schema.items() if key not in ("type", "format")}
        return rest | {"$ref": f"#/$defs/{schema['format']}"}
    return {key: _with_lists(value, lists) for key, value in schema.items()}


def _narrow(property: dict[str, Any], names: Iterable[str]) -> None:
    listed = sorted(names)
    if listed:
        for choice in property["anyOf"]:
            if choice["type"] == "string":
                choice["enum"] = listed


def _parameters_of(guardrail: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Let editors complete the parameters of a guardrail, and tell what each is for.

    What a value may be is left to the loader: `${NAME}` may stand for any, or in any.
    """
    shown = {
        name: {key: each[key] for key in ("description", "default") if key in each}
        for name, each in schema.get("properties", {}).items()
    }
    parameters = {"properties": shown, "required": schema.get("required", []), "additionalProperties": False}
    return {
        "if": {"properties": {"guardrail": {"const": guardrail}}, "required": ["guardrail"]},
        "then": {"properties": {"parameters": parameters}},
    }


def _exactly_one(*keys: str) -> list[dict[str, Any]]:
    return [{"required": [key]} for key in keys]
