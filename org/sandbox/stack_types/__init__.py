"""CloudFormation resource types of the sandbox: `find_type` answers one by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.cloudformation.exceptions import ValidationError

from org.sandbox.stack_types.api import API_TYPES
from org.sandbox.stack_types.by_calls import ByCalls
from org.sandbox.stack_types.config_rules import (
    ConfigRule,
    ConfigurationRecorder,
    DeliveryChannel,
    OrganizationConfigRule,
)
from org.sandbox.stack_types.ec2 import SnapshotBlockPublicAccess
from org.sandbox.stack_types.events import EventBus, EventBusPolicy, Rule
from org.sandbox.stack_types.function_policies import EventInvokeConfig, LayerVersion, Permission
from org.sandbox.stack_types.function_policies import ResourcePolicy as FunctionPolicy
from org.sandbox.stack_types.functions import EventSourceMapping, Function
from org.sandbox.stack_types.iam import Role
from org.sandbox.stack_types.kms import Alias, Key
from org.sandbox.stack_types.logs import LogGroup, ResourcePolicy
from org.sandbox.stack_types.messaging import Queue, QueuePolicy, Topic
from org.sandbox.stack_types.secrets import ResourcePolicy as SecretPolicy
from org.sandbox.stack_types.secrets import Secret
from org.sandbox.stack_types.security_hub import ActionTarget, Hub, Insight
from org.sandbox.stack_types.storage import Bucket, BucketPolicy, Parameter
from org.sandbox.stack_types.subscriptions import Subscription, TopicPolicy
from org.sandbox.stack_types.tables import TABLES
from org.sandbox.template import Template, find_references

if TYPE_CHECKING:
    from org.sandbox.stack_types.interface import ResourceType

_EMULATED: tuple[ResourceType, ...] = (
    *API_TYPES,
    ActionTarget(),
    Alias(),
    Bucket(),
    BucketPolicy(),
    ConfigRule(),
    ConfigurationRecorder(),
    DeliveryChannel(),
    EventBus(),
    EventBusPolicy(),
    EventInvokeConfig(),
    EventSourceMapping(),
    Function(),
    FunctionPolicy(),
    Hub(),
    Insight(),
    Key(),
    LayerVersion(),
    LogGroup(),
    OrganizationConfigRule(),
    Parameter(),
    Permission(),
    Queue(),
    QueuePolicy(),
    ResourcePolicy(),
    Role(),
    Rule(),
    Secret(),
    SecretPolicy(),
    SnapshotBlockPublicAccess(),
    Subscription(),
    Topic(),
    TopicPolicy(),
)
_BY_NAME = {kind.shape.type_name: kind for kind in (*_EMULATED, *map(ByCalls, TABLES))}

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
    }
)
_RESOURCE_ATTRIBUTES = frozenset(
    {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
)
_POLICIES = ("Delete", "Retain")
"""Of a deletion or replacement; RetainExceptOnCreate is not emulated, Snapshot where the type has them."""


def find_type(type_name: str) -> ResourceType | None:
    """Answer one of the types whose every property is honoured or refused.

    moto's own models of other types are not used: they drop properties in silence, and break over some.
    """
    return _BY_NAME.get(type_name)


def check_supported(template: Template) -> None:
    """Refuse what AWS may well know but the sandbox does not: types, properties, attributes, transforms.

    Raises ValidationError, before anything is created, so that nobody takes the silence for success.
    """
    for section in template:
        if section not in _SECTIONS:
            raise _not_emulated(f"the section {section} of a template")
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
        raise _not_emulated(f"the resource type {type_name} (resource {logical_id})")
    unknown = sorted(set(definition.get("Properties") or {}) - kind.shape.properties)
    if unknown:
        raise _not_emulated(f"the property {', '.join(unknown)} of {type_name} (resource {logical_id})")
    for attribute in sorted(set(definition) - _RESOURCE_ATTRIBUTES):
        raise _not_emulated(f"the attribute {attribute} of a resource (resource {logical_id})")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        if definition.get(attribute, "Delete") not in (*_POLICIES, *(["Snapshot"] if kind.shape.has_snapshots else [])):
            raise _not_emulated(f"the {attribute} {definition[attribute]} (resource {logical_id})")


def _check_attribute(logical_id: str, type_name: str, attribute: str) -> None:
    kind = find_type(type_name)
    if kind and attribute not in kind.shape.attributes:
        raise _not_emulated(f"Fn::GetAtt {attribute} of {type_name} (resource {logical_id})")


def _not_emulated(what: str) -> ValidationError:
    return ValidationError(message=f"the orgctl sandbox does not emulate {what}")
