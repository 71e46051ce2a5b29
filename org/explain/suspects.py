"""Which statements of the organization's policies deny a request for certain, and which may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from org.policy.authorize import Engine, Grants
from org.policy.decision import Decision, Verdict
from org.policy.model import Effect, Level, Policy, PolicyKind, Statement
from org.policy.patterns import matches
from org.policy.request import Request
from org.proof.hints import find_hints

_NO_ACTION = "orgctl:None"
"""An action that no request names."""
_EVERYTHING = Statement(Effect.ALLOW, ("*",), resources=("*",))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A statement that denies; or, with an empty policy, a level at which nothing allows."""

    kind: PolicyKind
    policy: str
    arn: str
    sid: str
    index: int
    levels: tuple[str, ...]
    """Where on the way to the account it is attached, root first."""
    unknown: tuple[str, ...] = ()
    """What it hangs on; empty where it is certain."""
    hints: tuple[str, ...] = ()
    """Exemptions in it that nearly spare the principal."""
    by_message: bool = False
    """It hangs on what is not told, but the message leaves no other statement."""

    @property
    def is_certain(self) -> bool:
        return not self.unknown

    @property
    def is_settled(self) -> bool:
        return self.is_certain or self.by_message


def find_suspects(grants: Grants, kind: PolicyKind, request: Request, engine: Engine) -> tuple[Suspect, ...]:
    """Judge each Deny by itself, as if all else were allowed, then each level by what it allows."""
    found: dict[tuple[str, str, int], Suspect] = {}
    for level in levels_of(grants, kind):
        for policy, statement in _denies(level):
            alone = replace(policy, statements=(replace(_EVERYTHING, index=0), replace(statement, index=1)))
            unknown = _held_back(engine, _only(grants, kind, Level(level.name, (alone,))), request)
            if unknown is None or not _concerns(statement, request.action):
                continue
            known = found.get((policy.arn, policy.name, statement.index))
            levels = (*known.levels, level.name) if known else (level.name,)
            hints = tuple(find_hints(statement, request.principal.arn))
            found[policy.arn, policy.name, statement.index] = Suspect(
                kind, policy.name, policy.arn, statement.label, statement.index, levels, unknown, hints
            )
    return (*found.values(), *_levels_that_do_not_allow(grants, kind, request, engine))


def spare_all_but(grants: Grants, kind: PolicyKind, believed: Sequence[Suspect]) -> Grants:
    """Answer the grants with every Deny taken out but those that are believed to be the cause."""
    kept = {(suspect.arn, suspect.policy, suspect.index) for suspect in believed}

    def spared(policy: Policy) -> Policy:
        statements = tuple(
            replace(statement, actions=(_NO_ACTION,), not_actions=False)
            if statement.effect is Effect.DENY and (policy.arn, policy.name, statement.index) not in kept
            else statement
            for statement in policy.statements
        )
        return replace(policy, statements=statements)

    levels = tuple(replace(level, policies=tuple(map(spared, level.policies))) for level in levels_of(grants, kind))
    return _with(grants, kind, levels)


def levels_of(grants: Grants, kind: PolicyKind) -> tuple[Level, ...]:
    return grants.service_control if kind is PolicyKind.SERVICE_CONTROL else grants.resource_control


def _levels_that_do_not_allow(grants: Grants, kind: PolicyKind, request: Request, engine: Engine) -> Iterator[Suspect]:
    if kind is not PolicyKind.SERVICE_CONTROL:
        return
    for level in levels_of(grants, kind):
        allowing = tuple(
            replace(policy, statements=tuple(s for s in policy.statements if s.effect is Effect.ALLOW))
            for policy in level.policies
            if any(s.effect is Effect.ALLOW for s in policy.statements)
        )
        if any(_allows_outright(statement, request.action) for policy in allowing for statement in policy.statements):
            continue  # of an action that is not in the catalog, this much is plain
        unknown = _held_back(engine, _only(grants, kind, Level(level.name, allowing)), request)
        if unknown is not None:
            yield Suspect(kind, "", "", "", -1, (level.name,), unknown)


def _held_back(engine: Engine, grants: Grants, request: Request) -> tuple[str, ...] | None:
    """Answer what a denial hangs on, nothing where it is certain, and None where there is none."""
    decision: Decision = engine.authorizer(grants).decide(request)
    match decision.verdict:
        case Verdict.ALLOWED:
            return None
        case Verdict.DENIED:
            return ()
        case Verdict.UNKNOWN:
            return decision.unknown
        case Verdict.NOT_EVALUATED:
            return ("action",)


def _allows_outright(statement: Statement, action: str) -> bool:
    on_all = not statement.resources or ("*" in statement.resources and not statement.not_resources)
    return on_all and not statement.conditions and _concerns(statement, action)


def _concerns(statement: Statement, action: str) -> bool:
    return any(matches(each, action, ignore_case=True) for each in statement.actions) is not statement.not_actions


def _denies(level: Level) -> Iterator[tuple[Policy, Statement]]:
    for policy in level.policies:
        for statement in policy.statements:
            if statement.effect is Effect.DENY:
                yield policy, statement


def _only(grants: Grants, kind: PolicyKind, level: Level) -> Grants:
    return _with(Grants(management_account=grants.management_account), kind, (level,))


def _with(grants: Grants, kind: PolicyKind, levels: tuple[Level, ...]) -> Grants:
    if kind is PolicyKind.SERVICE_CONTROL:
        return replace(grants, service_control=levels)
    return replace(grants, resource_control=levels)
