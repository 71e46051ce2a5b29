"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from org.policy.patterns import FALSE, QUESTION, STAR, TRUE, UNKNOWN, covers, matches, overlaps, relation

PATTERNS = st.text("ab*?", max_size=6)
TEXTS = ["".join(letters) for size in range(5) for letters in itertools.product("abc", repeat=size)]


def naive(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return naive(pattern[1:], text) or (bool(text) and naive(pattern, text[1:]))
    return bool(text) and pattern[0] in {"?", text[0]} and naive(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("*", "", True),
        ("?", "", False),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get?", "s3:GetObject", False),
        ("arn:aws:s3:::*/*/test/*", "arn:aws:s3:::bucket/1/2/test/3/object.jpg", True),
        ("arn:aws:s3:::*/*/test/*", "arn:aws:s3:::bucket/1/object.jpg", False),
        ("arn:aws:ec2:*", "arn:aws:ec2:eu-central-1::image/ami-1", True),
        ("a.c", "abc", False),
        ("a\nb*", "a\nb\nc", True),
        ("?b*c", "\nb\nc", True),
        (f"a{STAR}b", "a*b", True),
        (f"a{STAR}b", "axb", False),
        (f"a{QUESTION}*", "a?bc", True),
        ("*a*b*a*", "aba", True),
        ("*ab", "aab", True),
        ("?*?", "a", False),
    ],
)
def test_matches(pattern, text, holds):
    assert matches(pattern, text) is holds


def test_case_counts_unless_told_otherwise():
    assert not matches("ec2:runinstances", "ec2:RunInstances")
    assert matches("EC2:run*", "ec2:RunInstances", ignore_case=True)


@given(PATTERNS, st.text("abc", max_size=8))
def test_matches_as_the_definition_says(pattern, text):
    assert matches(pattern, text) is naive(pattern, text)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, PATTERNS)
def test_covers_and_overlaps_as_all_short_texts_say(one, other):
    mine, theirs = ([text for text in TEXTS if naive(pattern, text)] for pattern in (one, other))
    assert not covers(one, other) or set(theirs) <= set(mine)
    assert overlaps(one, other) or not set(mine) & set(theirs)
    assert overlaps(one, other) is overlaps(other, one)
    assert covers(one, one)
    if len(one) < 4 and len(other) < 4:  # then the texts are long enough to tell
        assert covers(one, other) is (set(theirs) <= set(mine))
        assert overlaps(one, other) is bool(set(mine) & set(theirs))


@pytest.mark.parametrize(
    ("general", "special", "holds"),
    [
        ("?*", "*?", True),
        ("*", "", True),
        ("a*", "a*b*", True),
        ("a*b", "ab*", False),
        ("*a*", "a", True),
        ("??*", "?*", False),
    ],
)
def test_covers(general, special, holds):
    assert covers(general, special) is holds


@pytest.mark.parametrize(
    ("pattern", "resource", "value"),
    [
        ("arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:eu-central-1:111122223333:instance/*", TRUE),
        ("arn:aws:ec2:*:*:image/*", "arn:aws:ec2:eu-central-1:111122223333:instance/*", FALSE),
        ("arn:aws:ec2:*::image/ami-1", "arn:aws:ec2:eu-central-1::image/*", UNKNOWN),
        ("arn:aws:ec2:*", "arn:aws:ec2:eu-central-1::image/*", TRUE),
        ("arn:aws:logs:*:*:log-group:/orgctl/*:*", "arn:aws:logs:eu-central-1:111122223333:log-group:*", UNKNOWN),
        ("arn:aws:iam::*:user/x", "arn:aws:iam::111122223333:role/*", FALSE),
        ("arn:aws:iam::*:role/aws-service-role/*", "arn:aws:iam::111122223333:role/*", UNKNOWN),
        ("arn:aws:s3:::b/*", "*", UNKNOWN),
        ("arn:aws:s3", "arn:aws:s3:::b/*", FALSE),
        ("arn:aws:iam::111122223333:role/BreakGlass", "arn:aws:iam::*:role/BreakGlass", UNKNOWN),
    ],
)
def test_what_is_not_known_of_an_arn_stays_within_its_part(pattern, resource, value):
    assert relation((pattern,), resource) == value


def test_no_pattern_takes_long():
    begun = time.perf_counter()
    assert not matches("*a" * 30 + "b", "a" * 2_000)
    covers("*a*b" * 20, "*b*a" * 20)
    overlaps("*a?" * 30, "?b*" * 30)
    assert time.perf_counter() - begun < 3
