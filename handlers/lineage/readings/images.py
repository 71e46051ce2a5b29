"""Images as DescribeImages and its neighbours answer them: how they came to be, and what is so of them now.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handlers.lineage.events.envelope import region_of
from handlers.lineage.events.outcome import EventError
from handlers.lineage.events.teller import Teller, yes
from handlers.lineage.model import Fact, Key, Kind, Relation, Source, attributes_of
from handlers.lineage.readings.answer import Answer, joined
from handlers.lineage.readings.speaker import Speaker
from handlers.lineage.relations import EVERY, EVERY_TAG, EVERYBODY, HOLDS
from org.ids import AccountId

DESCRIBED, ASKED, SHARED, REFERRED, COUNTED = (
    "DescribeImages",
    "GetImageAncestry",
    "DescribeImageAttribute",
    "DescribeImageReferences",
    "DescribeImageUsageReportEntries",
)
MISSING = "missing"
_ACCOUNT_DIGITS = 12


def image(speaker: Speaker, said: Answer) -> None:
    """An image of the account itself is told with all that is so of it; one of others with what never changes.

    The others' is read in every account that uses it: what never changes makes the same facts from wherever it is read.
    """
    owner = said.need("OwnerId")
    if len(owner) != _ACCOUNT_DIGITS or not owner.isdigit():
        raise EventError(f"{said.path}.OwnerId", "is not twelve digits")
    key, snapshots = _came_to_be(speaker, said, AccountId(owner))
    if owner == speaker.place.account:
        _is_now(speaker, said, key, snapshots)


def _came_to_be(speaker: Speaker, said: Answer, owner: AccountId) -> tuple[Key, list[str]]:
    id, created = said.need("ImageId"), said.text("CreationDate")
    source, instance = said.text("SourceImageId"), said.text("SourceInstanceId")
    where = said.text("SourceImageRegion")
    snapshots = [each for row in said.rows("BlockDeviceMappings") if (each := row.node("Ebs").text("SnapshotId"))]
    known = {
        "name": said.text("Name"),
        "architecture": said.text("Architecture"),
        "owner": owner,
        "owner_alias": said.text("ImageOwnerAlias"),
        "created_at": created,
        "platform": said.text("PlatformDetails"),
        "image_type": said.text("ImageType"),
        "product_codes": joined(row.need("ProductCodeId") for row in said.rows("ProductCodes")),
    }
    cause = [id, owner, source, where, instance, sorted(snapshots), known]
    tell = speaker.made(DESCRIBED, cause, said.time("CreationDate"), account=owner)
    key = tell.thing(Kind.IMAGE, id)
    tell.note(key, None, **known)
    if source:
        region = region_of(where, "SourceImageRegion") if where else None
        tell.relate(Relation.DERIVED_FROM, key, tell.thing(Kind.IMAGE, source, region))
    if instance:
        tell.relate(Relation.CREATED_FROM, key, tell.thing(Kind.INSTANCE, instance))
    if source or instance:
        # AWS knows no source of what RegisterImage makes. This came of CreateImage or CopyImage, which make snapshots.
        for each in snapshots:
            tell.relate(Relation.DERIVED_FROM, tell.thing(Kind.SNAPSHOT, each), key)
    return key, snapshots


def _is_now(speaker: Speaker, said: Answer, key: Key, snapshots: list[str]) -> None:
    scan, tags = said.node("ScanResults"), said.tags()
    disks = [each.flag("Encrypted") for row in said.rows("BlockDeviceMappings") if (each := row.node("Ebs"))]
    public = said.flag("Public")
    state = {
        "state": said.need("State"),
        "description": said.text("Description"),
        "deprecated_at": said.text("DeprecationTime"),
        "deregistration_protection": said.text("DeregistrationProtection"),
        "public": yes(public),
        "imds_support": said.text("ImdsSupport"),
        "boot_mode": said.text("BootMode"),
        "root_device": said.text("RootDeviceName"),
        "encrypted": yes(all(disks)) if disks else None,
        "snapshots": joined(snapshots),
        "allowed": yes(said.flag("ImageAllowed")),
        "public_parameter": said.text("PublicSsmParameterName"),
        "scan_severity": scan.text("HighestFindingSeverityLabel"),
        "scanned_at": scan.text("FindingScanDate"),
        "last_launched_at": said.text("LastLaunchedTime"),
    }
    marks = {row.need("WatermarkKey"): row for row in said.rows("ImageWatermarks")}
    first = speaker.now(DESCRIBED, [key, state, tags, sorted(marks)])
    # What DescribeImages leaves out is not there: not said any more is as much as taken away.
    first.take_away(key, [EVERY_TAG, *(name for name, value in state.items() if value is None)])
    first.relate(Relation.WATERMARKED, key, first.everywhere(Kind.WATERMARK, EVERY), holds=False)
    then = speaker.afterwards(first)
    then.note(key, tags, **state)
    if public:
        # Of public images the launch permissions are not asked for.
        then.share(key, EVERYBODY, holds=True)
    for name, row in sorted(marks.items()):
        then.facts.append(_mark(then, key, name, row))


def _mark(tell: Teller, key: Key, name: str, row: Answer) -> Fact:
    """A watermark, and the image on which it was put first: what carries it ought to descend from that."""
    said: dict[str, str | None] = {HOLDS: "yes"}
    source, where = row.text("SourceImageId"), row.text("SourceImageRegion")
    if source:
        region = region_of(where, f"{row.path}.SourceImageRegion") if where else None
        said["source"] = tell.thing(Kind.IMAGE, source, region)
    watermark = tell.everywhere(Kind.WATERMARK, name)
    return Fact(Relation.WATERMARKED, key, watermark, tell.evidence, attributes_of(said))


def ancestry(speaker: Speaker, said: Answer) -> None:
    """The image itself comes first [H]: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-ancestry.html."""
    region = speaker.place.region
    for row in said.rows("ImageAncestryEntries"):
        id, source, alias = row.need("ImageId"), row.text("SourceImageId"), row.text("ImageOwnerAlias")
        where = region_of(row.need("SourceImageRegion"), row.path) if row.has("SourceImageRegion") else region
        cause = [id, region, source, where, alias, row.text("CreationDate")]
        tell = speaker.made(ASKED, cause, row.time("CreationDate"), Source.ANCESTRY_API, region=region)
        key = tell.thing(Kind.IMAGE, id, region)
        tell.note(key, None, owner_alias=alias, created_at=row.text("CreationDate"))
        if source:
            tell.relate(Relation.DERIVED_FROM, key, tell.thing(Kind.IMAGE, source, where))
        region = where


def permissions(speaker: Speaker, said: Answer) -> None:
    """All that may launch an image: who is not among them may not."""
    sharees = [
        next(each for name in _SHAREES if (each := row.text(name)))
        for row in said.rows("LaunchPermissions")
        if any(row.has(name) for name in _SHAREES)
    ]
    first = speaker.now(SHARED, [said.need("ImageId"), sorted(sharees)])
    key = first.thing(Kind.IMAGE, said.need("ImageId"))
    first.share_with_nobody(key)
    for each in sorted(set(sharees)):
        speaker.afterwards(first).share(key, each, holds=True)


def references(speaker: Speaker, said: Answer) -> None:
    """What in the account refers to an image. Of launch templates it is not told which version does."""
    arns = sorted(set(said.texts("Arns")))
    tell = speaker.now(REFERRED, [said.need("ImageId"), arns])
    key = tell.thing(Kind.IMAGE, said.need("ImageId"))
    name = f"referenced_by:{speaker.place.account}"
    if arns:
        tell.note(key, None, **{name: joined(arns)})
    else:
        tell.take_away(key, [name])
    for arn in arns:
        if ":ssm:" in arn:
            tell.relate(Relation.RESOLVES_TO, tell.parameter(arn), key)
        elif ":imagebuilder:" in arn:
            tell.relate(Relation.REFERENCES, tell.by_arn(Kind.RECIPE, arn), key)


def usage(speaker: Speaker, said: Answer) -> None:
    """How many things in which accounts use an image: `<account> <type> <count>, …`."""
    rows = [
        (row.need("AccountId"), row.need("ResourceType"), row.number("UsageCount") or 0) for row in said.rows("Entries")
    ]
    counts = sorted((account, kind, count) for account, kind, count in rows if count)
    cause = [said.need("ImageId"), said.need("ReportId"), counts]
    tell = speaker.made(COUNTED, cause, said.time("ReportCreationTime"), Source.USAGE_REPORT)
    key = tell.thing(Kind.IMAGE, said.need("ImageId"))
    if counts:
        tell.note(key, None, usage=", ".join(f"{account} {kind} {count}" for account, kind, count in counts)[:4_000])
    else:
        tell.take_away(key, ["usage"])


def missing(speaker: Speaker, said: Answer) -> None:
    """What was there at the reading before and is no longer answered."""
    image, instance = said.text("ImageId"), said.text("InstanceId")
    tell = speaker.now("missing", [image, instance])
    if image:
        tell.note(tell.thing(Kind.IMAGE, image), state=MISSING)
    if instance:
        tell.note(tell.thing(Kind.INSTANCE, instance), state=MISSING)


_SHAREES = ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn")

Describer = Callable[[Speaker, Answer], None]
DESCRIBERS: Mapping[str, Describer] = {
    "images": image,
    "ancestries": ancestry,
    "permissions": permissions,
    "references": references,
    "usage": usage,
    "missing": missing,
}
