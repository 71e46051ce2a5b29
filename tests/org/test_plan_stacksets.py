"""The planner's StackSets: which operation reaches which account and Region, and what a person is told of it."""

from __future__ import annotations

import json

from org.changes import CreateStackSet
from org.model import (
    OVERRIDES_TAG,
    ROOT,
    AccountName,
    DesiredOrganization,
    ObservedOrganization,
    ParameterOverride,
    UnitPath,
)
from org.plan.build import plan_changes
from org.plan.model import Effect, Plan
from org.quotas import load_quotas
from tests.support.organizations import (
    FRANKFURT,
    OWNED,
    ROOT_ID,
    VIRGINIA,
    account,
    desired,
    instance,
    live_account,
    live_stackset,
    live_unit,
    observed,
    stackset,
    template,
    unit,
)

CREATE_ONLY = {"AWS::SNS::Topic": frozenset({"TopicName"})}
TWO_UNITS = [unit("Dev"), unit("Prod")]
LIVE_UNITS = [live_unit("Dev"), live_unit("Prod")]
SHOP, WEB = account("Shop", "Prod"), account("Web", "Dev")
LIVE = [live_account("Shop", 2, "Prod"), live_account("Web", 3, "Dev")]


def plan(wanted: DesiredOrganization, there: ObservedOrganization) -> Plan:
    return plan_changes(wanted, there, load_quotas(), CREATE_ONLY)


def says(found: Plan) -> list[str]:
    return [step.change.describe() for step in found.steps]


def effects(found: Plan, number: int = 0) -> dict[tuple[str, str], Effect]:
    return {(i.account, i.region): i.effect for i in found.previews[number].instances}


def test_new_stackset_is_deployed_to_whole_units_once_the_accounts_are_in_them() -> None:
    wanted = desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", "Prod", regions=(FRANKFURT, VIRGINIA))])
    found = plan(wanted, observed(stacksets_access=False))
    assert says(found)[-2:] == [
        "create StackSet base",
        "deploy StackSet base to Prod · eu-central-1, us-east-1",
    ]
    deploy = next(step for step in found.steps if step.id == "create-stack-instances:base@1")
    assert deploy.needs == ("activate-stacksets-access", "create-unit:Prod", "create-stack-set:base")
    assert deploy.after == ("create-account:Shop", "move-account:Shop")
    create = next(step for step in found.steps if step.id == "create-stack-set:base")
    assert create.needs == ("activate-stacksets-access",)
    assert effects(found) == {("Shop", FRANKFURT): Effect.CREATED, ("Shop", VIRGINIA): Effect.CREATED}


def test_management_account_is_never_a_target() -> None:
    found = plan(desired(stacksets=[stackset("base", ROOT)]), observed(accounts=[]))
    assert found.previews[0].instances == ()


def test_deployed_stackset_that_is_as_wanted_needs_nothing() -> None:
    there = observed(LIVE_UNITS, LIVE, stacksets=[live_stackset("base", [("ou-prod", FRANKFURT)], [instance(2)])])
    found = plan(desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", "Prod")]), there)
    assert says(found) == []
    assert effects(found) == {("Shop", FRANKFURT): Effect.UNCHANGED}


def test_account_without_an_instance_in_a_targeted_unit_is_named() -> None:
    there = observed(LIVE_UNITS, LIVE, stacksets=[live_stackset("base", [("ou-prod", FRANKFURT)], [])])
    found = plan(desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", "Prod")]), there)
    assert says(found) == ["deploy StackSet base to Shop in Prod · eu-central-1"]


def test_new_region_and_new_unit_are_deployed_to_as_a_whole() -> None:
    there = observed(LIVE_UNITS, LIVE, stacksets=[live_stackset("base", [("ou-prod", FRANKFURT)], [instance(2)])])
    both = stackset("base", "Prod", "Dev", regions=(FRANKFURT, VIRGINIA))
    found = plan(desired(TWO_UNITS, [SHOP, WEB], stacksets=[both]), there)
    assert says(found) == [
        "deploy StackSet base to Dev · eu-central-1, us-east-1",
        "deploy StackSet base to Prod · us-east-1",
    ]
    assert effects(found)["Shop", FRANKFURT] is Effect.UNCHANGED
    assert effects(found)["Web", VIRGINIA] is Effect.CREATED


def test_unit_that_is_no_longer_a_target_is_withdrawn_from() -> None:
    live = live_stackset("base", [("ou-prod", FRANKFURT), ("ou-dev", FRANKFURT)], [instance(2), instance(3)])
    found = plan(
        desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", "Prod")]),
        observed(LIVE_UNITS, LIVE, stacksets=[live]),
    )
    assert says(found) == ["withdraw StackSet base from Dev · eu-central-1"]
    assert len(found.destructive) == 1
    assert effects(found)["Web", FRANKFURT] is Effect.DELETED


def test_narrowing_the_target_from_the_root_says_that_the_kept_instances_are_made_again() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2), instance(3)])
    found = plan(
        desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", "Prod")]),
        observed(LIVE_UNITS, LIVE, stacksets=[live]),
    )
    assert says(found) == [
        "withdraw StackSet base from Root · eu-central-1",
        "deploy StackSet base to Prod · eu-central-1",
    ]
    assert effects(found) == {("Shop", FRANKFURT): Effect.REPLACED, ("Web", FRANKFURT): Effect.DELETED}


