"""What Security Hub was told last: a cache in the state bucket, so that what is as it was takes no call to it.

One object for each family of rules. Lost, the findings are read from Security Hub, and it is written anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from handlers.lineage.model import Key
from handlers.lineage.publish.asff import GENERATOR
from handlers.lineage.reconcile.memory import read_object, write_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

VERSION = 1
TOLD = "told"
"""In place of a hash: people were told, and Security Hub is still to be."""
_COMPARED = ("Title", "Description", "Remediation")


class Store(Protocol):
    """Texts by name."""

    def load(self, name: str) -> str | None:
        """Answer a text; None if there is none. OrgctlError if it cannot be told."""

    def save(self, name: str, text: str) -> None:
        """Keep it; OrgctlError."""


class Forgetful:
    """Keeps nothing: every time all is read from Security Hub."""

    def load(self, name: str) -> str | None:  # noqa: ARG002 - the interface has it
        return None

    def save(self, name: str, text: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class S3Store:
    """In a bucket without Object Lock: each run writes over the one before. Calls s3:GetObject and s3:PutObject."""

    client: S3Client
    bucket: str

    def load(self, name: str) -> str | None:
        return read_object(self.client, self.bucket, name)

    def save(self, name: str, text: str) -> None:
        write_object(self.client, self.bucket, name, text)


class Entry(NamedTuple):
    """An open finding, as Security Hub has it."""

    said: str
    """`said_by`, or TOLD."""
    created: str
    """As Security Hub writes it, as is the next."""
    updated: str


@dataclass
class Ledger:
    """Of one family."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By the finding's id."""
    token: str | None = None
    """Reading all from Security Hub ended here, before it was done; empty: it had not begun."""

    @property
    def whole(self) -> bool:
        return self.token is None


def object_of(family: str) -> str:
    return f"published/{family}.json"


def to_text(ledger: Ledger) -> str:
    return json.dumps({"version": VERSION, "entries": ledger.entries, "token": ledger.token}, separators=(",", ":"))


def from_text(text: str | None) -> Ledger | None:
    """Read what `to_text` wrote; None for anything else: then it counts as lost."""
    if text is None:
        return None
    try:
        read = json.loads(text)
        entries = {id: Entry(*map(str, each)) for id, each in read["entries"].items()}
        token = read["token"]
        return Ledger(entries, None if token is None else str(token)) if read["version"] == VERSION else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def said_by(finding: Mapping[str, Any]) -> str:
    """Answer a hash of what a finding says, ours or Security Hub's; what it adds (names, workflow) does not count."""
    (first, *_) = finding.get("Resources") or [{}]
    said = [
        *(finding.get(name) for name in _COMPARED),
        finding.get("Compliance", {}).get("Status"),
        finding.get("FindingProviderFields", {}).get("Severity", {}).get("Label"),
        first.get("Details", {}).get("Other"),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def entry_of(finding: Mapping[str, Any]) -> Entry:
    return Entry(said_by(finding), str(finding["CreatedAt"]), str(finding["UpdatedAt"]))


def parts_of_id(id: str) -> tuple[str, Key]:
    """Answer rule and thing of a finding's id (`orgctl/<family>/<rule>/<key>`)."""
    family, rule, about = id.removeprefix(GENERATOR).split("/", 2)
    return f"{family}/{rule}", Key(about)


def portions(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
