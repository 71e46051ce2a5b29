"""Who asks, from an ARN, and the global condition keys that follow from who asks for what.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from org.errors import OrgctlError
from org.policy.patterns import is_pattern
from org.policy.request import ContextValue, Principal, PrincipalKind

_IDENTITY = re.compile(r"arn:[\w*-]+:(iam|sts)::([\d*?]+):(.+)", re.DOTALL)
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?|[a-z0-9-]+\.amazon\.com")
_TYPES = {
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.USER: "User",
    PrincipalKind.ROOT: "Account",
    PrincipalKind.FEDERATED: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


def principal_of(arn: str) -> Principal:
    """Read a role, user, root user, session of a role, identity provider or service principal; `*` is anybody unknown.

    Of a session the role's path is not known, and is taken to be `/`.
    """
    if arn == "*":
        return Principal("*", "", PrincipalKind.ANONYMOUS)
    if _SERVICE.fullmatch(arn):
        return Principal(arn, "", PrincipalKind.SERVICE)
    found = _IDENTITY.fullmatch(arn)
    if found:
        service, account, rest = found.groups()
        type, _, name = rest.partition("/")
        match (service, type):
            case ("iam", "root") if not name:
                return Principal(arn, account, PrincipalKind.ROOT)
            case ("iam", "role") if name:
                return Principal(arn, account, PrincipalKind.ROLE)
            case ("iam", "user") | ("sts", "federated-user") if name:
                return Principal(arn, account, PrincipalKind.USER)
            case ("iam", "saml-provider" | "oidc-provider") if name:
                return Principal(arn, account, PrincipalKind.FEDERATED)
            case ("sts", "assumed-role") if name:
                partition = arn.split(":", 2)[1]
                role = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
                return Principal(role, account, PrincipalKind.ROLE, arn if "/" in name else "")
    raise OrgctlError(
        arn or "principal", "this is no principal", "give the ARN of a role, a user, a root user or a session"
    )


def make_context(
    principal: Principal,
    action: str,  # noqa: ARG001 - no key follows from it yet
    resource: str,
    *,
    region: str = "",
    organization_id: str = "",
    organization_path: str = "",
    resource_account: str = "",
    more: Mapping[str, ContextValue] | None = None,
) -> dict[str, ContextValue]:
    """Fill in the keys that follow from the rest; what is given in `more` stands, under keys of any case.

    `organization_path` is that of the principal's account (`o-…/r-…/ou-…/`). A key stays out, and so is not known,
    where what it follows from is not given or holds a `*`; AWS's own services and the anonymous are in no organization.
    """
    context: dict[str, ContextValue] = {"aws:securetransport": "true"}
    kind = principal.kind
    if kind in {PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.ROOT}:
        context |= {"aws:principalarn": principal.arn, "aws:principalisawsservice": "false"}
        context |= _known("aws:principalaccount", principal.account)
        context |= _known("aws:principalorgid", organization_id)
        if organization_path:
            context["aws:principalorgpaths"] = (organization_path,)
        # Only in calls that a service makes itself: AWS tells of each of these keys.
        context |= dict.fromkeys(("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"))
    else:
        context |= dict.fromkeys(
            ("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths")
        )
        context["aws:principalisawsservice"] = "true" if kind is PrincipalKind.SERVICE else "false"
    if kind is PrincipalKind.SERVICE:
        context["aws:principalservicename"] = principal.arn
    else:
        context |= {"aws:principaltype": _TYPES[kind], "aws:principalservicename": None}
    if kind is PrincipalKind.USER:
        context |= _known("aws:username", principal.arn.rpartition("/")[2])
    elif kind is not PrincipalKind.FEDERATED:
        context["aws:username"] = None
    context |= _known("aws:requestedregion", region)
    owner = resource_account or _account_of(resource) or principal.account
    context |= _known("aws:resourceaccount", owner)
    if owner == principal.account and not is_pattern(owner):
        context |= _known("aws:resourceorgid", organization_id)
        if organization_path:
            context["aws:resourceorgpaths"] = (organization_path,)
    for key, value in (more or {}).items():
        context[key.lower()] = value
    return context


def _known(key: str, value: str) -> dict[str, ContextValue]:
    return {key: value} if value and not is_pattern(value) else {}


def _account_of(resource: str) -> str:
    """Answer the account in an ARN; many have none (`arn:aws:s3:::bucket`)."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) > 5 and parts[4] != "aws" else ""
