"""The zip of the functions: the same bytes for the same source, with all that they import of ours and no more."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import stacksets.deterministic_zip
from stacksets.bundle import FUNCTIONS, build_bundle

HEAVY = {
    "boto3",
    "botocore.parsers",
    "networkx",
    "gremlin_python",
    "aiohttp",
    "org.model",
    "org.quotas",
    "org.source.findings",
}


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_equal_source_gives_equal_bytes() -> None:
    one, two = build_bundle(), build_bundle()
    assert one.content == two.content
    assert one.key == two.key


def test_no_time_and_no_owner_of_this_machine_is_in_it() -> None:
    for entry in zipfile.ZipFile(io.BytesIO(build_bundle().content)).infolist():
        assert (entry.date_time, entry.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o100644)


def test_only_what_functions_need_is_in_it() -> None:
    found = names(build_bundle().content)
    assert found == sorted(found)
    assert {"handlers/ingest_events.py", "handlers/lineage/sqlite.py", "org/errors.py", "org/__init__.py"} <= set(found)
    assert {name.partition("/")[0] for name in found} == {"config", "handlers", "org"}
    assert not [name for name in found if name.startswith(("org/sandbox", "org/policy/", "org/plan", "org/proof"))]


def test_every_function_loads_from_the_zip_alone(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(build_bundle().content)).extractall(tmp_path)
    for module in FUNCTIONS:
        code = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {module} as m, handlers.lineage.open, "
            "handlers.lineage.sqlite, handlers.lineage.gremlin.graph, handlers.lineage.archive; "
            f"assert m.__file__.startswith({str(tmp_path)!r}), m.__file__; assert callable(m.handler)"
        )
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", FUNCTIONS)
def test_function_imports_at_its_start_nothing_heavy_that_only_some_requests_need(module: str) -> None:
    code = f"import sys, {module}; print(*{HEAVY!r} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_another_source_has_another_key(monkeypatch) -> None:
    before = build_bundle().key
    monkeypatch.setattr(stacksets.deterministic_zip, "EPOCH", (1981, 1, 1, 0, 0, 0))
    assert build_bundle().key != before
