"""What the properties of a template's resources are, as far as it is known before anything is deployed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
What only a deployment tells is `*`: alone, or as a part of a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")
_REFERENCE = re.compile(r"\$\{orgctl:[^}]*\}")
_HIDDEN = "****"
_PAIR = 2


class Partly(str):
    """A text of which a part is not known; `*` stands there."""

    __slots__ = ()


UNKNOWN = Partly("*")


class _NoValue:
    """What `AWS::NoValue` is: the property that holds it is left out."""


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Scope:
    template: Mapping[str, object]
    names: Mapping[str, object]
    """Values of parameters and pseudo parameters."""
    attribute: Callable[[str, str], object]
    """Answers what `Ref` (an empty attribute) or `Fn::GetAtt` tells of a resource, `UNKNOWN` for want of it."""
    assumed: Mapping[str, bool]
    """Conditions that cannot be decided, one way or the other."""

    def section(self, name: str) -> Mapping[str, object]:
        found = self.template.get(name)
        return found if isinstance(found, Mapping) else {}


def name_values(
    template: Mapping[str, object], given: Mapping[str, str], *, account: str, region: str, partition: str
) -> dict[str, object]:
    """Answer the values of the parameters, as given or else their defaults, and of the pseudo parameters."""
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    stack = f"arn:{partition}:cloudformation:{region}:{account}:stack/StackSet-*"
    values: dict[str, object] = {
        "AWS::AccountId": known(account),
        "AWS::NoValue": NO_VALUE,
        "AWS::NotificationARNs": [],
        "AWS::Partition": partition,
        "AWS::Region": known(region),
        "AWS::StackId": Partly(stack),
        "AWS::StackName": Partly("StackSet-*"),
        "AWS::URLSuffix": suffix,
    }
    declared = template.get("Parameters")
    for name, declaration in declared.items() if isinstance(declared, Mapping) else ():
        values[name] = _parameter(declaration, given.get(name))
    return values


def _parameter(declaration: object, given: str | None) -> object:
    if not isinstance(declaration, Mapping):
        return UNKNOWN
    kind = str(declaration.get("Type", "String"))
    value = declaration.get("Default") if given is None else given
    if value is None or value == _HIDDEN or kind.startswith("AWS::SSM::Parameter"):
        return UNKNOWN
    text = known(as_text(value))
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [known(item.strip()) for item in text.split(",")]
    return text


def known(text: str) -> str:
    """Take a text from outside, in which an id may be a reference yet (`org.references`) or `*`."""
    open = _REFERENCE.sub("*", text)
    return Partly(open) if open != text or text == "*" else text


def as_text(value: object) -> str:
    """Write a scalar the way CloudFormation puts it into a string; anything else is unknown."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else UNKNOWN


def is_open(value: object) -> bool:
    return isinstance(value, Partly) or not isinstance(value, str | int | float)


def joined(separator: str, values: list[object]) -> str:
    texts = [as_text(value) for value in values]
    text = separator.join(texts)
    return Partly(text) if any(isinstance(each, Partly) for each in texts) else text


def decide(condition: object, scope: Scope) -> bool | None:
    """Say whether a condition holds; None where that hangs on what is not known."""
    if isinstance(condition, bool):
        return condition
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    ((function, operands),) = condition.items()
    if function == "Condition":
        return holds(str(operands), scope)
    if not isinstance(operands, list) or not operands:
        return None
    if function == "Fn::Equals" and len(operands) == _PAIR:
        left, right = (resolve(operand, scope) for operand in operands)
        return None if is_open(left) or is_open(right) else as_text(left) == as_text(right)
    found = [decide(operand, scope) for operand in operands]
    if function == "Fn::Not":
        return None if found[0] is None else not found[0]
    if function == "Fn::And":
        return False if False in found else None if None in found else True
    if function == "Fn::Or":
        return True if True in found else None if None in found else False
    return None


def holds(name: str, scope: Scope) -> bool | None:
    if name in scope.assumed:
        return scope.assumed[name]
    return decide(scope.section("Conditions").get(name), scope)


def find_conditions(value: object) -> Iterator[str]:
    """Yield the names of the conditions on which Fn::If decides within a value."""
    if isinstance(value, list):
        for item in value:
            yield from find_conditions(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Fn::If" and isinstance(item, list) and item:
                yield str(item[0])
            yield from find_conditions(item)


def resolve(value: object, scope: Scope) -> object:
    """Answer the value with its functions evaluated, as far as that goes."""
    if isinstance(value, list):
        return [item for item in (resolve(each, scope) for each in value) if item is not NO_VALUE]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref":
            return _look_up(str(argument), scope)
        if str(key).startswith("Fn::"):
            return _call(str(key), argument, scope)
    inner = {str(key): resolve(item, scope) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item is not NO_VALUE}


def _look_up(name: str, scope: Scope) -> object:
    return scope.names[name] if name in scope.names else scope.attribute(name, "")


def _call(function: str, argument: object, scope: Scope) -> object:
    if function == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) == _PAIR:
            return scope.attribute(str(parts[0]), str(parts[1]))
        return UNKNOWN
    if function == "Fn::Sub":
        return _substitute(argument, scope)
    if not isinstance(argument, list):
        return UNKNOWN
    match function, argument:
        case "Fn::If", [name, when_true, when_false]:
            decided = holds(str(name), scope)
            return UNKNOWN if decided is None else resolve(when_true if decided else when_false, scope)
        case "Fn::Join", [separator, items]:
            found = resolve(items, scope)
            return joined(str(separator), found) if isinstance(found, list) else UNKNOWN
        case "Fn::Split", [separator, text]:
            found = resolve(text, scope)
            return UNKNOWN if is_open(found) else list(as_text(found).split(str(separator)))
        case "Fn::Select", [index, items]:
            return _select(as_text(resolve(index, scope)), resolve(items, scope))
        case "Fn::FindInMap", [*keys] if len(keys) > _PAIR:
            return _find_in_map([as_text(resolve(key, scope)) for key in keys[:3]], scope)
    return UNKNOWN


def _select(index: str, items: object) -> object:
    fits = isinstance(items, list) and index.isdecimal() and int(index) < len(items)
    return items[int(index)] if isinstance(items, list) and fits else UNKNOWN


def _substitute(argument: object, scope: Scope) -> str:
    text, local = argument, {}
    if isinstance(argument, list) and len(argument) == _PAIR:
        text, given = argument
        local = {key: resolve(item, scope) for key, item in given.items()} if isinstance(given, Mapping) else {}
    if not isinstance(text, str):
        return UNKNOWN
    pieces: list[object] = []
    end = 0
    for match in _SUBSTITUTION.finditer(text):
        pieces += [text[end : match.start()], _substituted(match[1].strip(), local, scope)]
        end = match.end()
    return joined("", [*pieces, text[end:]])


def _substituted(name: str, local: Mapping[str, object], scope: Scope) -> object:
    if name.startswith("!"):
        return "${" + name[1:] + "}"
    if name in local:
        return local[name]
    head, _, attribute = name.partition(".")
    return scope.attribute(head, attribute) if attribute else _look_up(name, scope)


def _find_in_map(keys: list[str], scope: Scope) -> object:
    found: object = scope.section("Mappings")
    for key in keys:
        found = found.get(key, UNKNOWN) if isinstance(found, Mapping) else UNKNOWN
    return found
