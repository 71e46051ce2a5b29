"""The one error that a person reads."""

from __future__ import annotations

from org.errors import OrgctlError


def test_error_says_where_what_and_what_to_do_in_one_line() -> None:
    assert str(OrgctlError("a.yaml:1:2", "no such unit", "name one")) == "a.yaml:1:2: no such unit; name one"
    assert str(OrgctlError("a.yaml", "empty")) == "a.yaml: empty"


def test_what_a_terminal_would_act_on_is_written_as_an_escape() -> None:
    assert str(OrgctlError("a.yaml", "unit '\x1b[2J\nfake: line'")) == r"a.yaml: unit '\x1b[2J\nfake: line'"
