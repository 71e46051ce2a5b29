"""The sandbox's process: `python -m org.sandbox --state FILE`, started by `org.sandbox.process`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from org.errors import OrgctlError
from org.sandbox.process import record_state
from org.sandbox.server import Sandbox
from org.sandbox.settings import DEFAULT_SEED, Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m org.sandbox")
    parser.add_argument("--state", type=Path, required=True, help="where to write the port once it is open")
    parser.add_argument("--token", default="", help="what /status answers with, so that nobody takes us for another")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        sandbox = Sandbox(arguments.port, Settings(seed=arguments.seed), token=arguments.token)
        record_state(arguments.state, sandbox.port, arguments.token)
    except OrgctlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot write {arguments.state}: {error.strerror}; make room for it\n")
        return 1
    sandbox.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
