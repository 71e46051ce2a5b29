"""Templates of the user's own: what is refused, where, and in which words."""

from __future__ import annotations

import pytest

from stacksets.parameters import DeclaredParameter
from stacksets.template_file import read_template


def test_text_stays_as_it_is_and_parameters_are_known():
    text = """\
Parameters:
  Required: {Type: String}
  Optional: {Type: String, Default: "", AllowedValues: [yes, "no", a]}
Resources:
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: !Sub "${Required}-x"}}
"""
    template = read_template(text, "x.yaml", [])
    assert template.body == text
    assert template.parameters == {
        "Required": DeclaredParameter(),
        # As CloudFormation reads YAML, a word that is true or false is that, unless it stands in quotes.
        "Optional": DeclaredParameter(has_default=True, allowed_values=("true", "no", "a")),
    }


def test_json_template_is_read_too():
    text = '{"Parameters": {"A": {"Type": "Number", "Default": 1, "MaxValue": 3}}, "Resources": {"${X}": "${Y}"}}'
    assert read_template(text, "x.json", []).parameters == {
        "A": DeclaredParameter("Number", has_default=True, size=(float("-inf"), 3))
    }


@pytest.mark.parametrize("parameters", ["Parameters: [a]", "Parameters: {A: b}", "Parameters:"])
def test_parameters_that_are_none_are_left_to_cfn_lint(parameters):
    assert read_template(f"{parameters}\nResources: {{}}\n", "x.yaml", []) is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Resources: {}\n" + "#" * 51_200,
            (
                "x: the template has 51,214 bytes, and CloudFormation takes 51,200 in a call; "
                "split it into several StackSets"
            ),
        ),
        (
            '{"Resources":\n  {]}',
            (
                "x:2:4: the file is not JSON: expecting property name enclosed in double quotes; "
                "correct the line or the one before it"
            ),
        ),
        (
            '{"Resources": {},\n "Outputs": {"A": {"Value": 1, "Value": 2}}, "Resources": {}}',
            (
                "x:2:32: the key 'Value' is already at x:2:20; keep one of the two\n"
                "x:2:46: the key 'Resources' is already at x:1:2; keep one of the two"
            ),
        ),
        (
            "Resources:\n  A: [1\n  B: 2\n",
            (
                "x:3:4: the file is not YAML: did not find expected ',' or ']' while parsing a flow sequence; "
                "correct the line or the one before it"
            ),
        ),
        (
            "Resources: {A: {Type: x, Type: y}}\nResources: {}\n",
            (
                "x:1:26: the key 'Type' is already at x:1:17; keep one of the two\n"
                "x:2:1: the key 'Resources' is already at x:1:1; keep one of the two"
            ),
        ),
        ("[a, b]: 1\nResources: {}\n", "x:1:1: a list or a mapping cannot be a key; write text before the colon"),
        (
            "Resources: {A: &a {Type: x}, B: *a}\n",
            "x:1:33: the alias *a stands in a template, and CloudFormation takes none; write the value out",
        ),
        ("Resources: {}\n---\nResources: {}\n", "x:2:1: a second document begins here; keep one document per file"),
        ("", "x: the file is empty; begin with Resources:"),
        ("# nothing\n", "x: the file is empty; begin with Resources:"),
        ("- a\n", "x:1:1: the file is not a CloudFormation template; begin with Resources:"),
        ("just words", "x:1:1: the file is not a CloudFormation template; begin with Resources:"),
        ("Resources: {A: " + "[" * 20_000, "x:1:54: values are nested more than 40 deep; nest them less"),
        ('{"Resources": ' + "[" * 50_000, "x:1:1: values are nested more than 40 deep; nest them less"),
        ("Description: nothing\n", "x:1:1: the template has no Resources; describe at least one resource"),
        (
            "Resources: {}\nTransform: AWS::Serverless-2016-10-31\n",
            (
                "x:2:1: the template has a Transform, which service-managed StackSets refuse; "
                "write the resources out, or process it first"
            ),
        ),
    ],
)
def test_what_no_stackset_can_deploy_is_refused_with_its_place(text, message):
    findings = []
    assert read_template(text, "x", findings) is None
    assert "\n".join(map(str, sorted(findings))) == message
