"""A disk that takes no more, for as long as a test needs it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

REASON = "File too large"
"""What the system says of a file that may not grow; of a disk that is full it says `No space left on device`."""


@contextmanager
def full_disk() -> Iterator[None]:
    """Let this process and those that it starts make files, and write nothing into them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
