"""Settings of EC2 in every account and Region: IMDSv2 by default, no public sharing, and which images are allowed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.fields import ImageOwner
from config.strict import refuse
from stacksets.guardrails.surroundings import GuardrailParameters, KnownAccount, Surroundings, account_id


def _check_image_name(text: str) -> str:
    """Refuse what Allowed AMIs do: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImageCriterionRequest.html"""
    if not re.fullmatch(r"[A-Za-z0-9()\[\] ./'@_*?-]{1,128}", text):
        refuse(f"{text!r} is not a name of images", "use 1 to 128 letters, digits, spaces and ()[]./-'@_*?")
    if "?" in text and len(text) < 3:
        refuse(f"{text!r} is too short for a name with '?'", "use at least 3 characters")
    return text


def _check_hops(hops: int) -> int:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html"""
    if hops != -1 and not 1 <= hops <= 64:
        refuse(f"{hops} is no number of hops", "write 1 to 64, or -1 for no preference")
    return hops


ImageName = Annotated[str, AfterValidator(_check_image_name)]
Days = Annotated[int, Field(ge=0, le=2_147_483_647)]


class Parameters(GuardrailParameters):
    http_tokens: Literal["required", "optional", "no_preference"] = "required"
    """Whether new instances speak IMDSv2 only, unless their launch says otherwise."""
    http_tokens_enforced: Literal["enabled", "disabled", "no_preference"] | None = None
    """Whether a launch that says otherwise is refused; left to the accounts if not given."""
    http_put_response_hop_limit: Annotated[int, AfterValidator(_check_hops)] = 2
    """How many network hops a metadata token may travel; 2 lets containers reach it; -1 is no preference."""
    image_block_public_access: Literal["block_new_sharing", "unblocked"] = "block_new_sharing"
    """Whether machine images can be newly shared with everybody."""
    snapshot_block_public_access: Literal["block_all_sharing", "block_new_sharing", "unblocked"] = "block_all_sharing"
    """Whether snapshots can be shared with everybody."""
    allowed_images: Literal["audit_mode", "enabled", "disabled"] = "audit_mode"
    """Whether images that match no criterion are only marked (audit_mode), or can be neither found nor launched."""
    trusted_owners: Annotated[tuple[ImageOwner, ...], Field(max_length=200)] | None = None
    """Owners all of whose images are allowed; the manifest's lineage.trusted_image_owners if not given."""
    image_accounts: Annotated[tuple[KnownAccount, ...], Field(max_length=200)] = ()
    """Names of the accounts whose images are allowed if they keep to image_names and the two ages."""
    image_names: Annotated[tuple[ImageName, ...], Field(max_length=50)] = ()
    """Names of those images, * and ? for any text and character; any name if none is given."""
    days_since_created: Days | None = None
    """How many days old those images may be."""
    days_since_deprecated: Days | None = None
    """For how many days those images may have been deprecated; 0 is not at all."""
    exception_message: Annotated[str, Field(min_length=1, max_length=512)] = (
        "This setting is kept by your organization's policies (orgctl guardrail ec2-account-settings)."
    )
    """What AWS tells people whose call the policy refuses."""

    @model_validator(mode="after")
    def _limits_are_of_an_account(self) -> Parameters:
        limits = (self.image_names, self.days_since_created is not None, self.days_since_deprecated is not None)
        if any(limits) and not self.image_accounts:
            refuse("names and ages of images are given, and no account whose images they are", "add image_accounts")
        return self


def render(parameters: Parameters, surroundings: Surroundings) -> dict[str, object]:
    """Render the `ec2_attributes` of a declarative policy; the hop limit is text, as in the page's own example.

    The page's copies do not know `http_tokens_enforced`, which is named after EC2's own setting [H].
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
    """
    metadata = {
        "http_tokens": _assign(parameters.http_tokens),
        "http_put_response_hop_limit": _assign(str(parameters.http_put_response_hop_limit)),
    }
    if parameters.http_tokens_enforced is not None:
        metadata["http_tokens_enforced"] = _assign(parameters.http_tokens_enforced)
    attributes: dict[str, object] = {
        "exception_message": _assign(parameters.exception_message),
        "image_block_public_access": {"state": _assign(parameters.image_block_public_access)},
        "instance_metadata_defaults": metadata,
        "snapshot_block_public_access": {"state": _assign(parameters.snapshot_block_public_access)},
    }
    if criteria := _criteria(parameters, surroundings):
        numbered = {f"criteria_{number}": criterion for number, criterion in enumerate(criteria, 1)}
        attributes["allowed_images_settings"] = {
            "state": _assign(parameters.allowed_images),
            "image_criteria": numbered,
        }
    return {"ec2_attributes": attributes}


def _criteria(parameters: Parameters, surroundings: Surroundings) -> list[dict[str, object]]:
    """Answer what an image must match one of; without any, which images are allowed is left to the accounts.

    `self` is left out, since an account's own images are always allowed.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html
    """
    trusted = parameters.trusted_owners
    trusted = surroundings.trusted_image_owners if trusted is None else trusted
    criteria: list[dict[str, object]] = []
    # The policy's spelling of what the account's API calls aws-marketplace.
    if providers := [owner.replace("-", "_") for owner in trusted if owner != "self"]:
        criteria.append({"allowed_image_providers": _assign(providers)})
    if parameters.image_accounts:
        ours: dict[str, object] = {"allowed_image_providers": _assign([*map(account_id, parameters.image_accounts)])}
        if parameters.image_names:
            ours["image_names"] = _assign(list(parameters.image_names))
        # As text, like the hop limit [H]: the page shows no example of an age.
        if (days := parameters.days_since_created) is not None:
            ours["creation_date_condition"] = {"maximum_days_since_created": _assign(str(days))}
        if (days := parameters.days_since_deprecated) is not None:
            ours["deprecation_time_condition"] = {"maximum_days_since_deprecated": _assign(str(days))}
        criteria.append(ours)
    return criteria


def _assign(value: str | list[str]) -> dict[str, str | list[str]]:
    """Sort lists: the manifest's order means nothing."""
    return {"@@assign": value if isinstance(value, str) else sorted(set(value))}
