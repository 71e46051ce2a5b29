"""Files that a command makes: never over another unless told so."""

from __future__ import annotations

from pathlib import Path

from org.errors import OrgctlError


def write_new(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file; raises OrgctlError where there is one already (unless forced) or it cannot be written."""
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise OrgctlError(str(path), "there is a file already", "name another, or pass --force") from error
    except OSError as error:
        raise OrgctlError(str(path), f"cannot be written: {error.strerror}", "name another file") from error


def empty_folder(path: Path) -> None:
    """Make a folder, or take an empty one; raises OrgctlError where it holds something."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        used = any(path.iterdir())
    except OSError as error:
        raise OrgctlError(str(path), f"cannot be written: {error.strerror}", "name another folder") from error
    if used:
        raise OrgctlError(str(path), "the folder is not empty", "name a new or empty one")
