"""What the tests of the sandbox stand on."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from org.sandbox.server import Sandbox, in_process_sandbox
from tests.support.cloud import HOME, Cloud
from tests.support.functions import REGION
from tests.support.sandbox import create_account, organization


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An organization in the sandbox, with access for StackSets."""
    with in_process_sandbox(region=HOME) as session:
        yield Cloud(session)


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    """The management account of a new organization."""
    with organization() as session:
        yield session


@pytest.fixture
def organizations(session: boto3.Session) -> Any:
    return session.client("organizations")


@pytest.fixture
def audit(session: boto3.Session) -> str:
    return create_account(session.client("organizations"), "Audit")


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """A sandbox that listens, which is what functions need."""
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def served(server: Sandbox) -> boto3.Session:
    """The management account in an empty sandbox that listens."""
    urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/orgctl-sandbox/reset", method="POST")).close()
    return server.session(REGION)
