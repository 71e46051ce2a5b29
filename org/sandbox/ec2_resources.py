"""What is true of EC2's resources, in the words of the condition keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import iso_8601_datetime_without_milliseconds
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from org.policy.request import ContextValue
from org.sandbox.ec2_backend import SandboxEC2
from org.sandbox.ec2_keys import Facts, Resource, has_policies, make_arn, tags_of_resource, text
from org.sandbox.images import SandboxImage
from org.sandbox.organizations import find_organization_of

_ID = re.compile(r"(?P<prefix>[a-z]+(-[a-z]+)*)-[0-9a-f]{8,17}")

_KINDS = {
    **EC2_PREFIX_TO_RESOURCE,
    "amiur": "image-usage-report",
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "h": "dedicated-host",
    "nat": "natgateway",
    "pl": "prefix-list",
    "sir": "spot-instances-request",
}
"""Kinds of resources by the beginning of their ids; moto's names differ in these."""

NEW: Facts = dict.fromkeys(
    ("ec2:imageid", "ec2:instanceid", "ec2:networkinterfaceid", "ec2:snapshotid", "ec2:volumeid"), None
)
"""Of what does not exist yet."""

Values = dict[str, ContextValue]


def describe(backend: SandboxEC2, id: str) -> Resource | None:
    """Answer what is known of a resource by its id; None where it is none that policies know, or does not exist."""
    found = _ID.fullmatch(id)
    kind = _KINDS.get(found["prefix"]) if found else None
    if kind is None or not has_policies(kind):
        return None
    if kind == "key-pair":
        pairs = (pair.key_name for pair in backend.key_pairs.values() if pair.id == id)
        return describe_key_pair(backend, next(pairs, None))
    try:
        facts = _DESCRIBERS.get(kind, _describe_other)(backend, id)
    except ServiceException:
        return None
    return Resource(kind, arn_of(backend, kind, id), {**facts, **tags_of_resource(_tags(backend, kind, id))})


def describe_key_pair(backend: SandboxEC2, name: str | None) -> Resource | None:
    """Answer what is known of a key pair, whose ARN has its name and not its id."""
    pair = backend.key_pairs.get(name or "")
    if pair is None:
        return None
    facts = {"ec2:keypairname": pair.key_name, "ec2:keypairtype": pair.key_type}
    arn = arn_of(backend, "key-pair", pair.key_name)
    return Resource("key-pair", arn, {**facts, **tags_of_resource(backend.tags.get(pair.id, {}))})


def new(backend: SandboxEC2, kind: str, facts: Facts) -> Resource:
    return Resource(kind, arn_of(backend, kind, "*"), {**NEW, **facts})


def arn_of(backend: SandboxEC2, kind: str, id: str) -> str:
    return make_arn(kind, id, partition=backend.partition, region=backend.region_name, account=str(backend.account_id))


def ids_in(value: object) -> Iterator[str]:
    """Answer whatever looks like the id of a resource, in parameters of any shape."""
    if isinstance(value, str):
        if _ID.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from ids_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from ids_in(each)


def describe_zone(backend: SandboxEC2, zone: str | None) -> Values:
    ids = [each.zone_id for each in backend.describe_availability_zones() if each.name == zone]
    return {"ec2:availabilityzone": text(zone), "ec2:availabilityzoneid": ids[0] if ids else None}


def describe_volume(backend: SandboxEC2, ebs: Mapping[str, Any], zone: str | None) -> Values:
    """Answer what is true of a volume to be made, from the parameters that RunInstances and CreateVolume share."""
    snapshot_id = ebs.get("SnapshotId")
    snapshot = backend.snapshots.get(snapshot_id) if snapshot_id else None
    size = ebs.get("VolumeSize") or ebs.get("Size") or (snapshot.volume_size if snapshot else None)
    inherited = backend.get_ebs_encryption_by_default() or bool(snapshot and snapshot.encrypted)
    return {
        **describe_zone(backend, zone),
        "ec2:encrypted": text(inherited or bool(ebs.get("Encrypted", False))),
        "ec2:kmskeyid": text(ebs.get("KmsKeyId")),
        "ec2:parentsnapshot": arn_of(backend, "snapshot", snapshot_id) if snapshot_id else None,
        "ec2:volumeinitializationrate": text(ebs.get("VolumeInitializationRate")),
        "ec2:volumeiops": text(ebs.get("Iops")),
        "ec2:volumesize": text(size),
        "ec2:volumethroughput": text(ebs.get("Throughput")),
        "ec2:volumetype": text(ebs.get("VolumeType") or "gp2"),
    }


def describe_image(image: SandboxImage) -> Values:
    """Answer what is true of an image, whoever owns it."""
    account = str(image.owner.account_id)
    organization = find_organization_of(account, image.owner.partition)
    parent = organization.get_account_by_id(account).parent_id if organization else ""
    return {
        "aws:resourceaccount": account,
        "aws:resourceorgid": organization.organization.id if organization else None,
        "aws:resourceorgpaths": (organization.path_of(*organization.chain_of(parent)),) if organization else None,
        "ec2:imageid": image.id,
        "ec2:imagetype": text(image.image_type),
        "ec2:owner": text(image.owner_alias or image.owner_id),
        "ec2:public": text(image.is_public),
        "ec2:rootdevicetype": text(image.root_device_type),
    }


