"""The organization while a plan is carried out on paper: units, accounts, and what is attached to each.

Known by ids. What the plan is still to make gets stand-ins, distinct from each other and from every id that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from org import changes as c
from org.model import (
    ROOT,
    LiveState,
    ObservedOrganization,
    PolicyType,
    Target,
    TargetKind,
    UnitPath,
    child_path,
    name_of,
    parent_of,
)
from org.plan.model import Plan
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.proof.stand_ins import with_stand_ins, written
from org.references import ORGANIZATION_ID, ROOT_ID, account_reference, resolve, unit_reference

FULL_ACCESS = {SERVICE_CONTROL_POLICY: "FullAWSAccess", RESOURCE_CONTROL_POLICY: "RCPFullAWSAccess"}
"""What AWS attaches to the root, every unit and every account, also to those that come later.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_enable-disable.html
"""
PolicyKey: TypeAlias = tuple[PolicyType, str]


@dataclass(frozen=True, slots=True)
class Node:
    """The root, a unit or an account."""

    id: str
    name: str
    parent: str
    """Empty for the root."""
    is_account: bool = False
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """A policy as the fold knows it."""

    type: PolicyType
    name: str
    content: str
    aws_managed: bool = False
    id: str = ""


@dataclass(slots=True)
class Tree:
    organization_id: str
    root: str
    management: str
    ids: dict[str, str]
    """Ids by reference (`org.references`), stand-ins among them."""
    nodes: dict[str, Node] = field(default_factory=dict)
    policies: dict[PolicyKey, Document] = field(default_factory=dict)
    attached: dict[str, set[PolicyKey]] = field(default_factory=dict)
    """By the id of what it is attached to."""
    types: set[PolicyType] = field(default_factory=set)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """References by the ids that stand in for what is still to be made."""

    def written(self, text: str, *, in_json: bool = False) -> str:
        return written(text, self.stand_ins, in_json=in_json)

    def path_of(self, id: str) -> UnitPath:
        """Answer the path of the root or a unit."""
        node = self.nodes[id]
        return child_path(self.path_of(node.parent), node.name) if node.parent else ROOT

    def line_of(self, id: str) -> tuple[Node, ...]:
        """Answer the nodes from the root down to this one."""
        node = self.nodes[id]
        return (*self.line_of(node.parent), node) if node.parent else (node,)

    def copy(self) -> Tree:
        attached = {id: set(keys) for id, keys in self.attached.items()}
        return Tree(
            self.organization_id,
            self.root,
            self.management,
            self.ids,
            dict(self.nodes),
            dict(self.policies),
            attached,
            set(self.types),
            self.stand_ins,
        )

    # --- what a plan does to it

    def apply(self, change: c.Change) -> None:  # noqa: C901 - one arm for each kind of change that bears on policies
        match change:
            case c.CreateOrganization():
                self._enable(SERVICE_CONTROL_POLICY)
            case c.EnablePolicyType(type=type):
                self._enable(type)
            case c.DisablePolicyType(type=type):
                self.types.discard(type)
                for keys in self.attached.values():
                    keys -= {key for key in keys if key[0] == type}
            case c.CreateUnit(path=path):
                self._add(Node(self.ids[unit_reference(path)], name_of(path), self._unit(parent_of(path))))
            case c.RenameUnit(path=path):
                id = self._unit(path)
                self.nodes[id] = replace(self.nodes[id], name=name_of(path))
            case c.DeleteUnit(path=path):
                self.nodes.pop(self.ids.get(unit_reference(path), ""), None)
            case c.CreateAccount(name=name):
                self._add(Node(self.ids[account_reference(name)], name, self.root, is_account=True))
            case c.MoveAccount(name=name, destination=destination):
                self._change_account(name, parent=self._unit(destination))
            case c.CloseAccount(name=name):
                self._change_account(name, is_active=False)
            case c.CreatePolicy() | c.UpdatePolicy():
                old = self.policies.get((change.type, change.name))
                content = resolve(change.content, self.ids)
                id = old.id if old else ""
                self.policies[change.type, change.name] = Document(change.type, change.name, content, id=id)
            case c.DeletePolicy(type=type, name=name):
                self.policies.pop((type, name), None)
                for keys in self.attached.values():
                    keys.discard((type, name))
            case c.AttachPolicy(type=type, name=name, target=target):
                self.attached.setdefault(self._target(target), set()).add((type, name))
                self.policies.setdefault((type, name), Document(type, name, "", aws_managed=True))
            case c.DetachPolicy(type=type, name=name, target=target):
                self.attached.get(self._target(target), set()).discard((type, name))
            case _:
                pass

    def _unit(self, path: UnitPath) -> str:
        return self.root if path == ROOT else self.ids[unit_reference(path)]

    def _target(self, target: Target) -> str:
        if target.kind is TargetKind.ACCOUNT:
            return self.ids[account_reference(target.name)]
        return self._unit(UnitPath(target.name))

    def _change_account(self, name: str, **changed: object) -> None:
        id = self.ids[account_reference(name)]
        if id in self.nodes:
            self.nodes[id] = replace(self.nodes[id], **changed)  # type: ignore[arg-type]

    def _add(self, node: Node) -> None:
        self.nodes[node.id] = node
        self.attached[node.id] = {(type, FULL_ACCESS[type]) for type in self.types & FULL_ACCESS.keys()}

    def _enable(self, type: PolicyType) -> None:
        self.types.add(type)
        if type in FULL_ACCESS:
            key = (type, FULL_ACCESS[type])
            self.policies.setdefault(key, Document(type, FULL_ACCESS[type], "", aws_managed=True))
            for id in self.nodes:
                self.attached.setdefault(id, set()).add(key)


def read_tree(observed: ObservedOrganization, ids: Mapping[str, str], steps: Iterable[c.Change] = ()) -> Tree:
    """Lay the observation out; the organization itself gets stand-ins where there is none yet."""
    management = observed.management_account_id or observed.caller_account
    known, stand_ins = with_stand_ins(dict(ids), observed, steps)
    root = observed.root_id or known[ROOT_ID]
    tree = Tree(observed.id or known[ORGANIZATION_ID], root, management, known, types=set(observed.policy_types))
    tree.stand_ins = stand_ins
    tree.nodes[root] = Node(root, ROOT, "")
    paths = {ROOT: root} | {unit.path: unit.id for unit in observed.units}
    for unit in sorted(observed.units, key=lambda unit: unit.path.count("/")):
        tree.nodes[unit.id] = Node(unit.id, name_of(unit.path), paths[parent_of(unit.path)])
    names = {id: reference.partition(":")[2] for reference, id in ids.items() if reference.startswith("account-id:")}
    for account in observed.accounts:
        active = account.state in (LiveState.ACTIVE, LiveState.PENDING_ACTIVATION)
        name = names.get(account.id, account.name)
        tree.nodes[account.id] = Node(account.id, name, paths[account.unit], is_account=True, is_active=active)
    if management not in tree.nodes:
        tree.nodes[management] = Node(management, names.get(management, management), root, is_account=True)
    for policy in observed.policies:
        key = (policy.type, policy.name)
        tree.policies[key] = Document(*key, policy.content, policy.aws_managed, policy.id)
        for target in policy.target_ids:
            tree.attached.setdefault(target, set()).add(key)
    return tree


def tree_before(plan: Plan) -> Tree:
    return read_tree(plan.observed, plan.ids, [step.change for step in plan.steps])


def fold(tree: Tree, steps: Iterable[c.Change]) -> Tree:
    """Answer the tree as it is after these changes; the one given stays as it is."""
    after = tree.copy()
    for change in steps:
        after.apply(change)
    return after