def test_changed_template_updates_all_and_tells_updated_from_replaced() -> None:
    renamed = template(Topic={"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alerts"}})
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2), instance(3)])
    found = plan(
        desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", ROOT, template=renamed)]),
        observed(LIVE_UNITS, LIVE, stacksets=[live]),
    )
    assert says(found) == ["update StackSet base (template)"]
    assert set(effects(found).values()) == {Effect.REPLACED}
    assert found.previews[0].resources == ("replaced Topic AWS::SNS::Topic (DisplayName, TopicName)",)
    assert len(found.destructive) == 1


def test_template_of_other_spacing_is_the_same_template() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [], template=json.dumps(json.loads(template(A={})), indent=4))
    found = plan(desired(stacksets=[stackset("base", ROOT, template=template(A={}))]), observed(stacksets=[live]))
    assert says(found) == []


def test_override_for_some_accounts_updates_only_those() -> None:
    body = json.dumps(
        {
            "Parameters": {"Name": {"Type": "String", "Default": "x"}},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}}}},
        }
    )
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2), instance(3)], template=body, tags=OWNED)
    override = ParameterOverride({"Name": "prod"}, units=(UnitPath("Prod"),))
    found = plan(
        desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", ROOT, template=body, overrides=(override,))]),
        observed(LIVE_UNITS, LIVE, stacksets=[live]),
    )
    assert says(found) == [
        "update StackSet base (tags)",
        "deploy StackSet base again to Shop in Root · eu-central-1 (overrides)",
    ]
    assert effects(found) == {("Shop", FRANKFURT): Effect.REPLACED, ("Web", FRANKFURT): Effect.UNCHANGED}


def test_override_that_left_the_manifest_is_taken_back() -> None:
    live = live_stackset(
        "base", [(ROOT_ID, FRANKFURT)], [instance(2, overrides={"Name": "prod"})], tags=OWNED | {OVERRIDES_TAG: "true"}
    )
    found = plan(
        desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", ROOT)]), observed(LIVE_UNITS, LIVE[:1], stacksets=[live])
    )
    assert "deploy StackSet base again to Shop in Root · eu-central-1 (overrides)" in says(found)


def test_outdated_instance_is_deployed_again() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2, status="OUTDATED", reason="role exists")])
    found = plan(
        desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", ROOT)]), observed(LIVE_UNITS, LIVE[:1], stacksets=[live])
    )
    assert says(found) == ["deploy StackSet base again to Shop in Root · eu-central-1 (outdated)"]
    assert found.previews[0].instances[0].reason == "outdated: role exists"


def test_inoperable_instance_is_a_note_and_no_step() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2, status="INOPERABLE", reason="stuck")])
    found = plan(
        desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", ROOT)]), observed(LIVE_UNITS, LIVE[:1], stacksets=[live])
    )
    assert says(found) == []
    assert found.notes[0].startswith("StackSet base in Shop eu-central-1 is inoperable (stuck)")


def test_instance_in_a_suspended_account_is_neither_updated_nor_deleted() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2), instance(9)])
    there = observed(LIVE_UNITS, [LIVE[0], live_account("Old", 9, "Dev", state="SUSPENDED")], stacksets=[live])
    wanted = desired(TWO_UNITS, [SHOP, account("Old", "Dev", state="closed")], stacksets=[stackset("base", ROOT)])
    found = plan(wanted, there)
    assert says(found) == []
    assert effects(found) == {("Shop", FRANKFURT): Effect.UNCHANGED}


