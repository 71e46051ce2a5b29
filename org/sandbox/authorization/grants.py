"""All policies around a call, gathered from the sandbox and compiled once for as long as they stay the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Group, ManagedPolicy, Role, User, iam_backends
from moto.organizations import utils

from org.policy.authorize import Authorizer, Engine, Grants
from org.policy.model import Level, Policy, PolicyKind
from org.policy.parse import parse_policy
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.sandbox.authorization.principals import Caller, Written
from org.sandbox.authorization.resource_policies import Guarded
from org.sandbox.organizations import SandboxOrganizations, find_organization_of
from org.sandbox.records import SandboxPolicy
from org.source.findings import SourceErrors

MOST_AUTHORIZERS = 1_024
MOST_POLICIES = 8_192

_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
_ADMINISTRATOR = Written("AdministratorAccess", _EVERYTHING)
_NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:Nothing","Resource":"*"}]}'
"""What a boundary allows that has been deleted."""

_Level = tuple[str, tuple[Written, ...]]


class _Around(NamedTuple):
    """What stands around a call, as text, so that it tells by itself whether anything has changed."""

    identity: tuple[Written, ...]
    boundary: tuple[Written, ...]
    session: tuple[Written, ...]
    resource: Written | None
    kind: PolicyKind
    service_control: tuple[_Level, ...]
    resource_control: tuple[_Level, ...]
    management_account: str


_authorizers: OrderedDict[_Around, Authorizer] = OrderedDict()
"""Those used last, at most `MOST_AUTHORIZERS`."""


def authorizer_for(caller: Caller, guarded: Guarded) -> Authorizer:
    around = _look_around(caller, guarded)
    found = _authorizers.get(around)
    if found is None:
        found = _authorizers[around] = engine().authorizer(_compile(around))
        if len(_authorizers) > MOST_AUTHORIZERS:
            _authorizers.popitem(last=False)
    else:
        _authorizers.move_to_end(around)
    return found


@cache
def engine() -> Engine:
    return Engine()


def _look_around(caller: Caller, guarded: Guarded) -> _Around:
    own = find_organization_of(caller.account, caller.partition) if caller.account else None
    other = find_organization_of(guarded.account, caller.partition) if guarded.account else None
    identity, boundary = _policies_of(caller)
    return _Around(
        identity,
        boundary,
        caller.session.policies if caller.session else (),
        guarded.policy,
        guarded.kind,
        _levels(own, caller.account, SERVICE_CONTROL_POLICY),
        _levels(other, guarded.account, RESOURCE_CONTROL_POLICY),
        str(next((each.account_id for each in (own, other) if each is not None), "")),
    )


def _policies_of(caller: Caller) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """Answer the identity's policies and its boundary.

    A role that is not there is one of those that AWS makes for StackSets, with AdministratorAccess.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
    """
    if caller.is_administrator or not caller.account:
        return (_ADMINISTRATOR,), ()
    iam = iam_backends[caller.account][caller.partition]
    identities: Iterable[Role | User] = (*iam.roles.values(), *iam.users.values())
    identity = next((each for each in identities if each.arn == caller.principal.arn), None)
    if identity is None:
        is_stackset = ":role/stacksets-exec-" in caller.principal.arn or caller.principal.is_service_linked
        return ((_ADMINISTRATOR,) if is_stackset else ()), ()
    found = list(_attached(identity))
    if isinstance(identity, User):
        for group in iam.get_groups_for_user(identity.name):
            found += _attached(group)
    arn = getattr(identity, "permissions_boundary_arn", None)
    if not arn:
        return tuple(found), ()
    boundary = find_managed(arn, caller.account, caller.partition) or Written(arn.rpartition("/")[2], _NOTHING, arn)
    return tuple(found), (boundary,)


def _attached(identity: Role | User | Group) -> list[Written]:
    inline = [Written(name, _text(text)) for name, text in identity.policies.items()]
    return inline + [_write(policy) for policy in identity.managed_policies.values()]


def find_managed(arn: str, account: str, partition: str) -> Written | None:
    """Answer a managed policy of the account, or AWS's own."""
    try:
        return _write(iam_backends[account][partition].get_policy(arn))
    except NotFoundException:
        return None


def _write(policy: ManagedPolicy) -> Written:
    versions = {version.version_id: version.document for version in policy.versions}
    return Written(str(policy.name), _text(versions[policy.default_version_id]), policy.arn)


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _levels(organization: SandboxOrganizations | None, account: str, type: str) -> tuple[_Level, ...]:
    """Answer the levels with what is attached; none where the organization has no such policies in force."""
    if organization is None or not organization.has_account(account) or not organization.is_enabled(type):
        return ()
    member = organization.get_account_by_id(account)
    targets = [organization.get_target(id) for id in organization.chain_of(member.parent_id)]
    names = ["Root", *("/".join(unit.name for unit in targets[1 : at + 1]) for at in range(1, len(targets)))]
    return tuple(
        (name, tuple(_write_control(each) for each in target.attached_policies if _counts(each, type)))
        for name, target in zip([*names, f"account {member.name}"], [*targets, member], strict=True)
    )


def _counts(policy: SandboxPolicy, type: str) -> bool:
    """Say whether the policy takes part; `RCPFullAWSAccess` does everywhere, and the evaluation knows."""
    return policy.type == type and policy.id != utils.DEFAULT_RCP_POLICY_ID


def _write_control(policy: SandboxPolicy) -> Written:
    return Written(str(policy.name), str(policy.content), policy.arn)


def _compile(around: _Around) -> Grants:
    def read(policies: tuple[Written, ...], kind: PolicyKind) -> tuple[Policy, ...]:
        return tuple(_parse(each, kind) for each in policies)

    def level(level: _Level, kind: PolicyKind) -> Level:
        return Level(level[0], read(level[1], kind))

    return Grants(
        read(around.identity, PolicyKind.IDENTITY),
        read(around.boundary, PolicyKind.BOUNDARY),
        read(around.session, PolicyKind.SESSION),
        _parse(around.resource, around.kind) if around.resource is not None else None,
        None,
        tuple(level(each, PolicyKind.SERVICE_CONTROL) for each in around.service_control),
        tuple(level(each, PolicyKind.RESOURCE_CONTROL) for each in around.resource_control),
        around.management_account,
    )


@lru_cache(MOST_POLICIES)
def _parse(policy: Written, kind: PolicyKind) -> Policy:
    """Read a policy; what AWS would not have accepted, and moto has, cannot be evaluated."""
    try:
        return parse_policy(policy.text, kind, policy.name, arn=policy.arn, in_force=True)
    except SourceErrors as errors:
        raise NotImplementedError(f"the {kind} {policy.name} cannot be read: {errors}") from errors
