"""The manifest from its files to a checked value that knows its places; reads files and makes no AWS call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from config.check import find_faults
from config.folder import Folder, Unreadable
from config.manifest import Manifest, Steps, walk_units
from config.policy_text import render_policy
from config.sources import load_nodes
from config.variables import Fillings, fill, known_references
from config.variables import find_faults as find_filling_faults
from config.wording import find_type_faults
from org.source.findings import Finding, Place, SourceErrors
from org.source.nodes import Positions, plain


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest without faults, and where each of its values was written."""

    manifest: Manifest
    """Parameters of guardrails and StackSets have their variables filled in; references (`org.references`) stay."""
    positions: Positions
    folder: Path
    """All files that the manifest names lie in it."""
    digest: str
    """SHA-256 over all files read: the manifest, its includes, policies and template files."""
    policy_texts: Mapping[int, str]
    """Compact JSON of each policy that comes from a file or inline, by its index; references stay."""
    template_texts: Mapping[int, str]
    """Text of each StackSet's template file, letter by letter, by the StackSet's index."""

    def place(self, *steps: str | int) -> Place:
        """Answer where a value was written, or the nearest thing above it that was."""
        return self.positions.of(steps)

    def shown(self, file: str) -> str:
        """Answer the path of a file that the manifest names as the user can open it from where they are."""
        return str(self.folder / file)


def load_manifest(path: Path) -> LoadedManifest:
    """Read and check a manifest.

    Raises:
        SourceErrors: All that is wrong with it: with its YAML and the kinds of its values first, and, once those
            are right, with its names, policies and files.

    """
    folder = Folder(path)
    findings: list[Finding] = []
    top = load_nodes(folder, findings)
    if top is None:
        raise SourceErrors(str(path), findings)
    positions = Positions(top)
    manifest = _validated(plain(top, findings), positions, findings)
    if manifest is None or findings:
        raise SourceErrors(str(path), findings)
    return _checked(manifest, positions, folder)


def _validated(value: object, positions: Positions, findings: list[Finding]) -> Manifest | None:
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        known: set[Place] = {finding.place for finding in findings}
        findings.extend(find_type_faults(error, positions, known))
        return None


def _checked(manifest: Manifest, positions: Positions, folder: Folder) -> LoadedManifest:
    units = [path for path, _, _ in walk_units(manifest)]
    references = known_references((account.name for account in manifest.accounts), units)
    fillings = Fillings(manifest.variables, references)
    findings = [Finding(positions.of(steps), what, todo) for steps, what, todo in find_faults(manifest, positions.of)]
    policy_texts = _render_policies(manifest, positions, folder, fillings, findings)
    template_texts = _read_templates(manifest, positions, folder, findings)
    for steps, value in _fillable(manifest):
        faults = find_filling_faults(value, fillings)
        findings += [Finding(positions.of((*steps, *more)), what, todo) for more, what, todo in faults]
    if findings:
        raise SourceErrors(folder.shown(folder.manifest), findings)
    filled = _with_parameters_filled(manifest, fillings)
    return LoadedManifest(filled, positions, folder.path, folder.digest(), policy_texts, template_texts)


def _render_policies(
    manifest: Manifest, positions: Positions, folder: Folder, fillings: Fillings, findings: list[Finding]
) -> dict[int, str]:
    contents = {}
    for index, policy in enumerate(manifest.policies):

        def place_of(steps: Steps, at: Steps = ("policies", index)) -> Place:
            return positions.of((*at, *steps))

        file = None
        if policy.file is not None:
            text = _read(folder, policy.file, place_of(("file",)), findings)
            if text is None:
                continue
            file = (folder.shown(policy.file), text)
        elif policy.inline is None:
            continue
        contents[index] = render_policy(policy, file, fillings, place_of, findings)
    return contents


def _read_templates(
    manifest: Manifest, positions: Positions, folder: Folder, findings: list[Finding]
) -> dict[int, str]:
    """Answer the text of each template file; read here, so that the digest holds it and what is missing is told."""
    texts = {}
    for index, stackset in enumerate(manifest.stacksets):
        if stackset.file is not None:
            text = _read(folder, stackset.file, positions.of(("stacksets", index, "file")), findings)
            if text is not None:
                texts[index] = text
    return texts


def _read(folder: Folder, name: str, place: Place, findings: list[Finding]) -> str | None:
    try:
        return folder.read(name)
    except Unreadable as error:
        findings.append(Finding(place, f"the file {name!r} {error.what}", error.todo))
        return None


def _fillable(manifest: Manifest) -> Iterable[tuple[Steps, object]]:
    """Yield each value that may hold variables or references, but for policies."""
    for index, policy in enumerate(manifest.policies):
        yield ("policies", index, "parameters"), policy.parameters
    for index, stackset in enumerate(manifest.stacksets):
        yield ("stacksets", index, "parameters"), stackset.parameters
        for number, override in enumerate(stackset.overrides):
            yield ("stacksets", index, "overrides", number, "parameters"), override.parameters
    for index, principal in enumerate(manifest.protected_principals):
        yield ("protected_principals", index, "arn"), principal.arn


def _with_parameters_filled(manifest: Manifest, fillings: Fillings) -> Manifest:
    policies = tuple(
        policy.model_copy(update={"parameters": fill(policy.parameters, fillings)}) if policy.parameters else policy
        for policy in manifest.policies
    )
    stacksets = tuple(
        stackset.model_copy(
            update={
                "parameters": fill(stackset.parameters, fillings),
                "overrides": tuple(
                    override.model_copy(update={"parameters": fill(override.parameters, fillings)})
                    for override in stackset.overrides
                ),
            }
        )
        for stackset in manifest.stacksets
    )
    return manifest.model_copy(update={"policies": policies, "stacksets": stacksets})
