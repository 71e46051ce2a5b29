"""Plain stacks: what CreateStack, UpdateStack and DeleteStack do and refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import Cloud, marker_template, parameters, refusal, tags


def parameter(name: str, value: Any = "one", **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}, **more}


def create(cloud: Cloud, template: dict[str, Any], name: str = "stack", **more: Any) -> dict[str, Any]:
    cloud.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), **more)
    return describe(cloud, name)


def update(cloud: Cloud, template: dict[str, Any], **more: Any) -> dict[str, Any]:
    cloud.cloudformation.update_stack(StackName="stack", TemplateBody=json.dumps(template), **more)
    return describe(cloud)


def describe(cloud: Cloud, name: str = "stack") -> dict[str, Any]:
    (stack,) = cloud.cloudformation.describe_stacks(StackName=name)["Stacks"]
    shown: dict[str, Any] = stack
    return shown


def markers(cloud: Cloud) -> dict[str, str]:
    return cloud.markers(cloud.management)


# --- creation


def test_a_failing_creation_removes_what_it_had_made(cloud: Cloud) -> None:
    cloud.client("ssm").put_parameter(Name="taken", Value="in the way", Type="String")
    template = {"Resources": {"A": parameter("a"), "B": parameter("taken"), "C": parameter("c")}}
    stack = create(cloud, template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stack["StackStatusReason"].startswith("ResourceLogicalId:B, ResourceType:AWS::SSM::Parameter")
    assert markers(cloud) == {"taken": "in the way"}
    with pytest.raises(ClientError) as error:
        update(cloud, marker_template())
    assert refusal(error) == (
        f"ValidationError: Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated."
    )


def test_a_stack_needs_the_capability_for_iam_resources(cloud: Cloud) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "RoleName": "audit"}}
    with pytest.raises(ClientError) as error:
        create(cloud, {"Resources": {"Audit": role}}, Capabilities=["CAPABILITY_IAM"])
    assert refusal(error) == "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]"


def test_a_stack_name_is_used_once(cloud: Cloud) -> None:
    create(cloud, marker_template())
    with pytest.raises(ClientError) as error:
        create(cloud, marker_template())
    assert refusal(error) == "AlreadyExistsException: Stack [stack] already exists"


def test_the_tags_of_a_stack_reach_its_resources(cloud: Cloud) -> None:
    template = marker_template()
    template["Resources"]["Marker"]["Properties"]["Tags"] = {"Team": "own"}
    create(cloud, template, Tags=tags(Team="stack", Stage="all"))
    kept = cloud.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="marker")["TagList"]
    assert kept == tags(Team="own", Stage="all")


def test_resources_are_listed_with_their_ids(cloud: Cloud) -> None:
    create(cloud, marker_template())
    (resource,) = cloud.cloudformation.describe_stack_resources(StackName="stack")["StackResources"]
    assert (resource["LogicalResourceId"], resource["PhysicalResourceId"], resource["ResourceType"]) == (
        "Marker",
        "marker",
        "AWS::SSM::Parameter",
    )


def test_events_tell_of_each_resource(cloud: Cloud) -> None:
    create(cloud, marker_template())
    events = cloud.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)] == [
        ("stack", "CREATE_IN_PROGRESS"),
        ("Marker", "CREATE_IN_PROGRESS"),
        ("Marker", "CREATE_COMPLETE"),
        ("stack", "CREATE_COMPLETE"),
    ]


def test_a_secret_parameter_is_not_shown(cloud: Cloud) -> None:
    template = marker_template({"Ref": "Secret"}, Parameters={"Secret": {"Type": "String", "NoEcho": True}})
    stack = create(cloud, template, Parameters=parameters(Secret="hush"))
    assert stack["Parameters"] == parameters(Secret="****")
    assert markers(cloud) == {"marker": "hush"}


@pytest.mark.parametrize("option", [{"DisableRollback": True}, {"OnFailure": "DELETE"}])
def test_options_that_are_not_emulated_are_refused(cloud: Cloud, option: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        create(cloud, marker_template(), **option)
    assert refusal(error) == f"ValidationError: the orgctl sandbox does not emulate {next(iter(option))} of a stack"


# --- update


def test_an_update_without_changes_is_refused(cloud: Cloud) -> None:
    create(cloud, marker_template())
    with pytest.raises(ClientError) as error:
        update(cloud, marker_template())
    assert refusal(error) == "ValidationError: No updates are to be performed."


def test_a_failing_update_goes_back_to_what_was_before(cloud: Cloud) -> None:
    cloud.client("ssm").put_parameter(Name="taken", Value="in the way", Type="String")
    create(cloud, {"Resources": {"A": parameter("a"), "B": parameter("b")}})
    changed = {"Resources": {"A": parameter("a", "two"), "C": parameter("c"), "D": parameter("taken")}}
    assert update(cloud, changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert markers(cloud) == {"taken": "in the way", "a": "one", "b": "one"}
    assert update(cloud, {"Resources": {"A": parameter("a", "two")}})["StackStatus"] == "UPDATE_COMPLETE"
    assert markers(cloud) == {"taken": "in the way", "a": "two"}


def test_a_change_behind_a_reference_reaches_those_that_refer_to_it(cloud: Cloud) -> None:
    def template(name: str) -> dict[str, Any]:
        return {"Resources": {"A": parameter("copy", {"Fn::Sub": "${B}/${B.Value}"}), "B": parameter(name)}}

    create(cloud, template("b"))
    update(cloud, template("c"))
    assert markers(cloud) == {"copy": "c/one", "c": "one"}


def test_a_named_resource_that_needs_replacement_is_refused(cloud: Cloud) -> None:
    def template(fifo: str) -> dict[str, Any]:
        properties = {"TopicName": "findings.fifo", "FifoTopic": fifo}
        return {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}}

    create(cloud, template("true"))
    stack = update(cloud, template("false"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stack["StackStatusReason"] == (
        "ResourceLogicalId:Topic, ResourceType:AWS::SNS::Topic, ResourceStatusReason:CloudFormation cannot update a "
        "stack when a custom-named resource requires replacing. Rename findings.fifo and update the stack again.."
    )


def test_a_condition_that_turns_false_removes_the_resource(cloud: Cloud) -> None:
    template = {
        "Parameters": {"Extra": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        "Conditions": {"HasExtra": {"Fn::Equals": [{"Ref": "Extra"}, "yes"]}},
        "Resources": {"A": parameter("a"), "B": parameter("b", Condition="HasExtra")},
    }
    create(cloud, template, Parameters=parameters(Extra="yes"))
    assert set(markers(cloud)) == {"a", "b"}
    update(cloud, template, Parameters=parameters(Extra="no"))
    assert set(markers(cloud)) == {"a"}


# --- deletion


def test_resources_are_deleted_in_reverse_and_retained_ones_stay(cloud: Cloud) -> None:
    template = {"Resources": {"A": parameter("a"), "B": parameter("b", DeletionPolicy="Retain")}}
    create(cloud, template)
    cloud.cloudformation.delete_stack(StackName="stack")
    assert markers(cloud) == {"b": "one"}
    assert cloud.cloudformation.describe_stacks()["Stacks"] == []


def test_a_replaced_resource_goes_whatever_its_deletion_policy_and_stays_with_its_replacement_policy(
    cloud: Cloud,
) -> None:
    create(cloud, {"Resources": {"It": parameter("a", DeletionPolicy="Retain")}})
    update(cloud, {"Resources": {"It": parameter("b", DeletionPolicy="Retain")}})
    assert markers(cloud) == {"b": "one"}
    update(cloud, {"Resources": {"It": parameter("c", UpdateReplacePolicy="Retain")}})
    assert markers(cloud) == {"b": "one", "c": "one"}


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ({"Rules": {"R": {}}}, "the section Rules of a template"),
        ({"Transform": "AWS::Serverless-2016-10-31"}, "the section Transform of a template"),
        (
            {"Resources": {"A": {"Type": "AWS::SSM::Parameter", "CreationPolicy": {}}}},
            "the attribute CreationPolicy of a resource (resource A)",
        ),
        (
            {"Resources": {"A": {"Type": "AWS::SSM::Parameter", "DeletionPolicy": "Snapshot"}}},
            "the DeletionPolicy Snapshot (resource A)",
        ),
    ],
)
def test_what_a_template_asks_for_and_the_sandbox_does_not_know_is_refused(
    cloud: Cloud, template: dict[str, Any], what: str
) -> None:
    with pytest.raises(ClientError) as error:
        create(cloud, {"Resources": {"A": parameter("a")}, **template})
    assert refusal(error) == f"ValidationError: the orgctl sandbox does not emulate {what}"


def test_a_protected_stack_is_not_deleted(cloud: Cloud) -> None:
    create(cloud, marker_template(), EnableTerminationProtection=True)
    with pytest.raises(ClientError) as error:
        cloud.cloudformation.delete_stack(StackName="stack")
    assert refusal(error) == ("ValidationError: Stack [stack] cannot be deleted while TerminationProtection is enabled")
    cloud.cloudformation.update_termination_protection(StackName="stack", EnableTerminationProtection=False)
    cloud.cloudformation.delete_stack(StackName="stack")
    assert markers(cloud) == {}


# --- outputs


def test_an_export_is_imported_by_another_stack_and_belongs_to_one(cloud: Cloud) -> None:
    output = {"Name": {"Value": {"Ref": "Marker"}, "Export": {"Name": "marker-name"}}}
    create(cloud, marker_template(Outputs=output))
    create(cloud, {"Resources": {"Copy": parameter("copy", {"Fn::ImportValue": "marker-name"})}}, name="second")
    assert markers(cloud) == {"marker": "one", "copy": "marker"}
    exports = cloud.cloudformation.list_exports()["Exports"]
    assert [(export["Name"], export["Value"]) for export in exports] == [("marker-name", "marker")]
    third = {"Resources": {"Third": parameter("third")}, "Outputs": {"X": {"Value": "x", **export("marker-name")}}}
    assert create(cloud, third, name="third")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert set(markers(cloud)) == {"marker", "copy"}


def export(name: str) -> dict[str, Any]:
    return {"Export": {"Name": name}}
