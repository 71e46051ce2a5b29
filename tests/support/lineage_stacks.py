"""The lineage account's stacks as the example manifests make them, and ways to look into a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from config.load import load_manifest
from config.manifest import Manifest
from stacksets.lineage_stacks import LineageStack, lineage_stacks

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


@cache
def manifest(name: str = "company") -> Manifest:
    return load_manifest(EXAMPLES / name / "organization.yaml").manifest


@cache
def stacks(name: str = "company") -> Mapping[str, LineageStack]:
    return {each.name: each for each in lineage_stacks(manifest(name))}


def template(name: str) -> dict[str, Any]:
    return stacks()[name].template.to_dict()


def of_type(template: Mapping[str, Any], type_: str) -> dict[str, dict[str, Any]]:
    """Each resource of a type by its title: its properties."""
    found = template["Resources"].items()
    return {title: each.get("Properties", {}) for title, each in found if each["Type"] == type_}


def statements(resource: object) -> Iterator[dict[str, Any]]:
    """Every statement of every policy document in a resource."""
    if isinstance(resource, dict):
        if isinstance(resource.get("Statement"), list):
            yield from resource["Statement"]
        for value in resource.values():
            yield from statements(value)
    elif isinstance(resource, list):
        for value in resource:
            yield from statements(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
