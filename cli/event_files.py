"""EventBridge events that a user keeps in files: one as JSON, a list of them, or one on each line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cli.text_files import read_text
from org.errors import OrgctlError

_STDIN = Path("-")


def read_events(path: Path) -> list[str]:
    """Answer the text of each event; OrgctlError where the file holds none, or something else."""
    text = sys.stdin.buffer.read().decode(errors="replace") if path == _STDIN else read_text(path)
    where = "stdin" if path == _STDIN else str(path)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _lines(text, where)
    if isinstance(whole, list) and whole:
        return [json.dumps(each) for each in whole]
    if not isinstance(whole, dict):
        raise OrgctlError(where, "it holds no events", "give EventBridge events as JSON, in a list, or one on a line")
    if "Records" in whole and "detail-type" not in whole:
        what = "this is a log file of CloudTrail, whose records have no envelope to hold them against"
        raise OrgctlError(where, what, "give the events as EventBridge delivers them")
    return [text]


def _lines(text: str, where: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        json.loads(lines[0] if lines else "")
    except (ValueError, RecursionError) as error:
        what = f"neither JSON nor JSON lines: {error}"
        raise OrgctlError(where, what, "give EventBridge events as JSON, in a list, or one on a line") from error
    return lines
