"""A CloudFormation template of the user's own: read from the manifest's folder and checked as far as text can be.

Reads files; makes no AWS call. The text goes to CloudFormation letter by letter as it stands in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from org.errors import OrgctlError
from org.quotas import load_quotas


@dataclass(frozen=True, slots=True)
class TemplateText:
    body: str
    parameters: Mapping[str, bool]
    """Each declared parameter, and whether it has a default."""


def load_template_file(name: str, folder: Path, named_at: str) -> TemplateText:
    """Read a template that the manifest names at `named_at`, relative to the manifest's folder.

    Raises:
        OrgctlError: The file is missing, outside the folder, too long, not UTF-8, or no template that a
            service-managed StackSet can deploy.

    """
    body = _read(name, folder, named_at)
    name = str(folder / name)
    top = _JsonTop(body, name) if body.lstrip().startswith("{") else _YamlTop(body, name)
    if "Resources" not in top.keys:
        raise OrgctlError(name, "the template has no Resources", "describe at least one resource")
    if "Transform" in top.keys:
        raise OrgctlError(
            top.keys["Transform"],
            "the template has a Transform, which service-managed StackSets refuse",
            "write the resources out, or process the template first",
        )
    return TemplateText(body, top.parameters)


def _read(name: str, folder: Path, named_at: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise OrgctlError(named_at, f"{name!r} leaves the manifest's folder", "keep template files below it")
    if path.exists() and not path.is_file():
        raise OrgctlError(named_at, f"{name!r} is not a file", "name a template file")
    longest = load_quotas().stacksets.template_bytes
    try:
        with path.open("rb") as file:
            data = file.read(longest + 1)
    except FileNotFoundError:
        raise OrgctlError(named_at, f"there is no file {name!r} in {folder}", "check its path") from None
    except OSError as error:
        raise OrgctlError(named_at, f"cannot read {name!r}: {error.strerror}", "check the file") from error
    if len(data) > longest:
        what = f"the template is longer than the {longest:,} bytes that CloudFormation takes in a call"
        raise OrgctlError(str(folder / name), what, "split it into several StackSets")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 (byte {error.start})"
        raise OrgctlError(str(folder / name), what, "save the file as UTF-8") from error


class _JsonTop:
    """The keys and parameters of a JSON template."""

    def __init__(self, body: str, name: str) -> None:
        try:
            document = json.loads(body, object_pairs_hook=lambda pairs: _without_duplicates(pairs, name))
        except json.JSONDecodeError as error:
            place = f"{name}:{error.lineno}:{error.colno}"
            raise OrgctlError(place, f"not valid JSON: {error.msg.lower()}", "correct the template") from error
        except RecursionError:
            raise OrgctlError(name, "the template is nested too deeply", "correct the template") from None
        self.keys = dict.fromkeys(document, name)
        parameters = document.get("Parameters")
        self.parameters = {
            key: isinstance(value, dict) and "Default" in value
            for key, value in (parameters if isinstance(parameters, dict) else {}).items()
        }


def _without_duplicates(pairs: list[tuple[str, object]], name: str) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise OrgctlError(name, f"the key {key!r} is written twice", "keep one of them")
        seen[key] = value
    return seen


class _YamlTop:
    """The keys and parameters of a YAML template.

    Only the nodes are looked at, so that !Ref and its kin need no meaning here and aliases cannot grow.
    """

    def __init__(self, body: str, name: str) -> None:
        try:
            top = yaml.compose(body, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            raise OrgctlError(
                place, f"not valid YAML: {error.problem or error.context}", "correct the template"
            ) from error
        except yaml.YAMLError as error:
            raise OrgctlError(name, f"not valid YAML: {error}", "correct the template") from error
        except RecursionError:
            raise OrgctlError(name, "the template is nested too deeply", "correct the template") from None
        if not isinstance(top, yaml.MappingNode):
            raise OrgctlError(name, "not a CloudFormation template", "begin with Resources:, one key a line")
        entries = _entries(top, name)
        self.keys = {key: _place(name, node) for key, (node, _) in entries.items()}
        declared = entries["Parameters"][1] if "Parameters" in entries else None
        self.parameters = {
            key: isinstance(value, yaml.MappingNode) and "Default" in _entries(value, name)
            for key, (_, value) in (_entries(declared, name) if isinstance(declared, yaml.MappingNode) else {}).items()
        }


def _entries(mapping: yaml.MappingNode, name: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    entries: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            raise OrgctlError(_place(name, key), "a key must be text", "correct the template")
        if key.value in entries:
            raise OrgctlError(_place(name, key), f"the key {key.value!r} is written twice", "keep one of them")
        entries[key.value] = (key, value)
    return entries


def _place(name: str, node: yaml.Node) -> str:
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
