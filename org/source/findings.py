"""What is wrong with a file, and where: a finding names the place, the fault, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from org.errors import OrgctlError, printable


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; line and column count from 1, and 0 stands for the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Reads `file:line:column: what; what to do`; sorts by file, line and column."""

    place: Place
    what: str
    todo: str

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.what}; {self.todo}")


class SourceErrors(OrgctlError):
    """All that is wrong with what was read; printed one finding per line, sorted by place."""

    def __init__(self, where: str, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        count = len(self.findings)
        super().__init__(where, "1 error" if count == 1 else f"{count} errors")

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


def suggest(wrong: str, valid: Iterable[str], otherwise: str, *, prefix: str = "") -> str:
    """Answer `did you mean 'nearest'?`, or `otherwise` where no valid name is near; `prefix` goes before the name.

    Case counts little: `prod` is near `PROD`, though they share no letter. A path is also known by its last part.
    """
    valid = sorted(valid, reverse=True)
    last = re.split("[/:]", wrong)[-1]
    paths = [name for name in valid if last and name.endswith("/" + last)]
    if len(paths) == 1:
        return f"did you mean {prefix + paths[0]!r}?"
    by_folded = {name.casefold(): name for name in valid}
    nearest = difflib.get_close_matches(wrong.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean {prefix + by_folded[nearest[0]]!r}?" if nearest else otherwise
