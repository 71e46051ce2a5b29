"""Where the lineage account's stacks go, and what is known before the first of them: ids, settings, parameters.

Calls DescribeOrganization, ListAccounts, DescribeManagedPrefixLists, and Lambda's GetAccountSettings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.manifest import Manifest
from org.errors import OrgctlError
from org.gateway.aws import connect
from org.gateway.connection import Connection
from org.gateway.errors import aws_errors
from org.model import AccountId, DesiredOrganization, Region
from org.references import ORGANIZATION_ID, account_reference, resolve
from stacksets.functions import FUNCTIONS
from stacksets.lineage_settings import render_settings
from stacksets.lineage_stacks import BASELINE, caller_accounts

CONFIG_ACROSS_ACCOUNTS = "config-multiaccountsetup.amazonaws.com"
_UNRESERVED = 100
"""Of an account's concurrent executions, what cannot be reserved.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """A template of the catalog that a StackSet of the manifest gives to every account."""

    template: str
    body: str
    parameters: Mapping[str, str]
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Place:
    manifest: Manifest
    organization_id: str
    management: AccountId
    lineage: AccountId
    home: Region
    everywhere: tuple[Everywhere, ...]
    """What StackSets give every account but the management account."""
    api_callers: tuple[AccountId, ...]
    """Accounts whose principals may call the API."""
    references: Mapping[str, str]
    """Ids by what references to them name."""

    @property
    def settings(self) -> str:
        external_id = next(each.parameters["ExternalId"] for each in self.everywhere if each.template == BASELINE)
        return render_settings(self.manifest, self.organization_id, external_id)


def find_place(connection: Connection, manifest: Manifest, desired: DesiredOrganization) -> Place:
    """Ask AWS who is who; OrgctlError where the organization or the lineage account is not there yet."""
    wanted, home = manifest.organization, desired.home_region
    gateway = connect(connection, home).organizations
    organization = gateway.describe_organization()
    if organization is None:
        raise OrgctlError("lineage deploy", "there is no organization", "run orgctl bootstrap first")
    ids = {str(each.name): each.id for each in gateway.list_accounts()}
    if wanted.lineage_account not in ids:
        what = f"the organization has no account {wanted.lineage_account}"
        raise OrgctlError("lineage deploy", what, "run orgctl bootstrap first")
    references = {account_reference(name): str(id) for name, id in ids.items()}
    references[ORGANIZATION_ID] = organization.id
    return Place(
        manifest,
        organization.id,
        organization.management_account_id,
        ids[wanted.lineage_account],
        home,
        tuple(_everywhere(manifest, desired, references)),
        tuple(_callers(manifest, ids)),
        references,
    )


def _callers(manifest: Manifest, ids: Mapping[str, AccountId]) -> Iterator[AccountId]:
    for name in caller_accounts(manifest):
        if name not in ids:
            what = f"the organization has no account {name}, whose principals may call the API"
            raise OrgctlError("lineage deploy", what, "run orgctl bootstrap first")
        yield ids[name]


def _everywhere(
    manifest: Manifest, desired: DesiredOrganization, references: Mapping[str, str]
) -> Iterator[Everywhere]:
    templates = {each.name: each.template for each in manifest.stacksets if each.template and each.targets.root}
    if BASELINE not in templates.values():
        what = f"no StackSet gives every account {BASELINE}: nothing would be heard of them"
        raise OrgctlError("stacksets", what, "add one, as docs/templates.md shows, and run orgctl bootstrap")
    for each in desired.stacksets:
        if (template := templates.get(each.name)) is not None:
            given = {name: resolve(value, references) for name, value in each.settings.parameters.items()}
            yield Everywhere(template, each.settings.template, given, each.regions)


def check_delegation(manifest: Manifest) -> None:
    """Rules of AWS Config for all accounts, and the list of accounts, are for a delegated administrator."""
    account = manifest.organization.lineage_account
    services = {each.service for each in manifest.delegated_administrators if each.account == account}
    if CONFIG_ACROSS_ACCOUNTS not in services:
        what = f"{account} does not administer {CONFIG_ACROSS_ACCOUNTS}, without which it cannot judge other accounts"
        todo = f"add {{service: {CONFIG_ACROSS_ACCOUNTS}, account: {account}}} and run orgctl bootstrap"
        raise OrgctlError("delegated_administrators", what, todo)


def check_concurrency(limit: int) -> None:
    """Reserved executions must leave a hundred: new accounts have a quota of ten."""
    reserved = sum(row.reserved for row in FUNCTIONS)
    if limit < reserved + _UNRESERVED:
        what = f"the lineage account may run {limit:,} functions at once; {reserved + _UNRESERVED:,} are needed"
        raise OrgctlError("lambda concurrency", what, "raise the quota L-B99A9384 of Lambda there, in the home Region")


def concurrency_limit(functions: Any) -> int:  # noqa: ANN401 - boto3 makes its clients up
    with aws_errors("lambda:GetAccountSettings"):
        return int(functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])


def s3_prefix_list(ec2: Any, region: Region) -> str:  # noqa: ANN401 - as above
    """Answer the id of the addresses of S3 in the Region: each Region has its own."""
    name = f"com.amazonaws.{region}.s3"
    with aws_errors("ec2:DescribeManagedPrefixLists", name):
        wanted = [{"Name": "prefix-list-name", "Values": [name]}]
        found = ec2.describe_managed_prefix_lists(Filters=wanted)["PrefixLists"]
    if not found:
        raise OrgctlError(name, "there is no such prefix list", "see that the Region is switched on")
    return str(found[0]["PrefixListId"])
