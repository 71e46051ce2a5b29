"""Who has to grant: the identity's policies, the resource's, or both, and what limits the grant.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from org.policy.decision import Deciding
from org.policy.model import PolicyKind
from org.policy.patterns import FALSE, TRUE, UNKNOWN, both, either
from org.policy.plan import ANYBODY, Asked, Placed, Situation, Stage, Weighed
from org.policy.request import PrincipalKind

if TYPE_CHECKING:
    from org.policy.authorize import Grants

Placeds = tuple[Placed, ...]
_WAYS = ("direct", "role", "account")
_NO_IDENTITY = Deciding(PolicyKind.IDENTITY, False)


def access_stages(
    grants: Grants,
    situation: Situation,
    resource: Placeds | None,
    identity: Placeds | None,
    boundary: Placeds | None,
    session: Placeds | None,
) -> list[Stage]:
    """Answer the stages that stand for all grants to the principal; None is a kind of policy that is not there.

    A root user has no policies but the one of its task, if it is one by way of AssumeRoot, and assumes no role.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    kind = grants.resource.kind if grants.resource is not None else PolicyKind.RESOURCE
    required = kind is not PolicyKind.RESOURCE
    not_granted = Deciding(kind, False)
    limits = [
        Stage(allows, Deciding(name, False))
        for name, allows in ((PolicyKind.BOUNDARY, boundary), (PolicyKind.SESSION, session))
        if allows is not None
    ]
    assumed = grants.identity is None and resource is None
    if situation.kind not in ANYBODY:
        return [] if assumed else [Stage(resource or (), not_granted)]
    needs_resource = situation.cross or required
    if situation.kind is PrincipalKind.ROOT:
        if kind is PolicyKind.TRUST:
            return [Stage((), not_granted)]
        return limits + ([Stage(resource or (), not_granted)] if needs_resource and not assumed else [])
    own = [] if identity is None else [Stage(identity, _NO_IDENTITY)]
    if situation.cross:
        return own + limits + ([] if assumed else [Stage(resource or (), not_granted)])
    if resource is None:
        return own + limits
    return [_Shared(resource, own, limits, not_granted, required=required)]


class _Shared(Stage):
    """The grants of one account, where a resource's own policy takes part.

    Whoever the policy names directly needs nothing more, and no implicit deny of a boundary or session policy takes it
    away. A role that it names is held by those two. Naming the account leaves it to the identity's policies; and only a
    role's trust policy and a key's policy are needed beside these.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """

    def __init__(
        self, resource: Placeds, own: list[Stage], limits: list[Stage], missing: Deciding, *, required: bool
    ) -> None:
        super().__init__((), missing)
        self.resource = [(placed, placed.statement.naming, placed.statement.check) for placed in resource]
        self.own = own
        self.limits = limits
        self.required = required

    def weigh(self, asked: Asked) -> Weighed:
        named = dict.fromkeys(_WAYS, FALSE)
        by: dict[str, list[Placed]] = {way: [] for way in _WAYS}
        for placed, naming, check in self.resource:
            held = check(*asked)
            if not held:
                continue
            ways = naming(asked[4]) if naming else None
            for name in _WAYS:
                how = (TRUE if name == "direct" else FALSE) if ways is None else getattr(ways, name)
                value = both((how, held))
                if value:
                    by[name].append(placed)
                    named[name] = either((named[name], value))
        return self._combine(asked, named, by)

    def _combine(self, asked: Asked, named: dict[str, int], by: dict[str, list[Placed]]) -> Weighed:
        own = [stage.weigh(asked) for stage in self.own]
        limits = [stage.weigh(asked) for stage in self.limits]
        has_identity = both(value for value, _, _ in own)
        by_identity = both((has_identity, named["account"])) if self.required else has_identity
        limited = both((either((by_identity, named["role"])), *(value for value, _, _ in limits)))
        result = either((named["direct"], limited))
        if result == TRUE:
            return TRUE, self._granting(named, by, own, limits), []
        parts = [*own, *limits]
        if result == UNKNOWN:
            doubted = [p for value, placed, _ in parts if value == UNKNOWN for p in placed]
            doubted += [p for name in named if named[name] == UNKNOWN for p in by[name]]
            return UNKNOWN, tuple(dict.fromkeys(doubted)), []
        missing = [m for value, _, why in limits if value == FALSE for m in why]
        if by_identity == FALSE and named["role"] == FALSE:
            no_grant = self.required and named["account"] == FALSE
            missing = ([self.missing] if no_grant else [m for _, _, why in own for m in why]) + missing
        return FALSE, (), missing

    def _granting(
        self, named: dict[str, int], by: dict[str, list[Placed]], own: list[Weighed], limits: list[Weighed]
    ) -> tuple[Placed, ...]:
        if named["direct"] == TRUE:
            return (by["direct"][0],)
        held = [p for _, placed, _ in limits for p in placed]
        if named["role"] == TRUE:
            return (by["role"][0], *held)
        account = by["account"][:1] if self.required else []
        return (*account, *(p for _, placed, _ in own for p in placed), *held)
