"""What types cannot say of a manifest's organization, units and accounts: names exist, once, and fit together; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from config.check_policies import find_policy_faults
from config.check_stacksets import find_stackset_faults
from config.fields import is_left_to_aws
from config.manifest import Manifest, Steps, UnitSpec, walk_units
from config.names import Fault, Names, find_repeated
from config.variables import PLACEHOLDER
from org.model import ROOT, UnitPath, WantedState
from org.quotas import load_quotas
from org.regions import known_regions
from org.source.findings import Place

PlaceOf: TypeAlias = Callable[[Steps], Place]


def find_faults(manifest: Manifest, place_of: PlaceOf) -> Iterator[Fault]:
    """Yield all that is wrong, with the steps to each value; `place_of` is used where a fault names another place."""
    names = Names.of(manifest)
    yield from _find_organization_faults(manifest, names)
    yield from _find_unit_faults(manifest, names, place_of)
    yield from _find_account_faults(manifest, names, place_of)
    yield from _find_service_faults(manifest, names, place_of)
    yield from _find_other_faults(manifest, names, place_of)
    yield from _find_config_faults(manifest, names)
    yield from find_policy_faults(manifest, names, place_of)
    yield from find_stackset_faults(manifest, names, place_of)


_SPECIAL = ("management_account", "log_archive_account", "audit_account", "lineage_account")


def _find_organization_faults(manifest: Manifest, names: Names) -> Iterator[Fault]:
    settings = manifest.organization
    at: Steps = ("organization",)
    if settings.home_region not in settings.governed_regions:
        what = f"the home Region {settings.home_region!r} is not among the governed Regions"
        yield (*at, "home_region"), what, "add it to governed_regions"
    yield from find_repeated((*at, "governed_regions"), settings.governed_regions, "Region")
    home = known_regions()[settings.home_region]
    for index, region in enumerate(settings.governed_regions):
        if (partition := known_regions()[region]) != home:
            what = f"the Region {region!r} is of the partition {partition} and the home Region of {home}"
            yield (*at, "governed_regions", index), what, "keep one manifest for each partition"
    for key in _SPECIAL:
        name = getattr(settings, key)
        yield from names.find_unknown_account((*at, key), name)
        if key != "management_account" and name == settings.management_account:
            what = f"{name!r} is the management account, and StackSets and most policies leave that out"
            yield (*at, key), what, "name another account"
    if settings.quarantine_unit == ROOT:
        yield (*at, "quarantine_unit"), "the quarantine unit cannot be the root", "name a unit of its own"
    elif settings.quarantine_unit is not None:
        yield from names.find_unknown_unit((*at, "quarantine_unit"), settings.quarantine_unit)


def _find_unit_faults(manifest: Manifest, names: Names, place_of: PlaceOf) -> Iterator[Fault]:
    first: dict[UnitPath, Steps] = {}
    claimed: dict[str, Steps] = {}
    deepest = load_quotas().organization.unit_depth
    for path, unit, at in walk_units(manifest):
        if path in first:
            what = f"the unit {path!r} is already at {place_of((*first[path], 'name'))}"
            yield (*at, "name"), what, "rename one of the two, or join them"
        first.setdefault(path, at)
        if path.count("/") == deepest:
            yield (*at, "name"), f"the unit {path!r} is more than {deepest} levels below the root", "move it up"
        if unit.formerly is not None:
            yield from _find_former_faults(path, unit, at, names)
            if unit.formerly in claimed:
                what = f"{unit.formerly!r} is already the former path of the unit at {place_of(claimed[unit.formerly])}"
                yield (*at, "formerly"), what, "keep one of the two"
            claimed.setdefault(unit.formerly, at)


def _find_former_faults(path: UnitPath, unit: UnitSpec, at: Steps, names: Names) -> Iterator[Fault]:
    former = unit.formerly or ""
    if former == path:
        yield (*at, "formerly"), f"the unit {path!r} is said to have had the path that it has", "remove formerly"
    elif former in names.units:
        what = f"the former path {former!r} is that of another unit in the manifest"
        yield (*at, "formerly"), what, "remove formerly, or that unit"
    elif former == ROOT or not all(former.split("/")):
        yield (*at, "formerly"), f"{former!r} is not the path of a unit", "write it like Workloads/Prod"


def _find_account_faults(manifest: Manifest, names: Names, place_of: PlaceOf) -> Iterator[Fault]:
    first: dict[tuple[str, str], int] = {}
    for index, account in enumerate(manifest.accounts):
        at: Steps = ("accounts", index)
        for key, text in (("name", account.name), ("email", account.email), ("id", account.id)):
            if text is None:
                continue
            if (other := first.setdefault((key, text.casefold()), index)) != index:
                noun = {"name": "account name", "email": "email address", "id": "account id"}[key]
                what = f"the {noun} {text!r} is already at {place_of(('accounts', other, key))}"
                yield (*at, key), what, "give each account its own; upper and lower case count as the same"
        if account.unit != ROOT:
            yield from names.find_unknown_unit((*at, "unit"), account.unit)
        if account.state is WantedState.QUARANTINED and manifest.organization.quarantine_unit is None:
            what = f"the account {account.name!r} is to be quarantined, and no unit is named for that"
            yield (*at, "state"), what, "add quarantine_unit: to organization:"
        part = next((key for key in _SPECIAL if getattr(manifest.organization, key) == account.name), None)
        if part is not None and account.state is not WantedState.ACTIVE:
            what = f"the {part.replace('_', ' ')} {account.name!r} cannot be {account.state}"
            yield (*at, "state"), what, "write active, or give that part to another account"


def _find_service_faults(manifest: Manifest, names: Names, place_of: PlaceOf) -> Iterator[Fault]:
    yield from find_repeated(("trusted_access",), manifest.trusted_access, "service")
    first: dict[tuple[str, str], Steps] = {}
    for index, administrator in enumerate(manifest.delegated_administrators):
        at: Steps = ("delegated_administrators", index)
        yield from names.find_unknown_account((*at, "account"), administrator.account)
        if administrator.account == manifest.organization.management_account:
            what = f"the management account {administrator.account!r} cannot be a delegated administrator"
            yield (*at, "account"), what, "name a member account, or remove the entry"
        pair = (administrator.service, administrator.account)
        if (other := first.setdefault(pair, at)) != at:
            what = f"{administrator.account!r} already administers {administrator.service} at {place_of(other)}"
            yield at, what, "keep one of the two"


def _find_other_faults(manifest: Manifest, names: Names, place_of: PlaceOf) -> Iterator[Fault]:
    for key, labels in (
        ("protected_principals", [principal.name for principal in manifest.protected_principals]),
        ("notifications", [notification.name for notification in manifest.notifications]),
    ):
        yield from _find_repeated_names(key, labels, place_of)
    home = known_regions()[manifest.organization.home_region]
    for index, principal in enumerate(manifest.protected_principals):
        if (partition := principal.arn.split(":")[1]) not in ("*", home):
            what = f"{principal.arn!r} is of the partition {partition} and the home Region of {home}, so it is nobody"
            yield ("protected_principals", index, "arn"), what, f"write arn:{home}:…"
    for index, notification in enumerate(manifest.notifications):
        yield from find_repeated(("notifications", index, "severities"), notification.severities, "severity")
    yield from find_repeated(("lineage", "trusted_image_owners"), manifest.lineage.trusted_image_owners, "image owner")
    yield from _find_caller_faults(manifest, names)
    graph = manifest.lineage.graph
    if graph.min_capacity > graph.max_capacity:
        what = f"min_capacity is {graph.min_capacity:g} and max_capacity {graph.max_capacity:g}"
        yield ("lineage", "graph", "min_capacity"), what, "let it be at most max_capacity"
    yield from _find_variable_faults(manifest)


def _find_caller_faults(manifest: Manifest, names: Names) -> Iterator[Fault]:
    callers, at = manifest.lineage.api.callers or (), ("lineage", "api", "callers")
    yield from find_repeated(at, callers, "caller")
    home = known_regions()[manifest.organization.home_region]
    for index, caller in enumerate(callers):
        if not caller.startswith("arn:"):
            yield from names.find_unknown_account((*at, index), caller)
        elif (partition := caller.split(":")[1]) != home:
            what = f"{caller!r} is of the partition {partition} and the home Region of {home}, so it is nobody"
            yield (*at, index), what, f"write arn:{home}:…"


def _find_config_faults(manifest: Manifest, names: Names) -> Iterator[Fault]:
    excepted, at = manifest.lineage.config.except_accounts, ("lineage", "config", "except_accounts")
    yield from find_repeated(at, excepted, "account")
    for index, name in enumerate(excepted):
        yield from names.find_unknown_account((*at, index), name)


def _find_repeated_names(key: str, labels: Iterable[str], place_of: PlaceOf) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, label in enumerate(labels):
        if (other := first.setdefault(label, index)) != index:
            what = f"the name {label!r} is already at {place_of((key, other, 'name'))}"
            yield (key, index, "name"), what, "give each its own name"


def _find_variable_faults(manifest: Manifest) -> Iterator[Fault]:
    holders: list[tuple[Steps, object]] = [(("variables", name), value) for name, value in manifest.variables.items()]
    for index, policy in enumerate(manifest.policies):
        holders += [(("policies", index, "variables", name), value) for name, value in policy.variables.items()]
    for steps, value in holders:
        for text in value if isinstance(value, tuple) else (value,):
            for match in PLACEHOLDER.finditer(text) if isinstance(text, str) else ():
                name = match[1] or ""
                if not (name.startswith("orgctl:") or is_left_to_aws(name)):
                    yield (
                        steps,
                        f"the variable's value holds {match[0]}",
                        "write it out: values are not filled",
                    )
