"""Gather what is wrong with a manifest, so that a person can correct all of it in one go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from config.findings import Finding, ManifestErrors, Place
from org.errors import OrgctlError


@dataclass(slots=True)
class Faults:
    manifest: str
    """File name of the manifest, for errors that name no place in it."""
    _found: list[Finding] = field(default_factory=list)

    def add(self, where: str, what: str, todo: str) -> None:
        self._found.append(Finding(_place(where), what, todo))

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Note an OrgctlError of the block and go on behind it."""
        try:
            yield
        except ManifestErrors as errors:
            self._found.extend(errors.findings)
        except OrgctlError as error:
            self.add(error.where, error.what, error.todo)

    def raise_if_any(self) -> None:
        """Raise ManifestErrors with all that was gathered."""
        if self._found:
            raise ManifestErrors(self.manifest, self._found)


def _place(where: str) -> Place:
    """Read `file:line:column` back; any other text is the name of a file."""
    file, line, column = ["", "", *where.rsplit(":", 2)][-3:]
    return Place(file, int(line), int(column)) if file and line.isdigit() and column.isdigit() else Place(where)
