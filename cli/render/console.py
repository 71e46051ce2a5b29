"""The two streams: results on stdout, talk on stderr; colours and live lines on a terminal only."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console

_WIDE = 10_000
"""Lines that go to a file or a pipe are not broken."""


def results() -> Console:
    return _console(sys.stdout)


def talk() -> Console:
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
