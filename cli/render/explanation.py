"""An explained refusal: what was refused, by which statement, attached where, and what would spare the principal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from rich.text import Text

from org.errors import printable
from org.explain.explanation import Explanation
from org.explain.message import Refusal
from org.explain.suspects import Suspect
from org.source.findings import Place

Places = Mapping[tuple[str, int], Place]


def explanation_lines(explained: Explanation, places: Places) -> Iterator[Text]:
    """Yield plain lines; a value of somebody else is written so that no terminal acts on it."""
    refusal = explained.refusal
    on = f" on {refusal.resource}" if refusal.resource else ""
    yield Text.assemble(("refused  ", "red"), printable(f"{refusal.action}{on}"))
    yield Text(printable(f"to       {refusal.principal}"))
    yield Text(printable(f"because  {_reason(refusal)}"))
    if explained.account:
        name = f" ({explained.account_name})" if explained.account_name else ""
        yield Text(printable(f"account  {explained.account}{name}"))
    if explained.path:
        steps = (f"[{step.level}]" if step.holds else step.level for step in explained.path)
        yield Text(printable(f"path     {' → '.join(steps)}"))
    for suspect in (*explained.causes, *explained.others):
        yield from _suspect_lines(suspect, places)
    for number, exemption in enumerate(explained.exemptions):
        if number == 0:
            yield Text("what lets the call through, proved by evaluating again:", style="bold")
        at = f", {exemption.level}" if exemption.level else ""
        yield Text(printable(f"  {exemption.says}{at}"))
        if exemption.statement:
            yield Text(printable(f"  {exemption.statement}"), style="cyan")
    if explained.causes and not explained.exemptions:
        yield Text("no exemption was found that is proved to let the call through")
    for note in explained.notes:
        yield Text(printable(f"note: {note}"))


def _suspect_lines(suspect: Suspect, places: Places) -> Iterator[Text]:
    at = ", ".join(suspect.levels)
    if not suspect.policy:
        said = "nothing allows it" if suspect.is_certain else "nothing may allow it"
        yield Text(printable(f"{said}: no {suspect.kind} at {at}{_hangs(suspect)}"))
        return
    place = places.get((suspect.policy, suspect.index))
    denied = "denied by" if suspect.is_certain else "may be denied by"
    yield Text(printable(f"{denied} {suspect.policy} · {suspect.sid}, attached to {at}{_hangs(suspect)}"))
    if suspect.arn:
        yield Text(printable(f"  {suspect.arn}"))
    if place is not None:
        yield Text(printable(f"  {place}"))
    for hint in suspect.hints:
        yield Text(printable(f"  {hint}"))


def _hangs(suspect: Suspect) -> str:
    return f"; hangs on {', '.join(suspect.unknown)}" if suspect.unknown else ""


def _reason(refusal: Refusal) -> str:
    named = f": {refusal.policy_arn}" if refusal.policy_arn else ""
    match refusal.kind, refusal.explicit:
        case None, True:
            return "a statement denies it; the message does not tell in which policy"
        case None, _:
            return "the message does not tell"
        case kind, True:
            return f"a statement in a {kind} denies it{named}"
        case kind, _:
            return f"no {kind} allows it{named}"


def explanation_json(explained: Explanation, places: Places) -> str:
    said = {
        "refusal": asdict(explained.refusal),
        "principal": explained.principal,
        "account": explained.account,
        "account_name": explained.account_name,
        "path": [asdict(step) for step in explained.path],
        "causes": [_suspect_json(suspect, places) for suspect in explained.causes],
        "others": [_suspect_json(suspect, places) for suspect in explained.others],
        "exemptions": [asdict(exemption) for exemption in explained.exemptions],
        "notes": list(explained.notes),
    }
    return json.dumps(said, indent=2, ensure_ascii=False)


def _suspect_json(suspect: Suspect, places: Places) -> dict[str, object]:
    place = places.get((suspect.policy, suspect.index))
    return {**asdict(suspect), "certain": suspect.is_certain, "place": str(place) if place else None}
