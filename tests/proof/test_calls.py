"""Which calls CloudFormation makes for the resources of a template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from org.model import RequiredCall
from org.proof.call_names import OPERATIONS, Operation, TypeCalls, _details, _handlers, catalog, find_type
from org.proof.calls import TemplateCalls, calls_of_resource, calls_of_template
from org.proof.property_values import filled
from tests.proof.handler_table import TABLE, render_table

ACCOUNT = "111122223333"
REGION = "eu-central-1"
GOLDEN = Path(__file__).parents[1] / "golden" / "templates"
ROOT = Path(__file__).parents[2]
FLOORS = {"types": 1700, "detailed": 215}
BASELINE = {
    "AuditAccountId": "222222222222",
    "ExternalId": "orgctl-audit-1",
    "HomeRegion": REGION,
    "LineageAccountId": "333333333333",
    "OrganizationId": "o-example1",
}


def of_template(
    template: Mapping[str, Any],
    operation: Operation = "create",
    *,
    account: str = ACCOUNT,
    region: str = REGION,
    partition: str = "aws",
    tags: Mapping[str, str] | None = None,
    **parameters: str,
) -> TemplateCalls:
    return calls_of_template(
        template, parameters, account=account, region=region, partition=partition, operation=operation, tags=tags
    )


def of(type: str, properties: Mapping[str, Any], operation: Operation = "create", **tags: str) -> dict[str, list[str]]:
    """The resources of each call for one resource."""
    calls = calls_of_resource(
        type, properties, account=ACCOUNT, region=REGION, partition="aws", operation=operation, tags=tags
    )
    assert calls is not None
    return by_action(calls)


def by_action(calls: tuple[RequiredCall, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call in calls:
        found.setdefault(call.action, []).append(call.resource)
    return found


def the(action: str, calls: tuple[RequiredCall, ...]) -> RequiredCall:
    (found,) = [call for call in calls if call.action == action]
    return found


# --- the tables


def test_table_of_handlers_is_what_the_schemas_say() -> None:
    assert TABLE.read_text(encoding="utf-8") == render_table(), "run python -m tests.proof.handler_table"


def test_tables_are_as_large_as_the_documentation_says() -> None:
    assert len(_handlers()) >= FLOORS["types"]
    assert len(details()) >= FLOORS["detailed"]


def details() -> dict[str, Any]:
    return {type: entry for type, entry in _details().items() if type != "passed_to"}


def all_types() -> dict[str, TypeCalls]:
    found = {type: find_type(type) for type in {*_handlers(), *details()}}
    return {type: kind for type, kind in found.items() if kind}


def test_every_call_is_one_that_iam_knows() -> None:
    named = {call for kind in all_types().values() for calls in kind.names.values() for call in calls}
    assert {call for call in named if catalog().find_action(call) is None} == set()


def test_every_condition_key_is_one_that_its_service_knows() -> None:
    keys = {key for kind in all_types().values() for key in (*kind.context, *kind.each)}
    assert {key for key in keys if not catalog().find_key(key.partition(":")[0], key)} == set()


def test_entries_have_known_fields_and_name_calls_of_their_type() -> None:
    from fnmatch import fnmatchcase

    fields = {
        "absent", "arn", "context", "create", "delete", "each", "never", "passed_to", "reasoned", "ref", "resource",
        "silent", "update", "when",
    }  # fmt: skip
    astray = []
    for type, entry in details().items():
        assert set(entry) <= fields, type
        kind = find_type(type)
        assert kind is not None
        calls = {call for each in kind.names.values() for call in each}
        patterns = [*kind.when, *kind.never, *kind.resource]
        astray += [(type, each) for each in patterns if not any(fnmatchcase(call, each) for call in calls)]
        assert type in _handlers() or entry.get("reasoned"), type
        assert any(kind.names.values()) or entry.get("silent"), type
    assert astray == []


def test_every_property_that_an_entry_names_is_one_of_its_type() -> None:
    """`Tenancy` is no property of a bucket: cfn-lint's schemas know what is."""
    from importlib import resources

    folder = resources.files("cfnlint.data.schemas").joinpath("resources")
    schemas = {
        schema["typeName"]: schema
        for each in folder.iterdir()
        if each.name.endswith(".json")
        for schema in [json.loads(each.read_text(encoding="utf-8"))]
    }
    astray = []
    for type, entry in details().items():
        schema = schemas[type]
        paths = [
            path.partition("|")[0] for path in (*entry.get("context", {}).values(), *entry.get("each", {}).values())
        ]
        for on in entry.get("when", {}).values():
            paths += [path.partition("=")[0] for path in ([on] if isinstance(on, str) else on)]
        if entry.get("ref", "arn") != "arn":
            paths.append(entry["ref"])
        astray += [(type, path) for path in paths if path.partition(".")[0] not in schema["properties"]]
        for form in (entry.get("arn", ""), *entry.get("resource", {}).values()):
            probe = form.replace("{partition}", "").replace("{region}", "").replace("{account}", "")
            named = [piece.split("}")[0].rstrip("+-/").split("|")[0] for piece in probe.split("{")[1:]]
            astray += [(type, name) for name in named if name.partition(".")[0] not in schema["properties"]]
    assert astray == []


