"""Every row of the published sample's inventory, and each of its weaknesses, has a test that is named for it.

The rows I1 to I30 are listed in `tests/inventory/test_artefacts.py`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROWS = tuple(
    f"{letter}{number}" for letter, last in (("A", 5), ("C", 6), ("E", 7), ("I", 30)) for number in range(1, last + 1)
)
WEAKNESSES = tuple(map(str, range(1, 48)))
CANNOT_BE_TESTED: Mapping[str, str] = {}
"""Rows and weaknesses without a test, with the reason."""
ROW = re.compile(r"^test((?:_(?:to_|and_)?[acei]\d+)+)_")
WEAKNESS = re.compile(r"^test_weakness((?:_(?:and_)?\d+)+)_")


def rows_of(name: str) -> set[str]:
    """Answer what a test is named for: `test_a3_a4_…`, `test_c1_to_c6_…`, `test_weakness_12_and_33_…`."""
    if found := WEAKNESS.match(name):
        return set(re.findall(r"\d+", found[1]))
    if found := ROW.match(name):
        named = re.findall(r"(to_)?([acei])(\d+)", found[1])
        rows = {f"{letter.upper()}{number}" for _, letter, number in named}
        for (_, letter, first), (to, _, last) in pairwise(named):
            if to:
                rows |= {f"{letter.upper()}{number}" for number in range(int(first), int(last) + 1)}
        return rows
    return set()


@cache
def named_tests() -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for name in _tests(ast.parse(path.read_text(encoding="utf-8"))):
            for row in rows_of(name):
                found[row].add(f"{path.relative_to(TESTS)}::{name}")
    return found


def _tests(module: ast.Module) -> Iterator[str]:
    """Only what pytest would run, and what says something: a test without an assertion or a call shows nothing."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            skipped = any("skip" in ast.unparse(each) or "xfail" in ast.unparse(each) for each in node.decorator_list)
            says = any(isinstance(each, ast.Assert | ast.With | ast.Call) for each in ast.walk(node))
            if says and not skipped:
                yield node.name


@pytest.mark.parametrize("row", [*ROWS, *WEAKNESSES])
def test_each_row_has_a_test_that_is_named_for_it(row: str) -> None:
    assert bool(named_tests().get(row)) is (row not in CANNOT_BE_TESTED), CANNOT_BE_TESTED.get(row, "no test")


def test_a_name_tells_of_rows_and_of_nothing_else() -> None:
    assert rows_of("test_a3_a4_a5_a_body") == {"A3", "A4", "A5"}
    assert rows_of("test_c1_to_c6_a_finding_ends") == {f"C{number}" for number in range(1, 7)}
    assert rows_of("test_weakness_12_and_33_settings") == {"12", "33"}
    assert rows_of("test_weakness_42_grave_findings") == {"42"}
    assert rows_of("test_a_golden_image") == rows_of("test_each_row_has_a_test") == set()


def test_what_a_test_is_named_for_is_a_row() -> None:
    assert set(named_tests()) <= {*ROWS, *WEAKNESSES}
