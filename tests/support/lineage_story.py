"""A small history for tests of the command line: a golden image and its users, a laundered image, a swapped root."""

from __future__ import annotations

from pathlib import Path

from handlers.lineage.model import Batch, Evidence, Fact, Key, Kind, Place, Relation, Time, key_of, noted
from handlers.lineage.sqlite import SqliteGraph
from org.model import AccountId, Region
from tests.support.lineage import ACCOUNT, REGION, evidence, fact, image, instance, note

SHOP, STRANGER = AccountId("222233334444"), AccountId("999988887777")
ABROAD = Region("us-east-1")


def here(kind: Kind, name: str) -> Key:
    return key_of(kind, name, REGION)


def abroad(kind: Kind, name: str) -> Key:
    return key_of(kind, name, ABROAD)


BASE, BUILDER, GOLDEN = image("base"), instance("builder"), image("golden")
COPY, WEB, IDLE = abroad(Kind.IMAGE, "ami-copy"), abroad(Kind.INSTANCE, "i-web"), abroad(Kind.INSTANCE, "i-idle")
VERSION, DEFAULT = abroad(Kind.TEMPLATE_VERSION, "lt-1:1"), abroad(Kind.TEMPLATE_VERSION, "lt-1:$Default")
GROUP = abroad(Kind.GROUP, f"{SHOP}/web")
PUBLIC, SWAPPED, LAUNDERED = image("public"), instance("swapped"), image("laundered")
SNAPSHOT, VOLUME = here(Kind.SNAPSHOT, "snap-1"), here(Kind.VOLUME, "vol-1")
SHAREE = key_of(Kind.ACCOUNT, STRANGER)
TWINS = image("twin"), abroad(Kind.IMAGE, "ami-twin")
UGLY = image("ugly")

GOLDEN_STORY = (
    note(BASE, 0, owner="137112412989", owner_alias="amazon", name="al2023", state="available"),
    fact(Relation.LAUNCHED_FROM, BUILDER, BASE, 1),
    note(BUILDER, 1, owner=ACCOUNT, state="terminated"),
    fact(Relation.CREATED_FROM, GOLDEN, BUILDER, 2),
    note(GOLDEN, 2, owner=ACCOUNT, name="golden", state="available"),
    fact(Relation.COPIED_FROM, COPY, GOLDEN, 3),
    note(COPY, 3, owner=SHOP, name="golden", state="available"),
    fact(Relation.LAUNCHED_FROM, WEB, COPY, 4),
    note(WEB, 4, owner=SHOP, state="running"),
    fact(Relation.LAUNCHED_FROM, IDLE, COPY, 5),
    note(IDLE, 5, owner=SHOP),
    fact(Relation.REFERENCES, VERSION, COPY, 6),
    note(VERSION, 6, owner=SHOP),
    fact(Relation.RESOLVES_TO, DEFAULT, VERSION, 6),
    fact(Relation.USES, GROUP, DEFAULT, 7),
    note(GROUP, 7, name="web"),
    fact(Relation.SHARED_WITH, GOLDEN, SHAREE, 8, holds="yes"),
)
OTHER_STORIES = (
    note(PUBLIC, 0, owner=STRANGER, name="free stuff", state="available"),
    fact(Relation.LAUNCHED_FROM, SWAPPED, GOLDEN, 10),
    note(SWAPPED, 10, owner=ACCOUNT, state="running", image_id="ami-golden"),
    fact(Relation.ROOT_REPLACED_BY, SWAPPED, PUBLIC, 11),
    fact(Relation.SNAPSHOT_OF, SNAPSHOT, VOLUME, 12),
    note(SNAPSHOT, 12, owner=ACCOUNT),
    fact(Relation.REGISTERED_FROM, LAUNDERED, SNAPSHOT, 13),
    note(LAUNDERED, 13, owner=ACCOUNT, name="own", state="available"),
    *(note(twin, 14, owner=ACCOUNT, state="available") for twin in TWINS),
    note(UGLY, 15, owner=ACCOUNT, name="new\nline \x1b[31mred", state="available", creation_method="blank"),
)


def placed(said: Fact, account: AccountId, region: Region) -> Fact:
    """Tell a fact as from another account and Region."""
    was = said.evidence
    moved = Evidence(was.source, was.event_id, was.time, account, region, was.actor, was.confidence)
    return Fact(said.relation, said.child, said.parent, moved, said.attributes)


MALFORMED = noted(
    here(Kind.COVERAGE, ACCOUNT), evidence(20, "odd"), {"outcome": "malformed", "reason": "detail: is missing"}
)


def story(*more: Fact) -> Batch:
    """Answer all of it; what happened abroad was heard from there."""
    facts = [
        placed(each, SHOP, ABROAD) if each.child.startswith(f"aws/{ABROAD}/") else each
        for each in (*GOLDEN_STORY, *OTHER_STORIES, *more)
    ]
    heard = {Place(ACCOUNT, REGION): Time(1_790_000_015_000), Place(SHOP, ABROAD): Time(1_790_000_007_000)}
    return Batch(tuple(facts), heard)


def keep(batch: Batch, path: str = "graph.sqlite") -> None:
    """Add a batch to a file."""
    graph = SqliteGraph(Path(path))
    graph.append(batch)
    graph.close()
