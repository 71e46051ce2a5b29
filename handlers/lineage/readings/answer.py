"""AWS's own answers, as JSON, read member by member: what is there must be of the right type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers.lineage.events.envelope import time_of
from handlers.lineage.events.outcome import EventError
from handlers.lineage.model import Time
from org.errors import printable

_LONGEST = 4_000


class Answer:
    """One object of an answer, and where it stood. EventError for what is not as it should be."""

    def __init__(self, said: object, path: str) -> None:
        if not isinstance(said, Mapping):
            raise EventError(path, "is not an object")
        self._said = said
        self.path = path

    def has(self, name: str) -> bool:
        return self._said.get(name) is not None

    def text(self, name: str) -> str | None:
        """Answer a text, cut where it is beyond all reason; None if it is missing or empty."""
        value = self._said.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise EventError(f"{self.path}.{name}", "is not a text")
        return _kept(value)

    def need(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise EventError(f"{self.path}.{name}", "is missing", absent=True)
        return value

    def flag(self, name: str) -> bool | None:
        value = self._said.get(name)
        if value is not None and not isinstance(value, bool):
            raise EventError(f"{self.path}.{name}", "is not true or false")
        return value

    def number(self, name: str) -> int | None:
        value = self._said.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise EventError(f"{self.path}.{name}", "is not a whole number")
        return value

    def time(self, name: str) -> Time | None:
        value = self.text(name)
        return None if value is None else time_of(value, f"{self.path}.{name}")

    def node(self, name: str) -> Answer:
        """Answer an object within; an empty one if it is missing."""
        value = self._said.get(name)
        return Answer({} if value is None else value, f"{self.path}.{name}")

    def rows(self, name: str) -> list[Answer]:
        return [Answer(each, path) for path, each in self.unread_rows(name)]

    def unread_rows(self, name: str) -> list[tuple[str, object]]:
        """Answer the rows of a list as they are, each with its place, so that one that is none hides no other."""
        value = self._said.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise EventError(f"{self.path}.{name}", "is not a list")
        return [(f"{self.path}.{name}[{number}]", each) for number, each in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        value = self._said.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise EventError(f"{self.path}.{name}", "is not a list of texts")
        return [_kept(each) for each in value]

    def tags(self) -> dict[str, str]:
        return {row.need("Key"): row.text("Value") or "" for row in self.rows("Tags")}


def _kept(value: str) -> str:
    cut = value[:_LONGEST]
    # Half of a character could be kept by no engine.
    return cut if not any("\ud800" <= char <= "\udfff" for char in cut) else printable(cut)


def joined(texts: Iterable[str]) -> str | None:
    """Answer sorted texts as one, None if there are none: what is compared and searched as a whole."""
    found = sorted(set(texts))
    return " ".join(found)[:_LONGEST] if found else None
