"""What lineage consists of: things with a key, and facts about them, each with its evidence. Nothing here does I/O.

A fact is never changed and never taken back: what is true at a time is a fold over the facts until then (`fold`).
Its id is a hash of all that it says, so that duplicates, disorder and replays make the same set of facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, NewType

from org.ids import AccountId, Region

Key = NewType("Key", str)
"""`<partition>/<region>/<kind>/<name>`: `aws/us-east-1/image/ami-0abc…`.

Ids of images, snapshots, volumes and instances are unique within a Region only, hence the Region. What has none has `-`
in its place. The name is all that follows, slashes included (an S3 object's key, a parameter's path).
"""
Time = NewType("Time", int)
"""Milliseconds since 1970-01-01T00:00:00Z. CloudTrail tells whole seconds."""

NO_REGION = Region("-")
_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Kind(StrEnum):
    """What a key stands for, and what its name looks like."""

    IMAGE = "image"
    """`ami-…`"""
    SNAPSHOT = "snapshot"
    VOLUME = "volume"
    INSTANCE = "instance"
    TEMPLATE_VERSION = "launch-template"
    """`lt-…:3`; `lt-…:$Default` and `lt-…:$Latest` point at versions."""
    PARAMETER = "parameter"
    """`<account>/<name>` points at its newest version, `<account>//golden/linux:3` is one, `…:label` points too."""
    GROUP = "auto-scaling-group"
    """`<account>/<name>`."""
    LAUNCH_CONFIGURATION = "launch-configuration"
    """`<account>/<name>`."""
    FLEET = "fleet"
    """`fleet-…`, or `sfr-…` of a Spot Fleet, or `sir-…` of a Spot request."""
    OBJECT = "object"
    """`<bucket>/<key>` in S3: a stored, exported or imported image. Without Region: buckets have names of their own."""
    EXTERNAL = "external"
    """A disk outside of AWS, by its URL or description."""
    RECIPE = "recipe"
    """The ARN of an image or container recipe, pipeline or distribution configuration of EC2 Image Builder."""
    CONSUMER = "consumer"
    """`<service>/<account>/<name or ARN>` of what starts machines from an image: `batch/…`, `eks/…`, `dlm/…`."""
    WATERMARK = "watermark"
    """`<account>:<name>`."""
    ACCOUNT = "account"
    """Twelve digits; as a sharee also an organization's or a unit's ARN, or `all` for everybody."""
    PRINCIPAL = "principal"
    """The ARN of who made a call, or the name of a service."""
    COVERAGE = "coverage"
    """An account in a Region, as a place from which events are heard: its name is the account."""


class Relation(StrEnum):
    """How the child came to be, or what holds it to its parent; `relations.RULES` says what each means."""

    COPIED_FROM = "COPIED_FROM"
    CREATED_FROM = "CREATED_FROM"
    DERIVED_FROM = "DERIVED_FROM"
    REGISTERED_FROM = "REGISTERED_FROM"
    RESTORED_FROM = "RESTORED_FROM"
    IMPORTED_FROM = "IMPORTED_FROM"
    STORED_FROM = "STORED_FROM"
    BUILT_BY = "BUILT_BY"
    SNAPSHOT_OF = "SNAPSHOT_OF"
    VOLUME_FROM = "VOLUME_FROM"
    ATTACHED_TO = "ATTACHED_TO"
    WRITTEN_BY = "WRITTEN_BY"
    PRELAUNCHED_FROM = "PRELAUNCHED_FROM"
    LAUNCHED_FROM = "LAUNCHED_FROM"
    ROOT_REPLACED_BY = "ROOT_REPLACED_BY"
    """By itself: back to what it was launched from."""
    USES = "USES"
    RESOLVES_TO = "RESOLVES_TO"
    REFERENCES = "REFERENCES"
    SHARED_WITH = "SHARED_WITH"
    WATERMARKED = "WATERMARKED"
    NOTED = "NOTED"


class Source(StrEnum):
    """Where a fact was learned."""

    CLOUDTRAIL = "cloudtrail"
    NOTIFICATION = "notification"
    """An event that a service sends of itself: EC2 AMI State Change, Parameter Store Change, …"""
    DESCRIBE = "describe"
    ANCESTRY_API = "ancestry-api"
    USAGE_REPORT = "usage-report"
    CONFIG = "config"
    DECLARED = "declared"
    INFERRED = "inferred"


class Confidence(StrEnum):
    """How far a fact can be relied on."""

    OBSERVED = "observed"
    """AWS says that it happened."""
    REPORTED = "reported"
    """AWS says that it was so when it was asked."""
    INFERRED = "inferred"
    """Reasoned from what AWS says: a device name taken for the root, a source [H]."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where, when, and by whom something was learned."""

    source: Source
    event_id: str
    """CloudTrail's `eventID`, a notification's `id`, or what names the answer that was read: the cause of the fact."""
    time: Time
    """When it happened, not when it was heard."""
    account: AccountId
    """In which it happened (CloudTrail's `recipientAccountId`)."""
    region: Region
    actor: str = ""
    """The ARN of the caller, or the service; empty where the source does not tell."""
    confidence: Confidence = Confidence.OBSERVED


