"""Policies read: every fault with its place, and what one may write in several ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from org.policy.grammar import OPERATORS, STATEMENT_ELEMENTS, TOP_ELEMENTS, Family
from org.policy.model import Condition, Effect, Policy, PolicyKind, Principals, Quantifier, Statement
from org.policy.operators import OPERATORS as OPERATORS_THAT_COMPARE
from org.policy.parse import compose_policy, parse_policy, policy_of, read_policy
from org.policy.parse_values import find_value_fault
from org.source.findings import Finding, SourceErrors

MARK = "▸"
SCP = PolicyKind.SERVICE_CONTROL
IDENTITY, RESOURCE, TRUST, KEY = PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.KEY


def policy(statement: str, top: str = '"Version": "2012-10-17", ') -> str:
    return f'{{{top}"Statement": {statement}}}'


def allow(more: str = "", action: str = '"Action": "s3:*"', resource: str = '"Resource": "*"') -> str:
    return policy("{" + ", ".join(each for each in ('"Effect": "Allow"', action, resource, more) if each) + "}")


def refused(kind: PolicyKind, text: str, *messages: str) -> None:
    """Check that reading says exactly these messages, each at its mark, in their order."""
    places = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split(MARK)
        places += [f"p.json:{number}:{len(''.join(parts[:count])) + 1}" for count in range(1, len(parts))]
    with pytest.raises(SourceErrors) as caught:
        parse_policy(text.replace(MARK, ""), kind, "p", file="p.json")
    expected = [f"{place}: {message}" for place, message in zip(places, messages, strict=True)]
    assert str(caught.value).splitlines() == expected


def read(kind: PolicyKind, text: str) -> Policy:
    return parse_policy(text, kind, "p")


FAULTS: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "data/grammar_faults.yaml").read_text("utf-8"))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['kind']}: {fault['says']}")
def test_what_the_grammar_refuses_is_told_at_its_place(fault: dict[str, str]) -> None:
    refused(PolicyKind(fault["kind"]), fault["text"], fault["says"])


def test_what_is_not_json_is_refused_where_it_stops_being_json() -> None:
    message = "the file is not JSON: expecting value; correct the line or the one before it"
    refused(SCP, '{"Version": "2012-10-17",\n "Statement": [▸}', message)


def test_all_faults_are_told_at_once_and_without_a_file_by_the_policys_name() -> None:
    with pytest.raises(SourceErrors) as caught:
        parse_policy('{"Version": "2012-10-17", "Statement": [{"Effect": "No"}, {"Effect": "Deny"}]}', SCP, "Mine")
    assert [str(each.place) for each in caught.value.findings] == ["Mine:1:41", "Mine:1:52", "Mine:1:59"]


def test_a_sid_stands_once() -> None:
    statement = '{"Sid": %s"A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}'
    text = policy(f"[{statement % ''},\n {statement % MARK}]")
    refused(IDENTITY, text, "the Sid 'A' is already at p.json:1:49; rename one of the two")


@pytest.mark.parametrize("kind", [RESOURCE, KEY, PolicyKind.ENDPOINT])
def test_sids_of_resources_hold_words(kind: PolicyKind) -> None:
    assert read(kind, allow('"Principal": "*", "Sid": "Let them in."')).statements[0].sid == "Let them in."


def test_one_statement_one_text_and_bare_values_are_read_as_lists_of_text() -> None:
    condition = '"Condition": {"ForAnyValue:StringNotLikeIfExists": {"aws:TagKeys": ["a", 1, 1.50, true, false]}}'
    text = allow(f'{condition}, "Sid": "One"').replace('"Version": "2012-10-17", ', "")
    assert read(IDENTITY, text) == Policy(
        "p",
        IDENTITY,
        (
            Statement(
                Effect.ALLOW,
                ("s3:*",),
                sid="One",
                resources=("*",),
                conditions=(
                    Condition(
                        "StringNotLike",
                        "aws:TagKeys",
                        ("a", "1", "1.50", "true", "false"),
                        Quantifier.FOR_ANY,
                        if_exists=True,
                    ),
                ),
            ),
        ),
        version="2008-10-17",
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ('"*"', Principals(everyone=True)),
        ('{"AWS": "*"}', Principals(everyone=True)),
        ('{"AWS": ["*", "111122223333"]}', Principals(everyone=True, aws=("111122223333",))),
        ('{"AWS": "AROAEXAMPLEEXAMPLE12"}', Principals(aws=("AROAEXAMPLEEXAMPLE12",))),
        ('{"Service": "a.b.c", "CanonicalUser": "79a5"}', Principals(service=("a.b.c",), canonical=("79a5",))),
        ('{"Federated": ["www.amazon.com"]}', Principals(federated=("www.amazon.com",))),
    ],
)
def test_principals_are_read_in_every_form(written: str, read_as: Principals) -> None:
    assert read(RESOURCE, allow(f'"Principal": {written}')).statements[0].principals == read_as


def test_a_resource_policy_may_lack_resources_and_a_trust_policy_has_none() -> None:
    assert read(RESOURCE, allow('"Principal": "*"', resource="")).statements[0].resources == ()
    assert read(TRUST, allow('"Principal": "*"', resource="")).statements[0].resources == ()


@pytest.mark.parametrize(
    "resource",
    [
        "*", "arn:aws:s3:::b/*", "arn:*", "arn:aws:iam::*", "arn:${PARTITION}:s3:::${NAME}", "${ARN}", "*:role/x",
        "arn:aws:iam::${orgctl:account-id:Shop}:role/x", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}",
        "arn:aws-us-gov:s3:::b", "arn:aws-iso-b:s3:::b", "arn:*:s3:::b", "arn:aws:logs:*:*:log-group:a:*",
    ],
)  # fmt: skip
def test_arns_with_wildcards_and_variables_pass(resource: str) -> None:
    assert read(IDENTITY, allow(resource=f'"Resource": {json.dumps(resource)}')).statements[0].resources == (resource,)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("DateLessThan", "2026-01-01"), ("DateLessThan", "2026-01-01T10:00:00Z"), ("DateLessThan", "1767225600"),
        ("DateLessThan", "2026-01-01T10:00:00+02:00"), ("DateLessThan", "2026"), ("NumericEquals", "-1.5"),
        ("IpAddress", "203.0.113.7"), ("IpAddress", "203.0.113.7/24"), ("IpAddress", "2001:DB8::/32"),
        ("Bool", "TRUE"), ("Bool", "${aws:SecureTransport}"), ("BinaryEquals", "QmluYXJ5"), ("StringEquals", ""),
    ],
)  # fmt: skip
def test_values_that_aws_takes_pass(operator: str, value: str) -> None:
    text = allow(f'"Condition": {{"{operator}": {{"aws:x": {json.dumps(value)}}}}}')
    assert read(IDENTITY, text).statements[0].conditions[0].values == (value,)


COMPARED = {
    Family.NUMERIC: "NumericEquals", Family.DATE: "DateEquals", Family.BOOL: "Bool", Family.BINARY: "BinaryEquals",
    Family.IP: "IpAddress",
}  # fmt: skip
ODD_VALUES = (
    "1_000", "1e99999", "1e3", " 10 ", "١٠", "NaN", "Infinity", "-.5", "2026-02-30", "2026-02-20T25:00:00Z",
    "2026-02-20T10:00:00+99:99", "٢٠٢٦-01-01", "2026-1-1", "0000-01-01", "10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255",
    "fe80::1%eth0", "١.1.1.1", "::ffff:10.0.0.1", "10.0.0.0/33", "10.0.0.01", "true", " true", "yes",
    "QQ==", "QQ", "QQ==\n",
)  # fmt: skip


@pytest.mark.parametrize("family", COMPARED)
@pytest.mark.parametrize("value", ODD_VALUES)
def test_a_value_that_passes_is_compared(family: Family, value: str) -> None:
    """Else a Deny would be sent that never holds."""
    equal = OPERATORS_THAT_COMPARE[COMPARED[family]].test((value,))
    assert find_value_fault(family, value) is not None or equal(value)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(COMPARED)), st.text("0123456789٣eE+-./:TZ _aftru=%", max_size=22))
def test_any_value_that_passes_is_compared(family: Family, value: str) -> None:
    equal = OPERATORS_THAT_COMPARE[COMPARED[family]].test((value,))
    assert find_value_fault(family, value) is not None or equal(value) or "/" in value


def test_an_operator_without_keys_asks_for_nothing() -> None:
    assert read(IDENTITY, allow('"Condition": {"StringEquals": {}, "Bool": {}}')).statements[0].conditions == ()


def test_a_value_is_read_without_places() -> None:
    document = {"Version": "2012-10-17", "Statement": ({"Effect": "Deny", "Action": ["s3:*"], "Resource": "*"},)}
    assert policy_of(document, SCP, "p", "arn:x") == parse_policy(json.dumps(document), SCP, "p", arn="arn:x")
    with pytest.raises(SourceErrors, match=r"^p: the policy has no Statement; write at least one$"):
        policy_of({"Version": "2012-10-17"}, SCP, "p")


IN_FORCE = [
    ('{"version": "2012-10-17", "Statement": {"Effect": "Deny", "action": "s3:*", "RESOURCE": "*"}}', None),
    ('{"Version": "2012-10-17", "Statement": {"Effect": "deny", "Action": "s3:*", "Resource": "*"}}', None),
    ('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*"}}', ()),
    ('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "bucket"}}', ("bucket",)),
    (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3"}}',
        ("arn:aws:s3:*:*:*",),
    ),
    ('{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "NotResource": []}}', ()),
]


@pytest.mark.parametrize(("text", "resources"), IN_FORCE)
def test_what_aws_holds_is_read_where_its_meaning_is_plain(text: str, resources: tuple[str, ...] | None) -> None:
    with pytest.raises(SourceErrors):
        parse_policy(text, IDENTITY, "p")
    expected = Statement(Effect.DENY, ("s3:*",), resources=("*",) if resources is None else resources)
    assert parse_policy(text, IDENTITY, "p", in_force=True).statements == (expected,)
    assert policy_of(json.loads(text), IDENTITY, "p").statements == (expected,)


@pytest.mark.parametrize("empty", ['"Action": [], "Resource": "*"', '"Action": "s3:*", "Resource": [""]'])
def test_a_statement_in_force_that_names_nothing_is_none(empty: str) -> None:
    text = f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", {empty}}}]}}'
    assert parse_policy(text, SCP, "p", in_force=True).statements == ()


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ('{"stringequals": {"aws:x": "a"}}', Condition("StringEquals", "aws:x", ("a",))),
        (
            '{"forAnyvalue:ARNLikeIfexists": {"aws:x": "a"}}',
            Condition("ArnLike", "aws:x", ("a",), Quantifier.FOR_ANY, if_exists=True),
        ),
        ('{"IPAddress": {"aws:SourceIp": "x"}}', Condition("IpAddress", "aws:SourceIp", ("x",))),
        ('{"Bool": {"aws:x": "1"}}', Condition("Bool", "aws:x", ("1",))),
        ('{"NumericEquals": {"aws:x": ["1", "ten"]}}', Condition("NumericEquals", "aws:x", ("1", "ten"))),
    ],
)
def test_conditions_in_force_are_read_though_they_be_odd(written: str, condition: Condition) -> None:
    text = allow(f'"Condition": {written}')
    with pytest.raises(SourceErrors):
        read(IDENTITY, text)
    assert parse_policy(text, IDENTITY, "p", in_force=True).statements[0].conditions == (condition,)


@pytest.mark.parametrize(
    "text",
    [
        allow('"Condition": {"StringEqual": {"aws:x": "a"}}'),
        allow('"Condition": {"ForAnyValue:Null": {"aws:x": "true"}}'),
        allow('"Condition": {"NullIfExists": {"aws:x": "true"}}'),
        allow('"Condition": {"StringEquals": {"aws:x": "a", "AWS:X": "b"}}'),
        allow('"Principal": "*"'),
        allow('"NotAction": "s3:*"'),
        allow('"Actions": "s3:*"'),
        allow(action='"Action": "s3:* "'),
        policy('{"Effect": "Perhaps", "Action": "*", "Resource": "*"}'),
        policy('{"effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}'),
        '{"Version": "2012-10-17", "Statement": []}',
    ],
)
def test_what_has_no_plain_meaning_is_refused_even_in_force(text: str) -> None:
    with pytest.raises(SourceErrors):
        parse_policy(text, SCP, "p", in_force=True)


def test_what_a_resource_control_policy_may_not_say_is_read_in_force() -> None:
    text = policy('{"Effect": "Deny", "NotAction": ["s3:*"], "NotPrincipal": {"AWS": []}, "Resource": "*"}', top="")
    (statement,) = parse_policy(text, PolicyKind.RESOURCE_CONTROL, "p", in_force=True).statements
    assert statement == Statement(
        Effect.DENY, ("s3:*",), not_actions=True, resources=("*",), principals=Principals(), not_principals=True
    )


WORDS = st.sampled_from([*TOP_ELEMENTS, *STATEMENT_ELEMENTS, *OPERATORS, "AWS", "aws:x", "ForAllValues:StringLike", ""])
TEXTS = st.sampled_from(["Allow", "Deny", "2012-10-17", "*", "s3:*", "arn:aws:s3:::b", "true", "10.0.0.0/8", "${", "a"])
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(PolicyKind)), DOCUMENTS)
def test_whatever_is_written_is_read_or_told_of(kind: PolicyKind, document: object) -> None:
    findings: list[Finding] = []
    node = compose_policy(json.dumps(document), "p.json", findings)
    assert node is not None
    policy = read_policy(node, kind, "p", "", findings)
    assert findings or (policy is not None and policy.statements)
    assert all(finding.place.line for finding in findings)
