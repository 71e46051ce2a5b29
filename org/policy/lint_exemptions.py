"""Lint rules on exemptions: principals that a Deny is meant to spare."""

from __future__ import annotations

from collections.abc import Iterator

from org.policy.grammar import NEGATED
from org.policy.lint_model import Fault, Linted, Rule, Severity
from org.policy.model import Effect, Statement
from org.policy.patterns import overlaps
from org.source.findings import Place

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_KEYS = _GUIDE + "reference_policies_condition-keys.html"
_PATHS = {"AWSReservedSSO_": "aws-reserved/sso.amazonaws.com/", "AWSServiceRoleFor": "aws-service-role/SERVICE/"}
_WELL_KNOWN = (
    "AWSReservedSSO_", "AWSServiceRoleFor", "AWSControlTowerExecution", "OrganizationAccountAccessRole",
    "stacksets-exec-", "AWSCloudFormationStackSetExecutionRole",
)  # fmt: skip


def _exemptions(linted: Linted) -> Iterator[tuple[str, Place]]:
    """Yield each principal that a Deny spares."""
    for statement, places in linted.statements:
        for condition, at in zip(statement.conditions, places.conditions, strict=True):
            spares = condition.operator in NEGATED and statement.effect is Effect.DENY
            if spares and condition.key.lower() == "aws:principalarn":
                yield from zip(condition.values, at.values, strict=True)


def _find_sessions(linted: Linted) -> Iterator[Fault]:
    for statement, places in linted.statements:
        for condition, at in zip(statement.conditions, places.conditions, strict=True):
            if condition.key.lower() == "aws:principalarn":
                for value, place in zip(condition.values, at.values, strict=True):
                    if ":assumed-role/" in value:
                        name = value.partition(":assumed-role/")[2].partition("/")[0]
                        todo = f"write the role's own ARN, such as arn:aws:iam::*:role/{name}"
                        yield place, f"aws:PrincipalArn is never the ARN of a session: {value!r}", todo


def _find_lacking_paths(linted: Linted) -> Iterator[Fault]:
    for value, place in _exemptions(linted):
        name = value.partition(":role/")[2]
        for prefix, path in _PATHS.items():
            if name.startswith(prefix):
                what = f"{value!r} lacks the path under which AWS makes such roles, and so exempts none of them"
                yield place, what, f"write role/{path}{name}"


def _find_wrong_case(linted: Linted) -> Iterator[Fault]:
    exempt = list(_exemptions(linted))
    first: dict[str, str] = {}
    for value, place in exempt:
        other = first.setdefault(value.lower(), value)
        if other != value:
            yield (
                place,
                f"{value!r} differs from {other!r} in case only, and names are compared with it",
                "keep the right one",
            )
        name = value.rpartition("/")[2]
        for known in _WELL_KNOWN:
            if name.lower().startswith(known.lower()) and not name.startswith(known):
                what = f"{value!r} is written unlike {known!r}, and names are compared with their case"
                yield place, what, f"write {known + name[len(known) :]}"


def _find_powerless_allows(linted: Linted) -> Iterator[Fault]:
    denies = [statement for statement in linted.policy.statements if statement.effect is Effect.DENY]
    for statement, places in linted.statements:
        exempts = any(condition.key.lower() == "aws:principalarn" for condition in statement.conditions)
        if statement.effect is Effect.ALLOW and exempts:
            for deny in denies:
                if _actions_meet(statement, deny) and not any(
                    condition.key.lower() == "aws:principalarn" for condition in deny.conditions
                ):
                    what = f"the Allow lifts nothing that {deny.label!r} denies: a Deny always wins"
                    yield places.effect, what, f"exempt the principals by a condition of {deny.label!r}"


def _actions_meet(one: Statement, other: Statement) -> bool:
    if one.not_actions or other.not_actions:
        return True
    return any(overlaps(each, deny, ignore_case=True) for each in one.actions for deny in other.actions)


RULES = (
    Rule(
        "session-arn",
        Severity.ERROR,
        "A condition compares aws:PrincipalArn, which holds a role's ARN, with that of a session.",
        _KEYS,
        _find_sessions,
    ),
    Rule(
        "exempt-path",
        Severity.ERROR,
        "An exemption names a role that AWS makes without the path that it has.",
        _GUIDE + "reference_identifiers.html",
        _find_lacking_paths,
    ),
    Rule(
        "exempt-case",
        Severity.WARNING,
        "An exemption writes a name in another case, and ARNs are compared with their case.",
        _GUIDE + "reference_policies_elements_condition_operators.html",
        _find_wrong_case,
    ),
    Rule(
        "powerless-allow",
        Severity.WARNING,
        "An Allow is meant to lift a Deny, which nothing does.",
        _GUIDE + "reference_policies_evaluation-logic.html",
        _find_powerless_allows,
    ),
)
