"""The closed union of changes that a plan can hold; each can say itself in one sentence.

A change names what it touches by the names of the manifest; `org.apply` looks the ids up, or learns them from the
changes that went before. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from org.model import (
    AccountName,
    Contact,
    ContactType,
    OperationPreferences,
    PolicyType,
    Region,
    StackSetSettings,
    Target,
    UnitPath,
    name_of,
    parent_of,
)
from org.references import with_sample_ids


@dataclass(frozen=True, slots=True)
class CreateOrganization:
    kind: Literal["create-organization"] = "create-organization"

    def describe(self) -> str:
        return "create the organization, with all features"


@dataclass(frozen=True, slots=True)
class EnablePolicyType:
    type: PolicyType
    kind: Literal["enable-policy-type"] = "enable-policy-type"

    def describe(self) -> str:
        return f"enable policy type {self.type}"


@dataclass(frozen=True, slots=True)
class DisablePolicyType:
    type: PolicyType
    kind: Literal["disable-policy-type"] = "disable-policy-type"

    def describe(self) -> str:
        return f"disable policy type {self.type}, which detaches every policy of it"


@dataclass(frozen=True, slots=True)
class EnableTrustedAccess:
    service: str
    kind: Literal["enable-trusted-access"] = "enable-trusted-access"

    def describe(self) -> str:
        return f"enable trusted access for {self.service}"


@dataclass(frozen=True, slots=True)
class DisableTrustedAccess:
    service: str
    kind: Literal["disable-trusted-access"] = "disable-trusted-access"

    def describe(self) -> str:
        return f"disable trusted access for {self.service}"


@dataclass(frozen=True, slots=True)
class ActivateStackSetsAccess:
    kind: Literal["activate-stacksets-access"] = "activate-stacksets-access"

    def describe(self) -> str:
        return "let CloudFormation StackSets act in the organization (trusted access)"


@dataclass(frozen=True, slots=True)
class RegisterDelegatedAdministrator:
    service: str
    account: AccountName
    kind: Literal["register-delegated-administrator"] = "register-delegated-administrator"

    def describe(self) -> str:
        return f"make account {self.account} delegated administrator for {self.service}"


@dataclass(frozen=True, slots=True)
class DeregisterDelegatedAdministrator:
    service: str
    account: AccountName
    kind: Literal["deregister-delegated-administrator"] = "deregister-delegated-administrator"

    def describe(self) -> str:
        return f"account {self.account} is no longer delegated administrator for {self.service}"


@dataclass(frozen=True, slots=True)
class CreateUnit:
    path: UnitPath
    tags: Mapping[str, str]
    kind: Literal["create-unit"] = "create-unit"

    def describe(self) -> str:
        return f"create unit {self.path}"


@dataclass(frozen=True, slots=True)
class RenameUnit:
    """Changes the name within the same parent; the unit keeps its id and all that is attached to it."""

    path: UnitPath
    """The path that the manifest gives it, below parents that may themselves be renamed."""
    was: str
    kind: Literal["rename-unit"] = "rename-unit"

    def describe(self) -> str:
        return f"rename unit {self.was} to {name_of(self.path)} in {parent_of(self.path)}"


@dataclass(frozen=True, slots=True)
class DeleteUnit:
    path: UnitPath
    moved_to: UnitPath | None = None
    """AWS cannot move a unit: a move makes a new one, moves the accounts, and deletes the old one."""
    kind: Literal["delete-unit"] = "delete-unit"

    def describe(self) -> str:
        return f"delete unit {self.path}" + (f", which moved to {self.moved_to}" if self.moved_to else "")


@dataclass(frozen=True, slots=True)
class CreateAccount:
    name: AccountName
    email: str
    tags: Mapping[str, str]
    pending_request: str = ""
    """The request of an earlier run that is still under way: waited for, not repeated."""
    kind: Literal["create-account"] = "create-account"

    def describe(self) -> str:
        if self.pending_request:
            return f"wait for account {self.name} <{self.email}>, whose creation is under way"
        return f"create account {self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class RenameAccount:
    name: AccountName
    was: str
    kind: Literal["rename-account"] = "rename-account"

    def describe(self) -> str:
        return f"rename account {self.was} to {self.name}"


@dataclass(frozen=True, slots=True)
class MoveAccount:
    name: AccountName
    source: UnitPath
    destination: UnitPath
    quarantine: bool = False
    kind: Literal["move-account"] = "move-account"

    def describe(self) -> str:
        verb = "quarantine" if self.quarantine else "move"
        return f"{verb} account {self.name}: {self.source} → {self.destination}"


@dataclass(frozen=True, slots=True)
class CloseAccount:
    name: AccountName
    kind: Literal["close-account"] = "close-account"

    def describe(self) -> str:
        return f"close account {self.name}"


@dataclass(frozen=True, slots=True)
class SetContact:
    account: AccountName
    type: ContactType
    contact: Contact | None
    kind: Literal["set-contact"] = "set-contact"

    def describe(self) -> str:
        contact = self.contact
        said = f"set the {self.type.lower()} contact of account {self.account} to {contact.email}" if contact else ""
        return said or f"remove the {self.type.lower()} contact of account {self.account}"


@dataclass(frozen=True, slots=True)
class ChangeTags:
    """Tags on the root, a unit, an account or a policy; StackSets take theirs with their settings."""

    reference: str
    """What is tagged, as `org.references` names it: `unit-id:Workloads`."""
    label: str
    put: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    adopt: bool = False
    """The tags say that the manifest owns the thing from now on."""
    kind: Literal["change-tags"] = "change-tags"

    def describe(self) -> str:
        if self.adopt:
            return f"adopt {self.label}"
        told = [f"{key}={value}" for key, value in self.put.items()] + [f"without {key}" for key in self.remove]
        return f"tag {self.label}: {', '.join(told)}"


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    type: PolicyType
    name: str
    description: str
    content: str
    tags: Mapping[str, str]
    kind: Literal["create-policy"] = "create-policy"

    def describe(self) -> str:
        return f"create {self.type} {self.name} ({len(with_sample_ids(self.content))} characters)"


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    type: PolicyType
    name: str
    description: str
    content: str
    old_description: str
    old_content: str
    kind: Literal["update-policy"] = "update-policy"

    def describe(self) -> str:
        if self.content == self.old_content:
            return f"change the description of {self.type} {self.name}"
        size = len(with_sample_ids(self.content))
        return f"update {self.type} {self.name} ({len(self.old_content)} → {size} characters)"


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    type: PolicyType
    name: str
    kind: Literal["delete-policy"] = "delete-policy"

    def describe(self) -> str:
        return f"delete {self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class AttachPolicy:
    type: PolicyType
    name: str
    target: Target
    kind: Literal["attach-policy"] = "attach-policy"

    def describe(self) -> str:
        return f"attach {self.type} {self.name} to {self.target}"


@dataclass(frozen=True, slots=True)
class DetachPolicy:
    type: PolicyType
    name: str
    target: Target
    kind: Literal["detach-policy"] = "detach-policy"

    def describe(self) -> str:
        return f"detach {self.type} {self.name} from {self.target}"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a StackSet operation goes: all accounts of the units, or only the named ones in them."""

    units: tuple[UnitPath, ...]
    regions: tuple[Region, ...]
    accounts: tuple[AccountName, ...] = ()

    def __str__(self) -> str:
        where = f"{_listed(self.accounts)} in " if self.accounts else ""
        return f"{where}{_listed(self.units)} · {_listed(self.regions)}"


