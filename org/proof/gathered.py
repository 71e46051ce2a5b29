"""What did not go through, put together: one finding for the same statement, in however many accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from org.policy.authorize import Engine
from org.policy.decision import Deciding, Verdict
from org.policy.request import Request
from org.proof.chains import Chains
from org.proof.exemption import find_exemption
from org.proof.model import BlockedCall, Demand, Exemption, LockoutFinding

_MOST_REQUESTS = 200
"""So many of a finding's calls are proved to go through with the exemption."""
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
    requests: list[Request] = field(default_factory=list)
    hints: dict[str, None] = field(default_factory=dict)


def findings_of(gathered: Mapping[Key, Found], engine: Engine) -> Iterator[LockoutFinding]:
    """Yield the findings, lockouts first, with exemptions that are proved."""
    for key, found in sorted(gathered.items(), key=lambda item: _ORDER.index(item[0][0])):
        deciding = tuple(found.deciding)
        yield LockoutFinding(
            verdict=key[0],
            who=found.demand.who,
            arn=found.demand.exempt,
            calls=tuple(found.calls),
            accounts=tuple(sorted(found.accounts)),
            deciding=deciding,
            attached=tuple(_attached(found.chains, each) for each in deciding),
            exemptions=_exemptions(found, engine),
            hints=tuple(found.hints),
            because=found.because,
            when=found.when,
        )


def _exemptions(found: Found, engine: Engine) -> tuple[Exemption, ...]:
    if not found.requests:
        return ()
    first = found.requests[0]
    grants = found.chains.grants(first.principal.account, first.resource_account)
    return find_exemption(grants, found.requests[:_MOST_REQUESTS], found.demand.exempt, engine)


def _attached(chains: Chains, deciding: Deciding) -> str:
    types = [type for type, name in chains.tree.policies if name == deciding.policy]
    return ", ".join(dict.fromkeys(level for type in types for level in chains.attached((type, deciding.policy))))