def test_every_arn_is_one_that_some_call_of_its_type_takes() -> None:
    place = {"account": ACCOUNT, "region": REGION, "partition": "aws"}
    astray = []
    for type, kind in all_types().items():
        own = [arn for form in kind.arns for arn in filled(form, {}, place) if arn != "*"]
        if not own:
            continue
        takers = [
            call
            for operation in OPERATIONS
            for call in calls_of_resource(type, {}, **place, operation=operation) or ()
            if call.resource in own
        ]
        possible = of_template({"Resources": {"X": {"Type": type}}}, "update").possible
        if not takers and not any(call.resource in own for call in possible):
            astray.append(type)
    assert astray == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_type_breaks_the_walk_and_each_does_something(operation: Operation) -> None:
    template = {"Resources": {f"R{n}": {"Type": type} for n, type in enumerate(sorted(all_types()))}}
    found = of_template(template, operation)
    assert found.unknown_types == ("AWS::CloudFormation::Stack (the template within)",)
    assert found.assumed_types == ()
    assert len(found.calls) > 1500
    assert all(catalog().find_action(call.action) for call in (*found.calls, *found.possible))


def test_types_that_the_sandbox_emulates_and_that_templates_of_this_repository_use_are_detailed() -> None:
    from org.sandbox.stack_types import _BY_NAME

    used = set(_BY_NAME)
    for path in [*GOLDEN.glob("*.json"), *(ROOT / "config" / "examples").rglob("templates/*.json")]:
        used |= {each["Type"] for each in json.loads(path.read_text(encoding="utf-8"))["Resources"].values()}
    assert used <= set(details())


# --- what a resource takes


def test_role_calls_what_its_properties_ask_for() -> None:
    role = "arn:aws:iam::111122223333:role/deploy/shipper"
    assert of("AWS::IAM::Role", {"RoleName": "shipper", "Path": "/deploy/"}) == {
        "iam:CreateRole": [role],
        "iam:GetRole": [role],
    }
    properties = {
        "RoleName": "shipper",
        "Path": "/deploy/",
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/job-function/Billing"],
        "Policies": [{"PolicyName": "own"}],
        "Tags": [{"Key": "Team", "Value": "blue"}],
    }
    assert of("AWS::IAM::Role", properties) == {
        "iam:AttachRolePolicy": [role, role],
        "iam:CreateRole": [role],
        "iam:GetRole": [role],
        "iam:GetRolePolicy": [role],
        "iam:PutRolePolicy": [role],
        "iam:TagRole": [role],
    }
    assert of("AWS::IAM::Role", properties, "delete") == {
        "iam:DeleteRole": [role],
        "iam:DeleteRolePolicy": [role],
        "iam:DetachRolePolicy": [role, role],
        "iam:GetRole": [role],
        "iam:ListAttachedRolePolicies": [role],
        "iam:ListRolePolicies": [role],
    }


