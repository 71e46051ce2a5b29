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
_PROVIDERS = frozenset({
    "accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com",
})  # fmt: skip
"""Identity providers that are known to AWS, and so have no ARN in an account."""
_PERMISSION_SET = "AWSReservedSSO_"
_TYPES = {
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.USER: "User",
    PrincipalKind.ROOT: "Account",
}
_OWN = frozenset(_TYPES)
_OF_SERVICES = ("aws:principalservicename", "aws:principalservicenameslist")
_OF_SERVICE_CALLS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
"""Only in calls that a service makes itself: AWS tells so of each of them."""
OWNER_KEYS = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")
_BUCKET = re.compile(r"arn:[^:]*:s3:::[^*?]")
_PUBLISHED = re.compile(r"arn:[^:]*:ec2:[^:]*::(image|snapshot)/")
"""Most images, and the snapshots in them, are AWS's or a vendor's: `*` stands for those as well.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
"""
_UNSIGNED = ("aws:principalarn", "aws:principalisawsservice", "aws:principalorgid", "aws:principalorgpaths")
"""Not in requests that nobody signed."""


def principal_of(arn: str) -> Principal:
    """Read a role, user, root user, session of a role, identity provider or service principal; `*` is anybody unknown.

    Of a session the role's path is not known, and is taken to be `/`. Only that of a permission set's role is known,
    but for the Region that may stand in it: there its ARN holds a `*`.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    if arn == "*":
        return Principal("*", "", PrincipalKind.ANONYMOUS)
    if arn in _PROVIDERS:
        return Principal(arn, "", PrincipalKind.FEDERATED)
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
                role = _role_of(arn.split(":", 2)[1], account, name.partition("/")[0])
                return Principal(role, account, PrincipalKind.ROLE, arn if "/" in name else "")
    raise OrgctlError(
        arn or "principal", "this is no principal", "give the ARN of a role, a user, a root user or a session"
    )


def _role_of(partition: str, account: str, name: str) -> str:
    path = "aws-reserved/sso.amazonaws.com/*" if name.startswith(_PERMISSION_SET) else ""
    return f"arn:{partition}:iam::{account}:role/{path}{name}"


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
    A resource whose ARN has no account is taken to be the principal's own, unless it is anybody's.
    """
    context: dict[str, ContextValue] = {"aws:securetransport": "true", **_of_principal(principal, organization_id)}
    if organization_path and principal.kind in _OWN:
        context["aws:principalorgpaths"] = (organization_path,)
    context |= _known("aws:requestedregion", region)
    owner = resource_account or _account_of(resource) or ("" if is_anybodys(resource) else principal.account)
    context |= _known("aws:resourceaccount", owner)
    if owner and owner == principal.account and not is_pattern(owner):
        context |= _known("aws:resourceorgid", organization_id)
        if organization_path:
            context["aws:resourceorgpaths"] = (organization_path,)
    for key, value in (more or {}).items():
        context[key.lower()] = value
    return context


def is_bucket(resource: str) -> bool:
    return bool(_BUCKET.match(resource))


def is_anybodys(resource: str) -> bool:
    """Say whether an ARN leaves open whose the resource is: that of a bucket that is named, an image or a snapshot.

    What else has no account in its ARN (a hosted zone, a REST API) is the caller's own.
    """
    return is_bucket(resource) or bool(_PUBLISHED.match(resource))


def _of_principal(principal: Principal, organization_id: str) -> dict[str, ContextValue]:
    """Answer the keys that follow from who asks, with None for those that AWS tells to be absent.

    What a service's requests hold under aws:PrincipalAccount and aws:PrincipalType, AWS does not say; nor what those of
    somebody hold who has an identity provider's word only, which nobody signs.
    """
    kind = principal.kind
    if kind is PrincipalKind.SERVICE:
        absent = ("aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:username")
        own: dict[str, ContextValue] = {"aws:principalservicename": principal.arn}
        return {**dict.fromkeys(absent), "aws:principalisawsservice": "true", **own}
    context: dict[str, ContextValue] = dict.fromkeys(_OF_SERVICES)
    if kind not in _OWN:
        context |= dict.fromkeys(_UNSIGNED)
        if kind is PrincipalKind.ANONYMOUS:
            context |= {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous", "aws:username": None}
        return context
    context |= {
        "aws:principalarn": principal.arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": "FederatedUser" if principal.is_federated_user else _TYPES[kind],
        **dict.fromkeys(_OF_SERVICE_CALLS),
        **_known("aws:principalaccount", principal.account),
        **_known("aws:principalorgid", organization_id),
    }
    if kind is PrincipalKind.USER and not principal.is_federated_user:
        return context | _known("aws:username", principal.arn.rpartition("/")[2])
    return context | {"aws:username": None}


def _known(key: str, value: str) -> dict[str, ContextValue]:
    return {key: value} if value and not is_pattern(value) else {}


def _account_of(resource: str) -> str:
    """Answer the account in an ARN; many have none (`arn:aws:s3:::bucket`)."""
    parts = resource.split(":", 5)
    return parts[4] if len(parts) > 5 and parts[4] != "aws" else ""
