"""Instances start from images of trusted owners only, and from our own image accounts' only once they are approved.

Service-linked roles (Auto Scaling, Spot Fleet, Image Builder) are beyond every service control policy: what they launch
is for Allowed AMIs (`ec2-account-settings`) to stop.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from config.fields import ImageOwner, PrincipalArn
from config.tags import TagKey, TagValue
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import (
    GuardrailParameters,
    KnownAccount,
    Surroundings,
    account_id,
    at_least_one,
)
from stacksets.templates.names import APPROVAL_TAG

LAUNCHES = (
    "ec2:CreateFleet",
    "ec2:CreateReplaceRootVolumeTask",
    "ec2:ModifyFleet",
    "ec2:RequestSpotFleet",
    "ec2:RequestSpotInstances",
    "ec2:RunInstances",
)
"""The calls that are authorized on the image.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""
UNGOVERNED_MAKING = ("ec2:CopyImage", "ec2:CreateRestoreImageTask", "ec2:ImportImage", "ec2:RegisterImage")
"""The calls whose image has no native ancestry, or one that the caller chose."""
LOOSENING = (
    "ec2:DisableAllowedImagesSettings",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableAllowedImagesSettings",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:ReplaceImageCriteriaInAllowedImagesSettings",
)
"""The account's own switches; those that are called Enable also choose a weaker state."""
BLIND = ("autoscaling:CreateLaunchConfiguration", "ec2:ImportInstance", "ec2:RunScheduledInstances")
"""Ways to an instance on which no policy can see whose the image is; launch templates do all that they did.

Auto Scaling asks for `ec2:RunInstances` where a group is given a launch template, not a launch configuration [H].
https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-configurations.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
"""


class Parameters(GuardrailParameters):
    image_accounts: Annotated[tuple[KnownAccount, ...], AfterValidator(at_least_one)]
    """Names of the accounts whose images may be launched once they are approved."""
    trusted_owners: tuple[ImageOwner, ...] | None = None
    """Owners whose images may be launched as they are; the manifest's lineage.trusted_image_owners if not given."""
    approval_tag: TagKey = APPROVAL_TAG
    """Key of the tag that says whether an image is approved."""
    approval_value: TagValue = "approved"
    """Value of that tag on an approved image."""
    image_makers: tuple[PrincipalArn, ...] = ()
    """ARN patterns of principals that may register, import, restore and copy images."""
    exempt_principals: tuple[PrincipalArn, ...] = ()
    """ARN patterns of further principals to which the guardrail does not apply."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Deny by negated operators that say what they do without the key: an image without owner or tag is denied.

    The statements name images alone: on the other resources of a launch these keys are never there, and a negated
    operator would deny them all.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    exempt = (*surroundings.exempt, *parameters.exempt_principals)
    images = (f"arn:{surroundings.partition}:ec2:*::image/*",)
    ours = tuple(map(account_id, parameters.image_accounts))
    trusted = parameters.trusted_owners
    trusted = surroundings.trusted_image_owners if trusted is None else trusted
    return render_document(
        [
            Deny(
                sid="DenyLaunchingImagesOfUntrustedOwners",
                actions=LAUNCHES,
                resources=images,
                conditions={"StringNotEqualsIfExists": {"ec2:Owner": (*map(_owner, trusted), *ours)}},
                exempt=exempt,
            ),
            Deny(
                sid="DenyLaunchingUnapprovedImages",
                actions=LAUNCHES,
                resources=images,
                conditions={
                    "StringEquals": {"ec2:Owner": ours},
                    "StringNotEqualsIfExists": {
                        f"aws:ResourceTag/{parameters.approval_tag}": parameters.approval_value
                    },
                },
                exempt=exempt,
            ),
            Deny(
                sid="DenyMakingImagesOfUnknownOrigin",
                actions=UNGOVERNED_MAKING,
                resources=images,
                exempt=(*exempt, *parameters.image_makers),
            ),
            Deny(sid="DenyLaunchesThatHideTheImage", actions=BLIND, exempt=exempt),
            Deny(sid="DenyLooseningImageSettings", actions=LOOSENING, exempt=exempt),
        ]
    )


def _owner(owner: str) -> str:
    """Answer how `ec2:Owner` has it: `self` is whichever account asks."""
    return "${aws:PrincipalAccount}" if owner == "self" else owner