def test_condition_keys_follow_from_properties() -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    properties = {
        "PermissionsBoundary": boundary,
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"],
        "Tags": [{"Key": "Team", "Value": "blue"}],
    }
    calls = calls_of_resource(
        "AWS::IAM::Role",
        properties,
        account=ACCOUNT,
        region=REGION,
        partition="aws",
        operation="create",
        tags={"Owner": "platform", "Team": "red"},
    )
    assert calls is not None
    assert the("iam:CreateRole", calls).context == {
        "aws:RequestTag/Owner": "platform",
        "aws:RequestTag/Team": "blue",
        "aws:TagKeys": ("Owner", "Team"),
        "iam:PermissionsBoundary": boundary,
    }
    attached = [call.context for call in calls if call.action == "iam:AttachRolePolicy"]
    assert [context["iam:PolicyARN"] for context in attached] == properties["ManagedPolicyArns"]
    assert all(context["iam:PermissionsBoundary"] == boundary for context in attached)


def test_missing_boundary_is_known_to_be_missing_and_an_open_one_is_not_known() -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": {"Fn::ImportValue": "boundary"}}}
    open = the("iam:CreateRole", of_template({"Resources": {"R": role}}).calls)
    assert "iam:PermissionsBoundary" not in open.context
    missing = the("iam:CreateRole", of_template({"Resources": {"R": {"Type": "AWS::IAM::Role"}}}).calls)
    assert missing.context["iam:PermissionsBoundary"] is None


def test_default_of_a_property_counts_where_the_table_knows_it() -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}}
    context = the("kms:CreateKey", of_template({"Resources": {"K": key}}).calls).context
    assert context["kms:KeySpec"] == "SYMMETRIC_DEFAULT"
    assert context["kms:MultiRegion"] == "false"


def test_bucket_takes_only_what_it_is_configured_with() -> None:
    plain = of("AWS::S3::Bucket", {"BucketName": "logs"})
    assert set(plain.values().__iter__().__next__()) == {"arn:aws:s3:::logs"}
    assert "s3:PutEncryptionConfiguration" not in plain
    assert not any(call.startswith(("s3tables:", "iam:")) for call in plain)
    more = of("AWS::S3::Bucket", {"BucketEncryption": {"x": 1}, "VersioningConfiguration": {"Status": "Enabled"}})
    assert set(more) - set(plain) == {"s3:PutEncryptionConfiguration", "s3:PutBucketVersioning"}
    assert more["s3:CreateBucket"] == ["arn:aws:s3:::*"]


def test_roles_are_passed_to_the_service_that_gets_them() -> None:
    properties = {"Role": "arn:aws:iam::111122223333:role/runs", "Code": {"ZipFile": "x"}}
    calls = calls_of_resource(
        "AWS::Lambda::Function", properties, account=ACCOUNT, region=REGION, partition="aws", operation="create"
    )
    assert calls is not None
    passed = the("iam:PassRole", calls)
    assert passed.resource == "arn:aws:iam::111122223333:role/runs"
    assert passed.context == {"iam:PassedToService": "lambda.amazonaws.com"}
    assert not any(call.action.startswith("s3:") for call in calls)


def test_without_a_role_none_is_passed() -> None:
    assert "iam:PassRole" not in of("AWS::Events::Rule", {"Name": "r", "Targets": [{"Id": "t", "Arn": "arn:x"}]})


def test_keys_are_used_where_a_property_names_one() -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/1234"
    assert of("AWS::Events::Archive", {"KmsKeyIdentifier": key})["kms:GenerateDataKey"] == [key]
    any_key = ["arn:aws:kms:eu-central-1:111122223333:key/*"]
    assert of("AWS::Events::Archive", {"KmsKeyIdentifier": "alias/mine"})["kms:Decrypt"] == any_key
    for properties in ({}, {"KmsKeyIdentifier": "alias/aws/events"}):
        assert not any(call.startswith("kms:") for call in of("AWS::Events::Archive", properties))


