"""The parts of a request that WAF looks at, after their transformations.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html
"""

from __future__ import annotations

import html
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from org.sandbox.gateway.requests import OURS, ApiRequest

Json = Mapping[str, Any]

_FIELDS = frozenset({
    "AllQueryArguments", "Body", "Cookies", "Headers", "Method", "QueryString", "SingleHeader", "SingleQueryArgument",
    "UriPath",
})  # fmt: skip
_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "EQ": operator.eq,
    "GE": operator.ge,
    "GT": operator.gt,
    "LE": operator.le,
    "LT": operator.lt,
    "NE": operator.ne,
}
_TRANSFORMED: Mapping[str, Callable[[bytes], bytes]] = {
    "COMPRESS_WHITE_SPACE": lambda value: re.sub(rb"\s+", b" ", value),
    "HTML_ENTITY_DECODE": lambda value: html.unescape(value.decode("utf-8", "replace")).encode(),
    "LOWERCASE": bytes.lower,
    "NONE": lambda value: value,
    "URL_DECODE": lambda value: unquote_to_bytes(value.replace(b"+", b" ")),
}


def compare(how: str, one: int, other: int) -> bool:
    return _COMPARED[how](one, other)


def _transform(value: bytes, transformations: Iterable[Json]) -> bytes:
    for each in transformations:
        value = _TRANSFORMED[each["Type"]](value)
    return value


class Inspected:
    """A request as WAF is given it: of the body only the first `body_limit` bytes."""

    def __init__(self, request: ApiRequest, body_limit: int) -> None:
        self.request = request
        self._body_limit = body_limit

    @staticmethod
    def check(content: Json) -> None:
        """Raise ValueError for a field or a transformation that is not emulated."""
        (field,) = content["FieldToMatch"]
        if field not in _FIELDS:
            raise ValueError(f"the orgctl sandbox does not emulate the FieldToMatch {field}")
        for each in content["TextTransformations"]:
            if each["Type"] not in _TRANSFORMED:
                raise ValueError(f"the orgctl sandbox does not emulate the transformation {each['Type']}")

    @property
    def path(self) -> bytes:
        """As it was written, with the stage."""
        written = self.request.target.partition("?")[0].split("/", 4)[-1]
        return f"/{written}".encode()

    @property
    def body(self) -> bytes:
        return self.request.body[: self._body_limit]

    def any(self, content: Json, test: Callable[[bytes], bool]) -> bool:
        """Say whether the test holds of the statement's field, or of one of its values."""
        ((field, settings),) = content["FieldToMatch"].items()
        if field == "Body" and len(self.request.body) > self._body_limit:
            handling = (settings or {}).get("OversizeHandling", "CONTINUE")
            if handling != "CONTINUE":
                return bool(handling == "MATCH")
        transformations = sorted(content["TextTransformations"], key=lambda each: int(each["Priority"]))
        return any(test(_transform(value, transformations)) for value in self._values(field, settings or {}))

    def _values(self, field: str, settings: Json) -> Iterable[bytes]:
        request = self.request
        match field:
            case "AllQueryArguments":
                return [text.encode() for pair in request.query for text in pair]
            case "SingleQueryArgument":
                wanted = str(settings["Name"]).lower()
                return [value.encode() for name, value in request.query if name.lower() == wanted]
            case "SingleHeader":
                value = request.headers.get(str(settings["Name"]).lower())
                return [value.encode()] if value is not None else []
            case "Headers":
                return [text.encode() for pair in request.headers.items() if pair[0] not in OURS for text in pair]
            case "Cookies":
                cookies = request.headers.get("cookie", "")
                return [cookies.encode()] if cookies else []
            case "Body":
                return [self.body]
            case "Method":
                return [request.verb.encode()]
            case "QueryString":
                return [request.query_string.encode()]
            case _:
                return [self.path]
