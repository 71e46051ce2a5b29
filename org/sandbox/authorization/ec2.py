"""What EC2 checks before it serves a call: each of the resources that the call takes, makes or changes.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from org.sandbox.authorization.model import ApiCall, Check
from org.sandbox.ec2_backend import SandboxEC2, find_backend
from org.sandbox.ec2_keys import (
    Facts,
    Resource,
    keys_by_kind,
    make_check,
    make_check_without_resource,
    required_kinds,
    tags_of_request,
)
from org.sandbox.ec2_resources import describe, describe_key_pair, describe_volume, ids_in, new
from org.sandbox.launch_requests import Launch, find_profile, read_launch
from org.sandbox.launches import checks_of_launch

_TAGGING = frozenset({"CreateTags", "DeleteTags"})

_MAKES = ("Allocate", "Copy", "Create", "Import", "Register", "Request", "Run")
_RESOURCE = "resource"
"""In `Check.unknown`: which one it is was not found out."""

_OVERRIDDEN = ("ImageId", "InstanceType", "SubnetId")
"""What a fleet may launch otherwise than its template says."""

_MADE: Mapping[str, tuple[str, ...]] = {
    "CopyImage": ("image", "snapshot"),
    "CopySnapshot": ("snapshot",),
    "CreateFleet": ("fleet", "instance"),
    "CreateImage": ("image", "snapshot"),
    "CreateSnapshot": ("snapshot",),
    "CreateVolume": ("volume",),
    "RegisterImage": ("image",),
    "RequestSpotInstances": ("spot-instances-request",),
}
"""The kinds that a call makes; a call that is not listed, those that it must have and does not name by their ids."""


def checks_of(call: ApiCall) -> tuple[Check, ...] | None:
    """Answer all that must be allowed for the call; None for an operation that the reference does not have."""
    backend = find_backend(call.account, call.region)
    try:
        keys = keys_by_kind(call.operation)
    except KeyError:
        return None
    if call.operation == "RunInstances":
        return checks_of_launch(backend, call.parameters)
    checks = _checks_of_tagging if call.operation in _TAGGING else _checks_of_resources
    found = (
        *(tuple(checks(backend, call)) if keys else ()),
        *_checks_of_profile(backend, call),
        *_checks_of_instant_launches(backend, call),
    )
    if found or not keys:
        return found or (make_check_without_resource(call.operation, call.region),)
    return (_check_of_something(call),)


def _check_of_something(call: ApiCall) -> Check:
    """Answer the check of a call that is about a resource which is not known: nor, then, is what is true of it."""
    tags = tags_of_request(_tags(call)) if call.operation in _TAGGING else {}
    check = make_check_without_resource(call.operation, call.region)
    unknown = frozenset().union(*keys_by_kind(call.operation).values())
    known = {
        key for key in unknown if key in check.context or (tags and key.startswith(("aws:requesttag/", "aws:tagkeys")))
    }
    return replace(check, context={**check.context, **tags}, unknown=unknown - known | {_RESOURCE})


def _tags(call: ApiCall) -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in call.parameters.get("Tags", [])}


def _checks_of_profile(backend: SandboxEC2, call: ApiCall) -> Iterator[Check]:
    """Ask for `iam:PassRole` on the roles of the profile that instances get, now or by a request for spot instances.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html
    """
    profiles = [call.parameters.get("IamInstanceProfile")]
    profiles.append((call.parameters.get("LaunchSpecification") or {}).get("IamInstanceProfile"))
    fleet = call.parameters.get("SpotFleetRequestConfig") or {}
    profiles += [each.get("IamInstanceProfile") for each in fleet.get("LaunchSpecifications") or []]
    for profile in profiles:
        found = find_profile(Launch(backend, {"IamInstanceProfile": profile}, "", {})) if profile else None
        for role in found.roles if found is not None else ():
            unknown = frozenset({"iam:associatedresourcearn"})
            yield Check("iam:PassRole", role.arn, context={"iam:passedtoservice": "ec2.amazonaws.com"}, unknown=unknown)
    if fleet.get("IamFleetRole"):
        yield Check("iam:PassRole", fleet["IamFleetRole"], context={"iam:passedtoservice": "spotfleet.amazonaws.com"})


def _checks_of_instant_launches(backend: SandboxEC2, call: ApiCall) -> Iterator[Check]:
    """Answer the checks of the launches that an instant fleet makes as its caller; others use a service-linked role.

    AWS tells of a launch that is denied in the answer's `Errors`, where here the call is refused.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-prerequisites.html
    https://github.com/aws/karpenter-provider-aws/issues/7370
    """
    if call.operation != "CreateFleet" or call.parameters.get("Type") != "instant":
        return
    tags = call.parameters.get("TagSpecifications")
    for config in call.parameters.get("LaunchTemplateConfigs", []):
        for override in config.get("Overrides") or [{}]:
            given = {name: override[name] for name in _OVERRIDDEN if override.get(name)}
            template = config.get("LaunchTemplateSpecification")
            yield from checks_of_launch(backend, {"LaunchTemplate": template, "TagSpecifications": tags, **given})


def _checks_of_tagging(backend: SandboxEC2, call: ApiCall) -> Iterator[Check]:
    """Answer a check for each resource; what does not exist is left to the call itself to refuse."""
    tags = _tags(call)
    for id in call.parameters.get("Resources", []):
        resource = describe(backend, id)
        if resource is not None:
            yield make_check(call.operation, resource, call.region, tags_of_request(tags))


def _checks_of_resources(backend: SandboxEC2, call: ApiCall) -> Iterator[Check]:
    kinds = keys_by_kind(call.operation)
    existing = {resource.arn: resource for resource in _existing(backend, call) if resource.kind in kinds}
    for resource in existing.values():
        yield make_check(call.operation, resource, call.region)
    found = {resource.kind for resource in existing.values()}
    made = _MADE.get(call.operation) or tuple(kind for kind in required_kinds(call.operation) if kind not in found)
    if not made and not found and len(kinds) == 1:
        made = tuple(kinds)
    unknown = frozenset() if call.operation.startswith(_MAKES) else frozenset({_RESOURCE})
    for kind in made:
        facts = {**_facts_of_new(backend, call, kind), **tags_of_request(_given_tags(call, kind))}
        check = make_check(call.operation, new(backend, kind, facts), call.region)
        yield replace(check, unknown=check.unknown | unknown)
    yield from _checks_of_new_tags(backend, call, made)


def _existing(backend: SandboxEC2, call: ApiCall) -> Iterator[Resource]:
    """Answer what the call names, and what the launch templates name that it uses."""
    there = backend
    if call.operation in {"CopyImage", "CopySnapshot"} and call.parameters.get("SourceRegion"):
        there = find_backend(call.account, call.parameters["SourceRegion"])
    for id in ids_in(call.parameters):
        resource = describe(there, id)
        if resource is not None:
            yield resource
    yield from _named(backend, call.parameters)
    for config in call.parameters.get("LaunchTemplateConfigs", []):
        launch = read_launch(backend, {"LaunchTemplate": config.get("LaunchTemplateSpecification")})
        for id in (launch.template_id, *_unless_overridden(config, launch.template)):
            resource = describe(backend, id)
            if resource is not None:
                yield resource


def _named(backend: SandboxEC2, parameters: Mapping[str, Any]) -> Iterator[Resource]:
    """Answer what is named otherwise than by its id."""
    pair = describe_key_pair(backend, parameters.get("KeyName"))
    if pair is not None:
        yield pair
    if "LaunchTemplateName" in parameters:
        launch = read_launch(backend, {"LaunchTemplate": {"LaunchTemplateName": parameters["LaunchTemplateName"]}})
        template = describe(backend, launch.template_id)
        if template is not None:
            yield template


def _unless_overridden(config: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[str]:
    overrides = config.get("Overrides") or [{}]
    for name, value in template.items():
        if not all(override.get(name) for override in overrides):
            yield from ids_in(value)


def _facts_of_new(backend: SandboxEC2, call: ApiCall, kind: str) -> Facts:
    """Answer what is known of what the call makes.  [H]: that a new image's owner is the caller's account."""
    parameters = call.parameters
    if kind == "volume":
        return describe_volume(backend, parameters, parameters.get("AvailabilityZone"))
    if kind == "image":
        return {"ec2:owner": call.account}
    if kind == "snapshot" and "VolumeId" in parameters:
        volume = describe(backend, parameters["VolumeId"])
        size = volume.facts.get("ec2:volumesize") if volume else None
        return {"ec2:parentvolume": volume.arn if volume else None, "ec2:volumesize": size, "ec2:location": None}
    return {}


def _given_tags(call: ApiCall, kind: str) -> dict[str, str]:
    return {
        tag.get("Key", ""): tag.get("Value", "")
        for specification in call.parameters.get("TagSpecifications", [])
        if specification.get("ResourceType") == kind
        for tag in specification.get("Tags", [])
    }


def _checks_of_new_tags(backend: SandboxEC2, call: ApiCall, made: tuple[str, ...]) -> Iterator[Check]:
    """Answer the checks of CreateTags for what is tagged while it is made.

    [H]: that tags which CopyImage copies are checked like those that it is given.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    for kind in made:
        tags = _given_tags(call, kind)
        if kind == "image" and call.parameters.get("CopyImageTags"):
            there = find_backend(call.account, call.parameters["SourceRegion"])
            source = there.find_image(call.parameters["SourceImageId"])
            tags = {**(source.visible_tags if source else {}), **tags}
        if tags:
            facts = {**_facts_of_new(backend, call, kind), **tags_of_request(tags)}
            yield make_check("CreateTags", new(backend, kind, facts), call.region, {"ec2:createaction": call.operation})
