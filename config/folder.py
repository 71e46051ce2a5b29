"""Reads the manifest and the files that it names, all within one folder; makes no AWS call."""

from __future__ import annotations

import errno
import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 16 * MAX_FILE_BYTES
MAX_GLOB_FILES = 1000


class Unreadable(Exception):
    """A file that cannot be used; `what` continues a sentence that begins with the file's name."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what, todo)
        self.what = what
        self.todo = todo


class Folder:
    """The manifest's folder, with the text of every file read from it."""

    def __init__(self, manifest: Path) -> None:
        self.path = manifest.parent
        self.manifest = manifest.name
        self.texts: dict[str, str] = {}
        """By the file's path below the folder."""
        self._bytes = 0

    def shown(self, name: str) -> str:
        """Answer the file's path as the user can open it from where they are."""
        return str(self.path / name)

    def read(self, name: str) -> str:
        """Read a file once; raises Unreadable where it cannot be used or does not lie within the folder."""
        name = str(PurePosixPath(name))
        if name not in self.texts:
            data = self._load(self._within(name))
            self.texts[name] = _decode(data)
        return self.texts[name]

    def expand(self, pattern: str) -> Iterator[str]:
        """Yield the names that a pattern stands for, sorted; a pattern without `*`, `?` or `[` stands for itself."""
        _refuse_outside(pattern)
        if not any(character in pattern for character in "*?["):
            yield str(PurePosixPath(pattern))
            return
        try:
            found = sorted(path.relative_to(self.path).as_posix() for path in self.path.glob(pattern) if path.is_file())
        except (ValueError, OSError, NotImplementedError) as error:
            raise Unreadable(f"is not a pattern of file names: {error}", "write it like accounts/*.yaml") from error
        if len(found) > MAX_GLOB_FILES:
            raise Unreadable(f"matches {len(found):,} files", f"name at most {MAX_GLOB_FILES:,}")
        if not found:
            raise Unreadable("matches no file", "correct or remove it")
        yield from found

    def digest(self) -> str:
        """Answer the SHA-256 over the names and texts of all files read, in hexadecimal digits."""
        sha = hashlib.sha256()
        for name, text in sorted(self.texts.items()):
            for part in (name, text):
                data = part.encode()
                sha.update(len(data).to_bytes(8, "big") + data)
        return sha.hexdigest()

    def _within(self, name: str) -> Path:
        _refuse_outside(name)
        path = self.path / name
        try:
            if not path.resolve().is_relative_to(self.path.resolve()) and name != self.manifest:
                raise Unreadable(
                    "leads out of the manifest's folder through a symbolic link", "copy it into the folder"
                )
        except (OSError, RuntimeError) as error:  # since Python 3.13 a loop is found by reading alone
            raise _leading_nowhere() from error
        return path

    def _load(self, path: Path) -> bytes:
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise Unreadable("is a folder", "name a file")
            if not stat.S_ISREG(mode):
                raise Unreadable("is not a regular file", "name a file")
            with path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError as error:
            raise Unreadable("does not exist", "correct the name") from error
        except PermissionError as error:
            raise Unreadable("may not be read", "give yourself permission to read it") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _leading_nowhere() from error
            raise Unreadable(f"cannot be read: {error.strerror}", "correct the name") from error
        if len(data) > MAX_FILE_BYTES:
            raise Unreadable(f"is larger than {MAX_FILE_BYTES:,} bytes", "split it and name the parts in include:")
        self._bytes += len(data)
        if self._bytes > MAX_TOTAL_BYTES:
            raise Unreadable(f"makes the files larger than {MAX_TOTAL_BYTES:,} bytes in all", "describe fewer things")
        return data


def _leading_nowhere() -> Unreadable:
    return Unreadable("is a symbolic link that leads nowhere", "correct it")


def _refuse_outside(name: str) -> None:
    if not name or not name.isprintable():
        raise Unreadable("is not a file name", "write a path below the manifest's folder")
    if name.startswith(("/", "\\", "~")) or name[1:3] in (":\\", ":/"):
        raise Unreadable("is not below the manifest's folder", "write a path relative to that folder")
    if ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise Unreadable("leads out of the manifest's folder", "keep all files below it")


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        what = f"is not UTF-8: the byte at line {line}, column {column} is 0x{data[error.start]:02x}"
        raise Unreadable(what, "save it with the encoding UTF-8") from error
