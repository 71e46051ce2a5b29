"""Compare rendered text with a committed file; ORGCTL_REFRESH_GOLDENS=1 writes the files anew."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"
REFRESH = "ORGCTL_REFRESH_GOLDENS=1 .venv/bin/python -m pytest tests/stacksets tests/lineage"


def assert_golden(name: str, value: object) -> None:
    path = GOLDEN / name
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("ORGCTL_REFRESH_GOLDENS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != committed:
        lines = difflib.unified_diff(
            committed.splitlines(), text.splitlines(), f"committed {name}", f"rendered {name}", lineterm=""
        )
        raise AssertionError("\n".join([*lines, "", f"if the change is meant: {REFRESH}"]))
