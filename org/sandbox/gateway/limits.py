"""Token buckets, quotas and counters over a window: what they say hangs on the clock that is given.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

Key = tuple[str, ...]


class Limits:
    """All counters of a sandbox. `now` is in seconds since 1970."""

    def __init__(self) -> None:
        self._buckets: dict[Key, tuple[float, float]] = {}
        self._seen: dict[Key, deque[float]] = {}
        self._used: dict[Key, tuple[str, int]] = {}

    def forget(self) -> None:
        self._buckets.clear()
        self._seen.clear()
        self._used.clear()

    def take(self, key: Key, rate: float, burst: float, now: float) -> bool:
        """Take a token, of a bucket that holds `burst` and gets `rate` a second; say whether there was one."""
        tokens, since = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + max(0.0, now - since) * rate)
        taken = tokens >= 1
        self._buckets[key] = (tokens - 1 if taken else tokens, now)
        return taken

    def use(self, key: Key, limit: int, period: str, now: float) -> bool:
        """Count one of a quota for a day, a week or a month, in UTC; say whether it is within."""
        begins = _begin(period, now)
        period_before, used = self._used.get(key, (begins, 0))
        used = used if period_before == begins else 0
        if used >= limit:
            return False
        self._used[key] = (begins, used + 1)
        return True

    def count(self, key: Key, seconds: float, now: float) -> int:
        """Count one, and answer how many there were within the window."""
        seen = self._seen.setdefault(key, deque())
        seen.append(now)
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        return len(seen)


def _begin(period: str, now: float) -> str:
    """Answer when the period began; [H]: that a week begins on Sunday."""
    day = datetime.fromtimestamp(now, UTC).date()
    if period == "WEEK":
        day -= timedelta(days=(day.weekday() + 1) % 7)
    return day.strftime("%Y-%m") if period == "MONTH" else day.isoformat()
