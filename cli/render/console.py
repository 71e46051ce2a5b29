"""The two streams: results on stdout, talk on stderr; colours and live lines on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console

_WIDE = 10_000
"""Lines that go to a file or a pipe are not broken."""


def results() -> Console:
    return _console(sys.stdout)


def talk() -> Console:
    return _console(sys.stderr)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say what is going on, with a sign of life on a terminal."""
    console = talk()
    if console.is_terminal:
        with console.status(what):
            yield
    else:
        console.print(what)
        yield


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else _WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
