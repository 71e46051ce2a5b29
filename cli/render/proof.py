"""The lockout proof in lines: what was proved, and each lockout with the way out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from org.errors import printable
from org.policy.decision import Deciding, Verdict
from org.proof.model import Exemption, LockoutFinding, Proof

_SHOWN = 6
_VERBS = {
    Verdict.DENIED: "would be denied",
    Verdict.UNKNOWN: "may be denied",
    Verdict.NOT_EVALUATED: "could not be proved to keep",
}


def show_proof(proof: Proof, console: Console) -> None:
    """Print one line where nothing was found, and nothing where nothing had to be proved."""
    for line in proof_lines(proof):
        console.print(Text(line))


def proof_lines(proof: Proof) -> Iterator[str]:
    if not proof.accounts and not proof.findings:
        return
    sizes = ((proof.principals, "principal"), (proof.calls, "call"), (proof.accounts, "account"))
    principals, calls, accounts = (_count(number, what) for number, what in sizes)
    asked = f"{principals} × {calls} in {accounts}"
    if not proof.findings:
        yield f"Lockout proof: nobody is locked out ({asked})"
        yield from _assumed(proof)
        return
    told = [f"{_count(len(proof.lockouts), 'lockout')}"] if proof.lockouts else []
    told += [f"{len(proof.open)} not ruled out"] if proof.open else []
    yield f"Lockout proof: {', '.join(told)} ({asked})"
    shown: set[Exemption] = set()
    for finding in proof.findings:
        yield from (printable(line) for line in _finding(finding, shown))
    yield from _assumed(proof)


def _assumed(proof: Proof) -> Iterator[str]:
    if proof.assumed_types:
        yield printable(f"  calls guessed from names only: {_listed(proof.assumed_types, _SHOWN)}")


def headline(finding: LockoutFinding) -> str:
    """Say in one line who may lose which calls where."""
    calls = _listed([str(call) for call in finding.calls], 3) or "its calls"
    where = f"{_count(len(finding.accounts), 'account')} ({_listed(finding.accounts, _SHOWN)})"
    when = f", {finding.when}" if finding.when else ""
    return printable(f"{finding.who} ({finding.arn}) {_VERBS[finding.verdict]} {calls} in {where}{when}")


def _finding(finding: LockoutFinding, shown: set[Exemption]) -> Iterator[str]:
    """Yield the lines of a finding; an exemption that is among those shown stands there with its statement."""
    yield f"  {headline(finding)}"
    if finding.because:
        yield f"    because {finding.because}"
    for deciding, attached in zip(finding.deciding, finding.attached, strict=True):
        yield f"    {_reason(deciding, attached)}"
    for hint in finding.hints:
        yield f"    look: {hint}"
    for exemption in finding.exemptions:
        again = replace(exemption, level="")
        if exemption.statement and again in shown:
            yield f"    exemption, proved: {exemption.says} (as above)"
            continue
        shown.add(again)
        yield f"    exemption, proved: {exemption.says}" + (":" if exemption.statement else "")
        if exemption.statement:
            yield f"      {exemption.statement}"


def _reason(deciding: Deciding, attached: str) -> str:
    hangs = f", which hangs on {', '.join(deciding.unknown)}" if deciding.unknown else ""
    if not deciding.policy:
        return f"no {deciding.kind} at {deciding.level} allows it{hangs}"
    at = f" at {deciding.level}" + (f", attached to {attached}" if attached not in ("", deciding.level) else "")
    return f"by {deciding.sid} of {deciding.policy} ({deciding.kind}{at}){hangs}"


def _listed(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
