"""The environment of a function: apart from its settings, whose reading takes a while to import."""

from __future__ import annotations

import os
from collections.abc import Mapping

from org.errors import OrgctlError


def setting(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Answer a variable of the function's environment; OrgctlError if it is not set or empty."""
    value = environment.get(name)
    if not value:
        raise OrgctlError(name, "is not set in the function's environment", "deploy the lineage account again")
    return value
