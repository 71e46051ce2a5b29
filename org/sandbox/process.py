"""The sandbox in the background: one process for each state directory, found again through the file that it writes.

Imports no moto, so that asking after the sandbox is quick.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import org
from org.errors import OrgctlError
from org.sandbox.install import check_moto
from org.sandbox.settings import DEFAULT_SEED

HOST = "127.0.0.1"
CONTROL = "/orgctl-sandbox"
"""Where the sandbox itself answers: GET …/status, POST …/reset, and STAGING."""
APIS = f"{CONTROL}/execute-api/"
"""Where the REST APIs of its accounts answer: …/API/STAGE/PATH."""
_STAGED = (
    "calls",
    "events",
    "finding-actions",
    "images",
    "public-images",
    "schedules",
    "seed",
    "sent",
    "silence",
)
STAGING = frozenset(f"{CONTROL}/{what}" for what in _STAGED)
"""What stories need and AWS has no call for: see `org.sandbox.trail.control`."""

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_LOG_LINES = 5

PROGRAM = (sys.executable, "-m", "org.sandbox")

Sleep = Callable[[float], None]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers."""

    pid: int
    port: int
    started: str
    """ISO 8601, UTC."""
    log: Path
    token: str = field(repr=False)
    already_running: bool = field(default=False, compare=False)
    """Whether `start_sandbox` found it rather than started it."""

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def start_sandbox(
    directory: Path,
    port: int = 0,
    seed: int = DEFAULT_SEED,
    *,
    program: tuple[str, ...] = PROGRAM,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> Running:
    """Start the sandbox and wait until it answers; one that runs in this directory already is answered as it is.

    Raises OrgctlError where it does not answer within START_SECONDS, with the end of its log, and where the directory
    cannot be written.
    """
    check_moto()
    with _needing(directory), _only_one(directory):
        running = sandbox_status(directory)
        if running is not None:
            return Running(running.pid, running.port, running.started, running.log, running.token, already_running=True)
        return _start(directory, port, seed, program, sleep, clock)


def sandbox_status(directory: Path) -> Running | None:
    """Answer the sandbox of this directory if it answers; what a dead one left behind is cleared away."""
    with _needing(directory):
        recorded = _load_state(directory)
        if recorded is None or _ask(recorded.port, "GET", "status") == recorded.token:
            return recorded
        _state_file(directory).unlink(missing_ok=True)
    return None


def stop_sandbox(directory: Path, *, sleep: Sleep = time.sleep, clock: Clock = time.monotonic) -> Running | None:
    """End the sandbox of this directory and answer what it was; None where none runs."""
    running = sandbox_status(directory)
    if running is None:
        return None
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # ended by itself since it answered
            os.kill(running.pid, sign)
        if _wait(lambda: _has_ended(running.pid), STOP_SECONDS, sleep, clock):
            break
    with _needing(directory):
        _state_file(directory).unlink(missing_ok=True)
    return running


def reset_sandbox(directory: Path) -> Running:
    """Empty the sandbox, so that it begins again with the same ids; raises OrgctlError where none runs."""
    running = sandbox_status(directory)
    if running is None:
        raise OrgctlError("sandbox", "is not running", "orgctl sandbox start")
    if _ask(running.port, "POST", "reset", timeout=60) != running.token:
        raise OrgctlError(f"sandbox {running.endpoint}", "did not reset", f"see {running.log}")
    return running


def record_state(path: Path, port: int, token: str) -> None:
    """Write the state of this process, whole or not at all."""
    state = {
        "pid": os.getpid(),
        "port": port,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "token": token,
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


def _start(directory: Path, port: int, seed: int, program: tuple[str, ...], sleep: Sleep, clock: Clock) -> Running:
    token = secrets.token_hex(8)
    log = _log_file(directory)
    child = _spawn(
        log, (*program, f"--port={port}", f"--seed={seed}", f"--token={token}", f"--state={_state_file(directory)}")
    )
    end = clock() + START_SECONDS
    while clock() < end:
        code = _exit_code(child)
        if code is not None:
            raise _explain_end(code, log)
        recorded = _load_state(directory)
        if recorded is not None and _ask(recorded.port, "GET", "status") == token:
            return recorded
        sleep(_POLL_SECONDS)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise OrgctlError("sandbox", f"did not answer within {START_SECONDS:.0f} s", f"see {log}")


def _explain_end(code: int, log: Path) -> OrgctlError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if len(lines) == 1 and lines[0].startswith("sandbox: "):
        what, _, todo = lines[0].removeprefix("sandbox: ").partition("; ")
        return OrgctlError("sandbox", what, todo)
    end = " | ".join(lines[-_LOG_LINES:]) or "its log is empty"
    return OrgctlError("sandbox", f"ended as it started, with code {code}: {end}", f"see {log}")


def _spawn(log: Path, command: tuple[str, ...]) -> int:
    """Start a process that outlives this one and its terminal; answer its id."""
    # The packages may be run from a checkout: the child must find them from any folder.
    packages = str(Path(next(iter(org.__path__))).parent)
    path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH", "")]))
    return os.posix_spawn(
        command[0],
        command,
        {**_without_aws(os.environ), "PYTHONPATH": path},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is meant for AWS: moto makes sessions, which a profile that is not there would break."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def _exit_code(pid: int) -> int | None:
    """Answer how a child of this process has ended; None while it lives."""
    waited, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if waited else None


def _has_ended(pid: int) -> bool:
    try:
        return _exit_code(pid) is not None
    except ChildProcessError:
        pass  # another process has started it
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return True  # gone, or its number is another user's by now
    return False


def _wait(done: Callable[[], bool], seconds: float, sleep: Sleep, clock: Clock) -> bool:
    end = clock() + seconds
    while not done():
        if clock() >= end:
            return False
        sleep(_POLL_SECONDS)
    return True


def _ask(port: int, method: str, what: str, timeout: float = 5) -> str | None:
    """Answer the token of whoever listens there; None where it is no sandbox, or nobody."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request(method, f"{CONTROL}/{what}")
        answer: Any = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer.get("token") if isinstance(answer, dict) else None


def _load_state(directory: Path) -> Running | None:
    try:
        state = json.loads(_state_file(directory).read_text(encoding="utf-8"))
        return Running(int(state["pid"]), int(state["port"]), state["started"], _log_file(directory), state["token"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _needing(directory: Path) -> Iterator[None]:
    """Turn what keeps the files of the sandbox from being read and written into an OrgctlError."""
    try:
        yield
    except OSError as error:
        what = f"cannot keep its state there: {error.strerror or error}"
        todo = "set ORGCTL_HOME to a folder with room that you may write"
        raise OrgctlError(f"sandbox {directory}", what, todo) from error


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Let two commands that start the sandbox at once do it one after the other."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "sandbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        lock.flush()  # fails where the disk is full, on which the sandbox could not even log why it ended
        yield


def _state_file(directory: Path) -> Path:
    return directory / "sandbox.json"


def _log_file(directory: Path) -> Path:
    return directory / "sandbox.log"
