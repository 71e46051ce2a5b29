"""Resource types as data: which call makes, changes, reads and removes a resource, and what of it is which property.

What a table says is made as a call of the service itself, so that the service's own checks hold, and its answers are
what was asked for. `tests/sandbox/test_stack_types_by_calls.py` holds each table to AWS's schema of the type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from org.sandbox.own_calls import CallRefused, make_call
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys


@dataclass(frozen=True, slots=True)
class Here:
    """A resource that calls are made for."""

    service: str
    wanted: Wanted
    id: str = ""
    """What Ref answers; the name until it is made."""
    old: Wanted | None = None
    """How it was before, while it is changed."""

    def get(self, name: str, default: Any = None) -> Any:
        return self.wanted.properties.get(name, default)

    def had(self, name: str, default: Any = None) -> Any:
        return self.old.properties.get(name, default) if self.old else default

    def arn(self, service: str, resource: str) -> str:
        wanted = self.wanted
        return f"arn:{wanted.partition}:{service}:{wanted.region}:{wanted.account_id}:{resource}"

    def call(self, operation: str, **parameters: Any) -> Any:
        return make_call(self.wanted.account_id, self.wanted.region, self.service, operation, parameters)


Value = Callable[[Here], Any]
"""Of a parameter; None leaves it out."""


def own_id(here: Here) -> str:
    return here.id


def own_name(here: Here) -> str:
    return here.wanted.name


def prop(name: str, default: Any = None) -> Value:
    return lambda here: here.get(name, default)


def same(*names: str, **defaults: Any) -> dict[str, Value]:
    """Answer parameters that are called like the properties; named ones have CloudFormation's default."""
    return {name: prop(name) for name in names} | {name: prop(name, value) for name, value in defaults.items()}


def made_of(**values: Value) -> Value:
    """Answer a structure, or None where nothing of it is given."""

    def make(here: Here) -> Any:
        found = {name: value(here) for name, value in values.items()}
        return found if any(each is not None for each in found.values()) else None

    return make


@dataclass(frozen=True, slots=True)
class Step:
    operation: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def take(self, here: Here) -> Any:
        return here.call(self.operation, **{name: value(here) for name, value in self.parameters.items()})


Change = Step | Callable[[Here], object]


@dataclass(frozen=True, slots=True)
class CallType:
    """A type of one service."""

    shape: Shape
    service: str
    create: Step
    made: str | Value
    """The id: where it stands in the answer of `create` (`Vpcs.0.VpcId`), or what makes it."""
    remove: Change
    then: Sequence[Change] = ()
    """After making it, and in each update."""
    update: Sequence[Change] = ()
    """In an update."""
    read: Step | None = None
    attributes: Mapping[str, str | Value] = field(default_factory=dict)
    """Where each stands in the answer of `read` (`Vpcs.0.VpcId`), or what makes it."""
    tags: Callable[[Here, Mapping[str, str], Sequence[str]], None] | None = None
    """Writes tags, and removes those with these keys."""
    taken: Callable[[Here, Any], bool] | None = None
    """Whether the answer of `read` has one by the name: for calls that would write over it."""
    remove_keeping_snapshot: Step | None = None


class ByCalls:
    """Makes a resource type of its table."""

    def __init__(self, table: CallType) -> None:
        self.table = table
        self.shape = table.shape

    def create(self, wanted: Wanted) -> Created:
        table, here = self.table, self._here(wanted)
        if table.taken and table.read and table.taken(here, table.read.take(here)):
            raise ResourceRefused(f"{wanted.name} already exists")
        answer = table.create.take(here)
        made = _at(answer, table.made) if isinstance(table.made, str) else table.made(here)
        if made is None:
            raise ResourceRefused(f"{self.shape.type_name} was not made: {answer.get('Unsuccessful')}")
        return Created(str(made))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        table, here = self.table, self._here(wanted, created, old)
        for change in (*table.then, *(table.update if old else ())):
            _take(change, here)
        if table.tags is not None:
            removed = removed_keys(old.tags if old else {}, wanted.tags)
            if wanted.tags or removed:
                table.tags(here, wanted.tags, removed)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        self._remove(self.table.remove, created, wanted)

    def delete_keeping_snapshot(self, created: Created, wanted: Wanted) -> None:
        assert self.table.remove_keeping_snapshot is not None, "the shape says so"
        self._remove(self.table.remove_keeping_snapshot, created, wanted)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        table, here = self.table, self._here(wanted, created)
        place = table.attributes[name]
        if not isinstance(place, str):
            return place(here)
        assert table.read is not None, "an attribute is read from an answer"
        return _at(table.read.take(here), place)

    def _remove(self, removal: Change, created: Created, wanted: Wanted) -> None:
        try:
            _take(removal, self._here(wanted, created))
        except CallRefused as refused:
            # What somebody else has deleted is deleted.
            if "NotFound" not in refused.code:
                raise

    def _here(self, wanted: Wanted, created: Created | None = None, old: Wanted | None = None) -> Here:
        return Here(self.table.service, wanted, created.physical_id if created else wanted.name, old)


def _take(change: Change, here: Here) -> None:
    if isinstance(change, Step):
        change.take(here)
    else:
        change(here)


def _at(answer: Any, place: str) -> Any:
    """Answer what stands at the place, None where there is nothing."""
    for part in place.split("."):
        if isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else None
        elif isinstance(answer, Mapping):
            answer = answer.get(part)
    return answer
