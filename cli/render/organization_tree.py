"""The live organization as a tree, and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from org.model import ROOT, LiveState, ObservedAccount, ObservedOrganization, UnitPath, name_of, parent_of


def print_organization(observed: ObservedOrganization, console: Console) -> None:
    """Print units, the accounts in them, what is attached where, and how far each StackSet is deployed."""
    console.print(_tree(observed), soft_wrap=False)  # as for the tree of a plan


def _tree(observed: ObservedOrganization) -> Tree:
    tree = Tree(Text(f"organization {observed.id}", style="bold"))
    attached = _attached(observed)
    branches = {ROOT: tree.add(_unit_label("Root", attached.get(observed.root_id, [])))}
    for unit in sorted(observed.units, key=lambda unit: unit.path.split("/")):
        label = _unit_label(name_of(unit.path), attached.get(unit.id, []))
        branches[unit.path] = branches[parent_of(unit.path)].add(label)
    stacks = Counter(i.account_id for s in observed.stacksets for i in s.instances if i.status == "CURRENT")
    for account in sorted(observed.accounts, key=lambda account: account.name):
        place = branches.get(UnitPath(account.unit), branches[ROOT])
        place.add(_account_label(account, attached.get(account.id, []), stacks[account.id]))
    for stackset in observed.stacksets:
        statuses = Counter(instance.status for instance in stackset.instances)
        told = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no instances"
        tree.add(Text(f"StackSet {stackset.name}: {told}"))
    for service, account_id in observed.delegated_administrators:
        tree.add(Text(f"delegated administrator for {service}: {account_id}"))
    if observed.trusted_access:
        tree.add(Text(f"trusted access: {', '.join(observed.trusted_access)}"))
    return tree


def organization_json(observed: ObservedOrganization) -> dict[str, Any]:
    return asdict(observed)


def _attached(observed: ObservedOrganization) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for policy in observed.policies:
        for target in policy.target_ids:
            if not policy.aws_managed:
                found.setdefault(target, []).append(policy.name)
    return found


def _unit_label(name: str, policies: list[str]) -> Text:
    return Text.assemble((name, "bold"), (f"  [{', '.join(policies)}]" if policies else "", "cyan"))


def _account_label(account: ObservedAccount, policies: list[str], stacks: int) -> Text:
    state = "" if account.state is LiveState.ACTIVE else f"  {account.state.lower()}"
    told = f"  {stacks} stacks" if stacks else ""
    attached = f"  [{', '.join(policies)}]" if policies else ""
    return Text.assemble(f"{account.name} {account.id}", (told, "dim"), (attached, "cyan"), (state, "red"))
