"""What each relation means for descent: whether content passes, whether it was writable, for how long it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from handlers.lineage.model import Relation

EVERYBODY = "all"
"""The group of all accounts, with which an image is public."""


class Role(StrEnum):
    """What a relation is for."""

    DERIVATION = "derivation"
    """The child's content came from the parent's at the time of the fact."""
    ROOT = "root"
    """What an instance boots: from the fact until the next of its root facts."""
    REFERENCE = "reference"
    """The child would start machines from the parent, or points at it, for as long as it holds."""
    GRANT = "grant"
    """The parent may use the child."""
    MARK = "mark"
    """Says something, passes nothing on."""


class Content(StrEnum):
    """What the child's bytes are, given the parent's."""

    SAME = "same"
    WRITABLE = "writable"
    """Somebody could have written between the two: descent is sure, content is not."""
    FOREIGN = "foreign"
    """The parent is not under AWS's eyes: nothing can be said of its content."""
    NONE = "none"


class Exclusive(StrEnum):
    """Facts of one child of which only those of the newest event hold at a time."""

    ROOT = "root"
    TEMPLATE = "template"
    POINTER = "pointer"
    PAIR = "pair"
    """By child and parent: the newest says whether it holds (attribute `holds`: `yes` or `no`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a relation means."""

    role: Role
    content: Content
    exclusive: Exclusive | None
    says: str
    """For people: `<child> … <parent>`."""


HOLDS = "holds"

EVERY = "*"
"""The name of the parent that stands for all of a pair's parents at once: ResetImageAttribute names no sharee."""
EVERY_TAG = "tag:*"
"""Taken away, it takes all tags with it: DeleteTags without a tag names none."""

RULES: Mapping[Relation, Rule] = {
    Relation.COPIED_FROM: Rule(Role.DERIVATION, Content.SAME, None, "was copied from"),
    Relation.CREATED_FROM: Rule(Role.DERIVATION, Content.WRITABLE, None, "was made from the disks of"),
    Relation.DERIVED_FROM: Rule(Role.DERIVATION, Content.WRITABLE, None, "descends, AWS says, from"),
    Relation.REGISTERED_FROM: Rule(Role.DERIVATION, Content.SAME, None, "was registered from"),
    # The object may have been replaced in its bucket between store and restore.
    Relation.RESTORED_FROM: Rule(Role.DERIVATION, Content.WRITABLE, None, "was restored from"),
    Relation.IMPORTED_FROM: Rule(Role.DERIVATION, Content.FOREIGN, None, "was imported from"),
    Relation.STORED_FROM: Rule(Role.DERIVATION, Content.SAME, None, "was stored from"),
    Relation.BUILT_BY: Rule(Role.DERIVATION, Content.WRITABLE, None, "was built by"),
    Relation.SNAPSHOT_OF: Rule(Role.DERIVATION, Content.WRITABLE, None, "is a snapshot of"),
    Relation.VOLUME_FROM: Rule(Role.DERIVATION, Content.SAME, None, "was made from"),
    # Whatever the instance runs can write on the volume.
    Relation.ATTACHED_TO: Rule(Role.DERIVATION, Content.WRITABLE, None, "was attached to"),
    Relation.WRITTEN_BY: Rule(Role.DERIVATION, Content.FOREIGN, None, "was written block by block by"),
    Relation.PRELAUNCHED_FROM: Rule(Role.DERIVATION, Content.WRITABLE, None, "was pre-launched from"),
    Relation.LAUNCHED_FROM: Rule(Role.ROOT, Content.SAME, Exclusive.ROOT, "was launched from"),
    Relation.ROOT_REPLACED_BY: Rule(Role.ROOT, Content.SAME, Exclusive.ROOT, "got a new root volume from"),
    Relation.USES: Rule(Role.REFERENCE, Content.NONE, Exclusive.TEMPLATE, "starts machines by"),
    Relation.RESOLVES_TO: Rule(Role.REFERENCE, Content.NONE, Exclusive.POINTER, "points at"),
    Relation.REFERENCES: Rule(Role.REFERENCE, Content.NONE, Exclusive.TEMPLATE, "starts machines from"),
    Relation.SHARED_WITH: Rule(Role.GRANT, Content.NONE, Exclusive.PAIR, "is shared with"),
    Relation.WATERMARKED: Rule(Role.MARK, Content.NONE, Exclusive.PAIR, "carries the watermark"),
    Relation.NOTED: Rule(Role.MARK, Content.NONE, None, "is said to be"),
}

WITH_ROLE: Mapping[Role, frozenset[Relation]] = {
    role: frozenset(relation for relation, rule in RULES.items() if rule.role is role) for role in Role
}
