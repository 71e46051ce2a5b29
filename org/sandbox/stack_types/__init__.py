"""CloudFormation resource types of the sandbox: `find_type` answers one by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.cloudformation.exceptions import ValidationError

from org.sandbox.stack_types.ec2 import SnapshotBlockPublicAccess
from org.sandbox.stack_types.events import EventBus, EventBusPolicy, Rule
from org.sandbox.stack_types.iam import Role
from org.sandbox.stack_types.logs import LogGroup
from org.sandbox.stack_types.messaging import Queue, Topic
from org.sandbox.stack_types.moto_models import find_moto_type
from org.sandbox.stack_types.storage import Bucket, Parameter
from org.sandbox.template import Template, find_references

if TYPE_CHECKING:
    from org.sandbox.stack_types.interface import ResourceType

_OWN: tuple[ResourceType, ...] = (
    Bucket(),
    EventBus(),
    EventBusPolicy(),
    LogGroup(),
    Parameter(),
    Queue(),
    Role(),
    Rule(),
    SnapshotBlockPublicAccess(),
    Topic(),
)
OWN_TYPES = {kind.shape.type_name: kind for kind in _OWN}
"""The types whose every property is honoured or refused."""


def find_type(type_name: str) -> ResourceType | None:
    return OWN_TYPES.get(type_name) or find_moto_type(type_name)


def check_supported(template: Template) -> None:
    """Refuse what AWS may well know but the sandbox does not: types, properties, attributes, transforms.

    Raises ValidationError, before anything is created, so that nobody takes the silence for success.
    """
    if "Transform" in template:
        raise ValidationError(message=f"the orgctl sandbox does not support Transform {template['Transform']}")
    resources = template["Resources"]
    for logical_id, definition in resources.items():
        _check_resource(logical_id, definition)
    for part in (resources, template.get("Outputs") or {}):
        for name, attribute in find_references(part):
            if attribute and name in resources:
                _check_attribute(name, resources[name]["Type"], attribute)


def _check_resource(logical_id: str, definition: Template) -> None:
    type_name = definition["Type"]
    kind = find_type(type_name)
    if kind is None:
        raise ValidationError(
            message=f"the orgctl sandbox does not support resource type {type_name} (resource {logical_id})"
        )
    known = kind.shape.properties
    unknown = sorted(set(definition.get("Properties") or {}) - known) if known is not None else []
    if unknown:
        raise ValidationError(
            message=f"the orgctl sandbox does not support property {', '.join(unknown)} of {type_name} "
            f"(resource {logical_id})"
        )


def _check_attribute(logical_id: str, type_name: str, attribute: str) -> None:
    kind = find_type(type_name)
    if kind and kind.shape.attributes is not None and attribute not in kind.shape.attributes:
        raise ValidationError(
            message=f"the orgctl sandbox does not support Fn::GetAtt {attribute} of {type_name} (resource {logical_id})"
        )
