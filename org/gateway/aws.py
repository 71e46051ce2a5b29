"""All that orgctl asks of AWS, in one value: what a run is given, and what tests replace."""

from __future__ import annotations

from dataclasses import dataclass

from org.gateway.accounts import AccountsGateway
from org.gateway.connection import Connection
from org.gateway.organizations import OrganizationsGateway
from org.gateway.stacksets import StackSetsGateway
from org.model import AccountId, Region

_ORGANIZATIONS_REGION = Region("us-east-1")
"""AWS Organizations and Account Management answer in one Region of the partition [H: commercial partition only]."""


@dataclass(frozen=True, slots=True)
class Aws:
    caller_account: AccountId
    organizations: OrganizationsGateway
    accounts: AccountsGateway
    stacksets: StackSetsGateway


def connect(connection: Connection, home_region: Region) -> Aws:
    """Make the clients; StackSets live in the home Region.

    Raises OrgctlError where there are no credentials or AWS does not accept them.
    """
    caller = connection.caller_account()
    return Aws(
        caller_account=caller,
        organizations=OrganizationsGateway(connection.client("organizations", _ORGANIZATIONS_REGION)),
        accounts=AccountsGateway(connection.client("account", _ORGANIZATIONS_REGION), caller),
        stacksets=StackSetsGateway(connection.client("cloudformation", home_region)),
    )
