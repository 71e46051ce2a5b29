"""What an update of a StackSet, or of its instances, changes in the member accounts."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import HOME, OTHER, Cloud, marker_template, parameters, refusal, tags

VALUE = {"Value": {"Type": "String", "Default": "default"}}
TEMPLATE = marker_template({"Fn::Sub": "${Value} here"}, Parameters=VALUE)


@pytest.fixture
def deployed(cloud: Cloud) -> Cloud:
    """`baseline` in the units `Prod` and `Dev`, one account in each."""
    cloud.make_stack_set("baseline", TEMPLATE, Parameters=parameters(Value="one"))
    for name in ("Prod", "Dev"):
        cloud.make_account(cloud.make_unit(name))
    cloud.deploy("baseline", *units(cloud))
    return cloud


def units(cloud: Cloud) -> list[str]:
    answer = cloud.organizations.list_organizational_units_for_parent(ParentId=cloud.root)
    return sorted(unit["Id"] for unit in answer["OrganizationalUnits"])


def account_in(cloud: Cloud, unit: str) -> str:
    return str(cloud.organizations.list_accounts_for_parent(ParentId=unit)["Accounts"][0]["Id"])


def accounts(cloud: Cloud) -> list[str]:
    return [account_in(cloud, unit) for unit in units(cloud)]


def values(cloud: Cloud) -> list[str]:
    return [cloud.markers(account)["marker"] for account in accounts(cloud)]


# --- UpdateStackSet


def test_a_new_template_is_rolled_out_to_every_instance(deployed: Cloud) -> None:
    assert deployed.update("baseline", marker_template("two"))["Status"] == "SUCCEEDED"
    assert values(deployed) == ["two", "two"]
    assert {status for status, _ in deployed.statuses("baseline").values()} == {"CURRENT"}
    assert [stack["StackStatus"] for stack in deployed.stacks(accounts(deployed)[0])] == ["UPDATE_COMPLETE"]


def test_a_resource_that_left_the_template_is_removed(deployed: Cloud) -> None:
    other = marker_template()["Resources"]["Marker"]
    other = {**other, "Properties": {**other["Properties"], "Name": "other"}}
    deployed.update("baseline", {"Resources": {"Other": other}})
    assert deployed.markers(accounts(deployed)[0]) == {"other": "one"}


def test_a_parameter_used_only_in_a_substitution_changes_the_resource(deployed: Cloud) -> None:
    deployed.update("baseline", Parameters=parameters(Value="two"))
    assert values(deployed) == ["two here", "two here"]


def test_a_parameter_that_is_not_given_falls_back_to_its_default(deployed: Cloud) -> None:
    deployed.update("baseline", TEMPLATE)
    assert values(deployed) == ["default here", "default here"]


def test_a_parameter_keeps_its_value_when_told_to(deployed: Cloud) -> None:
    deployed.update("baseline", Parameters=[{"ParameterKey": "Value", "UsePreviousValue": True}])
    assert values(deployed) == ["one here", "one here"]


def test_new_instances_get_the_updated_template(deployed: Cloud) -> None:
    deployed.update("baseline", marker_template("two"))
    newcomer = deployed.make_account()
    deployed.deploy("baseline", deployed.root)
    assert deployed.markers(newcomer) == {"marker": "two"}


def test_an_update_of_some_targets_leaves_the_others_outdated(deployed: Cloud) -> None:
    first, second = units(deployed)
    deployed.update(
        "baseline",
        marker_template("two"),
        DeploymentTargets={"OrganizationalUnitIds": [first]},
        Regions=[HOME],
    )
    assert values(deployed) == ["two", "one here"]
    assert deployed.statuses("baseline") == {
        account_in(deployed, first): ("CURRENT", "SUCCEEDED"),
        account_in(deployed, second): ("OUTDATED", "SUCCEEDED"),
    }
    deployed.deploy("baseline", second)
    assert values(deployed) == ["two", "two"]


def test_new_tags_reach_the_stacks_and_their_resources(deployed: Cloud) -> None:
    deployed.update("baseline", TEMPLATE, Tags=tags(Team="platform", Stage="all"))
    deployed.update("baseline", TEMPLATE, Tags=tags(Team="security"))
    account = accounts(deployed)[0]
    kept = deployed.client("ssm", account).list_tags_for_resource(ResourceType="Parameter", ResourceId="marker")
    assert kept["TagList"] == tags(Team="security")
    assert deployed.stacks(account)[0]["Tags"] == tags(Team="security")
    assert deployed.describe("baseline")["Tags"] == tags(Team="security")


def test_tags_that_are_not_given_stay_and_an_empty_list_removes_them(deployed: Cloud) -> None:
    deployed.update("baseline", TEMPLATE, Tags=tags(Team="platform"))
    deployed.update("baseline", TEMPLATE)
    assert deployed.describe("baseline")["Tags"] == tags(Team="platform")
    deployed.update("baseline", TEMPLATE, Tags=[])
    assert deployed.describe("baseline")["Tags"] == []


def test_description_auto_deployment_and_execution_are_changed(deployed: Cloud) -> None:
    deployed.update(
        "baseline",
        Description="second",
        AutoDeployment={"Enabled": False},
        ManagedExecution={"Active": True},
        Parameters=[{"ParameterKey": "Value", "UsePreviousValue": True}],
    )
    shown = deployed.describe("baseline")
    assert (shown["Description"], shown["AutoDeployment"], shown["ManagedExecution"]) == (
        "second",
        {"Enabled": False},
        {"Active": True},
    )


def test_the_stack_set_changes_even_where_the_roll_out_fails(deployed: Cloud) -> None:
    first, second = sorted(accounts(deployed))
    for account in (first, second):
        deployed.client("ssm", account).put_parameter(Name="taken", Value="in the way", Type="String")
    taken = marker_template()
    taken["Resources"]["Marker"]["Properties"]["Name"] = "taken"
    assert deployed.update("baseline", taken)["Status"] == "FAILED"
    assert json.loads(deployed.describe("baseline")["TemplateBody"]) == taken
    assert deployed.markers(first) == {"marker": "one here", "taken": "in the way"}
    assert [stack["StackStatus"] for stack in deployed.stacks(first)] == ["UPDATE_ROLLBACK_COMPLETE"]
    assert deployed.statuses("baseline")[first] == ("OUTDATED", "FAILED")


def test_a_dependency_that_leads_back_is_refused(deployed: Cloud) -> None:
    arn = deployed.describe("baseline")["StackSetARN"]
    auto = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    deployed.make_stack_set("second", TEMPLATE, AutoDeployment={**auto, "DependsOn": [arn]})
    second = deployed.describe("second")["StackSetARN"]
    with pytest.raises(ClientError) as error:
        deployed.update("baseline", TEMPLATE, AutoDeployment={**auto, "DependsOn": [second]})
    assert refusal(error) == "ValidationError: AutoDeployment.DependsOn leads back to the StackSet itself"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"TemplateBody": json.dumps(TEMPLATE), "UsePreviousTemplate": True},
            "ValidationError: You cannot specify both usePreviousTemplate and Template Body/Template URL.",
        ),
        ({}, "ValidationError: Either Template URL or Template Body must be specified."),
        (
            {"UsePreviousTemplate": True, "Parameters": parameters(Valu="two")},
            "ValidationError: Parameters: [Valu] do not exist in the template",
        ),
        (
            {"UsePreviousTemplate": True, "Regions": [HOME]},
            "ValidationError: DeploymentTargets and Regions must be specified together",
        ),
        (
            {
                "UsePreviousTemplate": True,
                "Regions": [HOME],
                "DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"]},
                "AutoDeployment": {"Enabled": False},
            },
            "ValidationError: If you specify AutoDeployment, don't specify DeploymentTargets or Regions",
        ),
    ],
)
def test_an_update_that_aws_would_refuse_changes_nothing(
    deployed: Cloud, settings: dict[str, object], message: str
) -> None:
    if "DeploymentTargets" in settings:
        settings = {**settings, "DeploymentTargets": {"OrganizationalUnitIds": [deployed.root]}}
    with pytest.raises(ClientError) as error:
        deployed.cloudformation.update_stack_set(StackSetName="baseline", **settings)
    assert refusal(error) == message
    assert values(deployed) == ["one here", "one here"]
    assert {status for status, _ in deployed.statuses("baseline").values()} == {"CURRENT"}


def test_an_update_without_the_capabilities_is_refused(cloud: Cloud) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    cloud.make_stack_set("roles", {"Resources": {"Audit": role}})
    with pytest.raises(ClientError) as error:
        cloud.cloudformation.update_stack_set(StackSetName="roles", UsePreviousTemplate=True)
    assert refusal(error) == "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]"


# --- UpdateStackInstances


def test_an_override_changes_the_resources_of_its_targets_only(deployed: Cloud) -> None:
    first, _ = units(deployed)
    assert deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))["Status"] == "SUCCEEDED"
    assert values(deployed) == ["two here", "one here"]


def test_an_overridden_parameter_stays_overridden_when_the_stack_set_changes(deployed: Cloud) -> None:
    first, _ = units(deployed)
    deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))
    deployed.update("baseline", Parameters=parameters(Value="three"))
    assert values(deployed) == ["two here", "three here"]


def test_a_list_of_overrides_without_the_parameter_returns_it_to_the_stack_set(deployed: Cloud) -> None:
    first, _ = units(deployed)
    deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))
    deployed.override("baseline", first, ParameterOverrides=[])
    assert values(deployed) == ["one here", "one here"]


def test_no_list_of_overrides_leaves_them_as_they_are(deployed: Cloud) -> None:
    first, _ = units(deployed)
    deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))
    deployed.override("baseline", first)
    assert values(deployed) == ["two here", "one here"]


def test_an_override_keeps_its_value_when_told_to(deployed: Cloud) -> None:
    first, second = units(deployed)
    deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))
    keep = [{"ParameterKey": "Value", "UsePreviousValue": True}]
    deployed.override("baseline", first, second, ParameterOverrides=keep)
    assert values(deployed) == ["two here", "one here"]


def test_the_override_of_a_parameter_that_is_gone_is_forgotten(deployed: Cloud) -> None:
    first, _ = units(deployed)
    deployed.override("baseline", first, ParameterOverrides=parameters(Value="two"))
    assert deployed.update("baseline", marker_template("fixed"))["Status"] == "SUCCEEDED"
    assert values(deployed) == ["fixed", "fixed"]


def test_overrides_by_account_reach_that_account(deployed: Cloud) -> None:
    _, second = units(deployed)
    targets = {"Accounts": [account_in(deployed, second)], "AccountFilterType": "INTERSECTION"}
    deployed.override("baseline", *units(deployed), targets=targets, ParameterOverrides=parameters(Value="two"))
    assert values(deployed) == ["one here", "two here"]


def test_an_override_where_there_is_no_instance_is_not_found(deployed: Cloud) -> None:
    first, _ = units(deployed)
    with pytest.raises(ClientError) as error:
        deployed.override("baseline", first, regions=(OTHER,), ParameterOverrides=parameters(Value="two"))
    assert refusal(error) == "StackInstanceNotFoundException: The specified stack instance doesn't exist."


def test_an_override_of_an_unknown_parameter_is_refused(deployed: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        deployed.override("baseline", units(deployed)[0], ParameterOverrides=parameters(Valu="two"))
    assert refusal(error) == "ValidationError: Parameters: [Valu] do not exist in the template"


def test_the_stack_of_a_closed_account_is_skipped(deployed: Cloud) -> None:
    first, second = accounts(deployed)
    deployed.close(first)
    assert deployed.update("baseline", marker_template("two"))["Status"] == "SUCCEEDED"
    assert deployed.statuses("baseline") == {
        first: ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT"),
        second: ("CURRENT", "SUCCEEDED"),
    }
    assert deployed.markers(second) == {"marker": "two"}
