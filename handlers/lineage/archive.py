"""The archive: every event and reading as it came, in S3 under Object Lock, written before anything is made of it.

Calls PutObject; for a rebuild ListObjectsV2 and GetObject, ListObjectVersions where anything was put over an event.
An event's name follows from its text alone: one that comes twice is kept once, and one that only claims another's id
cannot take its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from org.gateway.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EVENTS, READINGS = "events/", "readings/"
"""What came from the buses, and what our own functions read: who reaches a bus must not be able to say the second."""
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})T")
_READERS = 16
_ALREADY_THERE = 412


class Archive(Protocol):
    """Where events are kept as they came."""

    def keep(self, body: str, shelf: str = EVENTS) -> None:
        """Keep an event or a reading for good; keeping it again changes nothing. OrgctlError if it may not be kept."""

    def names(self) -> Iterator[str]:
        """Answer the names of all events, then of all readings, in order."""

    def read(self, name: str) -> str:
        """Answer an event as it came, whatever was put over it since."""


def archive_name(body: str, shelf: str = EVENTS) -> str:
    """Answer `events/<account>/<region>/<yyyy>/<mm>/<dd>/<SHA-256>.json`; `events/unplaced/…` if it does not tell."""
    digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{shelf}{_place(body)}/{digest}.json"


def _place(body: str) -> str:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return "unplaced"
    told = event if isinstance(event, dict) else {}
    account, region, time = (str(told.get(name)) for name in ("account", "region", "time"))
    day = _DAY.match(time)
    if not (day and _ACCOUNT.fullmatch(account) and _REGION.fullmatch(region)):
        return "unplaced"
    return "/".join((account, region, *day.groups()))


@dataclass(frozen=True, slots=True)
class S3Archive:
    """Keeps each event as an object of its own; the bucket's default retention locks it."""

    client: S3Client
    bucket: str

    def keep(self, body: str, shelf: str = EVENTS) -> None:
        name = archive_name(body, shelf)
        with aws_errors("s3:PutObject", f"s3://{self.bucket}/{name}"):
            try:
                # Without the condition a second delivery would add a version, locked and paid for as long as the first.
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
                self.client.put_object(
                    Bucket=self.bucket,
                    Key=name,
                    Body=body.encode("utf-8", "surrogatepass"),
                    ContentType="application/json",
                    IfNoneMatch="*",
                    # A bucket with Object Lock demands one, and not every version of boto3 adds it by itself.
                    ChecksumAlgorithm="SHA256",
                )
            except ClientError as error:
                # 409: somebody is writing the same just now. It may fail, so that is no reason to go on: it is raised,
                # and the event comes again.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != _ALREADY_THERE:
                    raise

    def names(self) -> Iterator[str]:
        for shelf in (EVENTS, READINGS):
            with aws_errors("s3:ListObjectsV2", f"s3://{self.bucket}/{shelf}"):
                for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=shelf):
                    yield from (each["Key"] for each in page.get("Contents", ()))

    def read(self, name: str) -> str:
        with aws_errors("s3:GetObject", f"s3://{self.bucket}/{name}"):
            body = self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
        if not _fits(name, body):
            # Object Lock keeps each version, and does not keep anybody from putting another on top.
            body = self._kept(name)
        return body.decode("utf-8", "surrogatepass")

    def _kept(self, name: str) -> bytes:
        """Answer the version that was kept under a name; where there is none, a text that counts as malformed.

        No error: who can put objects could else keep anybody from a rebuild for as long as his object is locked.
        """
        with aws_errors("s3:ListObjectVersions", f"s3://{self.bucket}/{name}"):
            pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=name)
            ids = [each["VersionId"] for page in pages for each in page.get("Versions", ()) if each["Key"] == name]
        with aws_errors("s3:GetObjectVersion", f"s3://{self.bucket}/{name}"):
            for id in reversed(ids):
                body = self.client.get_object(Bucket=self.bucket, Key=name, VersionId=id)["Body"].read()
                if _fits(name, body):
                    return body
        return f"not an event that was kept: {name}".encode()


def _fits(name: str, body: bytes) -> bool:
    return name.endswith(f"/{hashlib.sha256(body).hexdigest()}.json")


def read_all(archive: Archive, size: int) -> Iterator[tuple[tuple[str, str], ...]]:
    """Answer all names with what lies there, in the order of names, `size` at a time, some of them read at once."""
    with ThreadPoolExecutor(_READERS) as pool:
        names = archive.names()
        while some := tuple(islice(names, size)):
            yield tuple(zip(some, pool.map(archive.read, some), strict=True))
