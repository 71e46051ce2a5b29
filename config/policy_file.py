"""A policy file, in which `${NAME}` outside of quotes is filled before it is JSON; pure."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right

from config.variables import PLACEHOLDER, Fillings, find_fault
from org.source.findings import Finding, Place
from org.source.json_text import JSON_STRING, compose_json, places_in
from org.source.nodes import Node, Unusable

_STRING_OR_PLACEHOLDER = re.compile(JSON_STRING + r"|\$\{[^{}\n]*\}?", re.DOTALL)


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
