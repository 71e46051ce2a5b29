"""`orgctl lineage`: what is printed of a small history, whole, and the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import cli.lineage_asked
from handlers.lineage.model import Fact, Relation, Time
from handlers.lineage.sqlite import SqliteGraph
from tests.cli.test_rollout import MANIFEST
from tests.support.command_line import CommandLine
from tests.support.lineage import ACCOUNT, fact, instance, note
from tests.support.lineage_story import GOLDEN, MALFORMED, SHOP, story

COMPLETE = "complete: nothing is known to be missing\n"


def keep(*more: Fact) -> None:
    graph = SqliteGraph(Path("graph.sqlite"))
    graph.append(story(*more))
    graph.close()


@pytest.fixture
def lineage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orgctl: CommandLine) -> CommandLine:
    """Run in a folder with a graph that holds the story; two hours after the last event."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORGCTL_LINEAGE_GRAPH", f"sqlite://{tmp_path}/graph.sqlite")
    monkeypatch.setattr(cli.lineage_asked, "now", lambda: Time(1_790_000_015_000 + 7_200_000))
    keep()
    return orgctl
