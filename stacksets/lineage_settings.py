"""What functions know of the manifest: the JSON that `handlers.lineage.settings` reads; pure."""

from __future__ import annotations

import json

from config.manifest import Manifest
from org.errors import OrgctlError
from stacksets.functions import FUNCTIONS, SETTINGS
from stacksets.image_rules import image_rules

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
    settings = {
        "organization": organization_id,
        "home_region": organization.home_region,
        "regions": list(organization.governed_regions),
        "trusted_owners": list(lineage.trusted_image_owners),
        "external_id": external_id,
        "compliance": image_rules(manifest).model_dump(mode="json", exclude_defaults=True),
    }
    text = json.dumps(settings, separators=(",", ":"), ensure_ascii=False)
    _check_size(text)
    return text


def _check_size(settings: str) -> None:
    for row in FUNCTIONS:
        if SETTINGS not in row.environment:
            continue
        others = sum(len(name) + _LONGEST for name in row.environment if name != SETTINGS)
        size = len(SETTINGS) + len(settings.encode()) + others
        if size > _LARGEST:
            what = f"would give the function {row.name} an environment of {size:,} bytes; Lambda takes {_LARGEST:,}"
            raise OrgctlError("lineage.compliance", what, "shorten its lists of tags and the trusted image owners")
