"""Tokens for the next page of an answer: where it begins, and of which question."""

from __future__ import annotations

import base64


def write_token(start: int, checksum: int) -> str:
    """Write a token; `checksum` is of the question, which must be the same for the next page."""
    return base64.urlsafe_b64encode(f"{start}:{checksum}".encode()).decode()


def read_token(token: str, checksum: int) -> int | None:
    """Answer where the page begins; None for a token of another question, or none of ours."""
    try:
        start, _, said = base64.urlsafe_b64decode(token).decode().partition(":")
        return int(start) if int(said) == checksum else None
    except ValueError:  # not base64, not text, not numbers
        return None