def test_rule_on_another_bus_and_on_the_default_one() -> None:
    arn = "arn:aws:events:eu-central-1:111122223333:rule/"
    bus = "arn:aws:events:eu-central-1:111122223333:event-bus/central"
    for name, wanted in {"central": "central/r", "default": "r", bus: "central/r"}.items():
        assert of("AWS::Events::Rule", {"Name": "r", "EventBusName": name})["events:PutRule"] == [arn + wanted]
    assert of("AWS::Events::Rule", {"Name": "r"})["events:PutRule"] == [arn + "r"]


def test_resources_of_another_that_a_property_names_by_arn_or_by_address() -> None:
    queue = "arn:aws:sqs:eu-central-1:111122223333:jobs"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/jobs"
    assert of("AWS::SQS::QueuePolicy", {"Queues": [url]}) == {"sqs:SetQueueAttributes": [queue]}
    topics = ["arn:aws:sns:eu-central-1:111122223333:a", "arn:aws:sns:eu-central-1:111122223333:b"]
    assert of("AWS::SNS::TopicPolicy", {"Topics": topics}, "delete") == {"sns:SetTopicAttributes": topics}


def test_arn_is_given_only_to_calls_that_take_one_of_its_kind() -> None:
    found = of("AWS::EC2::FlowLog", {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow"})
    assert found["ec2:CreateFlowLogs"] == ["arn:aws:ec2:eu-central-1:111122223333:vpc-flow-log/*"]
    assert found["s3:PutBucketPolicy"] == ["arn:aws:s3:::flow"]


def test_update_cannot_tell_what_is_taken_away() -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Policies": [{"PolicyName": "p"}]}}
    found = of_template({"Resources": {"R": role}}, "update")
    assert {"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"} <= set(by_action(found.calls))
    assert {"iam:DeleteRolePolicy", "iam:DeleteRolePermissionsBoundary"} <= set(by_action(found.possible))


def test_service_linked_role_is_made_only_where_it_is_missing() -> None:
    found = of_template({"Resources": {"D": {"Type": "AWS::GuardDuty::Detector", "Properties": {"Enable": True}}}})
    assert the("iam:CreateServiceLinkedRole", found.possible).resource == (
        "arn:aws:iam::111122223333:role/aws-service-role/*"
    )
    assert the("guardduty:CreateDetector", found.calls)


def test_type_without_details_is_asked_for_the_calls_that_bear_its_name() -> None:
    found = of_template({"Resources": {"S": {"Type": "AWS::ECS::Service"}}})
    assert "ecs:CreateService" in by_action(found.calls)
    assert found.assumed_types == found.unknown_types == ()


# --- what is not known


@pytest.mark.parametrize(
    ("operation", "call"),
    [("create", "qldb:CreateLedger"), ("update", "qldb:UpdateLedger"), ("delete", "qldb:DeleteLedger")],
)
def test_type_without_schema_is_guessed_from_names_and_said_to_be(operation: Operation, call: str) -> None:
    found = of_template({"Resources": {"L": {"Type": "AWS::QLDB::Ledger"}}}, operation)
    assert found.assumed_types == ("AWS::QLDB::Ledger",)
    assert call in by_action(found.calls)


@pytest.mark.parametrize(
    "type", ["AWS::Nowhere::Thing", "Acme::Own::Type", "AWS::Serverless::Function", "A::B::C::MODULE"]
)
def test_type_of_which_nothing_is_known_is_named(type: str) -> None:
    found = of_template({"Resources": {"X": {"Type": type}}})
    assert found.unknown_types == (type,)
    assert calls_of_resource(type, {}, account=ACCOUNT, region=REGION, partition="aws", operation="create") is None


def test_transforms_and_loops_are_named_since_they_make_other_resources() -> None:
    template = {
        "Transform": ["AWS::LanguageExtensions", {"Name": "AWS::Include", "Parameters": {}}],
        "Resources": {"Fn::ForEach::Topics": ["N", ["a"], {"T${N}": {"Type": "AWS::SNS::Topic"}}]},
    }
    assert of_template(template).unknown_types == (
        "transform AWS::LanguageExtensions",
        "transform AWS::Include",
        "Fn::ForEach",
    )


@pytest.mark.parametrize("type", ["Custom::Maker", "AWS::CloudFormation::CustomResource"])
def test_custom_resource_calls_whoever_makes_it(type: str) -> None:
    function = "arn:aws:lambda:eu-central-1:444455556666:function:maker"
    topic = "arn:aws:sns:eu-central-1:444455556666:maker"
    assert of(type, {"ServiceToken": function}, "delete") == {"lambda:InvokeFunction": [function]}
    assert of(type, {"ServiceToken": topic}) == {"sns:Publish": [topic]}
    open = of_template({"Resources": {"X": {"Type": type, "Properties": {"ServiceToken": {"Fn::ImportValue": "m"}}}}})
    assert by_action(open.calls)["lambda:InvokeFunction"] == ["arn:aws:lambda:eu-central-1:111122223333:function:*"]
    assert set(by_action(open.possible)) == {"sns:Publish"}


def test_wait_handles_call_nothing() -> None:
    found = of_template({"Resources": {"W": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    assert {call.action.partition(":")[0] for call in found.calls} == {"cloudformation"}
    assert found.unknown_types == ()


# --- templates


def topic(name: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}, **more}


def topics(template: Mapping[str, Any], **parameters: str) -> list[str]:
    calls = of_template(template, **parameters).calls
    return [call.resource.rpartition(":")[2] for call in calls if call.action == "sns:CreateTopic"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"Ref": "Given"}, "given"),
        ({"Ref": "Defaulted"}, "7"),
        ({"Ref": "Hidden"}, "*"),
        ({"Ref": "Looked"}, "*"),
        ({"Ref": "Nowhere"}, "*"),
        ({"Fn::Sub": "a-${Given}-${AWS::Region}"}, "a-given-eu-central-1"),
        ({"Fn::Sub": ["${x}-${!y}", {"x": {"Ref": "Given"}}]}, "given-${y}"),
        ({"Fn::Sub": "${AWS::StackName}-x"}, "StackSet-*-x"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}, {"Fn::ImportValue": "x"}]]}, "a-111122223333-*"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}, "b"),
        ({"Fn::Select": ["0", {"Ref": "Several"}]}, "one"),
        ({"Fn::Select": [9, {"Ref": "Several"}]}, "*"),
        ({"Fn::FindInMap": ["Names", {"Ref": "AWS::Region"}, "topic"]}, "mapped"),
        ({"Fn::FindInMap": ["Names", "elsewhere", "topic"]}, "*"),
        ({"Fn::Base64": "x"}, "*"),
        ({"Ref": "AWS::NoValue"}, "*"),
        ({"Ref": "Other"}, "other"),
        ({"Fn::GetAtt": ["Other", "QueueName"]}, "*"),
        ({"Fn::If": ["Never", "yes", "no"]}, "no"),
    ],
)
def test_functions_are_resolved_as_far_as_they_go(value: Any, name: str) -> None:
    template = {
        "Parameters": {
            "Given": {"Type": "String"},
            "Defaulted": {"Type": "Number", "Default": 7},
            "Hidden": {"Type": "String", "NoEcho": True},
            "Looked": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"},
            "Several": {"Type": "CommaDelimitedList", "Default": "one, two"},
        },
        "Mappings": {"Names": {REGION: {"topic": "mapped"}}},
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Topic": topic(value),
            "Other": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "other"}},
        },
    }
    assert topics(template, Given="given", Hidden="****") == [name]