Attributes = tuple[tuple[str, str | None], ...]
"""Names in snake_case, sorted; tags are `tag:<key>`. None: taken away, which is not the same as empty."""


@dataclass(frozen=True)
class Fact:
    """One statement, with its evidence. For NOTED, child and parent are the same: the attributes are what is said."""

    relation: Relation
    child: Key
    parent: Key
    evidence: Evidence
    attributes: Attributes = ()

    @cached_property
    def id(self) -> str:
        """32 hexadecimal digits: SHA-256, cut, of all that the fact says."""
        each = self.evidence
        said = (
            self.relation.value,
            self.child,
            self.parent,
            each.source.value,
            each.event_id,
            each.time,
            each.account,
            each.region,
            each.actor,
            each.confidence.value,
            self.attributes,
        )
        return hashlib.sha256(_JSON(said).encode()).hexdigest()[:32]

    @property
    def order(self) -> tuple[int, str]:
        """What comes later counts; of two at one time, always the same one (by event)."""
        return self.evidence.time, self.evidence.event_id


class Place(NamedTuple):
    """An account in a Region, from which events are heard."""

    account: AccountId
    region: Region


@dataclass(frozen=True)
class Batch:
    """What some events say; adding it twice, or in another order, changes nothing."""

    facts: tuple[Fact, ...] = ()
    heard: Mapping[Place, Time] = field(default_factory=dict)
    """The newest event by place: of two values for a place, a graph keeps the greater."""


def key_of(kind: Kind, name: str, region: Region = NO_REGION, partition: str = "aws") -> Key:
    """Put a key together; `name` must not be empty (ValueError), since a key without a name would join strangers."""
    if not name or not region or not partition:
        raise ValueError(f"a {kind.value} needs a name, a Region and a partition: {name!r}, {region!r}, {partition!r}")
    return Key(f"{partition}/{region}/{kind.value}/{name}")


class KeyParts(NamedTuple):
    """A key taken apart."""

    partition: str
    region: Region
    kind: Kind
    name: str


def parts_of(key: Key) -> KeyParts:
    """Take a key apart; ValueError if it is none."""
    partition, region, kind, name = key.split("/", 3)
    return KeyParts(partition, Region(region), Kind(kind), name)


def kind_of(key: Key) -> Kind:
    return Kind(key.split("/", 3)[2])


def attributes_of(said: Mapping[str, str | None]) -> Attributes:
    """Bring attributes into their one order."""
    return tuple(sorted(said.items()))


def noted(key: Key, evidence: Evidence, said: Mapping[str, str | None]) -> Fact:
    """Say something of one thing alone."""
    return Fact(Relation.NOTED, key, key, evidence, attributes_of(said))


def digest_of(fact_ids: Iterable[str], heard: Mapping[Place, Time]) -> str:
    """Answer the graph hash: SHA-256 of the sorted ids of all facts and of what was heard from where."""
    hashed = hashlib.sha256()
    for each in sorted(fact_ids):
        hashed.update(each.encode())
    for place, time in sorted(heard.items()):
        hashed.update(f"{place.account}/{place.region}/{time}\n".encode())
    return hashed.hexdigest()
