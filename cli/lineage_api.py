"""Speaks with a deployed lineage API: signed requests, asked again where that can help, and refusals put into words.

Signs with SigV4 for execute-api. What comes back is untrusted: its size and time are bounded, no redirect is followed,
and nothing of it is shown but through OrgctlError.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from org.errors import AccessDenied, NotFound, OrgctlError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials

PREFIX = "/api/v1"
ATTEMPTS = 5
LONGEST_PAUSE = 20.0
PATIENCE = 35
"""Seconds for one answer: API Gateway gives up after 29."""
LARGEST = 10 * 1024 * 1024
"""Bytes: what API Gateway hands on at most.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""
_AGAIN = frozenset({429, 502, 503, 504})
_TOLD = 600
"""Characters of what the API says of itself that are shown."""
_REFUSED: tuple[tuple[str, str], ...] = (
    ("Missing Authentication Token", "see that the URL ends with the stage: this is said of paths that do not exist"),
    ("Signature expired", "set this machine's clock"),
    ("Signature not yet current", "set this machine's clock"),
    ("security token included in the request is expired", "sign in again: the credentials have expired"),
    ("security token included in the request is invalid", "see that the credentials are those of AWS_PROFILE"),
    ("signature we calculated does not match", "see that the Region and the secret key are right"),
    ("Credential should be scoped", "sign for the Region of the API: set AWS_REGION"),
    ("explicit deny", "a policy denies it: that of the API, of the caller, or of the organization"),
    ("not authorized", "have execute-api:Invoke on this API allowed to whom you are"),
    (
        "Forbidden",
        "set ORGCTL_LINEAGE_API_KEY if the API asks for a key; else AWS WAF may not let you through",
    ),
)
"""By what AWS says when it refuses, what to do; the first that fits.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""

Query = Mapping[str, str | int | list[str] | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


Send = Callable[["AWSPreparedRequest"], Reply]


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed API, and how it is reached."""

    url: str
    region: str
    credentials: Callable[[], Credentials]
    send: Send
    headers: Mapping[str, str] = field(default_factory=dict)
    """What is sent besides: the key of a usage plan, …"""
    sleep: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = random.random

    def get(self, path: str, query: Query) -> object:
        """Answer the JSON that the API says to a question. OrgctlError for anything but an answer."""
        given = {name: value for name, value in query.items() if value not in (None, "", [])}
        # Signed as it is sent: `+` for a space would be signed as a plus.
        said = urlencode(given, doseq=True, quote_via=quote)
        return self._answer("GET", f"{path}{'?' if said else ''}{said}", None)

    def post(self, path: str, body: Mapping[str, object]) -> object:
        """As `get`, of a question that is put in a body."""
        return self._answer("POST", path, json.dumps(body).encode())

    def _answer(self, method: str, path: str, body: bytes | None) -> object:
        url = f"{self.url.rstrip('/')}{PREFIX}{path}"
        for attempt in range(1, ATTEMPTS + 1):
            reply = self._ask(method, url, body)
            if reply.status not in _AGAIN or attempt == ATTEMPTS:
                break
            self.sleep(self._pause(attempt, reply.headers.get("retry-after", "")))
        return _read(self.url, reply)

    def _ask(self, method: str, url: str, body: bytes | None) -> Reply:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        request = AWSRequest(method, url, headers={**headers, **self.headers}, data=body, stream_output=True)
        try:
            SigV4Auth(self.credentials(), "execute-api", self.region).add_auth(request)
        except BotoCoreError as error:
            raise OrgctlError(self.url, f"there is nothing to sign with: {error}", "sign in again") from error
        return self.send(request.prepare())

    def _pause(self, attempt: int, asked: str) -> float:
        """Answer botocore's exponential backoff with full jitter, or what the API asks for if that is longer."""
        from botocore.retryhandler import delay_exponential

        grown: float = delay_exponential(max(self.chance(), 0.01), 2, attempt)
        return min(LONGEST_PAUSE, max(grown, float(asked) if asked.isdecimal() else 0.0))


