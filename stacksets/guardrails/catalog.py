"""The guardrails that a manifest can name, and the step from name and parameters to a policy's content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from stacksets.guardrails import (
    approval_tags,
    approved_images,
    deny_leaving_organization,
    ec2_account_settings,
    encrypted_volumes,
    governed_regions,
    protect_governance,
    quarantine,
)
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings

_SCP = "SERVICE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True)
class Guardrail:
    name: str
    description: str
    """One sentence: what no longer happens, or always does."""
    parameters: type[GuardrailParameters]
    render: Callable[[Any, Surroundings], dict[str, object]]
    """Takes an instance of `parameters`; answers the policy's content."""
    type: str = _SCP


def guardrails() -> Mapping[str, Guardrail]:
    """Answer all built-in guardrails by name."""
    entries = (
        _entry(
            "approval-tags",
            approval_tags,
            "Nobody but the approver writes or removes the tags that approve machine images.",
        ),
        _entry(
            "approved-images",
            approved_images,
            "Instances start only from images of trusted owners, and from those of our image accounts once approved.",
        ),
        _entry(
            "deny-leaving-organization",
            deny_leaving_organization,
            "No member account can leave the organization, move to another, or be closed from within.",
        ),
        _entry(
            "ec2-account-settings",
            ec2_account_settings,
            "IMDSv2 is the default, images and snapshots are not made public, and images not allowed are marked.",
            type="DECLARATIVE_POLICY_EC2",
        ),
        _entry(
            "encrypted-volumes",
            encrypted_volumes,
            "No EBS volume is made unencrypted, and encryption by default is not turned off.",
        ),
        _entry(
            "governed-regions",
            governed_regions,
            "Nothing but global services can be used outside the governed Regions.",
        ),
        _entry(
            "protect-governance",
            protect_governance,
            "Nobody in an account changes, stops or imitates what orgctl and StackSets put there to govern it.",
        ),
        _entry(
            "quarantine",
            quarantine,
            "Nothing can be done in the account except by protected principals, orgctl's auditor and StackSets.",
        ),
    )
    return {entry.name: entry for entry in entries}


def _entry(name: str, module: ModuleType, description: str, type: str = _SCP) -> Guardrail:
    return Guardrail(name, description, module.Parameters, module.render, type)
