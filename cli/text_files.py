"""Files that a user names on the command line."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

from org.errors import OrgctlError

MAX_BYTES = 16 * 1024 * 1024
"""Room for some 100,000 requests."""


_STDIN = Path("-")


def read_text(path: Path) -> str:
    """Read a file, or with `-` what is piped in; raises OrgctlError where it cannot be used."""
    try:
        with nullcontext(sys.stdin.buffer) if path == _STDIN else path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise OrgctlError(name_of(path), f"cannot be read: {error.strerror}", "name another file") from error
    if len(data) > MAX_BYTES:
        raise OrgctlError(name_of(path), f"it has more than {MAX_BYTES:,} bytes", "name another file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OrgctlError(name_of(path), "it is not UTF-8", "save it as UTF-8") from error


def name_of(path: Path) -> str:
    """Answer how findings name a file."""
    return "stdin" if path == _STDIN else str(path)


def read_stdin(characters: int) -> str:
    """Read what is piped in, as far as it is to be looked at; what is no UTF-8 is replaced."""
    return sys.stdin.buffer.read(4 * characters).decode(errors="replace")[:characters]
