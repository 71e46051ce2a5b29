"""A machine image as EC2 has it: its owner's, and seen, launched and copied by those with whom it is shared.

What an account sees of an image are its own tags on it, and those that the owner shares.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidAMIAttributeItemValueError
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

if TYPE_CHECKING:
    from org.sandbox.ec2_visible_images import VisibleImages

SHARED_TAG = "ec2:SharedTag/"
"""Begins the keys of tags that the owner writes, and that everybody reads with whom the image is shared."""
EVERYBODY = {"Group": "all"}
AVAILABLE, DISABLED = "available", "disabled"
UNPROTECTED = "disabled"
"""What an image says of its deregistration protection where it has none."""

Permission = Mapping[str, str]
"""`{"UserId": …}`, `{"Group": "all"}`, `{"OrganizationArn": …}` or `{"OrganizationalUnitArn": …}`."""

_PERMITTED = {
    "UserId": re.compile(r"\d{12}"),
    "Group": re.compile("all"),
    "OrganizationArn": re.compile(r"arn:[a-z-]+:organizations::\d{12}:organization/o-[a-z0-9]{10,32}"),
    "OrganizationalUnitArn": re.compile(
        r"arn:[a-z-]+:organizations::\d{12}:ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"
    ),
}


class SandboxImage(Ami):
    """An image as one account sees it: `ec2_backend` is that account's, `owner` that of the image's own."""

    def __init__(self, owner: VisibleImages, name: str, **more: Any) -> None:
        super().__init__(owner, random_ami_id(), name=name, root_device_type="ebs", **more)
        self.owner = owner
        self.source_image_id: str | None = None
        self.source_image_region: str | None = None
        self.deprecation_time: str | None = None
        self.deregistration_protection = UNPROTECTED
        self.last_launched_time: str | None = None
        self.image_allowed = True
        """[H]: an account without Allowed AMIs, as all are here, is told that it may use every image."""
        self.image_watermarks: list[Mapping[str, Any]] | None = None
        self.scan_results: Mapping[str, Any] | None = None
        self.told_ancestry: list[Mapping[str, Any]] | None = None
        """What GetImageAncestry is to say of the image in the place of the truth."""
        self.image_location = f"{owner.account_id}/{name}"

    def seen_by(self, backend: VisibleImages) -> SandboxImage:
        if backend is self.owner:
            return self
        seen = copy.copy(self)
        seen.ec2_backend = backend
        return seen

    @property
    def visible_tags(self) -> dict[str, str]:
        own = dict(self.ec2_backend.tags.get(self.id, {}))
        shared = self.owner.tags.get(self.id, {})
        return own | {key: value for key, value in shared.items() if key.startswith(SHARED_TAG)}

    def get_tags(self) -> list[dict[str, str]]:
        return [
            {"resource_id": self.id, "resource_type": "image", "key": key, "value": value}
            for key, value in self.visible_tags.items()
        ]

    def reaches(self, backend: VisibleImages, reached_by: Iterable[Permission]) -> bool:
        """Say whether the account may see and launch the image.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
        """
        return backend is self.owner or any(each in self.launch_permissions for each in reached_by)

    def complete_device(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the volume of a launch's mapping, as the image has it where the mapping does not say."""
        own = {each["DeviceName"]: each["Ebs"] for each in self.block_device_mappings}
        known = own.get(mapping["DeviceName"], {})
        completed: dict[str, Any] = {key: known[key] for key in ("VolumeSize", "VolumeType") if key in known}
        return {**completed, **mapping["Ebs"]}

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "source-image-id":
            return self.source_image_id
        if filter_name == "image-allowed":
            return str(self.image_allowed).lower()
        if filter_name == "creation-date":
            return self.creation_date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if filter_name == "source-image-region":
            return self.source_image_region
        return super().get_filter_value(filter_name, method_name)


def check_permissions(permissions: Iterable[Permission]) -> None:
    for permission in permissions:
        for kind, value in permission.items():
            if not _PERMITTED[kind].fullmatch(value):
                raise InvalidAMIAttributeItemValueError(kind[0].lower() + kind[1:], value)
