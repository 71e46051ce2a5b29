"""What RunInstances is asked for, together with what its launch template says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends

from org.sandbox.ec2_backend import SandboxEC2
from org.sandbox.ec2_keys import Facts, Resource, text
from org.sandbox.ec2_resources import arn_of, describe


@dataclass(frozen=True)
class Launch:
    """A launch with its launch template read in; what the request says goes before it."""

    backend: SandboxEC2
    request: Mapping[str, Any]
    template_id: str
    template: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.request[name] if self.request.get(name) else self.template.get(name)

    def origin(self, *names: str) -> Facts:
        """Answer the keys that say whether a resource comes from the launch template.

        [H]: that a launch without one has the first key as false.
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html
        """
        from_template = any(self.template.get(name) and not self.request.get(name) for name in names)
        arn = arn_of(self.backend, "launch-template", self.template_id) if self.template_id else None
        return {"ec2:islaunchtemplateresource": text(from_template), "ec2:launchtemplate": arn}

    def tags(self, kind: str) -> dict[str, str]:
        specifications = [
            *(self.template.get("TagSpecifications") or []),
            *(self.request.get("TagSpecifications") or []),
        ]
        return {
            tag.get("Key", ""): tag.get("Value", "")
            for specification in specifications
            if specification.get("ResourceType") == kind
            for tag in specification.get("Tags", [])
        }

    @property
    def image_id(self) -> str:
        return self.backend.resolve_image_id(self.get("ImageId") or "")

    @cached_property
    def interfaces(self) -> list[Mapping[str, Any]]:
        return self.get("NetworkInterfaces") or [{}]

    @cached_property
    def subnet(self) -> Resource | None:
        """The subnet of the first interface; without one, the default subnet of the zone."""
        named = self.get("SubnetId") or self.interfaces[0].get("SubnetId")
        if not named:
            subnets = self.backend.get_default_subnets()
            zone = (self.get("Placement") or {}).get("AvailabilityZone") or f"{self.backend.region_name}a"
            named = subnets[zone].id if zone in subnets else ""
        return describe(self.backend, named)

    @property
    def zone(self) -> str:
        placed = (self.get("Placement") or {}).get("AvailabilityZone")
        known = self.subnet.facts.get("ec2:availabilityzone") if self.subnet else None
        return str(placed or known or f"{self.backend.region_name}a")


def read_launch(backend: SandboxEC2, request: Mapping[str, Any]) -> Launch:
    """Read the launch template of a request; one that does not exist is left to the call itself to refuse."""
    named = request.get("LaunchTemplate")
    if named:
        try:
            version = backend._get_template_from_args(dict(named))
        except (ServiceException, IndexError):
            return Launch(backend, request, "", {})
        return Launch(backend, request, version.template.id, version.data)
    return Launch(backend, request, "", {})


def find_profile(launch: Launch) -> Any:
    """Answer moto's instance profile of the launch, or None."""
    named = launch.get("IamInstanceProfile") or {}
    profiles = iam_backends[launch.backend.account_id][launch.backend.partition].instance_profiles.values()
    return next((each for each in profiles if each.arn == named.get("Arn") or each.name == named.get("Name")), None)
