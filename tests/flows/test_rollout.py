"""From values to a governed organization in the sandbox, asserted on what AWS then says, member accounts included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from org.model import ROOT
from tests.support.organizations import (
    FRANKFURT,
    SCP,
    VIRGINIA,
    account,
    desired,
    on_root,
    on_unit,
    policy,
    stackset,
    unit,
)
from tests.support.rollout import Rollout
from tests.support.sandbox import DENY_LEAVING, assume, sandbox_session


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    with sandbox_session() as session:
        yield Rollout(session)


WANTED = desired(
    [unit("Workloads", Team="platform"), unit("Workloads/Prod"), unit("Security")],
    [account("Shop", "Workloads/Prod", tags={"Team": "shop"}), account("Audit", "Security")],
    [policy("DenyLeaving", on_root(), on_unit("Workloads/Prod"), content=DENY_LEAVING)],
    [stackset("base", ROOT, regions=(FRANKFURT, VIRGINIA))],
    trusted_access=("config.amazonaws.com",),
)


def test_bootstrap_from_nothing_then_no_changes(rollout: Rollout) -> None:
    rollout.bootstrap(WANTED)
    again = rollout.plan(WANTED)
    assert [step.change.describe() for step in again.steps] == []
    observed = rollout.observe(WANTED)
    assert {unit.path for unit in observed.units} == {"Workloads", "Workloads/Prod", "Security"}
    assert {a.name: a.unit for a in observed.accounts} == {
        "Management": "Root",
        "Shop": "Workloads/Prod",
        "Audit": "Security",
    }


def test_resources_of_a_stackset_exist_in_each_member_account_and_region(rollout: Rollout) -> None:
    rollout.bootstrap(WANTED)
    for found in rollout.observe(WANTED).accounts:
        if found.name == "Management":
            continue
        for region in (FRANKFURT, VIRGINIA):
            topics = assume(rollout.session, found.id).client("sns", region_name=region).list_topics()["Topics"]
            assert [topic["TopicArn"].rpartition(":")[2] for topic in topics] == ["alarms"]


def test_policies_carry_the_tag_of_their_owner(rollout: Rollout) -> None:
    rollout.bootstrap(WANTED)
    found = next(p for p in rollout.observe(WANTED).policies if p.name == "DenyLeaving")
    assert (found.type, found.tags, len(found.target_ids)) == (SCP, {"orgctl:managed": "true"}, 2)
