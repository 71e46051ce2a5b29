"""Who must keep working in an account, and by which calls.

Beyond what the manifest protects: the roles by which StackSets, the management account, auditors and the forwarding of
events reach the account, each only where it is or will be. Service-linked roles need no proof: no SCP and no RCP
reaches them (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html). Roles of
permission sets (`role/aws-reserved/sso.amazonaws.com/…`) are not spared by AWS; what they are for is known to the
manifest alone, so that they are proved where it names them. That people can sign in to them is proved wherever
Identity Center has trusted access.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from org.changes import EnableTrustedAccess
from org.errors import OrgctlError
from org.interest import TRUSTED_ACCESS
from org.model import Region, RequiredCall
from org.plan.model import Plan
from org.proof.chains import Chains
from org.proof.model import Demand, Meaning
from org.proof.regions import partition_of
from org.proof.stacks import Stacks
from org.references import find_references, resolve

ACCESS_ROLE = "OrganizationAccountAccessRole"
AUDIT_ROLE = "orgctl-audit"
FORWARDER_ROLE_PREFIX = "orgctl-forward-events-"
IDENTITY_CENTER = "sso.amazonaws.com"

REPAIR_CALLS = (
    "iam:GetRole",
    "iam:CreateRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:DeleteStack",
)
"""What it takes to put a broken account right by hand: see its roles and stacks, repair or make the role that people
or tools come in by, and get a stack of a StackSet out of the way that neither goes forward nor back."""
AUDIT_CALLS = (
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "config:DescribeConfigurationRecorders",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "iam:GetAccountAuthorizationDetails",
    "iam:ListRoles",
    "s3:GetBucketPolicy",
    "s3:ListAllMyBuckets",
)
"""What the auditor looks at first; AWS's own policy SecurityAudit, which the role has, goes on changing."""
_BUS = "orgctl-lineage"
_BASELINE = ("AuditAccountId", "LineageAccountId", "HomeRegion")
"""Parameters by which the template account-baseline is known."""
_DIRECT = {"aws:viaawsservice": "false", "aws:calledvia": None}
"""A call that a person or tool makes itself."""


