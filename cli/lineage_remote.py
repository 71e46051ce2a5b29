"""Asks the deployed API in place of a graph: `orgctl lineage … --api URL`. What it answers is printed as it came.

Signs each request (SigV4, execute-api) with the credentials that all commands use, and asks again with a growing pause
where the API is throttled or not available for now.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from cli.lineage_asked import FINDINGS, Asked, home_region, manifest_if_any
from cli.lineage_ids import key_in
from cli.settings import Settings, connection
from handlers.lineage.model import Time
from handlers.lineage.queries.json_form import written
from org.errors import AccessDenied, NotFound, OrgctlError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.credentials import Credentials

PREFIX = "/api/v1/lineage/"
API_KEY = "ORGCTL_LINEAGE_API_KEY"
"""Of the usage plan, for an API that asks for one."""
ENDPOINT = "ORGCTL_SANDBOX_VPC_ENDPOINT"
"""In the sandbox: through which endpoint a private API is reached, since there is no network that would tell."""
ATTEMPTS = 5
LONGEST_PAUSE = 20.0
PATIENCE = 35
"""Seconds for one answer: API Gateway gives up after 29."""
_AGAIN = frozenset({429, 502, 503, 504})
_HOST = re.compile(r"[a-z0-9-]+\.execute-api\.(?P<region>[a-z]{2,4}(-[a-z]+)+-\d{1,2})\.(vpce\.)?amazonaws\.com(\.cn)?")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_PLACED = re.compile(r"(?P<region>[a-z]{2,}(-[a-z]+)+-\d+)/(?P<id>[^/]+)")

Query = Mapping[str, str | int | list[str] | None]
Send = Callable[["AWSPreparedRequest"], "AWSResponse"]


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

    def get(self, question: str, query: Query) -> dict[str, Any]:
        """Answer what the API says to one of its questions. OrgctlError for anything but an answer."""
        given = {name: value for name, value in query.items() if value not in (None, "", [])}
        # Signed as it is sent: `+` for a space would be signed as a plus.
        said = urlencode(given, doseq=True, quote_via=quote)
        url = f"{self.url.rstrip('/')}{PREFIX}{question}{'?' if said else ''}{said}"
        for attempt in range(1, ATTEMPTS + 1):
            answered = self._ask(url)
            if answered.status_code not in _AGAIN or attempt == ATTEMPTS:
                break
            self.sleep(self._pause(attempt, answered.headers.get("Retry-After", "")))
        return _read(self.url, answered)

    def _ask(self, url: str) -> AWSResponse:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError, HTTPClientError

        request = AWSRequest("GET", url, headers={"Accept": "application/json", **self.headers})
        SigV4Auth(self.credentials(), "execute-api", self.region).add_auth(request)
        try:
            return self.send(request.prepare())
        except (HTTPClientError, BotoCoreError) as error:
            what = f"it does not answer: {type(error).__name__}"
            raise OrgctlError(self.url, what, "see that the URL is right, and that it is reached from here") from error

    def _pause(self, attempt: int, asked: str) -> float:
        """Answer botocore's exponential backoff with full jitter, or what the API asks for if that is longer."""
        from botocore.retryhandler import delay_exponential

        grown: float = delay_exponential(max(self.chance(), 0.01), 2, attempt)
        return min(LONGEST_PAUSE, max(grown, float(asked) if asked.isdecimal() else 0.0))


def remote_question(asked: Asked, question: str, id: str = "", **more: str | int | list[str] | None) -> int:
    """Ask the API and print its JSON; answer the exit code."""
    body = api_for(asked).get(question, about(asked, id) | more)
    return print_body(asked, body)


def print_body(asked: Asked, body: Mapping[str, Any]) -> int:
    # ASCII alone, so that nothing in it acts on a terminal.
    print(json.dumps(body, indent=2))  # noqa: T201
    return asked.exit_code(complete=bool(body.get("complete")))


def remote_verification(asked: Asked, id: str, trust: list[str]) -> int:
    """Answer 3 unless it is verified, as of a graph."""
    body = api_for(asked).get("verify", about(asked, id) | walk(asked) | {"trust": ",".join(trust)})
    code = print_body(asked, body)
    return code if body.get("result") == "verified" else FINDINGS


def remote_rebuilding(asked: Asked, id: str, fixed: list[str]) -> int:
    """Ask for the order and for the least, which are two questions to the API, and print both as one."""
    api, said = api_for(asked), about(asked, id) | walk(asked)
    order = api.get("frontiers", said)
    least = api.get("smallest", said | {"fixed": ",".join(map(whole, fixed))})
    reasons = [*order["reasons"], *(each for each in least["reasons"] if each not in order["reasons"])]
    return print_body(asked, {"complete": not reasons, "frontiers": order, "smallest": least, "reasons": reasons})


