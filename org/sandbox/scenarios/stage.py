"""Where stories are played: the accounts and Regions, and sessions of roles in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

from org.errors import OrgctlError
from org.sandbox.scenarios.control import Control

ACCESS_ROLE = "OrganizationAccountAccessRole"
AMAZON = "137112412989"
"""The account that owns Amazon Linux."""
STRANGER = "999988887777"

BUILDER, APPROVER, AUDITOR, DEVELOPER = "ImageBuilder", "ImageApprover", "ImageAuditor", "Developer"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}

SessionFor = Callable[[str, str, str], boto3.Session]
"""Account, Region and role → a session of that role; with the account's access role if the role is empty."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The names of the accounts that play."""

    factory: str = "Image Factory"
    """Where images are built."""
    shop: str = "Shop"
    """Where they are used."""
    search: str = "Search"
    """As well."""
    pipelines: str = "Pipelines"
    """Where nothing keeps anybody from launching what he likes."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.factory, self.shop, self.search, self.pipelines)


@dataclass(frozen=True)
class Stage:
    """The organization, as far as the stories need it."""

    session_for: SessionFor
    control: Control
    accounts: Mapping[str, str]
    """Ids by name."""
    home: str
    abroad: str
    """Another governed Region."""
    cast: Cast = field(default_factory=Cast)
    _made: set[tuple[str, ...]] = field(default_factory=set, repr=False)

    def id_of(self, account: str) -> str:
        return self.accounts[account]

    def session(self, account: str, role: str = "", region: str = "") -> boto3.Session:
        """Answer a session of a role, which is made where it is missing."""
        if role:
            self._make_role(account, role)
        return self.session_for(self.id_of(account), region or self.home, role or ACCESS_ROLE)

    def ec2(self, account: str, role: str, region: str = "") -> Any:
        client = self.session(account, role, region).client("ec2")
        if ("encrypted", account, region) not in self._made:
            self._made.add(("encrypted", account, region))
            # What keeps unencrypted volumes out is no part of the stories.
            self.session(account, "", region).client("ec2").enable_ebs_encryption_by_default()
        return client

    def check(self) -> None:
        """Raise OrgctlError where an account is missing."""
        missing = [name for name in self.cast.names if name not in self.accounts]
        if missing:
            what = f"the organization in the sandbox has no account {', '.join(missing)}"
            raise OrgctlError(
                "sandbox play",
                what,
                "put them into the manifest, as the example company has them, and run orgctl bootstrap --sandbox",
            )

    def _make_role(self, account: str, name: str) -> None:
        if (account, name) in self._made:
            return
        iam: Any = self.session(account).client("iam")
        principal = {"AWS": f"arn:aws:iam::{self.id_of(account)}:root"}
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
        try:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
        policy = _READING if name == AUDITOR else _EVERYTHING
        iam.put_role_policy(RoleName=name, PolicyName="play", PolicyDocument=json.dumps(policy))
        self._made.add((account, name))


def sessions_from(management: boto3.Session, make: Callable[..., boto3.Session]) -> SessionFor:
    """Come into accounts as the management account's people do, and from there as another role.

    `make(region, credentials)` answers a session with what AssumeRole gave.
    """
    known: dict[tuple[str, str, str], boto3.Session] = {}

    def session_for(account: str, region: str, role: str) -> boto3.Session:
        found = known.get((account, region, role))
        if found is None:
            through = management if role == ACCESS_ROLE else session_for(account, region, ACCESS_ROLE)
            arn = f"arn:aws:iam::{account}:role/{role}"
            given = through.client("sts").assume_role(RoleArn=arn, RoleSessionName="play")["Credentials"]
            found = known[account, region, role] = make(region, given)
        return found

    return session_for
