"""Fills `${NAME}` in policies and parameters, and refuses what nobody would ever fill; pure.

`${orgctl:…}` stays, to be filled by the plan (`org.references`), and so do IAM's own variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.fields import Value, is_left_to_aws
from config.manifest import Steps
from org.references import (
    MANAGEMENT_ACCOUNT_ID,
    ORGANIZATION_ID,
    ROOT_ID,
    account_reference,
    unit_reference,
)
from org.source.findings import suggest

PLACEHOLDER = re.compile(r"\$\{(?:([^{}\n]*)\})?")
"""Group 1 is the name, absent where no brace closes it."""
_OURS = "orgctl:"


@dataclass(frozen=True, slots=True)
class Fillings:
    """What may stand between `${` and `}`."""

    variables: Mapping[str, Value]
    references: frozenset[str]
    """What may follow `orgctl:`."""

    def with_more(self, variables: Mapping[str, Value]) -> Fillings:
        return Fillings({**self.variables, **variables}, self.references) if variables else self


def known_references(accounts: Iterable[str], units: Iterable[str]) -> frozenset[str]:
    ids = (ORGANIZATION_ID, ROOT_ID, MANAGEMENT_ACCOUNT_ID)
    return frozenset((*ids, *map(account_reference, accounts), *map(unit_reference, units)))


def find_fault(name: str | None, fillings: Fillings, *, whole: bool) -> tuple[str, str] | None:
    """Answer what is wrong with `${name}`, if anything; `whole` says that the text holds nothing else."""
    if name is None:
        return "'${' is never closed", "close it with '}'"
    if name.startswith(_OURS):
        reference = name.removeprefix(_OURS)
        if reference in fillings.references:
            return None
        nearest = suggest(reference, fillings.references, "refer to an account, a unit or the organization by its name")
        return f"${{{name}}} refers to nothing in the manifest", nearest
    if is_left_to_aws(name):
        return None
    if name not in fillings.variables:
        return f"${{{name}}} has no value", suggest(name, fillings.variables, f"add {name} under variables:")
    if isinstance(fillings.variables[name], tuple) and not whole:
        return f"${{{name}}} is a list and stands within other text", "let it be the whole text, or give it one value"
    return None


def find_faults(value: object, fillings: Fillings) -> Iterator[tuple[Steps, str, str]]:
    """Yield what is wrong with each `${NAME}` in a value, with the steps to the text that holds it."""
    if isinstance(value, str):
        for match in PLACEHOLDER.finditer(value):
            fault = find_fault(match[1], fillings, whole=match[0] == value)
            if fault is not None:
                yield (), *fault
    elif isinstance(value, Mapping):
        for key, item in value.items():
            for where, held in ((key, key), (key, item)):
                yield from (((where, *steps), what, todo) for steps, what, todo in find_faults(held, fillings))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from (((index, *steps), what, todo) for steps, what, todo in find_faults(item, fillings))


def fill(value: Any, fillings: Fillings) -> Any:  # noqa: ANN401 - any JSON value
    """Answer the value with every `${NAME}` in it filled, but for those that `find_faults` tells of.

    A text that is nothing but the name of a list becomes the list.
    """
    if isinstance(value, str):
        return _fill_text(value, fillings)
    if isinstance(value, Mapping):
        return {as_text(_fill_text(key, fillings)): fill(item, fillings) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(fill(item, fillings) for item in value)
    return value


def _fill_text(text: str, fillings: Fillings) -> Value:
    if "${" not in text:
        return text
    whole = PLACEHOLDER.fullmatch(text)
    listed = fillings.variables.get(whole[1]) if whole and whole[1] is not None else None
    if isinstance(listed, tuple):
        return listed

    def filling(match: re.Match[str]) -> str:
        return as_text(fillings.variables[match[1]]) if match[1] in fillings.variables else match[0]

    return PLACEHOLDER.sub(filling, text)


def as_text(value: Value) -> str:
    """Answer a value as CloudFormation takes it: a list with commas between, a number or boolean as in JSON."""
    if isinstance(value, str):
        return value
    return ",".join(map(as_text, value)) if isinstance(value, tuple) else json.dumps(value)
