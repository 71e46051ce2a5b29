"""What a lint rule is, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from org.errors import printable
from org.policy.catalog import ActionEntry, Catalog
from org.policy.model import Condition, Policy, PolicyKind, Statement
from org.policy.parse_places import ConditionPlaces, PlacedPolicy, StatementPlaces
from org.source.findings import Place


class Severity(StrEnum):
    ERROR = "error"
    """It cannot be what was meant: something named does not exist, or never matches."""
    WARNING = "warning"
    """It is likely to do other than what was meant."""
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """Reads `file:line:column: severity: what; what to do [rule]`."""

    rule: str
    severity: Severity
    place: Place
    what: str
    todo: str

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.severity}: {self.what}; {self.todo} [{self.rule}]")


Fault = tuple[Place, str, str]
PlacedStatement = tuple[Statement, StatementPlaces]


@dataclass(slots=True)
class Linted:
    """A policy under inspection, with what several rules want to know of it."""

    placed: PlacedPolicy
    catalog: Catalog
    size: int
    """Characters without white space."""
    _entries: dict[int, tuple[ActionEntry, ...] | None] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        return self.placed.policy

    @property
    def kind(self) -> PolicyKind:
        return self.placed.policy.kind

    @property
    def statements(self) -> Iterator[PlacedStatement]:
        return zip(self.placed.policy.statements, self.placed.statements, strict=True)

    @property
    def conditions(self) -> Iterator[tuple[Statement, Condition, ConditionPlaces]]:
        for statement, places in self.statements:
            for condition, at in zip(statement.conditions, places.conditions, strict=True):
                yield statement, condition, at

    def actions_of(self, statement: Statement) -> tuple[ActionEntry, ...] | None:
        """Answer all actions that a statement names, or None where they are not limited to named services."""
        if statement.index not in self._entries:
            self._entries[statement.index] = self._find_actions(statement)
        return self._entries[statement.index]

    def _find_actions(self, statement: Statement) -> tuple[ActionEntry, ...] | None:
        if statement.not_actions or any(not is_of_one_service(action) for action in statement.actions):
            return None
        names = {name for action in statement.actions for name in self.catalog.actions_matching(action)}
        found = (self.catalog.find_action(name) for name in sorted(names))
        return tuple(entry for entry in found if entry is not None)


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    severity: Severity
    description: str
    """One sentence: what the rule finds, and why it matters."""
    source: str
    """The page of AWS's documentation that it rests on."""
    check: Callable[[Linted], Iterator[Fault]]


def is_of_one_service(action: str) -> bool:
    """Say whether an action's service is plainly named, with neither wildcard nor variable in it."""
    service, colon, _ = action.partition(":")
    return bool(colon) and not set(service) & set("*?$") and "${" not in action


def some(names: list[str], most: int = 3) -> str:
    """Answer the first few of many names for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
