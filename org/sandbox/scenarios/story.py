"""A story while it is told: what was done, in sentences, and the ids of what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from org.sandbox.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Played:
    scenario: str
    sentences: tuple[str, ...]
    ids: Mapping[str, str]
    """By the part that each plays: `golden`, `web instance`."""


@dataclass
class Story:
    stage: Stage
    sentences: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def take(self, part: str, id: object) -> str:
        """Remember which id plays a part, and answer it."""
        self.ids[part] = str(id)
        return self.ids[part]

    def refused(self, who: str, what: str, attempt: Callable[[], object]) -> bool:
        """Try what AWS should refuse, and say what became of it."""
        try:
            attempt()
        except ClientError as error:
            self.say(f"{who} tried to {what}: {error.response['Error']['Code']}")
            return True
        self.say(f"{who} tried to {what}, and nothing kept him from it")
        return False

    def played(self, scenario: str) -> Played:
        return Played(scenario, tuple(self.sentences), dict(self.ids))
