"""What stands on a terminal, which is narrower than a file."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout

import pytest

from cli.render.console import results
from cli.render.organization_tree import print_organization
from cli.render.plan_tree import show_plan
from org.plan.build import plan_changes
from org.quotas import load_quotas
from tests.support.command_line import CommandLine
from tests.support.organizations import account, desired, live_unit, observed, on_root, policy, unit


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def words(self) -> str:
        """Answer what was printed, without colours, guide lines and where lines end."""
        return " ".join(re.sub(r"\x1b\[[\d;]*m|[│├└─]", " ", self.getvalue()).split())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_narrow_terminal_hides_nothing_of_a_plan(terminal: Terminal) -> None:
    there = observed([live_unit("Infrastructure"), live_unit("Infrastructure/Continuous Integration")])
    wanted = desired([unit("Prod")], [account("Continuous Integration", "Prod")], [policy("Guard", on_root())])
    plan = plan_changes(wanted, there, load_quotas(), {})
    assert len(plan.destructive) == 2
    with redirect_stdout(terminal):
        show_plan(plan, results())
    assert max(map(len, re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).splitlines())) <= 40
    shown = terminal.words()
    assert shown.count("(destructive)") == 2
    for change in ("create account Continuous Integration", "attach SERVICE_CONTROL_POLICY Guard to the root"):
        assert change in shown


def test_narrow_terminal_hides_nothing_of_an_organization(terminal: Terminal) -> None:
    services = tuple(f"service-{number}.amazonaws.com" for number in range(9))
    with redirect_stdout(terminal):
        print_organization(observed(trusted_access=services), results())
    assert ", ".join(services) in terminal.words()


def test_narrow_terminal_hides_nothing_of_a_descent(terminal: Terminal, lineage: CommandLine) -> None:
    whole = " ".join(re.sub(r"[│├└─]", " ", lineage("lineage", "ancestors", "i-web").out).split())
    with redirect_stdout(terminal):
        assert lineage("lineage", "ancestors", "i-web").code == 0
    # What is longer than a line is broken within itself.
    assert terminal.words().replace(" ", "") == whole.replace(" ", "")
