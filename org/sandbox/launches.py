"""RunInstances as EC2 authorises it: one check for each resource that a launch takes or makes.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html (launch instances)
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from org.sandbox.authorization.model import Check
from org.sandbox.ec2_backend import RESOLVE_PARAMETER, SandboxEC2
from org.sandbox.ec2_keys import Facts, Resource, make_check, tags_of_request, tags_of_resource, text
from org.sandbox.ec2_resources import (
    NEW,
    arn_of,
    describe,
    describe_image,
    describe_key_pair,
    describe_volume,
    describe_zone,
    new,
)
from org.sandbox.images import SandboxImage
from org.sandbox.launch_requests import Launch, find_profile, read_launch

_ACTION = "RunInstances"
_NOT_EMULATED = ("CapacityReservationSpecification", "ElasticGpuSpecification", "LicenseSpecifications")
_TAGGED = ("instance", "volume", "network-interface", "spot-instances-request")


def checks_of_launch(backend: SandboxEC2, request: Mapping[str, Any]) -> tuple[Check, ...]:
    for name in _NOT_EMULATED:
        if request.get(name):
            raise NotImplementedError(f"the parameter {name}")
    launch = read_launch(backend, request)
    region = backend.region_name
    checks = [make_check(_ACTION, resource, region) for resource in _resources(launch)]
    for kind in _TAGGED:
        if tags := launch.tags(kind):
            facts = {**tags_of_request(tags), "ec2:createaction": _ACTION}
            checks.append(make_check("CreateTags", new(backend, kind, {**_new_facts(launch, kind), **facts}), region))
    return (*checks, *_checks_elsewhere(launch))


def _resources(launch: Launch) -> Iterator[Resource]:
    backend = launch.backend
    image = backend.find_image(launch.image_id) if launch.image_id else None
    if image is not None:
        facts = {**describe_image(image), **tags_of_resource(image.visible_tags), **launch.origin("ImageId")}
        yield Resource("image", arn_of(backend, "image", image.id), facts)
    yield new(backend, "instance", _new_facts(launch, "instance"))
    for volume in _volumes(launch, image):
        yield new(backend, "volume", volume)
    yield from _network(launch)
    yield from _named(launch)


def _new_facts(launch: Launch, kind: str) -> Facts:
    return {"instance": _instance_facts}.get(kind, lambda _: {})(launch)


def _instance_facts(launch: Launch) -> Facts:
    """Answer what is true of the instances.  [H]: of metadata options that nobody gives, the keys are absent."""
    placement, options = launch.get("Placement") or {}, launch.get("MetadataOptions") or {}
    group = placement.get("GroupName")
    profile = find_profile(launch)
    return {
        **describe_zone(launch.backend, launch.zone),
        **launch.origin("InstanceType"),
        **tags_of_request(launch.tags("instance")),
        "ec2:cpuoptionsamdsevsnp": text((launch.get("CpuOptions") or {}).get("AmdSevSnp")),
        "ec2:ebsoptimized": text(launch.get("EbsOptimized") in (True, "true")),
        "ec2:instanceautorecovery": text((launch.get("MaintenanceOptions") or {}).get("AutoRecovery")),
        "ec2:instancebandwidthweighting": text(
            (launch.get("NetworkPerformanceOptions") or {}).get("BandwidthWeighting")
        ),
        "ec2:instancemarkettype": (launch.get("InstanceMarketOptions") or {}).get("MarketType") or "on-demand",
        "ec2:instancemetadatatags": text(options.get("InstanceMetadataTags")),
        "ec2:instanceprofile": profile.arn if profile else None,
        "ec2:instancetype": launch.get("InstanceType") or "m1.small",
        "ec2:metadatahttpendpoint": text(options.get("HttpEndpoint")),
        "ec2:metadatahttpputresponsehoplimit": text(options.get("HttpPutResponseHopLimit")),
        "ec2:metadatahttptokens": text(options.get("HttpTokens")),
        "ec2:placementgroup": arn_of(launch.backend, "placement-group", group) if group else None,
        "ec2:rootdevicetype": "ebs",
        "ec2:tenancy": placement.get("Tenancy") or "default",
    }


def _volumes(launch: Launch, image: SandboxImage | None) -> Iterator[Facts]:
    """Answer the volumes: those of the image's mapping, changed by the template's and the request's."""
    devices: dict[str, dict[str, Any]] = {}
    inherited = image.block_device_mappings if image else []
    template, request = launch.template.get("BlockDeviceMappings"), launch.request.get("BlockDeviceMappings")
    for mapping in (*inherited, *(template or []), *(request or [])):
        name = mapping.get("DeviceName", "")
        if "NoDevice" in mapping:
            devices.pop(name, None)
        elif "Ebs" in mapping:
            devices[name] = {**devices.get(name, {}), **mapping["Ebs"]}
    for ebs in devices.values():
        yield {
            **describe_volume(launch.backend, ebs, launch.zone),
            **launch.origin("BlockDeviceMappings"),
            **tags_of_request(launch.tags("volume")),
        }


