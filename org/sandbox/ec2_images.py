"""EC2's API for machine images, in place of moto's, which drops most of what it is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError, MissingParameterError
from moto.ec2.responses import EC2Response

from org.sandbox.ec2_backend import SandboxEC2, find_backend
from org.sandbox.images import DISABLED, EVERYBODY

_SHARING = {
    "UserIds": "UserId",
    "UserGroups": "Group",
    "OrganizationArns": "OrganizationArn",
    "OrganizationalUnitArns": "OrganizationalUnitArn",
}
"""The parameters of ModifyImageAttribute that stand for launch permissions, for one OperationType."""


class ImageResponses(EC2Response):
    """The calls about images; a parameter that is not honoured is refused."""

    @property
    def ec2_backend(self) -> SandboxEC2:
        return find_backend(self.current_account, self.region)

    def publishing_is_blocked(self) -> bool:
        """Say whether the account may not share images with everybody."""
        raise NotImplementedError

    def create_image(self) -> ActionResult:
        self._refuse("BlockDeviceMappings", "SnapshotLocation")
        self.error_on_dryrun()
        image = self.ec2_backend.create_image(
            self._require("InstanceId"),
            self._require("Name"),
            self._get_param("Description", ""),
            self._get_param("TagSpecifications", []),
        )
        return ActionResult({"ImageId": image.id})

    def copy_image(self) -> ActionResult:
        self._refuse("Encrypted", "KmsKeyId", "DestinationOutpostArn", "DestinationAvailabilityZone")
        self.error_on_dryrun()
        image = self.ec2_backend.copy_image(
            self._require("SourceImageId"),
            self._require("SourceRegion"),
            self._require("Name"),
            self._get_param("Description", ""),
            self._get_param("TagSpecifications", []),
            with_tags=bool(self._get_param("CopyImageTags", False)),
        )
        return ActionResult({"ImageId": image.id})

    def register_image(self) -> ActionResult:
        self._refuse("KernelId", "RamdiskId", "BillingProducts", "TpmSupport", "UefiData", "ImdsSupport")
        self.error_on_dryrun()
        snapshots = [
            device["Ebs"]["SnapshotId"]
            for device in self._get_param("BlockDeviceMappings", [])
            if "SnapshotId" in device.get("Ebs", {})
        ]
        if len(snapshots) > 1:
            raise NotImplementedError("an image of several snapshots")
        image = self.ec2_backend.register_image(
            self._require("Name"),
            self._get_param("Description", ""),
            self._get_param("TagSpecifications", []),
            snapshot_id=snapshots[0] if snapshots else "",
            architecture=self._get_param("Architecture") or "i386",
            virtualization_type=self._get_param("VirtualizationType") or "paravirtual",
            root_device_name=self._get_param("RootDeviceName") or "/dev/sda1",
            boot_mode=self._get_param("BootMode") or "uefi",
        )
        return ActionResult({"ImageId": image.id})

    def describe_images(self) -> ActionResult:
        self.error_on_dryrun()
        ids = self._get_param("ImageIds", [])
        images = self.ec2_backend.describe_images(
            ids,
            self._filters_from_querystring(),
            self._get_param("ExecutableUsers", []),
            self._get_param("Owners", []),
        )
        if not ids and not self._get_param("IncludeDisabled", False):
            images = [image for image in images if image.state != DISABLED]
        return self._page("Images", images)

    def describe_image_attribute(self) -> ActionResult:
        self.error_on_dryrun()
        image = self.ec2_backend.get_own_image(self._require("ImageId"))
        attribute = self._require("Attribute")
        answer: dict[str, Any] = {"ImageId": image.id}
        if attribute == "launchPermission":
            answer["LaunchPermissions"] = image.launch_permissions
        elif attribute == "description":
            answer["Description"] = {"Value": image.description}
        else:
            raise NotImplementedError(f"the attribute {attribute} of an image")
        return ActionResult(answer)

    def modify_image_attribute(self) -> EmptyResult:
        """Change the launch permissions or the description.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html
        """
        self._refuse("ImdsSupport", "ProductCodes")
        self.error_on_dryrun()
        image = self.ec2_backend.get_own_image(self._require("ImageId"))
        description = self._get_param("Description", {}).get("Value")
        if self._get_param("Attribute") == "description":
            description = self._get_param("Value")
        if description is not None:
            image.description = description
        given = self._get_param("LaunchPermission", {})
        changes = {"add": list(given.get("Add", [])), "remove": list(given.get("Remove", []))}
        operation = self._get_param("OperationType")
        named = [{kind: value} for param, kind in _SHARING.items() for value in self._get_param(param, [])]
        if named and operation not in changes:
            raise InvalidParameterValueError(operation)
        if named:
            changes[operation] += named
        if EVERYBODY in changes["add"] and self.publishing_is_blocked():
            # [H]: the words.
            message = "You can't publicly share this image because block public access for AMIs is enabled."
            raise EC2ClientError("OperationNotPermitted", message)
        self.ec2_backend.modify_image_attribute(image.id, changes["add"], changes["remove"])
        return EmptyResult()

    def reset_image_attribute(self) -> EmptyResult:  # type: ignore[override]  # moto has it raise
        self.error_on_dryrun()
        if self._get_param("Attribute") != "launchPermission":
            raise InvalidParameterValueError(self._get_param("Attribute"))
        self.ec2_backend.get_own_image(self._require("ImageId")).launch_permissions = []
        return EmptyResult()

    def _parse_block_device_mapping(self) -> list[dict[str, Any]]:
        """Read the devices of a launch; what is not said of one that the image has is as the image has it."""
        image = self.ec2_backend.find_image(self.ec2_backend.resolve_image_id(self._get_param("ImageId", "")))
        for mapping in self._get_param("BlockDeviceMappings", []):
            if image is not None and "Ebs" in mapping:
                mapping["Ebs"] = image.complete_device(mapping)
        return super()._parse_block_device_mapping()

    def _page(self, name: str, rows: Sequence[Any]) -> ActionResult:
        """Answer all rows, or as many as `MaxResults` says from where `NextToken` goes on.

        [H]: the code and the words about a token that is none, or of another list.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination
        """
        most, token = self._get_param("MaxResults"), self._get_param("NextToken")
        start = int(found[1]) if (found := re.fullmatch(rf"{name}-(\d{{1,9}})", token or f"{name}-0")) else -1
        if start < 0:
            raise EC2ClientError("InvalidNextToken", f"The token '{token}' is invalid.")
        end = start + int(most) if most else len(rows)
        answer: dict[str, Any] = {name: rows[start:end]}
        if end < len(rows):
            answer["NextToken"] = f"{name}-{end}"
        return ActionResult(answer)

    def _require(self, name: str) -> str:
        value = self._get_param(name)
        if not value:
            raise MissingParameterError(name)
        return str(value)

    def _refuse(self, *names: str) -> None:
        for name in names:
            if self._get_param(name):
                raise NotImplementedError(f"the parameter {name}")
