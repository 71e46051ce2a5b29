"""Write every template and policy that would be deployed into a folder, for readers, linters and pipelines.

Takes what `render_desired` made; makes no AWS call. The same manifest gives the same files, byte for byte.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from org.errors import OrgctlError
from org.model import DesiredOrganization, DesiredPolicy, DesiredStackSet
from stacksets.policy_template import render_policy_template

INDEX = "index.json"
_MADE_BY = "orgctl synth"
_FORMAT = 1
NO_FILES: Mapping[str, str] = MappingProxyType({})


def synth(desired: DesiredOrganization, out: Path, lineage: Mapping[str, str] = NO_FILES) -> tuple[Path, ...]:
    """Write the files and answer their paths, the index last; files of an earlier synth that are no more are removed.

    `lineage`: the files of the lineage account's stacks, in their order: `stacksets.lineage_synth` renders them.

    References such as `${orgctl:account-id:Audit}` stay as they are: the ids may not exist yet.

    Raises:
        OrgctlError: The folder holds something that orgctl did not write, or cannot be written.

    """
    files = {**render_files(desired), **lineage}
    index = _index(desired, files, lineage)
    try:
        earlier = _earlier_files(out)
        out.mkdir(parents=True, exist_ok=True)
        # Before the files, so that a run that breaks off leaves a folder that the next run knows as its own.
        _write(out, INDEX, _pretty({**index, "files": sorted({*files, *earlier})}))
        for name, text in files.items():
            _write(out, name, text)
        for name in sorted(set(earlier) - set(files)):
            _remove(out, name)
        _write(out, INDEX, _pretty(index))
    except OSError as error:
        where = str(error.filename or out)
        raise OrgctlError(where, f"cannot write: {error.strerror}", "free space or choose another folder") from error
    return tuple(out / name for name in (*files, INDEX))


def render_files(desired: DesiredOrganization) -> Mapping[str, str]:
    """Answer the path, below the folder and with `/`, and the text of every file but the index."""
    files: dict[str, str] = {}
    for stackset in desired.stacksets:
        is_json = stackset.settings.template.lstrip().startswith("{")
        # A file of the user's own stays as it is, letter by letter; the catalog's compact JSON is for machines.
        template = f"stacksets/{stackset.name}/template.{'json' if is_json else 'yaml'}"
        files[template] = _readable(stackset.settings.template) if is_json else stackset.settings.template
        files[f"stacksets/{stackset.name}/parameters.json"] = _pretty(_deployment(stackset))
    for policy, name in _named_files(desired.policies):
        files[f"policies/{policy.type}/{name}.json"] = _pretty(json.loads(policy.content))
        template_json = render_policy_template(policy).to_dict()
        files[f"policies/{policy.type}/{name}.template.json"] = _pretty(template_json)
    return files


def _named_files(policies: tuple[DesiredPolicy, ...]) -> Iterator[tuple[DesiredPolicy, str]]:
    """Yield each policy that has a text with a file name that every file system takes and that no other has."""
    used: set[tuple[str, str]] = set()
    for policy in policies:
        if policy.aws_managed:
            continue
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", policy.name)[:80].strip("-")
        if name != policy.name or (policy.type, name.casefold()) in used:
            name = f"{name}-{hashlib.sha256(policy.name.encode()).hexdigest()[:8]}".lstrip("-")
        used.add((policy.type, name.casefold()))
        yield policy, name


def _deployment(stackset: DesiredStackSet) -> dict[str, object]:
    settings = dataclasses.asdict(stackset.settings)
    del settings["template"]
    return {
        "name": stackset.name,
        **settings,
        "units": stackset.units,
        "regions": stackset.regions,
        "only_accounts": stackset.only_accounts,
        "except_accounts": stackset.except_accounts,
        "overrides": [dataclasses.asdict(override) for override in stackset.overrides],
        "preferences": dataclasses.asdict(stackset.preferences),
        "tags": dict(stackset.tags),
    }


def _index(desired: DesiredOrganization, files: Mapping[str, str], lineage: Mapping[str, str]) -> dict[str, object]:
    return {
        "made_by": _MADE_BY,
        "format": _FORMAT,
        "home_region": desired.home_region,
        "stacksets": [stackset.name for stackset in desired.stacksets],
        "lineage": [name.split("/")[1] for name in lineage if name.endswith("/template.json")],
        "policies": [
            {
                "type": policy.type,
                "name": policy.name,
                "aws_managed": policy.aws_managed,
                "targets": [str(target) for target in policy.targets],
            }
            for policy in desired.policies
        ],
        "files": sorted(files),
    }


def _earlier_files(out: Path) -> tuple[str, ...]:
    """Read which files an earlier synth left; refuse a folder with anything else in it."""
    if not out.exists():
        return ()
    if not out.is_dir():
        raise OrgctlError(str(out), "this is a file, not a folder", "choose another folder")
    if not any(out.iterdir()):
        return ()
    try:
        index = json.loads((out / INDEX).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        index = None
    if not isinstance(index, dict) or index.get("made_by") != _MADE_BY:
        raise OrgctlError(str(out), "the folder holds files that orgctl synth did not write", "choose an empty folder")
    return tuple(name for name in index.get("files", ()) if isinstance(name, str) and _is_below(name))


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and bool(path.parts)


def _write(out: Path, name: str, text: str) -> None:
    path = _inside(out, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _remove(out: Path, name: str) -> None:
    path = _inside(out, name)
    path.unlink(missing_ok=True)
    folder = path.parent
    while folder != out.resolve() and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _inside(out: Path, name: str) -> Path:
    """Answer the file's real path; a symbolic link that leads out of the folder is not followed."""
    path = (out / name).parent.resolve() / PurePosixPath(name).name
    if path.is_symlink() or not path.is_relative_to(out.resolve()):
        raise OrgctlError(
            str(out / name), "a symbolic link leads out of the folder", "remove it or choose another folder"
        )
    return path


def _readable(text: str) -> str:
    """Spread compact JSON over lines; text that already has lines is the user's own and stays."""
    return text if "\n" in text else _pretty(json.loads(text))


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
