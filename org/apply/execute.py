"""One change, carried out: looks ids up, calls AWS, waits for what AWS does in its own time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import assert_never

from org import changes as c
from org.apply.operations import StackSetOperations
from org.apply.watch import Pace, Watch
from org.errors import AlreadySo, NotFound, OrgctlError
from org.gateway.aws import Aws
from org.gateway.stacksets import DeploymentTargets
from org.model import ROOT, AccountId, StackSetSettings, Target, TargetKind, UnitPath, name_of, parent_of
from org.plan.services import DELEGATED_TAG, POLICY_TYPE_TAG, TRUSTED_ACCESS_TAG
from org.references import (
    MANAGEMENT_ACCOUNT_ID,
    ORGANIZATION_ID,
    ROOT_ID,
    account_reference,
    find_references,
    policy_reference,
    resolve,
    stackset_reference,
    unit_reference,
)

_FAILURES = {
    "EMAIL_ALREADY_EXISTS": (
        "the email belongs to an AWS account already",
        "use another address (plus-addressing works), or invite the account and write its id",
    ),
    "ACCOUNT_LIMIT_EXCEEDED": (
        "the organization has as many accounts as its quota allows",
        "ask for a higher quota in Service Quotas (AWS Organizations), then run again",
    ),
    "INVALID_EMAIL": ("AWS does not take the email address", "correct it in the manifest"),
    "INVALID_ADDRESS": ("the management account's postal address is not valid", "correct it in its account settings"),
    "CONCURRENT_ACCOUNT_MODIFICATION": ("another account was being created", "run again"),
    "INTERNAL_FAILURE": ("AWS failed inside", "run again; if it stays so, ask AWS Support"),
    "MISSING_PAYMENT_INSTRUMENT": ("the management account has no payment method", "add one, then run again"),
}


_REMOVALS = (c.DeleteUnit, c.DeletePolicy, c.DeleteStackSet, c.DeleteStackInstances)
"""What is asked for by these is so, too, where the thing does not exist any more."""


@dataclass(slots=True)
class Executor:
    """Carries changes out for one run; threads share it, each with a change of its own."""

    aws: Aws
    ids: dict[str, str]
    """By reference; grows as things are created."""
    pace: Pace
    new_id: Callable[[], str]
    """Makes the ids of StackSet operations."""
    on_wait: Callable[[str], None] = field(default=lambda _: None)

    def execute(self, change: c.Change) -> tuple[str, ...]:
        """Do it and answer what deserves a look; raises OrgctlError where it does not go through.

        A retried call whose first answer was lost finds its work done: that counts as done.
        """
        try:
            return self._execute(change)
        except AlreadySo as found:
            return (f"{found.where}: {found.what}",)
        except NotFound as found:
            if isinstance(change, _REMOVALS):
                return (f"{found.where}: {found.what}",)
            raise

    def _execute(self, change: c.Change) -> tuple[str, ...]:
        organizations = self.aws.organizations
        match change:
            case c.CreateOrganization():
                self._create_organization()
            case c.EnablePolicyType() | c.DisablePolicyType() | c.EnableTrustedAccess() | c.DisableTrustedAccess():
                self._switch(change)
            case c.ActivateStackSetsAccess():
                self.aws.stacksets.activate_organizations_access()
                self._watch.until(
                    self.aws.stacksets.has_organizations_access, "StackSets", "their access is not active yet"
                )
            case c.RegisterDelegatedAdministrator() | c.DeregisterDelegatedAdministrator():
                self._delegate(change)
            case c.CreateUnit() | c.RenameUnit() | c.DeleteUnit():
                self._unit(change)
            case c.CreateAccount() | c.RenameAccount() | c.MoveAccount() | c.CloseAccount() | c.SetContact():
                self._account_change(change)
            case c.ChangeTags(reference=reference, put=put, remove=remove):
                if put:
                    organizations.put_tags(self._id(reference), put)
                if remove:
                    organizations.remove_tags(self._id(reference), remove)
            case c.CreatePolicy() | c.UpdatePolicy() | c.DeletePolicy() | c.AttachPolicy() | c.DetachPolicy():
                self._policy(change)
            case c.CreateStackSet() | c.UpdateStackSet() | c.DeleteStackSet():
                return self._stackset(change)
            case c.CreateStackInstances() | c.UpdateStackInstances() | c.DeleteStackInstances():
                return self._instances(change)
            case _:
                assert_never(change)
        return ()

    @property
    def _watch(self) -> Watch:
        return Watch(self.pace, self.on_wait)

    @property
    def _operations(self) -> StackSetOperations:
        return StackSetOperations(self.aws.stacksets, self._watch, self.new_id)

    # ids

    def _id(self, reference: str) -> str:
        if reference not in self.ids:
            raise OrgctlError(reference, "its id is not known, since what makes it was not done", "run again")
        return self.ids[reference]

    def _account(self, name: str) -> AccountId:
        return AccountId(self._id(account_reference(name)))

    def _filled(self, text: str) -> str:
        filled = resolve(text, self.ids)
        for reference in find_references(filled):
            self._id(reference)
        return filled

    def _values(self, values: Mapping[str, str]) -> dict[str, str]:
        return {key: self._filled(value) for key, value in values.items()}

    # changes

    def _create_organization(self) -> None:
        made = self.aws.organizations.create_organization()
        root_id, _ = self.aws.organizations.describe_root()
        self.ids |= {
            ORGANIZATION_ID: made.id,
            ROOT_ID: root_id,
            MANAGEMENT_ACCOUNT_ID: made.management_account_id,
            unit_reference(ROOT): root_id,
        }

    def _switch(
        self, change: c.EnablePolicyType | c.DisablePolicyType | c.EnableTrustedAccess | c.DisableTrustedAccess
    ) -> None:
        """Tag before switching on and after switching off, so that a run cut short never leaves ours untagged."""
        organizations, root_id = self.aws.organizations, self._id(ROOT_ID)
        match change:
            case c.EnablePolicyType(type=type):
                organizations.put_tags(root_id, {POLICY_TYPE_TAG + type: "true"})
                with suppress(AlreadySo):
                    organizations.enable_policy_type(root_id, type)
                self._watch.until(
                    lambda: type in organizations.describe_root()[1], f"policy type {type}", "not enabled yet"
                )
            case c.DisablePolicyType(type=type):
                organizations.disable_policy_type(root_id, type)
                organizations.remove_tags(root_id, [POLICY_TYPE_TAG + type])
            case c.EnableTrustedAccess(service=service):
                organizations.put_tags(root_id, {TRUSTED_ACCESS_TAG + service: "true"})
                organizations.enable_trusted_access(service)
            case c.DisableTrustedAccess(service=service):
                organizations.disable_trusted_access(service)
                organizations.remove_tags(root_id, [TRUSTED_ACCESS_TAG + service])

    def _delegate(self, change: c.RegisterDelegatedAdministrator | c.DeregisterDelegatedAdministrator) -> None:
        organizations, account_id = self.aws.organizations, self._account(change.account)
        match change:
            case c.RegisterDelegatedAdministrator(service=service):
                organizations.put_tags(account_id, {DELEGATED_TAG + service: "true"})
                organizations.register_delegated_administrator(service, account_id)
            case c.DeregisterDelegatedAdministrator(service=service):
                with suppress(AlreadySo):
                    organizations.deregister_delegated_administrator(service, account_id)
                organizations.remove_tags(account_id, [DELEGATED_TAG + service])

    def _unit(self, change: c.CreateUnit | c.RenameUnit | c.DeleteUnit) -> None:
        match change:
            case c.CreateUnit(path=path, tags=tags):
                parent = self._id(unit_reference(parent_of(path)))
                made = self.aws.organizations.create_unit(parent, name_of(path), tags)
                self.ids[unit_reference(path)] = made
            case c.RenameUnit(path=path):
                self.aws.organizations.rename_unit(self._id(unit_reference(path)), name_of(path))
            case c.DeleteUnit(path=path):
                self.aws.organizations.delete_unit(self._id(unit_reference(path)))

    def _account_change(
        self, change: c.CreateAccount | c.RenameAccount | c.MoveAccount | c.CloseAccount | c.SetContact
    ) -> None:
        match change:
            case c.CreateAccount(name=name):
                self.ids[account_reference(name)] = self._create_account(change)
            case c.RenameAccount(name=name):
                self.aws.accounts.put_name(self._account(name), name)
            case c.MoveAccount():
                self._move(change)
            case c.CloseAccount(name=name):
                self.aws.organizations.close_account(self._account(name))
            case c.SetContact(account=name, type=type, contact=None):
                with suppress(NotFound):
                    self.aws.accounts.delete_contact(self._account(name), type)
            case c.SetContact(account=name, type=type, contact=contact):
                assert contact is not None
                self.aws.accounts.put_contact(self._account(name), type, contact)

    def _move(self, change: c.MoveAccount) -> None:
        organizations, account_id = self.aws.organizations, self._account(change.name)
        here, there = self._id(unit_reference(change.source)), self._id(unit_reference(change.destination))
        try:
            organizations.move_account(account_id, here, there)
        except OrgctlError:
            # A call that is repeated because its answer was lost no longer finds the account where it was.
            if organizations.find_parent(account_id) != there:
                raise

    def _create_account(self, change: c.CreateAccount) -> AccountId:
        organizations, where = self.aws.organizations, f"account {change.name} <{change.email}>"
        if change.pending_request:
            request = organizations.describe_account_request(change.pending_request)
        else:
            request = organizations.request_account(change.name, change.email, change.tags)
        for _ in self._watch.looks(self.pace.account, where, "AWS is still creating it"):
            if request.state != "IN_PROGRESS":
                break
            request = organizations.describe_account_request(request.id)
        if request.state != "FAILED":
            return request.account_id
        # As above: the first of two calls may have made the account for which the second finds its email taken.
        asked = (change.name, change.email.lower())
        made = [a.id for a in organizations.list_accounts() if (a.name, a.email.lower()) == asked]
        if made and request.failure == "EMAIL_ALREADY_EXISTS":
            return made[0]
        what, todo = _FAILURES.get(request.failure, (f"AWS says {request.failure}", "see the AWS documentation"))
        raise OrgctlError(where, f"not created: {what}", todo)

    def _policy(
        self, change: c.CreatePolicy | c.UpdatePolicy | c.DeletePolicy | c.AttachPolicy | c.DetachPolicy
    ) -> None:
        organizations, reference = self.aws.organizations, policy_reference(change.type, change.name)
        match change:
            case c.CreatePolicy(type=type, name=name, description=description, content=content, tags=tags):
                made = organizations.create_policy(type, name, description, self._filled(content), tags)
                self.ids[reference] = made
            case c.UpdatePolicy(description=description, content=content):
                organizations.update_policy(self._id(reference), description, self._filled(content))
            case c.DeletePolicy():
                organizations.delete_policy(self._id(reference))
            case c.AttachPolicy(target=target):
                organizations.attach_policy(self._id(reference), self._target(target))
            case c.DetachPolicy(target=target):
                organizations.detach_policy(self._id(reference), self._target(target))

    def _target(self, target: Target) -> str:
        if target.kind is TargetKind.ACCOUNT:
            return self._account(target.name)
        return self._id(unit_reference(UnitPath(target.name)))

    def _stackset(self, change: c.CreateStackSet | c.UpdateStackSet | c.DeleteStackSet) -> tuple[str, ...]:
        stacksets = self.aws.stacksets
        match change:
            case c.CreateStackSet(name=name, settings=settings, tags=tags):
                stacksets.create_stackset(name, self._settings(settings), tags)
                self.ids[stackset_reference(name)] = self._operations.find_arn(name)
                return ()
            case c.UpdateStackSet(name=name, settings=settings, tags=tags, preferences=preferences):
                filled = self._settings(settings)
                return self._operations.run(
                    name, lambda id: stacksets.update_stackset(name, filled, tags, preferences, id)
                )
            case c.DeleteStackSet(name=name):
                self._operations.when_idle(name, lambda: stacksets.delete_stackset(name))
                return ()

    def _settings(self, settings: StackSetSettings) -> StackSetSettings:
        """Fill in ids, and name the StackSets that it depends on by ARN, as CloudFormation does."""
        arns = tuple(self._id(stackset_reference(name)) for name in settings.depends_on)
        return replace(settings, parameters=self._values(settings.parameters), depends_on=arns)

    def _instances(
        self, change: c.CreateStackInstances | c.UpdateStackInstances | c.DeleteStackInstances
    ) -> tuple[str, ...]:
        name, placement = change.stackset, change.placement
        left_out = [a for a in placement.accounts if account_reference(a) not in self.ids]
        notes = tuple(
            f"StackSet {name} does not reach account {account}, which was not created" for account in left_out
        )
        reached = tuple(self._account(account) for account in placement.accounts if account not in left_out)
        if placement.accounts and not reached:
            raise OrgctlError(f"StackSet {name}", "none of the accounts that it goes to was created", "run again")
        for units in _batches(placement.units):
            targets = DeploymentTargets(tuple(self._id(unit_reference(unit)) for unit in units), reached)
            notes += self._operations.run(name, self._call(change, targets))
        return notes

    def _call(
        self,
        change: c.CreateStackInstances | c.UpdateStackInstances | c.DeleteStackInstances,
        targets: DeploymentTargets,
    ) -> Callable[[str], None]:
        """Answer the call to make, which takes the id of its operation."""
        stacksets, name, regions = self.aws.stacksets, change.stackset, change.placement.regions
        match change:
            case c.CreateStackInstances(preferences=preferences, overrides=overrides):
                values = self._values(overrides)
                return lambda id: stacksets.create_instances(name, targets, regions, values, preferences, id)
            case c.UpdateStackInstances(preferences=preferences, overrides=overrides):
                values = self._values(overrides)
                return lambda id: stacksets.update_instances(name, targets, regions, values, preferences, id)
            case c.DeleteStackInstances(preferences=preferences, retain=retain):
                return lambda id: stacksets.delete_instances(name, targets, regions, preferences, id, retain=retain)


def _batches(units: tuple[UnitPath, ...], size: int = 50) -> Iterable[tuple[UnitPath, ...]]:
    """CreateStackInstances takes at most 50 units [H: said by the documentation of one partition only]."""
    return [units[start : start + size] for start in range(0, len(units), size)]
