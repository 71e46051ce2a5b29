"""The request that was refused, as far as the message tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from org.errors import OrgctlError
from org.explain.message import Refusal
from org.policy.context import is_anybodys, make_context, principal_of
from org.policy.request import ContextValue, Principal, PrincipalKind, Request
from org.proof.chains import Chains
from org.proof.regions import is_global, regions_of

_RESERVED = ":role/aws-reserved/"
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")
_ANYWHERE = "us-east-1"


def read_principal(refusal: Refusal, known: Mapping[str, ContextValue]) -> tuple[Principal, tuple[str, ...]]:
    """Answer who asked; a session's ARN does not tell the path of its role, but for those of permission sets."""
    told = known.get("aws:principalarn")
    asked = asker(refusal)
    if isinstance(told, str) and asked.kind is not PrincipalKind.ANONYMOUS:
        try:
            named = principal_of(told)
        except OrgctlError as error:
            raise OrgctlError("--context aws:PrincipalArn", f"{told!r} is no principal", error.todo) from error
        if named.account != asked.account:
            raise OrgctlError("--context aws:PrincipalArn", f"{told} is not in account {asked.account}", "correct it")
        return Principal(named.arn, named.account, named.kind, asked.session_arn), ()
    if asked.kind is not PrincipalKind.ROLE or not asked.session_arn or _RESERVED in asked.arn:
        return asked, ()
    note = (
        f"a session's ARN does not tell the path of its role: taken to be {asked.arn}; --context aws:PrincipalArn=ARN"
    )
    return asked, (f"{note} tells another",)


def asker(refusal: Refusal) -> Principal:
    """Answer whom the message names; raises OrgctlError where that is nobody."""
    try:
        return principal_of("*" if refusal.principal.lower() == "anonymous" else refusal.principal)
    except OrgctlError as error:
        what = f"the one who was refused, {refusal.principal!r}, is no principal of AWS"
        raise OrgctlError("message", what, "give the whole message, from 'User: arn:…' on") from error


def read_request(
    refusal: Refusal, principal: Principal, owner: str, chains: Chains, known: Mapping[str, ContextValue]
) -> Request:
    """Answer the request with the keys that follow from the message; `owner` is the resource's account, if it is told.

    Nobody told that the call came over TLS.
    """
    resource = refusal.resource if refusal.resource.startswith("arn:") else "*"
    organization, path = membership(chains, principal.account)
    context = make_context(
        principal,
        refusal.action,
        resource,
        region=_region_of(refusal, principal),
        organization_id=organization,
        organization_path=path,
        more=whose(chains, principal, resource, owner),
    )
    del context["aws:securetransport"]
    context |= {key: value for key, value in known.items() if key != "aws:principalarn"}
    return Request(principal, refusal.action, resource, owner or principal.account, context)


def whose(chains: Chains, principal: Principal, resource: str, told: str) -> Mapping[str, ContextValue]:
    """Answer the keys of the resource's account: where none is told, the principal's, unless it may be anybody's."""
    owner = told or ("" if is_anybodys(resource) else principal.account)
    if not owner:
        return {}
    organization, path = membership(chains, owner)
    keys: dict[str, ContextValue] = {"aws:resourceaccount": owner}
    if organization:
        keys |= {"aws:resourceorgid": organization, "aws:resourceorgpaths": (path,)}
    return keys


def membership(chains: Chains, account: str) -> tuple[str, str]:
    if account not in chains.accounts:
        return "", ""
    return chains.tree.organization_id, chains.organization_path(account)


def _region_of(refusal: Refusal, principal: Principal) -> str:
    """Answer the Region that the resource's ARN names, or that of a global service."""
    if is_global(refusal.action):
        return global_region(refusal.action, principal)
    parts = refusal.resource.split(":", 5)
    return parts[3] if len(parts) > 5 and _REGION.fullmatch(parts[3]) else ""


def global_region(action: str, principal: Principal) -> str:
    partition = principal.arn.split(":")[1] if principal.arn.startswith("arn:") else "aws"
    return regions_of(action, (_ANYWHERE,), partition)[0]


def account_in(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) > 5 and _ACCOUNT.fullmatch(parts[4]) else ""
