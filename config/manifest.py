"""The manifest as strict, frozen values: one class per concept, one field per key.

The descriptions go into the JSON Schema and so into the hover text of editors. What a type alone cannot say (names
that must exist, exactly-one-of rules) is checked in `config.check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.compliance import ComplianceSettings, Severity
from config.fields import (
    AccountIdText,
    AccountNameText,
    AnyValue,
    ApiCaller,
    Call,
    ConditionKey,
    ContactEmail,
    ContactName,
    ContactTitle,
    Email,
    FileName,
    ImageOwner,
    Label,
    Phone,
    PolicyDescription,
    PolicyName,
    PolicyTypeText,
    PrincipalArn,
    RegionText,
    ResourceArn,
    ServicePrincipal,
    StackSetDescription,
    StackSetName,
    Tags,
    UnitName,
    UserPoolArn,
    VariableName,
    refuse_macros,
)
from config.strict import Strict
from org.model import ROOT, UnitPath, WantedState, child_path

ContactKind = Literal["billing", "operations", "security"]
Capability = Annotated[Literal["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"], BeforeValidator(refuse_macros)]


class OrganizationSettings(Strict):
    """The organization as a whole and the accounts with a special part in it."""

    home_region: RegionText
    """Region in which StackSets, the lineage system and everything else that exists once is kept."""
    governed_regions: Annotated[tuple[RegionText, ...], Field(min_length=1)]
    """Regions that accounts may use and StackSets deploy to; the home Region must be among them."""
    management_account: str
    """Name of the account that owns the organization."""
    log_archive_account: str
    """Name of the account that keeps the logs."""
    audit_account: str
    """Name of the account from which security reviewers look into all others."""
    lineage_account: str
    """Name of the account that holds the machine image lineage system."""
    quarantine_unit: str | None = None
    """Path of the unit to which quarantined accounts are moved; required if any account is quarantined."""


class UnitSpec(Strict):
    """An organizational unit, with the units in it; at most five levels below the root."""

    name: UnitName
    """Name of the unit, unique among its siblings; without `/`."""
    formerly: str | None = None
    """Path that the unit had before: it is then renamed or moved instead of made anew."""
    tags: Tags = Field(default_factory=dict)
    """Tags of the unit; null means that the tag must be absent; tags that are not named are left alone."""
    units: tuple[UnitSpec, ...] = ()
    """Units within this one."""


class ContactSpec(Strict):
    """An alternate contact of an account."""

    name: ContactName
    """Name of the person or team."""
    title: ContactTitle
    """Their title."""
    email: ContactEmail
    """Their email address."""
    phone: Phone
    """Their phone number."""


class AccountSpec(Strict):
    """An account of the organization; known by its name in the rest of the manifest."""

    name: AccountNameText
    """Name of the account, unique in the manifest."""
    email: Email
    """Email address of the account's root user, used by no other AWS account in the world."""
    unit: str
    """Path of the unit that holds the account, such as Workloads/Prod, or Root."""
    id: AccountIdText | None = None
    """Account id in quotes; needed only to adopt an account whose email differs from the one above."""
    tags: Tags = Field(default_factory=dict)
    """Tags of the account; null means that the tag must be absent; tags that are not named are left alone."""
    alternate_contacts: Mapping[ContactKind, ContactSpec | None] = Field(default_factory=dict)
    """Alternate contacts; null means that there must be none; kinds that are not named are left alone."""
    state: Annotated[WantedState, Field(strict=False)] = WantedState.ACTIVE
    """Wanted state: active, quarantined (moved to the quarantine unit) or closed (for good)."""


class Attach(Strict):
    """Where a policy is attached; it is detached from everywhere else."""

    root: bool = False
    """Attach to the root, and so to everything."""
    units: tuple[str, ...] = ()
    """Paths of units."""
    accounts: tuple[str, ...] = ()
    """Names of accounts."""


