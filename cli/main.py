"""The entry point: run a command, and turn what a person can act on into one line and an exit code."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import sys
from pathlib import Path

from cli.app import app
from org.errors import OrgctlError

FAILED = 1
INTERRUPTED = 130

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main() -> None:
    """Exit with 0 clean, 1 failed, 2 usage, 3 findings or pending changes; a bug keeps its traceback."""
    _let_streams_take_all()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OrgctlError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # a reader such as `head` has seen enough
        _give_up_stdout()
        sys.exit(FAILED)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        sys.stderr.write(f"error: {error.filename or 'output'}: {error.strerror}; make room\n")
        _give_up_stdout()
        sys.exit(FAILED)


def _let_streams_take_all() -> None:
    """See to it that no output fails for a closed stream, or for a character that its encoding does not have."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    codecs.register_error("orgctl", _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="orgctl")


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Write what cannot be encoded as `\u2192`, which a person can look up, and which in JSON means the same."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _give_up_stdout() -> None:
    """Let nothing that is still to be written fail again at the interpreter's end.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
