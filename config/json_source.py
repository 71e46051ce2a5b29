"""JSON text to nodes that know their place; in a policy file, `${NAME}` outside of quotes is filled first; pure."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NoReturn

from config.findings import Finding, Place
from config.nodes import MAX_DEPTH, ListNode, MappingNode, Node, ScalarNode, Unusable
from config.variables import PLACEHOLDER, Fillings, find_fault

_STRING = r'"(?:[^"\\]|\\.)*+"'
_STRING_OR_PLACEHOLDER = re.compile(_STRING + r"|\$\{[^{}\n]*\}?", re.DOTALL)
_TOKEN = re.compile(_STRING + r'|[{}\[\]]|[^\s,:{}\[\]"]+', re.DOTALL)


class PolicyFile:
    """The text of one policy file, and where its parts stood before anything was filled in."""

    def __init__(self, text: str, file: str, fillings: Fillings) -> None:
        self._fillings = fillings
        self._original_place = places_in(text, file)
        self.findings: list[Finding] = []
        self._growth: list[tuple[int, int]] = [(0, 0)]
        """Pairs of an offset in the filled text and by how much that text is ahead of the original from there on."""
        self._text = self._fill_outside_quotes(text)

    def read(self) -> Node | None:
        """Answer the top node, or None where the text is not JSON; what is wrong is among `findings`."""
        try:
            return compose_json(self._text, self._place)
        except Unusable as error:
            self.findings.append(error.finding)
            return None

    def _place(self, offset: int) -> Place:
        """Answer the place in the file of an offset in the filled text."""
        return self._original_place(offset - self._growth[bisect_right(self._growth, (offset, math.inf)) - 1][1])

    def _fill_outside_quotes(self, text: str) -> str:
        """Fill what makes a file JSON only then (`"regions": ${REGIONS}`); text in quotes is filled once parsed."""
        parts, done, growth = [], 0, 0
        for match in _STRING_OR_PLACEHOLDER.finditer(text):
            if match[0].startswith('"'):
                self._check_quoted(match)
                continue
            name = match[0][2:-1] if match[0].endswith("}") else None
            fault = find_fault(name, self._fillings, whole=True)
            if fault is None and name not in self._fillings.variables:
                fault = f"{match[0]} stands outside of quotes", "put it in quotes"
            if fault is not None or name is None:
                self.findings.append(Finding(self._original_place(match.start()), *(fault or ("", ""))))
                filling = "null"
            else:
                filling = json.dumps(self._fillings.variables[name], ensure_ascii=False)
            parts += [text[done : match.start()], filling]
            done = match.end()
            growth += len(filling) - len(match[0])
            self._growth.append((match.end() + growth, growth))
        return "".join([*parts, text[done:]])

    def _check_quoted(self, quoted: re.Match[str]) -> None:
        inner = quoted[0][1:-1]
        for match in PLACEHOLDER.finditer(inner):
            name = match[1]
            if name is not None and "\\" in name:
                name = re.sub(r'\\(["\\/])', r"\1", name)
            fault = find_fault(name, self._fillings, whole=match[0] == inner)
            if fault is not None:
                place = self._original_place(quoted.start() + 1 + match.start())
                self.findings.append(Finding(place, *fault))


def places_in(text: str, file: str) -> Callable[[int], Place]:
    """Answer what says where an offset in the text stands."""
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(offset: int) -> Place:
        line = bisect_right(line_starts, offset)
        return Place(file, line, offset - line_starts[line - 1] + 1)

    return place


def compose_json(text: str, place: Callable[[int], Place]) -> Node:
    """Answer the top node of a JSON text; `place` answers where an offset in it stands.

    Keys that are written twice are left to `config.nodes.plain`. Raises Unusable where the text is not JSON.
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
    found = re.finditer(_STRING + "|" + re.escape(wanted), text, re.DOTALL)
    return next((match.start() for match in found if not match[0].startswith('"')), 0)
