"""One truth table for each family of operators.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import pytest

from org.errors import OrgctlError
from org.policy.conditions import compile_condition
from org.policy.model import Condition
from org.policy.operators import OPERATORS, read_date
from tests.support.policies import conditions

NOT_GIVEN = object()
KEY = "x:Key"


def holds(operator, values, given=NOT_GIVEN, *, complete=True, version="2012-10-17", **context):
    """Answer True, False or None for unknown."""
    [condition] = conditions({operator: {KEY: values}})
    compiled = compile_condition(condition, version, lambda key: key.startswith("foreign:"))
    if given is not NOT_GIVEN:
        context["x:key"] = given
    context = {key.replace("__", ":").replace("_", "/"): value for key, value in context.items()}
    value = compiled.check(context, complete)
    assert value == 2 or type(value) in {int, bool}
    assert (value == 2) is bool(compiled.unknown_keys(context) and value == 2)
    return None if value == 2 else bool(value)


@pytest.mark.parametrize(
    ("operator", "want", "given", "result"),
    [
        ("StringEquals", "a", "a", True), ("StringEquals", "a", "A", False), ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a*", "a*", True), ("StringEquals", ["a", "b"], "b", True), ("StringEquals", "", "", True),
        ("StringEqualsIgnoreCase", "Ab", "aB", True), ("StringEqualsIgnoreCase", "a*", "ab", False),
        ("StringLike", "a*c?", "abbcd", True), ("StringLike", "A*", "ab", False), ("StringLike", "a", "a", True),
        ("StringLike", "a?", "a", False), ("StringLike", ["x", "*y"], "zy", True), ("StringLike", "*", "", True),
        ("NumericEquals", "10", "10.0", True), ("NumericEquals", "10", "1e1", True),
        ("NumericEquals", "0", "0.0", True), ("DateEquals", "1970-01-01", "0", True),
        ("NumericEquals", "10", "ten", False), ("NumericEquals", "1000", "1_000", False),
        ("NumericEquals", "10", "٠١٠", False), ("NumericNotEquals", "10", "ten", True),
        ("NumericLessThan", "10", "9", True), ("NumericLessThan", "10", "10", False),
        ("NumericLessThan", "x", "1", False),
        ("NumericLessThanEquals", "10", "10", True), ("NumericLessThanEquals", "10", "10.1", False),
        ("NumericGreaterThan", "-1", "0", True), ("NumericGreaterThan", "10", "9", False),
        ("NumericGreaterThanEquals", "3", "3", True), ("NumericGreaterThanEquals", ["30", "3"], "4", True),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
        ("DateEquals", "2026-01-01", "2026-01-01T00:00:00.000Z", True), ("DateEquals", "2026-01-01", "soon", False),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateLessThan", "1767225600", "2025-12-31T23:59:59Z", True),
        ("DateLessThan", "2026-01-01", "1767225600", False),
        ("DateLessThan", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.25Z", True),
        ("DateLessThanEquals", "2026-01-01", "1767225600", True),
        ("DateGreaterThan", "2026-01", "2026-02-01T00:00Z", True),
        ("DateGreaterThanEquals", "2026", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2026", "2025-06-01", False),
        ("Bool", "true", "true", True), ("Bool", "true", "false", False), ("Bool", "True", "TRUE", True),
        ("Bool", "false", "no", False), ("Bool", "yes", "yes", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True), ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
        ("BinaryEquals", "???", "???", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True), ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True), ("IpAddress", "2001:db8::/32", "2001:DB8:0:1::1", True),
        ("IpAddress", "2001:db8::/32", "2001:db9::1", False), ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "10.0.0.5/8", "10.1.1.1", True),
        ("IpAddress", "10.0.0.0/8", "here", False), ("IpAddress", "nowhere", "10.0.0.1", False),
        ("ArnLike", "arn:aws:iam::*:role/a*", "arn:aws:iam::111122223333:role/app", True),
        ("ArnEquals", "arn:aws:iam::*:role/a*", "arn:aws:iam::111122223333:role/app", True),
        ("ArnLike", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/path/app", False),
        ("ArnLike", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/App", False),
        ("ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:a:b:1:t", False),
        ("ArnLike", "arn:aws:sns:*:*:*", "arn:aws:sns:a:b:c:d", True),
        ("ArnLike", "arn:*:iam::1:role/a", "arn:aws:s3:::iam::1:role/a", False),
        ("ArnLike", "*", "arn:aws:s3:::b", True),
        ("ArnLike", "arn:aws:s3:::b", "b", False),
    ],
)  # fmt: skip
def test_operators(operator, want, given, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    negated = {
        "StringEquals": "StringNotEquals", "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
        "StringLike": "StringNotLike", "NumericEquals": "NumericNotEquals", "DateEquals": "DateNotEquals",
        "IpAddress": "NotIpAddress", "ArnLike": "ArnNotLike", "ArnEquals": "ArnNotEquals",
    }  # fmt: skip
    assert holds(operator, want, given) is result
    assert holds(f"{operator}IfExists", want, given) is result
    assert holds(f"ForAnyValue:{operator}", want, given) is (result and given != "")
    assert holds(f"ForAllValues:{operator}", want, given) is (result or given == "")
    if operator in negated:
        assert holds(negated[operator], want, given) is not result


ROLE_A, ROLE_B = "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b"
SAMPLES = {
    "StringEquals": ("a", "a", "A"), "StringNotEquals": ("a", "a", "A"),
    "StringEqualsIgnoreCase": ("a", "A", "b"), "StringNotEqualsIgnoreCase": ("a", "A", "b"),
    "StringLike": ("a*", "ab", "ba"), "StringNotLike": ("a*", "ab", "ba"),
    "NumericEquals": ("7", "7.0", "8"), "NumericNotEquals": ("7", "7.0", "8"),
    "NumericLessThan": ("7", "6", "7"), "NumericLessThanEquals": ("7", "7", "8"),
    "NumericGreaterThan": ("7", "8", "7"), "NumericGreaterThanEquals": ("7", "7", "6"),
    "DateEquals": ("2026-01-01", "1767225600", "2026-01-02"),
    "DateNotEquals": ("2026-01-01", "1767225600", "2026-01-02"),
    "DateLessThan": ("2026-01-01", "2025-12-31", "2026-01-01"),
    "DateLessThanEquals": ("2026-01-01", "2026-01-01", "2026-01-02"),
    "DateGreaterThan": ("2026-01-01", "2026-01-02", "2026-01-01"),
    "DateGreaterThanEquals": ("2026-01-01", "2026-01-01", "2025-12-31"),
    "Bool": ("true", "True", "false"), "BinaryEquals": ("QQ==", "QQ==", "Qg=="),
    "IpAddress": ("10.0.0.0/8", "10.1.1.1", "11.1.1.1"), "NotIpAddress": ("10.0.0.0/8", "10.1.1.1", "11.1.1.1"),
    "ArnEquals": (ROLE_A, ROLE_A, ROLE_B), "ArnNotEquals": (ROLE_A, ROLE_A, ROLE_B),
    "ArnLike": ("arn:*:iam::*:role/a", ROLE_A, ROLE_B), "ArnNotLike": ("arn:*:iam::*:role/a", ROLE_A, ROLE_B),
}  # fmt: skip
"""The policy's value, one that it means and one that it does not."""


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("quantifier", "given", "plain", "negated"),
    [
        ("", "match", True, False), ("", "other", False, True), ("", "missing", False, True),
        ("", "match other", True, False), ("", "other other", False, True),  # without a quantifier [H]
        ("ForAllValues:", "match", True, False), ("ForAllValues:", "other", False, True),
        ("ForAllValues:", "match match", True, False), ("ForAllValues:", "match other", False, False),
        ("ForAllValues:", "other other", False, True), ("ForAllValues:", "missing", True, True),
        ("ForAnyValue:", "match", True, False), ("ForAnyValue:", "other", False, True),
        ("ForAnyValue:", "match match", True, False), ("ForAnyValue:", "match other", True, True),
        ("ForAnyValue:", "other other", False, True), ("ForAnyValue:", "missing", False, False),
    ],
)  # fmt: skip
def test_every_operator_in_every_way(operator, quantifier, given, plain, negated):
    """A match, none and no key at all; with one value and several; with each quantifier; with IfExists and without.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    want, match, other = SAMPLES[operator]
    values = tuple({"match": match, "other": other}[word] for word in given.split() if word != "missing")
    value = None if not values else values[0] if len(values) == 1 else values
    result = negated if "Not" in operator else plain
    assert holds(f"{quantifier}{operator}", want, value) is result
    assert holds(f"{quantifier}{operator}IfExists", want, value) is (True if value is None else result)
    if len(values) == 1:
        assert holds(f"{quantifier}{operator}", want, values) is result


ABSENT = {
    "StringEquals": False, "StringNotEquals": True, "StringLike": False, "StringNotLike": True,
    "StringEqualsIgnoreCase": False, "StringNotEqualsIgnoreCase": True, "NumericEquals": False,
    "NumericNotEquals": True,
    "NumericLessThan": False, "NumericLessThanEquals": False, "NumericGreaterThan": False,
    "NumericGreaterThanEquals": False,
    "DateEquals": False, "DateNotEquals": True, "DateLessThan": False, "DateLessThanEquals": False,
    "DateGreaterThan": False, "DateGreaterThanEquals": False, "Bool": False, "BinaryEquals": False, "IpAddress": False,
    "NotIpAddress": True, "ArnLike": False, "ArnEquals": False, "ArnNotLike": True, "ArnNotEquals": True,
}  # fmt: skip


@pytest.mark.parametrize("operator", ABSENT)
@pytest.mark.parametrize("given", [NOT_GIVEN, None, ()])
def test_a_missing_key_matches_nothing_and_so_its_negation_holds(operator, given):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    assert holds(operator, "1", given) is ABSENT[operator]
    assert holds(f"{operator}IfExists", "1", given) is True
    assert holds(f"ForAllValues:{operator}", "1", given) is True
    assert holds(f"ForAnyValue:{operator}", "1", given) is False
    assert holds(f"ForAnyValue:{operator}IfExists", "1", given) is True


@pytest.mark.parametrize("operator", [*ABSENT, "Null"])
def test_a_key_that_is_not_given_is_unknown_where_the_request_may_have_it(operator):
    values = "true" if operator == "Null" else "1"
    for quantifier in ("", "ForAllValues:", "ForAnyValue:"):
        assert holds(f"{quantifier}{operator}", values, complete=False) is None
    if operator != "Null":
        assert holds(f"{operator}IfExists", values, complete=False) is None


@pytest.mark.parametrize(
    ("want", "given", "result"),
    [
        ("true", NOT_GIVEN, True), ("true", None, True), ("true", (), True), ("true", "x", False),
        ("true", ("x",), False),
        ("false", NOT_GIVEN, False), ("false", "x", True), ("false", (), False), ("TRUE", None, True),
        (["true", "false"], "x", True), (["true", "false"], None, True),
        # Several values, all empty, are none, as for ForAllValues; one that is empty is a value [H].
        ("true", ("", ""), True), ("false", ("",), False), ("false", ("", "x"), True), ("true", "", False),
    ],
)  # fmt: skip
def test_null(want, given, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null"""
    assert holds("Null", want, given) is result


