"""What the catalog's templates give an account, and that CloudFormation would take them."""

from __future__ import annotations

import json

import pytest

from org.quotas import load_quotas
from stacksets.catalog import SpecialPlaces, template_body, templates
from stacksets.lineage_events import MAX_PATTERN_LENGTH, render_patterns
from stacksets.lint import lint_template
from tests.support.golden import assert_golden

REGIONS = ("eu-central-1", "us-east-1", "ap-southeast-2")
PLACES = SpecialPlaces("eu-central-1", "Audit", "AMI Lineage", "Log Archive")
NAMES = tuple(templates())


def resources(name: str) -> dict[str, dict]:
    return templates()[name].render().to_dict()["Resources"]


@pytest.mark.parametrize("name", NAMES)
def test_template_is_the_one_that_was_reviewed(name):
    assert_golden(f"templates/{name}.json", templates()[name].render().to_dict())


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_says_nothing_of_the_template(name):
    assert lint_template(template_body(templates()[name].render()), REGIONS) == ()


@pytest.mark.parametrize("name", NAMES)
def test_template_is_small_enough_to_be_given_inline(name):
    body = template_body(templates()[name].render())
    assert len(body.encode()) <= load_quotas().stacksets.template_bytes


@pytest.mark.parametrize("name", NAMES)
def test_template_renders_to_the_same_text_each_time(name):
    entry = templates()[name]
    assert template_body(entry.render()) == template_body(entry.render())


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_without_default_is_filled_in_or_left_to_the_user(name):
    entry = templates()[name]
    declared = entry.render().to_dict()["Parameters"]
    required = {name for name, parameter in declared.items() if "Default" not in parameter}
    assert required == set(entry.filled_in(PLACES)) | set(entry.left_to_user)


@pytest.mark.parametrize("name", NAMES)
def test_capability_is_asked_for_where_roles_are_named(name):
    entry = templates()[name]
    named = any("RoleName" in resource["Properties"] for resource in resources(name).values())
    assert entry.capabilities == (("CAPABILITY_NAMED_IAM",) if named else ())


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_allows_everything(name):
    for document in documents(resources(name)):
        for statement in document["Statement"]:
            actions = statement.get("Action", [])
            narrow = all(action != "*" for action in ([actions] if isinstance(actions, str) else actions))
            assert narrow or statement["Effect"] == "Deny", statement


def documents(value):
    """Every policy document anywhere in the value."""
    if isinstance(value, dict):
        if "Statement" in value and isinstance(value["Statement"], list):
            yield value
        for inner in value.values():
            yield from documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from documents(inner)


def test_audit_role_exists_once_an_account_since_iam_is_global():
    role = resources("account-baseline")["AuditRole"]
    condition = templates()["account-baseline"].render().to_dict()["Conditions"]["IsHomeRegion"]
    assert role["Condition"] == "IsHomeRegion"
    assert condition == {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "HomeRegion"}]}


def test_audit_role_is_assumed_from_the_audit_account_of_the_organization_with_the_external_id_only():
    (statement,) = resources("account-baseline")["AuditRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AuditAccountId}:root"}}
    assert statement["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}, "aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
        "ArnLike": {"aws:PrincipalArn": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AuditAccountId}:${AuditPrincipal}"}},
    }


def test_forwarder_role_may_put_events_on_the_central_bus_and_nothing_else():
    (policy,) = resources("account-baseline")["ForwarderRole"]["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "PutEventsOnCentralBus",
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": {
                "Fn::Sub": "arn:${AWS::Partition}:events:${HomeRegion}:${LineageAccountId}:event-bus/${CentralBusName}"
            },
        }
    ]


def test_forwarding_does_not_depend_on_another_region():
    """EventBridge refuses a target whose role is missing, and StackSets deploy Regions in any order."""
    role = resources("account-baseline")["ForwarderRole"]
    assert "Condition" not in role
    assert role["Properties"]["RoleName"] == {"Fn::Sub": "orgctl-forward-events-${AWS::Region}"}


def test_every_pattern_has_its_rule_to_the_central_bus():
    rules = {
        resource["Properties"]["Name"]: resource["Properties"]
        for resource in resources("account-baseline").values()
        if resource["Type"] == "AWS::Events::Rule"
    }
    assert {name: rule["EventPattern"] for name, rule in rules.items()} == {
        f"orgctl-forward-{name}": pattern for name, pattern in render_patterns().items()
    }
    assert {rule["Targets"][0]["RoleArn"]["Fn::GetAtt"][0] for rule in rules.values()} == {"ForwarderRole"}


@pytest.mark.parametrize(("name", "pattern"), list(render_patterns().items()))
def test_pattern_is_within_what_eventbridge_takes(name, pattern):
    assert len(json.dumps(pattern)) <= MAX_PATTERN_LENGTH


@pytest.mark.parametrize(("name", "pattern"), list(render_patterns().items()))
def test_pattern_names_the_aws_services_that_may_say_it(name, pattern):
    assert all(source.startswith("aws.") for source in pattern["source"])


@pytest.mark.parametrize(
    ("source", "name"),
    [("aws.ec2", "CopyImage"), ("aws.ec2", "RunInstances"), ("aws.ec2", "CreateReplaceRootVolumeTask"),
     ("aws.ec2", "DeleteTags"), ("aws.ec2", "CreateVolume"),
     ("aws.imagebuilder", "DistributeImage"), ("aws.ebs", "CompleteSnapshot")],
)  # fmt: skip
def test_call_that_makes_or_uses_an_image_is_forwarded_by_one_rule(source, name):
    forwarding = [
        rule
        for rule, pattern in render_patterns().items()
        if source in pattern["source"] and name in pattern.get("detail", {}).get("eventName", ())
    ]
    assert len(forwarding) == 1


def test_central_bus_takes_events_from_the_organization_only():
    policy = resources("lineage-bus")["CentralBusPolicy"]["Properties"]["Statement"]
    assert policy["Action"] == "events:PutEvents"
    assert policy["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}}


def test_key_is_usable_by_eventbridge_for_this_bus_only():
    statements = resources("lineage-bus")["CentralBusKey"]["Properties"]["KeyPolicy"]["Statement"]
    use, look = [statement for statement in statements if "Service" in statement["Principal"]]
    assert use["Condition"]["StringEquals"].keys() == {
        "aws:SourceAccount",
        "aws:SourceArn",
        "kms:EncryptionContext:aws:events:event-bus:arn",
    }
    assert (look["Action"], "Condition" in look) == ("kms:DescribeKey", False)
    assert resources("lineage-bus")["CentralBusKey"]["Properties"]["EnableKeyRotation"] is True


def test_references_stand_for_ids_that_do_not_exist_yet():
    assert templates()["account-baseline"].filled_in(PLACES) == {
        "AuditAccountId": "${orgctl:account-id:Audit}",
        "HomeRegion": "eu-central-1",
        "LineageAccountId": "${orgctl:account-id:AMI Lineage}",
        "OrganizationId": "${orgctl:organization-id}",
    }