def sender(
    url: str,
    proxies: Mapping[str, str],
    *,
    bundle: str = "",
    patience: int = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Send:
    """Answer what sends requests over the network, verifying TLS and following no redirect.

    `bundle`: a file of certificates to trust in place of the usual ones. OrgctlError from it for no answer, and for
    one that is too long or takes too long.
    """
    from botocore.exceptions import BotoCoreError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError, SSLError
    from botocore.httpsession import URLLib3Session
    from urllib3.exceptions import HTTPError

    session = URLLib3Session(
        verify=bundle or True,  # type: ignore[arg-type]  # a path, too, as botocore's own clients give it
        proxies=dict(proxies),
        timeout=patience,
    )

    def send(request: AWSPreparedRequest) -> Reply:
        until = clock() + patience
        try:
            answered = session.send(request)
            body = bytearray()
            # As it came: what is small compressed may be large. And what is there: a full buffer may be long in coming.
            while part := answered.raw.read1(65_536, decode_content=False):
                body += part
                if len(body) > LARGEST:
                    answered.raw.close()
                    todo = "see that the URL is that of the lineage API"
                    raise OrgctlError(url, f"its answer has more than {LARGEST:,} bytes", todo)
                if clock() > until:
                    answered.raw.close()
                    raise OrgctlError(url, *_late(patience))
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise OrgctlError(url, *_late(patience)) from error
        except SSLError as error:
            todo = "see that the URL is right; set AWS_CA_BUNDLE if a proxy of yours stands between"
            raise OrgctlError(url, "its certificate is not trusted", todo) from error
        except (HTTPClientError, BotoCoreError, HTTPError) as error:
            what = f"it does not answer: {type(error).__name__}"
            raise OrgctlError(url, what, "see that the URL is right, and that it is reached from here") from error
        headers = {name.lower(): value for name, value in answered.headers.items()}
        return Reply(answered.status_code, headers, bytes(body))

    return send


def _late(patience: int) -> tuple[str, str]:
    return f"it does not answer within {patience} seconds", "ask again, or for less: a smaller --depth or --size"


def _read(url: str, reply: Reply) -> object:
    status = reply.status
    if 300 <= status < 400:
        todo = "see that the URL is that of the API: nothing signed is sent elsewhere"
        raise OrgctlError(url, f"it answers {status}, and points elsewhere", todo)
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise OrgctlError(url, f"it answers {status}, and no JSON", "see that the URL is that of the API") from error
    if status == 200:
        return body
    raise _refused(url, reply, body if isinstance(body, dict) else {})


def _refused(url: str, reply: Reply, body: Mapping[str, object]) -> OrgctlError:
    said = _short(body.get("error") or body.get("message") or body.get("Message") or "it does not say why")
    id = body.get("correlation_id") or reply.headers.get("x-amzn-requestid")
    named = f" (correlation id {_short(id)})" if id else ""
    todo = _todo(body)
    match reply.status:
        case 401 | 403:
            usual = "see that execute-api:Invoke is allowed to whom you are"
            advice = next((does for words, does in _REFUSED if words.lower() in said.lower()), usual)
            return AccessDenied(url, f"it refuses: {said}", advice)
        case 404:
            return NotFound(url, said, todo or "see that the id, the Region and the stage in the URL are right")
        case 429:
            return OrgctlError(url, f"it is throttled, after {ATTEMPTS} attempts: {said}{named}", "ask again later")
        case status if status >= 500:
            return OrgctlError(url, f"it fails with {status}: {said}{named}", todo or "see the function's log")
    return OrgctlError(url, said, todo)


def _todo(body: Mapping[str, Any]) -> str:
    """Answer what the API says to do: with the Regions, or the parts that are wrong, where it names them."""
    todo = _short(body.get("todo") or "")
    if isinstance(regions := body.get("regions"), list) and regions:
        todo += f": {_short(', '.join(map(str, regions)))}"
    details = body.get("details")
    wrong = [
        f"{each.get('where')} ({each.get('type')})"
        for each in (details if isinstance(details, list) else ())
        if isinstance(each, dict)
    ]
    return "; ".join(each for each in (todo, _short(", ".join(wrong))) if each)


def _short(said: object) -> str:
    text = str(said)
    return text if len(text) <= _TOLD else f"{text[:_TOLD]}…"
