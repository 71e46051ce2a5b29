"""What CloudFormation takes and refuses of a StackSet itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from org.sandbox.server import in_process_sandbox
from org.sandbox.settings import Settings, sandbox_quotas
from tests.support.cloud import HOME, Cloud, marker_template, parameters, refusal, tags

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        }
    },
}
NAMED_ROLE = {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "audit"}}  # type: ignore[dict-item]
TOO_LARGE = marker_template("x" * 51_200)
NESTED = (
    "ValidationError: the orgctl sandbox does not emulate the resource type AWS::CloudFormation::Stack "
    "(resource Nested)"
)
STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"
PARAMETER = {"Parameters": {"Value": {"Type": "String"}}}


# --- access to the organization


def test_access_is_disabled_until_it_is_activated(cloud: Cloud) -> None:
    cloud.cloudformation.deactivate_organizations_access()
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "DISABLED"
    cloud.cloudformation.activate_organizations_access()
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "ENABLED"


def test_activating_access_gives_stacksets_trusted_access_in_the_organization(cloud: Cloud) -> None:
    services = cloud.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert [each["ServicePrincipal"] for each in services] == [STACKSETS]


def test_trusted_access_taken_back_in_the_organization_disables_access(cloud: Cloud) -> None:
    cloud.organizations.disable_aws_service_access(ServicePrincipal=STACKSETS)
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "DISABLED"


def test_trusted_access_alone_does_not_enable_access(cloud: Cloud) -> None:
    cloud.cloudformation.deactivate_organizations_access()
    cloud.organizations.enable_aws_service_access(ServicePrincipal=STACKSETS)
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "DISABLED"


def test_access_that_was_activated_comes_back_with_trusted_access(cloud: Cloud) -> None:
    cloud.organizations.disable_aws_service_access(ServicePrincipal=STACKSETS)
    cloud.organizations.enable_aws_service_access(ServicePrincipal=STACKSETS)
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "ENABLED"


def test_access_is_not_deactivated_while_stacksets_have_an_administrator(cloud: Cloud) -> None:
    cloud.organizations.register_delegated_administrator(AccountId=cloud.make_account(), ServicePrincipal=STACKSETS)
    with pytest.raises(ClientError) as error:
        cloud.cloudformation.deactivate_organizations_access()
    assert refusal(error) == (
        "InvalidOperationException: You must deregister all delegated administrators before you deactivate trusted "
        "access"
    )
    assert cloud.cloudformation.describe_organizations_access()["Status"] == "ENABLED"


def test_who_is_in_no_organization_has_no_access() -> None:
    with in_process_sandbox(HOME) as session:
        assert session.client("cloudformation").describe_organizations_access()["Status"] == "DISABLED"


def test_a_member_account_cannot_activate_access(cloud: Cloud) -> None:
    member = cloud.client("cloudformation", cloud.make_account())
    with pytest.raises(ClientError) as error:
        member.activate_organizations_access()
    assert refusal(error) == (
        "InvalidOperationException: Only the management account of an organization can change the access of StackSets "
        "to it"
    )


def test_a_stack_set_needs_access_to_the_organization(cloud: Cloud) -> None:
    cloud.cloudformation.deactivate_organizations_access()
    with pytest.raises(ClientError) as error:
        cloud.make_stack_set("baseline", marker_template())
    assert refusal(error) == (
        "ValidationError: You must enable organizations access to operate a service managed stack set"
    )


def test_a_member_account_cannot_make_a_stack_set(cloud: Cloud) -> None:
    member = cloud.client("cloudformation", cloud.make_account())
    with pytest.raises(ClientError) as error:
        member.create_stack_set(
            StackSetName="baseline",
            TemplateBody=json.dumps(marker_template()),
            PermissionModel="SERVICE_MANAGED",
            AutoDeployment={"Enabled": False},
        )
    assert refusal(error) == (
        "ValidationError: You must be the management account or delegated admin account of an organization before "
        "operating a SERVICE_MANAGED stack set"
    )


def test_a_delegated_administrator_works_on_the_stack_sets_of_the_management_account(cloud: Cloud) -> None:
    delegate = cloud.make_account()
    cloud.organizations.register_delegated_administrator(AccountId=delegate, ServicePrincipal=STACKSETS)
    client = cloud.client("cloudformation", delegate)
    client.create_stack_set(
        StackSetName="baseline",
        TemplateBody=json.dumps(marker_template()),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
        CallAs="DELEGATED_ADMIN",
    )
    assert cloud.describe("baseline")["StackSetARN"].split(":")[4] == cloud.management
    assert client.list_stack_sets()["Summaries"] == []
    assert [each["StackSetName"] for each in client.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"]] == [
        "baseline"
    ]


# --- creation


def test_a_stack_set_is_described_with_all_that_it_was_made_with(cloud: Cloud) -> None:
    unit = cloud.make_unit("Workloads")
    cloud.make_account(unit)
    template = marker_template({"Ref": "Value"}, **PARAMETER)
    id = cloud.make_stack_set(
        "baseline",
        template,
        Description="what each account gets",
        Parameters=parameters(Value="one"),
        Tags=tags(Team="platform"),
        ManagedExecution={"Active": True},
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
    )
    cloud.deploy("baseline", unit)
    described = cloud.describe("baseline")
    assert described.pop("AdministrationRoleARN").startswith(f"arn:aws:iam::{cloud.management}:role/aws-service-role/")
    assert json.loads(described.pop("TemplateBody")) == template
    assert described == {
        "StackSetName": "baseline",
        "StackSetId": id,
        "StackSetARN": f"arn:aws:cloudformation:{HOME}:{cloud.management}:stackset/{id}",
        "Description": "what each account gets",
        "Status": "ACTIVE",
        "Parameters": parameters(Value="one"),
        "Tags": tags(Team="platform"),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": True},
        "ManagedExecution": {"Active": True},
        "OrganizationalUnitIds": [unit],
        "Regions": [HOME],
    }


def test_a_seed_repeats_the_ids() -> None:
    ids = []
    for _ in range(2):
        with in_process_sandbox(HOME, Settings(seed=7)) as session:
            ids.append(Cloud(session).make_stack_set("baseline", marker_template()))
    assert ids[0] == ids[1]


def test_a_name_that_is_taken_is_refused(cloud: Cloud) -> None:
    cloud.make_stack_set("baseline", marker_template())
    with pytest.raises(ClientError) as error:
        cloud.make_stack_set("baseline", marker_template())
    assert refusal(error) == "NameAlreadyExistsException: StackSet baseline already exists"


def test_a_repeated_request_with_the_same_token_makes_one_stack_set(cloud: Cloud) -> None:
    first = cloud.make_stack_set("baseline", marker_template(), ClientRequestToken="once")
    assert cloud.make_stack_set("baseline", marker_template(), ClientRequestToken="once") == first


@pytest.mark.parametrize(
    ("name", "settings", "template", "message"),
    [
        (
            "1st",
            {},
            marker_template(),
            (
                "ValidationError: 1 validation error detected: Value '1st' at 'stackSetName' failed to satisfy "
                "constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            ),
        ),
        (
            "baseline",
            {"PermissionModel": "SELF_MANAGED"},
            marker_template(),
            "ValidationError: the orgctl sandbox does not emulate PermissionModel SELF_MANAGED",
        ),
        (
            "baseline",
            {"Capabilities": []},
            {"Resources": {"Audit": ROLE}},
            "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
        ),
        (
            "baseline",
            {"Capabilities": ["CAPABILITY_IAM"]},
            {"Resources": {"Audit": NAMED_ROLE}},
            "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            "baseline",
            {},
            marker_template(Transform="AWS::Serverless-2016-10-31"),
            (
                "ValidationError: Templates that reference a macro are not supported in StackSets with service-managed "
                "permissions"
            ),
        ),
        (
            "baseline",
            {},
            marker_template({"Ref": "Value"}, **PARAMETER),
            "ValidationError: Parameters: [Value] must have values",
        ),
        (
            "baseline",
            {"Parameters": parameters(Valu="one")},
            marker_template(),
            "ValidationError: Parameters: [Valu] do not exist in the template",
        ),
        (
            "baseline",
            {},
            TOO_LARGE,
            (
                "ValidationError: 1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to 51200 (it has {len(json.dumps(TOO_LARGE))})"
            ),
        ),
        (
            "baseline",
            {},
            {"Resources": {"Alarm": {"Type": "AWS::X::Y"}}},
            "ValidationError: the orgctl sandbox does not emulate the resource type AWS::X::Y (resource Alarm)",
        ),
        (
            "baseline",
            {},
            {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack"}}},
            NESTED,
        ),
        (
            "baseline",
            {"AutoDeployment": {}},
            marker_template(),
            "ValidationError: AutoDeployment is required for StackSets with SERVICE_MANAGED permission model",
        ),
        (
            "baseline",
            {"AutoDeployment": {"Enabled": False, "RetainStacksOnAccountRemoval": True}},
            marker_template(),
            "ValidationError: RetainStacksOnAccountRemoval may be specified only if AutoDeployment is enabled",
        ),
        (
            "baseline",
            {
                "AutoDeployment": {
                    "Enabled": True,
                    "RetainStacksOnAccountRemoval": False,
                    "DependsOn": ["arn:aws:cloudformation:eu-central-1:123456789012:stackset/gone:1"],
                }
            },
            marker_template(),
            (
                "ValidationError: AutoDeployment.DependsOn names StackSets that do not exist: "
                "arn:aws:cloudformation:eu-central-1:123456789012:stackset/gone:1"
            ),
        ),
        (
            "baseline",
            {"Tags": tags(**{f"key-{number}": "x" for number in range(51)})},
            marker_template(),
            "ValidationError: A maximum number of 50 tags can be specified",
        ),
    ],
)
def test_a_stack_set_that_aws_would_refuse_is_refused(
    cloud: Cloud, name: str, settings: dict[str, Any], template: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as error:
        cloud.make_stack_set(name, template, **settings)
    assert refusal(error) == message
    assert cloud.cloudformation.list_stack_sets()["Summaries"] == []


def test_the_quota_of_stack_sets_is_kept() -> None:
    quotas = sandbox_quotas()
    settings = Settings(quotas=replace(quotas, stacksets=replace(quotas.stacksets, stack_sets=2)))
    with in_process_sandbox(region=HOME, settings=settings) as session:
        cloud = Cloud(session)
        cloud.make_stack_set("first", marker_template())
        cloud.make_stack_set("second", marker_template())
        with pytest.raises(ClientError) as error:
            cloud.make_stack_set("third", marker_template())
    assert refusal(error) == "LimitExceededException: You have exceeded the limit for the number of StackSets"


def test_an_unknown_stack_set_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.describe("missing")
    assert refusal(error) == "StackSetNotFoundException: StackSet missing not found"


# --- list and deletion


def test_stack_sets_are_listed_in_pages(cloud: Cloud) -> None:
    for number in range(5):
        cloud.make_stack_set(f"set-{number}", marker_template())
    first = cloud.cloudformation.list_stack_sets(MaxResults=3)
    assert [each["StackSetName"] for each in first["Summaries"]] == ["set-0", "set-1", "set-2"]
    second = cloud.cloudformation.list_stack_sets(MaxResults=3, NextToken=first["NextToken"])
    assert [each["StackSetName"] for each in second["Summaries"]] == ["set-3", "set-4"]
    assert "NextToken" not in second


def test_a_page_has_at_most_100_entries(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as error:
        cloud.cloudformation.list_stack_sets(MaxResults=101)
    assert refusal(error) == (
        "ValidationError: 1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value between 1 and 100"
    )


def test_a_deleted_stack_set_is_listed_and_no_longer_found(cloud: Cloud) -> None:
    cloud.make_stack_set("old", marker_template())
    cloud.make_stack_set("new", marker_template())
    cloud.cloudformation.delete_stack_set(StackSetName="old")
    by_status = {
        status: [each["StackSetName"] for each in cloud.cloudformation.list_stack_sets(Status=status)["Summaries"]]
        for status in ("ACTIVE", "DELETED")
    }
    assert by_status == {"ACTIVE": ["new"], "DELETED": ["old"]}
    with pytest.raises(ClientError, match="StackSetNotFoundException"):
        cloud.describe("old")
    cloud.make_stack_set("old", marker_template())


def test_a_stack_set_with_instances_cannot_be_deleted(cloud: Cloud) -> None:
    unit = cloud.make_unit("Workloads")
    cloud.make_account(unit)
    cloud.make_stack_set("baseline", marker_template())
    cloud.deploy("baseline", unit)
    with pytest.raises(ClientError) as error:
        cloud.cloudformation.delete_stack_set(StackSetName="baseline")
    assert refusal(error) == "StackSetNotEmptyException: StackSet is not empty"


# --- what is not emulated


@pytest.mark.parametrize(
    ("call", "arguments", "operation"),
    [
        ("detect_stack_set_drift", {"StackSetName": "baseline"}, "DetectStackSetDrift"),
        (
            "import_stacks_to_stack_set",
            {"StackSetName": "baseline", "StackIds": ["arn"]},
            "ImportStacksToStackSet",
        ),
        (
            "list_stack_instance_resource_drifts",
            {
                "StackSetName": "baseline",
                "StackInstanceAccount": "123456789012",
                "StackInstanceRegion": HOME,
                "OperationId": "1",
            },
            "ListStackInstanceResourceDrifts",
        ),
        ("create_change_set", {"StackName": "stack", "ChangeSetName": "change"}, "CreateChangeSet"),
    ],
)
def test_what_is_not_emulated_says_so(cloud: Cloud, call: str, arguments: dict[str, Any], operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(cloud.cloudformation, call)(**arguments)
    assert refusal(error) == (
        f"NotImplementedException: the orgctl sandbox does not emulate cloudformation:{operation}"
    )
