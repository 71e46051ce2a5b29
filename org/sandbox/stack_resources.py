"""What a stack is made of: the request it converges on, and its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from moto.cloudformation.utils import random_suffix
from moto.core.exceptions import ServiceException
from werkzeug.exceptions import HTTPException

from org.sandbox.stack_permissions import Actor, require
from org.sandbox.stack_types import check_supported
from org.sandbox.stack_types.interface import Created, ResourceRefused, ResourceType, SnapshotType, Wanted
from org.sandbox.template import Template, check_parameters, order_resources, parse_template

REFUSALS = (ServiceException, HTTPException)
"""What moto raises where AWS answers with an error; anything else is a bug and is not caught."""


@dataclass(frozen=True, slots=True)
class StackRequest:
    """What CreateStack and UpdateStack say of a stack."""

    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse, before anything is created, what can be known to be wrong."""
        check_parameters(_check_template(self.template), self.parameters)


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource of a stack, under the names that moto's responses look for."""

    kind: ResourceType
    wanted: Wanted
    created: Created
    policy: str = "Delete"
    """What becomes of it when it is deleted: `Delete`, `Retain` or `Snapshot`."""

    @property
    def retained(self) -> bool:
        return self.policy == "Retain"

    @property
    def logical_resource_id(self) -> str:
        return self.wanted.logical_id

    @property
    def physical_resource_id(self) -> str:
        return self.created.physical_id

    @property
    def cf_resource_type(self) -> str:
        return self.kind.shape.type_name

    def delete(self, actor: Actor | None) -> None:
        if not self.retained:
            require(actor, "delete", self.kind, self.wanted)
            if self.policy == "Snapshot" and isinstance(self.kind, SnapshotType):
                self.kind.delete_keeping_snapshot(self.created, self.wanted)
            else:
                self.kind.delete(self.created, self.wanted)


@lru_cache(maxsize=256)
def _check_template(body: str) -> Template:
    """Check a template once for all the stacks that a StackSet makes of it."""
    template = parse_template(body)
    check_supported(template)
    order_resources(template)
    return template


def make_name(stack_name: str, logical_id: str, limit: int) -> str:
    """Make up a physical name as CloudFormation does: stack, logical id and twelve random characters, cut to fit."""
    suffix = random_suffix()
    room = limit - len(suffix) - 2
    logical = logical_id[: max(room // 2, room - len(stack_name))]
    return f"{stack_name[: room - len(logical)]}-{logical}-{suffix}"


def reason_of(error: BaseException) -> str:
    return str(getattr(error, "message", None) or getattr(error, "description", None) or error)


def describe_failure(resource: StackResource, reason: str) -> str:
    return _failure_words(resource.logical_resource_id, resource.cf_resource_type, reason)


def failure_reason(template: Template, logical_id: str, reason: str) -> str:
    if not logical_id:
        return reason
    return _failure_words(logical_id, template["Resources"][logical_id]["Type"], reason)


def _failure_words(logical_id: str, type_name: str, reason: str) -> str:
    return f"ResourceLogicalId:{logical_id}, ResourceType:{type_name}, ResourceStatusReason:{reason}."


def needs_replacement(existing: StackResource, wanted: Wanted) -> bool:
    shape, old, new = existing.kind.shape, existing.wanted.properties, wanted.properties
    decisive = shape.replaced_by | ({shape.name_property} if shape.name_property else frozenset())
    if not any(old.get(key) != new.get(key) for key in decisive):
        return False
    if shape.name_property in new and new[shape.name_property] == existing.wanted.name:
        raise ResourceRefused(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {existing.wanted.name} and update the stack again."
        )
    return True
