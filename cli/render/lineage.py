"""How lineage is put into words: things, times, evidence, and what an answer may lack. Texts of others are escaped."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.text import Text
from rich.tree import Tree

from handlers.lineage.model import Confidence, Evidence, Key, Kind, Time, parts_of
from handlers.lineage.queries.hops import Hop, Verdict
from handlers.lineage.queries.json_form import to_plain, written
from handlers.lineage.queries.reasons import Reason
from handlers.lineage.queries.things import Thing
from org.errors import printable
from org.model import AccountId

T = TypeVar("T")
Line = Tree | Text | str

_SELF_TOLD = frozenset({Kind.IMAGE, Kind.SNAPSHOT, Kind.VOLUME, Kind.INSTANCE, Kind.FLEET})
"""Kinds whose ids say what they are."""
_WORDS = {Kind.TEMPLATE_VERSION: "launch template version", Kind.OBJECT: "S3 object", Kind.EXTERNAL: "disk outside AWS"}
SIGNS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.VERIFIED: ("✓", "green", "the same content"),
    Verdict.UNVERIFIED: ("~", "yellow", "content not sure"),
    Verdict.FOREIGN: ("?", "red", "content from elsewhere"),
    Verdict.REFERENCE: ("→", "cyan", "no content passes"),
}
_ABOUT_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Words:
    """Knows the names of accounts, and how much to say."""

    names: Mapping[AccountId, str]
    verbose: bool = False

    def account(self, account: str) -> str:
        name = self.names.get(AccountId(account))
        return printable(f"{name} {account}" if name else account or "account not known")

    def thing(self, thing: Thing, unknown: str = "only its name is known") -> Text:
        """Say on one line which thing it is, where, whose, and in which state; `unknown` of one that is not known."""
        where = [] if thing.region == "-" else [thing.region]
        told = " · ".join(printable(each) for each in (*where, self.account(thing.account), thing.state) if each)
        text = Text.assemble((key_text(thing.key), "bold"), name_text(thing))
        text.append(f"  {told}", "dim")
        if not thing.known:
            text.append(f"  {unknown}", "yellow")
        elif thing.gone:
            text.append("  no longer there", "yellow")
        return text

    def evidence(self, evidence: Evidence) -> str:
        """Say when, by whom, in which account, and how it is known."""
        by = f" by {self._actor(evidence)}" if evidence.actor else ""
        sure = "" if evidence.confidence is Confidence.OBSERVED else f", {evidence.confidence.value}"
        where = f"{self.account(evidence.account)}/{printable(evidence.region)}"
        return f"{time_text(evidence.time)}{by} in {where} ({evidence.source.value}{sure})"

    def _actor(self, evidence: Evidence) -> str:
        """Answer an ARN without what is told beside it anyway; all of it with -v."""
        parts = evidence.actor.split(":", 5)
        if self.verbose or parts[0] != "arn" or len(parts) < 6:
            return printable(evidence.actor)
        of = "" if parts[4] in ("", evidence.account) else f" of {parts[4]}"
        return printable(f"{parts[5]}{of}")

    def cut(self, things: Sequence[T], most: int) -> tuple[Sequence[T], int]:
        """Answer what is shown of a long list, and how many are not; all with -v."""
        if self.verbose or len(things) <= most:
            return things, 0
        return things[:most], len(things) - most


def key_text(key: Key) -> str:
    """Answer the id, after the kind where the id does not tell it."""
    _, _, kind, name = parts_of(key)
    return printable(name if kind in _SELF_TOLD else f"{kind_text(kind)} {name}")


def name_text(thing: Thing) -> str:
    """Answer ` “name”`, unless the id says it."""
    id = parts_of(thing.key).name
    return "" if thing.name in (id, id.rpartition("/")[2]) else f" “{printable(thing.name)}”"


def kind_text(kind: Kind) -> str:
    return _WORDS.get(kind, kind.value.replace("-", " "))


def placed_text(key: Key) -> str:
    """Answer the id with its Region."""
    region = parts_of(key).region
    return key_text(key) if region == "-" else f"{key_text(key)} in {printable(region)}"


def time_text(time: Time | None) -> str:
    """Write `2026-09-21T14:13:20Z`, with milliseconds where there are any."""
    return (written(time) or "not known").replace(".000Z", "Z")


def verdict_text(hop: Hop) -> tuple[str, str, str]:
    """Answer sign, style, and what is to be said of the content."""
    sign, style, says = SIGNS[hop.verdict]
    return sign, style, f"{says}: {printable(hop.why)}" if hop.why else says


def framed(lines: Iterable[Line], reasons: Sequence[Reason], words: Words) -> Iterator[Line]:
    """Say first and last that an answer is incomplete, and at last why."""
    if not reasons:
        yield from lines
        return
    yield Text("incomplete: it may lack something, or say too much; the reasons stand at the end", "bold yellow")
    yield from lines
    yield Text(f"incomplete, for {counted(len(reasons), 'reason')}:", "bold yellow")
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in reasons:
        grouped[each.why.value, each.says].append(each.about)
    for (why, says), about in grouped.items():
        shown, more = words.cut(about, _ABOUT_SHOWN)
        named = ", ".join(printable(each) for each in shown) + (f" and {more:,} more" if more else "")
        # A number in what is said is of one, and not of all together.
        yield Text(f"  {why}: {named}{', each' if len(about) > 1 else ''}: {printable(says)}", "yellow")


def as_json(answer: object) -> str:
    """Write an answer whole; ASCII alone, so that nothing in it acts on a terminal."""
    return json.dumps(to_plain(answer), indent=2)


def counted(number: int, what: str) -> str:
    """Write `1 image`, `2 images`."""
    return f"{number:,} {what}{'s'[: number != 1]}"
