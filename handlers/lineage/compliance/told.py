"""Which evaluations AWS Config has already: it keeps the last one of each resource, and each costs money.

That it keeps them is why AWS's own library offers to take back what a periodic rule no longer reports
(awslabs/aws-config-rdklib, `delete_old_evaluations_on_scheduled_notification`). One object for each rule and account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from handlers.lineage.compliance.evaluations import COMPLIANCE, IMAGE, TEST, Evaluation
from handlers.lineage.compliance.invocation import Invocation
from handlers.lineage.model import Time
from handlers.lineage.publish.ledger import Store

AGAIN = 7 * 24 * 3_600_000
"""Milliseconds after which all are put again: somebody may have deleted a rule's results."""


class Told:
    """What a rule was told last, as hashes, and since when. What cannot be read is lost, and all is put again."""

    def __init__(self, store: Store, asked: Invocation, now: Time) -> None:
        self._store, self._name, self._now = store, f"evaluations/{asked.account}/{asked.rule}.json", now
        self._since, self._before = int(now), dict[str, str]()
        # A trial changes nothing in Config, and a change of one resource tells nothing of the others.
        self._remembers = asked.token != TEST and asked.changed is None
        if self._remembers:
            try:
                read = json.loads(store.load(self._name) or "{}")
                if now - int(read["since"]) < AGAIN:
                    self._since, self._before = int(read["since"]), dict(read["told"])
            except (ValueError, TypeError, KeyError):
                pass

    def news(self, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        """Answer those that differ from what Config has. Instances always do: a change of one is told in between."""
        return [each for each in evaluations if each.type != IMAGE or self._before.get(each.id) != _hash(each)]

    def keep(self, evaluations: Sequence[Evaluation]) -> None:
        """Remember them all, once they are put."""
        told = {each.id: _hash(each) for each in evaluations if each.type == IMAGE}
        if self._remembers and told != self._before:
            self._store.save(self._name, json.dumps({"since": self._since, "told": told}, separators=(",", ":")))


def _hash(each: Evaluation) -> str:
    return hashlib.sha256(f"{COMPLIANCE[each.result]}\n{each.says}".encode()).hexdigest()[:16]
