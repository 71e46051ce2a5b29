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
    """Answer the part of the text that holds the sign, if a frame can be told from it; else the text."""
    text = _MARGIN.sub("", _ESCAPE.sub("", text))
    for found in _XML.finditer(text):
        if sign in found[1]:
            return html.unescape(found[1])
    return next((each for each in _texts_of_json(text) if sign in each), text)


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
            waiting += value.values() if isinstance(value, dict) else value
