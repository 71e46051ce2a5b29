"""What StackSets do by themselves when an account joins, moves, or leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from org.sandbox.stackset_auto_deployment import redeploy_account
from tests.support.cloud import HOME, OTHER, Cloud, marker_template, parameters, refusal

AUTO = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
VALUE = {"Value": {"Type": "String", "Default": "one"}}
TEMPLATE = marker_template({"Ref": "Value"}, Parameters=VALUE)


@pytest.fixture
def unit(cloud: Cloud) -> Iterator[str]:
    """A unit, `Workloads`, to whose accounts `baseline` is deployed."""
    cloud.make_stack_set("baseline", TEMPLATE)
    unit = cloud.make_unit("Workloads")
    cloud.deploy("baseline", unit, regions=(HOME, OTHER))
    return unit


def test_an_account_moved_into_a_target_gets_instances_in_its_regions(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account()
    assert cloud.markers(account) == {}
    cloud.move(account, unit)
    assert [cloud.markers(account, region) for region in (HOME, OTHER)] == [{"marker": "one"}] * 2
    instances = cloud.instances("baseline")
    assert set(instances) == {(account, HOME), (account, OTHER)}
    assert {shown["OrganizationalUnitId"] for shown in instances.values()} == {unit}


def test_a_unit_below_the_target_counts(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(cloud.make_unit("Deep", cloud.make_unit("Prod", unit)))
    assert cloud.markers(account) == {"marker": "one"}


def test_an_account_created_under_a_targeted_root_gets_instances(cloud: Cloud) -> None:
    cloud.make_stack_set("baseline", TEMPLATE)
    cloud.deploy("baseline", cloud.root)
    assert cloud.markers(cloud.make_account()) == {"marker": "one"}


def test_an_account_that_leaves_loses_its_stacks(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    cloud.move(account, cloud.root)
    assert [cloud.markers(account, region) for region in (HOME, OTHER)] == [{}, {}]
    assert cloud.stacks(account) == []
    assert cloud.instances("baseline") == {}


def test_an_account_that_leaves_keeps_its_stacks_where_they_are_retained(cloud: Cloud, unit: str) -> None:
    cloud.update("baseline", AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True})
    account = cloud.make_account(unit)
    cloud.move(account, cloud.root)
    assert cloud.markers(account) == {"marker": "one"}
    assert cloud.instances("baseline") == {}


def test_an_account_moved_between_targets_changes_its_stack_sets(cloud: Cloud, unit: str) -> None:
    other = cloud.make_unit("Sandbox")
    role = marker_template("two")
    role["Resources"]["Marker"]["Properties"]["Name"] = "other"
    cloud.make_stack_set("second", role)
    cloud.deploy("second", other)
    account = cloud.make_account(unit)
    cloud.move(account, other)
    assert cloud.markers(account) == {"other": "two"}


def test_an_account_moved_within_a_target_keeps_its_stack(cloud: Cloud, unit: str) -> None:
    prod, dev = cloud.make_unit("Prod", unit), cloud.make_unit("Dev", unit)
    account = cloud.make_account(prod)
    before = cloud.instances("baseline")[account, HOME]["StackId"]
    cloud.move(account, dev)
    assert cloud.instances("baseline")[account, HOME]["StackId"] == before


def test_without_auto_deployment_nothing_happens(cloud: Cloud, unit: str) -> None:
    stays = cloud.make_account(unit)
    cloud.update("baseline", AutoDeployment={"Enabled": False})
    assert cloud.markers(cloud.make_account(unit)) == {}
    cloud.move(stays, cloud.root)
    assert cloud.markers(stays) == {"marker": "one"}


def test_account_filters_and_overrides_do_not_reach_new_accounts(cloud: Cloud) -> None:
    cloud.make_stack_set("baseline", TEMPLATE)
    unit = cloud.make_unit("Workloads")
    first = cloud.make_account(unit)
    cloud.deploy(
        "baseline",
        unit,
        targets={"Accounts": [first], "AccountFilterType": "INTERSECTION"},
        ParameterOverrides=parameters(Value="two"),
    )
    second = cloud.make_account(unit)
    assert [cloud.markers(account) for account in (first, second)] == [{"marker": "two"}, {"marker": "one"}]


def test_new_accounts_get_the_current_template(cloud: Cloud, unit: str) -> None:
    cloud.update("baseline", marker_template("two"))
    assert cloud.markers(cloud.make_account(unit)) == {"marker": "two"}


def test_deleting_a_units_instances_ends_its_auto_deployment(cloud: Cloud, unit: str) -> None:
    cloud.withdraw("baseline", unit, regions=(OTHER,))
    account = cloud.make_account(unit)
    assert [cloud.markers(account, region) for region in (HOME, OTHER)] == [{"marker": "one"}, {}]
    cloud.withdraw("baseline", unit, regions=(HOME,))
    assert cloud.markers(cloud.make_account(unit)) == {}


def test_a_closed_account_keeps_its_instances(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    cloud.close(account)
    assert set(cloud.instances("baseline")) == {(account, HOME), (account, OTHER)}


def test_auto_deployment_stops_with_the_access_to_the_organization(cloud: Cloud, unit: str) -> None:
    cloud.cloudformation.deactivate_organizations_access()
    assert cloud.markers(cloud.make_account(unit)) == {}


def test_an_automatic_operation_needs_no_poll(cloud: Cloud, unit: str) -> None:
    cloud.make_account(unit)
    cloud.deploy("baseline", unit)
    newest = cloud.cloudformation.list_stack_set_operations(StackSetName="baseline")["Summaries"]
    assert {each["Status"] for each in newest} == {"SUCCEEDED"}


def test_a_dependency_is_deployed_first(cloud: Cloud) -> None:
    # The second StackSet reads what the first has made, and was made before it has a dependency.
    cloud.make_stack_set("a-second", marker_template("one"))
    cloud.make_stack_set("b-first", exporter())
    arn = cloud.describe("b-first")["StackSetARN"]
    cloud.update("a-second", importer(), AutoDeployment={**AUTO, "DependsOn": [arn]})
    unit = cloud.make_unit("Workloads")
    cloud.deploy("a-second", unit)
    cloud.deploy("b-first", unit)
    account = cloud.make_account(unit)
    assert cloud.markers(account) == {"source": "exported", "marker": "exported"}
    cloud.move(account, cloud.root)
    assert cloud.markers(account) == {}


def test_what_depends_on_a_failure_is_not_begun(cloud: Cloud) -> None:
    cloud.make_stack_set("first", exporter())
    arn = cloud.describe("first")["StackSetARN"]
    cloud.make_stack_set("second", marker_template(), AutoDeployment={**AUTO, "DependsOn": [arn]})
    unit = cloud.make_unit("Workloads")
    cloud.deploy("first", unit)
    cloud.deploy("second", unit)
    account = cloud.make_account()
    cloud.client("ssm", account).put_parameter(Name="source", Value="in the way", Type="String")
    cloud.move(account, unit)
    assert cloud.markers(account) == {"source": "in the way"}
    newest = cloud.cloudformation.list_stack_set_operations(StackSetName="second")["Summaries"][0]
    assert (newest["Status"], newest["StatusReason"]) == (
        "FAILED",
        f"Not begun, since StackSets that it depends on failed: {arn}",
    )


def test_at_most_ten_dependencies_are_allowed(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.make_stack_set("baseline", TEMPLATE, AutoDeployment={**AUTO, "DependsOn": ["arn"] * 11})
    assert refusal(error) == "LimitExceededException: A StackSet can have at most 10 dependencies"


def test_a_repeated_announcement_changes_nothing(cloud: Cloud, unit: str) -> None:
    account = cloud.make_account(unit)
    before = cloud.instances("baseline")
    redeploy_account(cloud.management, account, cloud.root, unit)
    assert cloud.instances("baseline") == before


def exporter() -> dict[str, object]:
    template = marker_template("exported")
    template["Resources"]["Marker"]["Properties"]["Name"] = "source"
    output = {"Value": {"Fn::GetAtt": "Marker.Value"}, "Export": {"Name": "source-value"}}
    return {**template, "Outputs": {"Source": output}}


def importer() -> dict[str, object]:
    return marker_template({"Fn::ImportValue": "source-value"})
