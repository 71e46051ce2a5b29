"""JSON text to nodes that know their place; pure."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NoReturn

from org.source.findings import Finding, Place
from org.source.nodes import MAX_DEPTH, ListNode, MappingNode, Node, ScalarNode, Unusable

JSON_STRING = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(JSON_STRING + r'|[{}\[\]]|[^\s,:{}\[\]"]+', re.DOTALL)


def places_in(text: str, file: str) -> Callable[[int], Place]:
    """Answer what says where an offset in the text stands."""
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(offset: int) -> Place:
        line = bisect_right(line_starts, offset)
        return Place(file, line, offset - line_starts[line - 1] + 1)

    return place


def compose_json(text: str, place: Callable[[int], Place]) -> Node:
    """Answer the top node of a JSON text; `place` answers where an offset in it stands.

    Keys that are written twice are left to `org.source.nodes.plain`. Raises Unusable where the text is not JSON.
    """
    try:
        json.loads(text, parse_constant=_refuse_number, parse_int=_check_number, parse_float=_check_number)
    except json.JSONDecodeError as error:
        what = f"the file is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise Unusable(Finding(place(error.pos), what, "correct the line or the one before it")) from error
    except _NotANumberError as error:
        what = f"the file is not JSON: {error} is not a number that JSON has"
        raise Unusable(Finding(place(_find_outside_quotes(text, str(error))), what, "correct it")) from error
    except RecursionError:
        raise _too_deep(place(0)) from None
    return _next_node(_TOKEN.finditer(text), place)


def _too_deep(place: Place) -> Unusable:
    return Unusable(Finding(place, f"values are nested more than {MAX_DEPTH} deep", "nest them less"))


def _next_node(tokens: Iterator[re.Match[str]], place: Callable[[int], Place], depth: int = 0) -> Node:
    """Build the node that the next tokens make; they are known to make JSON."""
    return _node(next(tokens), tokens, place, depth)


def _node(token: re.Match[str], tokens: Iterator[re.Match[str]], place: Callable[[int], Place], depth: int) -> Node:
    at = place(token.start())
    if depth > MAX_DEPTH:
        raise _too_deep(at)
    if token[0] == "[":
        listed = ListNode(at)
        while (child := next(tokens))[0] != "]":
            listed.items.append(_node(child, tokens, place, depth + 1))
        return listed
    if token[0] == "{":
        keyed = MappingNode(at)
        while (child := next(tokens))[0] != "}":
            key = ScalarNode(place(child.start()), json.loads(child[0]), None)
            keyed.pairs.append((key, _next_node(tokens, place, depth + 1)))
        return keyed
    value = json.loads(token[0])
    return ScalarNode(at, value if isinstance(value, str) else token[0], value)


class _NotANumberError(Exception):
    pass


def _refuse_number(text: str) -> NoReturn:
    raise _NotANumberError(text)


def _check_number(text: str) -> float:
    if len(text) > 40 or math.isinf(float(text)):
        raise _NotANumberError(text)
    return 0.0


def _find_outside_quotes(text: str, wanted: str) -> int:
    found = re.finditer(JSON_STRING + "|" + re.escape(wanted), text, re.DOTALL)
    return next((match.start() for match in found if not match[0].startswith('"')), 0)
