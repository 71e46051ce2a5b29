"""What a CloudFormation resource type is to the sandbox's stacks.

A type writes straight to moto's backend of the service, in the account and Region of the stack, so that what a stack
creates is what the service's own API answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from moto.core.exceptions import ServiceException
from moto.utilities.utils import get_partition

Properties = Mapping[str, Any]


class ResourceRefused(ServiceException):
    """A resource handler's own refusal; it fails the resource, as any AWS error would."""

    code = "InvalidRequest"


@dataclass(frozen=True, slots=True)
class Shape:
    """What can be said of a type before anything is created."""

    type_name: str
    properties: frozenset[str]
    """Those that the sandbox honours; any other is refused."""
    attributes: frozenset[str] = frozenset()
    """Those that Fn::GetAtt may ask for."""
    name_property: str = ""
    """The property that names the resource; without a value, CloudFormation makes a name up."""
    name_limit: int = 255
    replaced_by: frozenset[str] = frozenset()
    """A change of one of these makes a new resource; of the name, always."""
    has_snapshots: bool = False
    """Whether the type is a `SnapshotType`, for the policies that are called Snapshot."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One resource as its stack wants it, all functions resolved."""

    account_id: str
    region: str
    stack_id: str
    logical_id: str
    name: str
    """The chosen name, or the one that was made up when the resource was created."""
    properties: Properties
    stack_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        return str(get_partition(self.region))

    @property
    def tags(self) -> dict[str, str]:
        """The stack's tags, and over them the resource's own."""
        own = self.properties.get("Tags", [])
        pairs = own.items() if isinstance(own, dict) else ((tag["Key"], tag["Value"]) for tag in own)
        return {**self.stack_tags, **{key: str(value) for key, value in pairs}}


@dataclass(frozen=True, slots=True)
class Created:
    """A resource that exists."""

    physical_id: str
    """What Ref answers."""


class ResourceType(Protocol):
    """Creates, configures and deletes resources of one type.

    `create` makes the bare resource and refuses if there is one by that name; `configure` then writes everything
    that can be changed later, and is all of an update. So a resource whose configuration fails can be deleted again.
    """

    @property
    def shape(self) -> Shape: ...

    def create(self, wanted: Wanted) -> Created: ...

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created: ...

    def delete(self, created: Created, wanted: Wanted) -> None: ...

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any: ...


@runtime_checkable
class SnapshotType(Protocol):
    """A type that can leave a snapshot behind where a resource is deleted."""

    def delete_keeping_snapshot(self, created: Created, wanted: Wanted) -> None: ...


@contextmanager
def refuse_malformed_properties() -> Iterator[None]:
    """Have properties without a required part, or of the wrong form, fail their resource and not the sandbox."""
    try:
        yield
    except KeyError as error:
        raise ResourceRefused(f"Properties validation failed: required key [{error.args[0]}] not found") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ResourceRefused(f"Properties validation failed: {error}") from error


def removed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [key for key in old if key not in new]
