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
    """The parameter that names the resource; empty: the usual one; `*`: there is none; `=NAME`: the value as it is."""
    type: str = ""
    """The kind of resource, where the action takes several and each is to be allowed; empty: any."""


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
        if (not wanted or _any_given(wanted, parameters)) and not (unwanted and _any_given(unwanted, parameters)):
            yield Needed(entry["action"], entry.get("resource", ""), entry.get("type", ""))


def _any_given(names: str, parameters: Mapping[str, Any]) -> bool:
    """Say whether one of the parameters is there; `CopySource.VersionId` is the part of one, in a list or a query."""
    return any(_is_given(name, parameters) for name in names.split())


def _is_given(name: str, parameters: Mapping[str, Any]) -> bool:
    name, _, part = name.partition(".")
    value = parameters.get(name)
    if not part or not value:
        return bool(value)
    if isinstance(value, str):
        return f"{part[0].lower()}{part[1:]}=" in value
    if isinstance(value, Mapping):
        value = value.get("Objects", [value])
    has = [bool(each.get(part.removeprefix("!"))) for each in value]
    return not all(has) if part.startswith("!") else any(has)


@cache
def exceptions() -> Mapping[str, Mapping[str, Any]]:
    """Answer the table, by botocore's service and operation."""
    return tomllib.loads(Path(__file__).with_name("operations.toml").read_text(encoding="utf-8"))
