"""The units and accounts that a manifest declares, and what to say of a name that is none of them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from config.manifest import AccountSpec, Manifest, Steps, walk_units
from org.model import ROOT, UnitPath
from org.source.findings import suggest

Fault: TypeAlias = tuple[Steps, str, str]
"""The steps to a value, what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class Names:
    units: frozenset[UnitPath]
    accounts: Mapping[str, AccountSpec]
    _advice: dict[tuple[str, str], str] = field(default_factory=dict)
    """The search for a near name is slow, and one wrong name may stand at a thousand places."""

    @classmethod
    def of(cls, manifest: Manifest) -> Names:
        units = frozenset(path for path, _, _ in walk_units(manifest))
        return cls(units, {account.name: account for account in manifest.accounts})

    def knows_unit_of(self, account: str) -> bool:
        unit = self.accounts[account].unit
        return unit == ROOT or unit in self.units

    def find_unknown_unit(self, steps: Steps, path: str) -> Iterator[Fault]:
        if path not in self.units:
            if ("unit", path) not in self._advice:
                self._advice["unit", path] = suggest(path, (*self.units, ROOT), "add it under units:")
            yield steps, f"unknown unit {path!r}", self._advice["unit", path]

    def find_unknown_account(self, steps: Steps, name: str) -> Iterator[Fault]:
        if name not in self.accounts:
            if ("account", name) not in self._advice:
                self._advice["account", name] = suggest(name, self.accounts, otherwise="add it under accounts:")
            yield steps, f"unknown account {name!r}", self._advice["account", name]


def find_repeated(steps: Steps, values: tuple[str, ...], noun: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield (*steps, index), f"the {noun} {value!r} is listed twice", "remove one"
        seen.add(value)
