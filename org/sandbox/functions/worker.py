"""A function's process: started at its first event, kept warm, ended when its code or settings change."""

from __future__ import annotations

import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_RUNNER = Path(__file__).with_name("runner.py")
_STOP_SECONDS = 5.0


class FunctionFailed(Exception):
    """What the function raised, or that it ended or ran out of time.

    `error` is what Lambda answers: `errorType`, `errorMessage` and, of what was raised, `stackTrace`.
    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """

    def __init__(self, type: str, message: str, error: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{type}: {message}")
        self.error: Mapping[str, Any] = error or {"errorType": type, "errorMessage": message}


@dataclass(frozen=True, slots=True)
class Program:
    """What decides whether a process can be used again."""

    arn: str
    name: str
    handler: str
    digest: str
    seconds: int
    memory: int
    environment: tuple[tuple[str, str], ...]


class Worker:
    """One process, with one event at a time."""

    def __init__(self, program: Program, code: bytes) -> None:
        self.program = program
        self._folder = _unpacked(code)
        reading, writing = os.pipe()
        self._answers = os.fdopen(reading, "rb", buffering=0)
        self._pending = b""
        # What it prints goes where the sandbox's own log goes.
        self._process = subprocess.Popen(  # noqa: S603 - our runner, with the zip that the user deployed
            # Isolated: neither the folder nor PYTHONPATH of the sandbox is the function's.
            [sys.executable, "-I", str(_RUNNER), str(self._folder), program.handler, str(writing)],
            stdin=subprocess.PIPE,
            env=dict(program.environment),
            cwd=self._folder,
            pass_fds=(writing,),
        )
        os.close(writing)

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, event: object, request_id: str, ahead: int = 0) -> Any:
        """Answer what the handler returns; its clock is `ahead` seconds ahead.

        Raises FunctionFailed for what it raises, and where it ends or takes longer than its timeout; then the process
        is gone.
        """
        context = {
            "function_name": self.program.name,
            "invoked_function_arn": self.program.arn,
            "memory_limit_in_mb": str(self.program.memory),
            "aws_request_id": request_id,
            "seconds": self.program.seconds,
        }
        asked = {"event": event, "context": context, "ahead": ahead}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended(request_id) from error
        answer = json.loads(self._read_line(request_id))
        if "error" in answer:
            told = answer["error"]
            raise FunctionFailed(told["errorType"], told["errorMessage"], {**told, "requestId": request_id})
        return answer["result"]

    def _read_line(self, request_id: str) -> bytes:
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._answers], [], [], self.program.seconds)
            if not ready:
                self.end()
                what = f"Task timed out after {self.program.seconds}.00 seconds"
                raise FunctionFailed("Sandbox.Timedout", f"RequestId: {request_id} Error: {what}")
            some = self._answers.read(65_536)
            if not some:
                raise self._ended(request_id)
            self._pending += some
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _ended(self, request_id: str) -> FunctionFailed:
        """[H]: how Lambda words the end by a signal."""
        self._process.kill()
        status = self._process.wait(_STOP_SECONDS)
        how = f"exit status {status}" if status >= 0 else f"signal: {signal.Signals(-status).name}"
        return FunctionFailed("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process under whoever waits for its answer, and who will then find that it has ended."""
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait(_STOP_SECONDS)
        if self._process.stdin is not None:
            # What could not be written to a process that has ended is written again when the pipe is closed.
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._answers.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _unpacked(code: bytes) -> Path:
    """Unpack a zip into a folder of its own; FunctionFailed where there is no room."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="orgctl-function-"))
        zipfile.ZipFile(io.BytesIO(code)).extractall(folder)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        what = f"its code cannot be unpacked into {tempfile.gettempdir()}: {error.strerror}"
        raise FunctionFailed("Sandbox.NoRoom", what) from error
    return folder
