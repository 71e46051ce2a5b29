"""Sets of times, as disjoint inclusive intervals in order: when a thing held what is asked about."""

from __future__ import annotations

from handlers.lineage.model import Time

BEGINNING = Time(-(1 << 62))
END = Time(1 << 62)

Windows = tuple[tuple[Time, Time], ...]

ALWAYS: Windows = ((BEGINNING, END),)
NEVER: Windows = ()


def union(one: Windows, other: Windows) -> Windows:
    if not one or other == ALWAYS:
        return other
    if not other or one == ALWAYS:
        return one
    merged: list[tuple[Time, Time]] = []
    for start, end in sorted((*one, *other)):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def within(windows: Windows, start: Time, end: Time) -> Windows:
    """Answer the part of the windows that lies in an interval."""
    if windows == ALWAYS:
        return ((start, end),)
    return tuple((max(a, start), min(b, end)) for a, b in windows if a <= end and start <= b)


def meets(windows: Windows, start: Time, end: Time) -> bool:
    return any(a <= end and start <= b for a, b in windows)


def first_from(windows: Windows, time: Time) -> Time | None:
    """Answer the first instant in the windows that is not before a time."""
    return next((max(a, time) for a, b in windows if b >= time), None)
