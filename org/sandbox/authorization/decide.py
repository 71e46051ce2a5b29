"""Lets a call through, or says why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from org.model import RequiredCall
from org.policy.decision import Verdict
from org.policy.model import PolicyKind
from org.policy.request import ContextValue, Principal, PrincipalKind, Request
from org.sandbox.authorization.checks import RESOURCE
from org.sandbox.authorization.circumstances import Circumstances, circumstances_of
from org.sandbox.authorization.denial import denial
from org.sandbox.authorization.grants import authorizer_for, engine
from org.sandbox.authorization.ledger import note
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.principals import Caller, current_caller
from org.sandbox.authorization.resource_policies import Guarded, find_guarded
from org.sandbox.organizations import find_organization_of

_LITERAL = str.maketrans("*?", "\u2217\ufe56")
"""AWS compares the `*` that stands for what does not exist yet as it is; here such a character is a pattern."""


def require(
    caller: Caller,
    checks: Iterable[Check],
    region: str,
    http: Mapping[str, ContextValue] | None = None,
    *,
    signed: bool = True,
) -> None:
    """Raise Denied for the first check that is not allowed; `signed`: whether the caller itself sent the request.

    Raises NotImplementedError where the verdict hangs on what the sandbox does not compute: it never guesses.
    """
    for check in checks:
        guarded = find_guarded(check.action, check.resource, caller.account)
        if check.resource_account:
            guarded = replace(guarded, account=check.resource_account)
        if caller.is_administrator and guarded.account == caller.account and guarded.kind is not PolicyKind.TRUST:
            continue
        request = _request(caller, check, guarded, circumstances_of(caller, check, region, guarded.account, http or {}))
        if guarded.kind is PolicyKind.TRUST and guarded.policy is None:
            note(request, check, region, http or {}, Verdict.DENIED, signed=signed)
            raise denial(caller, check, None)
        decision = authorizer_for(caller, guarded).decide(request)
        note(request, check, region, http or {}, decision.verdict, signed=signed)
        match decision.verdict:
            case Verdict.ALLOWED:
                continue
            case Verdict.DENIED:
                raise denial(caller, check, decision, explained=_is_explained(caller, guarded))
            case Verdict.NOT_EVALUATED:
                raise NotImplementedError(f"which permission it needs: there is no action {check.action}")
            case Verdict.UNKNOWN:
                what = ", ".join(decision.unknown)
                policies = ", ".join(sorted({each.policy for each in decision.deciding if each.unknown}))
                message = f"its authorization: {check.action} on {check.resource} hangs on {what} (policy {policies})"
                raise NotImplementedError(message)


def authorize_as(principal: Principal, required: RequiredCall, region: str, via: str = "") -> None:
    """Raise Denied unless the principal may do the call; for what a service does in a principal's name.

    `via` is the service that does it with the principal's own session.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html

    A condition key that the action has and `required` does not speak of is not known: NotImplementedError, if a policy
    hangs on it.
    """
    partition = principal.arn.split(":", 2)[1] if principal.arn.startswith("arn:") else "aws"
    caller = current_caller()
    if caller is None or caller.principal != principal:
        caller = Caller(principal, principal.session_arn or principal.arn, partition)
    forwarded: dict[str, ContextValue] = dict.fromkeys(("aws:calledviafirst", "aws:calledvialast"), via)
    forwarded |= {"aws:calledvia": (via,), "aws:viaawsservice": "true"}
    require(caller, _checks_required(required), region, forwarded if via else None, signed=False)


def _checks_required(required: RequiredCall) -> Iterable[Check]:
    catalog = engine().catalog
    wild = "*" in required.action
    context = {key.lower(): value for key, value in required.context.items()}
    for action in catalog.actions_matching(required.action) if wild else (required.action,):
        entry = catalog.find_action(action)
        unknown = {key.lower() for key in entry.keys} - set(context) if entry is not None else set()
        yield Check(action, required.resource or "*", context=context, unknown=frozenset(unknown))


def _request(caller: Caller, check: Check, guarded: Guarded, context: Circumstances) -> Request:
    resource = check.resource if RESOURCE in check.unknown or check.resource == "*" else _literal(check.resource)
    return Request(caller.principal, check.action, resource, guarded.account, context, complete=False)


def _literal(resource: str) -> str:
    return resource.translate(_LITERAL) if "*" in resource or "?" in resource else resource


def _is_explained(caller: Caller, guarded: Guarded) -> bool:
    if caller.principal.kind is PrincipalKind.ANONYMOUS:
        return False
    if caller.account == guarded.account:
        return True
    ours = find_organization_of(caller.account, caller.partition)
    theirs = find_organization_of(guarded.account, caller.partition)
    return ours is not None and ours is theirs
