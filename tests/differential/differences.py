"""Where iam-simulate and we differ for a reason, with the AWS page that decides it; told in docs/policy-evaluation.md.

A difference counts as explained only where our evaluator, made to follow the other rule, answers as iam-simulate does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

from org.policy.authorize import Engine, Grants
from org.policy.catalog import Catalog
from org.policy.decision import Verdict
from org.policy.model import Condition, Level, Policy, PolicyKind, Principals, Quantifier, Statement
from org.policy.request import PrincipalKind, Request
from tests.differential.generate import Case

_STS = "https://docs.aws.amazon.com/STS/latest/APIReference/"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_ORGANIZATIONS = "https://docs.aws.amazon.com/organizations/latest/userguide/"
_NEVER = Condition("Null", "aws:SecureTransport", ("true",))
"""make_context always sets the key, so this never holds."""

Change = Callable[[Request, Grants], tuple[Request, Grants]]


@dataclass(frozen=True, slots=True)
class Difference:
    name: str
    page: str
    theirs: Change
    """The same case, such that our evaluator answers by iam-simulate's rule."""
    every_service: bool = False
    """Their rule, besides: resource control policies reach every service."""


class _EveryService(Catalog):
    def supports_resource_control(self, action: str) -> bool:
        return True


def _same(request: Request, grants: Grants) -> tuple[Request, Grants]:
    return request, grants


def _epoch_is_no_date(request: Request, grants: Grants) -> tuple[Request, Grants]:
    if "aws:epochtime" not in request.context:
        return request, grants
    return replace(request, context={**request.context, "aws:epochtime": "no date"}), grants


def _epoch_is_long_ago(request: Request, grants: Grants) -> tuple[Request, Grants]:
    if "aws:epochtime" not in request.context:
        return request, grants
    return replace(request, context={**request.context, "aws:epochtime": "1970-01-21T18:45:21Z"}), grants


