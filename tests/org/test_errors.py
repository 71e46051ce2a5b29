"""The one error that a person reads."""

from __future__ import annotations

import pytest
from botocore.parsers import ResponseParserError

from org.errors import OrgctlError
from org.gateway.errors import aws_errors


def test_error_says_where_what_and_what_to_do_in_one_line() -> None:
    assert str(OrgctlError("a.yaml:1:2", "no such unit", "name one")) == "a.yaml:1:2: no such unit; name one"
    assert str(OrgctlError("a.yaml", "empty")) == "a.yaml: empty"


def test_what_a_terminal_would_act_on_is_written_as_an_escape() -> None:
    assert str(OrgctlError("a.yaml", "unit '\x1b[2J\nfake: line'")) == r"a.yaml: unit '\x1b[2J\nfake: line'"


def test_answer_that_is_not_of_aws_is_one_line_and_no_bug() -> None:
    with (
        pytest.raises(OrgctlError, match=r"^sts:GetCallerIdentity: what answers is not AWS"),
        aws_errors("sts:GetCallerIdentity"),
    ):
        raise ResponseParserError("invalid XML received")
