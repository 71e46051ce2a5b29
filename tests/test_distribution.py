"""The five package names are generic: nothing else in the environment may ship one of them."""

from __future__ import annotations

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import org


@pytest.mark.parametrize("package", ["org", "config", "stacksets", "handlers", "cli"])
def test_no_other_distribution_ships_one_of_our_packages(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"orgctl"}


def test_org_imports_nothing_since_python_311_imports_it_for_jython() -> None:
    # `copy` of CPython <= 3.11 tries `from org.python.core import PyStringMap`.
    tree = ast.parse(Path(org.__file__ or "").read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in tree.body] == ["Expr"]
