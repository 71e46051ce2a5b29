"""What people paste: a message out of the frame that a terminal, a program or a protocol put around it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours of a terminal."""
_MARGIN = re.compile(r"^[ \t]*[│|╷╵>]+", re.MULTILINE)
"""Terraform's, which also breaks lines within the message, and that of a quotation."""
_XML = re.compile(r"<message>([^<]*)</message>", re.IGNORECASE)


def unframed(text: str, sign: str) -> str:
    """Answer the parts of the text that hold the sign, if a frame can be told from them; else the text."""
    text = _MARGIN.sub("", _ESCAPE.sub("", text))
    found = [html.unescape(each[1]) for each in _XML.finditer(text)] or list(_texts_of_json(text))
    return "\n".join(each for each in found if sign in each) or text


def _texts_of_json(text: str) -> Iterator[str]:
    if not text.lstrip().startswith(("{", "[")):
        return
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting += reversed(value.values() if isinstance(value, dict) else value)
