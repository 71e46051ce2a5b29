"""What an EC2 declarative policy takes from accounts: the calls that would set what the policy sets.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ec2_syntax.html
The pages say that an account can no longer change the attribute; which calls that means is read from the names of
EC2's calls. [H] An attribute that is not listed here takes nothing, as far as is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from org.errors import OrgctlError
from org.policy.model import Effect, Policy, PolicyKind, Statement

NAME = "declarative policy"
_ASSIGNMENTS = frozenset({"@@assign", "@@append", "@@remove"})
_EXCLUSIONS = "exclusions_allowed"
CALLS: Mapping[str, tuple[str, ...]] = {
    "allowed_images_settings": (
        "ec2:DisableAllowedImagesSettings",
        "ec2:EnableAllowedImagesSettings",
        "ec2:ReplaceImageCriteriaInAllowedImagesSettings",
    ),
    "image_block_public_access": ("ec2:DisableImageBlockPublicAccess", "ec2:EnableImageBlockPublicAccess"),
    "instance_metadata_defaults": ("ec2:ModifyInstanceMetadataDefaults",),
    "serial_console_access": ("ec2:DisableSerialConsoleAccess", "ec2:EnableSerialConsoleAccess"),
    "snapshot_block_public_access": ("ec2:DisableSnapshotBlockPublicAccess", "ec2:EnableSnapshotBlockPublicAccess"),
    "vpc_block_public_access": ("ec2:ModifyVpcBlockPublicAccessOptions",),
}
"""By attribute: what an account calls to set it. With exclusions disallowed, none can be made either."""


def denied_calls(content: str, name: str = NAME) -> Policy | None:
    """Answer the policy as Denies, one for each attribute that it sets; None if it sets none that is known.

    It stands in for a service control policy in what is printed only: neither the management account nor
    service-linked roles are beyond a declarative policy. Raises OrgctlError if the content is not JSON.
    """
    try:
        document = json.loads(content)
    except ValueError as error:
        raise OrgctlError(
            name, f"its content is not JSON ({error})", "what it takes from accounts is not known"
        ) from error
    attributes = document.get("ec2_attributes") if isinstance(document, Mapping) else None
    if not isinstance(attributes, Mapping):
        return None
    statements: list[Statement] = []
    for attribute, calls in CALLS.items():
        value = attributes.get(attribute)
        if not _sets(value):
            continue
        more = ("ec2:CreateVpcBlockPublicAccessExclusion",) if _assigned(value, _EXCLUSIONS) == "disabled" else ()
        index = len(statements)
        statements.append(Statement(Effect.DENY, (*calls, *more), attribute, index, resources=("*",)))
    return Policy(name, PolicyKind.SERVICE_CONTROL, tuple(statements)) if statements else None


def _sets(value: object) -> bool:
    """Say whether anything is assigned within; a value that only limits other policies' operators sets nothing."""
    if not isinstance(value, Mapping):
        return False
    return not _ASSIGNMENTS.isdisjoint(value) or any(_sets(inner) for inner in value.values())


def _assigned(value: object, name: str) -> object:
    """Answer what is assigned to a field of this name, however deep; None for want of it."""
    if not isinstance(value, Mapping):
        return None
    field = value.get(name)
    if isinstance(field, Mapping) and "@@assign" in field:
        return field["@@assign"]
    found = (_assigned(inner, name) for inner in value.values())
    return next((each for each in found if each is not None), None)
