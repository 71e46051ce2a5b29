"""The life of an account: creation and closing, which take AWS a while.

There is no clock: what is under way is done at the second poll that asks about it (and, so that nobody waits for ever,
at the second call that is refused because too much is under way).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import unix_time, utcnow
from moto.organizations.models import organizations_backends

from org.sandbox.directory import Directory
from org.sandbox.records import (
    ACCOUNT_ROLE,
    ACTIVE,
    CLOSED,
    PENDING_CLOSURE,
    Creation,
    SandboxAccount,
)
from org.sandbox.refusals import Refusal, constraint, invalid
from org.sandbox.tag_rules import check_tags

POLLS_UNTIL_DONE = 2

# botocore's patterns of CreateAccount
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_EMAIL_LENGTHS = range(6, 65)
_NAME = re.compile(r"[\u0020-\u007E]{1,50}")
_ROLE = re.compile(r"[\w+=,.@-]{1,64}")
# What passes botocore's pattern and is no address all the same is found out while the account is made.
_DELIVERABLE = re.compile(r"[^\s@]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")

_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Accounts(Directory):
    """CreateAccount, CloseAccount, RemoveAccountFromOrganization, and what is read of accounts."""

    def _reset(self) -> None:
        super()._reset()
        self._closures: list[datetime] = []

    # --- creation

    def create_account(self, **kwargs: Any) -> dict[str, Any]:
        name, email = kwargs["AccountName"], kwargs["Email"]
        role = kwargs.get("RoleName") or ACCOUNT_ROLE
        _check_request(name, email, role)
        tags = check_tags(kwargs.get("Tags", []), {}, self.quotas.tags)
        under_way = [each for each in self.creations if each.state == "IN_PROGRESS"]
        if len(under_way) >= self.quotas.accounts_created_at_once:
            self._advance(under_way)
            message = "You attempted to exceed the number of accounts that can be in progress at a time."
            raise constraint("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", message)
        if len(self.accounts) + len(under_way) >= self.quotas.accounts:
            message = "You have exceeded the allowed number of AWS accounts."
            raise constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", message)
        id = self.ids.make_creation_id(email, name)
        creation = Creation(id, name, email, role, tags, requested=unix_time(utcnow()))
        if any((each.name, each.email.casefold()) == (name, email.casefold()) for each in under_way):
            creation.failure = "CONCURRENT_ACCOUNT_MODIFICATION"
        self.creations.append(creation)
        return {"CreateAccountStatus": creation.describe()}

    def describe_create_account_status(self, **kwargs: Any) -> dict[str, Any]:
        request_id = kwargs["CreateAccountRequestId"]
        creation = next((each for each in self.creations if each.id == request_id), None)
        if creation is None:
            message = "We can't find a create account request with the CreateAccountRequestId that you specified."
            raise Refusal("CreateAccountStatusNotFoundException", message)
        self._advance([creation])
        return {"CreateAccountStatus": creation.describe()}

    def find_creations(self, states: list[str] | None) -> list[Creation]:
        return [each for each in self.creations if not states or each.state in states]

    def advance_all(self) -> None:
        """Count one poll for everything that is under way."""
        self._advance(self.creations)
        self._advance_closures(self.members())

    def _advance(self, creations: Iterable[Creation]) -> None:
        for creation in creations:
            if creation.state == "IN_PROGRESS":
                creation.polls += 1
                if creation.polls >= POLLS_UNTIL_DONE:
                    self._complete(creation)

    def _complete(self, creation: Creation) -> None:
        creation.completed = unix_time(utcnow())
        if not creation.failure and not _DELIVERABLE.fullmatch(creation.email):
            creation.failure = "INVALID_EMAIL"
        elif not creation.failure and self.has_email(creation.email):
            creation.failure = "EMAIL_ALREADY_EXISTS"
        if creation.failure:
            creation.state = "FAILED"
            return
        account = self._admit(creation.name, creation.email, creation.tags)
        self._make_role(account, creation.role)
        creation.account_id = account.id
        creation.state = "SUCCEEDED"

    def _admit(self, name: str, email: str, tags: Mapping[str, str]) -> SandboxAccount:
        id = self.ids.make_account_id(email)
        account = SandboxAccount(self.organization, id, name, email, tags, method="CREATED")
        self.add_account(account)
        self.attach_defaults(account)
        organizations_backends.master_accounts[id] = (self.account_id, self.partition)
        self.announce(id, source="", destination=account.parent_id)
        return account

    def _make_role(self, account: SandboxAccount, name: str) -> None:
        """Make the role as AWS does, with an inline policy.

        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
        """
        from moto.iam.models import iam_backends

        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{self.partition}:iam::{self.account_id}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam = iam_backends[account.id][self.partition]
        iam.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
        iam.put_role_policy(name, "AdministratorAccess", json.dumps(_ADMINISTRATOR))

    # --- closing

    def close_account(self, **kwargs: Any) -> None:
        self.require_all_features()
        account = self.get_account_by_id(kwargs["AccountId"])
        self._check_closable(account)
        members = self.members()
        closing = [each for each in members if each.state == PENDING_CLOSURE]
        if len(closing) >= self.quotas.accounts_closed_at_once:
            self._advance_closures(closing)
            message = "You attempted to exceed the number of accounts that you can close at a time."
            raise constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED", message)
        since = utcnow() - timedelta(days=30)
        self._closures = [each for each in self._closures if each > since]
        if len(self._closures) >= self.quotas.closures(len(members) - 1):
            message = "You have exceeded close account quota for the past 30 days."
            raise constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED", message)
        self._closures.append(utcnow())
        account.change_state(PENDING_CLOSURE)
        self.announce(account.id, source=account.parent_id, destination="")

    def _check_closable(self, account: SandboxAccount) -> None:
        if account.id == self.account_id:
            raise constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You attempted to close the management account.")
        if account.state == CLOSED:
            raise Refusal("AccountAlreadyClosedException", "The provided account is already closed.")
        if account.state == PENDING_CLOSURE:
            # AWS's documentation gives CloseAccount a ConflictException and does not say when: assumed to be this.
            raise Refusal("ConflictException", "The provided account is already being closed.")

    def _advance_closures(self, accounts: Iterable[SandboxAccount]) -> None:
        for account in accounts:
            if account.state == PENDING_CLOSURE:
                account.polls += 1
                if account.polls >= POLLS_UNTIL_DONE:
                    account.change_state(CLOSED)

    def remove_account_from_organization(self, **kwargs: Any) -> None:
        account = self.get_account_by_id(kwargs["AccountId"])
        if account.id == self.account_id:
            message = "You can't remove a management account from an organization."
            raise Refusal("MasterCannotLeaveOrganizationException", message)
        if any(admin.account is account for admin in self.admins):
            message = "You attempted to remove an account that is registered as a delegated administrator."
            raise constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", message)
        days = self.quotas.accounts_removable_after_days
        if utcnow() - account.create_time < timedelta(days=days):
            message = f"You must wait until at least {days} days after the account was created."
            raise constraint("WAIT_PERIOD_ACTIVE", message)
        for policy in account.attached_policies:
            policy.attachments.remove(account)
        self.drop_account(account)
        self.announce(account.id, source=account.parent_id, destination="")

    # --- reading

    def describe_account(self, **kwargs: Any) -> dict[str, Any]:
        account = self.get_account_by_id(kwargs["AccountId"])
        self._advance_closures([account])
        return {"Account": self.render_account(account)}

    def render_account(self, account: SandboxAccount) -> dict[str, Any]:
        return {**account.describe(), "Paths": [self.path_of(*self.chain_of(account.parent_id), account.id)]}

    def is_active(self, account_id: str) -> bool:
        return self.has_account(account_id) and self.get_account_by_id(account_id).state == ACTIVE


def _check_request(name: str, email: str, role: str) -> None:
    if not _NAME.fullmatch(name):
        message = "You specified an account name that does not match the required pattern: 1 to 50 ASCII characters."
        raise invalid("INVALID_PATTERN", message)
    if not _EMAIL.fullmatch(email) or len(email) not in _EMAIL_LENGTHS:
        message = "You specified an email address that does not match the required pattern: 6 to 64 characters, one @."
        raise invalid("INVALID_PATTERN", message)
    if not _ROLE.fullmatch(role) or role.startswith("AWSServiceRoleFor"):
        raise invalid("INVALID_ROLE_NAME", "You provided a role name that isn't valid.")
