"""Policies and requests made at random from a seed, such that most statements nearly match."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from org.policy.authorize import Grants
from org.policy.context import principal_of
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Principals, Quantifier, Statement
from org.policy.request import Request
from tests.support.policies import ACCOUNT, MANAGEMENT, OTHER, ROLE, ROOT, SESSION, USER

ACTIONS = {
    "s3:GetObject": ("arn:aws:s3:::reports/a", "arn:aws:s3:::reports/b1"),
    "ec2:RunInstances": ("arn:aws:ec2:eu-central-1::image/ami-1", f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/i-1"),
    "kms:Decrypt": (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",),
    "iam:ListUsers": ("*",),
    "no:SuchAction": ("arn:aws:no:::thing",),
}
VALUES = {
    "aws:PrincipalTag/team": ("red", "blue", "Red"),
    "ec2:Owner": ("amazon", ACCOUNT, "7"),
    "aws:TagKeys": ("team", "stage", ""),
    "aws:PrincipalArn": (ROLE, USER, f"arn:aws:iam::{ACCOUNT}:role/*"),
    "aws:MultiFactorAuthAge": ("10", "99"),
}
STRINGS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "Null")
OPERATORS = {
    "aws:MultiFactorAuthAge": ("NumericLessThan", "NumericEquals", "NumericNotEquals", "Null"),
    "aws:PrincipalArn": ("ArnLike", "ArnNotLike", "StringLike", "StringNotLike", "Null"),
}
VARIABLES = ("${aws:PrincipalTag/team}", "${aws:PrincipalTag/team, 'team'}", "${ec2:Owner}")
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/y"
CALLERS = (
    *(SESSION,) * 5,
    USER,
    USER,
    ROOT,
    "s3.amazonaws.com",
    "*",
    f"arn:aws:iam::{MANAGEMENT}:role/x",
    LINKED,
)
NAMES = (ROOT, ACCOUNT, ROLE, SESSION, USER, f"arn:aws:iam::{OTHER}:root")
WITH_PRINCIPAL = {PolicyKind.RESOURCE, PolicyKind.KEY, PolicyKind.TRUST, PolicyKind.ENDPOINT}


def full(kind: PolicyKind) -> Policy:
    return Policy("full", kind, (Statement(Effect.ALLOW, ("*",), resources=("*",)),))


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.action = self.random.choice([*ACTIONS, "s3:GetObject", "ec2:RunInstances", "kms:Decrypt"])
        self.resource = self.random.choice(ACTIONS[self.action])

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def some(self, items, most: int, least: int = 1) -> tuple:
        return tuple(self.random.choice(items) for _ in range(self.random.randint(least, most)))

    def condition(self) -> Condition:
        key = self.random.choice(list(VALUES))
        operator = self.random.choice(OPERATORS.get(key, STRINGS))
        if operator == "Null":
            return Condition("Null", key, (self.random.choice(["true", "false"]),))
        written = key if "/" in key else self.random.choice([key, key.lower(), key.upper()])
        more = ("r*", "*e?") if operator in {"StringLike", "StringNotLike"} else ()
        if operator in STRINGS:
            more = (*more, *VARIABLES)
        quantifier = self.random.choice([*Quantifier, Quantifier.NONE])
        return Condition(operator, written, self.some((*VALUES[key], *more), 2), quantifier, self.chance(0.25))

    def statement(self, *, named: bool = False, effect: Effect | None = None) -> Statement:
        service = self.action.partition(":")[0]
        actions = (
            "*",
            self.action,
            f"{service.upper()}:*",
            f"*:*{self.action[-5:]}",
            self.random.choice(list(ACTIONS)),
        )
        resources = (
            "*",
            "*",
            self.resource,
            self.resource[:-1] + "?",
            "arn:aws:s3:::*/a",
            "arn:aws:ec2:*:*:image/*",
            "arn:*1",
            "arn:aws:s3:::${aws:PrincipalTag/team, 'reports'}/*",
            "arn:aws:ec2:eu-central-1::${ec2:Owner, 'image'}/ami-1",
        )
        principals, negated = None, False
        if named:
            everyone = self.chance(0.25)
            service_names = ("s3.amazonaws.com",) if self.chance(0.3) and not everyone else ()
            principals = Principals(everyone, () if everyone else self.some(NAMES, 3), service_names)
            negated = not everyone and self.chance(0.2)
        return Statement(
            effect or self.random.choice(list(Effect)),
            self.some(actions, 2),
            not_actions=self.chance(0.1),
            resources=self.some(resources, 2),
            not_resources=self.chance(0.1),
            principals=principals,
            not_principals=negated,
            conditions=self.some([self.condition() for _ in range(3)], 2, 0),
        )

    def policy(self, kind: PolicyKind) -> Policy:
        deny = 1.0 if kind is PolicyKind.RESOURCE_CONTROL else 0.6 if kind is PolicyKind.SERVICE_CONTROL else 0.15
        statements = [
            self.statement(named=kind in WITH_PRINCIPAL, effect=Effect.DENY if self.chance(deny) else Effect.ALLOW)
            for _ in range(self.random.randint(0, 3))
        ]
        numbered = tuple(replace(statement, index=index) for index, statement in enumerate(statements))
        return Policy(f"policy {self.random.randint(0, 99)}", kind, numbered)

    def levels(self, kind: PolicyKind) -> tuple[Level, ...]:
        levels = []
        for number in range(self.random.choice([0, 0, 1, 2])):
            own = [self.policy(kind)] if self.chance(0.6) else []
            first = [full(kind)] if kind is PolicyKind.SERVICE_CONTROL and self.chance(0.9) else []
            levels.append(Level(f"level {number}", (*first, *own)))
        return tuple(levels)

    def grants(self) -> Grants:
        resource_kind = self.random.choice([PolicyKind.RESOURCE, PolicyKind.RESOURCE, PolicyKind.KEY, PolicyKind.TRUST])
        identity: tuple[Policy, ...] | None = self.random.choice(
            [None, (), (full(PolicyKind.IDENTITY),), (self.policy(PolicyKind.IDENTITY),)]
        )
        return Grants(
            identity=identity,
            boundary=(self.policy(PolicyKind.BOUNDARY),) if self.chance(0.25) else (),
            session=(self.policy(PolicyKind.SESSION),) if self.chance(0.25) else (),
            resource=self.policy(resource_kind) if self.chance(0.7) else None,
            endpoint=self.policy(PolicyKind.ENDPOINT) if self.chance(0.1) else None,
            service_control=self.levels(PolicyKind.SERVICE_CONTROL),
            resource_control=self.levels(PolicyKind.RESOURCE_CONTROL),
            management_account=self.random.choice(["", MANAGEMENT]),
        )

    def request(self, *, complete: bool | None = None) -> Request:
        principal = principal_of(self.random.choice(CALLERS))
        context: dict = {"aws:principalarn": principal.arn if principal.account else None} if self.chance(0.8) else {}
        for key, values in VALUES.items():
            if key == "aws:PrincipalArn" or self.chance(0.3):
                continue
            value = None if self.chance(0.15) else self.random.choice(values)
            if key == "aws:TagKeys" and self.chance(0.7):
                value = self.some(values, 3, 0)
            context[key.lower()] = value
        return Request(
            principal,
            self.random.choice([self.action, self.action.lower(), self.action.upper()]),
            self.resource,
            self.random.choice(["", ACCOUNT, ACCOUNT, OTHER, MANAGEMENT]),
            context,
            self.chance(0.35) if complete is None else complete,
        )
