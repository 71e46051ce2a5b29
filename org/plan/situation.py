"""What is wanted laid beside what is there: which live object each name of the manifest stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from org.errors import OrgctlError
from org.interest import TAGS
from org.model import (
    OWNER_TAG,
    ROOT,
    AccountId,
    AccountName,
    DesiredAccount,
    DesiredOrganization,
    LiveState,
    ObservedAccount,
    ObservedOrganization,
    ObservedStackSet,
    ObservedUnit,
    UnitPath,
    WantedState,
    is_within,
    parent_of,
)
from org.references import (
    MANAGEMENT_ACCOUNT_ID,
    ORGANIZATION_ID,
    ROOT_ID,
    account_reference,
    policy_reference,
    stackset_reference,
    unit_reference,
)


@dataclass(frozen=True, slots=True)
class MatchedAccount:
    """An account of the manifest and what it is in the live organization, if it is there."""

    desired: DesiredAccount
    live: ObservedAccount | None
    destination: UnitPath

    @property
    def is_deployable(self) -> bool:
        """Say whether StackSets may reach it once the plan is applied."""
        here = self.live is None or self.live.state is LiveState.ACTIVE
        return here and self.desired.state is not WantedState.CLOSED


@dataclass(frozen=True, slots=True)
class Renamed:
    was: UnitPath
    path: UnitPath


class Situation:
    """Computed once per plan; every part of the planner asks it and none changes it."""

    def __init__(self, desired: DesiredOrganization, observed: ObservedOrganization) -> None:
        self.desired = desired
        self.observed = observed
        self.renames, self.moves = _renames_and_moves(desired, observed)

    def path_after(self, live: UnitPath) -> UnitPath:
        """Answer the path of a live unit once the renames are done; moved units are made anew and keep theirs."""
        return _path_after(live, self.renames)

    @cached_property
    def units(self) -> Mapping[UnitPath, ObservedUnit]:
        """Live units by the path that they have after the renames."""
        return {self.path_after(unit.path): unit for unit in self.observed.units}

    @cached_property
    def unit_paths(self) -> Mapping[str, UnitPath]:
        """The path after the renames by the id of each live unit, the root among them."""
        return {unit.id: path for path, unit in self.units.items()} | {self.observed.root_id: ROOT}

    def target_paths(self, stackset: ObservedStackSet) -> frozenset[UnitPath]:
        """Answer the live units that a StackSet targets or through which an instance of it was made."""
        ids = {id for id, _ in stackset.deployment_targets} | {i.unit_id for i in stackset.instances}
        return frozenset(self.unit_paths[id] for id in ids if id in self.unit_paths)

    @cached_property
    def wanted_units(self) -> frozenset[UnitPath]:
        return frozenset(unit.path for unit in self.desired.units)

    @cached_property
    def accounts(self) -> tuple[MatchedAccount, ...]:
        return tuple(self._match(account) for account in self.desired.accounts)

    @cached_property
    def unmanaged_accounts(self) -> tuple[ObservedAccount, ...]:
        known = {match.live.id for match in self.accounts if match.live}
        return tuple(account for account in self.observed.accounts if account.id not in known)

    @cached_property
    def names(self) -> Mapping[AccountId, AccountName]:
        """The manifest's name of each live account; an unmanaged one goes by its own name and id."""
        managed = {match.live.id: match.desired.name for match in self.accounts if match.live}
        return managed | {a.id: AccountName(f"{a.name} ({a.id})") for a in self.unmanaged_accounts}

    @cached_property
    def ids(self) -> dict[str, str]:
        """The ids that are known before anything is done, by reference."""
        observed = self.observed
        found: dict[str, str] = {MANAGEMENT_ACCOUNT_ID: observed.management_account_id or observed.caller_account}
        if observed.id:
            found |= {ORGANIZATION_ID: observed.id, ROOT_ID: observed.root_id, unit_reference(ROOT): observed.root_id}
        found |= {unit_reference(path): unit.id for path, unit in self.units.items()}
        found |= {account_reference(name): id for id, name in self.names.items()}
        found |= {account_reference(self.desired.management_account): found[MANAGEMENT_ACCOUNT_ID]}
        found |= {policy_reference(p.type, p.name): p.id for p in observed.policies}
        found |= {stackset_reference(s.name): s.arn for s in observed.stacksets}
        return found

    @cached_property
    def unread_tags(self) -> frozenset[str]:
        return frozenset(gap.subject for gap in self.observed.unread if gap.area == TAGS)

    def is_unread(self, area: str, *subjects: str) -> bool:
        """Say whether the area as a whole, or one of the subjects in it, could not be read."""
        return any(gap.area == area and gap.subject in ("", *subjects) for gap in self.observed.unread)

    def _match(self, account: DesiredAccount) -> MatchedAccount:
        """Find an account by its id, else by its email; the management account is the one that is calling."""
        observed = self.observed
        if account.name == self.desired.management_account:
            wanted_id: str | None = observed.management_account_id
        else:
            wanted_id = account.id
        if wanted_id:
            live = self._by_id.get(wanted_id)
        else:
            live = self._by_email.get(account.email.lower())
            if live and live.id == observed.management_account_id:
                raise OrgctlError(
                    f"account {account.name}",
                    f"{account.email} is the email of the management account, {live.name} ({live.id})",
                    "give it another email, or name it as management_account",
                )
        if live is None and account.id and observed.id:
            raise OrgctlError(
                f"account {account.name}",
                f"no account {account.id} in organization {observed.id}",
                "invite it first, or leave the id out to have an account created",
            )
        if live is None:
            self._refuse_twin(account)
        quarantined = account.state is WantedState.QUARANTINED and self.desired.quarantine_unit
        return MatchedAccount(account, live, self.desired.quarantine_unit if quarantined else account.unit)  # type: ignore[arg-type]

    @cached_property
    def _by_id(self) -> Mapping[str, ObservedAccount]:
        return {account.id: account for account in self.observed.accounts}

    @cached_property
    def _by_email(self) -> Mapping[str, ObservedAccount]:
        return {account.email.lower(): account for account in self.observed.accounts}

    @cached_property
    def _unclaimed(self) -> Mapping[str, ObservedAccount]:
        """The active accounts by name that the manifest names neither by id nor by email."""
        emails = {account.email.lower() for account in self.desired.accounts}
        ids = {account.id for account in self.desired.accounts}
        return {
            account.name: account
            for account in self.observed.accounts
            if account.email.lower() not in emails and account.id not in ids and account.state is LiveState.ACTIVE
        }

    def _refuse_twin(self, account: DesiredAccount) -> None:
        """AWS allows two accounts of one name; here it nearly always means that the email was changed."""
        other = self._unclaimed.get(account.name)
        if other and account.name != self.desired.management_account:
            raise OrgctlError(
                f"account {account.name}",
                f"account {other.id} has that name but the email {other.email}, not {account.email}",
                f'if it is meant, write id: "{other.id}"; if not, choose another name',
            )


def is_owned(tags: Mapping[str, str]) -> bool:
    return tags.get(OWNER_TAG) == "true"


def _renames_and_moves(
    desired: DesiredOrganization, observed: ObservedOrganization
) -> tuple[tuple[Renamed, ...], tuple[Renamed, ...]]:
    """Tell units that only change their name from those that change their parent, which AWS cannot do in place."""
    live = {unit.path for unit in observed.units}
    renames: list[Renamed] = []
    moves: list[Renamed] = []

    def after(path: UnitPath) -> UnitPath:
        return _path_after(path, renames)

    for unit in desired.units:
        if unit.formerly is None or unit.formerly not in live:
            continue
        if any(after(path) == unit.path for path in live):
            continue
        same_parent = after(parent_of(unit.formerly)) == parent_of(unit.path)
        (renames if same_parent else moves).append(Renamed(unit.formerly, unit.path))
    return tuple(renames), tuple(moves)


def _path_after(path: UnitPath, renames: Iterable[Renamed]) -> UnitPath:
    for rename in sorted(renames, key=lambda rename: -len(rename.was)):
        if is_within(path, rename.was):
            return UnitPath(rename.path + path[len(rename.was) :])
    return path
