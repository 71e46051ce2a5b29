"""The verdict on a request from all policies around it, as AWS documents the evaluation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from org.policy.catalog import Catalog
from org.policy.compile import MOST_ACTIONS, CompiledPolicy, Compiler
from org.policy.decision import Deciding, Decision, Verdict
from org.policy.model import Level, Policy
from org.policy.patterns import TRUE, UNKNOWN
from org.policy.plan import ANYBODY, ActionFacts, Asked, Placed, RequestPlan, Situation, build_plan
from org.policy.request import Principal, PrincipalKind, Request

MOST_POLICIES = 8_192
MOST_ROUTES = 8_192
MOST_PLANS = 4_096


@dataclass(frozen=True, slots=True)
class Grants:
    """All policies that stand around requests to one account."""

    identity: tuple[Policy, ...] | None = None
    """None: not known, and counts as allowing everything; so does then a missing `resource`."""
    boundary: tuple[Policy, ...] = ()
    """The permissions boundary: none or one."""
    session: tuple[Policy, ...] = ()
    resource: Policy | None = None
    """The resource's own: resource-based, role trust or KMS key policy. None: it has none; of a role or a key, which
    always have one, give it, else the identity's policies count alone."""
    endpoint: Policy | None = None
    service_control: tuple[Level, ...] = ()
    """Of the principal's account, the root first and the account last; EVERY level, also one without policies, which
    allows nothing. Empty: no SCPs are in force."""
    resource_control: tuple[Level, ...] = ()
    """Of the resource's account; the same shape. `RCPFullAWSAccess` is taken to be attached everywhere."""
    management_account: str = ""
    """Its principals are beyond SCPs, its resources beyond RCPs."""


