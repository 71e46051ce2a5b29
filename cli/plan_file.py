"""A plan as JSON: saved for review, read back to be applied, and described by a JSON Schema."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from org.errors import OrgctlError
from org.plan.model import PLAN_VERSION, Plan
from org.proof.model import Proof

_TOLD = ("says", "destructive")
_PROOF = "proof"
"""What is written for readers and follows from the rest: of each step, and of the plan."""


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


@cache
def _proof_adapter() -> TypeAdapter[Proof]:
    return TypeAdapter(Proof)


def dump_plan(plan: Plan, proof: Proof | None = None) -> str:
    """Write all of it, the observation included, indented, with a newline at the end.

    The lockout proof is told to readers only: whoever applies the plan proves it again.
    """
    said = _adapter().dump_python(plan, mode="json")
    for step, change in zip(said["steps"], plan.steps, strict=True):
        step["says"] = change.change.describe()
        step["destructive"] = change.is_destructive
    if proof is not None:
        said[_PROOF] = _proof_adapter().dump_python(proof, mode="json")
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def plan_schema() -> dict[str, Any]:
    """Answer the JSON Schema of a saved plan, what is written for readers included."""
    schema = _adapter().json_schema(mode="serialization")
    step = schema["$defs"]["Step"]
    step["properties"] |= {
        "says": {"type": "string", "description": "The change in one sentence."},
        "destructive": {"type": "boolean", "description": "Going back would not bring back what it takes away."},
    }
    step["required"] += list(_TOLD)
    proof = _proof_adapter().json_schema(mode="serialization")
    schema["$defs"] |= proof.pop("$defs", {})
    schema["$defs"]["Proof"] = proof
    schema["properties"][_PROOF] = {"$ref": "#/$defs/Proof", "description": "The lockout proof, for readers."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A plan of orgctl", **schema}


def save_plan(plan: Plan, path: Path, proof: Proof | None = None) -> None:
    try:
        path.write_text(dump_plan(plan, proof), encoding="utf-8")
    except OSError as error:
        raise OrgctlError(str(path), f"the plan cannot be written: {error.strerror}", "choose another file") from error


def load_plan(path: Path) -> Plan:
    """Read a saved plan; raises OrgctlError where it is none, or one of another version."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OrgctlError(str(path), f"cannot be read: {error.strerror}", "save one with plan --out") from error
    except UnicodeDecodeError as error:
        raise OrgctlError(str(path), "not a plan: it is not UTF-8", "save one with plan --out") from error
    try:
        said = json.loads(text)
    except ValueError as error:
        raise OrgctlError(str(path), f"not a plan: {error}", "save one with plan --out") from error
    version = said.get("version") if isinstance(said, dict) else None
    if version != PLAN_VERSION:
        raise OrgctlError(
            str(path), f"a plan of version {version}, where this orgctl reads {PLAN_VERSION}", "plan again"
        )
    said.pop(_PROOF, None)
    steps = said.get("steps")
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict):
            for told in _TOLD:
                step.pop(told, None)
    try:
        return _adapter().validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise OrgctlError(f"{path}: {place}", f"not a plan: {first['msg'].lower()}", "plan again") from error


if __name__ == "__main__":
    # Writes the schema that is committed, when the plan has changed: python -m cli.plan_file docs/plan.schema.json
    Path(sys.argv[1]).write_text(json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
