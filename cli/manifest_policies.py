"""The policies of the manifest that are made of statements, each as it will be and with the places of its parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from config.fields import Value
from config.folder import Folder
from config.load import LoadedManifest
from config.manifest import PolicySpec, Steps, walk_units
from config.policy_file import PolicyFile
from config.variables import Fillings, known_references
from org.model import DesiredOrganization
from org.policy.grammar import STATEMENT_KINDS
from org.policy.model import PolicyKind
from org.policy.parse_places import node_of
from org.references import with_sample_ids
from org.source.findings import Finding, Place
from org.source.nodes import Node, Positions
from stacksets.guardrails.surroundings import SPARING
from stacksets.policy_content import render_guardrail

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

    Empty for any other policy. Of the parameters that do it, it is the one that spares in the fewest statements.
    """
    spec = loaded.manifest.policies[index]
    if spec.guardrail is None:
        return ""
    ways = [(name, *_render_sparing(loaded, index, name, arn)) for name in SPARING]
    ways = [way for way in ways if statement in way[2]]
    if not ways:
        return (
            f"guardrail {spec.guardrail} has no parameter for it; protected_principals would spare it, "
            "in every guardrail"
        )
    name, statements, found = min(ways, key=lambda way: len(way[2]))
    reach = f", which spares it in {len(found)} of {statements} statements" if statements > 1 else ""
    return f"add to parameters of guardrail {spec.guardrail}: {name}: {json.dumps(_with(spec, name, arn))}{reach}"


def _render_sparing(loaded: LoadedManifest, index: int, parameter: str, arn: str) -> tuple[int, list[int]]:
    """Render the guardrail with the principal added to a parameter: how many statements, and which of them spare it."""
    spec = loaded.manifest.policies[index]
    changed = spec.model_copy(update={"parameters": {**spec.parameters, parameter: _with(spec, parameter, arn)}})
    policies = (*loaded.manifest.policies[:index], changed, *loaded.manifest.policies[index + 1 :])
    findings: list[Finding] = []
    manifest = loaded.manifest.model_copy(update={"policies": policies})
    content = render_guardrail(replace(loaded, manifest=manifest), index, findings)
    if findings:  # among them that the guardrail has no such parameter
        return 0, []
    statements = json.loads(content)["Statement"]
    spared = [n for n, each in enumerate(statements) if json.dumps(arn) in json.dumps(each.get("Condition"))]
    return len(statements), spared


def _with(spec: PolicySpec, parameter: str, arn: str) -> tuple[Value, ...]:
    before = spec.parameters.get(parameter)
    return (*before, arn) if isinstance(before, tuple) else (arn,)


def _text(loaded: LoadedManifest, file: str) -> str:
    return Folder(loaded.folder / "manifest").read(file)


def _fillings(loaded: LoadedManifest, index: int) -> Fillings:
    manifest = loaded.manifest
    units = [path for path, _, _ in walk_units(manifest)]
    references = known_references((account.name for account in manifest.accounts), units)
    return Fillings(manifest.variables, references).with_more(manifest.policies[index].variables)
