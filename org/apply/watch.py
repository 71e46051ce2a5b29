"""Waiting for what AWS does in its own time: how often to look, and when to give up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from org.errors import OrgctlError


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between two looks at something that AWS is doing, in seconds."""

    sleep: Callable[[float], None]
    account: float = 5.0
    operation: float = 5.0
    switch: float = 3.0
    patience: float = 4 * 3600.0
    """The longest that one step is waited for."""
    blindness: float = 60.0
    """How long AWS may not know yet what it has just been told to make."""


@dataclass(frozen=True, slots=True)
class Watch:
    pace: Pace
    on_wait: Callable[[str], None]
    """Told before each pause what is waited for."""

    def looks(self, every: float, where: str, what: str, patience: float | None = None) -> Iterator[None]:
        """Yield once for each look at what AWS is doing, sleeping in between; raises OrgctlError in the end."""
        patience = self.pace.patience if patience is None else patience
        waited = 0.0
        while True:
            yield
            if waited >= patience:
                raise OrgctlError(where, f"{what} after {waited:,.0f} s", "look at it, then run again")
            self.on_wait(f"{where}: {what}")
            self.pace.sleep(every)
            waited += every

    def until(self, is_so: Callable[[], bool], where: str, what: str) -> None:
        for _ in self.looks(self.pace.switch, where, what, self.pace.blindness):
            if is_so():
                return
