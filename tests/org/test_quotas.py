"""The quotas that ship with orgctl, and the policy types that botocore knows."""

from __future__ import annotations

from datetime import date

import pytest

from org.policy_types import load_policy_types
from org.quotas import load_quotas


def test_the_numbers_say_when_and_where_they_were_read() -> None:
    quotas = load_quotas()
    assert quotas.read >= date(2026, 5, 15), "the day on which the SCP quotas were raised"
    assert quotas.source.startswith("https://docs.aws.amazon.com/")


def test_a_type_without_published_numbers_has_assumed_ones_and_says_so() -> None:
    quotas = load_quotas()
    assert quotas.policy("BEDROCK_POLICY") == quotas.default_policy
    assert quotas.policy("BEDROCK_POLICY").assumed
    assert not quotas.policy("SERVICE_CONTROL_POLICY").assumed


def test_every_type_with_numbers_is_one_that_botocore_knows() -> None:
    assert set(load_quotas().policies) <= set(load_policy_types())


@pytest.mark.parametrize(("members", "closures"), [(0, 250), (1_250, 250), (2_000, 400), (10_000, 1_000)])
def test_a_fifth_of_the_members_may_be_closed_within_bounds(members: int, closures: int) -> None:
    assert load_quotas().organization.closures(members) == closures
