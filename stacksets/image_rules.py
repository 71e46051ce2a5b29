"""By which rules the functions judge images: the manifest's, with the approval that launches are held against; pure."""

from __future__ import annotations

from collections.abc import Iterator

from config.compliance import ComplianceSettings
from config.manifest import Manifest, PolicySpec
from org.errors import OrgctlError
from stacksets.guardrails.approved_images import Parameters

GUARDRAIL = "approved-images"


def image_rules(manifest: Manifest) -> ComplianceSettings:
    """Answer the rules with the tag and the value of an approval filled in: those of the guardrail, if there is one.

    OrgctlError where several policies, or policy and rule, name different ones: an image would be launched and not be
    compliant, or the other way round.
    """
    rules = manifest.lineage.compliance
    asked, (tag, value) = rules.approval, _default()
    named = {_approval(policy): policy.name for policy in _policies(manifest)}
    if len(named) > 1:
        names = " and ".join(sorted(named.values()))
        raise OrgctlError(f"policies {names}", "they name different approvals", "give all one tag and one value")
    for tag, value in named:
        if (asked.tag or tag, asked.value or value) != (tag, value):
            raise OrgctlError(
                "lineage.compliance.approval",
                f"it asks for another tag or value than {GUARDRAIL}, which lets {tag}={value} launch",
                "leave tag and value out, or make both the same",
            )
    filled = {"tag": asked.tag or tag, "value": asked.value or value}
    return rules.model_copy(update={"approval": asked.model_copy(update=filled)})


def _policies(manifest: Manifest) -> Iterator[PolicySpec]:
    return (policy for policy in manifest.policies if policy.guardrail == GUARDRAIL)


def _approval(policy: PolicySpec) -> tuple[str, str]:
    tag, value = _default()
    return str(policy.parameters.get("approval_tag", tag)), str(policy.parameters.get("approval_value", value))


def _default() -> tuple[str, str]:
    tag, value = (Parameters.model_fields[name].default for name in ("approval_tag", "approval_value"))
    return str(tag), str(value)
