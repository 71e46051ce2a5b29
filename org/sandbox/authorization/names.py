"""The names and ARNs that stand in a call's parameters, with what each service calls its own way made plain.

IAM's roles, users and groups have paths that a call does not give; S3 names the source of a copy in a header, and a
queue is known by its URL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.utilities.utils import get_partition

from org.sandbox.authorization.model import ApiCall

Names = dict[str, tuple[str, ...]]
"""By the parameter's name in lower case, without hyphens."""


def names_in(call: ApiCall, source: str = "") -> Mapping[str, tuple[str, ...]]:
    names: Names = {}
    for name, value in call.parameters.items():
        texts = _texts(value)
        if texts:
            names[name.lower().replace("-", "").replace("_", "")] = texts
    read = _OWN_WAYS.get(call.service)
    if read is not None:
        read(call, names, source)
    return names


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _read_s3(call: ApiCall, names: Names, source: str) -> None:
    bucket = call.parameters.get("Bucket", "")
    names.update({"bucketname": (bucket,) if bucket else (), "objectname": names.get("key", ())})
    if source == "Delete":
        objects = call.parameters.get("Delete", {}).get("Objects", [])
        names["objectname"] = tuple(each["Key"] for each in objects)
        names["bucketname"] = (bucket,) * len(objects)
    elif source == "CopySource":
        path = unquote(urlsplit(str(call.parameters.get("CopySource", ""))).path).lstrip("/")
        copied, _, key = path.partition("/")
        names.update({"bucketname": (copied,), "objectname": (key,)})


def _read_iam(call: ApiCall, names: Names, _: str) -> None:
    """Put paths before names.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    iam = iam_backends[call.account][get_partition(call.region)]
    new = str(call.parameters.get("Path") or "/").lstrip("/")
    if call.operation.startswith("Create"):
        for kind in ("role", "user", "group", "policy", "instanceprofile"):
            for name in names.get(f"{kind}name", ()):
                names[f"{kind}name"] = (f"{new}{name}",)
        return
    for kind, known in (("role", iam.roles.values()), ("user", iam.users.values()), ("group", iam.groups.values())):
        for name in names.get(f"{kind}name", ()):
            path = next((str(each.path).lstrip("/") for each in known if each.name == name), "")
            names[f"{kind}name"] = (f"{path}{name}",)


def _read_sqs(call: ApiCall, names: Names, _: str) -> None:
    url = str(call.parameters.get("QueueUrl", ""))
    path = urlsplit(url).path.strip("/").split("/")
    if len(path) >= 2:
        names["queuearn"] = (f"arn:{get_partition(call.region)}:sqs:{call.region}:{path[-2]}:{path[-1]}",)


def _read_kms(call: ApiCall, names: Names, _: str) -> None:
    """Put the key in the place of its alias: policies are about keys.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    backend = kms_backends[call.account][call.region]
    for key in names.get("keyid", ()):
        alias = backend.get_alias_name(key)
        if alias.startswith("alias/") and "Alias" not in call.operation:
            id = backend.get_key_id_from_alias(alias)
            names["keyid"] = (str(id),) if id else ()


def _read_events(call: ApiCall, names: Names, _: str) -> None:
    if call.operation == "PutEvents":
        entries = call.parameters.get("Entries", [])
        names["eventbusname"] = tuple(each.get("EventBusName") or "default" for each in entries)
    buses = names.get("eventbusname", ())
    if "Rule" in call.operation or "Target" in call.operation:
        names["rulename"] = names.get("rule", names.get("name", ()))
        names["eventbusname"] = tuple(bus for bus in buses if bus != "default")
    elif not buses and ("EventBus" in call.operation or "Permission" in call.operation):
        names["eventbusname"] = names.get("name", ("default",))


def _read_secrets(call: ApiCall, names: Names, _: str) -> None:
    """Answer the ARNs of secrets that exist; a new one's ends in six characters that nobody knows yet."""
    secrets = secretsmanager_backends[call.account][call.region].secrets
    found = [secrets.get(each) for each in names.get("secretid", ())]
    arns = tuple(str(secret.arn) for secret in found if secret is not None)
    if arns:
        names["secretarn"] = arns


def _read_ssm(_call: ApiCall, names: Names, _: str) -> None:
    for name in ("name", "names"):
        if name in names:
            names["parametername"] = tuple(each.removeprefix("/") for each in names[name])


def _read_lambda(_call: ApiCall, names: Names, _: str) -> None:
    names["functionname"] = tuple(
        each if each.startswith("arn:") else each.rpartition(":function:")[2].partition(":")[0]
        for each in names.get("functionname", ())
    )


_OWN_WAYS: Mapping[str, Callable[[ApiCall, Names, str], None]] = {
    "events": _read_events,
    "iam": _read_iam,
    "kms": _read_kms,
    "lambda": _read_lambda,
    "s3": _read_s3,
    "secretsmanager": _read_secrets,
    "sqs": _read_sqs,
    "ssm": _read_ssm,
}
