"""The policies of the manifest that are made of statements, each as it will be and with the places of its parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from config.folder import Folder
from config.load import LoadedManifest
from config.manifest import Steps, walk_units
from config.policy_file import PolicyFile
from config.variables import Fillings, known_references, with_sample_ids
from org.model import DesiredOrganization
from org.policy.model import PolicyKind
from org.policy.parse_places import node_of
from org.policy_types import RESOURCE_CONTROL_POLICY, SERVICE_CONTROL_POLICY
from org.source.findings import Place
from org.source.nodes import Node, Positions

KINDS = {
    SERVICE_CONTROL_POLICY: PolicyKind.SERVICE_CONTROL,
    RESOURCE_CONTROL_POLICY: PolicyKind.RESOURCE_CONTROL,
}
PlaceOf = Callable[[Steps], Place]


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    name: str
    kind: PolicyKind
    node: Node
    """Its content with sample ids where the organization's are to stand; each part knows where it was written."""


def written_policies(loaded: LoadedManifest, desired: DesiredOrganization) -> list[WrittenPolicy]:
    """Answer all SCPs and RCPs of the manifest but those of AWS, guardrails as rendered."""
    found = []
    for index, policy in enumerate(desired.policies):
        if policy.type in KINDS and not policy.aws_managed:
            value_at, key_at = places_of(loaded, index)
            content = json.loads(with_sample_ids(policy.content))
            found.append(WrittenPolicy(policy.name, KINDS[policy.type], node_of(content, value_at, key_at)))
    return found


def places_of(loaded: LoadedManifest, index: int) -> tuple[PlaceOf, PlaceOf]:
    """Answer where the values and keys of policy number `index` stand: in its file, or in the manifest.

    What a guardrail renders stands nowhere, so the guardrail's name does instead.
    """
    spec = loaded.manifest.policies[index]
    if spec.file is not None:
        source = PolicyFile(_text(loaded, spec.file), loaded.shown(spec.file), _fillings(loaded, index))
        node = source.read()
        if node is not None:
            return Positions(node).of, lambda steps: Positions(node).of(steps, key=True)
    at: Steps = ("policies", index, "guardrail")
    if spec.inline is None:
        return lambda _steps: loaded.place(*at), lambda _steps: loaded.place(*at)
    at = ("policies", index, "inline")
    return lambda steps: loaded.place(*at, *steps), lambda steps: loaded.positions.of((*at, *steps), key=True)


def _text(loaded: LoadedManifest, file: str) -> str:
    return Folder(loaded.folder / "manifest").read(file)


def _fillings(loaded: LoadedManifest, index: int) -> Fillings:
    manifest = loaded.manifest
    units = [path for path, _, _ in walk_units(manifest)]
    references = known_references((account.name for account in manifest.accounts), units)
    return Fillings(manifest.variables, references).with_more(manifest.policies[index].variables)