class PolicySpec(Strict):
    """An organization policy; its text comes from exactly one of file, inline, guardrail and aws_managed."""

    name: PolicyName
    """Name of the policy, unique among those of its type."""
    type: PolicyTypeText
    """Type of the policy as AWS Organizations spells it."""
    description: PolicyDescription = ""
    """Description that AWS shows."""
    file: FileName | None = None
    """JSON file with the policy, relative to the manifest's folder; ${NAME} in it is filled from variables."""
    inline: Mapping[str, object] | None = None
    """The policy itself, as YAML; ${NAME} in it is filled from variables."""
    guardrail: str | None = None
    """Name of a built-in guardrail."""
    parameters: Mapping[str, AnyValue] = Field(default_factory=dict)
    """Parameters of the built-in guardrail."""
    variables: Mapping[VariableName, AnyValue] = Field(default_factory=dict)
    """Values for ${NAME} in this policy alone; they go before the manifest's variables."""
    aws_managed: Literal[True] | None = None
    """The policy is made by AWS, such as FullAWSAccess, and only attached here."""
    attach: Attach = Attach()
    """Where the policy is attached."""
    tags: Tags = Field(default_factory=dict)
    """Tags of the policy; null means that the tag must be absent; tags that are not named are left alone."""


class DelegatedAdministratorSpec(Strict):
    """A member account that administers a service for the organization."""

    service: ServicePrincipal
    """Service principal, such as securityhub.amazonaws.com."""
    account: str
    """Name of the account, not the management account."""


class Targets(Strict):
    """Where a StackSet deploys: the root or units with all that is below them, narrowed by accounts."""

    root: bool = False
    """Deploy to all accounts of the organization; never to the management account, which StackSets leave out."""
    units: tuple[str, ...] = ()
    """Paths of units."""
    only_accounts: tuple[str, ...] = ()
    """Of the accounts in the targets, only these."""
    except_accounts: tuple[str, ...] = ()
    """Of the accounts in the targets, all but these."""


class OverrideSpec(Strict):
    """Parameters with other values in some of the targets."""

    units: tuple[str, ...] = ()
    """Paths of units within the StackSet's targets, or Root."""
    accounts: tuple[str, ...] = ()
    """Names of accounts within the StackSet's targets."""
    regions: tuple[RegionText, ...] = ()
    """Regions of the StackSet to which the values apply; all if none is named."""
    parameters: Annotated[Mapping[str, AnyValue], Field(min_length=1)]
    """Names of template parameters and their values there."""


