"""The plan while it is being written: steps by id, in the order in which they were thought of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from org.changes import Change
from org.errors import OrgctlError
from org.plan.model import Step
from org.references import MANAGEMENT_ACCOUNT_ID, ORGANIZATION_ID, ROOT_ID, find_references

CREATE_ORGANIZATION = "create-organization"

_PRODUCERS = {"account-id": "create-account", "unit-id": "create-unit", "stackset-arn": "create-stack-set"}
_OF_THE_ORGANIZATION = {ORGANIZATION_ID, ROOT_ID, MANAGEMENT_ACCOUNT_ID}


@dataclass(slots=True)
class _DraftStep:
    change: Change
    needs: set[str]
    after: set[str]


@dataclass(slots=True)
class Draft:
    """Dependencies may name steps that the plan turns out not to hold: they fall away in `finish`."""

    steps: dict[str, _DraftStep] = field(default_factory=dict)
    kinds: dict[str, list[str]] = field(default_factory=dict)
    """The ids of `steps` by kind of change."""
    notes: list[str] = field(default_factory=list)
    unmanaged: list[str] = field(default_factory=list)

    def add(self, change: Change, subject: str, needs: Iterable[str] = (), after: Iterable[str] = ()) -> str:
        """Put a change down and answer its id."""
        id = step_id(change.kind, subject)
        if id in self.steps:
            raise AssertionError(f"two steps {id}")
        self.steps[id] = _DraftStep(change, {CREATE_ORGANIZATION, *needs}, set(after))
        self.kinds.setdefault(change.kind, []).append(id)
        return id

    def add_numbered(self, change: Change, name: str, needs: Iterable[str] = (), after: Iterable[str] = ()) -> str:
        """Put down one of several changes of a kind to the same thing: `create-stack-instances:baseline@2`."""
        return self.add(change, f"{name}@{len(self.numbered(change.kind, name)) + 1}", needs, after)

    def order_after(self, later: str, earlier: Iterable[str]) -> None:
        self.steps[later].after.update(earlier)

    def need(self, later: str, earlier: Iterable[str]) -> None:
        self.steps[later].needs.update(earlier)

    def ids_of(self, *kinds: str) -> list[str]:
        return [id for kind in kinds for id in self.kinds.get(kind, [])]

    def numbered(self, kind: str, name: str) -> list[str]:
        """Answer what `add_numbered` put down of that kind and name."""
        return [id for id in self.kinds.get(kind, []) if id.startswith(f"{kind}:{name}@")]

    def drop(self, ids: Iterable[str]) -> None:
        for id in ids:
            self.kinds[self.steps.pop(id).change.kind].remove(id)

    def finish(self) -> tuple[Step, ...]:
        """Order the steps; among those that could go at the same time the first thought of goes first.

        Raises OrgctlError where steps wait for each other, naming the circle.
        """
        rank = {id: number for number, id in enumerate(self.steps)}
        kept = {
            id: Step(
                id=id,
                change=step.change,
                needs=tuple(sorted((n for n in step.needs if n in rank and n != id), key=rank.__getitem__)),
                after=tuple(
                    sorted((n for n in step.after - step.needs if n in rank and n != id), key=rank.__getitem__)
                ),
            )
            for id, step in self.steps.items()
        }
        sorter = TopologicalSorter({id: (*step.needs, *step.after) for id, step in kept.items()})
        try:
            sorter.prepare()
        except CycleError as error:
            circle = " → ".join(reversed(error.args[1]))
            raise OrgctlError(
                "plan", f"these changes wait for each other: {circle}", "make them in two runs, one after the other"
            ) from error
        ordered: list[Step] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=rank.__getitem__)
            ordered += (kept[id] for id in ready)
            sorter.done(*ready)
        return tuple(ordered)


def step_id(kind: str, subject: str) -> str:
    return f"{kind}:{subject}" if subject else kind


def producers_of(text: str) -> set[str]:
    """Name the steps that make what the references in a text point to, should the plan hold them."""
    found = set()
    for reference in find_references(text):
        kind, _, name = reference.partition(":")
        found.add(
            CREATE_ORGANIZATION if reference in _OF_THE_ORGANIZATION else step_id(_PRODUCERS.get(kind, kind), name)
        )
    return found
