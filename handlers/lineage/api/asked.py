"""What callers may send: patterns that everything must match before it comes near the graph, and bodies of requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from handlers.lineage.model import Kind, Time
from org.errors import OrgctlError

LARGEST_BODY = 65_536
"""Characters of a request's body."""

_REGION = r"[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}"
_HEX = r"([0-9a-f]{8}|[0-9a-f]{17})"
TEXT = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
_IMAGE = f"(aws(-[a-z]{{2,8}}){{0,3}}/{_REGION}/image/)?ami-{_HEX}"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY_PATTERN = f"aws(-[a-z]{{2,8}}){{0,3}}/({_REGION}|-)/({'|'.join(kind.value for kind in Kind)})/{TEXT}{{1,2048}}"
AMI_PATTERN = f"^ami-{_HEX}$"
"""Both lengths of EC2's ids: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html."""
ID_PATTERN = (
    f"^((ami|snap|vol|i)-{_HEX}"
    rf"|lt-{_HEX}:([0-9]{{1,10}}|\$Default|\$Latest)"
    f"|(fleet|sfr)-{_UUID}"
    "|sir-[0-9a-z]{8,17}"
    f"|{KEY_PATTERN})$"
)
"""An id of EC2's, or a whole key."""
TIME_PATTERN = (
    r"^(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
)
OWNER_PATTERN = r"^([0-9]{12}|[a-z][a-z-]{1,62})$"
"""An account, or one of AWS's aliases, as `amazon`."""

AmiId = Annotated[
    str, Path(pattern=AMI_PATTERN, description="The image; its id is unique within a Region only: see `region`.")
]
Id = Annotated[
    str,
    Query(
        pattern=ID_PATTERN,
        max_length=2_200,
        description="ami-…, snap-…, vol-…, i-…, lt-…:3 (or :$Default, :$Latest), fleet-…, sfr-…, sir-…, or a whole key "
        "as answers have it: aws/eu-central-1/image/ami-…",
    ),
]
OtherId = Annotated[str | None, Query(pattern=ID_PATTERN, max_length=2_200, description="As `id`.")]
InRegion = Annotated[
    str | None,
    Query(pattern=f"^{_REGION}$", description="In which Region the id is; every governed one is looked in else."),
]
At = Annotated[
    str | None,
    Query(pattern=TIME_PATTERN, description="As it was then: ISO 8601, UTC unless it says so. Now, if not given."),
]
Depth = Annotated[int, Query(ge=1, le=100, description="Hops to go at most.")]
Size = Annotated[int, Query(ge=1, le=10_000, description="Things to read at most.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Things on a page at most.")]
Cursor = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,4096}$", description="Of the page before, to go on with the search.")
]
Attribute = Annotated[
    str | None, Query(pattern=f"^{TEXT}{{1,256}}$", description="Of the thing itself: state, owner, tag:Team, …")
]
Owners = Annotated[
    str | None,
    Query(
        pattern=r"^([0-9]{12}|[a-z][a-z-]{1,62})(,([0-9]{12}|[a-z][a-z-]{1,62})){0,49}$",
        description="Owners of trusted roots, parted by commas: accounts, or aliases as amazon. The organization's, if "
        "not given.",
    ),
]
Ids = Annotated[
    str | None,
    Query(
        pattern=f"^{_IMAGE}(,{_IMAGE}){{0,99}}$",
        description="Images that cannot be rebuilt, by id or key, parted by commas.",
    ),
]


class Refused(OrgctlError):
    """A request that is not well put, whatever the graph holds."""

    def __init__(self, what: str, code: str = "BAD_REQUEST", todo: str = "") -> None:
        super().__init__("request", what, todo)
        self.code = code


class Strict(BaseModel):
    """Nothing is converted, and no field is ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


Region_ = Annotated[str, Field(pattern=f"^{_REGION}$")]
Word = Annotated[str, Field(pattern=f"^{TEXT}{{1,256}}$")]
Account = Annotated[str, Field(pattern="^[0-9]{12}$")]
BodyCursor = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,4096}$")]


class ImpactRequest(Strict):
    """Whose impact is to be told to Security Hub."""

    ami_id: Annotated[str, Field(pattern=AMI_PATTERN)]
    finding_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 /_.:-]{0,63}$")] = "unspecified"
    """In a word: vulnerability, malware, …"""
    finding_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.:-]{0,255}$")] | None = None
    """By which others know of it: CVE-2026-1234, or the ARN of a finding."""
    severity: Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"] = "MEDIUM"
    region: Region_ | None = None


class Filters(Strict):
    """What must hold of an image now; all of it."""

    approval_status: Word | None = None
    """What the tag says by which people approve."""
    security_scan: Word | None = None
    """What the tag of the scan says."""
    account_id: Account | None = None
    """Whose it is."""
    region: Region_ | None = None
    environment: Word | None = None
    """What the tag says."""
    name_contains: Word | None = None
    """The case counts."""


class SearchRequest(Strict):
    """Which images are looked for."""

    filters: Filters = Field(default_factory=Filters)
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: BodyCursor | None = None


def time_at(said: str | None) -> Time | None:
    """Read a time that matches the pattern; Refused for one that there never was."""
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise Refused("there is no such time", "INVALID_TIME", "write it as 2026-11-26T02:36:38Z") from error
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return Time(round(since.total_seconds() * 1000))


def read_body(text: str) -> dict[str, Any]:
    """Read a JSON object that says each thing once, and no number that JSON has not. Refused for anything else."""
    try:
        body = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused("Invalid JSON in request body", "INVALID_JSON") from error
    if not isinstance(body, dict):
        raise Refused("Request body must be a JSON object", "INVALID_JSON")
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _no_number(word: str) -> None:
    raise ValueError(word)
