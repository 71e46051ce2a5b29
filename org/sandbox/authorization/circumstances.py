"""The condition keys of a request: what is known, what is absent, and what AWS would set and the sandbox does not know.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from moto.core.utils import utcnow

from org.policy.catalog import GLOBAL_KEYS
from org.policy.context import make_context
from org.policy.request import ContextValue, PrincipalKind
from org.proof.regions import regions_of
from org.sandbox.authorization.model import Check
from org.sandbox.authorization.principals import Caller
from org.sandbox.authorization.tags import find_tags
from org.sandbox.organizations import SandboxOrganizations, find_organization_of

_ABSENT: Mapping[str, ContextValue] = dict.fromkeys(key for key in GLOBAL_KEYS if "*" not in key)

_ISO = "%Y-%m-%dT%H:%M:%SZ"


class Circumstances(Mapping[str, ContextValue]):
    """Keys by their names in lower case: every key is there, with None if it is absent, but for those not known."""

    def __init__(self, known: Mapping[str, ContextValue], unknown: frozenset[str]) -> None:
        self._known = known
        self._unknown = unknown
        self._families = tuple(key[: key.index("${")] for key in unknown if "${" in key)

    def __getitem__(self, key: str) -> ContextValue:
        if key in self._known:
            return self._known[key]
        if key in self._unknown or (self._families and key.startswith(self._families)):
            raise KeyError(key)
        return None

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def circumstances_of(
    caller: Caller, check: Check, region: str, resource_account: str, http: Mapping[str, ContextValue]
) -> Circumstances:
    """Put the keys of the service over those of the principal, the Region and the organization.

    `aws:SecureTransport` is `true`, though the sandbox speaks plain HTTP. At an endpoint of one's own choice SDKs sign
    for the session's Region, also where AWS has one endpoint for all: then it is that one's Region.
    """
    region, *_ = regions_of(check.action, (region,), caller.partition)
    organization = find_organization_of(caller.account, caller.partition) if caller.account else None
    owners = organization
    if resource_account and resource_account != caller.account:
        owners = find_organization_of(resource_account, caller.partition)
    context = make_context(
        caller.principal,
        check.action,
        check.resource,
        region=region,
        organization_id=_id_of(organization),
        organization_path=_path_of(organization, caller.account),
        resource_account=resource_account,
        more=check.context,
    )
    owned: dict[str, ContextValue] = {
        "aws:resourceorgid": _id_of(owners) or None,
        "aws:resourceorgpaths": _several(_path_of(owners, resource_account)),
    }
    source = _of_source(check.context.get("aws:sourceaccount"), caller.partition)
    known = {**_ABSENT, **owned, **_of_now(), **_of_session(caller), **source, **http, **context}
    return Circumstances(known, check.unknown)


def _of_now() -> dict[str, ContextValue]:
    now = _now()
    return {
        "aws:currenttime": now.strftime(_ISO),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:viaawsservice": "false",
        "aws:ismcpserviceaction": None,
    }


def _now() -> datetime:
    return utcnow().replace(tzinfo=UTC)


def _of_session(caller: Caller) -> dict[str, ContextValue]:
    """Answer what follows from how the caller signed in; nobody does so with MFA here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
    """
    session, is_role = caller.session, caller.principal.kind is PrincipalKind.ROLE
    tags = session.tags if session is not None else find_tags(caller.principal.arn) or {}
    keys: dict[str, ContextValue] = {"aws:userid": caller.user_id or None}
    keys |= {f"aws:principaltag/{key}".lower(): value for key, value in tags.items()}
    if is_role:
        issued = session.issued if session is not None else _now()
        keys |= {"aws:multifactorauthpresent": "false", "aws:tokenissuetime": issued.strftime(_ISO)}
    if session is not None and session.source_identity:
        keys |= dict.fromkeys(("aws:sourceidentity", "sts:sourceidentity"), session.source_identity)
    return keys


def _of_source(account: ContextValue, partition: str) -> dict[str, ContextValue]:
    """Answer whose organization the resource is in for which a service calls, where the service says whose it is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceorgid
    """
    organization = find_organization_of(account, partition) if isinstance(account, str) and account else None
    if organization is None:
        return {}
    path = _path_of(organization, str(account))
    return {"aws:sourceorgid": _id_of(organization), "aws:sourceorgpaths": _several(path)}


def _id_of(organization: SandboxOrganizations | None) -> str:
    return str(organization.organization.id) if organization is not None else ""


def _path_of(organization: SandboxOrganizations | None, account: str) -> str:
    """Answer the path in the form of `aws:PrincipalOrgPaths`: the units, without the account."""
    if organization is None or not organization.has_account(account):
        return ""
    return organization.path_of(*organization.chain_of(organization.get_account_by_id(account).parent_id))


def _several(value: str) -> ContextValue:
    return (value,) if value else None