class Engine:
    """Compiles policies, once for equal ones, and so is worth keeping."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or Catalog()
        self._compiler = Compiler(self.catalog)
        self._by_id: dict[tuple[int, bool], tuple[Policy, CompiledPolicy]] = {}
        self._by_value: dict[tuple[Policy, bool], CompiledPolicy] = {}

    def authorizer(self, grants: Grants) -> Authorizer:
        return Authorizer(self, grants)

    def compiled(self, policy: Policy, *, bounded: bool = False) -> CompiledPolicy:
        """Answer the one compiled form of all policies that equal this one."""
        same = self._by_id.get((id(policy), bounded))
        if same is not None:
            return same[1]
        if len(self._by_id) >= MOST_POLICIES:
            self._by_value.clear()
            self._by_id.clear()
        found = self._by_value.get((policy, bounded))
        if found is None:
            found = self._by_value[policy, bounded] = CompiledPolicy(policy, self._compiler, bounded=bounded)
        # The policy is kept with its id, which else might become another's.
        self._by_id[id(policy), bounded] = (policy, found)
        return found


class Authorizer:
    """Judges requests; what it works out for an action and a kind of principal it keeps, never a whole request.

    Actions that the same statements mean share one plan, so that thousands of actions take a handful.
    """

    def __init__(self, engine: Engine, grants: Grants) -> None:
        self.grants = grants
        self._engine = engine
        bounded = bool(grants.boundary)
        self._policies = tuple(engine.compiled(policy, bounded=bounded) for policy in _all_policies(grants))
        self._routes: dict[tuple[str, str, str], _Route] = {}
        self._plans: dict[Situation, dict[str, RequestPlan]] = {}
        self._distinct: dict[tuple[object, ...], RequestPlan] = {}

    def decide(self, request: Request) -> Decision:
        """Answer the verdict with all that decided it."""
        principal = request.principal
        route = self._routes.get((principal.arn, principal.account, request.resource_account))
        if route is None or route[0] is not principal.kind:
            route = self._find_route(principal, request.resource_account)
        plan = route[1].get(request.action) or self._find_plan(request.action, route)
        resource, context, complete = request.resource, request.context, request.complete
        wild = not complete and ("*" in resource or "?" in resource)
        if wild and plan.without_resource and resource == "*":
            wild = False
        hits = [
            (placed, found)
            for placed in plan.denies
            if (found := placed.check(resource, wild, context, complete, principal))
        ]
        if not hits and plan.always is not None:
            return plan.always
        return _settle(plan, (resource, wild, context, complete, principal), hits)

    def verdict(self, request: Request) -> Verdict:
        """Answer the verdict alone: the first certain Deny ends it."""
        principal = request.principal
        route = self._routes.get((principal.arn, principal.account, request.resource_account))
        if route is None or route[0] is not principal.kind:
            route = self._find_route(principal, request.resource_account)
        plan = route[1].get(request.action) or self._find_plan(request.action, route)
        resource, context, complete = request.resource, request.context, request.complete
        wild = not complete and ("*" in resource or "?" in resource)
        if wild and plan.without_resource and resource == "*":
            wild = False
        doubt = False
        for placed in plan.denies:
            found = placed.check(resource, wild, context, complete, principal)
            if found == TRUE:
                return Verdict.DENIED
            if found:
                doubt = True
        if plan.always is not None and not doubt:
            return plan.always.verdict
        if not plan.known:
            return Verdict.NOT_EVALUATED
        asked = (resource, wild, context, complete, principal)
        for stage in plan.stages:
            found = stage.value(asked)
            if not found:
                return Verdict.DENIED
            doubt = doubt or found == UNKNOWN
        return Verdict.UNKNOWN if doubt else Verdict.ALLOWED

    def _find_route(self, principal: Principal, resource_account: str) -> _Route:
        account, management = principal.account, self.grants.management_account
        own = principal.kind in ANYBODY
        situation = Situation(
            kind=principal.kind,
            cross=own and resource_account not in {"", account},
            managing=bool(management) and own and account == management,
            linked=principal.is_service_linked,
            managed_resource=bool(management) and (resource_account or account) == management,
            federated=principal.is_federated_user,
        )
        if len(self._routes) >= MOST_ROUTES:
            self._routes.clear()
        route = principal.kind, self._plans.setdefault(situation, {}), situation
        self._routes[principal.arn, account, resource_account] = route
        return route

    def _find_plan(self, written: str, route: _Route) -> RequestPlan:
        _, plans, situation = route
        action = written.lower()
        catalog = self._engine.catalog
        entry = catalog.find_action(action)
        about = ActionFacts(
            action,
            known=entry is not None,
            without_resource=entry is not None and not entry.resources,
            controlled=catalog.supports_resource_control(action),
            free=catalog.is_free(action),
        )
        key = (situation, *about[1:], *(policy.matching(action) for policy in self._policies))
        plan = self._distinct.get(key)
        if plan is None:
            if len(self._distinct) >= MOST_PLANS:
                self._distinct.clear()
            plan = self._distinct[key] = build_plan(self._engine, self.grants, about, situation)
        if len(plans) >= MOST_ACTIONS:
            plans.clear()
        plans[written] = plan
        return plan


_Route = tuple[PrincipalKind, dict[str, RequestPlan], Situation]
"""The kind of principal, its plans by action as written, and the situation that they are for."""


def _all_policies(grants: Grants) -> tuple[Policy, ...]:
    levels = (*grants.resource_control, *grants.service_control)
    own = tuple(policy for policy in (grants.resource, grants.endpoint) if policy is not None)
    attached = (policy for level in levels for policy in level.policies)
    return (*attached, *own, *(grants.identity or ()), *grants.boundary, *grants.session)


def _settle(plan: RequestPlan, asked: Asked, hits: list[tuple[Placed, int]]) -> Decision:
    """Gather what decides: the Denies, and each stage that does not allow, or may not."""
    denying = [placed.deciding for placed, found in hits if found == TRUE]
    if not plan.known:
        return Decision(Verdict.DENIED, tuple(denying)) if denying else Decision(Verdict.NOT_EVALUATED)
    doubts = [_doubted(placed, asked) for placed, found in hits if found == UNKNOWN]
    allowing: list[Deciding] = []
    for stage in plan.stages:
        found, placed, missing = stage.weigh(asked)
        if found == TRUE:
            allowing += [each.deciding for each in placed]
        elif found == UNKNOWN:
            doubts += [_doubted(each, asked) for each in placed]
        else:
            denying += missing
    if denying:
        return Decision(Verdict.DENIED, tuple(denying), plan.exempt)
    if doubts:
        return Decision(Verdict.UNKNOWN, tuple(doubts), plan.exempt)
    return Decision(Verdict.ALLOWED, tuple(allowing), plan.exempt)


def _doubted(placed: Placed, asked: Asked) -> Deciding:
    return replace(placed.deciding, unknown=tuple(sorted(set(placed.statement.unknown(*asked)))))
