"""Which accounts get an instance of a StackSet, what is then in them, and how instances go away."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import HOME, OTHER, Cloud, marker_template, parameters, refusal, tags

FILTER_MISSING = (
    "ValidationError: AccountFilterType should be specified when both OrganizationalUnitIds and Accounts are provided"
)
UNKNOWN_UNIT = "ou-abcd-12345678"


@pytest.fixture
def baseline(cloud: Cloud) -> Cloud:
    """One StackSet, `baseline`, without auto-deployment, and nowhere deployed."""
    template = marker_template({"Ref": "Value"}, Parameters={"Value": {"Type": "String", "Default": "one"}})
    cloud.make_stack_set("baseline", template, AutoDeployment={"Enabled": False}, Tags=tags(Team="platform"))
    return cloud


# --- targets


def test_a_stack_in_the_member_account_holds_the_resources(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    operation = baseline.deploy("baseline", unit, regions=(HOME, OTHER))
    assert operation["Status"] == "SUCCEEDED"
    for region in (HOME, OTHER):
        assert baseline.markers(account, region) == {"marker": "one"}
        (stack,) = baseline.stacks(account, region)
        assert stack["StackName"].startswith("StackSet-baseline-")
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert stack["Tags"] == tags(Team="platform")
        assert stack["StackId"] == baseline.instances("baseline")[account, region]["StackId"]
        kept = baseline.client("ssm", account, region).list_tags_for_resource(
            ResourceType="Parameter", ResourceId="marker"
        )
        assert kept["TagList"] == tags(Team="platform")


def test_units_at_any_depth_are_reached(baseline: Cloud) -> None:
    top = baseline.make_unit("Workloads")
    unit = top
    for name in ("A", "B", "C", "D"):
        unit = baseline.make_unit(name, unit)
    account = baseline.make_account(unit)
    baseline.deploy("baseline", top)
    assert baseline.markers(account) == {"marker": "one"}


def test_the_root_reaches_every_account_but_the_management_account(baseline: Cloud) -> None:
    accounts = [baseline.make_account(), baseline.make_account(baseline.make_unit("Workloads"))]
    baseline.deploy("baseline", baseline.root)
    assert [baseline.markers(account) for account in accounts] == [{"marker": "one"}] * 2
    assert baseline.markers(baseline.management) == {}
    assert {account for account, _ in baseline.instances("baseline")} == set(accounts)


def test_the_management_account_is_never_targeted_even_by_name(baseline: Cloud) -> None:
    baseline.make_account()
    targets = {"Accounts": [baseline.management], "AccountFilterType": "INTERSECTION"}
    baseline.deploy("baseline", baseline.root, targets=targets)
    assert baseline.markers(baseline.management) == {}
    assert baseline.instances("baseline") == {}


def test_an_account_outside_the_unit_gets_nothing(baseline: Cloud) -> None:
    unit, other = baseline.make_unit("Workloads"), baseline.make_unit("Sandbox")
    baseline.make_account(unit)
    outside = baseline.make_account(other)
    baseline.deploy("baseline", unit)
    assert baseline.markers(outside) == {}


def test_intersection_deploys_to_the_named_accounts_of_the_unit_only(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    inside, left_out = baseline.make_account(unit), baseline.make_account(unit)
    outside = baseline.make_account()
    targets = {"Accounts": [inside, outside], "AccountFilterType": "INTERSECTION"}
    baseline.deploy("baseline", unit, targets=targets)
    assert [baseline.markers(account) for account in (inside, left_out, outside)] == [{"marker": "one"}, {}, {}]


def test_difference_spares_the_named_accounts_of_the_unit(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    inside, spared = baseline.make_account(unit), baseline.make_account(unit)
    baseline.deploy("baseline", unit, targets={"Accounts": [spared], "AccountFilterType": "DIFFERENCE"})
    assert [baseline.markers(account) for account in (inside, spared)] == [{"marker": "one"}, {}]


def test_units_that_overlap_give_one_instance(baseline: Cloud) -> None:
    top = baseline.make_unit("Workloads")
    below = baseline.make_unit("Prod", top)
    account = baseline.make_account(below)
    operation = baseline.deploy("baseline", top, below)
    assert baseline.results("baseline", operation["OperationId"]) == {(account, HOME): "SUCCEEDED"}
    assert len(baseline.stacks(account)) == 1


def test_an_instance_knows_the_unit_that_it_was_targeted_through(baseline: Cloud) -> None:
    top = baseline.make_unit("Workloads")
    account = baseline.make_account(baseline.make_unit("Prod", top))
    baseline.deploy("baseline", top)
    assert baseline.instances("baseline")[account, HOME]["OrganizationalUnitId"] == top


def test_a_closed_account_is_not_targeted(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    closed, open_ = baseline.make_account(unit), baseline.make_account(unit)
    baseline.close(closed)
    operation = baseline.deploy("baseline", unit)
    assert operation["Status"] == "SUCCEEDED"
    assert set(baseline.instances("baseline")) == {(open_, HOME)}


def test_an_empty_unit_is_a_target_all_the_same(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    operation = baseline.deploy("baseline", unit)
    assert operation["Status"] == "SUCCEEDED"
    assert baseline.describe("baseline")["OrganizationalUnitIds"] == [unit]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"Accounts": ["111111111111"]},
            (
                "ValidationError: StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as "
                "target"
            ),
        ),
        (
            {"DeploymentTargets": {"Accounts": ["111111111111"]}},
            (
                "ValidationError: StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as "
                "target"
            ),
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"], "Accounts": ["111111111111"]}},
            FILTER_MISSING,
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"], "AccountFilterType": "INTERSECTION"}},
            FILTER_MISSING,
        ),
        (
            {
                "DeploymentTargets": {
                    "OrganizationalUnitIds": ["ROOT"],
                    "Accounts": ["111111111111"],
                    "AccountFilterType": "UNION",
                }
            },
            "ValidationError: AccountFilterType UNION is not supported for CreateStackInstances",
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": [UNKNOWN_UNIT]}},
            f"ValidationError: Organizational units not found: {UNKNOWN_UNIT}",
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["Workloads"]}},
            (
                "ValidationError: 1 validation error detected: Value '[Workloads]' at "
                "'deploymentTargets.organizationalUnitIds' failed to satisfy constraint: Member must satisfy regular "
                "expression pattern: ^(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})$"
            ),
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"], "AccountsUrl": "https://s3/list.csv"}},
            "ValidationError: the orgctl sandbox does not emulate DeploymentTargets.AccountsUrl",
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"]}, "Regions": ["mars-1"]},
            "ValidationError: Invalid Regions: mars-1",
        ),
        (
            {
                "DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"]},
                "ParameterOverrides": parameters(Valu="two"),
            },
            "ValidationError: Parameters: [Valu] do not exist in the template",
        ),
        (
            {
                "DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"]},
                "OperationPreferences": {"FailureToleranceCount": 1, "FailureTolerancePercentage": 1},
            },
            "ValidationError: You can specify either FailureToleranceCount or FailureTolerancePercentage, but not both",
        ),
        (
            {
                "DeploymentTargets": {"OrganizationalUnitIds": ["ROOT"]},
                "OperationPreferences": {"RegionOrder": [OTHER]},
            },
            f"ValidationError: RegionOrder names Regions that are not part of the operation: {OTHER}",
        ),
    ],
)
def test_targets_that_aws_would_refuse_are_refused(baseline: Cloud, arguments: dict[str, Any], message: str) -> None:
    targets = arguments.get("DeploymentTargets", {})
    if targets.get("OrganizationalUnitIds") == ["ROOT"]:
        arguments = {**arguments, "DeploymentTargets": {**targets, "OrganizationalUnitIds": [baseline.root]}}
    with pytest.raises(ClientError) as error:
        baseline.cloudformation.create_stack_instances(StackSetName="baseline", **{"Regions": [HOME], **arguments})
    assert refusal(error) == message


# --- again


def test_an_instance_that_is_there_is_left_as_it_is(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    baseline.deploy("baseline", unit)
    before = baseline.instances("baseline")[account, HOME]["StackId"]
    baseline.client("ssm", account).put_parameter(Name="marker", Value="by hand", Overwrite=True)
    newcomer = baseline.make_account(unit)
    baseline.deploy("baseline", unit)
    assert baseline.instances("baseline")[account, HOME]["StackId"] == before
    assert baseline.markers(account) == {"marker": "by hand"}
    assert baseline.markers(newcomer) == {"marker": "one"}


def test_an_instance_that_failed_is_deployed_again(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    baseline.client("ssm", account).put_parameter(Name="marker", Value="in the way", Type="String")
    assert baseline.deploy("baseline", unit)["Status"] == "FAILED"
    baseline.client("ssm", account).delete_parameter(Name="marker")
    assert baseline.deploy("baseline", unit)["Status"] == "SUCCEEDED"
    assert baseline.markers(account) == {"marker": "one"}
    assert [stack["StackStatus"] for stack in baseline.stacks(account)] == ["CREATE_COMPLETE"]


# --- reading


def test_instances_are_listed_in_pages_and_by_account_and_region(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    accounts = baseline.make_accounts(3, unit)
    baseline.deploy("baseline", unit, regions=(HOME, OTHER))
    page = baseline.cloudformation.list_stack_instances(StackSetName="baseline", MaxResults=4)
    assert len(page["Summaries"]) == 4
    rest = baseline.cloudformation.list_stack_instances(
        StackSetName="baseline", MaxResults=4, NextToken=page["NextToken"]
    )
    assert len(rest["Summaries"]) == 2
    assert set(baseline.instances("baseline", StackInstanceAccount=accounts[1])) == {
        (accounts[1], HOME),
        (accounts[1], OTHER),
    }
    assert set(baseline.instances("baseline", StackInstanceRegion=OTHER)) == {(account, OTHER) for account in accounts}


def test_instances_are_filtered_by_status_operation_and_drift(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    broken, sound = baseline.make_accounts(2, unit)
    baseline.client("ssm", broken).put_parameter(Name="marker", Value="in the way", Type="String")
    operation = baseline.deploy("baseline", unit, OperationPreferences={"FailureToleranceCount": 1})

    def listed(name: str, values: str) -> set[str]:
        shown = baseline.instances("baseline", Filters=[{"Name": name, "Values": values}])
        return {account for account, _ in shown}

    assert listed("DETAILED_STATUS", "FAILED") == {broken}
    assert listed("DETAILED_STATUS", "SUCCEEDED") == {sound}
    assert listed("LAST_OPERATION_ID", operation["OperationId"]) == {broken, sound}
    assert listed("LAST_OPERATION_ID", "other") == set()
    assert listed("DRIFT_STATUS", "NOT_CHECKED") == {broken, sound}


def test_an_instance_is_described_with_its_overrides(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    operation = baseline.deploy("baseline", unit, ParameterOverrides=parameters(Value="two"))
    shown = baseline.cloudformation.describe_stack_instance(
        StackSetName="baseline", StackInstanceAccount=account, StackInstanceRegion=HOME
    )["StackInstance"]
    assert shown.pop("StackId").startswith(f"arn:aws:cloudformation:{HOME}:{account}:stack/StackSet-baseline-")
    assert shown == {
        "StackSetId": baseline.describe("baseline")["StackSetId"],
        "Region": HOME,
        "Account": account,
        "ParameterOverrides": parameters(Value="two"),
        "Status": "CURRENT",
        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
        "OrganizationalUnitId": unit,
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": operation["OperationId"],
    }
    assert baseline.markers(account) == {"marker": "two"}


def test_an_instance_that_does_not_exist_is_not_found(baseline: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        baseline.cloudformation.describe_stack_instance(
            StackSetName="baseline", StackInstanceAccount="111111111111", StackInstanceRegion=HOME
        )
    assert refusal(error) == (
        "StackInstanceNotFoundException: Stack instance not found for StackSet baseline, account 111111111111, "
        f"region {HOME}"
    )


# --- deletion


def test_deleting_the_instances_of_a_unit_removes_stacks_resources_and_target(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(baseline.make_unit("Prod", unit))
    baseline.deploy("baseline", unit, regions=(HOME, OTHER))
    baseline.withdraw("baseline", unit, regions=(HOME,))
    assert baseline.markers(account, HOME) == {}
    assert baseline.stacks(account, HOME) == []
    assert baseline.markers(account, OTHER) == {"marker": "one"}
    assert deployment_targets(baseline) == {unit: [OTHER]}
    baseline.withdraw("baseline", unit, regions=(OTHER,))
    assert baseline.markers(account, OTHER) == {}
    assert deployment_targets(baseline) == {}
    baseline.cloudformation.delete_stack_set(StackSetName="baseline")


def test_deleting_by_intersection_spares_the_others_and_keeps_the_target(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    first, second = baseline.make_accounts(2, unit)
    baseline.deploy("baseline", unit)
    baseline.withdraw("baseline", unit, targets={"Accounts": [first], "AccountFilterType": "INTERSECTION"})
    assert [baseline.markers(account) for account in (first, second)] == [{}, {"marker": "one"}]
    assert deployment_targets(baseline) == {unit: [HOME]}


def test_a_retained_stack_stays_in_the_account_with_its_resources(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    baseline.deploy("baseline", unit)
    baseline.withdraw("baseline", unit, retain=True)
    assert baseline.instances("baseline") == {}
    assert baseline.markers(account) == {"marker": "one"}
    assert [stack["StackStatus"] for stack in baseline.stacks(account)] == ["CREATE_COMPLETE"]


def test_the_instance_of_a_closed_account_can_only_be_let_go(baseline: Cloud) -> None:
    unit = baseline.make_unit("Workloads")
    account = baseline.make_account(unit)
    baseline.deploy("baseline", unit)
    baseline.close(account)
    assert baseline.withdraw("baseline", unit)["Status"] == "SUCCEEDED"
    assert baseline.statuses("baseline") == {account: ("CURRENT", "SKIPPED_SUSPENDED_ACCOUNT")}
    baseline.withdraw("baseline", unit, retain=True)
    assert baseline.instances("baseline") == {}


def test_a_stack_that_cannot_be_deleted_leaves_its_instance_inoperable(cloud: Cloud) -> None:
    unit = cloud.make_unit("Workloads")
    account = cloud.make_account(unit)
    bucket = {"Resources": {"Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full"}}}}
    cloud.make_stack_set("buckets", bucket)
    cloud.deploy("buckets", unit)
    cloud.client("s3", account).put_object(Bucket="full", Key="key", Body=b"")
    assert cloud.withdraw("buckets", unit)["Status"] == "FAILED"
    assert cloud.statuses("buckets") == {account: ("INOPERABLE", "INOPERABLE")}
    assert cloud.instances("buckets")[account, HOME]["StatusReason"] == (
        "ResourceLogicalId:Logs, ResourceType:AWS::S3::Bucket, ResourceStatusReason:The bucket you tried to delete is "
        "not empty."
    )
    assert [stack["StackStatus"] for stack in cloud.stacks(account)] == ["DELETE_FAILED"]


def test_a_unit_that_is_no_target_cannot_be_deleted_from(baseline: Cloud) -> None:
    unit, other = baseline.make_unit("Workloads"), baseline.make_unit("Sandbox")
    baseline.make_account(unit)
    baseline.deploy("baseline", unit)
    with pytest.raises(ClientError) as error:
        baseline.withdraw("baseline", other)
    assert refusal(error) == f"ValidationError: Organizational unit {other} not found in StackSet"


def deployment_targets(cloud: Cloud) -> dict[str, list[str]]:
    answer = cloud.cloudformation.list_stack_set_auto_deployment_targets(StackSetName="baseline")
    return {each["OrganizationalUnitId"]: each["Regions"] for each in answer["Summaries"]}
