"""Refusals by policies that stand in the accounts, which orgctl does not manage."""

from __future__ import annotations

from org.explain.explanation import ORGANIZATION_KINDS, Explanation
from org.explain.message import Refusal
from org.policy.model import PolicyKind


def is_of_organization(refusal: Refusal) -> bool:
    """Say whether the organization's policies have to be read to explain it."""
    return refusal.kind is None or refusal.kind in ORGANIZATION_KINDS


def explain_elsewhere(refusal: Refusal) -> Explanation:
    """Explain what is none of the organization's policies: which one it is, and who has it in hand."""
    kind = refusal.kind or PolicyKind.IDENTITY
    named = f" {refusal.policy_arn}" if refusal.policy_arn else ""
    how = "denies it with a statement of its own" if refusal.explicit else "has no statement that allows it"
    notes = [f"the {kind}{named} {how}", f"{_WHERE[kind]}; orgctl does not manage it"]
    if refusal.more:
        notes.append(f"the text holds {refusal.more + 1} messages; only the first is explained")
    return Explanation(refusal, refusal.principal, notes=tuple(notes))


_WHERE = {
    PolicyKind.IDENTITY: "it is attached to the principal, or to a group that the user is in",
    PolicyKind.RESOURCE: "it is attached to the resource",
    PolicyKind.BOUNDARY: "it is set on the user or role as its permissions boundary",
    PolicyKind.SESSION: "it was passed when the session was made, by whoever assumed the role or federated the user; "
    "for a permission set it is the one behind it",
    PolicyKind.TRUST: "it is the AssumeRolePolicyDocument of the role that was to be assumed",
    PolicyKind.KEY: "it is the policy of the key",
    PolicyKind.ENDPOINT: "it is set on the VPC endpoint through which the call went",
}
