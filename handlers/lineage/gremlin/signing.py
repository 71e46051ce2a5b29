"""Sign the handshake of a websocket for Neptune with IAM authentication: SigV4, service `neptune-db`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from org.ids import Region

SERVICE = "neptune-db"


def signed_headers(url: str, region: Region, credentials: ReadOnlyCredentials, now: datetime) -> dict[str, str]:
    """Answer the headers with which a websocket may be opened for about five minutes from `now` (aware).

    https://docs.aws.amazon.com/neptune/latest/userguide/iam-auth-connecting.html
    """
    # Signed as https, so that botocore leaves out of the host what the websocket client leaves out: port 443.
    request = AWSRequest(method="GET", url=urlunsplit(("https", *urlsplit(url)[1:])))
    _Signer(credentials, region, now).add_auth(request)
    return dict(request.headers.items())


class _Signer(SigV4Auth):
    """botocore's signer with a clock of ours."""

    def __init__(self, credentials: ReadOnlyCredentials, region: Region, now: datetime) -> None:
        super().__init__(credentials, SERVICE, region)
        self._now = now

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        # Called by `add_auth` after it has taken the time, and before it makes use of it.
        request.context["timestamp"] = self._now.strftime(SIGV4_TIMESTAMP)
        super()._modify_request_before_signing(request)  # type: ignore[misc]


Credentials = Callable[[], ReadOnlyCredentials]
"""Asked anew for each connection, since those of a role expire: `session.get_credentials().get_frozen_credentials`."""
