"""Pictures of lineage: a small one that a person can read, and one of any size."""

from __future__ import annotations

from cli.render.lineage_picture import Attribute, Doubt, Edge, Node, Picture
from handlers.lineage.model import Evidence, Key, Kind, Relation, Source, Time, key_of
from handlers.lineage.relations import RULES, Content
from org.model import AccountId, Region

BUILD, SHARED, SHOP = AccountId("111122223333"), AccountId("444455556666"), AccountId("777788889999")
_VERDICTS = {
    Content.SAME: "verified",
    Content.WRITABLE: "unverified",
    Content.FOREIGN: "foreign",
    Content.NONE: "reference",
}


def proof(
    number: int, account: str = BUILD, region: str = "eu-central-1", actor: str = "role/image-builder"
) -> Evidence:
    return Evidence(
        Source.CLOUDTRAIL,
        f"7f3b1c52-0000-4000-8000-{number:012x}",
        Time(1_790_000_000_000 + number * 60_000),
        AccountId(account),
        Region(region),
        f"arn:aws:iam::{account}:{actor}",
    )


def key(kind: Kind, name: str, region: str = "eu-central-1") -> Key:
    return key_of(kind, name, Region(region))


def node(
    thing: Key, label: str, account: str, state: str, level: int, *, known: bool = True, formerly: bool = False
) -> Node:
    _, region, kind, _ = thing.split("/", 3)
    said = (
        (
            Attribute("name", label, proof(abs(level), account, region)),
            *([Attribute("state", state, proof(abs(level) + 40, account, region, "role/operator"))] if state else []),
        )
        if known
        else ()
    )
    return Node(thing, kind, label, account, region, state, account, level, said, known, formerly)


def edge(child: Key, relation: Relation, parent: Key, number: int, why: str = "") -> Edge:
    rule = RULES[relation]
    return Edge(child, parent, relation.value, rule.says, _VERDICTS[rule.content], why, (proof(number),))


def small_picture() -> Picture:
    """A golden image made from a public one, copied, shared, disabled in part, and run in a shop."""
    public = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60001", "us-east-1")
    base = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60002")
    builder = key(Kind.INSTANCE, "i-0b7d5c3a1f2e40001")
    volume = key(Kind.VOLUME, "vol-0c1d2e3f4a5b60001")
    snapshot = key(Kind.SNAPSHOT, "snap-0d1e2f3a4b5c60001")
    golden = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60003")
    copy = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60004", "eu-west-1")
    hardened = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60005")
    stored = key_of(Kind.OBJECT, "images-444455556666/golden-2026-09.bin")
    restored = key(Kind.IMAGE, "ami-0a1b2c3d4e5f60006", "eu-west-1")
    parameter = key(Kind.PARAMETER, f"{SHARED}//golden/linux")
    version = key(Kind.PARAMETER, f"{SHARED}//golden/linux:7")
    template = key(Kind.TEMPLATE_VERSION, "lt-0e1f2a3b4c5d60001:3")
    group = key(Kind.GROUP, f"{SHOP}/web")
    web = [key(Kind.INSTANCE, f"i-0b7d5c3a1f2e4010{number}") for number in range(3)]
    old = key(Kind.INSTANCE, "i-0b7d5c3a1f2e40099")
    nodes = (
        node(public, "al2023-ami-2023.9.20260914-x86_64", "137112412989", "available", -5),
        node(base, "base-linux-2026-09", BUILD, "deregistered", -4),
        node(builder, "image-builder-4711", BUILD, "terminated", -3),
        node(volume, volume.rsplit("/", 1)[1], BUILD, "", -2, known=False),
        node(snapshot, "golden-root", BUILD, "completed", -1),
        node(golden, "golden-linux-2026-09", BUILD, "approved", 0),
        node(copy, "golden-linux-2026-09-dr", SHARED, "available", 1),
        node(hardened, "golden-linux-hardened", SHARED, "quarantined", 1),
        node(stored, "golden-2026-09.bin", SHARED, "stored", 2),
        node(restored, "golden-linux-restored", SHARED, "pending", 3),
        node(version, "/golden/linux:7", SHARED, "", 1),
        node(parameter, "/golden/linux", SHARED, "", 2),
        node(template, "web-template:3", SHOP, "", 3),
        node(group, "web", SHOP, "active", 4),
        node(web[0], "web-1", SHOP, "running", 5),
        node(web[1], "web-2", SHOP, "running", 5),
        node(web[2], "web-3", SHOP, "stopped", 5),
        node(old, "legacy-reporting", SHOP, "terminated", 1, formerly=True),
    )
    edges = (
        edge(base, Relation.COPIED_FROM, public, 1),
        edge(builder, Relation.LAUNCHED_FROM, base, 2),
        edge(volume, Relation.ATTACHED_TO, builder, 3, "the machine could write on the volume"),
        edge(snapshot, Relation.SNAPSHOT_OF, volume, 4, "the volume could be written on before"),
        edge(golden, Relation.REGISTERED_FROM, snapshot, 5),
        edge(golden, Relation.CREATED_FROM, builder, 5, "the machine could write on its disks before"),
        edge(copy, Relation.COPIED_FROM, golden, 6),
        edge(hardened, Relation.BUILT_BY, golden, 7, "the build adds what its recipe says"),
        edge(stored, Relation.STORED_FROM, copy, 8),
        edge(restored, Relation.RESTORED_FROM, stored, 9, "the object could be replaced in its bucket"),
        edge(version, Relation.REFERENCES, golden, 10),
        edge(parameter, Relation.RESOLVES_TO, version, 10),
        edge(template, Relation.REFERENCES, parameter, 11),
        edge(group, Relation.USES, template, 12),
        *(edge(each, Relation.USES, group, 13) for each in web),
        *(edge(each, Relation.LAUNCHED_FROM, golden, 13) for each in web),
        edge(old, Relation.LAUNCHED_FROM, golden, 14),
    )
    reasons = (
        Doubt("unseen-creation", volume, "only its name is known: how it was made was not seen"),
        Doubt("silent", f"{SHOP}/eu-west-1", "nothing was ever heard"),
    )
    return Picture("Lineage of golden-linux-2026-09", golden, nodes, edges, complete=False, reasons=reasons)