class StackSetSpec(Strict):
    """A CloudFormation StackSet with the permissions of the organization (service-managed)."""

    name: StackSetName
    """Name of the StackSet."""
    template: str | None = None
    """Name of a template of orgctl's catalog; either this or file."""
    file: FileName | None = None
    """Template file of your own, relative to the manifest's folder; either this or template."""
    description: StackSetDescription = ""
    """Description that AWS shows."""
    targets: Targets
    """Where the StackSet deploys."""
    regions: tuple[RegionText, ...] = ()
    """Regions in which each account gets the stack; the governed Regions if none is named."""
    parameters: Mapping[str, AnyValue] = Field(default_factory=dict)
    """Template parameters; ${NAME} is filled from variables, ${orgctl:account-id:NAME} and the like by orgctl."""
    overrides: tuple[OverrideSpec, ...] = ()
    """Parameters that differ in some of the targets."""
    depends_on: tuple[str, ...] = ()
    """Names of StackSets that deploy before this one."""
    failure_tolerance_percentage: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of the accounts in a Region that may fail before the operation stops there."""
    max_concurrent_percentage: Annotated[int, Field(ge=1, le=100)] = 100
    """Share of the accounts in a Region that deploy at the same time."""
    concurrency_mode: Literal["soft", "strict"] = "soft"
    """soft keeps the concurrency after a failure; strict lowers it to the failure tolerance plus one."""
    region_order: Literal["parallel", "sequential"] = "parallel"
    """Whether Regions deploy all at once or one after the other in the order given."""
    auto_deployment: bool | None = None
    """Whether accounts that join a target unit get the stack; by default, unless the targets name accounts."""
    retain_on_removal: bool = False
    """Whether an account that leaves the target units keeps its stack."""
    capabilities: tuple[Capability, ...] = ()
    """What the template file may make; catalog templates say it themselves."""
    tags: Tags = Field(default_factory=dict)
    """Tags of the StackSet and of everything it makes; null means that the tag must be absent."""

    @property
    def deploys_automatically(self) -> bool:
        """Answer `auto_deployment` or its default: AWS would give the stack to accounts that the targets leave out.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
        """
        if self.auto_deployment is None:
            return not (self.targets.only_accounts or self.targets.except_accounts)
        return self.auto_deployment


def _spelled_out(value: object) -> object:
    """Read `sts:AssumeRole` as `{call: sts:AssumeRole}`."""
    return {"call": value} if isinstance(value, str) else value


class RequiredCallSpec(Strict):
    """A call that must keep working; the call alone may be written for it."""

    call: Call
    """The call, such as sts:AssumeRole; `*` stands for every call, iam:* for every call of a service."""
    on: ResourceArn | None = None
    """ARN pattern of what it is made on; whatever the call knows if it is not given."""
    given: Mapping[ConditionKey, str | tuple[str, ...] | None] = Field(default_factory=dict)
    """Condition keys that the call is known to carry, with their values; null for one that it never carries."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        spelled_out = handler(core)
        return {"anyOf": [TypeAdapter(Call).json_schema(), handler.resolve_ref_schema(spelled_out)]}


class ProtectedPrincipal(Strict):
    """A principal that no policy may ever lock out, such as break-glass roles and pipelines."""

    name: Label
    """Name by which reports call the principal."""
    arn: PrincipalArn
    """ARN of the principal; the account may be `*` for every account."""
    calls: Annotated[tuple[Annotated[RequiredCallSpec, BeforeValidator(_spelled_out)], ...], Field(min_length=1)]
    """Calls that must keep working, such as sts:AssumeRole or iam:*."""


class Notification(Strict):
    """Someone who is told of findings."""

    name: Label
    """Name by which reports call the target."""
    email: ContactEmail
    """Email address that gets the message."""
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)]
    """Severities of findings that are sent."""


class GraphSettings(Strict):
    """The graph in which lineage is kept."""

    engine: Literal["neptune", "sqlite"] = "neptune"
    """neptune, or sqlite for a small organization without Neptune."""
    min_capacity: Annotated[float, Field(ge=1, le=128, multiple_of=0.5)] = 1
    """Smallest capacity of Neptune Serverless, in Neptune Capacity Units."""
    max_capacity: Annotated[float, Field(ge=2.5, le=128, multiple_of=0.5)] = 8
    """Largest capacity of Neptune Serverless, in Neptune Capacity Units."""
    standby: bool = False
    """Whether a second instance, in another zone, takes over at once; it costs as much as the first."""


class ApiSettings(Strict):
    """The API of the lineage system."""

    access: Literal["private", "regional"] = "private"
    """private: from within the VPC only; regional: from the internet, with AWS credentials."""
    callers: Annotated[tuple[ApiCaller, ...], Field(min_length=1)] | None = None
    """Whose principals may call it: accounts by name, roles by ARN; audit, lineage and management if not given."""
    cognito_user_pool: UserPoolArn | None = None
    """ARN of the Cognito user pool whose users may call, in place of the organization's principals."""
    api_key: bool = False
    """Whether callers need an API key besides, by which a usage plan counts their requests."""
    requests_per_address: Annotated[int, Field(ge=10, le=2_000_000_000)] = 3000
    """Requests of one address in five minutes, beyond which the firewall refuses it."""

    @property
    def caller_accounts(self) -> tuple[str, ...]:
        return tuple(each for each in self.callers or () if not each.startswith("arn:"))

    @property
    def caller_roles(self) -> tuple[str, ...]:
        return tuple(each for each in self.callers or () if each.startswith("arn:"))


