"""AWS::KMS::Key and AWS::KMS::Alias, of which moto's own models drop most properties and hand out policies as dicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.kms.models import kms_backends

from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.kms.models import Key as MotoKey
    from moto.kms.models import KmsBackend

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_DEFAULT_WINDOW = 30


class Key:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html."""

    shape = Shape(
        "AWS::KMS::Key",
        properties=frozenset(
            {
                "Description",
                "EnableKeyRotation",
                "Enabled",
                "KeyPolicy",
                "KeySpec",
                "KeyUsage",
                "MultiRegion",
                "PendingWindowInDays",
                "Tags",
            }
        ),
        attributes=frozenset({"Arn", "KeyId"}),
        replaced_by=frozenset({"KeySpec", "KeyUsage", "MultiRegion"}),
    )

    def create(self, wanted: Wanted) -> Created:
        properties = wanted.properties
        _check_window(wanted)
        key = _backend(wanted).create_key(
            policy=_policy(wanted),
            key_usage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
            key_spec=properties.get("KeySpec", _SYMMETRIC),
            description="",
            tags=[],
            multi_region=_is_true(properties.get("MultiRegion")),
        )
        return Created(key.id)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, key, properties = _backend(wanted), _key(created, wanted), wanted.properties
        _check_window(wanted)
        rotates = _is_true(properties.get("EnableKeyRotation"))
        if rotates and key.key_spec != _SYMMETRIC:
            raise ResourceRefused("You cannot set the EnableKeyRotation property to true on asymmetric keys.")
        key.key_rotation_status = rotates
        key.description = properties.get("Description", "")
        # moto keeps None where no policy was given, and makes the default policy only as it makes the key.
        key.policy = _policy(wanted) or key.generate_default_policy()
        if _is_true(properties.get("Enabled", True)):
            backend.enable_key(key.id)
        else:
            backend.disable_key(key.id)
        backend.tag_resource(key.id, wanted.tags)
        backend.untag_resource(key.id, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        """Schedule the deletion, as CloudFormation does: the key stays, pending, until its window is over."""
        _backend(wanted).schedule_key_deletion(created.physical_id, _window(wanted))

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        key = _key(created, wanted)
        return key.arn if name == "Arn" else key.id


class Alias:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html."""

    shape = Shape("AWS::KMS::Alias", properties=frozenset({"AliasName", "TargetKeyId"}), name_property="AliasName")

    def create(self, wanted: Wanted) -> Created:
        name = wanted.properties.get("AliasName", "")
        if not name.startswith("alias/") or name.startswith("alias/aws/"):
            raise ResourceRefused("Properties validation failed: AliasName must begin with alias/ and not alias/aws/")
        backend = _backend(wanted)
        if backend.alias_exists(name):
            raise ResourceRefused(f"An alias with the name {name} already exists")
        backend.create_alias(_target(wanted).id, name)
        return Created(name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is not None:
            _backend(wanted).update_alias(_target(wanted).id, created.physical_id)
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _backend(wanted).delete_alias(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


def _backend(wanted: Wanted) -> KmsBackend:
    return kms_backends[wanted.account_id][wanted.region]


def _key(created: Created, wanted: Wanted) -> MotoKey:
    return _backend(wanted).keys[created.physical_id]


def _target(wanted: Wanted) -> MotoKey:
    """Answer the key that an alias names, by its id or ARN."""
    backend, named = _backend(wanted), wanted.properties.get("TargetKeyId", "")
    key = backend.keys.get(backend.get_key_id(named))
    if key is None or named not in (key.id, key.arn):
        raise ResourceRefused(f"Key '{named}' does not exist")
    return key


def _policy(wanted: Wanted) -> str | None:
    policy = wanted.properties.get("KeyPolicy")
    return json.dumps(policy) if isinstance(policy, dict) else policy


def _window(wanted: Wanted) -> int:
    return int(wanted.properties.get("PendingWindowInDays", _DEFAULT_WINDOW))


def _check_window(wanted: Wanted) -> None:
    if not 7 <= _window(wanted) <= _DEFAULT_WINDOW:
        raise ResourceRefused("Properties validation failed: PendingWindowInDays must be between 7 and 30")


def _is_true(value: Any) -> bool:
    return value in (True, "true")
