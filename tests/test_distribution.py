"""The five package names are generic: nothing else in the environment may ship one of them."""

from __future__ import annotations

import ast
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import org


@pytest.mark.parametrize("package", ["org", "config", "stacksets", "handlers", "cli"])
def test_no_other_distribution_ships_one_of_our_packages(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"orgctl"}


def test_every_file_that_a_package_reads_is_shipped_with_it() -> None:
    root = Path(org.__file__ or "").parents[1]
    globs = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    shipped = {
        path
        for package, patterns in globs.items()
        for each in patterns
        for path in (root / package.replace(".", "/")).glob(each)
    }
    found = {
        path
        for package in ("org", "config", "stacksets", "handlers", "cli")
        for path in (root / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert found - shipped == set()


def test_org_imports_nothing_since_python_311_imports_it_for_jython() -> None:
    # `copy` of CPython <= 3.11 tries `from org.python.core import PyStringMap`.
    tree = ast.parse(Path(org.__file__ or "").read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in tree.body] == ["Expr"]
