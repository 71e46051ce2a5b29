"""Output that its stream does not take: a full disk, a closed stream, a reader that has gone, another encoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ORGCTL = f"{sys.executable} -m cli.main"
FAULTY = "version: 1\norganization: {home_region: tschüß→}\n"


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    words = ["/bin/sh", "-c", line]
    places = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(words, cwd=folder, env={**places, **environment}, capture_output=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("words", ["schema", "--help", "sandbox status", "sandbox status --format json"])
def test_disk_that_is_full_is_told_in_one_line(tmp_path: Path, words: str) -> None:
    done = shell(f"{ORGCTL} {words} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr == b"error: output: No space left on device; make room\n"


def test_closed_streams_take_everything(tmp_path: Path) -> None:
    done = shell(f"{ORGCTL} sandbox status >&-", tmp_path)
    assert (done.returncode, done.stderr) == (3, b"")
    done = shell(f"{ORGCTL} validate >&- 2>&-", tmp_path)
    assert (done.returncode, done.stderr) == (3, b"")


def test_reader_that_leaves_early_is_no_fault(tmp_path: Path) -> None:
    done = shell(f"{ORGCTL} schema | head -n 1", tmp_path)
    assert (done.stdout, done.stderr) == (b"{\n", b"")


def test_character_that_the_encoding_lacks_is_escaped_and_json_still_means_the_same(tmp_path: Path) -> None:
    (tmp_path / "organization.yaml").write_text(FAULTY, encoding="utf-8")
    whole = shell(f"{ORGCTL} validate --format json", tmp_path, PYTHONIOENCODING="utf-8")
    ascii_only = shell(f"{ORGCTL} validate --format json", tmp_path, PYTHONIOENCODING="ascii")
    assert "tschüß→" in whole.stdout.decode()
    assert r"tsch\u00fc\u00df\u2192" in ascii_only.stdout.decode("ascii")
    assert json.loads(ascii_only.stdout) == json.loads(whole.stdout)
    assert (ascii_only.returncode, ascii_only.stderr) == (whole.returncode, whole.stderr)
