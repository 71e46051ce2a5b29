"""The layer of packages: by the lock alone, the same bytes each time, and all that the functions import."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from org.errors import OrgctlError
from stacksets.bundle import FUNCTIONS, build_bundle
from stacksets.layer import LAMBDA, LOCK, SERVICES, Layer, Platform, build_layer, requirements

ROOT = Path(__file__).parents[2]
HERE = Platform(f"{sys.version_info.major}.{sys.version_info.minor}", ("manylinux2014_x86_64",))


def build(platform: Platform) -> Layer:
    try:
        return build_layer(platform)
    except OrgctlError as error:
        if "hash" in str(error).lower():
            raise
        pytest.skip(f"pip reaches no index from here: {error}")


@pytest.fixture(scope="module")
def layer() -> Layer:
    return build(LAMBDA)


def test_lock_has_a_hash_for_each_package_and_names_no_index():
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= len(requirements()) > 20


def test_versions_are_those_that_orgctl_itself_pins():
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ours = dict(each.split("==") for each in pinned)
    asked = [line for line in (ROOT / "stacksets/layer.in").read_text().splitlines() if "==" in line]
    assert asked
    for line in asked:
        name, version = line.split("==")
        assert requirements()[name] == version
        assert ours.get(name, version) == version


def test_every_client_that_functions_make_has_its_description_in_the_layer():
    made = {
        service
        for module in build_bundle().modules
        if module.startswith("handlers")
        for service in re.findall(r"client\(\s*\"([a-z0-9]+)\"", source_of(module))
    }
    assert made
    assert made <= SERVICES


def source_of(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("retries", "said"),
    [
        ("1", "there is no connection to the package index"),
        ("0", r"the package index cannot be reached, or has no aenum==\S+"),
    ],
)
def test_index_that_cannot_be_reached_is_told_with_what_to_do(monkeypatch, retries, said):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the port of discard, where nobody listens
    monkeypatch.setenv("PIP_RETRIES", retries)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    whole = rf"layer\.lock: pip could not get the packages: {said}; see that pip reaches a package index from here"
    with pytest.raises(OrgctlError, match=f"^{whole}$"):
        build_layer()


def test_index_without_the_packages_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(OrgctlError, match=r"cannot be reached, or has no aenum==\S+; see that pip reaches"):
        build_layer()


def test_layer_is_the_same_each_time_and_small(layer):
    assert build(LAMBDA).content == layer.content
    assert len(layer.content) < 20_000_000
    assert layer.unpacked < 60_000_000


def test_layer_holds_what_lambda_looks_for_and_no_leavings(layer):
    entries = zipfile.ZipFile(io.BytesIO(layer.content)).infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert all(name.startswith("python/") for name in names)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert any(name.endswith("LICENSE") for name in names)
    assert any(re.search(r"aarch64-linux-gnu\.so$", name) for name in names)
    services = {
        name.split("/")[3] for name in names if name.startswith("python/botocore/data/") and name.count("/") > 4
    }
    assert services == SERVICES


def test_every_function_loads_from_its_code_and_the_layer_alone(tmp_path):
    layer = build(HERE)
    for content, folder in ((build_bundle().content, "code"), (layer.content, "layer")):
        zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / folder)
    # Neither this process's packages nor the source tree is on the path.
    start = f"import sys; sys.path[:0] = [{str(tmp_path / 'code')!r}, {str(tmp_path / 'layer' / 'python')!r}]; "
    code = start + (
        "import importlib, boto3\n"
        f"for name in {FUNCTIONS!r}: assert callable(importlib.import_module(name).handler), name\n"
        f"for name in {sorted(SERVICES)!r}: boto3.client(name, region_name='eu-central-1')\n"
        "import handlers.lineage.gremlin.graph, handlers.lineage.sqlite\n"
        "places = {m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)}\n"
        "assert not [each for each in places if 'site-packages' in each]"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