def large_picture(things: int) -> Picture:
    """A chain of ancestors, images made of images some six deep, and templates and instances that use each of them."""
    start = key(Kind.IMAGE, "ami-start")
    nodes = [node(start, "golden-linux", BUILD, "approved", 0)]
    edges = []
    for number in range(1, 9):
        parent = key(Kind.IMAGE, f"ami-up{number}")
        edges.append(edge(nodes[-1].key, Relation.CREATED_FROM, parent, number))
        nodes.append(node(parent, f"base-{number}", BUILD, "deregistered", -number))
    images = [nodes[0]]
    for number in range(things - len(nodes)):
        family, member = divmod(number, 12)
        if member == 0:
            of = images[family // 3]
            image = node(
                key(Kind.IMAGE, f"ami-{number:017x}"), f"app-{family}", _account(family), "available", of.level + 1
            )
            images.append(image)
            relation, made = (Relation.COPIED_FROM if family % 3 else Relation.CREATED_FROM), image
        else:
            of = images[-1]
            relation, made = _user(number, family, member, of.level + 1)
        nodes.append(made)
        edges.append(edge(made.key, relation, of.key, number))
    return Picture(f"Lineage of golden-linux, {things:,} things", start, tuple(nodes), tuple(edges), complete=True)


def _account(family: int) -> str:
    return f"{500_000_000_000 + family % 40:012d}"


def _user(number: int, family: int, member: int, level: int) -> tuple[Relation, Node]:
    if member == 1:
        thing = key(Kind.TEMPLATE_VERSION, f"lt-{number:017x}:1")
        return Relation.REFERENCES, node(thing, f"template-{family}", _account(family), "", level)
    state = ("running", "running", "stopped", "terminated", "")[number % 5]
    thing = key(Kind.INSTANCE, f"i-{number:017x}")
    return Relation.LAUNCHED_FROM, node(
        thing, f"app-{family}-{member}", _account(family), state, level, known=number % 97 != 0
    )