def test_arn_of_a_resource_of_the_same_template_is_found() -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {"Name": "r", "Targets": [{"Id": "t", "RoleArn": {"Fn::GetAtt": "Role.Arn"}}]},
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": "sends-${AWS::Region}"}}}
    passed = the("iam:PassRole", of_template({"Resources": {"Rule": rule, "Role": role}}).calls)
    assert passed.resource == "arn:aws:iam::111122223333:role/sends-eu-central-1"


def test_resources_that_refer_to_each_other_in_a_circle_are_open() -> None:
    template = {"Resources": {"A": topic({"Ref": "B"}), "B": topic({"Ref": "A"})}}
    assert topics(template) == ["*"]


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, REGION]}, True),
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}, False),
        ({"Fn::Not": [{"Condition": "Holds"}]}, False),
        ({"Fn::And": [{"Condition": "Holds"}, {"Condition": "Open"}]}, True),
        ({"Fn::And": [{"Fn::Not": [{"Condition": "Holds"}]}, {"Condition": "Open"}]}, False),
        ({"Fn::Or": [{"Fn::Not": [{"Condition": "Holds"}]}, {"Condition": "Open"}]}, True),
        ({"Condition": "Open"}, True),
        ({"Fn::Nonsense": []}, True),
    ],
)
def test_resource_counts_unless_its_condition_certainly_does_not_hold(condition: Any, made: bool) -> None:
    template = {
        "Conditions": {
            "Asked": condition,
            "Holds": {"Fn::Equals": ["a", "a"]},
            "Open": {"Fn::Equals": [{"Fn::ImportValue": "x"}, "a"]},
        },
        "Resources": {"Topic": topic("t", Condition="Asked")},
    }
    assert topics(template) == (["t"] if made else [])


