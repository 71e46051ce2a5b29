"""The time that the events of the sandbox tell: to the second, as AWS's do, and later with each call.

A second holds many calls here and few at AWS; with the true time the order of what happened would be lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from moto.core.utils import utcnow

_last: list[datetime] = []


def tick() -> datetime:
    """Answer the time of the next event: now, or a second after the one before."""
    now = utcnow().replace(tzinfo=UTC, microsecond=0)
    moment = max(now, _last[-1] + timedelta(seconds=1)) if _last else now
    _last[:] = [moment]
    return moment


def forget() -> None:
    """Begin again with the true time."""
    _last.clear()


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
