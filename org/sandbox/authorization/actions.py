"""The IAM actions that an operation needs: mostly the one of its name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_VERSION = re.compile(r"\d{4}_\d{2}_\d{2}$")
"""CloudFront's operations end in it."""


@dataclass(frozen=True, slots=True)
class Needed:
    action: str
    resource: str = ""
    """The parameter that names the resource; empty: the usual one."""


def actions_of(service: str, prefix: str, operation: str, parameters: Mapping[str, Any]) -> tuple[Needed, ...]:
    found = exceptions().get(service, {}).get(operation)
    if found is None:
        return (Needed(f"{prefix}:{_VERSION.sub('', operation)}"),)
    return tuple(_needed(found if isinstance(found, list) else [found], parameters))


def _needed(entries: Iterable[str | Mapping[str, str]], parameters: Mapping[str, Any]) -> Iterator[Needed]:
    for entry in entries:
        if isinstance(entry, str):
            yield Needed(entry)
            continue
        wanted, unwanted = entry.get("with", ""), entry.get("without", "")
        if (not wanted or parameters.get(wanted)) and not (unwanted and parameters.get(unwanted)):
            yield Needed(entry["action"], entry.get("resource", ""))


@cache
def exceptions() -> Mapping[str, Mapping[str, Any]]:
    """Answer the table, by botocore's service and operation."""
    return tomllib.loads(Path(__file__).with_name("operations.toml").read_text(encoding="utf-8"))
