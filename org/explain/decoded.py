"""What `aws sts decode-authorization-message` prints: the same refusal, with the condition keys of the request.

https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from org.errors import OrgctlError
from org.explain.message import Refusal, parse_message
from org.policy.request import ContextValue


def read_refusal(text: str) -> Refusal:
    """Read an access-denied message, or a decoded one, which is JSON; raises OrgctlError where it is neither."""
    if not text.lstrip().startswith("{"):
        return parse_message(text)
    said = _loaded(text)
    if isinstance(said, Mapping) and isinstance(inner := said.get("DecodedMessage"), str):
        said = _loaded(inner)
    context = _mapping(_mapping(said).get("context"))
    principal = _mapping(context.get("principal")).get("arn")
    action, resource = context.get("action"), context.get("resource")
    if not isinstance(principal, str) or not isinstance(action, str):
        raise OrgctlError("message", "the JSON is no decoded message: it has no context with principal and action",
                          "give what aws sts decode-authorization-message prints")  # fmt: skip
    explicit = _mapping(said).get("explicitDeny")
    return Refusal(
        principal,
        action,
        resource if isinstance(resource, str) else "",
        explicit=explicit if isinstance(explicit, bool) else None,
        context=dict(_conditions(context)),
    )


def _conditions(context: Mapping[str, object]) -> Iterator[tuple[str, ContextValue]]:
    for item in _items(context.get("conditions")):
        key = item.get("key")
        values = [str(value.get("value", "")) for value in _items(item.get("values"))]
        if isinstance(key, str) and values:
            yield key.lower(), values[0] if len(values) == 1 else tuple(values)


def _items(value: object) -> list[Mapping[str, object]]:
    items = _mapping(value).get("items")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OrgctlError("message", f"it begins like JSON and is none: {error}", "give it whole") from error
