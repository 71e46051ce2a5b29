"""Policies back to JSON: nothing is lost, nothing is said twice, and no decision changes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org.policy.authorize import Engine, Grants
from org.policy.context import make_context, principal_of
from org.policy.decision import Decision
from org.policy.grammar import GRAMMARS, Presence
from org.policy.model import Condition, Effect, Level, Policy, PolicyKind, Principals, Quantifier, Statement
from org.policy.parse import parse_policy, policy_of
from org.policy.render import document_of, means_the_same, minify, normalise
from org.policy.request import Request

ENGINE = Engine()
ROLE, USER = "arn:aws:iam::111122223333:role/web", "arn:aws:iam::111122223333:user/ada"
OTHER = "arn:aws:iam::444455556666:role/guest"
BUCKETS = ("arn:aws:s3:::one", "arn:aws:s3:::one/a", "arn:aws:s3:::two/a", "arn:aws:s3:::ada/a", "arn:aws:s3:::one/*")
ACTIONS = ("*", "s3:*", "S3:get*", "s3:GetObject", "s3:getobject", "s3:*Object", "s3:???Object", "s3:ListBucket")
RESOURCES = (
    "*", "arn:aws:s3:::*", "arn:aws:s3:::one*", "arn:aws:s3:::one/?", "arn:aws:s3:::${aws:username}/*",
    "arn:aws:*:::*/a", "arn:aws:s3:::?*", "arn:aws:s3:::${*}", *BUCKETS,
)  # fmt: skip
TEXTS = ("red", "r*", "*d", "?ed", "*", "${aws:username}", "ada", "${*}", "Red", "")
STRINGS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
ARNS = (ROLE, USER, OTHER, "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:*", "*", "arn:*:role/web")


def lists(texts: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), min_size=1, max_size=4).map(tuple)


QUANTIFIERS = st.sampled_from(list(Quantifier))
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(STRINGS),
        st.sampled_from(["aws:PrincipalTag/team", "aws:TagKeys", "s3:prefix"]),
        lists(TEXTS),
        QUANTIFIERS,
        st.booleans(),
    ),
    st.builds(
        Condition,
        st.sampled_from(["ArnLike", "ArnNotLike", "StringNotLike", "ArnEquals"]),
        st.sampled_from(["aws:PrincipalArn", "aws:principalarn"]),
        lists(ARNS),
        st.just(Quantifier.NONE),
        st.booleans(),
    ),
    st.builds(
        Condition,
        st.sampled_from(["NumericLessThan", "NumericNotEquals"]),
        st.just("s3:max-keys"),
        lists(("1", "10", "1.0")),
    ),
    st.builds(Condition, st.just("Null"), st.sampled_from(["aws:TagKeys", "s3:prefix"]), lists(("true", "false"))),
)
"""Values of `Null` may contradict each other, too."""


def operator_and_key(condition: Condition) -> tuple[object, ...]:
    return condition.operator, condition.quantifier, condition.if_exists, condition.key.lower()


@st.composite
def statements(draw: st.DrawFn, kind: PolicyKind) -> Statement:
    named = GRAMMARS[kind].principal is Presence.NEEDED
    is_rcp = kind is PolicyKind.RESOURCE_CONTROL
    principals = None
    if named:
        aws = tuple(draw(st.lists(st.sampled_from((ROLE, USER, "111122223333", OTHER)), max_size=3)))
        principals = Principals(everyone=not aws or draw(st.booleans()), aws=aws, service=("s3.amazonaws.com",) * 2)
    has_resources = GRAMMARS[kind].resource is not Presence.REFUSED
    return Statement(
        Effect.DENY if is_rcp else draw(st.sampled_from(list(Effect))),
        draw(lists(ACTIONS[1:] if is_rcp else ACTIONS)),
        not_actions=not is_rcp and draw(st.booleans()),
        resources=draw(lists(RESOURCES)) if has_resources else (),
        not_resources=has_resources and draw(st.booleans()),
        principals=Principals(everyone=True) if is_rcp else principals,
        not_principals=named and not is_rcp and draw(st.booleans()),
        conditions=tuple(draw(st.lists(CONDITIONS, max_size=3, unique_by=operator_and_key))),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    kind = draw(st.sampled_from(list(PolicyKind)))
    drawn = draw(st.lists(statements(kind), min_size=1, max_size=3))
    named = tuple(
        replace(each, index=index, sid=draw(st.sampled_from(["", f"S{index}"]))) for index, each in enumerate(drawn)
    )
    old = not GRAMMARS[kind].needs_version and draw(st.booleans())
    return Policy("p", kind, named, version="2008-10-17" if old else "2012-10-17")


@st.composite
def requests(draw: st.DrawFn) -> Request:
    principal = principal_of(draw(st.sampled_from((ROLE, USER, OTHER))))
    action, resource = draw(st.sampled_from([("s3:GetObject", BUCKETS), ("s3:ListBucket", BUCKETS[:1])]))
    resource = draw(st.sampled_from(resource))
    more = {
        key: draw(value)
        for key, value in {
            "aws:principaltag/team": st.sampled_from(["red", "ada", ""]),
            "aws:tagkeys": st.lists(st.sampled_from(["red", "Red", "blue"]), max_size=2).map(tuple),
            "s3:prefix": st.sampled_from(["red", "*", None]),
            "s3:max-keys": st.sampled_from(["1", "7"]),
        }.items()
        if draw(st.booleans())
    }
    context = make_context(principal, action, resource, resource_account="111122223333", more=more)
    return Request(principal, action, resource, "111122223333", context, complete=draw(st.booleans()))


def decide(policy: Policy, request: Request) -> Decision:
    everything = Policy("all", policy.kind, (Statement(Effect.ALLOW, ("*",), resources=("*",)),))
    levels = Level("Root", (policy,)), Level("account A", (everything,))
    match policy.kind:
        case PolicyKind.IDENTITY:
            grants = Grants(identity=(policy,))
        case PolicyKind.BOUNDARY:
            grants = Grants(boundary=(policy,))
        case PolicyKind.SESSION:
            grants = Grants(session=(policy,))
        case PolicyKind.ENDPOINT:
            grants = Grants(endpoint=policy)
        case PolicyKind.SERVICE_CONTROL:
            grants = Grants(service_control=levels)
        case PolicyKind.RESOURCE_CONTROL:
            grants = Grants(resource_control=(Level("Root", (policy, everything)), levels[1]))
        case _:
            grants = Grants(identity=(), resource=policy)
    return ENGINE.authorizer(grants).decide(request)


def reread(text: str, policy: Policy) -> Policy:
    return parse_policy(text, policy.kind, policy.name)


@settings(max_examples=200, deadline=None)
@given(policies(), st.lists(requests(), min_size=1, max_size=4))
def test_neither_normalising_nor_minifying_changes_a_decision(policy: Policy, asked: list[Request]) -> None:
    normal, short = normalise(policy), reread(minify(policy), policy)
    for request in asked:
        decision = decide(policy, request)
        assert decide(normal, request) == decision
        assert decide(short, request) == decision


@settings(max_examples=200, deadline=None)
@given(policies())
def test_what_is_rendered_is_read_back(policy: Policy) -> None:
    normal = normalise(policy)
    assert policy_of(document_of(normal), policy.kind, "p") == normal
    assert reread(minify(policy), policy) == normal
    assert normalise(normal) == normal
    assert normalise(reread(json.dumps(document_of(policy)), policy)) == normal


@settings(max_examples=200, deadline=None)
@given(policies())
def test_the_order_of_lists_does_not_matter_to_the_shortest_text(policy: Policy) -> None:
    turned = tuple(
        replace(
            each,
            actions=each.actions[::-1],
            resources=each.resources[::-1],
            conditions=tuple(replace(one, values=one.values[::-1]) for one in each.conditions[::-1]),
        )
        for each in policy.statements
    )
    assert minify(replace(policy, statements=turned)) == minify(policy)


@settings(max_examples=300, deadline=None)
@given(policies(), st.data())
def test_policies_that_mean_the_same_are_decided_alike(policy: Policy, data: st.DataObject) -> None:
    """The other is the policy with a list or the statements turned round, or with one change that may matter."""
    statements = list(policy.statements)
    at = data.draw(st.integers(0, len(statements) - 1))
    chosen = statements[at]
    what = data.draw(st.sampled_from(["actions", "resources", "statements", "values", "sid", "not_actions", "fewer"]))
    match what:
        case "actions" | "resources":
            drawn = data.draw(st.lists(st.sampled_from(getattr(chosen, what) or ("*",)), min_size=1).map(tuple))
            statements[at] = replace(chosen, **{what: drawn if getattr(chosen, what) else ()})
        case "statements":
            statements.reverse()
        case "values":
            turned = tuple(replace(one, values=one.values[:1]) for one in chosen.conditions)
            statements[at] = replace(chosen, conditions=turned)
        case "sid":
            statements[at] = replace(chosen, sid=f"{chosen.sid}x")
        case "not_actions" if not GRAMMARS[policy.kind].only_everyone:
            statements[at] = replace(chosen, not_actions=not chosen.not_actions)
        case "fewer" if len(statements) > 1:
            del statements[at]
    other = replace(policy, statements=tuple(replace(each, index=i) for i, each in enumerate(statements)))
    one_text, other_text = (json.dumps(document_of(each)) for each in (policy, other))
    alike = means_the_same(one_text, other_text, policy.kind)
    if what == "statements":
        assert alike
    if what == "sid":
        assert not alike
    if alike:
        for request in data.draw(st.lists(requests(), min_size=1, max_size=4)):
            assert decide(policy, request).verdict == decide(other, request).verdict


def test_the_shortest_text_says_nothing_twice_and_keeps_sids() -> None:
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "x",
            "Statement": [
                {
                    "Sid": "Keep",
                    "Effect": "Deny",
                    "Action": ["s3:PutObject", "s3:getobject", "s3:GetObject", "s3:Get*"],
                    "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b/a", "arn:aws:s3:::c"],
                    "Condition": {
                        "StringNotLike": {"aws:PrincipalTag/x": ["a*", "ab*", "${aws:username}"]},
                        "Bool": {"aws:SecureTransport": [False]},
                    },
                }
            ],
        }
    )
    assert minify(parse_policy(text, PolicyKind.SERVICE_CONTROL, "p")) == (
        '{"Version":"2012-10-17","Statement":{"Sid":"Keep","Effect":"Deny","Action":["s3:Get*","s3:PutObject"],'
        '"Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c"],"Condition":{"Bool":{"aws:SecureTransport":"false"},'
        '"StringNotLike":{"aws:PrincipalTag/x":["${aws:username}","a*"]}}}}'
    )


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        ("StringLike", ("${*}", "${aws:username}")),
        ("StringLike", ("?*", "${aws:username}")),
        ("StringLike", ("${aws:username}*", "${aws:userid}*")),
        ("ArnLike", ("arn:*:iam::1:role/a", "arn:aws:s3:::iam::1:role/a")),
    ],
)
def test_what_only_looks_covered_stays(operator: str, values: tuple[str, ...]) -> None:
    """A variable may become any text, `${*}` is no wildcard, ARNs count in their case and are compared part by part."""
    resources = ("arn:aws:s3:::?*", "arn:aws:s3:::${aws:username}", "arn:aws:S3:::a")
    named = Principals(aws=(ROLE, USER, OTHER, "111122223333"))
    conditions = (Condition(operator, "aws:PrincipalTag/team", values),)
    statement = Statement(Effect.DENY, ("s3:*",), resources=resources, principals=named, conditions=conditions)
    (normal,) = normalise(Policy("p", PolicyKind.RESOURCE, (statement,))).statements
    assert set(normal.conditions[0].values) == set(values)
    assert set(normal.resources) == set(resources)
    assert normal.principals is not None
    assert set(normal.principals.aws) == set(named.aws)


def test_everyone_is_a_star_and_an_old_version_stays_unsaid() -> None:
    text = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": ["*", "111122223333"]}, "Action": "s3:*"}}'
    policy = parse_policy(text, PolicyKind.RESOURCE, "p")
    assert minify(policy) == '{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*"}}'


def test_everyone_in_a_trust_policy_stays_as_iam_takes_it() -> None:
    """https://github.com/aws/aws-cdk/issues/5732"""
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}'
    assert minify(parse_policy(text, PolicyKind.TRUST, "p")) == text


def test_one_key_twice_under_one_operator_is_beyond_json() -> None:
    conditions = (Condition("Bool", "aws:x", ("true",)), Condition("Bool", "aws:X", ("false",)))
    statement = Statement(Effect.DENY, ("*",), sid="S", resources=("*",), conditions=conditions)
    with pytest.raises(ValueError, match="S: aws:X stands twice under Bool"):
        document_of(Policy("p", PolicyKind.IDENTITY, (statement,)))
