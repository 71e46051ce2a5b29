"""How AWS is reached: the session, the retries, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from org.gateway.errors import aws_errors
from org.model import AccountId

if TYPE_CHECKING:
    from botocore.client import BaseClient

_ATTEMPTS = 10
_BUSY_ATTEMPTS = 12
_BUSY = {
    "ConcurrentModificationException",
    "PolicyChangesInProgressException",
    "ACCOUNT_CREATION_NOT_COMPLETE",
    "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
    "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED",
}
"""Codes, and reasons of ConstraintViolationException, that ask to be repeated; botocore does not count them as such."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A session with one way of making clients; threads may share the clients, not the making."""

    session: boto3.Session
    endpoint_url: str | None = None
    """Set for the sandbox, so that no call can leave the machine."""
    busy_delay: float = 2.0
    """Seconds before a call is repeated that AWS refused because another one is under way; grows linearly."""

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - one of boto3's made-up classes
        with aws_errors(f"{service} client"):
            client: BaseClient = self.session.client(  # type: ignore[call-overload]
                service,
                region_name=region,
                endpoint_url=self.endpoint_url,
                config=Config(retries={"mode": "adaptive", "max_attempts": _ATTEMPTS}, max_pool_connections=32),
            )
        # botocore asks its handlers for a delay; its stubs say that handlers answer nothing.
        client.meta.events.register(f"needs-retry.{service}", self._retry_when_busy)  # type: ignore[arg-type]
        return client

    def _retry_when_busy(self, response: tuple[Any, dict[str, Any]] | None, attempts: int, **_: object) -> float | None:
        """Answer botocore's question whether to repeat: the delay in seconds, or nothing."""
        said = response[1] if response else {}
        if not {said.get("Error", {}).get("Code"), said.get("Reason")} & _BUSY or attempts > _BUSY_ATTEMPTS:
            return None
        return self.busy_delay * attempts

    def caller_account(self) -> AccountId:
        with aws_errors("sts:GetCallerIdentity"):
            return AccountId(self.client("sts").get_caller_identity()["Account"])
