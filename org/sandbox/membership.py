"""Who hears of an account that joins, moves, or leaves: what auto-deployment of StackSets reacts to.

A listener runs inside the request that caused the change, after it; it is given ids, and looks up the rest itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """`source` is empty for an account that was created, `destination` for one that was closed or removed."""

    management_account: str
    partition: str
    account: str
    source: str
    destination: str


Listener = Callable[[MembershipChange], None]

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> None:
    """Have the listener hear of every change from now on; a second time for the same one changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(change: MembershipChange) -> None:
    for listener in _listeners:
        listener(change)