def test_account_that_is_closed_is_withdrawn_from_first_and_keeps_its_stack() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2)])
    wanted = desired(TWO_UNITS, [account("Shop", "Prod", state="closed")], stacksets=[stackset("base", ROOT)])
    found = plan(wanted, observed(LIVE_UNITS, LIVE[:1], stacksets=[live]))
    assert says(found) == [
        "withdraw StackSet base from Shop in Prod · eu-central-1, keeping the stacks",
        "close account Shop",
    ]
    assert effects(found) == {("Shop", FRANKFURT): Effect.RETAINED}


def test_account_that_leaves_the_target_unit_is_withdrawn_from_before_it_moves() -> None:
    live = live_stackset("base", [("ou-prod", FRANKFURT)], [instance(2)])
    wanted = desired(TWO_UNITS, [account("Shop", "Dev")], stacksets=[stackset("base", "Prod")])
    found = plan(wanted, observed(LIVE_UNITS, LIVE[:1], stacksets=[live]))
    assert says(found) == [
        "withdraw StackSet base from Shop in Prod · eu-central-1",
        "move account Shop: Prod → Dev",
    ]


def test_filters_name_the_accounts_and_switch_auto_deployment_off() -> None:
    only = stackset("base", ROOT, only_accounts=(AccountName("Shop"),))
    found = plan(desired(TWO_UNITS, [SHOP, WEB], stacksets=[only]), observed(LIVE_UNITS, LIVE))
    assert says(found) == ["create StackSet base", "deploy StackSet base to Shop in Root · eu-central-1"]


def test_unmanaged_account_in_a_targeted_unit_is_counted_because_aws_deploys_to_it() -> None:
    found = plan(desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", ROOT)]), observed(LIVE_UNITS, LIVE))
    assert set(effects(found)) == {("Shop", FRANKFURT), ("Web (000000000003)", FRANKFURT)}


def test_stackset_deploys_after_those_that_it_depends_on() -> None:
    wanted = desired(TWO_UNITS, [SHOP], stacksets=[stackset("b", ROOT, depends_on=("a",)), stackset("a", ROOT)])
    found = plan(wanted, observed(LIVE_UNITS, LIVE[:1]))
    deploy = next(step for step in found.steps if step.id == "create-stack-instances:b@1")
    assert "create-stack-instances:a@1" in deploy.needs


def test_owned_stackset_that_left_the_manifest_is_withdrawn_and_deleted() -> None:
    live = live_stackset("old", [("ou-prod", FRANKFURT)], [instance(2)])
    found = plan(desired(TWO_UNITS, [SHOP]), observed(LIVE_UNITS, LIVE[:1], stacksets=[live]))
    assert says(found) == ["withdraw StackSet old from Prod · eu-central-1", "delete StackSet old"]
    assert found.steps[1].needs == ("delete-stack-instances:old@1",)


def test_stackset_that_leaves_lets_go_of_the_instances_in_closed_accounts_first() -> None:
    live = live_stackset("old", [("ou-prod", FRANKFURT)], [instance(2), instance(9, unit_id="ou-prod")])
    there = observed(LIVE_UNITS, [LIVE[0], live_account("Late", 9, "Prod", state="SUSPENDED")], stacksets=[live])
    found = plan(desired(TWO_UNITS, [SHOP, account("Late", "Prod", state="closed")]), there)
    assert says(found) == [
        "withdraw StackSet old from Late in Prod · eu-central-1, keeping the stacks",
        "withdraw StackSet old from Prod · eu-central-1",
        "delete StackSet old",
    ]
    assert found.steps[2].needs == ("delete-stack-instances:old@1", "delete-stack-instances:old@2")
    assert effects(found) == {("Shop", FRANKFURT): Effect.DELETED, ("Late", FRANKFURT): Effect.RETAINED}


def test_stackset_with_instances_in_accounts_that_are_gone_stays_and_says_so() -> None:
    live = live_stackset("old", [("ou-prod", FRANKFURT)], [instance(2), instance(9, unit_id="ou-prod")])
    found = plan(desired(TWO_UNITS, [SHOP]), observed(LIVE_UNITS, LIVE[:1], stacksets=[live]))
    assert says(found) == ["withdraw StackSet old from Shop in Prod · eu-central-1"]
    (note,) = found.notes
    assert note == (
        "StackSet old is not deleted, because it has instances in accounts that left the organization (000000000009): "
        "delete those by hand, keeping their stacks"
    )


def test_instance_of_an_account_that_moved_out_of_every_target_is_reached_through_the_root() -> None:
    only = stackset("base", "Prod", only_accounts=(AccountName("Other"),))
    live = live_stackset("base", [("ou-prod", FRANKFURT)], [instance(2, unit_id="ou-prod")], auto_deployment=False)
    there = observed(LIVE_UNITS, [live_account("Shop", 2, "Dev")], stacksets=[live])
    found = plan(desired(TWO_UNITS, [account("Shop", "Dev")], stacksets=[only]), there)
    assert says(found) == ["withdraw StackSet base from Shop in Root · eu-central-1"]


def test_stackset_goes_after_those_that_depended_on_it_have_let_go() -> None:
    first = live_stackset("first", [], [])
    second = live_stackset("second", [(ROOT_ID, FRANKFURT)], [], depends_on=("first",))
    found = plan(desired(stacksets=[stackset("second", ROOT)]), observed(stacksets=[first, second]))
    assert says(found) == ["update StackSet second (auto-deployment)", "delete StackSet first"]


def test_dependency_on_a_stackset_without_auto_deployment_orders_the_rollout_only() -> None:
    manual, second = stackset("first", ROOT, auto_deployment=False), stackset("second", ROOT, depends_on=("first",))
    found = plan(desired(TWO_UNITS, [SHOP], stacksets=[manual, second]), observed(LIVE_UNITS, LIVE[:1]))
    made = {step.id: step for step in found.steps}
    create = made["create-stack-set:second"].change
    assert isinstance(create, CreateStackSet)
    assert create.settings.depends_on == ()
    assert "create-stack-instances:first@1" in made["create-stack-instances:second@1"].needs


def test_parameter_that_has_its_default_is_as_if_it_were_not_given() -> None:
    body = json.dumps({"Parameters": {"Label": {"Type": "String", "Default": "plain"}}, "Resources": {}})
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [], template=body, parameters={"Label": "plain"})
    assert says(plan(desired(stacksets=[stackset("base", ROOT, template=body)]), observed(stacksets=[live]))) == []
    other = live_stackset("base", [(ROOT_ID, FRANKFURT)], [], template=body, parameters={"Label": "other"})
    assert says(plan(desired(stacksets=[stackset("base", ROOT, template=body)]), observed(stacksets=[other]))) == [
        "update StackSet base (parameters)"
    ]


