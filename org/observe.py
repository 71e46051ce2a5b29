"""Read the live organization into a value; makes list and describe calls only.

The fewest calls that tell all: `ListAccounts` says where each account is, targets are asked per policy and not per
account, and what costs a call per object (tags and contacts of accounts, overrides of instances) is asked only for
what the manifest names. What could not be read stands in `ObservedOrganization.unread`; only what everything else
hangs on (the organization, its root, units and accounts) raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeAlias, TypeVar

from org.errors import OrgctlError
from org.gateway.aws import Aws
from org.gateway.organizations import ListedAccount
from org.interest import (
    CONTACTS,
    DELEGATED_ADMINISTRATORS,
    MANAGEMENT,
    PENDING_ACCOUNTS,
    POLICIES,
    STACKSETS,
    TAGS,
    TRUSTED_ACCESS,
    Interest,
    contact_label,
    policy_label,
)
from org.model import (
    ACCOUNT_MANAGEMENT,
    OVERRIDES_TAG,
    OWNER_TAG,
    ROOT,
    AccountId,
    Contact,
    ContactType,
    LiveState,
    ObservedAccount,
    ObservedInstance,
    ObservedOrganization,
    ObservedPolicy,
    ObservedStackSet,
    ObservedUnit,
    Region,
    UnitPath,
    Unread,
    child_path,
)
from org.policy_types import load_policy_types

_WORKERS = 8

T = TypeVar("T")
D = TypeVar("D")
K = TypeVar("K")


def observe_organization(aws: Aws, interest: Interest) -> ObservedOrganization:
    """Read the whole organization; raises OrgctlError where its skeleton cannot be read or is not ours to change."""
    found = aws.organizations.describe_organization()
    if found is None:
        return ObservedOrganization(caller_account=aws.caller_account)
    if found.management_account_id != aws.caller_account:
        raise OrgctlError(
            f"account {aws.caller_account}",
            f"not the management account of organization {found.id}, which is {found.management_account_id}",
            f"use credentials of account {found.management_account_id}",
        )
    if not found.all_features:
        raise OrgctlError(
            f"organization {found.id}",
            "only consolidated billing is enabled, so there are no policies and no StackSets",
            "run `aws organizations enable-all-features`, let the invited accounts accept, then run again",
        )
    with ThreadPoolExecutor(_WORKERS) as pool:
        return _Observation(aws, interest, pool).run(found.id)


class _Observation:
    """One reading: holds the pool and the list of what could not be read."""

    def __init__(self, aws: Aws, interest: Interest, pool: ThreadPoolExecutor) -> None:
        self.aws = aws
        self.interest = interest
        self.pool = pool
        self.unread: list[Unread] = []
        self.account_tags = frozenset(interest.account_tags)
        self.contacts = frozenset(interest.contacts)

    def run(self, organization_id: str) -> ObservedOrganization:
        root_id, enabled = self.aws.organizations.describe_root()
        # Started together, since each group is bound by the rate of calls of its own.
        policies = self.pool.submit(self._list_policies)
        units = self._units(root_id)
        # Before the accounts: one that is made in between is listed, and one that is not is pending.
        pending = self._try(PENDING_ACCOUNTS, "", self.aws.organizations.list_pending_accounts, ())
        listed = self.aws.organizations.list_accounts()
        trusted = self._try(TRUSTED_ACCESS, "", self.aws.organizations.list_trusted_access, ())
        delegated = self._delegated()
        accounts = self._accounts(root_id, units, listed, frozenset(account for _, account in delegated))
        contacts = self._contacts(listed, trusted)
        stacksets_access = self._try(STACKSETS, "", self.aws.stacksets.has_organizations_access, default=False)
        stacksets = self._stacksets()
        tags = self._tags([root_id, *(unit.id for unit in units)])
        return ObservedOrganization(
            caller_account=self.aws.caller_account,
            id=organization_id,
            root_id=root_id,
            management_account_id=self.aws.caller_account,
            root_tags=tags[root_id],
            policy_types=enabled,
            units=tuple(replace(unit, tags=tags[unit.id]) for unit in units),
            accounts=tuple(replace(account, contacts=contacts.get(account.id, {})) for account in accounts),
            pending_accounts=pending,
            policies=self._policies(policies.result()),
            trusted_access=trusted,
            delegated_administrators=delegated,
            stacksets_access=stacksets_access,
            stacksets=stacksets,
            unread=_said_once(self.unread),
        )

    def _try(self, area: str, subject: str, read: Callable[[], T], default: D) -> T | D:
        try:
            return read()
        except OrgctlError as error:
            self.unread.append(Unread(area, subject, str(error)))
            return default

    def _each(
        self, area: str, keys: Iterable[K], read: Callable[[K], T], default: D, label: Callable[[K], str] = str
    ) -> dict[K, T | D]:
        """Read once per key, in parallel; a key that cannot be read gets the default and stands in `unread`."""
        keys = list(keys)
        read_one = self.pool.map(lambda key: self._try(area, label(key), lambda: read(key), default), keys)
        return dict(zip(keys, read_one, strict=True))

    def _tags(self, ids: Iterable[str]) -> dict[str, Mapping[str, str]]:
        nothing: Mapping[str, str] = {}
        return self._each(TAGS, ids, self.aws.organizations.list_tags, nothing)

    def _units(self, root_id: str) -> tuple[ObservedUnit, ...]:
        """Walk the tree level by level: one call per unit, a level at once."""
        found: list[ObservedUnit] = []
        level = [(root_id, ROOT)]
        while level:
            children = self.pool.map(lambda parent: self.aws.organizations.list_units(parent[0]), level)
            below = [
                (id, child_path(path, name))
                for (_, path), units in zip(level, children, strict=True)
                for id, name in units
            ]
            found += [ObservedUnit(id=id, path=path) for id, path in below]
            level = below
        return tuple(sorted(found, key=lambda unit: unit.path))

    def _accounts(
        self,
        root_id: str,
        units: tuple[ObservedUnit, ...],
        listed: tuple[ListedAccount, ...],
        delegated: frozenset[AccountId],
    ) -> tuple[ObservedAccount, ...]:
        paths = {root_id: ROOT} | {unit.id: unit.path for unit in units}
        tags = self._tags(a.id for a in listed if a.id in delegated or self._keys(a) & self.account_tags)
        parents = dict(zip(listed, self.pool.map(lambda account: self._parent(account, paths), listed), strict=True))
        return tuple(
            sorted(
                (
                    ObservedAccount(
                        id=account.id,
                        name=account.name,
                        email=account.email,
                        unit=parents[account],
                        state=account.state,
                        tags=tags.get(account.id, {}),
                    )
                    for account in listed
                ),
                key=lambda account: account.id,
            )
        )

    def _keys(self, account: ListedAccount) -> set[str]:
        """Answer the names under which an `Interest` may know the account."""
        own = {MANAGEMENT} if account.id == self.aws.caller_account else set[str]()
        return {account.id, account.email.lower()} | own

    def _parent(self, account: ListedAccount, paths: dict[str, UnitPath]) -> UnitPath:
        """Take the unit from `Paths`; ask for it where AWS left that out or named a unit made since."""
        if account.unit_ids and account.unit_ids[-1] in paths:
            return paths[account.unit_ids[-1]]
        parent = self.aws.organizations.find_parent(account.id)
        if parent not in paths:
            raise OrgctlError(f"account {account.id}", "it moved while the organization was being read", "run again")
        return paths[parent]

    def _contacts(
        self, listed: tuple[ListedAccount, ...], trusted: tuple[str, ...]
    ) -> dict[AccountId, dict[ContactType, Contact]]:
        """Read the contacts that the manifest names, as far as the organization lets itself be asked for them."""
        askable = [
            account
            for account in listed
            if account.state is LiveState.ACTIVE
            and (account.id == self.aws.caller_account or ACCOUNT_MANAGEMENT in trusted)
        ]
        wanted = [
            (account.id, type)
            for account in askable
            for type in ContactType
            if {(key, type) for key in self._keys(account)} & self.contacts
        ]
        read = self._each(
            CONTACTS, wanted, lambda key: self.aws.accounts.read_contact(*key), None, lambda key: contact_label(*key)
        )
        found: dict[AccountId, dict[ContactType, Contact]] = {}
        for (account_id, type), contact in read.items():
            if contact:
                found.setdefault(account_id, {})[type] = contact
        return found

    def _delegated(self) -> tuple[tuple[str, AccountId], ...]:
        accounts = self._try(DELEGATED_ADMINISTRATORS, "", self.aws.organizations.list_delegated_accounts, ())
        services = self._each(DELEGATED_ADMINISTRATORS, accounts, self.aws.organizations.list_delegated_services, ())
        return tuple(sorted((service, account) for account, names in services.items() for service in names))

    def _list_policies(self) -> list[ObservedPolicy]:
        """List type after type: all of them share the rate of one call."""
        found: list[ObservedPolicy] = []
        for type in load_policy_types():
            found += self._try(POLICIES, type, partial(self.aws.organizations.list_policies, type), ())
        return found

    def _policies(self, listed: list[ObservedPolicy]) -> tuple[ObservedPolicy, ...]:
        """Complete what ListPolicies tells; a policy that cannot be read whole is left out and stands in `unread`."""
        completed = self._each(POLICIES, [p.id for p in listed], self._reader(listed), None, self._labels(listed))
        return tuple(
            sorted((p for p in completed.values() if p), key=lambda policy: (policy.type, policy.name, policy.id))
        )

    def _reader(self, listed: list[ObservedPolicy]) -> Callable[[str], ObservedPolicy]:
        by_id = {policy.id: policy for policy in listed}

        def complete(id: str) -> ObservedPolicy:
            gateway, policy = self.aws.organizations, by_id[id]
            targets = gateway.list_policy_targets(id)
            if policy.aws_managed:
                return replace(policy, target_ids=targets)
            content = gateway.describe_policy_content(id)
            return replace(policy, content=content, target_ids=targets, tags=gateway.list_tags(id))

        return complete

    @staticmethod
    def _labels(listed: list[ObservedPolicy]) -> Callable[[str], str]:
        names = {policy.id: policy_label(policy.type, policy.name) for policy in listed}
        return lambda id: names[id]

    def _stacksets(self) -> tuple[ObservedStackSet, ...]:
        names = self._try(STACKSETS, "", self.aws.stacksets.list_service_managed, ())
        found = self._each(STACKSETS, names, self._stackset, None)
        stacksets = self._with_overrides([stackset for stackset in found.values() if stackset])
        names_by_arn = {stackset.arn: stackset.name for stackset in stacksets}
        return tuple(
            replace(
                stackset,
                settings=replace(
                    stackset.settings,
                    depends_on=tuple(sorted(names_by_arn.get(arn, arn) for arn in stackset.settings.depends_on)),
                ),
            )
            for stackset in stacksets
        )

    def _stackset(self, name: str) -> ObservedStackSet:
        """Read one StackSet; its instances only where it is ours or in the manifest."""
        gateway = self.aws.stacksets
        stackset = gateway.describe_stackset(name)
        if OWNER_TAG not in stackset.tags and name not in self.interest.stacksets:
            return stackset
        instances = gateway.list_instances(name)
        return replace(stackset, deployment_targets=gateway.list_deployment_targets(name), instances=instances)

    def _with_overrides(self, stacksets: list[ObservedStackSet]) -> list[ObservedStackSet]:
        """Read the overrides of instances, all in one go; a StackSet with one that cannot be read is left out."""
        wanted = [
            (stackset.name, instance.account_id, instance.region)
            for stackset in stacksets
            for instance in stackset.instances
            if OVERRIDES_TAG in stackset.tags or stackset.name in self.interest.overrides
        ]
        read = self._each(
            STACKSETS, wanted, lambda key: self.aws.stacksets.describe_overrides(*key), None, lambda key: key[0]
        )
        unread = {name for (name, _, _), overrides in read.items() if overrides is None}
        return [
            replace(stackset, instances=tuple(_overridden(stackset.name, i, read) for i in stackset.instances))
            for stackset in stacksets
            if stackset.name not in unread
        ]


_Overrides: TypeAlias = Mapping[tuple[str, AccountId, Region], Mapping[str, str] | None]


def _overridden(name: str, instance: ObservedInstance, read: _Overrides) -> ObservedInstance:
    return replace(instance, overrides=read.get((name, instance.account_id, instance.region)) or {})


def _said_once(unread: Iterable[Unread]) -> tuple[Unread, ...]:
    """Sort, and give one reason for each subject."""
    ordered = sorted(unread, key=lambda gap: (gap.area, gap.subject, gap.reason), reverse=True)
    return tuple(reversed({(gap.area, gap.subject): gap for gap in ordered}.values()))
