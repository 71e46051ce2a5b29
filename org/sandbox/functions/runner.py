"""Runs in a function's own process: loads its handler out of the unpacked zip, and answers one event a line.

Started as a script, apart from the sandbox: it imports nothing of it. What the function prints goes to stderr; answers
go to the file descriptor that is the third argument.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

_true_time, _true_nanoseconds = time.time, time.time_ns


@dataclass
class Context:
    """As far as Lambda's own has it: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    aws_request_id: str
    seconds: float
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None
    _started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int((self._started + self.seconds - time.monotonic()) * 1000)


def marshal(result: Any) -> str:
    try:
        return json.dumps({"result": result})
    except (TypeError, ValueError) as error:
        told = {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {error}"}
        return json.dumps({"error": told})


def set_clock(ahead: int) -> None:
    """Have `time` answer the sandbox's time, which tests may turn; what asks `datetime` gets the true time."""
    time.time = (lambda: _true_time() + ahead) if ahead else _true_time
    time.time_ns = (lambda: _true_nanoseconds() + ahead * 10**9) if ahead else _true_nanoseconds


def main(root: str, handler: str, answers: int) -> None:
    sys.path.insert(0, root)
    sys.stdout = sys.stderr
    module, _, name = handler.rpartition(".")
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        function: Any = None
        for line in sys.stdin:
            asked = json.loads(line)
            set_clock(asked["ahead"])
            try:
                if function is None:
                    function = getattr(importlib.import_module(module), name)
                answer = marshal(function(asked["event"], Context(**asked["context"])))
            except Exception as error:  # noqa: BLE001 - Lambda, too, answers whatever a function raises
                traceback.print_exc()
                trace = traceback.format_tb(error.__traceback__)[1:]
                told = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace}
                answer = json.dumps({"error": told})
            sys.stderr.flush()
            out.write(answer + "\n")
            out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
