"""The smallest change to organization policies that lets requests through, proved by evaluating them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from org.policy.authorize import Engine, Grants
from org.policy.decision import Deciding, Verdict
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Quantifier, Statement
from org.policy.render import document_of
from org.policy.request import Request
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.proof.hints import PRINCIPAL_KEY, exempts
from org.proof.model import Exemption
from org.proof.tree import FULL_ACCESS
from org.quotas import load_quotas

__all__ = ["Asked", "Edits", "Exemption", "find_edits", "find_exemption"]
_ROUNDS = 8
_FULL = Policy(
    FULL_ACCESS[SERVICE_CONTROL_POLICY],
    PolicyKind.SERVICE_CONTROL,
    (Statement(Effect.ALLOW, ("*",), resources=("*",)),),
)
_TYPES = {
    PolicyKind.SERVICE_CONTROL: SERVICE_CONTROL_POLICY,
    PolicyKind.RESOURCE_CONTROL: RESOURCE_CONTROL_POLICY,
}
Asked: TypeAlias = Sequence[tuple[Grants, Sequence[Request]]]
"""Requests with the policies around them, by account."""
_PolicyKey: TypeAlias = tuple[PolicyKind, str]


@dataclass(slots=True)
class Edits:
    """Changes to policies; those of several findings put together let through whatever each lets through."""

    spared: dict[tuple[_PolicyKey, int], dict[str, None]] = field(default_factory=dict)
    """By statement: the principals that its Deny is to spare."""
    allowed: dict[_PolicyKey, dict[str, dict[str, None]]] = field(default_factory=dict)
    """By policy and principal: the actions that one statement more is to allow to it alone."""
    full: dict[str, None] = field(default_factory=dict)
    """Levels at which FullAWSAccess is to be attached."""
    levels: dict[object, str] = field(default_factory=dict)
    """By statement and policy: a level at which it was met."""

    def __bool__(self) -> bool:
        return bool(self.spared or self.allowed or self.full)

    def size(self) -> int:
        added = (actions for by_arn in self.allowed.values() for actions in by_arn.values())
        return sum(map(len, (*self.spared.values(), *added))) + len(self.full)

    def include(self, other: Edits) -> None:
        for statement, arns in other.spared.items():
            self.spared.setdefault(statement, {}).update(arns)
        for policy, by_arn in other.allowed.items():
            for arn, actions in by_arn.items():
                self.allowed.setdefault(policy, {}).setdefault(arn, {}).update(actions)
        self.full.update(other.full)
        self.levels.update(other.levels)

    def applied(self, grants: Grants) -> Grants:
        service, resource = (
            tuple(map(self._level, levels)) for levels in (grants.service_control, grants.resource_control)
        )
        service = tuple(
            replace(level, policies=(*level.policies, _FULL)) if level.name in self.full else level for level in service
        )
        return replace(grants, service_control=service, resource_control=resource)

    def changed(self, policy: Policy) -> Policy:
        """Answer the policy with what is spared and allowed in it."""
        key = (policy.kind, policy.name)
        statements = tuple(
            _sparing(statement, self.spared[key, statement.index])
            if (key, statement.index) in self.spared
            else statement
            for statement in policy.statements
        )
        for arn, actions in self.allowed.get(key, {}).items():
            statements += (_allowing(arn, actions, len(statements)),)
        return policy if statements == policy.statements else replace(policy, statements=statements)

    def _level(self, level: Level) -> Level:
        policies = tuple(map(self.changed, level.policies))
        return level if policies == level.policies else replace(level, policies=policies)

    def told(self, asked: Iterable[Grants], everything: Edits | None = None) -> Iterator[Exemption]:
        """Yield each change as a statement to paste, which holds what `everything` wants of that statement, too."""
        whole = everything or self
        policies = {
            (p.kind, p.name): p
            for grants in asked
            for level in (*grants.resource_control, *grants.service_control)
            for p in level.policies
        }
        for key, index in self.spared:
            policy = policies[key]
            statement = policy.statements[index]
            arns = whole.spared[key, index]
            says = f"let {statement.label} of {policy.name} spare {' and '.join(arns)}{_over_quota(policy, whole)}"
            level = self.levels[key, index]
            yield Exemption(policy.name, statement.label, level, says, _as_json(policy, _sparing(statement, arns)))
        for key, by_arn in self.allowed.items():
            policy = policies[key]
            for arn in by_arn:
                says = f"add to {policy.name} a statement that allows the call to {arn}{_over_quota(policy, whole)}"
                added = _allowing(arn, whole.allowed[key][arn], 0)
                yield Exemption(policy.name, "", self.levels[key], says, _as_json(policy, added))
        for level in self.full:
            yield Exemption(_FULL.name, "", level, f"keep {_FULL.name} attached to {level}")


def find_exemption(
    grants: Grants, requests: Sequence[Request], exempt_arn: str, engine: Engine
) -> tuple[Exemption, ...]:
    """Answer changes that together let every request through; none where these do not suffice.

    A Deny gets the principal among those that it spares; where no statement allows, the calls are added to what does,
    or AWS's FullAWSAccess is attached where nothing stands.
    """
    edits = find_edits([(grants, requests)], exempt_arn, engine, {})
    return tuple(edits.told([grants])) if edits else ()


def find_edits(asked: Asked, exempt_arn: str, engine: Engine, meant: Mapping[str, Iterable[str]]) -> Edits | None:
    """Answer what lets all of the requests through in all of the accounts; None where nothing does.

    `meant` are the calls, as they were asked for, for which the request with an action stands: an allow list needs all.
    """
    edits = Edits()
    for grants, requests in asked:
        if not _suffice(edits, grants, requests, exempt_arn, engine, meant):
            return None
    # What was added for one account may bring nothing new for those before it, but is proved there, too.
    return edits if all(lets_through(edits, grants, requests, engine) for grants, requests in asked) else None


def lets_through(edits: Edits, grants: Grants, requests: Iterable[Request], engine: Engine) -> bool:
    authorizer = engine.authorizer(edits.applied(grants))
    return all(authorizer.verdict(request) is Verdict.ALLOWED for request in requests)


def _suffice(
    edits: Edits,
    grants: Grants,
    requests: Sequence[Request],
    exempt_arn: str,
    engine: Engine,
    meant: Mapping[str, Iterable[str]],
) -> bool:
    """Add to the edits until they suffice, or nothing more can be added."""
    for _ in range(_ROUNDS):
        changed = edits.applied(grants)
        authorizer = engine.authorizer(changed)
        blocked = [request for request in requests if authorizer.verdict(request) is not Verdict.ALLOWED]
        if not blocked:
            return True
        reasons: dict[Deciding, dict[str, None]] = {}
        for request in blocked:
            for deciding in authorizer.decide(request).deciding:
                reasons.setdefault(deciding, {}).update(dict.fromkeys(meant.get(request.action, (request.action,))))
        before = edits.size()
        for deciding, actions in reasons.items():
            if not _edit(edits, changed, deciding, exempt_arn, actions):
                return False
        if edits.size() == before:
            return False
    return False


def _edit(edits: Edits, grants: Grants, deciding: Deciding, exempt_arn: str, actions: dict[str, None]) -> bool:
    """Add what is to be done about one reason; False where nothing can be."""
    if deciding.kind not in _TYPES:
        return False
    levels = grants.service_control if deciding.kind is PolicyKind.SERVICE_CONTROL else grants.resource_control
    level = next((each for each in levels if each.name == deciding.level), None)
    if level is None:
        return False
    policy = next((p for p in level.policies if p.name == deciding.policy), None)
    statement = policy.statements[deciding.index] if policy is not None and deciding.index >= 0 else None
    if policy is not None and statement is not None and statement.effect is Effect.DENY:
        if not _is_ours(policy):
            return False
        key = (policy.kind, policy.name)
        edits.spared.setdefault((key, statement.index), {})[_sparable(exempt_arn, policy.kind)] = None
        edits.levels.setdefault((key, statement.index), level.name)
        return True
    if deciding.kind is not PolicyKind.SERVICE_CONTROL:
        return False
    lists = [p for p in level.policies if any(s.effect is Effect.ALLOW for s in p.statements) and _is_ours(p)]
    if not lists:
        edits.full[level.name] = None
        return True
    key = (lists[0].kind, lists[0].name)
    edits.allowed.setdefault(key, {}).setdefault(exempt_arn, {}).update(actions)
    edits.levels.setdefault(key, level.name)
    return True


def _is_ours(policy: Policy) -> bool:
    """Say whether its statements can be changed: it is not AWS's own, and its content is known."""
    unread = any(each.key.startswith("orgctl:") for statement in policy.statements for each in statement.conditions)
    return policy.name != _FULL.name and "::aws:policy/" not in policy.arn and not unread