def test_both_sides_of_an_undecided_condition_count_and_stay_together() -> None:
    name = {"Fn::If": ["Open", "yes", "no"]}
    properties = {"TopicName": name, "DataProtectionPolicy": {"Fn::If": ["Open", {"x": 1}, {"Ref": "AWS::NoValue"}]}}
    template = {
        "Conditions": {"Open": {"Fn::Equals": [{"Fn::ImportValue": "x"}, "a"]}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}},
    }
    calls = by_action(of_template(template).calls)
    arn = "arn:aws:sns:eu-central-1:111122223333:"
    assert calls["sns:CreateTopic"] == [arn + "yes", arn + "no"]
    assert calls["sns:PutDataProtectionPolicy"] == [arn + "yes"]


def test_very_many_undecided_conditions_are_taken_at_their_ends() -> None:
    names = [f"C{n}" for n in range(30)]
    template = {
        "Conditions": {name: {"Fn::Equals": [{"Fn::ImportValue": name}, "a"]} for name in names},
        "Resources": {"T": topic({"Fn::Join": ["", [{"Fn::If": [name, "y", "n"]} for name in names]]})},
    }
    assert topics(template) == ["y" * 30, "n" * 30]
    assert of_template(template).unknown_types == ("AWS::SNS::Topic with more than 4 open conditions",)


def test_ids_that_are_references_yet_are_open() -> None:
    template = {"Parameters": {"P": {"Type": "String"}}, "Resources": {"T": topic({"Fn::Sub": "${P}-t"})}}
    assert topics(template, P="${orgctl:account-id:Audit}") == ["*-t"]


def test_account_that_is_not_known_yet_is_open() -> None:
    calls = of_template({"Resources": {"T": topic("t")}}, account="*").calls
    assert the("sns:CreateTopic", calls).resource == "arn:aws:sns:eu-central-1:*:t"


def test_other_partitions_have_other_arns() -> None:
    calls = of_template({"Resources": {"T": topic("t")}}, partition="aws-cn", region="cn-north-1").calls
    assert the("sns:CreateTopic", calls).resource == "arn:aws-cn:sns:cn-north-1:111122223333:t"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_stack_itself_is_made_by_the_same_role(operation: Operation) -> None:
    calls = of_template({"Resources": {}}, operation).calls
    assert [call.action for call in calls] == [
        f"cloudformation:{operation.capitalize()}Stack",
        "cloudformation:DescribeStacks",
    ]


def test_stack_tags_reach_what_can_be_tagged() -> None:
    calls = of_template({"Resources": {"T": topic("t")}}, tags={"Owner": "platform"}).calls
    assert the("sns:CreateTopic", calls).context == {"aws:RequestTag/Owner": "platform", "aws:TagKeys": ("Owner",)}


def test_broken_templates_do_not_break_the_walk() -> None:
    template = {
        "Parameters": {"P": "no declaration"},
        "Conditions": [],
        "Resources": {"A": "x", "B": {"Type": 3}, "C": {"Type": "AWS::SNS::Topic", "Properties": "x"}},
    }
    assert topics(template) == ["*"]
    assert of_template({}).unknown_types == ()


