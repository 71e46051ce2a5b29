"""What was sent last, and when what was asked: so that a reading sends only what is new. A cache, and no truth.

Lost, everything is sent again, and adds the same facts of how things came to be, and states of the new time.
One object for each account and Region in S3: GetObject, PutObject.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from handlers.lineage.model import Place, Time
from org.gateway.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

VERSION = 1
PREFIX = "last-read"


@dataclass
class Memory:
    """Of one account in one Region."""

    since: int
    """When it was empty: all that is there has been sent since then."""
    sent: dict[str, dict[str, str]] = field(default_factory=dict)
    """By list of the reading: ids, and a hash of what was sent of each."""
    ended: dict[str, str] = field(default_factory=dict)
    """Of what is terminated or deregistered, the list: that it goes away is no news."""
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Images of others that could not be described, and when that was tried last."""
    traced: list[str] = field(default_factory=list)
    """What GetImageAncestry was asked for: images never change how they came to be."""
    permitted: dict[str, int] = field(default_factory=dict)
    """When the launch permissions of an image were asked for."""
    shared: list[str] = field(default_factory=list)
    """Images that others may launch."""
    referred: int = 0
    """When references were asked for."""
    reports: dict[str, str] = field(default_factory=dict)
    """Usage reports that AWS is making, by image."""
    reported: dict[str, int] = field(default_factory=dict)
    """When an image's usage report was asked for."""


def to_text(memory: Memory) -> str:
    return json.dumps({"version": VERSION, **asdict(memory)}, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Memory | None:
    """Read what `to_text` wrote; None for anything else: then it counts as lost."""
    try:
        said = json.loads(text)
        return Memory(**said) if said.pop("version") == VERSION else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class Memories(Protocol):
    def load(self, place: Place) -> Memory | None:
        """Answer what is remembered; None if nothing is. OrgctlError if it cannot be told."""

    def save(self, place: Place, memory: Memory) -> None:
        """Remember; OrgctlError."""


def fresh(now: Time) -> Memory:
    return Memory(int(now))


@dataclass(frozen=True, slots=True)
class S3Memories:
    """In a bucket without Object Lock: each reading writes over the one before."""

    client: S3Client
    bucket: str

    def load(self, place: Place) -> Memory | None:
        text = read_object(self.client, self.bucket, _name(place))
        return None if text is None else from_text(text)

    def save(self, place: Place, memory: Memory) -> None:
        write_object(self.client, self.bucket, _name(place), to_text(memory))


def read_object(client: S3Client, bucket: str, name: str) -> str | None:
    """Answer a text; None if there is no such object. OrgctlError."""
    with aws_errors("s3:GetObject", f"s3://{bucket}/{name}"):
        try:
            return client.get_object(Bucket=bucket, Key=name)["Body"].read().decode()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchKey":
                raise
    return None


def write_object(client: S3Client, bucket: str, name: str, text: str) -> None:
    with aws_errors("s3:PutObject", f"s3://{bucket}/{name}"):
        client.put_object(Bucket=bucket, Key=name, Body=text.encode(), ContentType="application/json")


def _name(place: Place) -> str:
    return f"{PREFIX}/{place.account}/{place.region}.json"
