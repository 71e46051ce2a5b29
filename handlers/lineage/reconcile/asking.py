"""Calls to EC2 that may be refused: each is counted, and what could not be read is never taken for nothing there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

Call = Callable[[str, Mapping[str, object]], Mapping[str, Any]]
"""Makes a call of EC2, `DescribeImages`, with its parameters, and answers or raises what boto3 does."""


def through(client: object) -> Call:
    """Call through a client of boto3."""
    return lambda call, asked: getattr(client, xform_name(call))(**asked)


@dataclass
class Asker:
    """Asks one account in one Region."""

    call: Call
    counts: Counter[str] = field(default_factory=Counter)
    """Calls that were made, pages each by itself; attempts that botocore repeats are one."""
    refused: dict[str, str] = field(default_factory=dict)
    """Calls that were refused, with the code of the error: denied, throttled, or whatever else."""

    def ask(self, call: str, absent: Sequence[str] = (), **asked: object) -> Mapping[str, Any] | None:
        """Answer what AWS answers; None if it refuses. `absent`: codes that say that a thing is not there: empty.

        A call that was denied is not made again for other things: it would be denied for them, too.
        """
        if self.refused.get(call) in _FOR_ALL:
            return None
        self.counts[call] += 1
        try:
            answer = self.call(call, asked)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "")) or "unknown"
            if code in absent:
                return {}
            self.refused[call] = code
            return None
        except BotoCoreError as error:
            self.refused[call] = type(error).__name__
            return None
        return answer

    def pages(self, call: str, rows: str, **asked: object) -> list[Mapping[str, Any]] | None:
        """Answer all rows of all pages; None if one of the pages is refused: a part would look like all."""
        found: list[Mapping[str, Any]] = []
        token: str | None = None
        while True:
            answer = self.ask(call, (), **asked, **({"NextToken": token} if token else {}))
            if answer is None:
                return None
            found += answer.get(rows, ())
            token = answer.get("NextToken")
            if not token:
                return found


_FOR_ALL = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "OptInRequired", "AuthFailure"})