def _sparable(arn: str, kind: PolicyKind) -> str:
    """Answer what a Deny may spare: a resource control policy binds strangers, too, and they name their roles freely.

    So of a role in any account it spares the one of the resource's own account.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    parts = arn.split(":", 5)
    if kind is PolicyKind.RESOURCE_CONTROL and parts[4:5] == ["*"]:
        parts[4] = "${aws:ResourceAccount}"
    return ":".join(parts)


def _allowing(arn: str, actions: Iterable[str], index: int) -> Statement:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html"""
    alone = Condition("ArnLike", "aws:PrincipalArn", (arn,))
    return Statement(Effect.ALLOW, tuple(sorted(actions)), index=index, resources=("*",), conditions=(alone,))


def _over_quota(policy: Policy, edits: Edits) -> str:
    most = load_quotas().policy(_TYPES[policy.kind]).max_bytes
    size = len(json.dumps(document_of(edits.changed(policy)), ensure_ascii=False, separators=(",", ":")).encode())
    return f" ({policy.name} then has {size:,} bytes, and AWS allows {most:,}: split it)" if size > most else ""


def _sparing(statement: Statement, arns: Iterable[str]) -> Statement:
    conditions = list(statement.conditions)
    at = next((at for at, condition in enumerate(conditions) if _spares(condition)), None)
    if at is None:
        added = Condition("ArnNotLike", "aws:PrincipalArn", tuple(arns))
        return replace(statement, conditions=(*conditions, added))
    values = conditions[at].values
    more = tuple(arn for arn in arns if arn not in values)
    conditions[at] = replace(conditions[at], values=(*values, *more))
    return replace(statement, conditions=tuple(conditions)) if more else statement


def _spares(condition: Condition) -> bool:
    """Say whether a pattern can be added to what the condition spares."""
    wild = condition.operator in ("ArnNotLike", "ArnNotEquals", "StringNotLike")
    plain = condition.quantifier is Quantifier.NONE and condition.key.lower() == PRINCIPAL_KEY
    return wild and plain and exempts(condition.operator)


def _as_json(policy: Policy, statement: Statement) -> str:
    document = document_of(replace(policy, statements=(statement,)))
    return json.dumps(document["Statement"], ensure_ascii=False)