def test_description_cannot_be_taken_away_and_so_is_left() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [], description="old")
    assert says(plan(desired(stacksets=[stackset("base", ROOT)]), observed(stacksets=[live]))) == []


def test_changed_template_that_is_not_json_updates_every_instance_and_says_what_it_cannot_say() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [instance(2)], template="Resources: {A: {Type: X}}")
    wanted = desired(TWO_UNITS, [SHOP], stacksets=[stackset("base", ROOT, template="Resources: {B: {Type: X}}")])
    found = plan(wanted, observed(LIVE_UNITS, LIVE[:1], stacksets=[live]))
    assert effects(found) == {("Shop", FRANKFURT): Effect.UPDATED}
    assert found.notes == ("StackSet base: its template is not JSON, so what the change replaces cannot be told",)


def test_deployment_waits_only_for_the_accounts_that_it_reaches() -> None:
    wanted = desired(TWO_UNITS, [SHOP, WEB], stacksets=[stackset("base", "Prod")])
    deploy = next(step for step in plan(wanted, observed()).steps if step.id == "create-stack-instances:base@1")
    assert deploy.after == ("create-account:Shop", "move-account:Shop")


def test_stackset_of_others_is_left_alone_and_adopted_by_naming_it() -> None:
    theirs = live_stackset("theirs", [], [], tags={})
    assert "StackSet theirs" in plan(desired(), observed(stacksets=[theirs])).unmanaged
    found = plan(desired(stacksets=[stackset("theirs", ROOT)]), observed(stacksets=[theirs]))
    assert says(found)[0] == "update StackSet theirs (tags)"


def test_value_of_a_hidden_parameter_cannot_be_compared_and_is_left() -> None:
    live = live_stackset("base", [(ROOT_ID, FRANKFURT)], [], parameters={"Secret": "****"})
    found = plan(desired(stacksets=[stackset("base", ROOT, parameters={"Secret": "x"})]), observed(stacksets=[live]))
    assert says(found) == []
