"""CloudFormation templates: reads a body, and answers what is asked of it before anything is created. Pure.

Functions are evaluated in `org.sandbox.template_functions`. What CloudFormation knows and the sandbox does not is
refused with a ValidationError that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml
from moto.cloudformation.exceptions import CloudFormationError, ValidationError

Template = Mapping[str, Any]

MAX_BODY_BYTES = 51_200
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""

IAM_NAMES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""Types that need a capability, and the property that makes it CAPABILITY_NAMED_IAM."""

SUBSTITUTION = re.compile(r"\$\{([^}]+)\}")


class InsufficientCapabilities(CloudFormationError):
    code = "InsufficientCapabilitiesException"


class _TemplateLoader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: short forms of functions, and dates that stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own class attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _construct_function(loader: _TemplateLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if key == "Fn::GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {key: value}


_TemplateLoader.add_multi_constructor("!", _construct_function)


@lru_cache(maxsize=256)
def parse_template(body: str) -> Template:
    """Read a JSON or YAML body; the result is shared between stacks and must not be changed."""
    try:
        template = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, Loader=_TemplateLoader)  # noqa: S506  # derived from SafeLoader
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        raise ValidationError(message=f"Template format error: {error}") from error
    if not isinstance(template, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    resources = template.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise ValidationError(
            message="Template format error: At least one Resources member must be defined.",
        )
    for logical_id, definition in resources.items():
        if not isinstance(definition, dict) or not isinstance(definition.get("Type"), str):
            raise ValidationError(
                message=f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type "
                "member."
            )
    return template


def check_body_size(body: str) -> None:
    size = len(body.encode())
    if size > MAX_BODY_BYTES:
        raise ValidationError(
            message=f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must "
            f"have length less than or equal to {MAX_BODY_BYTES} (it has {size})"
        )


def check_capabilities(template: Template, granted: Iterable[str]) -> None:
    """Refuse a template with IAM resources that nobody acknowledged.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html (Capabilities)
    """
    resources = [definition for definition in template["Resources"].values() if definition["Type"] in IAM_NAMES]
    if not resources:
        return
    named = any(IAM_NAMES[definition["Type"]] in definition.get("Properties", {}) for definition in resources)
    enough = {"CAPABILITY_NAMED_IAM"} if named else {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}
    if not enough & set(granted):
        missing = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
        raise InsufficientCapabilities(f"Requires capabilities : [{missing}]")


def find_references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (logical id, attribute) of every Ref, Fn::GetAtt and Fn::Sub; the attribute of a Ref is empty."""
    if isinstance(value, list):
        for item in value:
            yield from find_references(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "Ref" and isinstance(inner, str):
            yield inner, ""
        elif key == "Fn::GetAtt":
            name, attribute = get_att_parts(inner)
            yield name, attribute
        elif key == "Fn::Sub":
            yield from _find_substitutions(inner)
        else:
            yield from find_references(inner)


def get_att_parts(value: Any) -> tuple[str, str]:
    """Take apart `Role.Arn` or `["Role", "Arn"]`."""
    parts = value.split(".", 1) if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise ValidationError(
            message="Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and "
            "the resource attribute"
        )
    return parts[0], parts[1]


def _find_substitutions(value: Any) -> Iterator[tuple[str, str]]:
    text, local = (value[0], value[1]) if isinstance(value, list) else (value, {})
    yield from find_references(local)
    for name in SUBSTITUTION.findall(text):
        if name.startswith("!") or name in local:
            continue
        head, _, attribute = name.partition(".")
        yield head, attribute


def order_resources(template: Template) -> tuple[str, ...]:
    """Order logical ids so that each comes after what it depends on; equal ones stay in the template's order."""
    resources: Mapping[str, Any] = template["Resources"]
    ordered: dict[str, None] = {}
    path: list[str] = []

    def visit(logical_id: str) -> None:
        if logical_id in ordered:
            return
        if logical_id in path:
            cycle = ", ".join(path[path.index(logical_id) :])
            raise ValidationError(message=f"Circular dependency between resources: [{cycle}]")
        path.append(logical_id)
        for dependency in _dependencies(resources, logical_id):
            visit(dependency)
        path.pop()
        ordered[logical_id] = None

    for logical_id in resources:
        visit(logical_id)
    return tuple(ordered)


def _dependencies(resources: Mapping[str, Any], logical_id: str) -> tuple[str, ...]:
    definition = resources[logical_id]
    explicit = definition.get("DependsOn", [])
    names = [explicit] if isinstance(explicit, str) else list(explicit)
    unknown = [name for name in names if name not in resources]
    if unknown:
        raise ValidationError(
            message=f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] in the Resources "
            "block of the template"
        )
    names += [name for name, _ in find_references(definition.get("Properties", {})) if name in resources]
    return tuple(dict.fromkeys(names))


def check_parameters(template: Template, given: Mapping[str, str]) -> None:
    """Refuse values for unknown parameters, missing values, and values that break a constraint."""
    declared: Mapping[str, Any] = template.get("Parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, declaration in declared.items() if name not in given and "Default" not in declaration]
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in given.items():
        _check_value(name, declared[name], value)


def _check_value(name: str, declaration: Mapping[str, Any], value: str) -> None:
    allowed = [str(choice) for choice in declaration.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise ValidationError(message=f"Parameter '{name}' must be one of AllowedValues")
    pattern = declaration.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        reason = declaration.get("ConstraintDescription", f"must match pattern {pattern}")
        raise ValidationError(message=f"Parameter {name} failed to satisfy constraint: {reason}")
    if len(value) < int(declaration.get("MinLength", 0)):
        raise ValidationError(message=f"Parameter '{name}' must contain at least {declaration['MinLength']} characters")
    if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
        raise ValidationError(message=f"Parameter '{name}' must contain at most {declaration['MaxLength']} characters")
    if declaration.get("Type") == "Number":
        _check_number(name, declaration, value)


def _check_number(name: str, declaration: Mapping[str, Any], value: str) -> None:
    try:
        number = float(value)
    except ValueError as error:
        raise ValidationError(message=f"Parameter '{name}' must be a number") from error
    if "MinValue" in declaration and number < float(declaration["MinValue"]):
        raise ValidationError(message=f"Parameter '{name}' must be a number not less than {declaration['MinValue']}")
    if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
        raise ValidationError(message=f"Parameter '{name}' must be a number not greater than {declaration['MaxValue']}")