def about(asked: Asked, id: str) -> dict[str, str | int | list[str] | None]:
    """Answer the parameters that name the thing: `eu-central-1/ami-…` is the Region and the id to the API."""
    region = asked.region
    if placed := _PLACED.fullmatch(id):
        if region and region != placed["region"]:
            raise OrgctlError(id, f"it is in another Region than --region {region}", "leave out --region")
        id, region = placed["id"], placed["region"]
    return {"id": id, "region": region, "at": None if asked.at is None else written(Time(asked.at))}


def whole(id: str) -> str:
    """Answer the key of `eu-central-1/ami-…`, which is no id to the API; and any other id as it is."""
    placed = _PLACED.fullmatch(id)
    return key_in(placed["id"], placed["region"]) if placed else id


def walk(asked: Asked) -> dict[str, str | int | list[str] | None]:
    return {"depth": asked.depth, "size": asked.size}


def api_for(asked: Asked) -> Api:
    """Reach the API; OrgctlError for a URL that is none, or for options that mean nothing to it."""
    settings, parts = asked.settings, urlsplit(asked.api)
    here = parts.hostname in _HERE
    if not parts.hostname or parts.query or (parts.scheme != "https" and not (here and parts.scheme == "http")):
        raise OrgctlError(
            "--api", f"{asked.api!r} is no URL of an API", "give https://…/<stage>, as its stack tells it"
        )
    if settings.sandbox and not here:
        raise OrgctlError(asked.api, "with --sandbox nothing is asked beyond this machine", "leave out one of the two")
    if asked.live:
        raise OrgctlError("--live", "the API knows itself which accounts there are", "leave out --live")
    region = _region_of(settings, parts.hostname)
    session = connection(settings, region).session

    def credentials() -> Credentials:
        found: Credentials | None = session.get_credentials()
        if found is None:
            raise OrgctlError(asked.api, "no AWS credentials were found to sign with", "set AWS_PROFILE, or --profile")
        return found

    return Api(asked.api, region, credentials, _sender(asked.api, here=here), _headers(here=here))


def _headers(*, here: bool) -> dict[str, str]:
    """Answer what the environment gives: secrets have no place among the words of a command."""
    names = {API_KEY: "x-api-key"} | ({ENDPOINT: "x-orgctl-sandbox-vpce"} if here else {})
    return {header: os.environ[name] for name, header in names.items() if os.environ.get(name)}


def _region_of(settings: Settings, host: str) -> str:
    """Answer the Region for which to sign: of AWS's own host name, else where the organization has its API."""
    if found := _HOST.fullmatch(host):
        return found["region"]
    if settings.sandbox or manifest_if_any(settings):
        return str(home_region(settings))
    import boto3

    region = boto3.Session(profile_name=settings.profile or None).region_name
    if region is None:
        raise OrgctlError("--api", "its host does not tell the Region for which to sign", "set AWS_REGION")
    return str(region)


def _sender(url: str, *, here: bool) -> Send:
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    session = URLLib3Session(proxies={} if here else get_environ_proxies(url), timeout=PATIENCE)
    return session.send


def _read(url: str, answered: AWSResponse) -> dict[str, Any]:
    status = answered.status_code
    try:
        body = json.loads(answered.text)
    except ValueError as error:
        raise OrgctlError(url, f"it answers {status}, and no JSON", "see that the URL is that of the API") from error
    if not isinstance(body, dict):
        raise OrgctlError(url, f"it answers {status}, and no object", "see that the URL is that of the API")
    if status == 200:
        return body
    said = str(body.get("error") or body.get("message") or body.get("Message") or "it does not say why")
    id = body.get("correlation_id") or answered.headers.get("x-amzn-RequestId") or ""
    if status in (401, 403):
        raise AccessDenied(url, f"it refuses: {said}", "see that execute-api:Invoke is allowed to whom you are")
    if status == 404:
        raise NotFound(url, said, _todo(body) or "see that the id, the Region and the stage in the URL are right")
    if status == 429:
        raise OrgctlError(url, f"it is throttled, after {ATTEMPTS} attempts: {said}", "ask again later")
    if status >= 500:
        named = f" (correlation id {id})" if id else ""
        raise OrgctlError(url, f"it fails with {status}: {said}{named}", _todo(body) or "see the function's log")
    raise OrgctlError(url, said, _todo(body))


def _todo(body: Mapping[str, Any]) -> str:
    """Answer what the API says to do: with the Regions, or the parts that are wrong, where it names them."""
    todo = str(body.get("todo") or "")
    if regions := body.get("regions"):
        todo += f": {', '.join(map(str, regions))}"
    wrong = [
        f"{each.get('where')} ({each.get('type')})" for each in body.get("details") or () if isinstance(each, dict)
    ]
    return "; ".join(each for each in (todo, ", ".join(wrong)) if each)
