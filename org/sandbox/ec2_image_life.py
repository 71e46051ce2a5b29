"""EC2's calls about what becomes of an image, and of the root of what was launched from it; moto lacks them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidParameterValueError
from moto.ec2.models.elastic_block_store import Volume
from moto.moto_api._internal import mock_random

from org.sandbox.ec2_images import ImageResponses
from org.sandbox.images import UNPROTECTED, SandboxImage

_COOLDOWN = {False: "enabled-without-cooldown", True: "enabled-with-cooldown"}


class ImageLifeResponses(ImageResponses):
    """Deprecation, deregistration protection, and replacing a root volume."""

    def enable_image_deprecation(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html."""
        image = self._own_image()
        given = self._get_param("DeprecateAt")
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(self._require("DeprecateAt"))
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        if moment < utcnow().replace(tzinfo=UTC):
            raise InvalidParameterValueError(str(given))
        image.deprecation_time = moment.strftime("%Y-%m-%dT%H:%M:00.000Z")
        return ActionResult({"Return": True})

    def disable_image_deprecation(self) -> ActionResult:
        self._own_image().deprecation_time = None
        return ActionResult({"Return": True})

    def enable_image_deregistration_protection(self) -> ActionResult:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeregistrationProtection.html."""
        image = self._own_image()
        image.deregistration_protection = _COOLDOWN[bool(self._get_param("WithCooldown", False))]
        return ActionResult({"Return": "true"})

    def disable_image_deregistration_protection(self) -> ActionResult:
        """End it at once: the 24 hours of a cooldown are not emulated."""
        image = self._own_image()
        if image.deregistration_protection == _COOLDOWN[True]:
            raise NotImplementedError("the cooldown of deregistration protection")
        image.deregistration_protection = UNPROTECTED
        return ActionResult({"Return": "true"})

    def create_replace_root_volume_task(self) -> ActionResult:
        """Give a running instance another root; what DescribeInstances says is its image stays, except by an image.

        With neither image nor snapshot the root goes back to the state of the launch. Of the image that is given the
        documentation says that DescribeInstances shows it afterwards; for snapshots it does not [H].
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html
        """
        self._refuse("VolumeId", "VolumeInitializationRate")
        self.error_on_dryrun()
        backend = self.ec2_backend
        instance = backend.get_instance(self._require("InstanceId"))
        if instance.state != "running":
            raise EC2ClientError(
                "IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'running' state."
            )
        old = backend.root_volume_of(instance)
        if old is None:
            raise EC2ClientError("InvalidRequest", f"The instance '{instance.id}' has no root volume.")
        image_id, snapshot_id = self._get_param("ImageId"), self._get_param("SnapshotId")
        if image_id:
            image = backend.get_launchable_image(image_id)
            snapshot_id, instance.image_id = image.ebs_snapshot.id, image_id
        elif snapshot_id:
            backend.get_snapshot(snapshot_id)
        new = self._replace(instance, old, snapshot_id or old.snapshot_id)
        if self._get_param("DeleteReplacedRootVolume", False):
            backend.delete_volume(old.id)
        task = {
            "ReplaceRootVolumeTaskId": f"replacevol-{mock_random.get_random_hex(17)}",
            "InstanceId": instance.id,
            "TaskState": "pending",
            "StartTime": utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ImageId": image_id,
            "SnapshotId": new.snapshot_id,
        }
        return ActionResult({"ReplaceRootVolumeTask": {key: value for key, value in task.items() if value}})

    def _replace(self, instance: Any, old: Volume, snapshot_id: str | None) -> Volume:
        backend = self.ec2_backend
        backend.detach_volume(old.id, instance.id, instance.root_device_name)
        new = backend.create_volume(size=old.size, zone_name=old.zone.name, volume_type=old.volume_type)
        new.snapshot_id, new.encrypted = snapshot_id, old.encrypted
        backend.attach_volume(new.id, instance.id, instance.root_device_name, True)
        return new

    def _own_image(self) -> SandboxImage:
        self.error_on_dryrun()
        return self.ec2_backend.get_own_image(self._require("ImageId"))
