"""The smallest change to organization policies that lets requests through, proved by evaluating them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from org.policy.authorize import Engine, Grants
from org.policy.decision import Deciding, Verdict
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Quantifier, Statement
from org.policy.render import document_of
from org.policy.request import Request
from org.policy_types import SERVICE_CONTROL_POLICY
from org.proof.hints import PRINCIPAL_KEY, exempts
from org.proof.model import Exemption
from org.proof.tree import FULL_ACCESS

__all__ = ["Exemption", "find_exemption"]
_ROUNDS = 8
_FULL = Policy(
    FULL_ACCESS[SERVICE_CONTROL_POLICY],
    PolicyKind.SERVICE_CONTROL,
    (Statement(Effect.ALLOW, ("*",), resources=("*",)),),
)
_ORGANIZATION_KINDS = (PolicyKind.SERVICE_CONTROL, PolicyKind.RESOURCE_CONTROL)


def find_exemption(
    grants: Grants, requests: Sequence[Request], exempt_arn: str, engine: Engine
) -> tuple[Exemption, ...]:
    """Answer changes that together let every request through; none where these do not suffice.

    A Deny gets the principal among those that it spares; where no statement allows, the calls are added to what does,
    or AWS's FullAWSAccess is attached where nothing stands.
    """
    found: dict[tuple[str, str, str], Exemption] = {}
    for _ in range(_ROUNDS):
        decisions = [engine.authorizer(grants).decide(request) for request in requests]
        blocked = [(r, d) for r, d in zip(requests, decisions, strict=True) if d.verdict is not Verdict.ALLOWED]
        if not blocked:
            return tuple(found.values())
        changed = grants
        for deciding in dict.fromkeys(each for _, decision in blocked for each in decision.deciding):
            actions = sorted({r.action for r, d in blocked if deciding in d.deciding})
            change = _change(changed, deciding, exempt_arn, actions)
            if change is None:
                return ()
            changed, exemption = change
            found[exemption.policy, exemption.sid, "" if exemption.sid else exemption.level] = exemption
        if changed == grants:
            return ()
        grants = changed
    return ()


def _change(
    grants: Grants, deciding: Deciding, exempt_arn: str, actions: Sequence[str]
) -> tuple[Grants, Exemption] | None:
    if deciding.kind not in _ORGANIZATION_KINDS:
        return None
    levels = grants.service_control if deciding.kind is PolicyKind.SERVICE_CONTROL else grants.resource_control
    level = next((each for each in levels if each.name == deciding.level), None)
    if level is None:
        return None
    policy = next((p for p in level.policies if p.name == deciding.policy), None)
    statement = policy.statements[deciding.index] if policy is not None and deciding.index >= 0 else None
    if policy is not None and statement is not None and statement.effect is Effect.DENY:
        if any(condition.key.startswith("orgctl:") for condition in statement.conditions):
            return None
        spared = _sparing(statement, exempt_arn)
        says = f"let {statement.label} of {policy.name} spare {exempt_arn}"
        exemption = Exemption(policy.name, statement.label, level.name, says, _as_json(policy, spared))
        return _with_statement(grants, policy, spared), exemption
    return _allow(grants, deciding.kind, level, actions)


def _allow(grants: Grants, kind: PolicyKind, level: Level, actions: Sequence[str]) -> tuple[Grants, Exemption] | None:
    if kind is not PolicyKind.SERVICE_CONTROL:
        return None
    lists = [p for p in level.policies if any(s.effect is Effect.ALLOW for s in p.statements) and p.name != _FULL.name]
    if not lists:
        exemption = Exemption(_FULL.name, "", level.name, f"keep {_FULL.name} attached to {level.name}")
        return _with_level(grants, replace(level, policies=(*level.policies, _FULL))), exemption
    policy = lists[0]
    added = Statement(Effect.ALLOW, tuple(actions), index=len(policy.statements), resources=("*",))
    says = f"add to {policy.name} a statement that allows the call"
    exemption = Exemption(policy.name, "", level.name, says, _as_json(policy, added))
    return _with_policy(grants, policy, replace(policy, statements=(*policy.statements, added))), exemption


def _sparing(statement: Statement, arn: str) -> Statement:
    conditions = list(statement.conditions)
    for at, condition in enumerate(conditions):
        if _spares(condition) and arn in condition.values:
            return statement
        if _spares(condition):
            conditions[at] = replace(condition, values=(*condition.values, arn))
            return replace(statement, conditions=tuple(conditions))
    added = Condition("ArnNotLike", "aws:PrincipalArn", (arn,))
    return replace(statement, conditions=(*conditions, added))


def _spares(condition: Condition) -> bool:
    """Say whether a pattern can be added to what the condition spares."""
    wild = condition.operator in ("ArnNotLike", "ArnNotEquals", "StringNotLike")
    plain = condition.quantifier is Quantifier.NONE and condition.key.lower() == PRINCIPAL_KEY
    return wild and plain and exempts(condition.operator)


def _with_statement(grants: Grants, policy: Policy, statement: Statement) -> Grants:
    statements = tuple(statement if s.index == statement.index else s for s in policy.statements)
    return _with_policy(grants, policy, replace(policy, statements=statements))


def _with_policy(grants: Grants, old: Policy, new: Policy) -> Grants:
    def changed(levels: tuple[Level, ...]) -> tuple[Level, ...]:
        return tuple(replace(level, policies=tuple(new if p == old else p for p in level.policies)) for level in levels)

    return replace(
        grants,
        service_control=changed(grants.service_control),
        resource_control=changed(grants.resource_control),
    )


def _with_level(grants: Grants, level: Level) -> Grants:
    levels = tuple(level if each.name == level.name else each for each in grants.service_control)
    return replace(grants, service_control=levels)


def _as_json(policy: Policy, statement: Statement) -> str:
    document = document_of(replace(policy, statements=(statement,)))
    return json.dumps(document["Statement"], ensure_ascii=False)
