"""What the tests of StackSets and stacks stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from org.sandbox.server import in_process_sandbox
from tests.support.cloud import HOME, Cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An organization in the sandbox, with access for StackSets."""
    with in_process_sandbox(region=HOME) as session:
        yield Cloud(session)
