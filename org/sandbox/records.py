"""What the emulated organization is made of: moto's records with the members that AWS shows and moto does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow
from moto.organizations.models import FakeAccount, FakeOrganization, FakeOrganizationalUnit, FakePolicy, FakeRoot

ACTIVE = "ACTIVE"
PENDING_CLOSURE = "PENDING_CLOSURE"
CLOSED = "CLOSED"

ACCOUNT_ROLE = "OrganizationAccountAccessRole"

# Since September 2025 AWS tells `State` (CLOSED: by its owner, within the 90 days) from the older `Status`.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
_STATUS = {ACTIVE: "ACTIVE", PENDING_CLOSURE: "PENDING_CLOSURE", CLOSED: "SUSPENDED"}

ACCOUNT_ID = re.compile(r"\d{12}")
POLICY_ID = re.compile(r"p-[0-9a-zA-Z_]{8,128}")
TARGET_ID = re.compile(r"r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")


class SandboxAccount(FakeAccount):
    """An account of the organization; unlike moto's, making one has no effect outside it."""

    def __init__(
        self, organization: FakeOrganization, id: str, name: str, email: str, tags: Mapping[str, str], method: str
    ) -> None:
        self.type = "ACCOUNT"
        self.region = organization.region
        self.organization_id = organization.id
        self.master_account_id = organization.master_account_id
        self.id = id
        self.name = name
        self.email = email
        self.create_time = utcnow()
        self.joined_method = method
        self.parent_id = organization.root_id
        self.attached_policies = []
        self.tags = dict(tags)
        self.change_state(ACTIVE)

    def change_state(self, state: str) -> None:
        self.state = state
        self.status = _STATUS[state]
        self.polls = 0


class SandboxPolicy(FakePolicy):
    """A policy of any type, also of those that moto refuses to make."""

    def __init__(self, organization: FakeOrganization, id: str, type: str, name: str, content: str) -> None:
        self.id = id
        self.type = type
        self.name = name
        self.content = content
        self.description = ""
        self.aws_managed = False
        self.region = organization.region
        self.organization_id = organization.id
        self.master_account_id = organization.master_account_id
        self.attachments: list[Any] = []
        self.tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        if self.aws_managed:
            return f"arn:aws:organizations::aws:policy/{self.type.lower()}/{self.id}"
        owner = f"{self.master_account_id}:policy/{self.organization_id}"
        return f"arn:aws:organizations::{owner}/{self.type.lower()}/{self.id}"


@dataclass(slots=True)
class Creation:
    """A request of CreateAccount, and how far it has come."""

    id: str
    name: str
    email: str
    role: str
    tags: Mapping[str, str]
    requested: float
    state: str = "IN_PROGRESS"
    polls: int = 0
    account_id: str = ""
    failure: str = ""
    """Shown once the request has failed; known before for a request that cannot succeed."""
    completed: float = 0.0

    def describe(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "Id": self.id,
            "AccountName": self.name,
            "State": self.state,
            "RequestedTimestamp": self.requested,
        }
        if self.completed:
            status["CompletedTimestamp"] = self.completed
        if self.account_id:
            status["AccountId"] = self.account_id
        if self.state == "FAILED":
            status["FailureReason"] = self.failure
        return status


Unit = FakeOrganizationalUnit
Root = FakeRoot
