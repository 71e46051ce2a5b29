"""What was judged: which principal did what with what, by its own request or by a service for it, and the verdict.

Calls that came to the same are one entry, with their number; what the management account's administrator does in it is
not judged, and so is not here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from org.policy.decision import Verdict
from org.policy.request import ContextValue, Request
from org.sandbox.authorization.model import Check

MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Judged:
    """Requests that came to the same."""

    request: Request
    """The first of them, as the evaluator was given it."""
    region: str
    signed: bool
    """Whether the principal sent it; else a service did it in its name: Lambda that reads a queue, SQS that uses a key
    (then `via` says which)."""
    via: str
    verdict: Verdict
    count: int = 1

    def to_dict(self) -> dict[str, Any]:
        request = self.request
        return {
            "principal": request.principal.arn,
            "session": request.principal.session_arn or None,
            "action": request.action,
            "resource": request.resource,
            "account": request.resource_account,
            "region": self.region,
            "by": "itself" if self.signed else self.via or "a service",
            "verdict": self.verdict.value,
            "count": self.count,
        }


_judged: OrderedDict[tuple[object, ...], Judged] = OrderedDict()
"""Those met last, at most `MOST_ENTRIES`."""


def note(
    request: Request,
    check: Check,
    region: str,
    forwarded: Mapping[str, ContextValue],
    verdict: Verdict,
    *,
    signed: bool,
) -> None:
    via = str(forwarded.get("aws:calledvialast") or "")
    context = frozenset((name, value) for name, value in check.context.items())
    key = (request.principal, request.action, request.resource, request.resource_account, region, via, signed, context,
           verdict)  # fmt: skip
    known = _judged.pop(key, None)
    _judged[key] = Judged(
        known.request if known else request, region, signed, via, verdict, known.count + 1 if known else 1
    )
    if len(_judged) > MOST_ENTRIES:
        _judged.popitem(last=False)


def judged() -> tuple[Judged, ...]:
    """Answer all entries, the one met last at the end."""
    return tuple(_judged.values())


def forget() -> None:
    _judged.clear()
