"""One bootstrap of 200 accounts in the sandbox, in this process alone; prints what it took as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from org.sandbox.server import in_process_sandbox
from tests.bench.memory import peak_mib
from tests.bench.organizations import large_organization
from tests.support.rollout import Rollout


def main() -> None:
    wanted = large_organization(accounts=200, units=20, policies=10, regions=2, stacksets=1)
    with in_process_sandbox() as session:
        spent = _count_emulator()
        began = time.perf_counter()
        Rollout(session).bootstrap(wanted)
        seconds, emulator = time.perf_counter() - began, sum(spent)
        began = time.perf_counter()
        assert Rollout(session).plan(wanted).steps == ()
        again = time.perf_counter() - began
    peak = peak_mib()
    sys.stdout.write(json.dumps({"seconds": seconds, "emulator": emulator, "again": again, "peak_mib": peak}))


def _count_emulator() -> list[float]:
    """Add up the time that each thread spends computing inside the emulator, waiting for its lock left out."""
    from moto.core.models import botocore_stubber

    spent: list[float] = []
    process = botocore_stubber.process_request

    def counted(request: Any) -> Any:
        began = time.thread_time()
        try:
            return process(request)
        finally:
            spent.append(time.thread_time() - began)

    botocore_stubber.process_request = counted
    return spent


if __name__ == "__main__":
    main()
