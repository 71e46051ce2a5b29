"""Files that a command makes: never over another unless told so, and whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from org.errors import OrgctlError


def write_new(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file; raises OrgctlError where there is one already (unless forced) or it cannot be written.

    What was there before stays until the new file is whole.
    """
    try:
        if not force:
            _write(path, content)
        elif path.is_file() and not path.is_symlink():
            beside = path.with_name(f".{path.name}.new")
            beside.unlink(missing_ok=True)
            _write(beside, content)
            beside.replace(path)
        else:  # a pipe, a device, a link to a file elsewhere
            path.write_bytes(content)
    except FileExistsError as error:
        raise OrgctlError(str(path), "there is a file already", "name another, or pass --force") from error
    except OSError as error:
        raise OrgctlError(str(path), f"cannot be written: {error.strerror}", "name another file") from error


def _write(path: Path, content: bytes) -> None:
    """Make a file, and leave nothing of it where it cannot be finished."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def fill_folder(path: Path, fill: Callable[[], list[Path]]) -> list[Path]:
    """Make a folder, or take an empty one, and have it filled; what cannot be finished is taken away again.

    Raises OrgctlError where the folder holds something, or cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        used = any(path.iterdir())
    except OSError as error:
        raise OrgctlError(str(path), f"cannot be written: {error.strerror}", "name another folder") from error
    if used:
        raise OrgctlError(str(path), "the folder is not empty", "name a new or empty one")
    try:
        return fill()
    except BaseException as error:
        for each in path.iterdir():
            each.unlink()
        if isinstance(error, OSError):
            raise OrgctlError(str(path), f"cannot be written: {error.strerror}", "name another folder") from error
        raise
