"""The stacks of the lineage account in the order in which they are made; pure.

A parameter that is named like an output of an earlier stack gets its value, so that the order is all that ties them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from troposphere import Template

from config.compliance import ComplianceSettings
from config.manifest import Manifest
from org.errors import OrgctlError
from org.references import account_reference, reference_to
from org.source.findings import suggest
from stacksets.notices import mails_of
from stacksets.parameters import DeclaredParameter
from stacksets.templates import (
    lineage_api,
    lineage_compliance,
    lineage_graph,
    lineage_ingest,
    lineage_network,
    lineage_notices,
    lineage_reconciliation,
    lineage_watch,
)

STACK_PREFIX = "orgctl-"
LAYER_KEY = "LayerKey"
"""Which the deployment gives, from what it has built."""
BASELINE = "account-baseline"
"""The template that every account must have: by its roles the lineage account enters."""
_DOCUMENT = Path(__file__).with_name("lineage_api.openapi.json")


@dataclass(frozen=True, slots=True)
class LineageStack:
    name: str
    """Of the template; the stack is called `orgctl-…`."""
    template: Template
    parameters: Mapping[str, str]
    """What the manifest says; the rest are outputs of earlier stacks, and what the deployment itself knows."""

    @property
    def stack_name(self) -> str:
        return STACK_PREFIX + self.name


def api_document() -> Mapping[str, Any]:
    """Read the API's OpenAPI document, which is generated from the function's own models."""
    document: Mapping[str, Any] = json.loads(_DOCUMENT.read_text(encoding="utf-8"))
    return document


def lineage_stacks(manifest: Manifest) -> tuple[LineageStack, ...]:
    """Answer the stacks for a manifest; OrgctlError where it names a parameter that is not to choose."""
    lineage = manifest.lineage
    graph = {
        "MinCapacity": _number(lineage.graph.min_capacity),
        "MaxCapacity": _number(lineage.graph.max_capacity),
        "Standby": "yes" if lineage.graph.standby else "no",
    }
    notices = lineage_notices.render(mails_of(manifest.notifications), chat=lineage.chat_webhook)
    hours = lineage.assessment_hours
    stacks = (
        LineageStack("lineage-network", lineage_network.render(), {"ApiAccess": lineage.api.access}),
        LineageStack("lineage-graph", lineage_graph.render(), graph),
        LineageStack("lineage-notices", notices, {}),
        LineageStack("lineage-ingest", lineage_ingest.render(), {"RetentionDays": str(lineage.archive_retention_days)}),
        _api(manifest),
        LineageStack("lineage-reconciliation", lineage_reconciliation.render(), {}),
        LineageStack(
            "lineage-compliance",
            lineage_compliance.render(_switched_off(lineage.compliance)),
            {
                "AssessmentSchedule": f"rate({hours} hour{'s' if hours > 1 else ''})",
                "ExcludedAccounts": ",".join(
                    reference_to(account_reference(name)) for name in lineage.config.except_accounts
                ),
            },
        ),
        LineageStack("lineage-watch", lineage_watch.render(), {}),
    )
    return _with_chosen(stacks, lineage.parameters)


def _with_chosen(stacks: Sequence[LineageStack], chosen: Mapping[str, str | int]) -> tuple[LineageStack, ...]:
    """Give parameters that have a default, and that neither a manifest's key nor a stack nor the deployment gives."""
    declared = {stack.name: stack.template.to_dict().get("Parameters", {}) for stack in stacks}
    given = {name for stack in stacks for name in (*stack.parameters, *stack.template.outputs)} | {LAYER_KEY}
    free = {name for each in declared.values() for name, said in each.items() if "Default" in said} - given
    for name in sorted(set(chosen) - free):
        what = f"no stack takes a parameter {name} from there"
        raise OrgctlError("lineage.parameters", what, suggest(name, free, otherwise="see docs/templates.md"))
    return tuple(replace(each, parameters={**each.parameters, **_of(declared[each.name], chosen)}) for each in stacks)


def _of(declared: Mapping[str, object], chosen: Mapping[str, str | int]) -> Mapping[str, str]:
    values = {name: str(value) for name, value in chosen.items() if name in declared}
    for name, value in values.items():
        if (fault := DeclaredParameter.of(declared[name]).find_fault(value)) is not None:
            raise OrgctlError(f"lineage.parameters.{name}", *fault)
    return values


def _api(manifest: Manifest) -> LineageStack:
    api = manifest.lineage.api
    template = lineage_api.render(
        api_document(),
        api.access,
        api.cognito_user_pool or "",
        accounts=bool(caller_accounts(manifest)),
        roles=api.caller_roles,
        key_required=api.api_key,
    )
    return LineageStack("lineage-api", template, {"RequestsPerAddress": str(api.requests_per_address)})


def caller_accounts(manifest: Manifest) -> tuple[str, ...]:
    """Answer the names of the accounts whose principals may call the API."""
    settings = manifest.organization
    if manifest.lineage.api.callers is None:
        return settings.audit_account, settings.lineage_account, settings.management_account
    return manifest.lineage.api.caller_accounts


def _switched_off(compliance: ComplianceSettings) -> frozenset[str]:
    """Answer the rules that are off, as functions and AWS Config name them."""
    return frozenset(
        name.replace("_", "-") for name in type(compliance).model_fields if not getattr(compliance, name).enabled
    )


def _number(value: float) -> str:
    return f"{value:g}"
