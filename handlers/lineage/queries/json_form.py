"""Answers as plain data for JSON, in one order: what the command line prints and the API answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

from handlers.lineage.model import Fact, Time
from handlers.lineage.queries.things import Thing
from handlers.lineage.queries.windows import BEGINNING, END, Windows

Plain = str | int | bool | list["Plain"] | dict[str, "Plain"] | None

COMPUTED = ("complete", "truncated", "differs", "gone", "inferred")
"""Properties that are told beside the fields."""


def to_plain(answer: object) -> Plain:
    """Answer any answer of the queries as plain data; TypeError for what is none.

    Data classes become objects, with `complete` first where they have it; times are ISO 8601 in UTC, to the
    millisecond; an open end of a window is null; facts carry their id, and their attributes as an object.
    """
    if answer is None or isinstance(answer, bool):
        return answer
    if isinstance(answer, enum.Enum):
        return to_plain(answer.value)
    if isinstance(answer, int):
        return int(answer)
    if isinstance(answer, str):
        return str(answer)
    if isinstance(answer, Mapping):
        return {str(key): to_plain(answer[key]) for key in sorted(answer)}
    if is_dataclass(answer) and not isinstance(answer, type):
        return _object(answer)
    if isinstance(answer, tuple) and hasattr(answer, "_asdict"):
        return to_plain(answer._asdict())
    if isinstance(answer, tuple | list):
        return [to_plain(each) for each in answer]
    if isinstance(answer, set | frozenset):
        return [to_plain(each) for each in sorted(answer)]
    raise TypeError(f"no form in JSON for {type(answer).__name__}")


def written(time: Time | None) -> str | None:
    """Write a time as `2026-11-26T02:36:38.000Z`; null for none, and for the beginning and the end of time."""
    if time is None or not BEGINNING < time < END:
        return None
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(answer: object) -> dict[str, Plain]:
    said: dict[str, Plain] = {name: to_plain(getattr(answer, name)) for name in COMPUTED if hasattr(type(answer), name)}
    if isinstance(answer, Fact):
        said["id"] = answer.id
    for each in fields(answer):  # type: ignore[arg-type]  # the caller has asked `is_dataclass`
        value = getattr(answer, each.name)
        if each.type in ("Time", "Time | None"):
            said[each.name] = written(value)
        elif each.name == "windows":
            said[each.name] = {key: _windows(value[key]) for key in sorted(value)}
        elif isinstance(answer, Fact) and each.name == "attributes":
            said[each.name] = dict(value)
        elif not (isinstance(answer, Thing) and each.name == "state_of"):
            said[each.name] = to_plain(value)
    return said


def _windows(windows: Windows) -> Plain:
    return [[written(start), written(end)] for start, end in windows]
