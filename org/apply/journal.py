"""The record of a run: what was about to be done, and what became of it, each line on disk before the next call.

It is for people, and for undoing; what exists is always asked of AWS (see `docs/architecture.md`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from org.errors import OrgctlError


class Journal(Protocol):
    def record(self, event: str, **told: object) -> None: ...


class FileJournal:
    """One JSON object a line. Raises OrgctlError when a line cannot be written: a run does not go on unrecorded."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a line is written whole or its failure is known, and nothing is left to fail at the end.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise self._failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def record(self, event: str, **told: object) -> None:
        line = json.dumps({"at": self._now().isoformat(), "event": event, **told}, ensure_ascii=False)
        try:
            self._file.write(line.encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> OrgctlError:
        return OrgctlError(
            f"journal {self.path}", f"cannot be written: {error.strerror}", "make room or pass another --journal"
        )
