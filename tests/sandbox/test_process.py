"""The sandbox in the background: started, found again, stopped, and what a dead one leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from org.errors import OrgctlError
from org.sandbox.process import reset_sandbox, sandbox_status, start_sandbox, stop_sandbox
from org.sandbox.session import session_for
from tests.support.full_disk import REASON, full_disk


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    stop_sandbox(tmp_path / "state")


def test_a_sandbox_is_started_found_used_reset_and_stopped(directory: Path) -> None:
    running = start_sandbox(directory)
    assert not running.already_running
    assert sandbox_status(directory) == running
    again = start_sandbox(directory)
    assert again == running
    assert again.already_running

    organizations = session_for(running.endpoint).client("organizations")
    before = organizations.create_organization()["Organization"]["Id"]
    assert reset_sandbox(directory) == running
    assert organizations.create_organization()["Organization"]["Id"] == before

    assert stop_sandbox(directory) == running
    assert sandbox_status(directory) is None
    assert stop_sandbox(directory) is None
    assert not (directory / "sandbox.json").exists()


def test_a_sandbox_that_was_killed_is_noticed_and_started_anew(directory: Path) -> None:
    first = start_sandbox(directory)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert sandbox_status(directory) is None
    second = start_sandbox(directory)
    assert second.pid != first.pid
    assert not second.already_running


def test_what_another_program_answers_is_no_sandbox(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        directory.mkdir()
        state = {
            "pid": os.getpid(),
            "port": other.getsockname()[1],
            "started": "2026-01-01T00:00:00+00:00",
            "token": "x",
        }
        (directory / "sandbox.json").write_text(json.dumps(state), encoding="utf-8")
        assert stop_sandbox(directory) is None, "and this process is not killed"
    assert not (directory / "sandbox.json").exists()


@pytest.mark.parametrize("content", ["", "{}", "[]", "not json"])
def test_a_damaged_state_is_no_sandbox(directory: Path, content: str) -> None:
    directory.mkdir()
    (directory / "sandbox.json").write_text(content, encoding="utf-8")
    assert sandbox_status(directory) is None


def test_a_port_that_is_taken_is_said(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OrgctlError) as caught:
            start_sandbox(directory, port)
    assert str(caught.value) == (
        f"sandbox: port {port} is taken by another program; "
        "give another one with --port, or none to have a free one chosen"
    )


def test_a_port_that_cannot_be_is_said(directory: Path) -> None:
    with pytest.raises(OrgctlError) as caught:
        start_sandbox(directory, 70_000)
    assert str(caught.value) == "sandbox: there is no port 70000; give one from 1 to 65535"


def test_the_profile_and_the_files_of_the_user_are_none_of_its_business(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile nonsense", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    running = start_sandbox(directory)
    assert session_for(running.endpoint).client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_directory_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for act in (start_sandbox, sandbox_status, stop_sandbox):
        with pytest.raises(OrgctlError) as caught:
            act(tmp_path / "file")
        reason = "File exists" if act is start_sandbox else "Not a directory"
        assert str(caught.value) == (
            f"sandbox {tmp_path / 'file'}: cannot keep its state there: {reason}; "
            "set ORGCTL_HOME to a folder with room that you may write"
        )


def test_a_disk_that_is_full_is_said(directory: Path) -> None:
    with full_disk(), pytest.raises(OrgctlError) as caught:
        start_sandbox(directory)
    assert str(caught.value) == (
        f"sandbox {directory}: cannot keep its state there: {REASON}; "
        "set ORGCTL_HOME to a folder with room that you may write"
    )
    assert not (directory / "sandbox.log").exists(), "nothing was started"


def test_a_sandbox_that_cannot_write_its_state_says_so_and_ends(directory: Path) -> None:
    (directory / "sandbox.new").mkdir(parents=True)
    with pytest.raises(OrgctlError) as caught:
        start_sandbox(directory)
    assert str(caught.value) == f"sandbox: cannot write {directory / 'sandbox.json'}: Is a directory; make room for it"


def test_two_commands_that_start_it_at_once_get_the_same_sandbox(directory: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(start_sandbox, [directory, directory])
    assert first == second
    assert sorted((first.already_running, second.already_running)) == [False, True]


def test_a_sandbox_that_ends_as_it_starts_shows_the_end_of_its_log(directory: Path) -> None:
    program = (sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)")
    with pytest.raises(OrgctlError) as caught:
        start_sandbox(directory, program=program)
    log = directory / "sandbox.log"
    assert str(caught.value) == f"sandbox: ended as it started, with code 3: one | two; see {log}"


def test_a_sandbox_that_never_answers_is_given_up(directory: Path) -> None:
    program = (sys.executable, "-c", "import time; time.sleep(60)")
    moments = iter(range(0, 1000, 10))
    with pytest.raises(OrgctlError) as caught:
        start_sandbox(directory, program=program, sleep=lambda _: None, clock=lambda: float(next(moments)))
    assert str(caught.value) == f"sandbox: did not answer within 30 s; see {directory / 'sandbox.log'}"


def test_a_reset_needs_a_sandbox(directory: Path) -> None:
    with pytest.raises(OrgctlError) as caught:
        reset_sandbox(directory)
    assert str(caught.value) == "sandbox: is not running; orgctl sandbox start"
