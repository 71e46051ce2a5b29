"""What an organization is made of: the vocabulary that manifest, observation and plan share.

`Desired…` is what the manifest asks for, known by names. `Observed…` is what AWS reports, known by ids. What both
say in the same words (targets, contacts, StackSet settings) is one type, so that they can be compared with `==`.
Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from org.ids import AccountId as AccountId  # noqa: PLC0414 - most take both from here
from org.ids import PolicyType as PolicyType  # noqa: PLC0414
from org.ids import Region as Region  # noqa: PLC0414

AccountName = NewType("AccountName", str)
UnitPath = NewType("UnitPath", str)
"""The names from below the root down, joined with `/`; the root itself is `Root`."""

ROOT = UnitPath("Root")
OWNER_TAG = "orgctl:managed"
"""What orgctl made, or was told to adopt, carries this tag with the value `true`."""
OVERRIDES_TAG = "orgctl:overrides"
"""A StackSet with per-target parameter overrides carries this tag, so that they are read again next time."""
ACCOUNT_MANAGEMENT = "account.amazonaws.com"
"""Names and contacts of member accounts can be read and set from the management account with this trusted access.

https://docs.aws.amazon.com/accounts/latest/reference/using-orgs-trusted-access.html
"""
HIDDEN_VALUE = "****"
"""What CloudFormation shows for a NoEcho parameter: it cannot be compared, only kept."""


def parent_of(path: UnitPath) -> UnitPath:
    """Answer the unit above; the parent of a top-level unit is `Root`."""
    head, _, _ = path.rpartition("/")
    return UnitPath(head) if head else ROOT


def name_of(path: UnitPath) -> str:
    return path.rpartition("/")[2]


def child_path(parent: UnitPath, name: str) -> UnitPath:
    return UnitPath(name) if parent == ROOT else UnitPath(f"{parent}/{name}")


def is_within(path: UnitPath, unit: UnitPath) -> bool:
    """Say whether `path` is `unit` or lies below it; everything lies within the root."""
    return unit == ROOT or path == unit or path.startswith(unit + "/")


class WantedState(StrEnum):
    """What the manifest wants an account to be."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"
    CLOSED = "closed"


class LiveState(StrEnum):
    """`State` of an account as AWS Organizations reports it (the older `Status` knows fewer)."""

    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    PENDING_CLOSURE = "PENDING_CLOSURE"
    CLOSED = "CLOSED"


class ContactType(StrEnum):
    """The three alternate contacts that an account can have (Account Management API)."""

    BILLING = "BILLING"
    OPERATIONS = "OPERATIONS"
    SECURITY = "SECURITY"


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    title: str
    email: str
    phone: str


class TargetKind(StrEnum):
    ROOT = "root"
    UNIT = "unit"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Where a policy is attached: `name` is a unit's path, an account's name, or `Root`."""

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        return "the root" if self.kind is TargetKind.ROOT else f"{self.kind} {self.name}"


# --- desired ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DesiredUnit:
    path: UnitPath
    tags: Mapping[str, str | None] = field(default_factory=dict)
    """A tag with `None` is to be absent; a tag that is not named is left alone."""
    formerly: UnitPath | None = None
    """The path under which the unit is found if it is not yet at `path`: how a rename or a move is asked for."""


@dataclass(frozen=True, slots=True)
class DesiredAccount:
    name: AccountName
    email: str
    unit: UnitPath
    state: WantedState = WantedState.ACTIVE
    id: AccountId | None = None
    """Given only to adopt an account whose email differs from the manifest's."""
    tags: Mapping[str, str | None] = field(default_factory=dict)
    contacts: Mapping[ContactType, Contact | None] = field(default_factory=dict)
    """A contact that is `None` is to be absent; one that is not named is left alone."""


@dataclass(frozen=True, slots=True)
class DesiredPolicy:
    type: PolicyType
    name: str
    content: str
    """Compact JSON; may hold references (`org.references`). Empty for a policy that AWS manages."""
    description: str = ""
    targets: tuple[Target, ...] = ()
    """The whole set: the policy is detached from everywhere else."""
    tags: Mapping[str, str | None] = field(default_factory=dict)
    aws_managed: bool = False


@dataclass(frozen=True, slots=True)
class OperationPreferences:
    """How a StackSet operation goes through its accounts; counts are per Region.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html
    """

    failure_tolerance_percentage: int = 0
    max_concurrent_percentage: int = 100
    soft_failure_tolerance: bool = True
    """SOFT keeps the concurrency up after a failure; STRICT lowers it to tolerance + 1."""
    regions_in_parallel: bool = True


