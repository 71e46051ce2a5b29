"""A bootstrap that is killed or stopped half-way, and the run after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.demo import example_manifest
from tests.support.command_line import CommandLine

MANIFEST = example_manifest().parents[1] / "minimal" / "organization.yaml"
PATIENCE = 60.0


def begin(journal: Path) -> subprocess.Popen[str]:
    words = ["-m", "cli.main", "bootstrap", "--yes", "-m", str(MANIFEST), "--journal", str(journal)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, *words], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_lines(run: subprocess.Popen[str], journal: Path, lines: int) -> None:
    """Wait until the run has recorded so much; a run that ends before is as good as any."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and run.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.001)


def assert_completed(orgctl: CommandLine) -> None:
    """Bootstrap once more; then nothing is left, and no account stands there twice."""
    said = orgctl("bootstrap", "--yes", "-m", str(MANIFEST))
    assert said.code == 0, said.out + said.err
    assert orgctl("plan", "-m", str(MANIFEST)).code == 0
    emails = [a["email"] for a in json.loads(orgctl("show", "--format", "json", "-m", str(MANIFEST)).out)["accounts"]]
    assert len(emails) == len(set(emails)) == 5


@pytest.mark.parametrize("lines", [2, 9, 17, 26])
def test_run_after_a_killed_one_completes_it(in_sandbox: CommandLine, tmp_path: Path, lines: int) -> None:
    run = begin(tmp_path / "run.jsonl")
    wait_for_lines(run, tmp_path / "run.jsonl", lines)
    run.kill()
    run.communicate()
    assert_completed(in_sandbox)


def test_stopped_run_says_what_it_left_and_the_next_one_completes_it(in_sandbox: CommandLine, tmp_path: Path) -> None:
    run = begin(tmp_path / "run.jsonl")
    wait_for_lines(run, tmp_path / "run.jsonl", 4)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)
    assert "stopping: what is under way is finished, nothing else begun; Ctrl-C again leaves at once" in err
    assert "the run was stopped" in out
    assert run.returncode == 1
    assert_completed(in_sandbox)
