"""Who may launch an image, what refers to it, who uses it: calls of which none tells of many images at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.lineage.model import Time
from handlers.lineage.readings.form import digest, plain
from handlers.lineage.reconcile.asking import Asker
from handlers.lineage.reconcile.memory import Memory

_HOUR = 3_600_000
PERMISSIONS_EVERY, REFERENCES_EVERY, USAGE_EVERY = 7 * 24 * _HOUR, 20 * _HOUR, 7 * 24 * _HOUR
"""Milliseconds. AWS brings its own usage data up to date daily, for launch templates within days.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html
"""
PERMISSIONS_AT_ONCE, REPORTS_AT_ONCE = 1_000, 50
"""Images for which one reading asks, new ones first; the others have their turn with the next readings."""
REFERENCES_IN_A_CALL, REPORTS_IN_A_CALL = 10, 200
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html, and that of UsageReports."""
REFERRING = ("ec2:LaunchTemplate", "ssm:Parameter", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")
"""All types but instances: DescribeInstances tells these."""
_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")

Rows = Iterator[tuple[str, object]]
Images = Mapping[str, Mapping[str, Any]]


def permission_rows(asker: Asker, images: Images, known: Memory, now: Time) -> Rows:
    """Ask for launch permissions, where they can be: not of public images, and of none that nobody can launch."""
    sent, shared = known.sent.setdefault("permissions", {}), set(known.shared)
    open_ones = {key for key, row in images.items() if row.get("State") == "available" and not row.get("Public")}
    due = sorted((known.permitted.get(key, 0), key) for key in open_ones)
    for at, key in due[:PERMISSIONS_AT_ONCE]:
        if now - at < PERMISSIONS_EVERY:
            break
        answer = asker.ask("DescribeImageAttribute", _GONE, Attribute="launchPermission", ImageId=key)
        if answer is None:
            break
        known.permitted[key] = int(now)
        allowed = sorted(map(_plain_row, answer.get("LaunchPermissions", ())), key=digest)
        (shared.add if allowed else shared.discard)(key)
        if sent.get(key) != digest(allowed):
            sent[key] = digest(allowed)
            yield "permissions", {"ImageId": key, "LaunchPermissions": allowed}
    if images:
        shared |= {key for key, row in images.items() if row.get("Public")}
        known.shared = sorted(shared & set(images))
        known.permitted = {key: at for key, at in known.permitted.items() if key in images}


def reference_rows(asker: Asker, images: Images, used: set[str], known: Memory, now: Time) -> Rows:
    """Ask what refers to images that are used: here by instances, at any time by anybody, or shared with others."""
    sent = known.sent.setdefault("references", {})
    wanted = used | set(known.shared) | {key for key, row in images.items() if row.get("LastLaunchedTime")}
    all_are_due = now - known.referred >= REFERENCES_EVERY
    asked = sorted(wanted | set(sent) if all_are_due else wanted - set(sent))
    for start in range(0, len(asked), REFERENCES_IN_A_CALL):
        some = asked[start : start + REFERENCES_IN_A_CALL]
        rows = asker.pages(
            "DescribeImageReferences",
            "ImageReferences",
            ImageIds=some,
            ResourceTypes=[{"ResourceType": each} for each in REFERRING],
        )
        if rows is None:
            return
        for key in some:
            arns = sorted({str(row["Arn"]) for row in rows if row.get("ImageId") == key and row.get("Arn")})
            before = sent.get(key, digest([]))
            sent[key] = digest(arns)
            if before != sent[key]:
                yield "references", {"ImageId": key, "Arns": arns}
    if all_are_due:
        known.referred = int(now)


def usage_rows(asker: Asker, images: Images, known: Memory, now: Time) -> Rows:
    """Take the reports that AWS has made since, and ask for new ones, of images that others may launch."""
    yield from _finished(asker, known)
    due = [key for key in known.shared if key in images and now - known.reported.get(key, 0) >= USAGE_EVERY]
    for key in [each for each in due if each not in known.reports][:REPORTS_AT_ONCE]:
        answer = asker.ask(
            "CreateImageUsageReport",
            _GONE,
            ImageId=key,
            ResourceTypes=[{"ResourceType": "ec2:Instance"}, {"ResourceType": "ec2:LaunchTemplate"}],
            # The same call again, after a failure, makes no second report.
            ClientToken=digest([key, int(now) // USAGE_EVERY]),
        )
        if answer is None:
            return
        known.reported[key] = int(now)
        if answer.get("ReportId"):
            known.reports[key] = str(answer["ReportId"])


def _finished(asker: Asker, known: Memory) -> Rows:
    sent = known.sent.setdefault("usage", {})
    waiting = sorted(known.reports.items(), key=lambda each: each[1])
    for start in range(0, len(waiting), REPORTS_IN_A_CALL):
        some = dict(waiting[start : start + REPORTS_IN_A_CALL])
        reports = asker.pages("DescribeImageUsageReports", "ImageUsageReports", ReportIds=sorted(some.values()))
        if reports is None:
            return
        states = {str(each["ReportId"]): each for each in reports}
        ready = [id for id, each in states.items() if each.get("State") == "available"]
        entries: list[Mapping[str, Any]] | None = []
        if ready:
            entries = asker.pages("DescribeImageUsageReportEntries", "ImageUsageReportEntries", ReportIds=sorted(ready))
        if entries is None:
            return
        for key, id in some.items():
            if states.get(id, {}).get("State") == "pending":
                continue
            del known.reports[key]
            if id not in ready:
                continue
            counted = [_entry(each) for each in entries if each.get("ReportId") == id]
            if sent.get(key, digest([])) != digest(sorted(counted, key=digest)):
                sent[key] = digest(sorted(counted, key=digest))
                made = plain(states[id].get("CreationTime"))
                yield "usage", {"ImageId": key, "ReportId": id, "ReportCreationTime": made, "Entries": counted}


def _entry(row: Mapping[str, Any]) -> dict[str, object]:
    return {name: plain(row.get(name)) for name in ("AccountId", "ResourceType", "UsageCount")}


def _plain_row(row: Mapping[str, Any]) -> dict[str, object]:
    return {name: plain(value) for name, value in row.items()}
