"""What is sent of AWS's answers: the members that are read, in one order, so that equal things look equal. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handlers.lineage.readings.form import plain

NEVER_CHANGES = (
    "ImageId",
    "OwnerId",
    "CreationDate",
    "Name",
    "Architecture",
    "ImageOwnerAlias",
    "PlatformDetails",
    "ImageType",
    "ProductCodes",
    "SourceImageId",
    "SourceImageRegion",
    "SourceInstanceId",
    "BlockDeviceMappings",
)
CHANGES = (
    "State",
    "Description",
    "DeprecationTime",
    "DeregistrationProtection",
    "Public",
    "ImdsSupport",
    "BootMode",
    "RootDeviceName",
    "ImageAllowed",
    "PublicSsmParameterName",
    "ScanResults",
    "LastLaunchedTime",
    "Tags",
    "ImageWatermarks",
)
OF_INSTANCES = (
    "InstanceId",
    "ImageId",
    "State",
    "InstanceType",
    "LaunchTime",
    "RootDeviceName",
    "Operator",
    "Tags",
    "BlockDeviceMappings",
)
ENDED = frozenset({"terminated", "deregistered", "failed"})
"""States of what soon is no longer answered, so that its absence is no news."""


def image_row(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An image of the account itself."""
    return _members(answer, NEVER_CHANGES + CHANGES)


def stranger_row(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An image of others: what never changes, so that all who use it say the same."""
    return _members(answer, NEVER_CHANGES)


def instance_row(answer: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """An instance; of its interfaces only the first one's attachment, by which it is known when it was launched."""
    first = [each for each in answer.get("NetworkInterfaces", ()) if _attachment(each).get("DeviceIndex") == 0]
    kept = [
        {"Attachment": {name: _attachment(each).get(name) for name in ("DeviceIndex", "AttachTime")}} for each in first
    ]
    return _members(
        {**answer, "OwnerId": owner, "NetworkInterfaces": kept}, (*OF_INSTANCES, "OwnerId", "NetworkInterfaces")
    )


def _attachment(interface: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = interface.get("Attachment") or {}
    return found


def _members(answer: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Lists are sorted: AWS does not promise any order of them."""
    kept: dict[str, Any] = {}
    for name in names:
        if answer.get(name) is not None:
            value: Any = plain(answer[name])
            kept[name] = (
                sorted(value, key=lambda each: json.dumps(each, sort_keys=True)) if isinstance(value, list) else value
            )
    return kept
