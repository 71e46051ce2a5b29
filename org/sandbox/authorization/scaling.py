"""The launches that Auto Scaling groups stand for, which are asked of whoever gives the group a launch template.

The launches themselves are the service's own, under a service-linked role, and so are those of launch configurations.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from org.sandbox.authorization.model import ApiCall, Check
from org.sandbox.ec2_backend import find_backend
from org.sandbox.launches import checks_of_launch

OPERATIONS = frozenset({"CreateAutoScalingGroup", "UpdateAutoScalingGroup"})

_TEMPLATE = "LaunchTemplate"
_OF_LAUNCH = ("ImageId", "InstanceType")


def checks_of_launches(call: ApiCall) -> Iterator[Check]:
    """Answer the checks of each launch that the group may make.  [H]: that the group's subnets take no part."""
    backend = find_backend(call.account, call.region)
    for launch in _launches(call.parameters):
        yield from checks_of_launch(backend, launch)


def refusal(call: ApiCall) -> str:
    """Answer what Auto Scaling says in the place of EC2's own words; [H]: of several templates, the first."""
    named: Mapping[str, Any] = next((each[_TEMPLATE] for each in _launches(call.parameters)), {})
    name = named.get("LaunchTemplateId") or named.get("LaunchTemplateName")
    return f"You are not authorized to use launch template: {name}"


def _launches(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if parameters.get(_TEMPLATE):
        yield {_TEMPLATE: parameters[_TEMPLATE]}
    mixed = (parameters.get("MixedInstancesPolicy") or {}).get(_TEMPLATE) or {}
    template = mixed.get("LaunchTemplateSpecification")
    for override in mixed.get("Overrides") or [{}]:
        given = {name: override[name] for name in _OF_LAUNCH if override.get(name)}
        named = override.get("LaunchTemplateSpecification") or template
        if named:
            yield {_TEMPLATE: named, **given}