@dataclass(frozen=True, slots=True)
class ParameterOverride:
    """Parameters that differ in some of the instances; empty `regions` are all Regions of the StackSet."""

    parameters: Mapping[str, str]
    units: tuple[UnitPath, ...] = ()
    accounts: tuple[AccountName, ...] = ()
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class StackSetSettings:
    """What of a StackSet is the same for all instances; written by CreateStackSet and UpdateStackSet."""

    template: str
    """The template's body, JSON or YAML, at most 51,200 bytes."""
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values may hold references (`org.references`) in what is desired, never in what is observed."""
    capabilities: tuple[str, ...] = ()
    auto_deployment: bool = True
    retain_on_removal: bool = False
    """Keep the stack when an account leaves the target unit."""
    depends_on: tuple[str, ...] = ()
    """Names of StackSets that deploy before this one, in a rollout and in auto-deployment."""


@dataclass(frozen=True, slots=True)
class DesiredStackSet:
    name: str
    settings: StackSetSettings
    units: tuple[UnitPath, ...]
    regions: tuple[Region, ...]
    only_accounts: tuple[AccountName, ...] = ()
    except_accounts: tuple[AccountName, ...] = ()
    overrides: tuple[ParameterOverride, ...] = ()
    preferences: OperationPreferences = OperationPreferences()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DelegatedAdministrator:
    service: str
    """Service principal: `securityhub.amazonaws.com`."""
    account: AccountName


@dataclass(frozen=True, slots=True)
class RequiredCall:
    """A call that must be let through."""

    action: str
    """`service:Action`; may hold `*`, and then every action that it matches must be."""
    resource: str = ""
    """An ARN, or a pattern of ARNs of which each must be; empty: whichever resource the action knows."""
    context: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    """Condition keys that the call is known to carry; `None`: known to be absent."""


@dataclass(frozen=True, slots=True)
class ProtectedPrincipal:
    """Someone whom no change may lock out: the break-glass role, say."""

    name: str
    arn: str
    """May hold `*` as the account id: the principal of this name in every account."""
    calls: tuple[RequiredCall, ...]


@dataclass(frozen=True, slots=True)
class DesiredOrganization:
    """All that a manifest asks for, with every template and policy already rendered."""

    home_region: Region
    management_account: AccountName
    units: tuple[DesiredUnit, ...] = ()
    """Parents before children; the root is not among them."""
    accounts: tuple[DesiredAccount, ...] = ()
    policies: tuple[DesiredPolicy, ...] = ()
    trusted_access: tuple[str, ...] = ()
    delegated_administrators: tuple[DelegatedAdministrator, ...] = ()
    stacksets: tuple[DesiredStackSet, ...] = ()
    quarantine_unit: UnitPath | None = None
    """Where an account goes whose wanted state is quarantined, whatever its `unit` says."""
    protected_principals: tuple[ProtectedPrincipal, ...] = ()
    governed_regions: tuple[Region, ...] = ()
    """Where the organization works; what must keep working is proved for each of them."""


# --- observed -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the live organization that could not be read, and so is not known to be empty.

    `area` is one of the constants of `org.interest`; `subject` is the object within it, empty for the whole area.
    """

    area: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class ObservedUnit:
    id: str
    path: UnitPath
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedAccount:
    id: AccountId
    name: AccountName
    email: str
    unit: UnitPath
    state: LiveState
    tags: Mapping[str, str] = field(default_factory=dict)
    """Read only for accounts that the manifest names: one call each."""
    contacts: Mapping[ContactType, Contact] = field(default_factory=dict)
    """Read only where the manifest names contacts: one call each."""


@dataclass(frozen=True, slots=True)
class PendingAccount:
    """An account whose creation is under way: a later run waits for it and does not ask for it twice."""

    request_id: str
    name: AccountName


@dataclass(frozen=True, slots=True)
class ObservedPolicy:
    id: str
    type: PolicyType
    name: str
    description: str
    content: str
    aws_managed: bool
    target_ids: tuple[str, ...] = ()
    """Sorted ids of the root, units and accounts to which it is attached."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObservedInstance:
    """A stack instance: one stack of a StackSet in one account and Region."""

    account_id: AccountId
    region: Region
    status: str
    """CURRENT, OUTDATED or INOPERABLE."""
    detailed_status: str
    reason: str = ""
    unit_id: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Read only for StackSets that carry OVERRIDES_TAG or have overrides in the manifest: one call each."""


@dataclass(frozen=True, slots=True)
class ObservedStackSet:
    name: str
    id: str
    arn: str
    service_managed: bool
    managed_execution: bool
    settings: StackSetSettings
    tags: Mapping[str, str]
    deployment_targets: tuple[tuple[str, Region], ...] = ()
    """Sorted pairs of unit id and Region to which AWS auto-deploys (ListStackSetAutoDeploymentTargets)."""
    instances: tuple[ObservedInstance, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedOrganization:
    """What AWS reports, at one moment; empty `id` says that there is no organization yet."""

    caller_account: AccountId
    id: str = ""
    root_id: str = ""
    management_account_id: AccountId = AccountId("")
    root_tags: Mapping[str, str] = field(default_factory=dict)
    policy_types: tuple[PolicyType, ...] = ()
    """Enabled in the root."""
    units: tuple[ObservedUnit, ...] = ()
    accounts: tuple[ObservedAccount, ...] = ()
    pending_accounts: tuple[PendingAccount, ...] = ()
    policies: tuple[ObservedPolicy, ...] = ()
    trusted_access: tuple[str, ...] = ()
    delegated_administrators: tuple[tuple[str, AccountId], ...] = ()
    """Pairs of service principal and account."""
    stacksets_access: bool = False
    """Whether CloudFormation StackSets may act in the organization (DescribeOrganizationsAccess)."""
    stacksets: tuple[ObservedStackSet, ...] = ()
    unread: tuple[Unread, ...] = ()
