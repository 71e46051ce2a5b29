"""What can become of an event, and the one error by which its reading ends."""

from __future__ import annotations

from enum import StrEnum

from org.errors import OrgctlError


class Outcome(StrEnum):
    """What an event turned out to be; none of them is dropped."""

    FACTS = "facts"
    FAILED = "failed"
    """A call that AWS refused: an attempt, never a fact about the thing that it names."""
    NOT_LINEAGE = "not-lineage"
    UNKNOWN = "unknown"
    """Well-formed, from AWS, of a version or kind that came after this parser."""
    MALFORMED = "malformed"
    FORGED = "forged"
    """It says of itself what its envelope contradicts, or comes from no service of AWS."""


class EventError(OrgctlError):
    """An event cannot be read further; `parse_event` turns it into the outcome that it carries."""

    def __init__(self, where: str, what: str, outcome: Outcome = Outcome.MALFORMED, *, absent: bool = False) -> None:
        super().__init__(where, what)
        self.outcome = outcome
        self.absent = absent
        """True where a member is missing: no surprise if CloudTrail has left out what was too large."""
