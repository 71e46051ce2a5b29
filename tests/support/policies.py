"""Small builders for policies and requests, so that a test shows only what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Decision
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Principals, Quantifier, Statement
from org.policy.request import ContextValue, Request

ACCOUNT, OTHER, MANAGEMENT = "111122223333", "444455556666", "999988887777"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/ada"
USER = f"arn:aws:iam::{ACCOUNT}:user/ada"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET = "arn:aws:s3:::reports/2026.csv"

Texts = str | Iterable[str]
Block = Mapping[str, Mapping[str, Texts]]
ENGINE = Engine()


def texts(value: Texts) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def conditions(block: Block) -> tuple[Condition, ...]:
    """Read a Condition element: `{"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "team"}}`."""
    found = []
    for written, tests in block.items():
        quantifier, _, operator = written.rpartition(":")
        name = operator.removesuffix("IfExists")
        for key, values in tests.items():
            found.append(Condition(name, key, texts(values), Quantifier(quantifier), name != operator))
    return tuple(found)


def principals(value: str | Mapping[str, Texts]) -> Principals:
    if value == "*":
        return Principals(everyone=True)
    assert not isinstance(value, str)
    by_kind = {kind: texts(names) for kind, names in value.items()}
    return Principals(
        aws=by_kind.get("AWS", ()), service=by_kind.get("Service", ()), federated=by_kind.get("Federated", ())
    )


def allow(actions: Texts = "*", resources: Texts = "*", **more: object) -> Statement:
    return _statement(Effect.ALLOW, actions, resources, **more)


def deny(actions: Texts = "*", resources: Texts = "*", **more: object) -> Statement:
    return _statement(Effect.DENY, actions, resources, **more)


def _statement(
    effect, actions, resources, *, when=None, principal=None, not_principal=None, sid="", **flags
) -> Statement:
    element = principal if not_principal is None else not_principal
    return Statement(
        effect,
        texts(actions),
        sid,
        resources=texts(resources),
        principals=None if element is None else principals(element),
        not_principals=not_principal is not None,
        conditions=conditions(when or {}),
        **flags,
    )


def policy(
    *statements: Statement, kind: PolicyKind = PolicyKind.IDENTITY, name: str = "p", version: str = "2012-10-17"
) -> Policy:
    numbered = tuple(replace(statement, index=index) for index, statement in enumerate(statements))
    return Policy(name, kind, numbered, version=version)


def identity(*statements: Statement) -> tuple[Policy, ...]:
    return (policy(*statements),)


def resource(*statements: Statement, kind: PolicyKind = PolicyKind.RESOURCE) -> Policy:
    return policy(*statements, kind=kind, name="resource")


FULL = policy(allow(), kind=PolicyKind.SERVICE_CONTROL, name="FullAWSAccess")


def level(name: str, *policies: Policy) -> Level:
    return Level(name, policies)


def scp(*statements: Statement, name: str = "guardrail") -> Policy:
    return policy(*statements, kind=PolicyKind.SERVICE_CONTROL, name=name)


def rcp(*statements: Statement, name: str = "perimeter") -> Policy:
    return policy(*statements, kind=PolicyKind.RESOURCE_CONTROL, name=name)


def request(
    action: str = "s3:GetObject",
    on: str = BUCKET,
    *,
    by: str = SESSION,
    owner: str = "",
    complete: bool = True,
    given: Mapping[str, ContextValue] | None = None,
) -> Request:
    principal = principal_of(by)
    context = make_context(principal, action, on, resource_account=owner, more=given or {})
    return Request(principal, action, on, owner, context, complete)


def decide(grants: Grants, asked: Request) -> Decision:
    """Decide, and make sure that the short answer is the same."""
    authorizer = ENGINE.authorizer(grants)
    decision = authorizer.decide(asked)
    assert authorizer.verdict(asked) is decision.verdict
    return decision