def _network(launch: Launch) -> Iterator[Resource]:
    backend = launch.backend
    seen: dict[str, Resource] = {}
    for interface in launch.interfaces:
        subnet = describe(backend, interface["SubnetId"]) if "SubnetId" in interface else launch.subnet
        named = interface.get("NetworkInterfaceId")
        existing = describe(backend, named) if named else None
        facts: dict[str, Any] = {
            **(existing.facts if existing else {}),
            **tags_of_request(launch.tags("network-interface")),
        }
        if existing is None:
            facts |= {
                **NEW,
                **describe_zone(backend, launch.zone),
                "ec2:associatepublicipaddress": text(interface.get("AssociatePublicIpAddress")),
                "ec2:subnet": subnet.arn if subnet else None,
                "ec2:vpc": subnet.facts.get("ec2:vpc") if subnet else None,
            }
        origin = launch.origin("NetworkInterfaces", "SubnetId")
        arn = existing.arn if existing else arn_of(backend, "network-interface", "*")
        yield Resource("network-interface", arn, {**facts, **origin})
        if subnet:
            seen[subnet.arn] = Resource("subnet", subnet.arn, {**subnet.facts, **origin})
        for group in _groups(launch, interface):
            seen[group.arn] = group
    yield from seen.values()


def _groups(launch: Launch, interface: Mapping[str, Any]) -> Iterator[Resource]:
    backend = launch.backend
    named = interface.get("Groups") or [*(launch.get("SecurityGroupIds") or []), *(launch.get("SecurityGroups") or [])]
    groups = [backend.get_security_group_by_name_or_id(name) for name in named]
    for group in groups or [backend.get_default_security_group()]:
        resource = describe(backend, group.id) if group else None
        if resource is not None:
            origin = launch.origin("NetworkInterfaces", "SecurityGroupIds", "SecurityGroups")
            yield Resource(resource.kind, resource.arn, {**resource.facts, **origin})


def _named(launch: Launch) -> Iterator[Resource]:
    """Answer what a launch only takes if it is named: key pair, launch template, placement group, snapshots."""
    backend = launch.backend
    pair = describe_key_pair(backend, launch.get("KeyName"))
    if pair is not None:
        yield Resource(pair.kind, pair.arn, {**pair.facts, **launch.origin("KeyName")})
    if launch.template_id:
        template = describe(backend, launch.template_id)
        if template is not None:
            yield Resource(template.kind, template.arn, {**template.facts, **launch.origin()})
    group = (launch.get("Placement") or {}).get("GroupName")
    if group:
        raise NotImplementedError("launches into a placement group")
    for mapping in launch.get("BlockDeviceMappings") or []:
        snapshot = describe(backend, (mapping.get("Ebs") or {}).get("SnapshotId") or "")
        if snapshot is not None:
            yield Resource(snapshot.kind, snapshot.arn, {**snapshot.facts, **launch.origin("BlockDeviceMappings")})


def _checks_elsewhere(launch: Launch) -> Iterator[Check]:
    """Answer the checks of other services: the role that is passed, the parameter that is read.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    backend = launch.backend
    profile = find_profile(launch)
    instances = arn_of(backend, "instance", "*")
    for role in profile.roles if profile is not None else ():
        context = {"iam:passedtoservice": "ec2.amazonaws.com", "iam:associatedresourcearn": instances}
        yield Check("iam:PassRole", role.arn, context=context)
    named = launch.get("ImageId") or ""
    if named.startswith(RESOLVE_PARAMETER):
        name = named.removeprefix(RESOLVE_PARAMETER).removeprefix("/")
        owner = f"{backend.region_name}:{backend.account_id}"
        yield Check("ssm:GetParameters", f"arn:{backend.partition}:ssm:{owner}:parameter/{name}")
