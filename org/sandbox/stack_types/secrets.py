"""AWS::SecretsManager::Secret and ResourcePolicy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from org.sandbox.secrets import GENERATED, generate
from org.sandbox.stack_types.interface import Created, ResourceRefused, Shape, Wanted

if TYPE_CHECKING:
    from moto.secretsmanager.models import SecretsManagerBackend


class Secret:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html."""

    shape = Shape(
        "AWS::SecretsManager::Secret",
        properties=frozenset({"Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"}),
        attributes=frozenset({"Id"}),
        name_property="Name",
        name_limit=512,
    )

    def create(self, wanted: Wanted) -> Created:
        backend = _backend(wanted)
        if wanted.name in backend.secrets:
            raise ResourceRefused(
                f"The operation failed because the secret {wanted.name} already exists. (AlreadyExists)"
            )
        secret, _ = backend._add_secret(wanted.name, **_settings(wanted), secret_string=_value(None, wanted))
        return Created(str(secret.arn))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        if old is not None:
            _backend(wanted)._add_secret(wanted.name, **_settings(wanted), secret_string=_value(old, wanted))
            # moto keeps the old key and description where there is no new one.
            secret = _secret(created.physical_id, wanted)
            secret.kms_key_id = wanted.properties.get("KmsKeyId")
            secret.description = wanted.properties.get("Description")
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        """CloudFormation leaves no time for recovery."""
        _backend(wanted).secrets.pop(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


class ResourcePolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html."""

    shape = Shape(
        "AWS::SecretsManager::ResourcePolicy",
        properties=frozenset({"ResourcePolicy", "SecretId"}),
        attributes=frozenset({"Id"}),
        replaced_by=frozenset({"SecretId"}),
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(str(_secret(str(wanted.properties["SecretId"]), wanted).arn))

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # replaced whole
        policy = wanted.properties["ResourcePolicy"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        json.loads(text)["Statement"]
        _secret(created.physical_id, wanted).policy = text
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        if created.physical_id in _backend(wanted).secrets:
            _secret(created.physical_id, wanted).policy = None

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:  # noqa: ARG002  # there is only Id
        return created.physical_id


def _backend(wanted: Wanted) -> SecretsManagerBackend:
    return secretsmanager_backends[wanted.account_id][wanted.region]


def _secret(id: str, wanted: Wanted) -> FakeSecret:
    found = _backend(wanted).secrets.get(id)
    if not isinstance(found, FakeSecret):
        raise ResourceRefused("Secrets Manager can't find the specified secret.")
    return found


def _settings(wanted: Wanted) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in wanted.tags.items()]
    properties = wanted.properties
    return {"description": properties.get("Description"), "kms_key_id": properties.get("KmsKeyId"), "tags": tags}


def _value(old: Wanted | None, wanted: Wanted) -> str | None:
    """Answer the new value; None where it stays as it is: a generated one does, as long as it is asked for alike."""
    text, asked = wanted.properties.get("SecretString"), wanted.properties.get("GenerateSecretString")
    if text is not None and asked is not None:
        raise ResourceRefused("You must specify exactly one of the SecretString and GenerateSecretString properties.")
    if asked is None:
        return str(text) if text is not None and (old is None or old.properties.get("SecretString") != text) else None
    unknown = sorted(set(asked) - GENERATED)
    if unknown:
        raise ResourceRefused(f"the orgctl sandbox does not emulate {', '.join(unknown)} of GenerateSecretString")
    if old is not None and old.properties.get("GenerateSecretString") == asked:
        return None
    return generate(asked)
