"""What has to be asked about an action in a situation: the Denies, and the stages each of which must allow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from org.policy.compile import CompiledPolicy, CompiledStatement, with_naming
from org.policy.conditions import Context
from org.policy.decision import Deciding, Decision, Verdict
from org.policy.model import Effect, Level, Policy, PolicyKind, Statement
from org.policy.patterns import TRUE, UNKNOWN
from org.policy.request import Principal, PrincipalKind
from org.policy.resources import Check

if TYPE_CHECKING:
    from org.policy.authorize import Engine, Grants

ANYBODY = frozenset({PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.ROOT})
"""Principals that belong to an account."""
FULL_RESOURCE_ACCESS = "RCPFullAWSAccess"
_FULL_ARN = "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess"

Asked = tuple[str, bool, Context, bool, Principal]
"""The resource, whether it holds wildcards, the context, whether that is complete, and the principal."""


class Situation(NamedTuple):
    """What of the principal and the resource decides which policies are asked."""

    kind: PrincipalKind
    cross: bool
    """The resource is another account's."""
    managing: bool
    linked: bool
    managed_resource: bool
    federated: bool
    """A federated user, whose session policy is needed."""


class ActionFacts(NamedTuple):
    """What of an action, besides the statements that mean it, decides how it is evaluated."""

    action: str
    known: bool
    without_resource: bool
    controlled: bool
    """Resource control policies reach it."""
    free: bool
    """It needs no permission."""


class Placed:
    """A statement where it stands; `check` is all of it."""

    __slots__ = ("check", "deciding", "statement")

    def __init__(self, statement: CompiledStatement, level: str = "") -> None:
        self.statement = statement
        self.deciding = statement.deciding(level)
        self.check: Check = statement.check
        if statement.naming is not None:
            self.check = with_naming(statement.check, statement.naming)


Weighed = tuple[int, tuple[Placed, ...], list[Deciding]]
"""The value, the statements that it comes from, and for a false one what is missing."""


class Stage:
    """Policies one of which must allow."""

    def __init__(self, allows: tuple[Placed, ...], missing: Deciding) -> None:
        self.allows = allows
        self.missing = missing
        self.certain = next((placed for placed in allows if placed.statement.is_certain), None)

    def value(self, asked: Asked) -> int:
        return self.weigh(asked)[0]

    def weigh(self, asked: Asked) -> Weighed:
        doubted: list[Placed] = []
        if self.certain is not None:
            return TRUE, (self.certain,), []
        for placed in self.allows:
            found = placed.check(*asked)
            if found == TRUE:
                return TRUE, (placed,), []
            if found == UNKNOWN:
                doubted.append(placed)
        return (UNKNOWN if doubted else 0), tuple(doubted), [self.missing]


@dataclass(frozen=True, slots=True)
class RequestPlan:
    known: bool
    """Whether the catalog has the action."""
    without_resource: bool
    """Whether the action takes no resource, so that `*` is what is asked for and not something unknown."""
    denies: tuple[Placed, ...]
    stages: tuple[Stage, ...]
    exempt: str
    always: Decision | None
    """The answer where no Deny holds, if it is the same for every request."""


def build_plan(engine: Engine, grants: Grants, about: ActionFacts, situation: Situation) -> RequestPlan:
    """Lay out the order of evaluation: RCPs, SCPs, the endpoint's, then resource, identity, boundary and session."""
    from org.policy.access import access_stages

    action = about.action
    if about.free:
        free = Decision(Verdict.ALLOWED, (), "needs no permission")
        return RequestPlan(True, True, (), (), free.exempt, free)
    bounded = bool(grants.boundary)
    denies: list[Placed] = []
    stages: list[Stage] = []

    def take(policies: tuple[CompiledPolicy, ...], level: str = "") -> tuple[Placed, ...]:
        found = [policy.matching(action) for policy in policies]
        denies.extend(Placed(statement, level) for each in found for statement in each.denies)
        return tuple(Placed(statement, level) for each in found for statement in each.allows)

    def compiled(*policies: Policy) -> tuple[CompiledPolicy, ...]:
        return tuple(engine.compiled(policy, bounded=bounded) for policy in policies)

    if not (situation.linked or situation.managed_resource) and about.controlled:
        for level in grants.resource_control:
            allows = (*take(compiled(*level.policies), level.name), _full_access(engine, level, action))
            stages.append(Stage(allows, Deciding(PolicyKind.RESOURCE_CONTROL, False, level=level.name)))
    if situation.kind in ANYBODY and not (situation.linked or situation.managing):
        for level in grants.service_control:
            allows = take(compiled(*level.policies), level.name)
            stages.append(Stage(allows, Deciding(PolicyKind.SERVICE_CONTROL, False, level=level.name)))
    if grants.endpoint is not None:
        allows = take(compiled(grants.endpoint))
        stages.append(Stage(allows, Deciding(PolicyKind.ENDPOINT, False)))
    resource = take(compiled(grants.resource)) if grants.resource is not None else None
    identity = boundary = session = None
    if situation.kind in {PrincipalKind.ROLE, PrincipalKind.USER}:
        identity = None if grants.identity is None else take(compiled(*grants.identity))
        boundary = take(compiled(*grants.boundary)) if grants.boundary else None
    needs_session = situation.federated and grants.identity is not None
    if situation.kind in ANYBODY and (grants.session or needs_session):
        session = take(compiled(*grants.session))
    stages += access_stages(grants, situation, resource, identity, boundary, session)
    exempt = _exemption(situation)
    return RequestPlan(
        known=about.known,
        without_resource=about.without_resource,
        denies=tuple(denies),
        stages=tuple(stages),
        exempt=exempt,
        always=_always(tuple(stages), exempt) if about.known else None,
    )


def _exemption(situation: Situation) -> str:
    """Say why organization policies do not reach the principal.

    Roles under `/aws-reserved/` are not beyond them: AWS names the management account and service-linked roles only,
    and tells to shut users of IAM Identity Center out of all member accounts by an SCP.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#not-restricted-by-scp
    https://docs.aws.amazon.com/singlesignon/latest/userguide/authconcept-revoke-access.html
    """
    if situation.managing:
        return "management account"
    return "service-linked role" if situation.linked else ""


def _always(stages: tuple[Stage, ...], exempt: str) -> Decision | None:
    certain = [stage.certain for stage in stages]
    found = tuple(placed.deciding for placed in certain if placed is not None)
    return Decision(Verdict.ALLOWED, found, exempt) if len(found) == len(stages) else None


def _full_access(engine: Engine, level: Level, action: str) -> Placed:
    """Answer the Allow that AWS attaches to every level and that cannot be detached.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    statement = Statement(Effect.ALLOW, ("*",), resources=("*",))
    policy = Policy(FULL_RESOURCE_ACCESS, PolicyKind.RESOURCE_CONTROL, (statement,), _FULL_ARN)
    return Placed(engine.compiled(policy).matching(action).allows[0], level.name)
