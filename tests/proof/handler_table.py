"""Write `org/proof/resource_handlers.json` from the resource types' schemas: `python -m tests.proof.handler_table`.

Each schema says in `handlers` which permissions CloudFormation needs of the role that it works with
(https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers).
cfn-lint, on which orgctl depends anyway, brings AWS's schemas along. What the schemas name and IAM does not know is
left out, and so are patterns (nobody needs all of `organizations:*`) and most of what is read from other services.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

from org.policy.catalog import Catalog

TABLE = Path(__file__).parents[2] / "org" / "proof" / "resource_handlers.json"
OPERATIONS = ("create", "update", "delete")
READ_ELSEWHERE = frozenset({"iam:GetRole", "s3:GetObject", "s3:GetObjectVersion", "kms:DescribeKey"})
"""What a type reads in other services is left out but for what fails for want of it."""


def render_table() -> str:
    """Answer the file's text: a type a line, so that a change of AWS's schemas reads well."""
    catalog = Catalog()
    schemas = resources.files("cfnlint.data.schemas")
    dated = json.loads(schemas.joinpath("version.json").read_text(encoding="utf-8"))["schema_date"][:10]
    lines = []
    for schema in sorted(_schemas(schemas), key=lambda each: each["typeName"]):
        entry = _entry(schema, catalog)
        if entry:
            lines.append(f"{json.dumps(schema['typeName'])}: {json.dumps(entry)}")
    types = ",\n".join(lines)
    return f'{{"schemas": "{dated}", "types": {{\n{types}\n}}}}\n'


def _schemas(folder: Any) -> list[dict[str, Any]]:
    files = folder.joinpath("resources").iterdir()
    return [json.loads(each.read_text(encoding="utf-8")) for each in files if each.name.endswith(".json")]


def _entry(schema: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    handlers = schema.get("handlers") or {}
    calls = {each: _known(handlers.get(each, {}).get("permissions", ()), catalog) for each in OPERATIONS}
    if not any(calls.values()):
        return {}
    tagging = schema.get("tagging") or {}
    taggable = bool(tagging.get("taggable", schema.get("taggable", True)))
    service = _service(schema["typeName"], calls)
    entry: dict[str, Any] = {"service": service}
    if taggable:
        entry["tags"] = tagging.get("tagProperty", "/properties/Tags").rpartition("/")[2]
    if taggable and tagging and tagging.get("cloudFormationSystemTags", True):
        entry["system_tags"] = True
    return entry | {each: found for each, names in calls.items() if (found := _grouped(names, service, catalog))}


def _known(permissions: list[str], catalog: Catalog) -> list[str]:
    found = (catalog.find_action(each) for each in permissions)
    return sorted({each.full_name for each in found if each})


def _grouped(calls: list[str], service: str, catalog: Catalog) -> str:
    """Answer `iam:CreateRole,TagRole kms:CreateGrant`, without what is only read from other services."""
    names: dict[str, list[str]] = {}
    for call in calls:
        prefix, _, name = call.partition(":")
        entry = catalog.find_action(call)
        if prefix == service or (entry and entry.access_level not in {"Read", "List"}) or call in READ_ELSEWHERE:
            names.setdefault(prefix, []).append(name)
    return " ".join(f"{prefix}:{','.join(each)}" for prefix, each in names.items())


def _service(type: str, calls: dict[str, list[str]]) -> str:
    """Answer the prefix of the type's own calls; those to IAM, KMS and the like go along with it."""
    named = type.split("::")[1].lower()
    prefixes = [call.partition(":")[0] for each in ("delete", "create", "update") for call in calls[each]]
    if named in prefixes:
        return named
    for each in ("delete", "create", "update"):
        own = Counter(call.partition(":")[0] for call in calls[each])
        for side in ("iam", "kms", "logs", "ec2"):
            if len(own) > 1:
                own.pop(side, None)
        if own:
            return own.most_common(1)[0][0]
    return ""


if __name__ == "__main__":
    TABLE.write_text(render_table(), encoding="utf-8")
