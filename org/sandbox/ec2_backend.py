"""EC2 of one account and Region with images that other accounts share; moto knows only one's own."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import (
    EC2ClientError,
    MissingParameterError,
)
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ssm.models import ssm_backends

from org.sandbox.ec2_visible_images import VisibleImages, recall_image
from org.sandbox.images import AVAILABLE, DISABLED, SHARED_TAG, UNPROTECTED, SandboxImage, check_permissions

RESOLVE_PARAMETER = "resolve:ssm:"
DESCRIPTION = "Description"
"""Where a rule of a security group keeps its description."""


class SandboxEC2(VisibleImages):
    """EC2 of one account and Region."""

    @property
    def _url_module(self) -> ModuleType:
        # moto derives the name of this module from ours, and would not find it.
        return importlib.import_module("moto.ec2.urls")

    # --- making them

    def create_image(
        self, instance_id: str, name: str, description: str, tag_specifications: Sequence[Mapping[str, Any]]
    ) -> Ami:
        instance: Instance = self.get_instance(instance_id)
        snapshot = f"Created by CreateImage({instance_id}) for {name}"
        image = SandboxImage(
            self,
            name,
            instance=instance,
            description=description,
            snapshot_description=snapshot,
            root_device_name=instance.root_device_name,
        )
        image.source_image_id, image.source_image_region = instance.image_id, self.region_name
        image.ebs_snapshot.volume = self.root_volume_of(instance) or image.ebs_snapshot.volume
        source = recall_image(instance.image_id, self.region_name)
        image.image_watermarks = source.image_watermarks if source else None
        return self._add_image(image, tag_specifications)

    def register_image(
        self,
        name: str | None = None,
        description: str | None = None,
        tag_specifications: Sequence[Mapping[str, Any]] = (),
        *,
        snapshot_id: str = "",
        **more: Any,
    ) -> Ami:
        snapshot = self.get_snapshot(snapshot_id) if snapshot_id else None
        image = SandboxImage(self, name or "", description=description, **more)
        if snapshot is not None:
            del self.snapshots[image.ebs_snapshot.id]
            image.ebs_snapshot = snapshot
        return self._add_image(image, tag_specifications)

    def copy_image(
        self,
        source_image_id: str,
        source_region: str,
        name: str | None = None,
        description: str | None = None,
        tag_specifications: Sequence[Mapping[str, Any]] = (),
        *,
        with_tags: bool = False,
    ) -> Ami:
        """Copy one's own image or somebody else's, whose snapshot must be shared as well.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ami-copy-works.html
        """
        there = find_backend(self.account_id, source_region)
        source = there.get_launchable_image(source_image_id)
        if source.owner is not there and not self._may_read_storage(source):
            raise EC2ClientError("InvalidRequest", "You do not have permission to access the storage of this ami")
        root = source.root_device_name
        image = SandboxImage(
            self, name or source.name or "", source_ami=source, description=description, root_device_name=root
        )
        image.source_image_id, image.source_image_region = source_image_id, source_region
        image.image_watermarks = source.image_watermarks
        if with_tags:
            image.add_tags({key: value for key, value in source.visible_tags.items() if not key.startswith("aws:")})
        return self._add_image(image, tag_specifications)

    def _may_read_storage(self, source: SandboxImage) -> bool:
        snapshot = source.ebs_snapshot
        return (
            self.account_id in snapshot.create_volume_permission_userids
            or "all" in snapshot.create_volume_permission_groups
        )

    def _add_image(self, image: SandboxImage, tag_specifications: Sequence[Mapping[str, Any]]) -> SandboxImage:
        for specification in tag_specifications:
            tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}
            if specification["ResourceType"] == "image":
                image.add_tags(tags)
            elif specification["ResourceType"] == "snapshot":
                image.ebs_snapshot.add_tags(tags)
            else:
                kind = specification["ResourceType"]
                message = f"'{kind}' is not a valid taggable resource type for this operation."
                raise EC2ClientError("InvalidParameterValue", message)
        image.creation_date = utcnow()
        self.amis[image.id] = image
        return image

    # --- changing them

    def modify_image_attribute(
        self,
        ami_id: str,
        launch_permissions_to_add: list[dict[str, str]],
        launch_permissions_to_remove: list[dict[str, str]],
    ) -> None:
        image = self.get_own_image(ami_id)
        check_permissions([*launch_permissions_to_add, *launch_permissions_to_remove])
        kept = [each for each in image.launch_permissions if each not in launch_permissions_to_remove]
        image.launch_permissions = kept + [each for each in launch_permissions_to_add if each not in kept]

    def deregister_image(self, ami_id: str) -> None:
        """Refuse it while the image is protected.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html; [H]: code and words.
        """
        image = self.get_own_image(ami_id)
        if image.deregistration_protection != UNPROTECTED:
            message = f"The image {ami_id} can't be deregistered because it has deregistration protection enabled."
            raise EC2ClientError("OperationNotPermitted", message)
        super().deregister_image(ami_id)
        self.past_images[ami_id] = image

    def disable_image(self, ami_id: str) -> None:
        """Keep the image from launches, and take it from all with whom it is shared.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html
        """
        image = self.get_own_image(ami_id)
        image.state, image.launch_permissions = DISABLED, []

    def enable_image(self, ami_id: str) -> None:
        self.get_own_image(ami_id).state = AVAILABLE

    # --- launching them

    def run_instances(self, image_id: str, *args: Any, **kwargs: Any) -> Any:
        named = kwargs.get("launch_template")
        template = self._get_template_from_args(named).data if named else {}
        image_id = self.resolve_image_id(image_id or template.get("ImageId", ""))
        if not image_id:
            raise MissingParameterError("ImageId")
        image = self.get_launchable_image(image_id)
        devices = [each for each in template.get("BlockDeviceMappings") or [] if "Ebs" in each]
        if devices and "block_device_mappings" not in kwargs:
            completed = [{**each, "Ebs": image.complete_device(each)} for each in devices]
            kwargs["block_device_mappings"] = completed
        root = {"DeviceName": image.root_device_name}
        if not devices and "block_device_mappings" not in kwargs:
            kwargs["block_device_mappings"] = [{**root, "Ebs": image.complete_device({**root, "Ebs": {}})}]
        reservation = super().run_instances(image_id, *args, **kwargs)
        launched = recall_image(image_id, self.region_name)
        if launched is not None:
            # AWS tells of it a day later.
            launched.last_launched_time = utcnow().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for instance in reservation.instances:
            volume = self.root_volume_of(instance)
            if volume is not None:
                volume.snapshot_id = volume.snapshot_id or image.ebs_snapshot.id
        return reservation

    def root_volume_of(self, instance: Instance) -> Volume | None:
        attached = instance.block_device_mapping.get(instance.root_device_name)
        return self.get_volume(attached.volume_id) if attached is not None else None

    def resolve_image_id(self, image_id: str) -> str:
        """Answer the id behind `resolve:ssm:NAME`; empty where there is no such parameter in the account.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-systems-manager-parameter-to-find-AMI.html
        """
        if not image_id or not image_id.startswith(RESOLVE_PARAMETER):
            return image_id or ""
        name = image_id.removeprefix(RESOLVE_PARAMETER)
        parameter = ssm_backends[self.account_id][self.region_name].get_parameter(name)
        return str(parameter.value) if parameter else ""

    # --- their tags

    def create_tags(self, resource_ids: list[str], tags: dict[str, str]) -> bool:
        self._check_shared_tags(resource_ids, tags)
        return super().create_tags(resource_ids, tags)

    def delete_tags(self, resource_ids: list[str], tags: dict[str, str]) -> bool:
        self._check_shared_tags(resource_ids, tags)
        return super().delete_tags(resource_ids, tags)

    def _check_shared_tags(self, resource_ids: Iterable[str], tags: Iterable[str]) -> None:
        """Refuse shared tags of somebody else's image.  [H]: the code and the words."""
        if not any(key.startswith(SHARED_TAG) for key in tags):
            return
        for id in resource_ids:
            image = self.find_image(id) if id.startswith("ami-") else None
            if image is not None and image.owner is not self:
                message = f"Only the owner of {id} can write its shared tags."
                raise EC2ClientError("OperationNotPermitted", message)


def _description_of(rule: SecurityGroupRule) -> str | None:
    """Answer the description of a security group's rule; moto has it of addresses alone."""
    text = rule.source_group.get(DESCRIPTION) or rule.ip_range.get(DESCRIPTION) or vars(rule).get(DESCRIPTION)
    return text or None


def find_backend(account_id: str, region: str) -> SandboxEC2:
    backend = ec2_backends[account_id][region]
    assert isinstance(backend, SandboxEC2), "install() has not run"
    return backend


def install() -> None:
    ec2_backends.backend = SandboxEC2
    SecurityGroupRule.description = property(_description_of)  # type: ignore[assignment,method-assign]
    ec2_backends.clear()
