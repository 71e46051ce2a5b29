"""An image as its judges see it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from operator import itemgetter

from handlers.lineage.compliance.descents import Descended, Descents
from handlers.lineage.compliance.gathered import Gathered
from handlers.lineage.compliance.subjects import ALIASES_OF_AWS
from handlers.lineage.fold import STATE, Said, State, fold_states
from handlers.lineage.model import Confidence, Fact, Key, Kind, Time, key_of, parts_of
from handlers.lineage.queries.asking import Scope
from handlers.lineage.queries.disagreement import ASKED, SETTLED
from handlers.lineage.queries.things import CREATED_AT, MADE, OWNER, OWNER_ALIAS, Thing, thing_of
from handlers.lineage.settings import Settings

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ][0-9:.]+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True)
class Subject:
    """An image, what is said of it, and by what it is judged."""

    key: Key
    settings: Settings
    scope: Scope
    now: Time
    gathered: Gathered
    descents: Descents

    @cached_property
    def facts(self) -> list[Fact]:
        return self.gathered.of(self.key)

    @cached_property
    def state(self) -> State:
        return self.gathered.state(self.key) or State(self.key)

    @cached_property
    def thing(self) -> Thing:
        made = next((fact.evidence.account for fact in self.facts if fact.relation in MADE), None)
        return thing_of(self.key, self.state, made)

    @cached_property
    def made(self) -> list[Fact]:
        """How it was made, the oldest first."""
        return [fact for fact in self.facts if fact.relation in MADE]

    def said(self, name: str) -> Said | None:
        return self.state.attributes.get(name)

    def is_denied(self, name: str, said: Said) -> bool:
        """Tell whether AWS was asked about the image after events said this of it, and did not say it (approval-gone).

        What AWS answers is not sent again while it stays: the newest answer is as new as the last reading of the place.
        """
        described = fold_states(each for each in self.facts if each.evidence.source in ASKED).get(self.key)
        if said.evidence.source in ASKED or described is None or described.value(STATE) is None:
            return False
        owner = described.value(OWNER) or self.thing.account
        place = key_of(Kind.COVERAGE, owner, self.thing.region, parts_of(self.key).partition)
        read = self.gathered.read_at(place)
        return (
            described.value(name) != said.value
            and read is not None
            and said.evidence.time + SETTLED <= read <= self.now
        )

    @property
    def known(self) -> bool:
        """Tell whether anything was ever said of it, or of how it was made."""
        return self.state.known or bool(self.made)

    @property
    def of_others(self) -> bool:
        """Tell whether a trusted owner outside the organization is SAID to have it: its tags are not ours to set."""
        owner, alias = self.state.value(OWNER), self.state.value(OWNER_ALIAS)
        trusted: Collection[str] = self.settings.trusted_owners
        if owner is not None and owner in self.scope.accounts:
            return False
        outside = alias in ALIASES_OF_AWS or (owner is not None and not self.scope.may_own(owner))
        return outside and (owner in trusted or alias in trusted)

    @cached_property
    def descent(self) -> Descended:
        """Whether its descent is known. Without trusted owners, no root counts as trusted."""
        return self.descents.of(self.key)

    def moment(self, name: str) -> tuple[Time, Said] | None:
        """Answer a date that is said of it; None if none is said, or it cannot be read."""
        said = self.said(name)
        if said is None or not _DATE.fullmatch(said.value):
            return None
        try:
            read = datetime.fromisoformat(said.value)
        except ValueError:
            return None
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        return Time(int(read.timestamp() * 1000)), said

    def born(self) -> tuple[Time, Said | Fact] | None:
        """Answer when it was made, and who says so: AWS's date, or the event of its making; the earlier of the two.

        The time of what was only reported is when AWS was asked, and tells nothing of the image's age.
        """
        seen = (fact for fact in self.made if fact.evidence.confidence is Confidence.OBSERVED)
        found: list[tuple[Time, Said | Fact]] = [(fact.evidence.time, fact) for fact in islice(seen, 1)]
        said = self.moment(CREATED_AT)
        found += [said] if said is not None else []
        return min(found, key=itemgetter(0), default=None)
