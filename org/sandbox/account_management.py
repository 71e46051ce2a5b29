"""The Account Management API: alternate contacts and names of members, called from the management account.

https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType

from moto.account import urls
from moto.account.models import AccountBackend, account_backends
from moto.account.responses import AccountResponse
from moto.core.responses import ActionResult, EmptyResult

from org.sandbox.organizations import SandboxOrganizations, find_organization_of
from org.sandbox.records import SandboxAccount
from org.sandbox.refusals import Refusal, access_denied
from org.sandbox.settings import current_settings

SERVICE = "account.amazonaws.com"

_NAME = re.compile(r"[ -;=?-~]{1,50}")


class SandboxAccountManagement(AccountBackend):
    """The contacts of one account."""

    @property
    def _url_module(self) -> ModuleType:
        return importlib.import_module("moto.account.urls")

    def delete_alternate_contact(self, alternate_contact_type: str) -> None:
        self.get_alternate_contact(alternate_contact_type)
        super().delete_alternate_contact(alternate_contact_type)


class SandboxAccountManagementResponse(AccountResponse):
    """Decides whose account may be read and written, and adds the names."""

    def get_account_information(self) -> ActionResult:
        account_id = self._get_account_id()
        account = self._find_member(account_id)
        if account is None:
            name = current_settings().management_name
            return ActionResult({"AccountId": account_id, "AccountName": name, "AccountState": "ACTIVE"})
        return ActionResult(
            {
                "AccountId": account.id,
                "AccountName": account.name,
                "AccountCreatedDate": account.create_time,
                "AccountState": account.state,
            }
        )

    def put_account_name(self) -> EmptyResult:
        account = self._find_member(self._get_account_id())
        name = self._get_param("AccountName")
        if not _NAME.fullmatch(name):
            raise Refusal("ValidationException", "The account name does not match the required pattern.")
        if account is None:
            raise NotImplementedError("for an account outside an organization")
        account.name = name
        return EmptyResult()

    def _find_member(self, account_id: str) -> SandboxAccount | None:
        organization = find_organization_of(account_id, self.partition)
        return organization.get_account_by_id(account_id) if organization else None

    def _get_account_id(self) -> str:
        """Answer whose account is meant, which without an `AccountId` is the caller's, or refuse."""
        account_id = self._get_param("AccountId")
        if not account_id:
            return self.current_account
        organization = find_organization_of(self.current_account, self.partition)
        if organization is None or not self._administers(organization):
            raise self._denied("The caller is neither the management account nor a delegated administrator.")
        if account_id == organization.account_id:
            raise self._denied("The management account can only be managed using the standalone context.")
        if not organization.has_account(account_id):
            raise self._denied("The account is not a member of your organization.")
        if not organization.is_trusted(SERVICE):
            raise self._denied("Your organization must first enable trusted access with AWS Account Management.")
        return str(account_id)

    def _administers(self, organization: SandboxOrganizations) -> bool:
        caller = self.current_account
        return caller == organization.account_id or organization.is_administrator(caller, SERVICE)

    def _denied(self, why: str) -> Refusal:
        caller = f"arn:{self.partition}:iam::{self.current_account}:root"
        action = f"account:{self._get_action()}"
        return access_denied(f"User: {caller} is not authorized to perform: {action} ({why})")


def install() -> None:
    account_backends.backend = SandboxAccountManagement
    account_backends.clear()
    # One route for all operations, so that those which are not emulated can be refused by name.
    urls.url_paths = {"{0}/(?P<operation>[A-Za-z]+)$": SandboxAccountManagementResponse.dispatch}
