"""A second evaluator, as plain as can be: it walks the policies for each request and compiles nothing.

For resources without wildcards and principals that are known; written from AWS's pages, not from `org.policy`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re

from org.policy.authorize import Grants
from org.policy.catalog import Catalog
from org.policy.decision import Verdict
from org.policy.model import Condition, Effect, Policy, PolicyKind, Quantifier, Statement
from org.policy.request import PrincipalKind, Request
from org.policy.request_keys import is_request_tag, passes_tags

CATALOG = Catalog()
YES, MAYBE, NO = 1.0, 0.5, 0.0
"""As probabilities: `min` is and, `max` is or, `1 - x` is not."""
OWN = {PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.ROOT}


def glob(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and glob(pattern[1:], text[1:])


def _is_tag_that_cannot_be(action: str, key: str) -> bool:
    entry = CATALOG.find_action(action)
    return entry is not None and is_request_tag(key) and not passes_tags(entry)


def _may_be_there(key: str, request: Request) -> bool:
    if key in request.context or request.complete:
        return False
    service = request.action.split(":")[0].lower()
    return not CATALOG.is_foreign(service, key) and not _is_tag_that_cannot_be(request.action, key)


def _with_variables(test, text: str, request: Request) -> float:
    """Apply the test to the text with its variables filled in; one without a value equals nothing."""
    for variable in re.finditer(r"\$\{([^},]+)(?:, '([^']*)')?\}", text):
        key = variable[1].lower()
        if _may_be_there(key, request):
            return MAYBE
        value = request.context.get(key)
        if isinstance(value, tuple):
            value = value[0] if len(value) == 1 else None
        value = variable[2] if value is None else value
        if value is None:
            return NO
        text = text.replace(variable[0], value)
    return YES if test(text) else NO


def condition_holds(condition: Condition, request: Request) -> float:
    key, operator = condition.key.lower(), condition.operator
    if _may_be_there(key, request):
        return MAYBE
    value = request.context.get(key)
    values = [value] if isinstance(value, str) else list(value or ())
    if operator == "Null" and isinstance(value, tuple):
        values = [each for each in values if each]
    if operator == "Null":
        return YES if ("true" if not values else "false") in condition.values else NO
    if condition.quantifier is not Quantifier.NONE:
        values = [each for each in values if each]
    negated = "Not" in operator
    if not values:
        if condition.if_exists or condition.quantifier is Quantifier.FOR_ALL:
            return YES
        return YES if negated and condition.quantifier is Quantifier.NONE else NO
    hits = [
        max(
            _with_variables(lambda filled, e=each: same(operator, filled, e), want, request)
            for want in condition.values
        )
        for each in values
    ]
    if condition.quantifier is Quantifier.NONE:
        return 1 - max(hits) if negated else max(hits)
    hits = [1 - hit if negated else hit for hit in hits]
    return min(hits) if condition.quantifier is Quantifier.FOR_ALL else max(hits)


def same(operator: str, want: str, value: str) -> bool:
    match operator.replace("Not", ""):
        case "StringEquals":
            return want == value
        case "StringEqualsIgnoreCase":
            return want.lower() == value.lower()
        case "StringLike":
            return glob(want, value)
        case "ArnLike" | "ArnEquals":
            pairs = list(zip(want.split(":", 5), value.split(":", 5), strict=False))
            return len(pairs) == 6 and all(glob(one, other) for one, other in pairs)
        case "Bool":
            return want.lower() == value.lower()
        case "NumericLessThan":
            return float(value) < float(want)
        case "NumericEquals":
            return float(value) == float(want)
    raise AssertionError(operator)


def ways(statement: Statement, request: Request, *, bounded: bool) -> tuple[bool, bool, bool]:
    """Whether the principal is meant directly, as a role, by its account."""
    named, principal = statement.principals, request.principal
    if named is None:
        return True, False, False
    everyone = named.everyone
    account = f"arn:aws:iam::{principal.account}:root" in named.aws or principal.account in named.aws
    own, session = principal.arn in named.aws, principal.session_arn in named.aws
    match principal.kind:
        case PrincipalKind.SERVICE:
            found = (everyone or principal.arn in named.service, False, False)
        case PrincipalKind.ROOT:
            found = (everyone or account, False, False)
        case PrincipalKind.USER:
            found = (everyone or own, False, account)
        case PrincipalKind.ROLE:
            found = (everyone or session, own, account)
        case _:
            found = (everyone, False, False)
    if not statement.not_principals:
        return found
    if statement.effect is Effect.ALLOW or principal.kind not in OWN or everyone:
        return not any(found), False, False
    if principal.kind is PrincipalKind.ROOT:
        return not account, False, False
    needed = {PrincipalKind.USER: (own, account), PrincipalKind.ROLE: (session, own, account)}[principal.kind]
    return bounded or not all(needed), False, False


def applies(statement: Statement, request: Request) -> float:
    """Action, resource and conditions; the principal is looked at apart."""
    action = any(glob(pattern.lower(), request.action.lower()) for pattern in statement.actions)
    if action is statement.not_actions:
        return NO
    found = [
        _with_variables(lambda filled: glob(filled, request.resource), each, request) for each in statement.resources
    ]
    resource = max(found, default=YES)
    resource = 1 - resource if statement.not_resources else resource
    return min([resource, *(condition_holds(each, request) for each in statement.conditions)])


def allowed_by(policies: tuple[Policy, ...], request: Request) -> float:
    allows = (s for policy in policies for s in policy.statements if s.effect is Effect.ALLOW)
    return max((applies(s, request) for s in allows if any(ways(s, request, bounded=False))), default=NO)


def judge(grants: Grants, request: Request) -> Verdict:
    who, kind = request.principal, request.principal.kind
    own, bounded = kind in OWN, bool(grants.boundary)
    linked = kind is PrincipalKind.ROLE and ":role/aws-service-role/" in who.arn
    owner = request.resource_account or who.account
    management = grants.management_account
    scps = grants.service_control if own and not linked and not (management and who.account == management) else ()
    reached = CATALOG.supports_resource_control(request.action) and not linked
    rcps = grants.resource_control if reached and not (management and owner == management) else ()
    personal = kind in {PrincipalKind.ROLE, PrincipalKind.USER}
    identity = grants.identity if personal else None
    boundary, session = grants.boundary if personal else (), grants.session if own else ()
    groups = [*(level.policies for level in (*rcps, *scps)), identity or (), boundary, session]
    groups += [(each,) for each in (grants.resource, grants.endpoint) if each]
    denies = [s for group in groups for policy in group for s in policy.statements if s.effect is Effect.DENY]
    denied = max((applies(s, request) for s in denies if any(ways(s, request, bounded=bounded))), default=NO)
    if CATALOG.find_action(request.action) is None:
        return Verdict.DENIED if denied == YES else Verdict.NOT_EVALUATED
    permitted = [allowed_by(level.policies, request) for level in scps]
    if grants.endpoint:
        permitted.append(allowed_by((grants.endpoint,), request))
    permitted.append(access(grants, request, identity, boundary, session))
    result = min(1 - denied, *permitted)
    return {YES: Verdict.ALLOWED, MAYBE: Verdict.UNKNOWN, NO: Verdict.DENIED}[result]


def access(grants, request, identity, boundary, session) -> float:
    kind, policy = request.principal.kind, grants.resource
    cross = kind in OWN and request.resource_account not in {"", request.principal.account}
    by_identity = YES if identity is None else allowed_by(identity, request)
    limits = min(allowed_by(boundary, request) if boundary else YES, allowed_by(session, request) if session else YES)
    direct = role = account = NO
    for statement in policy.statements if policy else ():
        if statement.effect is Effect.ALLOW:
            how, value = ways(statement, request, bounded=False), applies(statement, request)
            direct, role, account = (max(a, min(w, value)) for a, w in zip((direct, role, account), how, strict=True))
    by_resource = max(direct, role, account)
    if policy is None and grants.identity is None:
        by_resource = YES
    required = policy is not None and policy.kind is not PolicyKind.RESOURCE
    if kind is PrincipalKind.ROOT and policy is not None and policy.kind is PolicyKind.TRUST:
        return NO
    if kind not in OWN or cross:
        return min(by_resource, by_identity, limits)
    if kind is PrincipalKind.ROOT:
        return min(limits, by_resource if required else YES)
    if required:
        return max(direct, min(limits, max(role, min(account, by_identity))))
    return max(direct, min(limits, max(role, by_identity)))