@pytest.mark.parametrize(
    ("operator", "want", "given", "result"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
        ("ForAllValues:StringEquals", "a", (), True),
        ("ForAllValues:StringEquals", "a", ("",), True),
        ("ForAllValues:StringEquals", "a", "", True),
        ("ForAnyValue:StringEquals", "a", ("", ""), False),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "d"), False),
        ("ForAnyValue:StringLike", "t*", ("x", "team"), True),
        # Negated, with one value and with several: each value of the request is held against all of the policy.
        ("StringNotEquals", ["a", "b"], "a", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("a", "d"), False),
        ("ForAllValues:StringNotLike", "a*", (), True),
        ("ForAnyValue:NumericLessThan", "5", ("9", "4"), True),
        ("ForAllValues:ArnLike", "arn:aws:sns:*:*:t", ("arn:aws:sns:a:1:t", "arn:aws:sns:b:2:u"), False),
        # Without a quantifier [H].
        ("StringEquals", "a", ("b", "a"), True),
        ("StringNotEquals", "a", ("b", "a"), False),
    ],
)
def test_several_values(operator, want, given, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"""
    assert holds(operator, want, given) is result


@pytest.mark.parametrize(
    ("operator", "want", "given", "context", "result"),
    [
        ("StringEquals", "${aws:username}", "ada", {"aws__username": "ada"}, True),
        ("StringEquals", "${AWS:UserName}", "ada", {"aws__username": "ada"}, True),
        ("StringEquals", "${aws:username}", "bob", {"aws__username": "ada"}, False),
        ("StringNotEquals", "${aws:username}", "bob", {"aws__username": "ada"}, True),
        ("StringLike", "home/${aws:username}/*", "home/ada/x", {"aws__username": "ada"}, True),
        ("StringLike", "${aws:username}", "adam", {"aws__username": "ad*"}, False),
        ("ArnLike", "arn:aws:iam::*:role/${aws:username}", "arn:aws:iam::1:role/ada", {"aws__username": "ada"}, True),
        ("StringEquals", "${aws:PrincipalTag/team, 'red'}", "red", {}, True),
        ("StringEquals", "${aws:PrincipalTag/team, 'red'}", "red", {"aws__principaltag_team": "blue"}, False),
        ("StringEquals", "${aws:PrincipalTag/team, 'red'}", "blue", {"aws__principaltag_team": "blue"}, True),
        ("StringEquals", "x${aws:PrincipalTag/team, 'red'}", "x", {"aws__principaltag_team": ""}, True),
        ("StringEquals", "${aws:username}", "ada", {}, False),
        ("StringNotEquals", "${aws:username}", "ada", {}, True),
        ("StringEquals", ["${aws:username}", "x"], "x", {}, True),
        ("StringEquals", "${aws:username}", ("x", "ada"), {"aws__username": "ada"}, True),
        ("StringNotEquals", "${aws:username}", ("x", "ada"), {"aws__username": "ada"}, False),
        ("StringEquals", "${aws:TagKeys}", "a", {"aws__tagkeys": ("a",)}, True),
        ("StringEquals", "${aws:TagKeys}", "a", {"aws__tagkeys": ("a", "b")}, False),
        ("ForAnyValue:StringEquals", "${aws:username}", ("x", "ada"), {"aws__username": "ada"}, True),
        ("ForAllValues:StringEquals", "${aws:username}", ("x", "ada"), {"aws__username": "ada"}, False),
        ("StringEquals", "${*}${?}${$}", "*?$", {}, True),
        ("StringLike", "${*}*", "*x", {}, True),
        ("StringLike", "${*}*", "xx", {}, False),
        ("StringLike", "a${?}", "ab", {}, False),
        ("NumericEquals", "${aws:username}", "7", {"aws__username": "7"}, False),
    ],
)
def test_variables(operator, want, given, context, result):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    assert holds(operator, want, given, **context) is result


def test_a_variable_that_is_not_known_leaves_the_condition_unknown_unless_another_value_matches():
    assert holds("StringEquals", "${aws:username}", "ada", complete=False) is None
    assert holds("StringNotEquals", "${aws:username}", "ada", complete=False) is None
    assert holds("StringEquals", ["${aws:username}", "ada"], "ada", complete=False) is True
    assert holds("StringNotEquals", ["${aws:username}", "ada"], "ada", complete=False) is False
    assert holds("StringEquals", "${foreign:Key}", "ada", complete=False) is False
    [condition] = conditions({"StringEquals": {KEY: "${aws:username}"}})
    compiled = compile_condition(condition, "2012-10-17", lambda key: False)
    assert compiled.unknown_keys({}) == ("x:Key", "aws:username")
    assert compiled.unknown_keys({"x:key": "a"}) == ("aws:username",)


def test_the_first_version_has_no_variables():
    assert holds("StringEquals", "${aws:username}", "ada", version="2008-10-17", aws__username="ada") is False
    assert holds("StringEquals", "${aws:username}", "${aws:username}", version="2008-10-17") is True


def test_a_key_of_another_service_is_absent():
    compiled = compile_condition(Condition("StringNotEquals", "foreign:Key", ("a",)), "2012-10-17", lambda key: True)
    assert compiled.check({}, False) == 1
    assert compiled.unknown_keys({}) == ()


@pytest.mark.parametrize(
    ("operator", "want", "arn", "value"),
    [
        ("ArnLike", "arn:aws:iam::*:role/BreakGlass", "arn:aws:iam::*:role/BreakGlass", 1),
        ("ArnNotLike", "arn:aws:iam::*:role/BreakGlass", "arn:aws:iam::*:role/BreakGlass", 0),
        ("ArnLike", "arn:aws:iam::111122223333:role/BreakGlass", "arn:aws:iam::*:role/BreakGlass", 2),
        ("ArnLike", "arn:aws:iam::*:role/breakglass", "arn:aws:iam::*:role/BreakGlass", 0),
        ("StringNotLike", "arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::1:role/stacksets-exec-*", 0),
        ("StringEquals", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/*", 2),
        ("StringNotEquals", "arn:aws:iam::1:user/a", "arn:aws:iam::1:role/*", 1),
        ("StringEqualsIgnoreCase", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/*", 2),
        ("ArnLike", "arn:aws:iam::*:role/a", "*", 2),
        ("ArnLike", "arn:*:1:role/a:b:*", "arn:aws:iam::1:role/a:b:*", 0),
    ],
)
def test_the_principal_may_be_known_in_part(operator, want, arn, value):
    compiled = compile_condition(Condition(operator, "aws:PrincipalArn", (want,)), "2012-10-17", lambda key: False)
    for _ in range(2):
        assert compiled.check({"aws:principalarn": arn}, True) == value
    assert compiled.unknown_keys({"aws:principalarn": arn}) == ("aws:PrincipalArn",)


@pytest.mark.parametrize("operator", ["StringLike", "StringNotLike"])
def test_a_principal_that_is_known_in_part_may_be_what_a_variable_makes(operator):
    given = {"aws__principalarn": "arn:aws:iam::1:role/*", "aws__username": "ada"}
    [condition] = conditions({operator: {"aws:PrincipalArn": "arn:aws:iam::1:role/${aws:username}"}})
    compiled = compile_condition(condition, "2012-10-17", lambda key: False)
    context = {key.replace("__", ":"): value for key, value in given.items()}
    assert compiled.check(context, True) == 2
    assert compiled.unknown_keys(context) == ("aws:PrincipalArn",)


@pytest.mark.parametrize("operator", ["StringLike", "StringNotLike"])
def test_a_variable_for_a_principal_that_is_known_in_part_is_not_known(operator):
    given = {"aws__principalarn": "arn:aws:iam::1:role/*"}
    assert holds(operator, "x-${aws:PrincipalArn}", "x-arn:aws:iam::1:role/a", **given) is None
    assert holds(operator, ["x-${aws:PrincipalArn}", "*a"], "x-arn:aws:iam::1:role/a", **given) is (
        operator == "StringLike"
    )


def test_what_is_remembered_of_principals_is_bounded():
    compiled = compile_condition(
        Condition("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::1:role/7",)), "2012-10-17", lambda key: False
    )
    found = [compiled.check({"aws:principalarn": f"arn:aws:iam::1:role/{number}"}, True) for number in range(5_000)]
    assert [number for number, value in enumerate(found) if value] == [7]
    [known] = [c.cell_contents for c in compiled.check.__closure__ if isinstance(c.cell_contents, dict)]
    assert len(known) <= 4_096


def test_dates():
    assert (
        read_date("1767225600")
        == read_date("2026-01-01T00:00:00Z")
        == read_date("2026-01-01T00:00:00")
        == 1_767_225_600
    )
    assert read_date("2026-13-01") is None
    assert read_date("") is None
    assert read_date("NaN") is None
    assert read_date("٢٠٢٦") is None


def test_an_operator_that_does_not_exist_is_refused():
    with pytest.raises(OrgctlError, match="there is no operator 'StringIs'"):
        compile_condition(Condition("StringIs", "aws:username", ("a",)), "2012-10-17", lambda key: False)
