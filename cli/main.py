"""The entry point: run a command, and turn what a person can act on into one line and an exit code."""

from __future__ import annotations

import errno
import io
import sys

from cli.app import app
from org.errors import OrgctlError

FAILED = 1
INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT)


def main() -> None:
    """Exit with 0 clean, 1 failed, 2 usage, 3 findings or pending changes; a bug keeps its traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks is written as an escape
    try:
        app()
    except OrgctlError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # a reader such as `head` has seen enough; the interpreter would complain at its end
        sys.exit(FAILED)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        sys.stderr.write(f"error: {error.filename or 'output'}: {error.strerror}; make room\n")
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
