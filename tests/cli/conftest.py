"""One sandbox for all tests of the command line, emptied for each, and the words to use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import lineage_asked
from handlers.lineage.model import Time
from org.sandbox.process import reset_sandbox, start_sandbox, stop_sandbox
from tests.support.command_line import CommandLine
from tests.support.lineage_story import keep, story


@pytest.fixture(scope="module")
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    start_sandbox(home)
    yield home
    stop_sandbox(home)


@pytest.fixture
def orgctl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def in_sandbox(sandbox_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    """Run in an empty folder, against an empty sandbox."""
    reset_sandbox(sandbox_home)
    monkeypatch.setenv("ORGCTL_HOME", str(sandbox_home))
    monkeypatch.setenv("ORGCTL_SANDBOX", "1")
    monkeypatch.chdir(tmp_path)
    return orgctl


NOW = Time(1_790_000_015_000 + 7_200_000)
"""Two hours after the last event of the story."""


@pytest.fixture
def lineage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    """Run in a folder with a lineage graph that holds the story."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORGCTL_LINEAGE_GRAPH", f"sqlite://{tmp_path}/graph.sqlite")
    monkeypatch.setattr(lineage_asked, "now", lambda: NOW)
    keep(story())
    return orgctl
