"""Verdicts on requests, with the statements that decided: as lines, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from cli.guardrail_requests import Asked
from org.errors import printable
from org.policy.decision import Deciding, Decision, Verdict

_STYLES = {Verdict.ALLOWED: "green", Verdict.DENIED: "red", Verdict.UNKNOWN: "yellow", Verdict.NOT_EVALUATED: "magenta"}


@dataclass(frozen=True, slots=True)
class Judged:
    asked: Asked
    decision: Decision
    notes: tuple[str, ...] = ()

    @property
    def is_as_wanted(self) -> bool:
        return self.decision.verdict is (self.asked.expect or Verdict.ALLOWED)


def decision_lines(judged: Judged, *, verbose: bool) -> Iterator[Text]:
    """Yield the verdict, then what decided; what allows only where all is wanted."""
    asked, decision = judged.asked, judged.decision
    region = f" in {asked.region}" if asked.region else ""
    expected = f", where {asked.expect} was expected" if asked.expect and not judged.is_as_wanted else ""
    place = f"{asked.place}: " if asked.place else ""
    said = printable(f": {asked.action} on {asked.resource}{region} by {asked.principal}{expected}")
    yield Text.assemble(printable(place), (decision.verdict.value, _STYLES[decision.verdict]), said)
    for each in decision.deciding:
        if decision.verdict is not Verdict.ALLOWED or verbose:
            yield Text(f"  {describe(each, decision.verdict)}")
    if decision.exempt:
        yield Text(f"  beyond the organization's policies: {decision.exempt}")
    for note in judged.notes:
        yield Text(printable(f"  {note}"))


def describe(deciding: Deciding, verdict: Verdict) -> str:
    """Say what a statement does, or what the lack of one: `denied by Regions · Sid (service control policy), Root`."""
    at = f", {deciding.level}" if deciding.level else ""
    hangs = f"hangs on {', '.join(map(printable, deciding.unknown))}: " if deciding.unknown else ""
    if not deciding.policy:
        return hangs + printable(f"no {deciding.kind} allows it{at}")
    what = printable(f"{deciding.policy} · {deciding.sid} ({deciding.kind}){at}")
    if hangs:
        return hangs + what
    return f"{'allowed' if verdict is Verdict.ALLOWED else 'denied'} by {what}"


def decision_json(judged: Sequence[Judged]) -> str:
    said = [
        {
            "place": str(each.asked.place) if each.asked.place else None,
            "principal": each.asked.principal,
            "action": each.asked.action,
            "resource": each.asked.resource,
            "region": each.asked.region,
            "verdict": each.decision.verdict.value,
            "expected": each.asked.expect.value if each.asked.expect else None,
            "as_wanted": each.is_as_wanted,
            "unknown": list(each.decision.unknown),
            "exempt": each.decision.exempt,
            "deciding": [asdict(deciding) for deciding in each.decision.deciding],
            "notes": list(each.notes),
        }
        for each in judged
    ]
    return json.dumps({"requests": said}, indent=2)


def summary(judged: Sequence[Judged]) -> str:
    """Count them: `3 requests: 2 as wanted, 1 not (1 denied)`."""
    amiss = Counter(each.decision.verdict.value for each in judged if not each.is_as_wanted)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(amiss.items()))
    wanted = f"{len(judged) - amiss.total()} as wanted"
    count = f"{len(judged)} request{'' if len(judged) == 1 else 's'}"
    return f"{count}: {wanted}" + (f", {amiss.total()} not ({told})" if amiss else "")
