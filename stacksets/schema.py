"""The manifest's JSON Schema with our guardrails and templates; run as a module, it writes the file.

The schema of `config` does not know them, since it may not import this package. Makes no AWS call.
"""

from __future__ import annotations

from typing import Any

from config.schema import SCHEMA_FILE, manifest_schema, schema_text
from stacksets.catalog import templates
from stacksets.guardrails.catalog import guardrails


def render_schema() -> dict[str, Any]:
    parameters = {name: guardrail.parameters.model_json_schema() for name, guardrail in guardrails().items()}
    return manifest_schema(guardrails=parameters, templates=templates())


def write_schema() -> None:
    """Write the schema that is committed, and that the first line of the example manifests names."""
    SCHEMA_FILE.write_text(schema_text(render_schema()), encoding="utf-8")


if __name__ == "__main__":
    write_schema()
