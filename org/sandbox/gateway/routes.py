"""Which method of an API a request is for.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from org.sandbox.gateway.document import Method

_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    method: Method
    path_parameters: Mapping[str, str]


def find_route(methods: Iterable[Method], verb: str, path: str) -> Route | None:
    """Answer the method; a plain segment goes before a variable, that before a greedy one, a verb before ANY.

    A slash at the end makes no difference [H].
    """
    path = path.rstrip("/") or "/"
    found: list[tuple[tuple[int, ...], Method, Mapping[str, str]]] = []
    for method in methods:
        matched = _pattern(method.resource).fullmatch(path) if method.verb in {verb, "ANY"} else None
        if matched is not None:
            names = [name for name, _ in _VARIABLE.findall(method.resource)]
            found.append((_rank(method), method, dict(zip(names, matched.groups(), strict=True))))
    if not found:
        return None
    _, method, parameters = min(found, key=lambda each: each[0])
    return Route(method, parameters)


def _rank(method: Method) -> tuple[int, ...]:
    kinds = [2 if "+}" in each else 1 if each.startswith("{") else 0 for each in method.resource.split("/")[1:]]
    return (*kinds, int(method.verb == "ANY"))


@lru_cache(maxsize=4_096)
def _pattern(resource: str) -> re.Pattern[str]:
    parts = [
        (r"(.+)" if "+}" in each else r"([^/]+)") if _VARIABLE.fullmatch(each) else re.escape(each)
        for each in resource.rstrip("/").split("/")
    ]
    return re.compile("/".join(parts) or "/", re.DOTALL)
