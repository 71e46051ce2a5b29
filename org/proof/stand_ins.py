"""Ids for what a plan is still to make, distinct from each other and from every id that is known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from org import changes as c
from org.model import ObservedOrganization
from org.references import (
    ORGANIZATION_ID,
    ROOT_ID,
    account_reference,
    find_references,
    stackset_reference,
    unit_reference,
)

_STAND_INS = {
    ORGANIZATION_ID: "o-standin{:05}",
    ROOT_ID: "r-new{}",
    "unit-id": "ou-new-{:08}",
    "stackset-arn": "arn:aws:cloudformation:us-east-1:000000000000:stackset/new:{}",
}


def with_stand_ins(
    known: dict[str, str], observed: ObservedOrganization, steps: Iterable[c.Change]
) -> tuple[dict[str, str], Mapping[str, str]]:
    """Give an id to all that the plan makes and to all that its policies name; answer all ids, and those given."""
    given: dict[str, str] = {}
    taken = {account.id for account in observed.accounts} | set(known.values())
    number = 0

    def stand_in(reference: str) -> None:
        nonlocal number
        if reference in known:
            return
        kind = reference.partition(":")[0]
        while (
            id := f"{number:012}" if kind == "account-id" else _STAND_INS.get(kind, "not-yet-{}").format(number)
        ) in taken:
            number += 1
        known[reference] = id
        given[id] = reference
        taken.add(id)

    for reference in (ORGANIZATION_ID, ROOT_ID):
        stand_in(reference)
    for change in steps:
        match change:
            case c.CreateUnit(path=path):
                known.pop(unit_reference(path), None)
                stand_in(unit_reference(path))
            case c.CreateAccount(name=name):
                stand_in(account_reference(name))
            case c.CreateStackSet(name=name):
                stand_in(stackset_reference(name))
            case c.CreatePolicy(content=content) | c.UpdatePolicy(content=content):
                for reference in find_references(content):
                    stand_in(reference)
            case _:
                pass
    return known, given


def written(text: str, stand_ins: Mapping[str, str], *, in_json: bool = False) -> str:
    """Write references for stand-ins, as a manifest does: their ids are nobody's, or a stranger's."""
    if not stand_ins:
        return text
    any_of = "|".join(map(re.escape, stand_ins))

    def reference(match: re.Match[str]) -> str:
        name = stand_ins[match[1]]
        return f"${{orgctl:{json.dumps(name, ensure_ascii=False)[1:-1] if in_json else name}}}"

    return re.sub(rf"(?<![\w-])({any_of})(?![\w-])", reference, text)