class ConfigSettings(Strict):
    """The rules of AWS Config, by which it judges images and instances of every account."""

    except_accounts: tuple[str, ...] = ()
    """Accounts without a recorder of AWS Config in the home Region: rules cannot be made there."""


class LineageSettings(Strict):
    """The machine image lineage system in the lineage account."""

    archive_retention_days: Annotated[int, Field(ge=1, le=36500)] = 365
    """Days for which the archive of events cannot be deleted."""
    trusted_image_owners: tuple[ImageOwner, ...] = ()
    """Owners whose images count as trusted origins: account ids in quotes, amazon, aws-marketplace and the like."""
    graph: GraphSettings = GraphSettings()
    """What keeps the graph, and how large it may grow."""
    api: ApiSettings = ApiSettings()
    """From where the API of the lineage system can be called."""
    config: ConfigSettings = ConfigSettings()
    """Where AWS Config judges."""
    compliance: ComplianceSettings = ComplianceSettings()
    """By which rules images are judged."""
    assessment_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """Hours between two assessments of all images."""
    chat_webhook: bool = False
    """Whether findings also go to a chat; the address is put into a secret that the template makes."""
    parameters: Mapping[str, str | int] = Field(default_factory=dict)
    """Parameters of the lineage account's stacks by name, such as ExcludedAccounts, in place of their defaults."""


class Manifest(Strict):
    """An AWS Organization as orgctl brings it about and keeps it."""

    version: Literal[1]
    """Version of the manifest's format."""
    include: tuple[FileName, ...] = ()
    """Further files below this file's folder, `*` allowed; their lists are appended and their mappings merged."""
    variables: Mapping[VariableName, AnyValue] = Field(default_factory=dict)
    """Values for ${NAME} in policies and StackSet parameters; a list, number or boolean is put in as JSON."""
    organization: OrganizationSettings
    """The organization as a whole and the accounts with a special part in it."""
    units: tuple[UnitSpec, ...] = ()
    """Organizational units below the root, nested at most five deep."""
    accounts: Annotated[tuple[AccountSpec, ...], Field(min_length=1)]
    """Accounts of the organization; what is not named is left alone and never closed."""
    policies: tuple[PolicySpec, ...] = ()
    """Policies of every type and where they are attached."""
    trusted_access: tuple[ServicePrincipal, ...] = ()
    """Service principals that may act in the whole organization."""
    delegated_administrators: tuple[DelegatedAdministratorSpec, ...] = ()
    """Member accounts that administer a service for the organization."""
    stacksets: tuple[StackSetSpec, ...] = ()
    """What CloudFormation deploys to the accounts."""
    protected_principals: tuple[ProtectedPrincipal, ...] = ()
    """Principals that no policy may ever lock out."""
    notifications: tuple[Notification, ...] = ()
    """Who is told of findings."""
    lineage: LineageSettings = LineageSettings()
    """The machine image lineage system."""


Steps: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the manifest's top down to a value: `("accounts", 3, "email")`."""


def walk_units(manifest: Manifest) -> Iterator[tuple[UnitPath, UnitSpec, Steps]]:
    """Yield each unit's path, itself and its place in the manifest (for `where`), parents before children."""

    def walk(units: tuple[UnitSpec, ...], parent: UnitPath, place: Steps) -> Iterator[tuple[UnitPath, UnitSpec, Steps]]:
        for index, unit in enumerate(units):
            path = child_path(parent, unit.name)
            yield path, unit, (*place, index)
            yield from walk(unit.units, path, (*place, index, "units"))

    return walk(manifest.units, ROOT, ("units",))