def test_account_baseline_in_and_outside_its_home_region() -> None:
    template = json.loads((GOLDEN / "account-baseline.json").read_text(encoding="utf-8"))
    home = of_template(template, **BASELINE)
    away = of_template(template, region="us-east-1", **BASELINE)
    assert home.unknown_types == home.assumed_types == ()
    audit = "arn:aws:iam::111122223333:role/orgctl-audit"
    assert by_action(home.calls)["iam:CreateRole"] == [
        audit,
        "arn:aws:iam::111122223333:role/orgctl-config-evaluations",
        "arn:aws:iam::111122223333:role/orgctl-forward-events-eu-central-1",
        "arn:aws:iam::111122223333:role/orgctl-lineage-reader",
    ]
    assert by_action(away.calls)["iam:CreateRole"] == ["arn:aws:iam::111122223333:role/orgctl-forward-events-us-east-1"]
    assert the("iam:AttachRolePolicy", home.calls).context["iam:PolicyARN"] == "arn:aws:iam::aws:policy/SecurityAudit"
    assert by_action(home.calls)["logs:CreateLogGroup"] == [
        "arn:aws:logs:eu-central-1:111122223333:log-group:/orgctl/governance:log-stream:"
    ]
    assert not any(call.startswith("kms:") for call in by_action(home.calls))


def test_lineage_bus_uses_the_key_that_it_makes() -> None:
    template = json.loads((GOLDEN / "lineage-bus.json").read_text(encoding="utf-8"))
    calls = by_action(of_template(template, OrganizationId="o-example1").calls)
    assert calls["kms:GenerateDataKey"] == ["arn:aws:kms:eu-central-1:111122223333:key/*"]
    assert calls["events:CreateEventBus"] == ["arn:aws:events:eu-central-1:111122223333:event-bus/orgctl-lineage"]


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ({"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/k"}}}, "Fn::Transform"),
        ({"B": {"Type": "AWS::S3::Bucket", "Properties": {"Fn::Transform": {"Name": "Encrypted"}}}}, "Fn::Transform"),
        ({"T": {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [{"Fn::Transform": {}}]}}}, "Fn::Transform"),
        ({"Fn::ForEach::Topics": ["X", ["a"], {"T${X}": {"Type": "AWS::SNS::Topic"}}]}, "Fn::ForEach"),
        ({"B": {"Properties": {}}}, "B, which has no type,"),
        ({"S": {"Type": "AWS::CloudFormation::Stack"}}, "AWS::CloudFormation::Stack (the template within)"),
    ],
)
def test_what_only_cloudformation_puts_in_is_unknown(resources: Mapping[str, Any], told: str) -> None:
    assert of_template({"Resources": resources}).unknown_types == (told,)


@pytest.mark.parametrize(
    ("attributes", "replacing", "deleted"),
    [
        ({}, False, True),
        ({"DeletionPolicy": "Retain"}, False, False),
        ({"DeletionPolicy": "Retain"}, True, True),
        ({"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}, True, False),
        ({"UpdateReplacePolicy": "Retain"}, False, True),
        ({"DeletionPolicy": "RetainExceptOnCreate"}, False, True),
        ({"DeletionPolicy": "Snapshot"}, False, True),
    ],
)
def test_what_a_stack_keeps_is_not_deleted(attributes: dict[str, str], replacing: bool, deleted: bool) -> None:
    template = {"Resources": {"B": {"Type": "AWS::S3::Bucket", **attributes}}}
    found = calls_of_template(
        template, {}, account=ACCOUNT, region=REGION, partition="aws", operation="delete", replacing=replacing
    )
    assert ("s3:DeleteBucket" in by_action(found.calls)) is deleted
    assert "s3:CreateBucket" in by_action(of_template(template).calls)


def test_tags_that_are_not_all_known_decide_no_tag_keys() -> None:
    open_tags = {"Fn::FindInMap": ["Tags", {"Ref": "AWS::Region"}, "All"]}
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t", "Tags": open_tags}}}}
    call = the("sns:CreateTopic", of_template(template, tags={"Owner": "x"}).calls)
    assert "aws:TagKeys" not in call.context
    assert call.context["aws:RequestTag/Owner"] == "x"
