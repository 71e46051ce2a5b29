"""What must hold for any policies and requests, and that the compiled evaluator is the plain one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from org.policy.catalog import Catalog
from org.policy.decision import Verdict
from org.policy.model import Effect, Level, Policy, PolicyKind
from org.policy.request_keys import is_request_tag, passes_tags
from tests.policy.making import VALUES, Maker, full
from tests.policy.reference import judge
from tests.support.policies import ENGINE, decide

SEEDS = st.integers(0, 2**32 - 1)
ENGINE_CATALOG = Catalog()
CERTAIN = {Verdict.ALLOWED, Verdict.DENIED}


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_compiled_policies_are_judged_as_plain_ones_are(seed):
    for number in range(25):
        maker = Maker(seed + number)
        grants, asked = maker.grants(), maker.request()
        assert decide(grants, asked).verdict is judge(grants, asked), f"seed {seed + number}"


def test_the_cases_are_worth_their_time():
    counted = Counter(judge(maker.grants(), maker.request()) for maker in map(Maker, range(2_000)))
    assert min(counted[verdict] for verdict in Verdict) > 25, counted


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_one_more_deny_never_allows_more(seed):
    maker = Maker(seed)
    grants, asked = maker.grants(), maker.request()
    own = grants.identity or (full(PolicyKind.IDENTITY),)
    added = Policy("more", PolicyKind.IDENTITY, (maker.statement(effect=Effect.DENY),))
    grants = replace(grants, identity=own, session=grants.session or (full(PolicyKind.SESSION),))
    level = Level("more", (full(PolicyKind.SERVICE_CONTROL), added))
    order = [Verdict.DENIED, Verdict.UNKNOWN, Verdict.ALLOWED]
    before = decide(grants, asked).verdict
    for more in (
        replace(grants, identity=(*own, added)),
        replace(grants, session=(*grants.session, added)),
        replace(grants, service_control=(*grants.service_control, level)),
    ):
        after = decide(more, asked).verdict
        if Verdict.NOT_EVALUATED in {before, after}:
            assert after is before or after is Verdict.DENIED
        else:
            assert order.index(after) <= order.index(before)


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_order_does_not_matter(seed):
    maker = Maker(seed)
    grants, asked = maker.grants(), maker.request()

    def shuffled(items):
        items = list(items)
        maker.random.shuffle(items)
        return tuple(items)

    def turned(policies):
        return shuffled(replace(policy, statements=shuffled(policy.statements)) for policy in policies)

    other = replace(
        grants,
        identity=None if grants.identity is None else turned(grants.identity),
        session=turned(grants.session),
        service_control=shuffled(replace(each, policies=turned(each.policies)) for each in grants.service_control),
        resource_control=shuffled(replace(each, policies=turned(each.policies)) for each in grants.resource_control),
    )
    one, two = decide(grants, asked), decide(other, asked)
    assert one.verdict is two.verdict
    if one.verdict is not Verdict.ALLOWED:  # of several that allow, the first is named
        assert set(one.deciding) == set(two.deciding)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_a_certain_verdict_holds_whatever_the_missing_keys_are(seed):
    maker = Maker(seed)
    grants, asked = maker.grants(), maker.request(complete=False)
    known = decide(grants, asked).verdict
    if known not in CERTAIN:
        return
    choices = {key.lower(): (None, *values) for key, values in VALUES.items() if key.lower() not in asked.context}
    if "ec2:owner" in choices and not asked.action.lower().startswith("ec2:"):
        choices["ec2:owner"] = (None,)
    entry = ENGINE_CATALOG.find_action(asked.action)
    if entry is not None and not passes_tags(entry):
        choices = {key: (None,) if is_request_tag(key) else values for key, values in choices.items()}
    if "aws:principalarn" in choices:
        choices["aws:principalarn"] = (None, asked.principal.arn)
    authorizer = ENGINE.authorizer(grants)
    for values in list(product(*choices.values()))[:200]:
        context = {**asked.context, **dict(zip(choices, values, strict=True))}
        assert authorizer.verdict(replace(asked, context=context, complete=True)) is known


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(0, 12))
def test_a_certain_verdict_holds_whatever_the_unknown_part_of_the_resource_is(seed, cut):
    maker = Maker(seed)
    grants, asked = maker.grants(), maker.request(complete=False)
    asked = replace(asked, context={**dict.fromkeys(map(str.lower, VALUES)), **asked.context})
    whole = asked.resource
    if whole == "*":
        return
    cut = max(len(whole) - cut, whole.rindex(":") + 1)
    known = decide(grants, replace(asked, resource=whole[:cut] + "*")).verdict
    authorizer = ENGINE.authorizer(grants)
    for ending in ("", whole[cut:], "x", "age/ami-1", "a", "ports/a", "1"):
        full_verdict = authorizer.verdict(replace(asked, resource=whole[:cut] + ending))
        assert known not in CERTAIN or full_verdict is known


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_what_is_unknown_is_named_and_what_is_certain_is_not(seed):
    maker = Maker(seed)
    grants, asked = maker.grants(), maker.request()
    decision = decide(grants, asked)
    assert bool(decision.unknown) is (decision.verdict is Verdict.UNKNOWN)
    assert decision.verdict is not Verdict.DENIED or decision.deciding
