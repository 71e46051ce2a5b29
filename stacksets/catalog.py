"""The templates that a manifest can name, what orgctl fills in itself, and their text as CloudFormation gets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from troposphere import Template

from org.references import ORGANIZATION_ID, account_reference
from stacksets.templates import account_baseline, config_recorder, lineage_bus


@dataclass(frozen=True, slots=True)
class SpecialPlaces:
    """The Region and accounts of the manifest that templates point at."""

    home_region: str
    audit_account: str
    lineage_account: str
    log_archive_account: str


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    name: str
    description: str
    """One sentence: what an account gets."""
    render: Callable[[], Template]
    filled_in: Callable[[SpecialPlaces], Mapping[str, str]]
    """Parameters that orgctl gives; the values may hold references (`org.references`)."""
    capabilities: tuple[str, ...] = ()
    home_region_only: bool = False
    """What the template makes exists once in the organization."""
    left_to_user: Mapping[str, str] = field(default_factory=dict)
    """Parameters without which the template cannot be deployed, and what to write there."""


def templates() -> Mapping[str, TemplateEntry]:
    """Answer all templates of the catalog by name."""
    entries = (
        TemplateEntry(
            name="account-baseline",
            description="Audit role, log group, and forwarding of machine image events to the central bus.",
            render=account_baseline.render,
            filled_in=lambda places: {
                "AuditAccountId": _reference(account_reference(places.audit_account)),
                "HomeRegion": places.home_region,
                "LineageAccountId": _reference(account_reference(places.lineage_account)),
                "OrganizationId": _reference(ORGANIZATION_ID),
            },
            capabilities=("CAPABILITY_NAMED_IAM",),
            left_to_user={
                "ExternalId": "choose a text of 8 characters or more for your auditors to present; it is no secret"
            },
        ),
        TemplateEntry(
            name="lineage-bus",
            description="Central event bus that only the organization may put events on, with its encryption key.",
            render=lineage_bus.render,
            filled_in=lambda _: {"OrganizationId": _reference(ORGANIZATION_ID)},
            home_region_only=True,
        ),
        TemplateEntry(
            name="config-bucket",
            description="Bucket to which the AWS Config recorders of all accounts deliver.",
            render=config_recorder.render_bucket,
            filled_in=lambda _: {"OrganizationId": _reference(ORGANIZATION_ID)},
            home_region_only=True,
        ),
        TemplateEntry(
            name="config-recorder",
            description="Recorder of AWS Config, for accounts that have none.",
            render=config_recorder.render_recorder,
            filled_in=lambda places: {
                "HomeRegion": places.home_region,
                "LogArchiveAccountId": _reference(account_reference(places.log_archive_account)),
            },
            capabilities=("CAPABILITY_NAMED_IAM",),
            home_region_only=True,
        ),
    )
    return {entry.name: entry for entry in entries}


def template_body(template: Template) -> str:
    """Answer compact JSON with sorted keys: the same template always has the same text."""
    return json.dumps(template.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _reference(what: str) -> str:
    return f"${{orgctl:{what}}}"
