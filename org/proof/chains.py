"""The policies that stand above each account: as they are, and as they are once a plan is done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import TypeAlias

from org.changes import Change
from org.model import ObservedOrganization, ObservedPolicy, PolicyType
from org.plan.model import Plan
from org.policy.authorize import Grants
from org.policy.grammar import STATEMENT_KINDS
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Statement
from org.policy.parse import policy_of
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.proof.tree import FULL_ACCESS, Document, Node, PolicyKey, Tree, fold, read_tree, tree_before
from org.source.findings import SourceErrors

UNREADABLE = "orgctl:ContentOfThePolicy"
"""Stands as a condition key in a policy whose content is not known: whatever it decides is unknown."""
DECLARATIVE = PolicyType("DECLARATIVE_POLICY_EC2")
Signature: TypeAlias = tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]


class Chains:
    """What the accounts of one tree are under; asked by account id, or by the account's name."""

    def __init__(self, tree: Tree, observed: ObservedOrganization) -> None:
        self.tree = tree
        self._observed = {policy.id: policy for policy in observed.policies}
        self._levels: dict[tuple[str, PolicyType], Level] = {}
        self._parsed: dict[Document, Policy] = {}
        self._signatures: dict[str, Signature] = {}

    @cached_property
    def accounts(self) -> Mapping[str, Node]:
        """All active accounts by id, the management account among them."""
        return {id: node for id, node in self.tree.nodes.items() if node.is_account and node.is_active}

    @property
    def management(self) -> str:
        return self.tree.management

    def id_of(self, account: str) -> str:
        """Answer the id of an account that goes by its id or its name; raises KeyError where there is none."""
        return account if account in self.tree.nodes else self._ids[account]

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        return {node.name: node.id for node in self.tree.nodes.values() if node.is_account}

    def grants(self, account: str, resource_account: str = "") -> Grants:
        """Answer the organization policies around a request of a principal in `account`; its resources are there too.

        An account of which the organization knows nothing is under no policies.
        """
        return Grants(
            service_control=self._line(account, SERVICE_CONTROL_POLICY),
            resource_control=self._line(resource_account or account, RESOURCE_CONTROL_POLICY),
            management_account=self.tree.management,
        )

    def organization_path(self, account: str) -> str:
        """Answer the value of `aws:PrincipalOrgPaths` for the account's principals.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
        """
        line = self.tree.line_of(self.id_of(account))
        return "/".join([self.tree.organization_id, *(node.id for node in line if not node.is_account), ""])

    def signature(self, account: str) -> Signature:
        """Answer what tells two chains apart: the levels by id, each with its policies and their contents.

        An account that has nothing of its own attached is like any other beside it.
        """
        id = self.id_of(account)
        if id not in self._signatures:
            self._signatures[id] = self._signature(id)
        return self._signatures[id]

    def _signature(self, id: str) -> Signature:
        found = []
        for node in self.tree.line_of(id):
            documents = (self._document(key) for key in sorted(self.tree.attached.get(node.id, ())))
            told = tuple((d.type, d.name, d.content) for d in documents if d.type in (*STATEMENT_KINDS, DECLARATIVE))
            own = any(name not in FULL_ACCESS.values() for _, name, _ in told)
            found.append(("" if node.is_account and not own else node.id, told))
        return tuple(found)

    def documents(self, account: str, type: PolicyType) -> tuple[tuple[str, Document], ...]:
        """Answer the policies of a type above the account, root first, with the name of their level."""
        return tuple(
            (self.level_name(node), self._document(key))
            for node in self.tree.line_of(self.id_of(account))
            for key in sorted(self.tree.attached.get(node.id, ()))
            if key[0] == type
        )

    def policy(self, arn_or_id: str) -> tuple[Policy, ObservedPolicy]:
        """Answer a policy that is there already by its ARN or id; raises KeyError where there is none such."""
        observed = self._observed[arn_or_id.rpartition("/")[2]]
        return self.parsed((observed.type, observed.name)), observed

    def policy_named(self, kind: PolicyKind, name: str) -> Policy | None:
        keys = ((type, name) for type, found in STATEMENT_KINDS.items() if found is kind)
        return next((self.parsed(key) for key in keys if key in self.tree.policies), None)

    def attached(self, policy: ObservedPolicy | PolicyKey) -> tuple[str, ...]:
        """Name the levels to which a policy is attached."""
        key = (policy.type, policy.name) if isinstance(policy, ObservedPolicy) else policy
        nodes = (
            self.tree.nodes[id] for id, keys in self.tree.attached.items() if key in keys and id in self.tree.nodes
        )
        return tuple(sorted(self.level_name(node) for node in nodes))

    def level_name(self, node: Node) -> str:
        return f"account {node.name}" if node.is_account else str(self.tree.path_of(node.id))

    def parsed(self, key: PolicyKey) -> Policy:
        document = self._document(key)
        if document not in self._parsed:
            self._parsed[document] = _parse(document, self._arn(document))
        return self._parsed[document]

    def _document(self, key: PolicyKey) -> Document:
        return self.tree.policies.get(key) or Document(*key, "", aws_managed=True)

    def _arn(self, document: Document) -> str:
        """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html"""
        if not document.id:
            return ""
        kind = document.type.lower()
        if document.aws_managed:
            return f"arn:aws:organizations::aws:policy/{kind}/{document.id}"
        owner = f"{self.tree.management}:policy/{self.tree.organization_id}"
        return f"arn:aws:organizations::{owner}/{kind}/{document.id}"

    def _line(self, account: str, type: PolicyType) -> tuple[Level, ...]:
        try:
            id = self.id_of(account)
        except KeyError:
            return ()
        if type not in self.tree.types:
            return ()
        return tuple(self._level(node, type) for node in self.tree.line_of(id))

    def _level(self, node: Node, type: PolicyType) -> Level:
        if (node.id, type) not in self._levels:
            keys = sorted(key for key in self.tree.attached.get(node.id, ()) if key[0] == type)
            self._levels[node.id, type] = Level(self.level_name(node), tuple(map(self.parsed, keys)))
        return self._levels[node.id, type]


