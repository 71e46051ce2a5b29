"""`orgctl lineage` on what happened in the sandbox: the live graph, its accounts, and a rebuild from its archive."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.play import play
from cli.rollout import run_bootstrap
from cli.settings import Settings
from org.sandbox.process import reset_sandbox
from tests.support.command_line import CommandLine

COMPANY = Path(__file__).parents[2] / "config" / "examples" / "company"


@pytest.fixture(scope="module")
def played(sandbox_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example company, in which a golden image was built, approved and copied; the tests here only read it."""
    folder = tmp_path_factory.mktemp("company") / "company"
    shutil.copytree(COMPANY, folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("ORGCTL_HOME", str(sandbox_home))
        reset_sandbox(sandbox_home)
        settings = Settings(folder / "organization.yaml", sandbox=True)
        assert run_bootstrap(settings, None, folder / "journal", allow_destroy=False, yes=True) == 0
        play(settings, "golden")
    yield folder
    for left in sandbox_home.glob("lineage.sqlite*"):
        left.unlink()


@pytest.fixture
def orgctl_there(played: Path, sandbox_home: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    monkeypatch.setenv("ORGCTL_HOME", str(sandbox_home))
    monkeypatch.setenv("ORGCTL_SANDBOX", "1")
    monkeypatch.chdir(played)
    return orgctl


def copy_of_golden(orgctl: CommandLine) -> str:
    found = json.loads(orgctl("lineage", "search", "--region", "eu-west-1", "--format", "json").out)
    (copy,) = found["things"]
    return str(copy["key"])


def test_the_copy_of_a_golden_image_descends_from_it_and_from_the_machine_it_was_made_of(
    orgctl_there: CommandLine,
) -> None:
    said = orgctl_there("lineage", "ancestors", copy_of_golden(orgctl_there), "--live")
    assert said.code == 0
    tree = [line for line in said.out.splitlines() if "─ " in line]
    assert len(tree) == 3
    assert "✓ was copied from ami-" in tree[0]
    assert "eu-central-1 · Image Factory " in tree[0]
    assert "~ was made from the disks of i-" in tree[1]
    assert "✓ was launched from ami-" in tree[2]


def test_a_rebuild_finds_the_archive_and_makes_the_same_graph(orgctl_there: CommandLine, tmp_path: Path) -> None:
    live = json.loads(orgctl_there("lineage", "digest", "--format", "json").out)
    said = orgctl_there("lineage", "rebuild", "--graph", f"sqlite://{tmp_path}/again.sqlite", "--format", "json")
    told = json.loads(said.out)
    assert said.code == 0
    assert {name: told[name] for name in ("facts", "places", "digest")} == live
    assert live["facts"] > 10
