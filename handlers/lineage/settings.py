"""What the functions of the lineage account are told beside their addresses: rendered from the manifest, read strictly.

Reads the environment and makes no call.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from config.compliance import ComplianceSettings
from config.strict import Strict
from handlers.lineage.environment import setting
from org.errors import OrgctlError

__all__ = ["LARGEST", "SETTINGS", "Settings", "read_settings", "setting"]

SETTINGS = "ORGCTL_LINEAGE_SETTINGS"
LARGEST = 4_096
"""Bytes of all variables of a function together, Lambda's quota.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class Settings(Strict):
    """What ORGCTL_LINEAGE_SETTINGS holds, as JSON."""

    organization: Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$")]
    """`o-…`."""
    home_region: Annotated[str, Field(min_length=1)]
    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    """Those that are governed."""
    trusted_owners: tuple[str, ...] = ()
    """Of images that may be roots: account ids, or AWS's aliases (`amazon`)."""
    external_id: Annotated[str, Field(min_length=2, max_length=1224)]
    """With which roles of other accounts are assumed."""
    compliance: ComplianceSettings = ComplianceSettings()
    """As in the manifest (lineage.compliance), the approval's tag and value filled in."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this function. OrgctlError, which shows no value, if they are missing or malformed."""
    text = setting(SETTINGS, environment)
    try:
        return Settings.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the JSON"
        raise OrgctlError(SETTINGS, f"{place}: {first['msg'].lower()}", "deploy the lineage account again") from None