def live_chains(observed: ObservedOrganization) -> Chains:
    return Chains(read_tree(observed, {}), observed)


def chains_before(plan: Plan) -> Chains:
    """Answer the chains as they are, with the names that the plan gives the accounts."""
    return Chains(tree_before(plan), plan.observed)


def chains_after(plan: Plan) -> Chains:
    """Answer the chains as they are once every step is done."""
    return chains_with(plan, [step.change for step in plan.steps])


def chains_with(plan: Plan, done: Iterable[Change]) -> Chains:
    """Answer the chains as they are once these of the plan's changes are done."""
    return Chains(fold(tree_before(plan), done), plan.observed)


@lru_cache(maxsize=4_096)
def _parse(document: Document, arn: str) -> Policy:
    kind = STATEMENT_KINDS[document.type]
    if document.aws_managed and document.name == FULL_ACCESS[document.type]:
        return Policy(document.name, kind, (Statement(Effect.ALLOW, ("*",), resources=("*",)),), arn)
    try:
        content = json.loads(document.content)
        if isinstance(content, dict):
            return policy_of(content, kind, document.name, arn)
    except (ValueError, SourceErrors):
        pass
    return _unknown_policy(document.name, kind, arn)


def _unknown_policy(name: str, kind: PolicyKind, arn: str) -> Policy:
    """Stand in for a policy whose content AWS does not tell, or that cannot be read: it may allow and deny anything."""
    hangs = (Condition("StringEquals", UNREADABLE, ("true",)),)
    return Policy(
        name,
        kind,
        (
            Statement(Effect.ALLOW, ("*",), resources=("*",), conditions=hangs),
            Statement(Effect.DENY, ("*",), index=1, resources=("*",), conditions=hangs),
        ),
        arn,
    )
