"""What functions know of the manifest: the JSON that `handlers.lineage.settings` reads; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from config.compliance import Approval
from config.manifest import Manifest
from org.errors import OrgctlError
from stacksets.functions import FUNCTIONS, SETTINGS
from stacksets.guardrails import approved_images

_GUARDRAIL = "approved-images"
_LARGEST = 4_096
"""Bytes of all variables of a function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_LONGEST = 220
"""Characters that an ARN, an address or a URL of ours comes to at most."""


def render_settings(manifest: Manifest, organization_id: str, external_id: str) -> str:
    """Answer the settings as compact JSON, with what differs from the defaults alone.

    Raises OrgctlError where the approval's tag is not the guardrail's, or where a function's environment would be
    larger than Lambda takes.
    """
    organization, lineage = manifest.organization, manifest.lineage
    compliance = lineage.compliance.model_dump(mode="json", exclude_defaults=True)
    compliance["approval"] = {**compliance.get("approval", {}), **_approval(manifest)}
    settings = {
        "organization": organization_id,
        "home_region": organization.home_region,
        "regions": list(organization.governed_regions),
        "trusted_owners": list(lineage.trusted_image_owners),
        "external_id": external_id,
        "compliance": compliance,
    }
    text = json.dumps(settings, separators=(",", ":"), ensure_ascii=False)
    _check_size(text)
    return text


def _approval(manifest: Manifest) -> Mapping[str, str]:
    """Answer the tag that the guardrail lets launch: approving by another one would change nothing."""
    given = [policy.parameters for policy in manifest.policies if policy.guardrail == _GUARDRAIL]
    defaults = approved_images.Parameters.model_fields
    enforced = {
        name: str((given[0] if given else {}).get(f"approval_{name}", defaults[f"approval_{name}"].default))
        for name in ("tag", "value")
    }
    for name, wanted in _wanted(manifest.lineage.compliance.approval).items():
        if given and wanted != enforced[name]:
            what = f"approval.{name} is {wanted!r}, but the guardrail {_GUARDRAIL} lets {enforced[name]!r} launch"
            raise OrgctlError("lineage.compliance", what, "remove it, or write the guardrail's")
        enforced[name] = wanted
    return enforced


def _wanted(approval: Approval) -> Mapping[str, str]:
    return {name: str(value) for name in ("tag", "value") if (value := getattr(approval, name)) is not None}


def _check_size(settings: str) -> None:
    for row in FUNCTIONS:
        if SETTINGS not in row.environment:
            continue
        others = sum(len(name) + _LONGEST for name in row.environment if name != SETTINGS)
        size = len(SETTINGS) + len(settings.encode()) + others
        if size > _LARGEST:
            what = f"would give the function {row.name} an environment of {size:,} bytes; Lambda takes {_LARGEST:,}"
            raise OrgctlError("lineage.compliance", what, "shorten its lists of tags and the trusted image owners")
