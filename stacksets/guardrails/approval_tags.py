"""Nobody but the approver writes or removes the tags that say whether a machine image is approved."""

from __future__ import annotations

from config.fields import PrincipalArn
from config.tags import TagKey
from stacksets.guardrails.statement import Deny, render_document
from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings

TAGGING = (
    "ec2:CopyImage",
    "ec2:CreateImage",
    "ec2:CreateRestoreImageTask",
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:ImportImage",
    "ec2:RegisterImage",
)
"""Tags given to a call that makes an image are in that call's own request, and in one for CreateTags.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
"""


class Parameters(GuardrailParameters):
    tag_keys: tuple[TagKey, ...] = ()
    """Further tags to guard, by their full keys, beside those that approved-images looks for; whatever their case."""
    writers: tuple[PrincipalArn, ...] = ()
    """ARN patterns of the principals that may write them, such as the approver's role."""


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Deny the keys whatever their case: `aws:ResourceTag/…` finds a tag whose key differs in case alone.

    A DeleteTags that names no tag removes them all and carries no `aws:TagKeys` [H], and so is denied by its absence.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
    """
    exempt = (*surroundings.exempt, *parameters.writers)
    keys = tuple(dict.fromkeys((*surroundings.approval_tags, *parameters.tag_keys)))
    images = (f"arn:{surroundings.partition}:ec2:*::image/*",)
    return render_document(
        [
            Deny(
                sid="DenyWritingApprovalTags",
                actions=TAGGING,
                resources=images,
                conditions={"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": keys}},
                exempt=exempt,
            ),
            Deny(
                sid="DenyRemovingAllTagsOfImages",
                actions=("ec2:DeleteTags",),
                resources=images,
                conditions={"Null": {"aws:TagKeys": "true"}},
                exempt=exempt,
            ),
        ]
    )