def _describe_image(backend: SandboxEC2, id: str) -> Values:
    return describe_image(backend.get_image(id))


def _describe_instance(backend: SandboxEC2, id: str) -> Values:
    instance = backend.get_instance(id)
    options = instance.metadata_options
    profiles = [each for each in backend.iam_instance_profile_associations.values() if each.instance.id == id]
    return {
        **describe_zone(backend, instance.placement.zone),
        "ec2:cpuoptionsamdsevsnp": None,
        "ec2:ebsoptimized": text(bool(instance.ebs_optimized)),
        "ec2:instanceautorecovery": "default",
        "ec2:instancebandwidthweighting": "default",
        "ec2:instanceid": id,
        "ec2:instancemarkettype": instance.lifecycle or "on-demand",
        "ec2:instancemetadatatags": text(options.instance_metadata_tags),
        "ec2:instanceprofile": profiles[0].iam_instance_profile.arn if profiles else None,
        "ec2:instancetype": instance.instance_type,
        "ec2:metadatahttpendpoint": text(options.http_endpoint),
        "ec2:metadatahttpputresponsehoplimit": text(options.http_put_response_hop_limit),
        "ec2:metadatahttptokens": text(options.http_tokens),
        "ec2:placementgroup": None,
        "ec2:rootdevicetype": text(instance.root_device_type),
        "ec2:tenancy": text(instance.placement.tenancy),
    }


def _describe_volume(backend: SandboxEC2, id: str) -> Values:
    volume = backend.get_volume(id)
    snapshot = volume.snapshot_id
    return {
        **describe_zone(backend, volume.zone if isinstance(volume.zone, str) else volume.zone.name),
        "ec2:encrypted": text(bool(volume.encrypted)),
        "ec2:kmskeyid": text(volume.kms_key_id),
        "ec2:parentsnapshot": arn_of(backend, "snapshot", snapshot) if snapshot else None,
        # Of a call on the volume itself, as CreateSnapshot is, this is the volume.
        "ec2:parentvolume": arn_of(backend, "volume", id),
        "ec2:volumeid": id,
        "ec2:volumeinitializationrate": None,
        "ec2:volumeiops": text(volume.iops),
        "ec2:volumesize": text(volume.size),
        "ec2:volumethroughput": text(volume.throughput),
        "ec2:volumetype": text(volume.volume_type),
    }


def _describe_snapshot(backend: SandboxEC2, id: str) -> Values:
    snapshot = backend.get_snapshot(id)
    return {
        "ec2:encrypted": text(bool(snapshot.encrypted)),
        "ec2:owner": snapshot.owner_id,
        "ec2:parentvolume": arn_of(backend, "volume", str(snapshot.volume_id)),
        "ec2:snapshotid": id,
        "ec2:snapshottime": iso_8601_datetime_without_milliseconds(snapshot.start_time),
        "ec2:volumesize": text(snapshot.volume_size),
    }


def _describe_subnet(backend: SandboxEC2, id: str) -> Values:
    subnet = backend.get_subnet(id)
    vpc = arn_of(backend, "vpc", subnet.vpc_id)
    return {**describe_zone(backend, subnet.availability_zone), "ec2:subnetid": id, "ec2:vpc": vpc}


def _describe_group(backend: SandboxEC2, id: str) -> Values:
    group = backend.get_security_group_from_id(id)
    return {"ec2:securitygroupid": id, "ec2:vpc": arn_of(backend, "vpc", str(group.vpc_id)) if group else None}


def _describe_vpc(backend: SandboxEC2, id: str) -> Values:
    return {"ec2:vpcid": id, "ec2:tenancy": text(backend.get_vpc(id).instance_tenancy)}


def _describe_interface(backend: SandboxEC2, id: str) -> Values:
    interface = backend.get_network_interface(id)
    return {
        **describe_zone(backend, interface.subnet.availability_zone),
        "ec2:associatepublicipaddress": text(bool(interface.public_ip_auto_assign)),
        "ec2:networkinterfaceid": id,
        "ec2:subnet": arn_of(backend, "subnet", interface.subnet.id),
        "ec2:vpc": arn_of(backend, "vpc", interface.subnet.vpc_id),
    }


def _describe_other(backend: SandboxEC2, id: str) -> Values:  # noqa: ARG001  # nothing is known of it but its tags
    return {}


_DESCRIBERS: Mapping[str, Callable[[SandboxEC2, str], Values]] = {
    "image": _describe_image,
    "instance": _describe_instance,
    "network-interface": _describe_interface,
    "security-group": _describe_group,
    "snapshot": _describe_snapshot,
    "subnet": _describe_subnet,
    "volume": _describe_volume,
    "vpc": _describe_vpc,
}


def _tags(backend: SandboxEC2, kind: str, id: str) -> Mapping[str, str]:
    if kind == "image":
        return backend.get_image(id).visible_tags
    return backend.tags.get(id, {})
