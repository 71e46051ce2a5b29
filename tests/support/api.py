"""Requests to the REST APIs of a sandbox, signed as a client of AWS signs them, and a clock that can be turned."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from org.sandbox.process import APIS, HOST
from org.sandbox.server import Sandbox

_FORMAT = "%Y%m%dT%H%M%SZ"


class Clock:
    """Stands, from now on, and goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        return self.seconds

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and API Gateway's own message."""
        said = self.said
        return self.status, said.get("message", said.get("Message"))


class _SignerAt(SigV4Auth):
    """botocore's, at a time of one's own choice."""

    def __init__(self, credentials: Credentials, service: str, region: str, at: float) -> None:
        super().__init__(credentials, service, region)
        self._at = at

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = datetime.fromtimestamp(self._at, UTC).strftime(_FORMAT)
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # the stubs lack it


def credentials_of(session: boto3.Session) -> Credentials:
    found = session.get_credentials()
    assert found is not None
    frozen = found.get_frozen_credentials()
    return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)


def api_request(
    sandbox: Sandbox,
    api_id: str,
    stage: str,
    method: str,
    path: str,
    credentials: Credentials | None = None,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    region: str = "eu-central-1",
    service: str = "execute-api",
    at: float | None = None,
) -> ApiAnswer:
    """Send a request, signed where there are credentials; `path` is encoded, with its query: `/images/ami-1?a=b`."""
    url = f"http://{HOST}:{sandbox.port}{APIS}{api_id}/{stage}{path}"
    request = AWSRequest(method, url, headers=dict(headers or {}), data=body)
    if credentials is not None:
        _SignerAt(credentials, service, region, time.time() if at is None else at).add_auth(request)
    return send(sandbox, method, url.partition(str(sandbox.port))[2], dict(request.headers.items()), body)


def send(sandbox: Sandbox, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> ApiAnswer:
    """Send a request as it is."""
    connection = http.client.HTTPConnection(HOST, sandbox.port, timeout=60)
    try:
        connection.request(method, target, body or None, dict(headers))
        answer = connection.getresponse()
        lowered = {name.lower(): value for name, value in answer.getheaders()}
        return ApiAnswer(answer.status, lowered, answer.read())
    finally:
        connection.close()
