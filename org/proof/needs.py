"""Who must keep working in an account, and by which calls.

Beyond what the manifest protects: the roles by which StackSets, the management account, auditors and the forwarding of
events reach the account, each only where it is or will be. Service-linked roles need no proof: no SCP and no RCP
reaches them (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html). Roles of
permission sets (`role/aws-reserved/sso.amazonaws.com/…`) are not spared by AWS; what they are for is known to the
manifest alone, so that they are proved where it names them. That people can sign in to them is proved wherever
Identity Center has trusted access.
"""

from __future__ import annotations

from collections.abc import Iterator

from org.changes import EnableTrustedAccess
from org.model import Region, RequiredCall
from org.plan.model import Plan
from org.proof.chains import Chains
from org.proof.model import Demand
from org.proof.regions import partition_of
from org.proof.stacks import Stacks
from org.references import resolve

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
        self.has_identity_center = IDENTITY_CENTER in enabled | set(plan.observed.trusted_access)

    def of(self, account: str) -> Iterator[Demand]:
        """Yield all that must go on in an account whose policies change."""
        yield from self._protected(account)
        yield from self.stacks.kept(account)
        yield from self._access(account)
        yield from self._baseline(account)
        if self.has_identity_center:
            yield self._sign_in(account)

    def _protected(self, account: str) -> Iterator[Demand]:
        ids = self.chains.tree.ids
        for principal in self.plan.protected_principals:
            arn = resolve(principal.arn, ids)
            parts = arn.split(":")
            if parts[4] not in ("*", account):
                continue
            parts[4] = account
            parts[1] = self.partition if parts[1] == "*" else parts[1]
            calls = tuple(
                RequiredCall(call.action, resolve(call.resource, ids).replace(":*:", f":{account}:", 1), call.context)
                if ":iam::*:" in call.resource
                else call
                for call in principal.calls
            )
            yield Demand(principal.name, ":".join(parts), arn, calls, self.regions, account, _DIRECT)

    def _role(self, who: str, name: str, account: str, calls: tuple[RequiredCall, ...]) -> Demand:
        arn, exempt = (f"arn:{self.partition}:iam::{where}:role/{name}" for where in (account, "*"))
        return Demand(who, arn, exempt, calls, self.regions, account, _DIRECT)

    def _access(self, account: str) -> Iterator[Demand]:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html"""
        yield self._role(ACCESS_ROLE, ACCESS_ROLE, account, tuple(map(RequiredCall, REPAIR_CALLS)))
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
                yield self._role(AUDIT_ROLE, AUDIT_ROLE, account, tuple(map(RequiredCall, AUDIT_CALLS)))
                into = f"arn:{self.partition}:iam::{account}:role/{AUDIT_ROLE}"
                yield self._coming("auditors", parameters["AuditAccountId"], account, into)
            bus = f"arn:{self.partition}:events:{home}:{lineage}:event-bus/{parameters.get('CentralBusName', _BUS)}"
            arn, exempt = (
                f"arn:{self.partition}:iam::{where}:role/{FORWARDER_ROLE_PREFIX}{region}" for where in (account, "*")
            )
            yield Demand(
                f"event forwarding of {name}",
                arn,
                exempt,
                (RequiredCall("events:PutEvents", bus),),
                (home,),
                lineage,
            )

    def _sign_in(self, account: str) -> Demand:
        """A person comes in through the SAML provider that Identity Center keeps in each account.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
        """
        arn = f"arn:{self.partition}:iam::{account}:saml-provider/AWSSSO_*_DO_NOT_DELETE"
        role = f"arn:{self.partition}:iam::{account}:role/aws-reserved/sso.amazonaws.com/*"
        calls = (RequiredCall("sts:AssumeRoleWithSAML", role),)
        return Demand("sign-in of IAM Identity Center", arn, arn, calls, self.regions, account)
