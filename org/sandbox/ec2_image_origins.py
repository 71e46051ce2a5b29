"""EC2's calls about where an image came from, and about the image of an instance; moto lacks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.instances import Instance

from org.sandbox.ec2_image_life import ImageLifeResponses
from org.sandbox.ec2_resources import describe_zone
from org.sandbox.ec2_visible_images import recall_image
from org.sandbox.images import SandboxImage

LONGEST_ANCESTRY = 50
_VERIFIED = frozenset({"amazon", "aws-marketplace"})
"""Owner aliases at whose images an ancestry ends."""


class ImageOriginResponses(ImageLifeResponses):
    """GetImageAncestry and DescribeInstanceImageMetadata."""

    def get_image_ancestry(self) -> ActionResult:
        """Answer the image and its ancestors, whoever owns them, deregistered ones too.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-ancestry.html
        [H]: one may ask about what one sees, so not about an image that is deregistered itself.
        """
        self.error_on_dryrun()
        image = self.ec2_backend.get_image(self._require("ImageId"))
        told = image.told_ancestry
        return ActionResult({"ImageAncestryEntries": list(self._ancestry(image)) if told is None else told})

    def _ancestry(self, image: SandboxImage) -> Iterator[Mapping[str, Any]]:
        current: SandboxImage | None = image
        for _ in range(LONGEST_ANCESTRY):
            if current is None:
                return
            is_root = current.owner_alias in _VERIFIED
            entry = {
                "CreationDate": current.creation_date,
                "ImageId": current.id,
                "ImageOwnerAlias": current.owner_alias,
                "SourceImageId": None if is_root else current.source_image_id,
                "SourceImageRegion": None if is_root else current.source_image_region,
            }
            yield {name: value for name, value in entry.items() if value is not None}
            if is_root or current.source_image_id is None:
                return
            region = current.source_image_region or self.region
            current = recall_image(current.source_image_id, region)

    def describe_instance_image_metadata(self) -> ActionResult:
        """Answer instances with their images, also where the image is gone or no longer shared.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceImageMetadata.html
        """
        self.error_on_dryrun()
        backend, ids = self.ec2_backend, self._get_param("InstanceIds", [])
        found = [backend.get_instance(id) for id in ids] if ids else backend.all_instances()
        rows = [self._with_image(instance) for instance in found]
        for name, values in self._filters_from_querystring().items():
            rows = [row for row in rows if any(_filtered_value(row, name, value) for value in values)]
        return self._page("InstanceImageMetadata", rows)

    def _with_image(self, instance: Instance) -> Mapping[str, Any]:
        image = recall_image(instance.image_id, self.region)
        zone = instance.placement.zone
        return {
            "InstanceId": instance.id,
            "InstanceType": instance.instance_type,
            "LaunchTime": instance.launch_time,
            "AvailabilityZone": zone,
            "ZoneId": describe_zone(self.ec2_backend, zone)["ec2:availabilityzoneid"],
            "State": {"Code": instance.state_code, "Name": instance.state},
            "OwnerId": self.current_account,
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in instance.get_tags()],
            "ImageMetadata": self._metadata(image) if image else {"ImageId": instance.image_id},
        }

    def _metadata(self, image: SandboxImage) -> Mapping[str, Any]:
        registered = image.id in image.owner.amis
        metadata = {
            "ImageId": image.id,
            "Name": image.name,
            "OwnerId": image.owner_id,
            "State": image.state if registered else "deregistered",
            "ImageOwnerAlias": image.owner_alias,
            "CreationDate": image.creation_date.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "DeprecationTime": image.deprecation_time,
            "ImageAllowed": image.image_allowed,
            "IsPublic": image.is_public,
            "ImageWatermarks": image.image_watermarks,
        }
        return {name: value for name, value in metadata.items() if value is not None}


def _filtered_value(row: Mapping[str, Any], name: str, value: str) -> bool:
    """Say whether a filter's value is the row's; wildcards, and filters beyond these, are not emulated."""
    tags = {tag["Key"]: tag["Value"] for tag in row["Tags"]}
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) == value
    image = row["ImageMetadata"]
    known = {
        "availability-zone": row["AvailabilityZone"],
        "image-allowed": str(image.get("ImageAllowed", "")).lower(),
        "instance-id": row["InstanceId"],
        "instance-state-name": row["State"]["Name"],
        "instance-type": row["InstanceType"],
        "owner-alias": image.get("ImageOwnerAlias"),
        "owner-id": image.get("OwnerId"),
        "zone-id": row["ZoneId"],
    }
    if name == "tag-key":
        return value in tags
    if name not in known:
        raise NotImplementedError(f"the filter {name}")
    return bool(known[name] == value)
