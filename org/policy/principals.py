"""The Principal element: whom it means, and how directly.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from org.policy.model import Effect, Principals, Statement
from org.policy.patterns import FALSE, TRUE, UNKNOWN, either, escaped, negation, relation
from org.policy.request import Principal, PrincipalKind

_ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")
_OWN = {PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.ROOT}


@dataclass(frozen=True, slots=True)
class Named:
    """How a statement's Principal element means a principal, each of the three values.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    direct: int = FALSE
    """By the user's or the session's own ARN, as a service or provider, or with everybody."""
    role: int = FALSE
    """By the ARN of the session's role."""
    account: int = FALSE
    """By its account alone, which leaves it to the account's own policies."""

    @property
    def at_all(self) -> int:
        return either((self.direct, self.role, self.account))


Naming = Callable[[Principal], Named]
NOBODY, EVERYBODY = Named(), Named(direct=TRUE)


def compile_principals(statement: Statement, *, bounded: bool) -> Naming | None:
    """Build the test of a statement's Principal or NotPrincipal; None where it means everybody.

    `bounded` says that the principal has a permissions boundary: then a Deny with NotPrincipal always holds for it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    principals = statement.principals
    if principals is None or (principals.everyone and not statement.not_principals):
        return None
    if not statement.not_principals:
        return lambda principal: _named(principals, principal)
    if statement.effect is Effect.ALLOW:
        return lambda principal: Named(direct=negation(_named(principals, principal).at_all))
    return lambda principal: Named(direct=_denied_unless_named(principals, principal, bounded=bounded))


def _named(principals: Principals, principal: Principal) -> Named:
    if principals.everyone:
        return EVERYBODY
    match principal.kind:
        case PrincipalKind.SERVICE:
            return Named(direct=_is_among(principals.service, principal.arn))
        case PrincipalKind.FEDERATED:
            return Named(direct=_is_among(principals.federated, principal.arn))
        case PrincipalKind.ANONYMOUS:
            return NOBODY
    account = either(_is_account(entry, principal.account) for entry in principals.aws)
    if principal.kind is PrincipalKind.ROOT:
        return Named(direct=account)
    own = either(_same(entry, principal.arn) for entry in principals.aws)
    if principal.kind is PrincipalKind.USER:
        return Named(direct=own, account=account)
    session = either(_is_session(entry, principal) for entry in principals.aws if ":assumed-role/" in entry)
    return Named(direct=session, role=own, account=account)


def _denied_unless_named(principals: Principals, principal: Principal, *, bounded: bool) -> int:
    """Deny whoever is not named with all that it is: its account, its user or role, and for a role its session."""
    named = _named(principals, principal)
    if principal.kind not in _OWN or principals.everyone:
        return negation(named.at_all)
    if bounded and principal.kind is not PrincipalKind.ROOT:
        return TRUE
    parts = {
        PrincipalKind.ROOT: (named.direct,),
        PrincipalKind.USER: (named.direct, named.account),
        PrincipalKind.ROLE: (named.direct, named.role, named.account),
    }[principal.kind]
    return either(map(negation, parts))


def _is_among(entries: tuple[str, ...], arn: str) -> int:
    """Look for a service or a provider; what a `*` in their place means, no page says, and so it is not known."""
    found = either(_same(entry, arn) for entry in entries)
    return UNKNOWN if found == FALSE and "*" in entries else found


def _is_account(entry: str, account: str) -> int:
    found = _ACCOUNT.fullmatch(entry)
    return _same(found[1], account) if found else FALSE


def _is_session(entry: str, principal: Principal) -> int:
    if principal.session_arn:
        return _same(entry, principal.session_arn)
    _, _, _, _, account, rest = entry.split(":", 5) if entry.count(":") > 4 else [""] * 6
    role = rest.removeprefix("assumed-role/").partition("/")[0]
    possible = _same(account, principal.account), _same(role, principal.arn.rpartition("/")[2])
    return FALSE if FALSE in possible else UNKNOWN


def _same(entry: str, given: str) -> int:
    """Compare with an ARN or account of the request, in which a `*` stands for what is not known."""
    if entry == given:
        return TRUE
    return relation((escaped(entry),), given) if "*" in given or "?" in given else FALSE
