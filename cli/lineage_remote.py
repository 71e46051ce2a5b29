"""Asks the deployed API in place of a graph: `orgctl lineage … --api URL`. Its answers are made again of their JSON."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from cli.lineage_api import Api, Query, sender
from cli.lineage_asked import Asked, home_region, manifest_if_any
from cli.lineage_ids import key_in
from cli.settings import Settings, connection
from handlers.lineage.model import Time
from handlers.lineage.queries.json_form import written
from handlers.lineage.queries.json_reading import Misfit, from_plain
from org.errors import OrgctlError

if TYPE_CHECKING:
    from botocore.credentials import Credentials

A = TypeVar("A")
API_KEY = "ORGCTL_LINEAGE_API_KEY"
"""Of the usage plan, for an API that asks for one."""
ENDPOINT = "ORGCTL_SANDBOX_VPC_ENDPOINT"
"""In the sandbox: through which endpoint a private API is reached, since there is no network that would tell."""
LARGEST_SIZE = 10_000
"""Things that the API reads for one answer at most."""
_HOST = re.compile(r"[a-z0-9-]+\.execute-api\.(?P<region>[a-z]{2,4}(-[a-z]+)+-\d{1,2})\.(vpce\.)?amazonaws\.com(\.cn)?")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_PLACED = re.compile(r"(?P<region>[a-z]{2,}(-[a-z]+)+-\d+)/(?P<id>[^/]+)")


def ask_api(asked: Asked, form: type[A], question: str, id: str = "", **more: str | int | list[str] | None) -> A:
    """Answer what the API says to one of its questions, as the query module would. OrgctlError for anything else."""
    said = api_for(asked).get(f"/lineage/{question}", {**about(asked, id), **more})
    return fitting(asked.api, form, said)


def fitting(url: str, form: type[A], said: object) -> A:
    try:
        return from_plain(form, said)
    except Misfit as error:
        what = f"the API answers what this version of orgctl does not know: {str(error)[:200]}"
        raise OrgctlError(url, what, "see that it is the URL of a lineage API, of this version") from error


def about(asked: Asked, id: str) -> Query:
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


def walk(asked: Asked) -> Query:
    """Answer how far the API shall go. An answer that hits its own bound says so, like any other."""
    return {"depth": asked.depth, "size": min(asked.size, LARGEST_SIZE)}


def api_for(asked: Asked) -> Api:
    """Reach the API; OrgctlError for a URL that is none, or one to which nothing may be sent."""
    settings, parts = asked.settings, urlsplit(asked.api)
    here = parts.hostname in _HERE
    if not parts.hostname or parts.query or (parts.scheme != "https" and not (here and parts.scheme == "http")):
        raise OrgctlError(
            "--api", f"{asked.api!r} is no URL of an API", "give https://…/<stage>, as its stack tells it"
        )
    if settings.sandbox and not here:
        raise OrgctlError(asked.api, "with --sandbox nothing is asked beyond this machine", "leave out one of the two")
    region = _region_of(settings, parts.hostname)
    session = connection(settings, region).session

    def credentials() -> Credentials:
        found: Credentials | None = session.get_credentials()
        if found is None:
            raise OrgctlError(asked.api, "no AWS credentials were found to sign with", "set AWS_PROFILE, or --profile")
        return found

    from botocore.utils import get_environ_proxies

    proxies = {} if here else get_environ_proxies(asked.api)
    send = sender(asked.api, proxies, bundle=os.environ.get("AWS_CA_BUNDLE", ""))
    return Api(asked.api, region, credentials, send, _headers(here=here))


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
