"""An explained refusal: what was refused, by which statement, attached where, and what would spare the principal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from rich.text import Text

from org.errors import printable
from org.explain.explanation import Explanation
from org.explain.message import Refusal
from org.explain.suspects import Suspect
from org.source.findings import Place


@dataclass(frozen=True, slots=True)
class Written:
    """What the manifest tells of policies."""

    places: dict[tuple[str, int], Place] = field(default_factory=dict)
    """By name and number of the statement."""
    ways: dict[tuple[str, str], str] = field(default_factory=dict)
    """How to spare the principal where a guardrail renders the statement; by name and label."""


def explanation_lines(explained: Explanation, written: Written) -> Iterator[Text]:
    """Yield plain lines; a value of somebody else is written so that no terminal acts on it."""
    refusal = explained.refusal
    on = f" on {refusal.resource}" if refusal.resource else ""
    yield Text.assemble(("refused  ", "red"), printable(f"{refusal.action}{on}"))
    yield Text(printable(f"to       {refusal.principal}"))
    shown = any(cause.arn == refusal.policy_arn for cause in explained.causes)
    yield Text(printable(f"because  {_reason(refusal, named='' if shown else refusal.policy_arn)}"))
    if explained.account:
        name = f" ({explained.account_name})" if explained.account_name else ""
        yield Text(printable(f"account  {explained.account}{name}"))
    if explained.path:
        steps = (f"[{step.level}]" if step.holds else step.level for step in explained.path)
        yield Text(printable(f"path     {' → '.join(steps)}"))
    for suspect in explained.causes:
        yield from _suspect_lines(suspect, written)
    ways = [written.ways.get((each.policy, each.sid), "") or each.statement for each in explained.exemptions]
    for number, exemption in enumerate(explained.exemptions):
        if number == 0:
            yield Text("what lets the call through, proved by evaluating again:", style="bold")
        at = f", {exemption.level}" if exemption.level else ""
        yield Text(printable(f"  {exemption.says}{at}"))
        if ways[number] and ways[number] not in ways[number + 1 :]:  # one parameter may do it for several statements
            yield Text(printable(f"  {ways[number]}"), style="cyan")
    for suspect in explained.others:
        yield Text(printable(_said_of(suspect)), style="dim")
    if explained.causes and not explained.exemptions:
        yield Text("no exemption was found that is proved to let the call through")
    for note in explained.notes:
        yield Text(printable(f"note: {note}"))


def _said_of(suspect: Suspect) -> str:
    at = ", ".join(suspect.levels)
    if not suspect.policy:
        said = "nothing allows it" if suspect.is_settled else "nothing may allow it"
        return f"{said}: no {suspect.kind} at {at}{_hangs(suspect)}"
    denied = "denied by" if suspect.is_settled else "may be denied by"
    return f"{denied} {suspect.policy} · {suspect.sid}, attached to {at}{_hangs(suspect)}"


def _suspect_lines(suspect: Suspect, written: Written) -> Iterator[Text]:
    yield Text(printable(_said_of(suspect)))
    place = written.places.get((suspect.policy, suspect.index))
    if suspect.arn:
        yield Text(printable(f"  {suspect.arn}"))
    if place is not None:
        yield Text(printable(f"  {place}"))
    for hint in suspect.hints:
        yield Text(printable(f"  {hint}"))


def _hangs(suspect: Suspect) -> str:
    keys = ", ".join(suspect.unknown)
    if suspect.by_message:
        return f"; no other can have, though it hangs on {keys}"
    return f"; hangs on {keys}" if keys else ""


def _reason(refusal: Refusal, named: str) -> str:
    named = f": {named}" if named else ""
    match refusal.kind, refusal.explicit:
        case None, True:
            return "a statement denies it; the message does not tell in which policy"
        case None, _:
            return "the message does not tell"
        case kind, True:
            return f"a statement in a {kind} denies it{named}"
        case kind, _:
            return f"no {kind} allows it{named}"


def explanation_json(explained: Explanation, written: Written) -> str:
    said = {
        "refusal": asdict(explained.refusal),
        "principal": explained.principal,
        "account": explained.account,
        "account_name": explained.account_name,
        "path": [asdict(step) for step in explained.path],
        "causes": [_suspect_json(suspect, written) for suspect in explained.causes],
        "others": [_suspect_json(suspect, written) for suspect in explained.others],
        "exemptions": [
            {**asdict(each), "manifest": written.ways.get((each.policy, each.sid))} for each in explained.exemptions
        ],
        "notes": list(explained.notes),
    }
    return json.dumps(said, indent=2)


def _suspect_json(suspect: Suspect, written: Written) -> dict[str, object]:
    place = written.places.get((suspect.policy, suspect.index))
    return {**asdict(suspect), "certain": suspect.is_certain, "place": str(place) if place else None}
