"""What did not go through, put together: one finding for the same statement, in however many accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from org.policy.authorize import Engine, Grants
from org.policy.decision import Deciding, Verdict
from org.policy.request import Request
from org.proof.chains import Chains
from org.proof.exemption import Edits, find_edits, lets_through
from org.proof.model import BlockedCall, Demand, LockoutFinding

Key: TypeAlias = tuple[Verdict, str, str, str, str, tuple[str, str, str]]
"""Verdict, who, what an exemption names, because, when, and the first deciding policy with statement and level."""
NOWHERE = ("", "", "")


_ORDER = (Verdict.DENIED, Verdict.UNKNOWN, Verdict.NOT_EVALUATED)


@dataclass(slots=True)
class Found:
    demand: Demand
    when: str
    because: str
    chains: Chains
    deciding: dict[Deciding, None] = field(default_factory=dict)
    calls: dict[BlockedCall, None] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    requests: dict[int, tuple[Grants, list[Request]]] = field(default_factory=dict)
    """One of each kind that did not go through, with the policies around it: what an exemption is proved on."""
    meant: dict[str, dict[str, None]] = field(default_factory=dict)
    """By the action of these: the calls, as they were asked for, that they stand for."""
    hints: dict[str, None] = field(default_factory=dict)


def findings_of(gathered: Mapping[Key, Found], engine: Engine) -> Iterator[LockoutFinding]:
    """Yield the findings, lockouts first, with exemptions that are proved on every call in every account.

    Where several findings hang on one statement, each shows it with what all of them need: it is pasted once.
    """
    edits = {key: _edits(found, engine) for key, found in gathered.items()}
    together = _together(gathered, edits, engine)
    for key, found in sorted(gathered.items(), key=lambda item: _ORDER.index(item[0][0])):
        deciding = tuple(found.deciding)
        own, written = edits[key], found.chains.tree.written
        exemptions = own.told((grants for grants, _ in found.requests.values()), together) if own else ()
        yield LockoutFinding(
            verdict=key[0],
            who=found.demand.who,
            arn=written(found.demand.exempt),
            calls=tuple(
                replace(call, resource=written(call.resource)) for call in sorted(found.calls, key=_call_order)
            ),
            accounts=tuple(sorted(found.accounts)),
            deciding=deciding,
            attached=tuple(_attached(found.chains, each) for each in deciding),
            exemptions=tuple(
                replace(each, says=written(each.says), statement=written(each.statement, in_json=True))
                for each in exemptions
            ),
            hints=tuple(map(written, found.hints)),
            because=found.because,
            when=found.when,
        )


def _edits(found: Found, engine: Engine) -> Edits | None:
    asked = list(found.requests.values())
    return find_edits(asked, found.demand.exempt, engine, found.meant) if asked else None


def _together(gathered: Mapping[Key, Found], edits: dict[Key, Edits | None], engine: Engine) -> Edits:
    """Put the changes of all findings together; a finding that would not go through with them all loses its own."""
    together = Edits()
    for each in edits.values():
        if each:
            together.include(each)
    for key, found in gathered.items():
        if not all(lets_through(together, grants, asked, engine) for grants, asked in found.requests.values()):
            edits[key] = None
    return together


def _call_order(call: BlockedCall) -> tuple[bool, str]:
    """Put calls that were asked for by name before those that a pattern stands for."""
    return call.asked != "", str(call)


def _attached(chains: Chains, deciding: Deciding) -> str:
    types = [type for type, name in chains.tree.policies if name == deciding.policy]
    return ", ".join(dict.fromkeys(level for type in types for level in chains.attached((type, deciding.policy))))
