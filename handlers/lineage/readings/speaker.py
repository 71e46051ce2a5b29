"""What stands behind the facts of a reading: when each is so, and the hash of what was read as its cause. Pure."""

from __future__ import annotations

from handlers.lineage.events.envelope import partition_of
from handlers.lineage.events.teller import Teller
from handlers.lineage.model import Confidence, Evidence, Place, Source, Time
from handlers.lineage.readings.form import digest
from org.ids import AccountId, Region

AFTERWARDS = "+"
"""Ends the cause of what is said right after something else at the same time: first all tags are gone, then these are
there. Facts of one time are in the order of their causes."""


class Speaker:
    """Makes tellers, each with evidence of its own, and collects what they tell."""

    def __init__(self, place: Place, time: Time) -> None:
        self.place = place
        self.time = time
        self.partition = partition_of(place.region)
        self.tellers: list[Teller] = []

    def made(
        self,
        call: str,
        said: object,
        time: Time | None,
        source: Source = Source.DESCRIBE,
        account: AccountId | None = None,
        region: Region | None = None,
    ) -> Teller:
        """Tell how a thing came to be, at the time when it did: the same from whatever reading it is learned."""
        return self._teller(call, said, self.time if time is None else time, source, account, region)

    def now(self, call: str, said: object, source: Source = Source.DESCRIBE) -> Teller:
        """Tell what is so at the time of the reading."""
        return self._teller(call, said, self.time, source, None, None)

    def afterwards(self, teller: Teller) -> Teller:
        """Tell what is so right after what another teller tells."""
        each = teller.evidence
        return self._add(
            Evidence(
                each.source,
                each.event_id + AFTERWARDS,
                each.time,
                each.account,
                each.region,
                confidence=each.confidence,
            )
        )

    def _teller(
        self, call: str, said: object, time: Time, source: Source, account: AccountId | None, region: Region | None
    ) -> Teller:
        cause = f"{call}:{digest(said)}"
        where = account or self.place.account, region or self.place.region
        return self._add(Evidence(source, cause, time, *where, confidence=Confidence.REPORTED))

    def _add(self, evidence: Evidence) -> Teller:
        teller = Teller(evidence, self.partition)
        # Things are in the place that was read, whoever has made them.
        teller.region = self.place.region
        self.tellers.append(teller)
        return teller
