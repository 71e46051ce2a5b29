"""A request to a REST API, out of the server's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from org.sandbox.failures import read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ENDPOINT_HEADER = "x-orgctl-sandbox-vpce"
"""Stands for the VPC endpoint through which the request came: `vpce-…`."""
ADDRESS_HEADER = "x-orgctl-sandbox-source-ip"
"""Stands for the address from which it came; else it is the loopback's."""
OURS = frozenset({ENDPOINT_HEADER, ADDRESS_HEADER})
"""What neither WAF nor the function is shown; a client may have signed them all the same."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    verb: str
    api_id: str
    stage: str
    path: str
    """Below the stage, decoded: `/images/ami-1`; `/` for the stage itself."""
    target: str
    """What was asked for as it was written, with its query: `/orgctl-sandbox/execute-api/…`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case."""
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    endpoint: str = ""
    protocol: str = "HTTP/1.1"

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's arguments, decoded, in their order."""
        return tuple(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def query_string(self) -> str:
        return self.target.partition("?")[2]


def read_api_request(environ: WSGIEnvironment, prefix: str) -> ApiRequest:
    """Read what stands below `prefix`: the API's id, the stage and the path, with the body, however long.

    Raises ValueError where the header that stands for the address holds none.
    """
    target = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ.get("PATH_INFO", ""))
    below = target.partition("?")[0].removeprefix(prefix).lstrip("/")
    api_id, _, rest = below.partition("/")
    stage, _, path = rest.partition("/")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value)
    }
    if ADDRESS_HEADER in headers:
        ip_address(headers[ADDRESS_HEADER])
    return ApiRequest(
        str(environ["REQUEST_METHOD"]),
        api_id,
        unquote(stage),
        unquote(f"/{path}"),
        target,
        headers,
        read_body(environ),
        headers.get(ADDRESS_HEADER) or str(environ.get("REMOTE_ADDR") or "127.0.0.1"),
        headers.get(ENDPOINT_HEADER, ""),
        str(environ.get("SERVER_PROTOCOL", "HTTP/1.1")),
    )
