"""From values to a governed organization in the sandbox, asserted on what AWS then says, member accounts included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.plan_file import load_plan, save_plan
from org.apply.outcome import Done
from org.model import ROOT
from org.observe import observe_organization
from org.plan.moved import find_movements
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
from tests.support.two_manifests import FIRST, SECOND, TEMPLATES


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


def test_stackset_leaves_the_closed_accounts_before_it_is_deleted(rollout: Rollout) -> None:
    units, late = [unit("Prod"), unit("Dev")], account("Late", "Dev")
    shop = account("Shop", "Prod")
    stacksets = [
        stackset("old", "Prod", "Dev", template=TEMPLATES[0]),
        stackset("more", ROOT, template=TEMPLATES[0], auto_deployment=False),
    ]
    rollout.bootstrap(desired(units, [shop, late], stacksets=stacksets))
    # Closed by hand, so that nothing was withdrawn first.
    ids = {a.name: a.id for a in rollout.observe(desired()).accounts}
    rollout.session.client("organizations").close_account(AccountId=ids["Late"])
    done = rollout.bootstrap(desired(units, [shop, account("Late", "Dev", state="closed")]))
    assert [step.change.describe() for step in done.steps] == [
        "withdraw StackSet more from Late in Dev · eu-central-1, keeping the stacks",
        "withdraw StackSet old from Late in Dev · eu-central-1, keeping the stacks",
        "withdraw StackSet more from Root · eu-central-1",
        "withdraw StackSet old from Dev, Prod · eu-central-1",
        "delete StackSet more",
        "delete StackSet old",
    ]
    assert rollout.observe(desired()).stacksets == ()
    topics = assume(rollout.session, ids["Shop"]).client("sns", region_name=FRANKFURT).list_topics()["Topics"]
    assert topics == []


_PLAN_AGAIN = """
import sys
from pathlib import Path
from cli.plan_file import dump_plan, load_plan
from org.plan.build import plan_changes
from org.quotas import load_quotas
from tests.support.two_manifests import SECOND

observed = load_plan(Path(sys.argv[1])).observed
sys.stdout.buffer.write(dump_plan(plan_changes(SECOND, observed, load_quotas())).encode())
"""


def test_plan_is_the_same_text_each_time_and_in_each_process(rollout: Rollout, tmp_path: Path) -> None:
    rollout.bootstrap(FIRST)
    plan = rollout.plan(SECOND)
    saved = tmp_path / "plan.json"
    save_plan(plan, saved)
    for seed in ("1", "2"):
        again = subprocess.run(
            [sys.executable, "-c", _PLAN_AGAIN, str(saved)],
            check=True,
            capture_output=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert again.stdout.decode() == saved.read_text()


def test_saved_plan_is_applied_as_it_was_saved(rollout: Rollout, tmp_path: Path) -> None:
    rollout.bootstrap(FIRST)
    plan = rollout.plan(SECOND)
    save_plan(plan, tmp_path / "plan.json")
    saved = load_plan(tmp_path / "plan.json")
    assert find_movements(saved.observed, observe_organization(rollout.aws(SECOND), saved.interest)) == ()
    assert all(isinstance(outcome, Done) for outcome in rollout.apply(SECOND, saved))
    assert rollout.plan(SECOND).steps == ()


def test_policies_carry_the_tag_of_their_owner(rollout: Rollout) -> None:
    rollout.bootstrap(WANTED)
    found = next(p for p in rollout.observe(WANTED).policies if p.name == "DenyLeaving")
    assert (found.type, found.tags, len(found.target_ids)) == (SCP, {"orgctl:managed": "true"}, 2)
