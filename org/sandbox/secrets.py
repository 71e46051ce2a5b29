"""Secrets Manager: a secret's key is asked for, and what is generated follows from the sandbox's seed.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random
from moto.secretsmanager.models import SecretsManagerBackend

from org.sandbox.authorization.denial import Denied
from org.sandbox.authorization.principals import current_caller
from org.sandbox.encryption import TO_READ, TO_WRITE, Lock, NoKey

_SHORTEST, _LONGEST = 4, 4_096
_KINDS = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
    "ExcludeUppercase": string.ascii_uppercase,
}

GENERATED = frozenset(
    {
        *_KINDS,
        "ExcludeCharacters",
        "GenerateStringKey",
        "IncludeSpace",
        "PasswordLength",
        "RequireEachIncludedType",
        "SecretStringTemplate",
    }
)
"""What GenerateSecretString may say."""


class _Refused(JsonRESTError):
    """AWS's refusal of a key: it does not say which, or to whom."""

    code = 400


def generate(given: Mapping[str, Any]) -> str:
    """Answer the text of a new secret: a password or, with a template, the JSON object with the password in it.

    Raises ValueError for what cannot be done.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
    """
    password = _password(given)
    if "SecretStringTemplate" not in given and "GenerateStringKey" not in given:
        return password
    template = json.loads(given["SecretStringTemplate"])
    return json.dumps({**template, str(given["GenerateStringKey"]): password})


def _password(given: Mapping[str, Any]) -> str:
    excluded = set(str(given.get("ExcludeCharacters", "")))
    kinds = [letters for name, letters in _KINDS.items() if not _is_true(given.get(name))]
    kinds += [" "] if _is_true(given.get("IncludeSpace")) else []
    groups = [left for letters in kinds if (left := "".join(each for each in letters if each not in excluded))]
    length = int(given.get("PasswordLength", 32))
    required = groups if _is_true(given.get("RequireEachIncludedType", True)) else []
    if not groups or not max(_SHORTEST, len(required)) <= length <= _LONGEST:
        raise ValueError(f"a password of {length} characters of {len(groups)} kinds cannot be made")
    chosen = [mock_random.choice(letters) for letters in required]
    chosen += [mock_random.choice("".join(groups)) for _ in range(length - len(chosen))]
    mock_random.shuffle(chosen)
    return "".join(chosen)


def _is_true(value: object) -> bool:
    return value in (True, "true")


_moto_read = SecretsManagerBackend.get_secret_value
_moto_write = SecretsManagerBackend._add_secret


def _read(self: SecretsManagerBackend, secret_id: str, *arguments: Any, **more: Any) -> dict[str, Any]:
    _require(self, self.secrets.get(secret_id), None, TO_READ)
    return _moto_read(self, secret_id, *arguments, **more)


def _write(self: SecretsManagerBackend, secret_id: str, *arguments: Any, **more: Any) -> Any:
    if more.get("secret_string") is not None or more.get("secret_binary") is not None:
        _require(self, self.secrets.get(secret_id), more.get("kms_key_id"), TO_WRITE)
    return _moto_write(self, secret_id, *arguments, **more)


def _require(backend: SecretsManagerBackend, secret: Any, key: object, actions: tuple[str, ...]) -> None:
    """Raise AWS's refusal unless who is served may use the key; a secret that is being made has no ARN yet."""
    caller = current_caller()
    if caller is None:
        return
    context = {"SecretARN": str(secret.arn)} if secret is not None else {}
    key = key or getattr(secret, "kms_key_id", None)
    try:
        Lock(key, backend.account_id, backend.region_name, "secretsmanager", context).require(caller.principal, actions)
    except (Denied, NoKey) as error:
        raise _Refused("AccessDeniedException", "Access to KMS is not allowed") from error


def install() -> None:
    SecretsManagerBackend.get_secret_value = _read  # type: ignore[method-assign]
    SecretsManagerBackend._add_secret = _write  # type: ignore[method-assign]
