"""The lockout proof between plan and bootstrap: what stops a run, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Set

from cli.render.console import talk
from cli.render.proof import headline, show_proof
from org.apply.journal import Journal
from org.errors import OrgctlError
from org.plan.model import Plan
from org.proof.model import LockoutFinding, Proof


def prove_plan(plan: Plan) -> Proof:
    from org.proof.prove import prove
    from stacksets.template_value import template_value

    return prove(plan, template_value)


def refuse_lockouts(proof: Proof, protected: Set[str], *, accept_unknown: bool) -> None:
    """Stop before the first change where somebody is locked out, or may be and nobody has said to go on.

    `protected` are the names under protected_principals: the others are proved without having been named.
    """
    show_proof(proof, talk())
    if proof.lockouts:
        exempted = any(finding.exemptions for finding in proof.lockouts)
        ways = ["put the exemption into the policy"] if exempted else ["do as is told above", "change the policy"]
        if listed := [finding for finding in proof.lockouts if finding.who in protected]:
            ways.append(f"take {_named(listed)} out of protected_principals")
        raise OrgctlError(
            "bootstrap",
            f"the plan would lock out {_named(proof.lockouts)}; nothing was done",
            ", or ".join(ways),
        )
    if proof.open and not accept_unknown:
        more = "say more of the call under protected_principals, "
        raise OrgctlError(
            "bootstrap",
            f"the plan cannot be proved not to lock out {_named(proof.open)}; nothing was done",
            f"put the exemption into the policy, {more if any(each.who in protected for each in proof.open) else ''}or "
            "pass --accept-unknown if you have made sure",
        )
    for finding in proof.open:
        talk().print(f"ACCEPTED WITHOUT PROOF: {headline(finding)}")


def _named(findings: Iterable[LockoutFinding]) -> str:
    return ", ".join(dict.fromkeys(finding.who for finding in findings))


def record_accepted(journal: Journal, proof: Proof) -> None:
    """Let the record of the run say what was let through without proof."""
    for finding in proof.open:
        journal.record(
            "accepted-unknown",
            says=headline(finding),
            principal=finding.arn,
            calls=[str(call) for call in finding.calls],
            accounts=list(finding.accounts),
            policies=[{"policy": d.policy, "sid": d.sid, "level": d.level} for d in finding.deciding],
            unknown=list(finding.unknown),
        )
