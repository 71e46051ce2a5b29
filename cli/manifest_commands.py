"""Commands that only look at the manifest: init, validate, schema, synth."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cli.render.console import results, talk
from cli.settings import Settings, load_desired
from org.errors import OrgctlError

CLEAN, FINDINGS = 0, 3


def write_manifest(settings: Settings, *, force: bool) -> None:
    from config.scaffold import scaffold_manifest

    path = settings.manifest
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(scaffold_manifest())
    except FileExistsError as error:
        if path.exists():
            raise OrgctlError(str(path), "there is a manifest already", "pass --force to write over it") from error
        raise _unwritable(path, error) from error
    except OSError as error:
        if not force:
            with suppress(OSError):
                path.unlink()  # made just now: what a full disk left is no manifest to keep
        raise _unwritable(path, error) from error
    talk().print(f"wrote {path}; next: orgctl validate, then orgctl plan --sandbox")


def _unwritable(path: Path, error: OSError) -> OrgctlError:
    return OrgctlError(str(path), f"cannot be written: {error.strerror}", "choose another --manifest")


def validate_manifest(settings: Settings) -> int:
    """Print the findings, one a line; answer 3 where there are any."""
    from org.source.findings import SourceErrors
    from stacksets.lint import lint_desired

    try:
        _, desired = load_desired(settings)
    except SourceErrors as error:
        findings = [str(finding) for finding in error.findings]
    else:
        findings = _lint(lint_desired(desired))
        if not findings:
            talk().print(
                f"{settings.manifest}: valid: {len(desired.units)} units, {len(desired.accounts)} accounts, "
                f"{len(desired.policies)} policies, {len(desired.stacksets)} StackSets"
            )
    if settings.is_json:
        results().print(json.dumps({"findings": findings}, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            results().print(finding)
    if findings:
        talk().print(f"{len(findings)} findings")
    return FINDINGS if findings else CLEAN


def print_schema(settings: Settings) -> None:
    from config.schema import schema_text
    from stacksets.schema import render_schema

    del settings  # the schema is the same for every manifest
    sys.stdout.write(schema_text(render_schema()))


def synthesize(settings: Settings, out: Path) -> int:
    """Write the files and lint the templates; answer 3 where cfn-lint finds something."""
    from stacksets.lineage_synth import render_lineage_files
    from stacksets.lint import lint_desired
    from stacksets.synth import synth

    loaded, desired = load_desired(settings)
    lineage = render_lineage_files(loaded.manifest, desired)
    written = synth(desired, out, lineage)
    findings = _lint(lint_desired(desired, lineage))
    if settings.is_json:
        said = {"out": str(out), "files": [str(path) for path in written], "findings": findings}
        results().print(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        for path in written:
            results().print(str(path))
    for finding in findings:
        talk().print(finding)
    talk().print(f"wrote {len(written)} files to {out}; cfn-lint: {len(findings)} findings")
    return FINDINGS if findings else CLEAN


def _lint(found: Mapping[str, Iterable[object]]) -> list[str]:
    """Name the file, as synth writes it, with each of cfn-lint's findings."""
    return [f"{file}: {finding}" for file, findings in found.items() for finding in findings]
