"""From a refusal to its cause in the organization, and to the smallest change that undoes it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from org.explain.asked import account_in, read_principal, read_request
from org.explain.message import Refusal
from org.explain.suspects import Suspect, find_suspects, levels_of, spare_all_but
from org.policy.authorize import Engine, Grants
from org.policy.model import PolicyKind
from org.policy.request import ContextValue, Principal, PrincipalKind, Request
from org.proof.chains import Chains
from org.proof.exemption import find_exemption
from org.proof.model import Exemption

ORGANIZATION_KINDS = (PolicyKind.SERVICE_CONTROL, PolicyKind.RESOURCE_CONTROL)

_NAMED = (PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.ROOT)
"""Whom `aws:PrincipalArn` names, so that a statement can spare them alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One level on the way from the root to the account."""

    level: str
    holds: bool
    """A policy that denies is attached here, or nothing here allows the call."""


@dataclass(frozen=True, slots=True)
class Explanation:
    refusal: Refusal
    principal: str
    """What `aws:PrincipalArn` is taken to hold."""
    account: str = ""
    """Whose policies were looked at: of the principal, or for a resource control policy of the resource."""
    account_name: str = ""
    path: tuple[Step, ...] = ()
    causes: tuple[Suspect, ...] = ()
    """What the message tells of, as far as it can be told apart."""
    others: tuple[Suspect, ...] = ()
    """What may deny the call as well."""
    exemptions: tuple[Exemption, ...] = ()
    notes: tuple[str, ...] = ()


def explain(
    refusal: Refusal, chains: Chains, engine: Engine, known: Mapping[str, ContextValue], resource_account: str = ""
) -> Explanation:
    """Find the statements that deny for certain or may, where they are attached, and what would spare the principal.

    `known` are condition keys of the request in lower case; every other key that the message does not tell is unknown.
    """
    told, known = known, {**refusal.context, **known}
    principal, notes = read_principal(refusal, known)
    unheard = [key for key in told if not engine.catalog.key_known(key)]
    notes = (*notes, *(f"{key} is no condition key that is known: is it written rightly?" for key in unheard))
    request = read_request(refusal, principal, resource_account or account_in(refusal.resource), chains, known)
    owner = request.resource_account
    if engine.catalog.find_action(refusal.action) is None:
        notes = (*notes, f"{refusal.action} is not in the catalog of actions, so that only a certain Deny can be told")
    kinds = [refusal.kind] if refusal.kind else [*ORGANIZATION_KINDS]
    grants = chains.grants(principal.account, owner)
    suspects: list[Suspect] = []
    for kind in kinds:
        suspects += find_suspects(grants, kind, request, engine)
    causes, others = _told_apart(refusal, suspects)
    kind = causes[0].kind if causes else kinds[0]
    account = owner if kind is PolicyKind.RESOURCE_CONTROL else principal.account
    held = {level for suspect in causes for level in suspect.levels if suspect.kind is kind}
    return Explanation(
        refusal,
        principal.arn,
        account,
        chains.accounts[account].name if account in chains.accounts else "",
        tuple(Step(level.name, level.name in held) for level in levels_of(grants, kind)),
        causes,
        others,
        _exemptions(grants, causes, request, engine),
        (*notes, *_remarks(refusal, chains, principal, account, kind, causes)),
    )


def _told_apart(refusal: Refusal, suspects: list[Suspect]) -> tuple[tuple[Suspect, ...], tuple[Suspect, ...]]:
    """Believe the message first, then what is certain, then all.

    Every Deny is looked at before any Allow, so where nothing allows, no Deny can have been the reason.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    if refusal.explicit is False:
        suspects = [s for s in suspects if s.is_certain or not s.policy]
    fit = [s for s in suspects if refusal.explicit is None or refusal.explicit == bool(s.policy)]
    named = [s for s in fit if refusal.policy_arn and s.arn == refusal.policy_arn]
    certain = [s for s in fit if s.is_certain]
    sure_of_named = [s for s in named if s.is_certain]
    causes = [*(sure_of_named or named), *(s for s in certain if s not in named)]
    if not named and refusal.policy_arn:
        causes = []
    elif not causes:
        causes = fit
    others = tuple(s for s in suspects if s not in causes)
    pool = named if refusal.policy_arn else fit
    if refusal.kind and refusal.explicit is not None and len(pool) == 1:
        causes = [replace(s, by_message=True) if s in pool and s.unknown else s for s in causes]
    return tuple(causes), others


def _is_open(causes: tuple[Suspect, ...]) -> bool:
    """Say whether it cannot be told which of them it was: to spare the principal in each would spare it too much."""
    return len({cause.arn for cause in causes}) > 1 and not any(cause.is_settled for cause in causes)


def _exemptions(grants: Grants, causes: tuple[Suspect, ...], request: Request, engine: Engine) -> tuple[Exemption, ...]:
    found: list[Exemption] = []
    if request.principal.kind not in _NAMED or _is_open(causes):
        return ()
    for kind in dict.fromkeys(cause.kind for cause in causes):
        of_kind = [cause for cause in causes if cause.kind is kind]
        if kind is PolicyKind.SERVICE_CONTROL:
            one = Grants(service_control=grants.service_control, management_account=grants.management_account)
        else:
            one = Grants(resource_control=grants.resource_control, management_account=grants.management_account)
        some = find_exemption(spare_all_but(one, kind, of_kind), [request], request.principal.arn, engine)
        if not some:
            return ()
        found += some
    return tuple(found)


def _remarks(
    refusal: Refusal,
    chains: Chains,
    principal: Principal,
    account: str,
    kind: PolicyKind,
    causes: tuple[Suspect, ...],
) -> Iterator[str]:
    if refusal.resource not in ("", "*") and not refusal.resource.startswith("arn:"):
        yield f"the resource {refusal.resource!r} is no ARN, and was taken for any"
    if account not in chains.accounts:
        yield f"account {account} is no active account of organization {chains.tree.organization_id}"
    elif account == chains.management:
        yield f"account {account} is the management account, which no {kind} reaches"
    if principal.is_service_linked:
        yield "a service-linked role is beyond the organization's policies"
    if refusal.policy_arn and not any(cause.arn == refusal.policy_arn for cause in causes):
        yield from _why_not(refusal, chains)
    elif not causes:
        yield "no policy of the organization denies it as it stands now"
        if refusal.kind is None:
            yield "so it is a policy in the account; the message does not tell which"
    if _is_open(causes):
        keys = ", ".join(sorted({key for cause in causes for key in cause.unknown}))
        yield f"which of these it was hangs on {keys}: tell them with --context KEY=VALUE for a proved exemption"
    if refusal.more:
        yield f"the text holds {refusal.more + 1} messages; only the first is explained"
    if refusal.encoded and not all(cause.is_certain for cause in causes):
        decode = "`aws sts decode-authorization-message`"
        yield f"the encoded part tells the condition keys: give explain what {decode} prints"


def _why_not(refusal: Refusal, chains: Chains) -> Iterator[str]:
    try:
        _, observed = chains.policy(refusal.policy_arn)
    except KeyError:
        yield f"there is no policy {refusal.policy_arn} in organization {chains.tree.organization_id} (any more)"
        return
    levels = ", ".join(chains.attached(observed)) or "nothing"
    yield f"no statement of {observed.name} (attached to {levels}) denies it as it stands now: has it changed since?"