@dataclass(frozen=True, slots=True)
class CreateStackSet:
    name: str
    settings: StackSetSettings
    tags: Mapping[str, str]
    kind: Literal["create-stack-set"] = "create-stack-set"

    def describe(self) -> str:
        return f"create StackSet {self.name}"


@dataclass(frozen=True, slots=True)
class UpdateStackSet:
    name: str
    settings: StackSetSettings
    tags: Mapping[str, str]
    preferences: OperationPreferences
    what: tuple[str, ...]
    """Which settings differ: `template`, `parameters`, `tags`, …"""
    replaces: bool = False
    """Some resource of some instance is replaced or removed."""
    kind: Literal["update-stack-set"] = "update-stack-set"

    def describe(self) -> str:
        return f"update StackSet {self.name} ({_listed(self.what)})"


@dataclass(frozen=True, slots=True)
class CreateStackInstances:
    stackset: str
    placement: Placement
    preferences: OperationPreferences
    overrides: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["create-stack-instances"] = "create-stack-instances"

    def describe(self) -> str:
        return f"deploy StackSet {self.stackset} to {self.placement}"


@dataclass(frozen=True, slots=True)
class UpdateStackInstances:
    stackset: str
    placement: Placement
    preferences: OperationPreferences
    overrides: Mapping[str, str] = field(default_factory=dict)
    reason: str = "overrides"
    replaces: bool = False
    kind: Literal["update-stack-instances"] = "update-stack-instances"

    def describe(self) -> str:
        return f"deploy StackSet {self.stackset} again to {self.placement} ({self.reason})"


@dataclass(frozen=True, slots=True)
class DeleteStackInstances:
    stackset: str
    placement: Placement
    preferences: OperationPreferences
    retain: bool = False
    """Leave the stacks and their resources in the accounts."""
    kind: Literal["delete-stack-instances"] = "delete-stack-instances"

    def describe(self) -> str:
        kept = ", keeping the stacks" if self.retain else ""
        return f"withdraw StackSet {self.stackset} from {self.placement}{kept}"


@dataclass(frozen=True, slots=True)
class DeleteStackSet:
    name: str
    kind: Literal["delete-stack-set"] = "delete-stack-set"

    def describe(self) -> str:
        return f"delete StackSet {self.name}"


Change: TypeAlias = (
    CreateOrganization
    | EnablePolicyType
    | DisablePolicyType
    | EnableTrustedAccess
    | DisableTrustedAccess
    | ActivateStackSetsAccess
    | RegisterDelegatedAdministrator
    | DeregisterDelegatedAdministrator
    | CreateUnit
    | RenameUnit
    | DeleteUnit
    | CreateAccount
    | RenameAccount
    | MoveAccount
    | CloseAccount
    | SetContact
    | ChangeTags
    | CreatePolicy
    | UpdatePolicy
    | DeletePolicy
    | AttachPolicy
    | DetachPolicy
    | CreateStackSet
    | UpdateStackSet
    | CreateStackInstances
    | UpdateStackInstances
    | DeleteStackInstances
    | DeleteStackSet
)


def is_destructive(change: Change) -> bool:
    """Say whether going back to the old manifest would not bring back what the change takes away.

    Ids, closed accounts, and the resources of deleted stacks do not come back. Detaching a policy is undone by
    attaching it; deleting a policy loses its id, which other policies and denied calls name.
    """
    match change:
        case DisablePolicyType() | DisableTrustedAccess() | DeregisterDelegatedAdministrator():
            return True
        case DeleteUnit() | CloseAccount() | DeletePolicy() | DeleteStackSet():
            return True
        case DeleteStackInstances(retain=retain):
            return not retain
        case UpdateStackSet(replaces=replaces) | UpdateStackInstances(replaces=replaces):
            return replaces
        case _:
            return False


def _listed(names: tuple[str, ...]) -> str:
    """Join up to four names; more are counted."""
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
