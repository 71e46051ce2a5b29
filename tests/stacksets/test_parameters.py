"""Values of template parameters, checked before AWS sees them."""

from __future__ import annotations

import pytest

from stacksets.catalog import templates
from stacksets.parameters import DeclaredParameter

ID = {"Type": "String", "AllowedPattern": "[0-9]{12}", "ConstraintDescription": "twelve digits"}
TEXT = {"Type": "String", "MinLength": 2, "MaxLength": "3", "AllowedPattern": r"\w+"}
DAYS = {"Type": "Number", "AllowedValues": [30, 90]}
PORT = {"Type": "Number", "MinValue": 1, "MaxValue": 65535}
ZONES = {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}


@pytest.mark.parametrize(
    ("declared", "value", "fault"),
    [
        (ID, "12345678901", ("cannot be '12345678901'", "twelve digits")),
        (TEXT, "a", ("has 1 characters", "use 2 to 3")),
        (TEXT, "abcd", ("has 4 characters", "use 2 to 3")),
        (TEXT, "a-b", ("cannot be 'a-b'", r"write what matches \w+")),
        (TEXT, "äh", ("cannot be 'äh'", r"write what matches \w+")),
        ({"MinLength": 8}, "short", ("has 5 characters", "use 8 or more")),
        (DAYS, "31", ("cannot be '31'", "its values are 30, 90")),
        ({"AllowedValues": ["small", "large"]}, "smal", ("cannot be 'smal'", "did you mean 'small'?")),
        (PORT, "many", ("cannot be 'many'", "write a number")),
        (PORT, "0", ("is 0", "it must be at least 1")),
        (PORT, "65536", ("is 65536", "it must be at most 65535")),
        (ZONES, "a, c", ("cannot be 'c'", "its values are a, b")),
        ({"Type": "List<Number>"}, "1,x", ("cannot be 'x'", "write a number")),
    ],
)
def test_value_that_cloudformation_would_refuse_is_refused(declared, value, fault):
    assert DeclaredParameter.of(declared).find_fault(value) == fault


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (ID, "123456789012"),
        (ID, "${orgctl:account-id:Audit}"),
        ({"AllowedPattern": "o-[a-z0-9]+"}, "${orgctl:organization-id}"),
        ({"AllowedValues": ["123456789012"]}, "${orgctl:account-id:Audit}"),
        (DAYS, "90"),
        (PORT, "443"),
        (ZONES, "b,a"),
        # Java's alone, and so left to CloudFormation.
        ({"AllowedPattern": r"\p{Alpha}+"}, "1"),
        ({"AllowedPattern": "[a-z&&[^b]]+"}, "b"),
        ({"AllowedPattern": "[a-z[0-9]]+"}, "A"),
        ("no mapping", "x"),
        ({"MinLength": "two", "AllowedValues": "a"}, "x"),
    ],
)
def test_value_that_cloudformation_takes_or_that_it_alone_can_judge_is_let_through(declared, value):
    assert DeclaredParameter.of(declared).find_fault(value) is None


def test_defaults_of_the_catalog_are_what_its_templates_take():
    for entry in templates().values():
        for name, declared in entry.render().to_dict()["Parameters"].items():
            if "Default" in declared:
                assert DeclaredParameter.of(declared).find_fault(str(declared["Default"])) is None, name
