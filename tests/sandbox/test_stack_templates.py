"""Templates: how they are read, what their functions answer, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from moto.cloudformation.exceptions import CloudFormationError

from org.sandbox.template import check_parameters, find_references, order_resources, parse_template
from org.sandbox.template_functions import Scope, holds, parameter_values, resolve

ONE = {"One": {"Type": "AWS::SNS::Topic"}}


def scope(**sections: Any) -> Scope:
    template = {"Resources": ONE, **sections}
    names = {"AWS::Region": "eu-central-1", "Stage": "prod", "List": ["a", "b"]}
    return Scope(template, names, lambda name: f"{name}-id", lambda name, attribute: f"{name}.{attribute}", {"x": "y"})


def test_yaml_is_read_with_short_functions_and_with_dates_as_text() -> None:
    template = parse_template(
        """
        Resources:
          Role:
            Type: AWS::IAM::Role
            Properties:
              Version: 2012-10-17
              Arn: !GetAtt Other.Arn.Deep
              Name: !Sub "${AWS::Region}-x"
              If: !If [Yes1, !Ref A, !Join ["-", [a, !Ref B]]]
        """
    )
    assert template["Resources"]["Role"]["Properties"] == {
        "Version": "2012-10-17",
        "Arn": {"Fn::GetAtt": ["Other", "Arn.Deep"]},
        "Name": {"Fn::Sub": "${AWS::Region}-x"},
        "If": {"Fn::If": ["Yes1", {"Ref": "A"}, {"Fn::Join": ["-", ["a", {"Ref": "B"}]]}]},
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "Template format error: unsupported structure."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        (
            "Resources: {A: {}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        ('{"Resources": ', "Template format error: Expecting value: line 1 column 15 (char 14)"),
    ],
)
def test_a_body_that_is_no_template_is_refused(body: str, message: str) -> None:
    with pytest.raises(CloudFormationError) as error:
        parse_template(body)
    assert error.value.message == message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "One"}, "One-id"),
        ({"Fn::GetAtt": ["One", "Arn"]}, "One.Arn"),
        ({"Fn::GetAtt": "One.Arn"}, "One.Arn"),
        ({"Fn::Sub": "${Stage}/${One}/${One.Arn}/${!aws:PrincipalTag}"}, "prod/One-id/One.Arn/${aws:PrincipalTag}"),
        ({"Fn::Sub": ["${Stage}/${Local}", {"Local": {"Ref": "One"}}]}, "prod/One-id"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": ["/", "a/b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::If": ["IsProd", "yes", "no"]}, "yes"),
        ({"a": {"Fn::If": ["IsProd", {"Ref": "AWS::NoValue"}, "no"]}, "b": 1}, {"b": 1}),
        ([{"Ref": "AWS::NoValue"}, "kept"], ["kept"]),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "size"]}, "large"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::GetAZs": ""}, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
        ({"Fn::ImportValue": "x"}, "y"),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, None),
    ],
)
def test_functions_are_evaluated(value: Any, expected: Any) -> None:
    sections = {
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Mappings": {"Sizes": {"prod": {"size": "large"}}},
    }
    assert resolve(value, scope(**sections)) == (value if expected is None else expected)


def test_conditions_are_combined() -> None:
    is_prod = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    conditions = {
        "IsProd": is_prod,
        "Not": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Or": {"Fn::Or": [{"Condition": "Not"}, is_prod]},
        "And": {"Fn::And": [{"Condition": "Not"}, is_prod]},
    }
    assert {name: holds(scope(Conditions=conditions), name) for name in conditions} == {
        "IsProd": True,
        "Not": False,
        "Or": True,
        "And": False,
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"Ref": "Two"},
            "Template format error: Unresolved resource dependencies [Two] in the Resources block of the template",
        ),
        (
            {"Fn::GetAtt": ["Two", "Arn"]},
            "Template error: instance of Fn::GetAtt references undefined resource Two",
        ),
        (
            {"Fn::GetAtt": "Two"},
            (
                "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
                "resource attribute"
            ),
        ),
        ({"Fn::Cidr": []}, "Template error: the orgctl sandbox does not emulate Fn::Cidr"),
        ({"Fn::Transform": {}}, "Template error: the orgctl sandbox does not emulate Fn::Transform"),
        ({"Fn::Select": [2, {"Ref": "List"}]}, "Template error: Fn::Select cannot select nonexistent value at index 2"),
        ({"Fn::If": ["No", 1, 2]}, "Template error: unresolved condition dependency No"),
        ({"Fn::FindInMap": ["No", "a", "b"]}, "Template error: Unable to get mapping for No::a::b"),
        ({"Fn::ImportValue": "no"}, "No export named no found."),
    ],
)
def test_functions_that_cannot_be_evaluated_are_refused(value: Any, message: str) -> None:
    with pytest.raises(CloudFormationError) as error:
        resolve(value, scope())
    assert error.value.message == message


def test_references_are_found_in_every_function() -> None:
    value = {
        "a": {"Ref": "A"},
        "b": [{"Fn::GetAtt": ["B", "Arn"]}],
        "c": {"Fn::Sub": ["${C} ${C.Name} ${Local} ${!Not}", {"Local": {"Ref": "D"}}]},
    }
    assert list(find_references(value)) == [("A", ""), ("B", "Arn"), ("D", ""), ("C", ""), ("C", "Name")]


def test_resources_come_after_what_they_depend_on() -> None:
    resources = {
        "A": {"Type": "T", "DependsOn": "C"},
        "B": {"Type": "T", "Properties": {"x": {"Fn::Sub": "${D.Arn}"}}},
        "C": {"Type": "T"},
        "D": {"Type": "T"},
    }
    assert order_resources({"Resources": resources}) == ("C", "A", "D", "B")


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            {"A": {"Type": "T", "DependsOn": ["B"]}, "B": {"Type": "T", "Properties": {"x": {"Ref": "A"}}}},
            "Circular dependency between resources: [A, B]",
        ),
        (
            {"A": {"Type": "T", "DependsOn": "B"}},
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
    ],
)
def test_dependencies_that_cannot_be_met_are_refused(resources: dict[str, Any], message: str) -> None:
    with pytest.raises(CloudFormationError) as error:
        order_resources({"Resources": resources})
    assert error.value.message == message


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ({"AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedPattern": "[a-z]+"}, "1", "Parameter P failed to satisfy constraint: must match pattern [a-z]+"),
        (
            {"AllowedPattern": "[a-z]+", "ConstraintDescription": "letters only"},
            "1",
            "Parameter P failed to satisfy constraint: letters only",
        ),
        ({"MinLength": 2}, "a", "Parameter 'P' must contain at least 2 characters"),
        ({"MaxLength": 2}, "abc", "Parameter 'P' must contain at most 2 characters"),
        ({"Type": "Number"}, "a", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "Parameter 'P' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "3", "Parameter 'P' must be a number not greater than 2"),
    ],
)
def test_a_value_that_breaks_a_constraint_is_refused(declaration: dict[str, Any], value: str, message: str) -> None:
    template = {"Parameters": {"P": {"Type": "String", **declaration}}, "Resources": ONE}
    with pytest.raises(CloudFormationError) as error:
        check_parameters(template, {"P": value})
    assert error.value.message == message


def test_parameters_have_the_type_that_is_declared() -> None:
    declared = {
        "Text": {"Type": "String", "Default": True},
        "List": {"Type": "CommaDelimitedList"},
        "Numbers": {"Type": "List<Number>", "Default": "1,2"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
    }
    template = {"Parameters": declared, "Resources": ONE}
    assert parameter_values(template, {"List": "a, b"}, lambda name: f"value of {name}") == {
        "Text": "true",
        "List": ["a", "b"],
        "Numbers": ["1", "2"],
        "Stored": "value of /path",
    }
