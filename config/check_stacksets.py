"""What types cannot say of a manifest's StackSets: their targets, overrides and dependencies; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from config.manifest import Manifest, OverrideSpec, StackSetSpec, Steps, Targets
from config.names import Fault, Names, find_repeated
from org.model import ROOT, UnitPath, is_within
from org.quotas import load_quotas
from org.source.findings import Place, suggest


def find_stackset_faults(manifest: Manifest, names: Names, place_of: Callable[[Steps], Place]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, stackset in enumerate(manifest.stacksets):
        at: Steps = ("stacksets", index)
        if (other := first.setdefault(stackset.name, index)) != index:
            what = f"the StackSet {stackset.name!r} is already at {place_of(('stacksets', other, 'name'))}"
            yield (*at, "name"), what, "rename one of the two"
        yield from _find_template_faults(stackset, at)
        yield from find_repeated((*at, "regions"), stackset.regions, "Region")
        yield from find_repeated((*at, "capabilities"), stackset.capabilities, "capability")
        yield from _find_target_faults(stackset, at, manifest, names)
        regions = stackset.regions or manifest.organization.governed_regions
        for number, override in enumerate(stackset.overrides):
            yield from _find_override_faults(override, (*at, "overrides", number), stackset.targets, regions, names)
    yield from _find_dependency_faults({stackset.name: stackset for stackset in manifest.stacksets}, first)


def _find_template_faults(stackset: StackSetSpec, at: Steps) -> Iterator[Fault]:
    if stackset.template is None and stackset.file is None:
        yield at, f"the StackSet {stackset.name!r} has no template", "add template: or file:"
    elif stackset.template is not None and stackset.file is not None:
        yield (*at, "file"), f"the StackSet {stackset.name!r} has both template and file", "keep one of them"
    elif stackset.template is not None and stackset.capabilities:
        yield (*at, "capabilities"), "capabilities are given for a template of the catalog", "remove them"


def _find_target_faults(stackset: StackSetSpec, at: Steps, manifest: Manifest, names: Names) -> Iterator[Fault]:
    targets = stackset.targets
    inside: Steps = (*at, "targets")
    if not targets.root and not targets.units:
        yield inside, f"the StackSet {stackset.name!r} has no targets", "add root: true or units:"
    elif targets.root and targets.units:
        yield (*inside, "units"), "units are listed beside the root, which holds them all", "keep one of the two"
    for index, path in enumerate(targets.units):
        if path == ROOT:
            yield (*inside, "units", index), "the root is listed among the units", "write root: true instead"
        else:
            yield from names.find_unknown_unit((*inside, "units", index), path)
    yield from find_repeated((*inside, "units"), targets.units, "unit")
    if targets.only_accounts and targets.except_accounts:
        what = "both only_accounts and except_accounts are given"
        yield (*inside, "except_accounts"), what, "keep one of the two"
    for key, accounts in (("only_accounts", targets.only_accounts), ("except_accounts", targets.except_accounts)):
        yield from find_repeated((*inside, key), accounts, "account")
        for index, name in enumerate(accounts):
            yield from _find_account_faults((*inside, key, index), name, targets, manifest, names)
    if stackset.auto_deployment and (targets.only_accounts or targets.except_accounts):
        what = "auto_deployment is true, though AWS would then deploy to accounts that the targets leave out"
        yield (*at, "auto_deployment"), what, "remove it, or the accounts from the targets"


def _find_account_faults(
    steps: Steps, name: str, targets: Targets, manifest: Manifest, names: Names
) -> Iterator[Fault]:
    if name not in names.accounts:
        yield from names.find_unknown_account(steps, name)
    elif name == manifest.organization.management_account:
        yield steps, f"StackSets never deploy to the management account {name!r}", "remove it"
    elif names.knows_unit_of(name) and not _reaches(targets, UnitPath(names.accounts[name].unit)):
        unit = names.accounts[name].unit
        yield steps, f"the account {name!r} is in {unit!r}, outside of the targets", "remove it, or add its unit"


def _reaches(targets: Targets, unit: UnitPath) -> bool:
    return targets.root or any(is_within(unit, UnitPath(target)) for target in targets.units)


def _find_override_faults(
    override: OverrideSpec, at: Steps, targets: Targets, regions: tuple[str, ...], names: Names
) -> Iterator[Fault]:
    if not override.units and not override.accounts:
        yield at, "the override names no units and no accounts", "add units: or accounts:"
    for index, path in enumerate(override.units):
        if path != ROOT and path not in names.units:
            yield from names.find_unknown_unit((*at, "units", index), path)
        elif not _reaches(targets, UnitPath(path)):
            yield (*at, "units", index), f"the unit {path!r} is outside of the targets", "remove it, or add it there"
    for index, name in enumerate(override.accounts):
        if name not in names.accounts:
            yield from names.find_unknown_account((*at, "accounts", index), name)
        elif names.knows_unit_of(name) and not _takes(targets, name, UnitPath(names.accounts[name].unit)):
            what = f"the account {name!r} is outside of the targets"
            yield (*at, "accounts", index), what, "remove it, or add it there"
    for index, region in enumerate(override.regions):
        if region not in regions:
            what = f"the StackSet does not deploy to the Region {region!r}"
            yield (*at, "regions", index), what, suggest(region, regions, otherwise="remove it, or add it there")
    yield from find_repeated((*at, "units"), override.units, "unit")
    yield from find_repeated((*at, "accounts"), override.accounts, "account")
    yield from find_repeated((*at, "regions"), override.regions, "Region")


def _takes(targets: Targets, account: str, unit: UnitPath) -> bool:
    listed = not targets.only_accounts or account in targets.only_accounts
    return listed and account not in targets.except_accounts and _reaches(targets, unit)


def _find_dependency_faults(stacksets: Mapping[str, StackSetSpec], indexes: Mapping[str, int]) -> Iterator[Fault]:
    most = load_quotas().stacksets.dependencies
    for name, stackset in stacksets.items():
        at: Steps = ("stacksets", indexes[name], "depends_on")
        yield from find_repeated(at, stackset.depends_on, "StackSet")
        if len(stackset.depends_on) > most:
            what = f"the StackSet {name!r} depends on {len(stackset.depends_on)} others, and AWS allows {most}"
            yield at, what, "leave out those on which the others depend"
        for position, other in enumerate(stackset.depends_on):
            if other not in stacksets:
                todo = suggest(other, stacksets, otherwise="add it under stacksets:")
                yield (*at, position), f"unknown StackSet {other!r}", todo
    for cycle in _find_cycles({name: stackset.depends_on for name, stackset in stacksets.items()}):
        position = stacksets[cycle[0]].depends_on.index(cycle[1])
        what = "StackSets wait for each other: " + " -> ".join(cycle)
        yield ("stacksets", indexes[cycle[0]], "depends_on", position), what, "remove one of these dependencies"


def _find_cycles(graph: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield cycles that begin and end with the same name: at least one for each knot of names."""
    done: set[str] = set()
    for start in graph:
        path: dict[str, Iterator[str]] = {}
        name: str | None = start if start not in done else None
        while name is not None or path:
            if name is not None:
                path[name] = iter(graph[name])
            name = None
            last = next(reversed(path))
            for other in path[last]:
                if other in path:
                    names = list(path)
                    yield (*names[names.index(other) :], other)
                elif other in graph and other not in done:
                    name = other
                    break
            if name is None:
                done.add(last)
                del path[last]
