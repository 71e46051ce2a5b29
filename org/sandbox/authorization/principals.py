"""Who calls: from the key that signed the request, the session or user that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from org.policy.request import Principal, PrincipalKind
from org.sandbox.iam import find_key, was_deleted
from org.sandbox.organizations import find_organization_of


@dataclass(frozen=True, slots=True)
class Written:
    """A policy as it stands in the sandbox: its name, its ARN (none for an inline policy) and its text."""

    name: str
    text: str
    arn: str = ""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What AssumeRole made of a session, beyond its role."""

    name: str
    issued: datetime
    policies: tuple[Written, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    source_identity: str = ""
    role_id: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    shown: str
    """How a denial calls it."""
    partition: str
    is_administrator: bool = False
    """The one without credentials of its own: nothing of the management account's limits it."""
    user_id: str = ""
    session: SessionFacts | None = None

    @property
    def account(self) -> str:
        return self.principal.account


class UnusableKey(Exception):
    """A key that was good: it is inactive or deleted, or what it belonged to is gone, or its account is closed."""


SESSION = "sandbox_session"
"""The attribute of a key of moto's that holds a session's `SessionFacts`."""

Operation = tuple[str, str]
"""botocore's name of the service, and the operation: `("ec2", "RunInstances")`."""

_served: list[tuple[Caller, Operation | None]] = []
"""Whose requests are being served, and what they were judged to ask for, the innermost last."""


def current_caller() -> Caller | None:
    """Answer who sent the request that is being served."""
    return _served[-1][0] if _served else None


def current_operation() -> Operation | None:
    """Answer what the request that is being served was judged to ask for; None where nobody had to look."""
    return _served[-1][1] if _served else None


@contextmanager
def serving(caller: Caller, operation: Operation | None = None) -> Iterator[None]:
    _served.append((caller, operation))
    try:
        yield
    finally:
        _served.pop()


def caller_of(access_key: str, region: str) -> Caller:
    """Answer who holds the key; nobody's key is the management account's administrator.

    Raises UnusableKey. [H]: that the keys of an account stop as soon as it is being closed.
    """
    partition = get_partition(region)
    if not access_key:
        return Caller(Principal("*", "", PrincipalKind.ANONYMOUS), "anonymous", partition)
    found = find_key(access_key)
    if found is None:
        if was_deleted(access_key):
            raise UnusableKey(access_key)
        account = DEFAULT_ACCOUNT_ID
        principal = Principal(f"arn:{partition}:iam::{account}:user/moto", account, PrincipalKind.USER)
        shown = f"arn:{partition}:sts::{account}:user/moto"
        return Caller(principal, shown, partition, is_administrator=True, user_id="AKIAIOSFODNN7EXAMPLE")
    account, key = found
    organization = find_organization_of(account, partition)
    if key.status != "Active" or (organization is not None and not organization.is_active(account)):
        raise UnusableKey(access_key)
    if key.role_arn:
        facts: SessionFacts = vars(key)[SESSION]
        name = key.role_arn.rpartition("/")[2]
        shown = f"arn:{partition}:sts::{account}:assumed-role/{name}/{facts.name}"
        principal = Principal(key.role_arn, account, PrincipalKind.ROLE, shown)
        roles = iam_backends[account][partition].roles.values()
        id = next((role.id for role in roles if role.arn == key.role_arn), "")
        if not id or id != facts.role_id:
            raise UnusableKey(access_key)
        return Caller(principal, shown, partition, user_id=f"{id}:{facts.name}", session=facts)
    user = iam_backends[account][partition].users.get(str(key.user_name))
    if user is None:
        raise UnusableKey(access_key)
    return Caller(Principal(user.arn, account, PrincipalKind.USER), user.arn, partition, user_id=user.id)
