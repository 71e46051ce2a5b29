"""How StackSet operations go on, fail, and wait for each other."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import HOME, OTHER, Cloud, marker_template, refusal

SOFT = {"ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"}


@pytest.fixture
def baseline(cloud: Cloud) -> Cloud:
    cloud.make_stack_set("baseline", marker_template(), AutoDeployment={"Enabled": False})
    return cloud


def obstruct(cloud: Cloud, *accounts: str, region: str = HOME) -> None:
    """Put something in the accounts that the StackSet cannot create over."""
    for account in accounts:
        cloud.client("ssm", account, region).put_parameter(Name="marker", Value="in the way", Type="String")


def status(cloud: Cloud, operation: str) -> str:
    shown = cloud.cloudformation.describe_stack_set_operation(StackSetName="baseline", OperationId=operation)
    return str(shown["StackSetOperation"]["Status"])


# --- polls


def test_an_operation_is_running_at_the_first_poll_and_done_at_the_second(baseline: Cloud) -> None:
    operation = baseline.start_deployment("baseline", baseline.root)
    assert [status(baseline, operation) for _ in range(3)] == ["RUNNING", "SUCCEEDED", "SUCCEEDED"]


def test_an_operation_is_described(baseline: Cloud) -> None:
    operation = baseline.start_deployment(
        "baseline", baseline.root, OperationPreferences={"FailureTolerancePercentage": 10, **SOFT}
    )
    shown = baseline.wait("baseline", operation)
    assert shown.pop("CreationTimestamp") <= shown.pop("EndTimestamp")
    assert shown == {
        "OperationId": operation,
        "StackSetId": baseline.describe("baseline")["StackSetId"],
        "Action": "CREATE",
        "Status": "SUCCEEDED",
        "OperationPreferences": {"FailureTolerancePercentage": 10, **SOFT},
        "DeploymentTargets": {"OrganizationalUnitIds": [baseline.root]},
        "StatusDetails": {"FailedStackInstancesCount": 0},
    }


def test_operations_are_listed_newest_first_and_in_pages(baseline: Cloud) -> None:
    baseline.make_account()
    created = baseline.deploy("baseline", baseline.root)["OperationId"]
    updated = baseline.update("baseline", marker_template("two"))["OperationId"]
    deleted = baseline.withdraw("baseline", baseline.root)["OperationId"]
    first = baseline.cloudformation.list_stack_set_operations(StackSetName="baseline", MaxResults=2)
    rest = baseline.cloudformation.list_stack_set_operations(StackSetName="baseline", NextToken=first["NextToken"])
    shown = [(each["OperationId"], each["Action"], each["Status"]) for each in first["Summaries"] + rest["Summaries"]]
    assert shown == [
        (deleted, "DELETE", "SUCCEEDED"),
        (updated, "UPDATE", "SUCCEEDED"),
        (created, "CREATE", "SUCCEEDED"),
    ]


def test_listing_operations_counts_as_a_poll(baseline: Cloud) -> None:
    baseline.start_deployment("baseline", baseline.root)
    statuses = [
        baseline.cloudformation.list_stack_set_operations(StackSetName="baseline")["Summaries"][0]["Status"]
        for _ in range(2)
    ]
    assert statuses == ["RUNNING", "SUCCEEDED"]


def test_an_unknown_operation_is_not_found(baseline: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        status(baseline, "missing")
    id = baseline.describe("baseline")["StackSetId"]
    assert refusal(error) == f"OperationNotFoundException: Operation missing not found for StackSet {id}"


# --- one after the other


def test_a_second_operation_must_wait_for_the_first(baseline: Cloud) -> None:
    operation = baseline.start_deployment("baseline", baseline.root)
    with pytest.raises(ClientError) as error:
        baseline.start_deployment("baseline", baseline.root)
    id = baseline.describe("baseline")["StackSetId"]
    assert refusal(error) == (
        f"OperationInProgressException: Another Operation on StackSet {id} is in progress: {operation}"
    )


def test_a_stack_set_with_an_operation_is_not_updated(baseline: Cloud) -> None:
    baseline.start_deployment("baseline", baseline.root)
    with pytest.raises(ClientError, match="OperationInProgressException"):
        baseline.start_update("baseline", marker_template("two"))
    assert '"one"' in baseline.describe("baseline")["TemplateBody"]


def test_a_stack_set_with_an_operation_is_not_deleted(baseline: Cloud) -> None:
    baseline.start_deployment("baseline", baseline.root)
    with pytest.raises(ClientError, match="OperationInProgressException"):
        baseline.cloudformation.delete_stack_set(StackSetName="baseline")


def test_a_client_that_only_repeats_a_refused_call_gets_through(baseline: Cloud) -> None:
    baseline.start_deployment("baseline", baseline.root)
    with pytest.raises(ClientError, match="OperationInProgressException"):
        baseline.start_deployment("baseline", baseline.root)
    baseline.start_deployment("baseline", baseline.root)


def test_an_operation_id_is_used_once(baseline: Cloud) -> None:
    baseline.deploy("baseline", baseline.root, OperationId="mine")
    with pytest.raises(ClientError) as error:
        baseline.deploy("baseline", baseline.root, OperationId="mine")
    assert refusal(error) == "OperationIdAlreadyExistsException: Operation mine already exists for StackSet baseline"


def test_managed_execution_queues_operations(cloud: Cloud) -> None:
    account = cloud.make_account()
    cloud.make_stack_set("baseline", marker_template(), ManagedExecution={"Active": True})
    first = cloud.start_deployment("baseline", cloud.root)
    second = cloud.start_update("baseline", marker_template("two"))
    assert cloud.markers(account) == {"marker": "one"}
    assert [status(cloud, second) for _ in range(3)] == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert status(cloud, first) == "SUCCEEDED"
    assert cloud.markers(account) == {"marker": "two"}


def test_a_queued_operation_finds_what_those_before_it_have_made(cloud: Cloud) -> None:
    unit = cloud.make_unit("Workloads")
    account = cloud.make_account(unit)
    cloud.make_stack_set("baseline", marker_template(), ManagedExecution={"Active": True})
    cloud.start_update("baseline", marker_template("two"))
    cloud.start_deployment("baseline", unit)
    assert cloud.withdraw("baseline", unit)["Status"] == "SUCCEEDED"
    assert cloud.instances("baseline") == {}
    assert cloud.markers(account) == {}


def test_the_execution_cannot_be_changed_while_operations_run(cloud: Cloud) -> None:
    cloud.make_stack_set("baseline", marker_template(), ManagedExecution={"Active": True})
    cloud.start_deployment("baseline", cloud.root)
    with pytest.raises(ClientError) as error:
        cloud.start_update("baseline", ManagedExecution={"Active": False})
    assert refusal(error) == (
        "InvalidOperationException: The execution configuration cannot be changed while operations run or are queued"
    )


# --- stopping


def test_a_running_operation_is_stopped(baseline: Cloud) -> None:
    operation = baseline.start_deployment("baseline", baseline.root)
    baseline.cloudformation.stop_stack_set_operation(StackSetName="baseline", OperationId=operation)
    assert [status(baseline, operation) for _ in range(2)] == ["STOPPING", "STOPPED"]


def test_a_queued_operation_that_is_stopped_never_runs(cloud: Cloud) -> None:
    account = cloud.make_account()
    cloud.make_stack_set("baseline", marker_template(), ManagedExecution={"Active": True})
    first = cloud.start_deployment("baseline", cloud.root)
    second = cloud.start_update("baseline", marker_template("two"))
    cloud.cloudformation.stop_stack_set_operation(StackSetName="baseline", OperationId=second)
    assert cloud.wait("baseline", first)["Status"] == "SUCCEEDED"
    assert status(cloud, second) == "STOPPED"
    assert cloud.markers(account) == {"marker": "one"}
    assert cloud.statuses("baseline") == {account: ("OUTDATED", "SUCCEEDED")}


def test_an_operation_that_is_done_cannot_be_stopped(baseline: Cloud) -> None:
    operation = baseline.deploy("baseline", baseline.root)["OperationId"]
    with pytest.raises(ClientError) as error:
        baseline.cloudformation.stop_stack_set_operation(StackSetName="baseline", OperationId=operation)
    assert refusal(error) == (
        f"InvalidOperationException: Operation {operation} is in status SUCCEEDED and cannot be stopped"
    )


# --- large operations


@pytest.fixture
def portions_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("org.sandbox.stackset_model.PORTION", 2)


@pytest.mark.usefixtures("portions_of_two")
def test_a_large_operation_does_two_instances_at_a_time(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(5, baseline.make_unit("A"))
    operation = baseline.start_deployment("baseline", baseline.root)
    seen = []
    while not seen or seen[-1][0] == "RUNNING":
        done = [account for account in accounts if baseline.stacks(account)]
        results = baseline.results("baseline", operation)
        assert list(results) == [(account, HOME) for account in done]
        seen.append((status(baseline, operation), len(done)))
    assert seen == [("RUNNING", 2), ("RUNNING", 4), ("SUCCEEDED", 5)]


@pytest.mark.usefixtures("portions_of_two")
def test_a_large_operation_gets_on_while_only_its_instances_are_looked_at(baseline: Cloud) -> None:
    baseline.make_accounts(5, baseline.make_unit("A"))
    operation = baseline.start_deployment("baseline", baseline.root)
    current = [sum(each["Status"] == "CURRENT" for each in baseline.instances("baseline").values()) for _ in range(3)]
    assert current == [4, 5, 5]
    assert status(baseline, operation) == "RUNNING"


@pytest.mark.usefixtures("portions_of_two")
def test_a_large_operation_that_is_stopped_leaves_the_rest_undone(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(5, baseline.make_unit("A"))
    operation = baseline.start_deployment("baseline", baseline.root)
    baseline.cloudformation.stop_stack_set_operation(StackSetName="baseline", OperationId=operation)
    assert [status(baseline, operation) for _ in range(2)] == ["STOPPING", "STOPPED"]
    assert [account for account in accounts if baseline.stacks(account)] == accounts[:2]
    assert list(baseline.results("baseline", operation).values()) == ["SUCCEEDED"] * 2 + ["CANCELLED"] * 3
    reasons = [each.get("StatusReason") for each in baseline.instances("baseline").values()]
    assert reasons == [None] * 2 + ["Cancelled since the operation was stopped"] * 3


@pytest.mark.usefixtures("portions_of_two")
def test_accounts_may_be_closed_and_moved_while_a_large_operation_runs(cloud: Cloud) -> None:
    unit, elsewhere = cloud.make_unit("A"), cloud.make_unit("B")
    accounts = cloud.make_accounts(5, unit)
    cloud.make_stack_set("baseline", marker_template())
    operation = cloud.start_deployment("baseline", unit)
    cloud.close(accounts[3])
    cloud.move(accounts[4], elsewhere)
    assert cloud.wait("baseline", operation)["Status"] == "SUCCEEDED"
    assert cloud.results("baseline", operation)[accounts[4], HOME] == "CANCELLED"
    done = ("CURRENT", "SUCCEEDED")
    skipped = ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT")
    assert cloud.statuses("baseline") == {**dict.fromkeys(accounts[:3], done), accounts[3]: skipped}
    assert cloud.stacks(accounts[4]) == []


@pytest.mark.usefixtures("portions_of_two")
def test_large_operations_wait_for_each_other(cloud: Cloud) -> None:
    accounts = cloud.make_accounts(3, cloud.make_unit("A"))
    cloud.make_stack_set("baseline", marker_template(), ManagedExecution={"Active": True})
    first = cloud.start_deployment("baseline", cloud.root)
    second = cloud.start_update("baseline", marker_template("two"))
    assert cloud.wait("baseline", second)["Status"] == "SUCCEEDED"
    assert status(cloud, first) == "SUCCEEDED"
    assert [cloud.markers(account) for account in accounts] == [{"marker": "two"}] * 3


def test_an_operation_that_a_bug_broke_off_fails(baseline: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline.make_account()

    def break_down(*_: object) -> str:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr("org.sandbox.stackset_engine.deploy", break_down)
        with pytest.raises(RuntimeError, match="a bug"):
            baseline.start_deployment("baseline", baseline.root, OperationId="broken")
    shown = baseline.wait("baseline", "broken")
    assert (shown["Status"], shown["StatusReason"]) == ("FAILED", "The orgctl sandbox broke over the operation")


# --- failure and tolerance


def test_a_resource_that_fails_rolls_back_its_stack_and_fails_its_instance(cloud: Cloud) -> None:
    template = marker_template()
    template["Resources"]["First"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "first", "Type": "String", "Value": "1"},
    }
    template["Resources"]["Marker"]["DependsOn"] = "First"
    account = cloud.make_account()
    obstruct(cloud, account)
    cloud.make_stack_set("baseline", template)
    operation = cloud.deploy("baseline", cloud.root)
    assert (operation["Status"], operation["StatusDetails"]) == ("FAILED", {"FailedStackInstancesCount": 1})
    assert cloud.markers(account) == {"marker": "in the way"}
    assert [stack["StackStatus"] for stack in cloud.stacks(account)] == ["ROLLBACK_COMPLETE"]
    shown = cloud.instances("baseline")[account, HOME]
    assert (shown["Status"], shown["StackInstanceStatus"]["DetailedStatus"]) == ("OUTDATED", "FAILED")
    reason = (
        "ResourceLogicalId:Marker, ResourceType:AWS::SSM::Parameter, ResourceStatusReason:"
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.."
    )
    assert shown["StatusReason"] == reason
    (result,) = cloud.cloudformation.list_stack_set_operation_results(
        StackSetName="baseline", OperationId=operation["OperationId"]
    )["Summaries"]
    assert (result["Account"], result["Region"], result["Status"]) == (account, HOME, "FAILED")
    assert (result["StatusReason"], result["OrganizationalUnitId"]) == (reason, cloud.root)


def test_strict_tolerance_cancels_all_accounts_after_the_one_too_many(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(5, baseline.make_unit("Workloads"))
    obstruct(baseline, accounts[0], accounts[2])
    preferences = {"FailureToleranceCount": 1, "MaxConcurrentCount": 5}
    operation = baseline.deploy("baseline", baseline.root, OperationPreferences=preferences)
    assert operation["Status"] == "FAILED"
    assert baseline.statuses("baseline") == {
        accounts[0]: ("OUTDATED", "FAILED"),
        accounts[1]: ("CURRENT", "SUCCEEDED"),
        accounts[2]: ("OUTDATED", "FAILED"),
        accounts[3]: ("OUTDATED", "CANCELLED"),
        accounts[4]: ("OUTDATED", "CANCELLED"),
    }
    assert [baseline.stacks(account) for account in accounts[3:]] == [[], []]
    assert baseline.instances("baseline")[accounts[4], HOME]["StatusReason"] == (
        "Cancelled since failure tolerance has exceeded"
    )


def test_failures_within_the_tolerance_let_the_operation_succeed(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(4, baseline.make_unit("Workloads"))
    obstruct(baseline, accounts[0])
    operation = baseline.deploy("baseline", baseline.root, OperationPreferences={"FailureTolerancePercentage": 25})
    assert (operation["Status"], operation["StatusDetails"]) == ("SUCCEEDED", {"FailedStackInstancesCount": 1})
    assert [detailed for _, detailed in baseline.statuses("baseline").values()].count("SUCCEEDED") == 3


def test_a_percentage_is_rounded_down(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(3, baseline.make_unit("Workloads"))
    obstruct(baseline, accounts[0])
    operation = baseline.deploy("baseline", baseline.root, OperationPreferences={"FailureTolerancePercentage": 33})
    assert operation["Status"] == "FAILED"


def test_soft_tolerance_keeps_the_concurrency_up(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(5, baseline.make_unit("Workloads"))
    obstruct(baseline, accounts[0])
    operation = baseline.deploy("baseline", baseline.root, OperationPreferences={"MaxConcurrentCount": 3, **SOFT})
    assert list(baseline.results("baseline", operation["OperationId"]).values()) == [
        "FAILED",
        "SUCCEEDED",
        "SUCCEEDED",
        "CANCELLED",
        "CANCELLED",
    ]


@pytest.mark.parametrize(("failing", "later"), [(HOME, OTHER), (OTHER, HOME)])
def test_a_region_that_fails_keeps_the_later_ones_from_being_begun(baseline: Cloud, failing: str, later: str) -> None:
    account = baseline.make_account()
    obstruct(baseline, account, region=failing)
    preferences = {"RegionOrder": [failing, later]}
    operation = baseline.deploy("baseline", baseline.root, regions=(HOME, OTHER), OperationPreferences=preferences)
    assert baseline.results("baseline", operation["OperationId"]) == {
        (account, failing): "FAILED",
        (account, later): "CANCELLED",
    }
    assert baseline.markers(account, later) == {}


def test_regions_in_parallel_do_not_wait_for_each_other(baseline: Cloud) -> None:
    account = baseline.make_account()
    obstruct(baseline, account, region=HOME)
    preferences = {"RegionConcurrencyType": "PARALLEL"}
    operation = baseline.deploy("baseline", baseline.root, regions=(HOME, OTHER), OperationPreferences=preferences)
    assert operation["Status"] == "FAILED"
    assert baseline.markers(account, OTHER) == {"marker": "one"}


def test_the_tolerance_holds_for_each_region(baseline: Cloud) -> None:
    first, second = baseline.make_accounts(2, baseline.make_unit("Workloads"))
    obstruct(baseline, first, region=HOME)
    obstruct(baseline, second, region=OTHER)
    operation = baseline.deploy(
        "baseline", baseline.root, regions=(HOME, OTHER), OperationPreferences={"FailureToleranceCount": 1}
    )
    assert (operation["Status"], operation["StatusDetails"]) == ("SUCCEEDED", {"FailedStackInstancesCount": 2})


def test_results_are_filtered_and_paged(baseline: Cloud) -> None:
    accounts = baseline.make_accounts(3, baseline.make_unit("Workloads"))
    obstruct(baseline, accounts[1])
    preferences = {"FailureToleranceCount": 1}
    operation = baseline.deploy("baseline", baseline.root, OperationPreferences=preferences)["OperationId"]
    names = {"StackSetName": "baseline", "OperationId": operation}
    failed = baseline.cloudformation.list_stack_set_operation_results(
        **names, Filters=[{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}]
    )
    assert [each["Account"] for each in failed["Summaries"]] == [accounts[1]]
    page = baseline.cloudformation.list_stack_set_operation_results(**names, MaxResults=2)
    rest = baseline.cloudformation.list_stack_set_operation_results(**names, NextToken=page["NextToken"])
    assert [each["Account"] for each in page["Summaries"] + rest["Summaries"]] == accounts
