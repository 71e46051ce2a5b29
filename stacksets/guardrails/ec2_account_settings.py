"""Settings of EC2 in every account and Region: IMDSv2 by default, no public sharing of machine images and snapshots."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stacksets.guardrails.surroundings import GuardrailParameters, Surroundings


class Parameters(GuardrailParameters):
    http_tokens: Literal["required", "optional", "no_preference"] = "required"
    """Whether new instances speak IMDSv2 only."""
    http_put_response_hop_limit: Annotated[int, Field(ge=-1, le=64)] = 2
    """How many network hops a metadata token may travel; 2 lets containers reach it; -1 is no preference."""
    image_block_public_access: Literal["block_new_sharing", "unblocked"] = "block_new_sharing"
    """Whether machine images can be newly shared with everybody."""
    snapshot_block_public_access: Literal["block_all_sharing", "block_new_sharing", "unblocked"] = "block_all_sharing"
    """Whether snapshots can be shared with everybody."""
    exception_message: Annotated[str, Field(min_length=1, max_length=512)] = (
        "This setting is kept by your organization's policies (orgctl guardrail ec2-account-settings)."
    )
    """What AWS tells people whose call the policy refuses."""


def render(parameters: Parameters, _surroundings: Surroundings) -> dict[str, object]:
    """Render the `ec2_attributes` of a declarative policy; the hop limit is text, as in the page's own example.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
    """
    metadata = {
        "http_tokens": _assign(parameters.http_tokens),
        "http_put_response_hop_limit": _assign(str(parameters.http_put_response_hop_limit)),
    }
    return {
        "ec2_attributes": {
            "exception_message": _assign(parameters.exception_message),
            "image_block_public_access": {"state": _assign(parameters.image_block_public_access)},
            "instance_metadata_defaults": metadata,
            "snapshot_block_public_access": {"state": _assign(parameters.snapshot_block_public_access)},
        }
    }


def _assign(value: str) -> dict[str, str]:
    return {"@@assign": value}
