"""CloudFormation's functions and conditions, evaluated for one stack. Pure, but for what the scope looks up.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudformation.exceptions import ExportNotFound, ValidationError

from org.sandbox.template import SUBSTITUTION, Template, get_att_parts


class _NoValue:
    """What `AWS::NoValue` is: the property that holds it is left out."""


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a stack's functions may refer to."""

    template: Template
    names: Mapping[str, Any]
    """Values of parameters and pseudo parameters."""
    reference: Callable[[str], str]
    """Answers the physical id of a resource that exists."""
    attribute: Callable[[str, str], Any]
    exports: Mapping[str, str] = field(default_factory=dict)


def parameter_values(template: Template, given: Mapping[str, str], read_ssm: Callable[[str], str]) -> dict[str, Any]:
    """Answer each parameter's value as functions see it: lists for list types, SSM parameters looked up."""
    values: dict[str, Any] = {}
    for name, declaration in (template.get("Parameters") or {}).items():
        kind = declaration.get("Type", "String")
        value = as_text(given.get(name, declaration.get("Default")))
        if kind.startswith("AWS::SSM::Parameter::Value"):
            value = read_ssm(value)
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<") or "<List<" in kind
        values[name] = [item.strip() for item in value.split(",")] if is_list else value
    return values


def as_text(value: Any) -> str:
    """Write a scalar the way CloudFormation puts it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def holds(scope: Scope, name: str) -> bool:
    """Say whether the named condition is true for this stack."""
    conditions = scope.template.get("Conditions") or {}
    if name not in conditions:
        raise ValidationError(message=f"Template error: unresolved condition dependency {name}")
    return _is_true(conditions[name], scope)


def _is_true(condition: Any, scope: Scope) -> bool:
    if isinstance(condition, bool):
        return condition
    (function, operands), *_ = condition.items()
    match function:
        case "Condition":
            return holds(scope, operands)
        case "Fn::Equals":
            left, right = (resolve(operand, scope) for operand in operands)
            return as_text(left) == as_text(right)
        case "Fn::And":
            return all(_is_true(operand, scope) for operand in operands)
        case "Fn::Or":
            return any(_is_true(operand, scope) for operand in operands)
        case "Fn::Not":
            return not _is_true(operands[0], scope)
    raise ValidationError(message=f"Template error: the orgctl sandbox does not emulate {function} in a condition")


def resolve(value: Any, scope: Scope) -> Any:
    """Answer the value with all functions in it evaluated."""
    if isinstance(value, list):
        resolved = (resolve(item, scope) for item in value)
        return [item for item in resolved if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, argument), *_ = value.items()
        if key == "Ref":
            return _look_up(argument, scope)
        if key.startswith("Fn::"):
            return _call(key, argument, scope)
    inner = {key: resolve(item, scope) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item is not NO_VALUE}


def _look_up(name: str, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.names:
        return scope.names[name]
    if name in scope.template["Resources"]:
        return scope.reference(name)
    raise ValidationError(
        message=f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the "
        "template"
    )


def _call(function: str, argument: Any, scope: Scope) -> Any:
    match function:
        case "Fn::GetAtt":
            return _get_attribute(*get_att_parts(argument), scope)
        case "Fn::Sub":
            return _substitute(argument, scope)
        case "Fn::Join":
            separator, items = argument
            return separator.join(as_text(item) for item in resolve(items, scope))
        case "Fn::Split":
            separator, text = argument
            return as_text(resolve(text, scope)).split(separator)
        case "Fn::Select":
            return _select(argument, scope)
        case "Fn::If":
            name, when_true, when_false = argument
            return resolve(when_true if holds(scope, name) else when_false, scope)
        case "Fn::FindInMap":
            return _find_in_map(argument, scope)
        case "Fn::Base64":
            return base64.b64encode(as_text(resolve(argument, scope)).encode()).decode()
        case "Fn::GetAZs":
            region = resolve(argument, scope) or scope.names["AWS::Region"]
            return [f"{region}{zone}" for zone in "abc"]
        case "Fn::ImportValue":
            name = resolve(argument, scope)
            if name not in scope.exports:
                raise ExportNotFound(name)
            return scope.exports[name]
    raise ValidationError(message=f"Template error: the orgctl sandbox does not emulate {function}")


def _get_attribute(name: str, attribute: str, scope: Scope) -> Any:
    if name not in scope.template["Resources"]:
        raise ValidationError(message=f"Template error: instance of Fn::GetAtt references undefined resource {name}")
    return scope.attribute(name, attribute)


def _substitute(argument: Any, scope: Scope) -> str:
    text, given = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})
    local = {name: resolve(value, scope) for name, value in given.items()}

    def replacement(name: str) -> str:
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in local:
            return as_text(local[name])
        head, _, attribute = name.partition(".")
        return as_text(_get_attribute(head, attribute, scope) if attribute else _look_up(head, scope))

    return SUBSTITUTION.sub(lambda match: replacement(match.group(1)), text)


def _select(argument: Any, scope: Scope) -> Any:
    index, items = int(resolve(argument[0], scope)), resolve(argument[1], scope)
    if not 0 <= index < len(items):
        raise ValidationError(message=f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[index]


def _find_in_map(argument: Any, scope: Scope) -> Any:
    if len(argument) != 3:
        raise ValidationError(message="Template error: the orgctl sandbox supports Fn::FindInMap with three operands")
    name, first, second = (as_text(resolve(part, scope)) for part in argument)
    try:
        return scope.template["Mappings"][name][first][second]
    except KeyError as error:
        raise ValidationError(message=f"Template error: Unable to get mapping for {name}::{first}::{second}") from error