def _naming_any_part_spares(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Let a Deny with NotPrincipal spare who is named by its role, session or account alone."""
    principal = request.principal
    own = {principal.arn, principal.session_arn, principal.account, f"arn:aws:iam::{principal.account}:root"}

    def change(statement: Statement) -> Statement:
        if statement.not_principals and statement.principals and own & set(statement.principals.aws):
            return replace(statement, conditions=(*statement.conditions, _NEVER))
        return statement

    if grants.resource is None:
        return request, grants
    statements = tuple(map(change, grants.resource.statements))
    return request, replace(grants, resource=replace(grants.resource, statements=statements))


def _set_operator_needed(request: Request, grants: Grants) -> tuple[Request, Grants]:
    several = {key for key, value in request.context.items() if isinstance(value, tuple)}

    def change(condition: Condition) -> Condition:
        plain = condition.quantifier is Quantifier.NONE and condition.operator != "Null"
        return _NEVER if plain and condition.key.lower() in several else condition

    return request, _each_condition(grants, change)


def _needs_value(request: Request, grants: Grants) -> tuple[Request, Grants]:
    def change(condition: Condition) -> Condition:
        missing = any(
            f"${{{key}}}" in value and request.context.get(key.lower()) is None
            for key in ("aws:username", "aws:PrincipalTag/team")
            for value in condition.values
        )
        return _NEVER if missing and request.context.get(condition.key.lower()) is not None else condition

    return request, _each_condition(grants, change)


def _session_is_bounded(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Let a resource policy that names the session grant only what boundary and session policy allow, too."""
    if not request.principal.session_arn or not grants.resource or not (grants.session or grants.boundary):
        return request, grants

    def change(statement: Statement) -> Statement:
        principals = statement.principals
        meant = principals and (principals.everyone or request.principal.session_arn in principals.aws)
        if meant and statement.effect.value == "Allow":
            return replace(statement, principals=Principals(aws=(request.principal.arn,)))
        return statement

    statements = tuple(map(change, grants.resource.statements))
    return request, replace(grants, resource=replace(grants.resource, statements=statements))


def _any_value_needs_one(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Let ForAnyValue fail without a value, IfExists or not."""

    def change(condition: Condition) -> Condition:
        none = request.context.get(condition.key.lower()) in {None, ()}
        return _NEVER if none and condition.quantifier is Quantifier.FOR_ANY else condition

    return request, _each_condition(grants, change)


def _some_value_will_do(request: Request, grants: Grants) -> tuple[Request, Grants]:
    def change(condition: Condition) -> Condition:
        all_values = condition.quantifier is Quantifier.FOR_ALL and condition.operator.endswith("IgnoreCase")
        return replace(condition, quantifier=Quantifier.FOR_ANY) if all_values else condition

    return request, _each_condition(grants, change)


def _families_do_not_meet(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Let NotIpAddress fail where the policy gives single addresses, and of the other family only."""
    given = request.context.get("aws:sourceip")

    def change(condition: Condition) -> Condition:
        other = isinstance(given, str) and all(
            "/" not in value and (":" in value) != (":" in given) for value in condition.values
        )
        return _NEVER if other and condition.operator == "NotIpAddress" else condition

    return request, _each_condition(grants, change)


def _no_value_may_match(request: Request, grants: Grants) -> tuple[Request, Grants]:
    def change(condition: Condition) -> Condition:
        negated = condition.quantifier is Quantifier.FOR_ANY and "Not" in condition.operator
        given = request.context.get(condition.key.lower())
        return replace(condition, quantifier=Quantifier.FOR_ALL) if negated and given else condition

    return request, _each_condition(grants, change)


def _short_arn_means_nothing(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Take `arn:aws:sqs:*` in a resource control policy for nothing."""

    def of_statement(statement: Statement) -> Statement:
        kept = tuple(each for each in statement.resources if each == "*" or each.count(":") > 4)
        return replace(statement, resources=kept or ("arn:aws:none:::none",))

    def of_policy(policy: Policy) -> Policy:
        return replace(policy, statements=tuple(map(of_statement, policy.statements)))

    levels = (replace(level, policies=tuple(map(of_policy, level.policies))) for level in grants.resource_control)
    return request, replace(grants, resource_control=tuple(levels))


def _root_users_assume_roles(request: Request, grants: Grants) -> tuple[Request, Grants]:
    """Let a role's trust policy work for the root user as a key's policy does."""
    trust = grants.resource
    if request.principal.kind is not PrincipalKind.ROOT or trust is None or trust.kind is not PolicyKind.TRUST:
        return request, grants
    return request, replace(grants, resource=replace(trust, kind=PolicyKind.KEY))


DIFFERENCES = (
    Difference("rcp-reach", _ORGANIZATIONS + "orgs_manage_policies_rcps.html", _same, every_service=True),
    Difference(
        "epoch-time", _IAM + "reference_policies_condition-keys.html#condition-keys-epochtime", _epoch_is_no_date
    ),
    Difference(
        "epoch-time", _IAM + "reference_policies_condition-keys.html#condition-keys-epochtime", _epoch_is_long_ago
    ),
    Difference("not-principal", _IAM + "reference_policies_elements_notprincipal.html", _naming_any_part_spares),
    Difference(
        "several-values-no-set-operator",
        _IAM + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        _set_operator_needed,
    ),
    Difference("variable-without-value", _IAM + "reference_policies_variables.html#policy-vars-no-value", _needs_value),
    Difference(
        "any-value-if-exists",
        _IAM + "reference_policies_elements_condition_operators.html#Conditions_IfExists",
        _any_value_needs_one,
    ),
    Difference(
        "all-values-ignoring-case",
        _IAM + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        _some_value_will_do,
    ),
    Difference(
        "any-value-negated",
        _IAM + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
        _no_value_may_match,
    ),
    Difference(
        "address-family",
        _IAM + "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        _families_do_not_meet,
    ),
    Difference("root-assumes-role", _STS + "API_AssumeRole.html", _root_users_assume_roles),
    Difference("short-arn", _IAM + "reference_policies_elements_resource.html", _short_arn_means_nothing),
    Difference(
        "named-session", _IAM + "reference_policies_evaluation-logic_policy-eval-denyallow.html", _session_is_bounded
    ),
)

AGREES = {"Allowed": Verdict.ALLOWED, "ExplicitlyDenied": Verdict.DENIED, "ImplicitlyDenied": Verdict.DENIED}


def explain(case: Case, theirs: str) -> str:
    """Answer the names of the fewest rules by which we come to their verdict; empty if none do."""
    for count in range(1, 4):
        for chosen in combinations(DIFFERENCES, count):
            request, grants = case.request, case.grants
            for difference in chosen:
                request, grants = difference.theirs(request, grants)
            catalog = _EVERY if any(difference.every_service for difference in chosen) else _AWS
            if Engine(catalog).authorizer(grants).decide(request).verdict is AGREES[theirs]:
                return " + ".join(difference.name for difference in chosen)
    return ""


_EVERY, _AWS = _EveryService(), Catalog()


def _each_condition(grants: Grants, change: Callable[[Condition], Condition]) -> Grants:
    def of_policy(policy: Policy) -> Policy:
        statements = (replace(s, conditions=tuple(map(change, s.conditions))) for s in policy.statements)
        return replace(policy, statements=tuple(statements))

    def of_all(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
        return tuple(map(of_policy, policies))

    def of_levels(levels: tuple[Level, ...]) -> tuple[Level, ...]:
        return tuple(replace(level, policies=of_all(level.policies)) for level in levels)

    return replace(
        grants,
        identity=of_all(grants.identity or ()),
        boundary=of_all(grants.boundary),
        session=of_all(grants.session),
        resource=of_policy(grants.resource) if grants.resource else None,
        endpoint=of_policy(grants.endpoint) if grants.endpoint else None,
        service_control=of_levels(grants.service_control),
        resource_control=of_levels(grants.resource_control),
    )
