"""The most memory that a process has held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mib(process: int | str = "self") -> float:
    """Read what the kernel counted since the program began: getrusage also counts what its parent held before."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
