"""The command line as a user meets it: words in; exit code, stdout and stderr out."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from cli.main import main


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Said:
        """Run `orgctl WORDS` through the entry point, errors and exit code included."""
        self.monkeypatch.setattr(sys, "argv", ["orgctl", *words])
        self.capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)
