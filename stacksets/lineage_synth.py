"""The lineage account's stacks as files, for `orgctl synth`; pure.

Ids that are known only once AWS has given them stand as references; what an earlier stack or the deployment itself
tells is named, and by whom it is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from config.manifest import Manifest
from org.model import DesiredOrganization
from org.references import ORGANIZATION_ID, reference_to
from stacksets.catalog import template_body
from stacksets.lineage_settings import render_settings
from stacksets.lineage_stacks import BASELINE, LineageStack, lineage_stacks

FOLDER = "lineage"
_DEPLOYMENT = ("CallerAccountIds", "CodeBucket", "CodeKey", "LayerKey", "S3PrefixList")
"""What only the deployment knows: hashes of what it builds, and an id of the account's Region."""


def render_lineage_files(manifest: Manifest, desired: DesiredOrganization) -> Mapping[str, str]:
    """Answer path and text of each file in the order in which the stacks are made.

    Empty where no StackSet gives every account the baseline, without which `orgctl lineage deploy` refuses.
    """
    external_id = _external_id(manifest, desired)
    if external_id is None:
        return {}
    organization = reference_to(ORGANIZATION_ID)
    known = {"OrganizationId": organization, "Settings": render_settings(manifest, organization, external_id)}
    files: dict[str, str] = {}
    told_by: dict[str, str] = {}
    for stack in lineage_stacks(manifest):
        body = json.loads(template_body(stack.template))
        files[f"{FOLDER}/{stack.name}/template.json"] = _pretty(body)
        said = {
            "name": stack.stack_name,
            "account": manifest.organization.lineage_account,
            "region": desired.home_region,
            **dict(_parameters(stack, body.get("Parameters", {}), known, told_by)),
        }
        files[f"{FOLDER}/{stack.name}/parameters.json"] = _pretty(said)
        told_by |= dict.fromkeys(body.get("Outputs", {}), stack.stack_name)
    return files


def _external_id(manifest: Manifest, desired: DesiredOrganization) -> str | None:
    names = {each.name for each in manifest.stacksets if each.template == BASELINE and each.targets.root}
    return next((each.settings.parameters["ExternalId"] for each in desired.stacksets if each.name in names), None)


def _parameters(
    stack: LineageStack, declared: Mapping[str, object], known: Mapping[str, str], told_by: Mapping[str, str]
) -> Iterator[tuple[str, object]]:
    given = {**{name: known[name] for name in declared if name in known}, **stack.parameters}
    rest = [name for name in declared if name not in given]
    yield "parameters", given
    yield "from_stacks", {name: told_by[name] for name in rest if name in told_by}
    yield "from_deployment", [name for name in rest if name in _DEPLOYMENT]


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
