"""The policies of the manifest that are made of statements, each as it will be and with the places of its parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from config.folder import Folder
from config.load import LoadedManifest
from config.manifest import Steps, walk_units
from config.policy_file import PolicyFile
from config.variables import Fillings, known_references, with_sample_ids
from org.model import DesiredOrganization
from org.policy.grammar import STATEMENT_KINDS
from org.policy.model import PolicyKind
from org.policy.parse_places import node_of
from org.source.findings import Finding, Place
from org.source.nodes import Node, Positions
from stacksets.policy_content import render_guardrail

_SPARING = "exempt_principals"
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
        if policy.type in STATEMENT_KINDS and not policy.aws_managed:
            value_at, key_at = places_of(loaded, index)
            content = json.loads(with_sample_ids(policy.content))
            found.append(WrittenPolicy(policy.name, STATEMENT_KINDS[policy.type], node_of(content, value_at, key_at)))
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


def how_to_spare(loaded: LoadedManifest, index: int, statement: int, arn: str) -> str:
    """Answer how the manifest spares a principal in a statement that a guardrail renders: no JSON is pasted there.

    Empty for any other policy. It is rendered with the parameter to see whether that does it.
    """
    spec = loaded.manifest.policies[index]
    if spec.guardrail is None:
        return ""
    before = spec.parameters.get(_SPARING)
    spared = (*before, arn) if isinstance(before, tuple) else (arn,)
    changed = spec.model_copy(update={"parameters": {**spec.parameters, _SPARING: spared}})
    policies = (*loaded.manifest.policies[:index], changed, *loaded.manifest.policies[index + 1 :])
    findings: list[Finding] = []
    manifest = loaded.manifest.model_copy(update={"policies": policies})
    content = render_guardrail(replace(loaded, manifest=manifest), index, findings)
    if not findings and json.dumps(arn) in json.dumps(json.loads(content)["Statement"][statement].get("Condition")):
        return f"add to parameters of guardrail {spec.guardrail}: {_SPARING}: {json.dumps(spared)}"
    return (
        f"guardrail {spec.guardrail} has no parameter for it; protected_principals would spare it, in every guardrail"
    )


def _text(loaded: LoadedManifest, file: str) -> str:
    return Folder(loaded.folder / "manifest").read(file)


def _fillings(loaded: LoadedManifest, index: int) -> Fillings:
    manifest = loaded.manifest
    units = [path for path, _, _ in walk_units(manifest)]
    references = known_references((account.name for account in manifest.accounts), units)
    return Fillings(manifest.variables, references).with_more(manifest.policies[index].variables)
