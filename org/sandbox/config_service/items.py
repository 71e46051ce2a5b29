"""Configuration items: resources as AWS Config records them, here instances and launch templates.

https://docs.aws.amazon.com/config/latest/developerguide/config-item-table.html,
https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html. [H]: which
members of an instance are there beyond those of AWS's example.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends
from moto.utilities.utils import get_partition

from org.sandbox.ec2_backend import SandboxEC2

INSTANCE = "AWS::EC2::Instance"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
TYPES = (INSTANCE, LAUNCH_TEMPLATE)
"""Of which the sandbox makes items; a rule about others is not set off by a change."""

OK, DISCOVERED, DELETED = "OK", "ResourceDiscovered", "ResourceDeleted"
_VERSION = "1.3"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """What an item is made of."""

    type: str
    id: str
    name: str | None
    arn: str
    zone: str
    created: str
    tags: Mapping[str, str]
    configuration: Mapping[str, Any]
    relationships: tuple[Mapping[str, Any], ...] = ()

    @property
    def digest(self) -> str:
        """Tells whether it has changed."""
        said = [self.tags, self.configuration, self.relationships]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def resources_in(account: str, region: str) -> Iterator[Resource]:
    """Answer all that is there; a terminated instance is there no longer."""
    regions: Any = dict.get(ec2_backends, account) or {}
    backend = dict.get(regions, region)
    if not isinstance(backend, SandboxEC2):
        return
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            if instance.state != "terminated":
                yield _instance(backend, instance)
    for template in backend.launch_templates.values():
        yield _launch_template(backend, template)


def make_item(resource: Resource, status: str, account: str, region: str, captured: str, state: int) -> Item:
    """Answer the item that AWS Config makes of a resource; of a deleted one it tells no configuration."""
    deleted = status == DELETED
    return {
        "relatedEvents": [],
        "relationships": [] if deleted else list(resource.relationships),
        "configuration": None if deleted else dict(resource.configuration),
        "supplementaryConfiguration": {},
        "tags": {} if deleted else dict(resource.tags),
        "configurationItemVersion": _VERSION,
        "configurationItemCaptureTime": captured,
        "configurationStateId": state,
        "awsAccountId": account,
        "configurationItemStatus": status,
        "resourceType": resource.type,
        "resourceId": resource.id,
        "resourceName": resource.name,
        "ARN": resource.arn,
        "awsRegion": region,
        "availabilityZone": resource.zone,
        "configurationStateMd5Hash": "",
        "resourceCreationTime": resource.created,
    }


def _instance(backend: SandboxEC2, instance: Any) -> Resource:
    tags = {str(each["key"]): str(each["value"]) for each in instance.get_tags()}
    zone = str(instance.placement.zone)
    launched = _written(instance.launch_time)
    devices = [
        {
            "deviceName": name,
            "ebs": {
                "attachTime": launched,
                "deleteOnTermination": bool(device.delete_on_termination),
                "status": "attached",
                "volumeId": device.volume_id,
            },
        }
        for name, device in instance.block_device_mapping.items()
    ]
    related = [_related("AWS::EC2::Volume", each["ebs"]["volumeId"], "Is attached to Volume") for each in devices]
    groups = [each.id for each in instance.security_groups or ()]
    related += [_related("AWS::EC2::SecurityGroup", each, "Is associated with SecurityGroup") for each in groups]
    places = {"Subnet": instance.subnet_id, "VPC": instance.vpc_id}
    related += [_related(f"AWS::EC2::{kind}", id, f"Is contained in {kind}") for kind, id in places.items() if id]
    configuration = {
        "amiLaunchIndex": int(instance.ami_launch_index),
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "keyName": instance.key_name,
        "launchTime": launched,
        "placement": {"availabilityZone": zone, "tenancy": "default"},
        "privateIpAddress": instance.private_ip,
        "state": {"code": instance.state_code, "name": instance.state},
        "subnetId": instance.subnet_id,
        "vpcId": instance.vpc_id,
        "architecture": instance.architecture,
        "blockDeviceMappings": devices,
        "rootDeviceName": instance.root_device_name,
        "rootDeviceType": instance.root_device_type,
        "securityGroups": [{"groupId": each} for each in groups],
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "virtualizationType": instance.virtualization_type,
    }
    arn = _arn(backend, "instance", instance.id)
    return Resource(INSTANCE, instance.id, None, arn, zone, launched, tags, configuration, tuple(related))


def _launch_template(backend: SandboxEC2, template: Any) -> Resource:
    """[H]: the configuration; AWS's type has the properties of CloudFormation's, of the newest version."""
    tags = {str(each["key"]): str(each["value"]) for each in template.get_tags()}
    newest = template.latest_version()
    configuration = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "LaunchTemplateData": dict(newest.data),
        "LatestVersionNumber": str(template.latest_version_number),
        "DefaultVersionNumber": str(template.default_version_number),
        "VersionDescription": newest.description,
    }
    arn, made = _arn(backend, "launch-template", template.id), _written(template.create_time)
    return Resource(LAUNCH_TEMPLATE, template.id, template.name, arn, "Not Applicable", made, tags, configuration)


def _related(type: str, id: str, name: str) -> dict[str, Any]:
    return {"resourceId": id, "resourceName": None, "resourceType": type, "name": f"{name} "}


def _arn(backend: SandboxEC2, kind: str, id: str) -> str:
    partition = get_partition(backend.region_name)
    return f"arn:{partition}:ec2:{backend.region_name}:{backend.account_id}:{kind}/{id}"


def _written(moment: Any) -> str:
    return moment if isinstance(moment, str) else f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.000Z"