class Needs:
    def __init__(self, plan: Plan, chains: Chains, stacks: Stacks) -> None:
        self.plan = plan
        self.chains = chains
        self.stacks = stacks
        self.partition = partition_of(plan.home_region)
        self.regions: tuple[Region, ...] = plan.governed_regions or (plan.home_region,)
        enabled = {s.change.service for s in plan.steps if isinstance(s.change, EnableTrustedAccess)}
        is_unread = any(gap.area == TRUSTED_ACCESS for gap in plan.observed.unread)
        self.has_identity_center = is_unread or IDENTITY_CENTER in enabled | set(plan.observed.trusted_access)

    def of(self, account: str) -> Iterator[Demand]:
        """Yield all that must go on in an account whose policies change."""
        yield from self.of_people(account)
        yield from self.stacks.kept(account)
        yield from self._baseline(account)
        yield from self._central(account)
        if self.has_identity_center:
            yield self._sign_in(account)

    def of_people(self, account: str) -> Iterator[Demand]:
        """Yield what must go on at every moment, so that somebody can put right whatever went wrong."""
        yield from self._protected(account)
        yield from self._access(account)

    def strangers(self) -> Iterator[tuple[str, Demand]]:
        """Yield principals of accounts that are not in the organization, with the account: a wrong id looks like that.

        Nothing can be proved of what they do in their own account.
        """
        for principal in self.plan.protected_principals:
            arn = resolve(principal.arn, self.chains.tree.ids)
            home = arn.split(":")[4]
            own = tuple(call for call in principal.calls if not _owner(resolve(call.resource, self.chains.tree.ids)))
            if own and home != "*" and home not in self.chains.tree.nodes:
                yield home, Demand(principal.name, arn, arn, own, (), home)

    def _protected(self, account: str) -> Iterator[Demand]:
        """Yield the calls of principals of this account, and those that principals of others make on what it has.

        `*` as the account of a resource is the principal's own, and any besides if the principal is of one account.
        """
        for principal in self.plan.protected_principals:
            arn = resolve(principal.arn, self.chains.tree.ids)
            parts = arn.split(":")
            parts[1] = self.partition if parts[1] == "*" else parts[1]
            home = parts[4]
            calls = [(call, resolve(call.resource, self.chains.tree.ids)) for call in principal.calls]
            for text in (arn, *(resource for _, resource in calls)):
                for reference in find_references(text):
                    raise OrgctlError(
                        f"protected principal {principal.name}",
                        f"{text} names {reference}, which there is not",
                        "name an account or unit of the manifest",
                    )
            if home in ("*", account):
                here = ":".join([*parts[:4], account, *parts[5:]])
                for owner, asked in _by_owner(calls, account, everywhere=home != "*").items():
                    yield Demand(principal.name, here, arn, tuple(asked), self.regions, owner, self._direct(owner))
            if home != account:
                owners = (account,) if home == "*" else (account, "*")
                asked = [_of(call, resource, account) for call, resource in calls if _owner(resource) in owners]
                if asked:
                    there, context = ":".join(parts), self._direct(account, home)
                    yield Demand(principal.name, there, arn, tuple(asked), self.regions, account, context)

    def _direct(self, owner: str, home: str = "") -> Mapping[str, str | None]:
        """Answer what is known of a call that somebody makes; `*` is whichever account of the organization."""
        id = self.chains.tree.organization_id
        within = {"aws:resourceorgid": id} if owner == "*" else {}
        return _DIRECT | within | ({"aws:principalorgid": id} if home == "*" else {})

    def _role(self, who: str, name: str, account: str, calls: tuple[RequiredCall, ...]) -> Demand:
        arn, exempt = (f"arn:{self.partition}:iam::{where}:role/{name}" for where in (account, "*"))
        return Demand(who, arn, exempt, calls, self.regions, account, _DIRECT)

    def _access(self, account: str) -> Iterator[Demand]:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html"""
        repair = self._role(ACCESS_ROLE, ACCESS_ROLE, account, tuple(map(RequiredCall, REPAIR_CALLS)))
        yield replace(repair, meaning=Meaning.USUAL)
        into = f"arn:{self.partition}:iam::{account}:role/{ACCESS_ROLE}"
        yield self._coming("management account", self.chains.management, account, into)

    def _coming(self, who: str, source: str, account: str, role: str) -> Demand:
        """Let somebody of another account take the role on: which role or user is not known."""
        arn = f"arn:{self.partition}:iam::{source}:role/*"
        return Demand(who, arn, arn, (RequiredCall("sts:AssumeRole", role),), self.regions, account, _DIRECT)

    def _baseline(self, account: str) -> Iterator[Demand]:
        for name, region, parameters in self.stacks.deployed(account):
            if not all(key in parameters for key in _BASELINE):
                continue
            home, lineage = parameters["HomeRegion"], parameters["LineageAccountId"]
            if region == home:
                audit = self._role(AUDIT_ROLE, AUDIT_ROLE, account, tuple(map(RequiredCall, AUDIT_CALLS)))
                yield replace(audit, meaning=Meaning.USUAL)
                into = f"arn:{self.partition}:iam::{account}:role/{AUDIT_ROLE}"
                yield self._coming("auditors", parameters["AuditAccountId"], account, into)
            arn, exempt = (
                f"arn:{self.partition}:iam::{where}:role/{FORWARDER_ROLE_PREFIX}{region}" for where in (account, "*")
            )
            put = (RequiredCall("events:PutEvents", self._bus(parameters)),)
            yield Demand(f"event forwarding of {name}", arn, exempt, put, (home,), lineage)

    def _central(self, account: str) -> Iterator[Demand]:
        """Yield what all accounts and this one do together: auditing from here, or forwarding of events to here."""
        for name, parameters in self._baselines.items():
            if account == parameters["AuditAccountId"]:
                into = f"arn:{self.partition}:iam::*:role/{AUDIT_ROLE}"
                yield replace(self._coming("auditors", account, "*", into), context=self._direct("*"))
            if account == parameters["LineageAccountId"]:
                arn = f"arn:{self.partition}:iam::*:role/{FORWARDER_ROLE_PREFIX}*"
                put = (RequiredCall("events:PutEvents", self._bus(parameters)),)
                context = {"aws:principalorgid": self.chains.tree.organization_id}
                home = (parameters["HomeRegion"],)
                yield Demand(f"event forwarding of {name}", arn, arn, put, home, account, context)

    @cached_property
    def _baselines(self) -> Mapping[str, Mapping[str, str]]:
        """Parameters of the StackSets that deploy the baseline, by name."""
        found: dict[str, Mapping[str, str]] = {}
        for account in self.stacks.instances:
            for name, _, parameters in self.stacks.deployed(account):
                if name not in found and all(key in parameters for key in _BASELINE):
                    found[name] = parameters
        return found

    def _bus(self, parameters: Mapping[str, str]) -> str:
        home, lineage = parameters["HomeRegion"], parameters["LineageAccountId"]
        return f"arn:{self.partition}:events:{home}:{lineage}:event-bus/{parameters.get('CentralBusName', _BUS)}"

    def _sign_in(self, account: str) -> Demand:
        """A person comes in through the SAML provider that Identity Center keeps in each account.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
        """
        arn = f"arn:{self.partition}:iam::{account}:saml-provider/AWSSSO_*_DO_NOT_DELETE"
        role = f"arn:{self.partition}:iam::{account}:role/aws-reserved/sso.amazonaws.com/*"
        calls = (RequiredCall("sts:AssumeRoleWithSAML", role),)
        return Demand("sign-in of IAM Identity Center", arn, arn, calls, self.regions, account)


def _owner(resource: str) -> str:
    """Answer the account in an ARN: an id, `*` for one that is left open, empty where there is none."""
    account = [*resource.split(":", 5), "", "", "", "", ""][4]
    return account if account.isdigit() or account == "*" else ""


def _of(call: RequiredCall, resource: str, account: str) -> RequiredCall:
    """Answer the call on what is in this account, where its resource leaves the account open."""
    parts = resource.split(":", 5)
    if _owner(resource) == "*":
        parts[4] = account
    return RequiredCall(call.action, ":".join(parts), call.context)


def _by_owner(
    calls: Sequence[tuple[RequiredCall, str]], account: str, *, everywhere: bool
) -> Mapping[str, list[RequiredCall]]:
    """Sort the calls of a principal in this account by whose resources they are for."""
    found: dict[str, list[RequiredCall]] = {}
    for call, resource in calls:
        owner = _owner(resource)
        own = account if owner in ("", "*") else owner
        found.setdefault(own, []).append(_of(call, resource, own))
        if owner == "*" and everywhere:
            found.setdefault("*", []).append(_of(call, resource, "*"))
    return found
