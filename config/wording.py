"""Says in our words, and at its place, what pydantic found wrong with a manifest; pure."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.manifest import Manifest, Steps
from config.strict import REFUSED
from org.source.findings import Finding, Place, suggest
from org.source.nodes import Positions

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "mapping_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
_KEY = "[key]"


def find_type_faults(error: ValidationError, positions: Positions, known: set[Place]) -> Iterator[Finding]:
    """Yield a finding for each of pydantic's, but for values that are refused already, at the places `known`."""
    errors = error.errors(include_url=False)
    for details in errors:
        steps = details["loc"]
        if details["type"] == "too_short" and any(
            steps == other["loc"][: len(steps)] != other["loc"] for other in errors
        ):
            continue  # pydantic counts only the good items
        on_key = details["type"] == "extra_forbidden" or steps[-1:] == (_KEY,)
        if steps[-1:] == (_KEY,):
            steps = steps[:-1]
        place = positions.of(steps, key=on_key)
        if place not in known:
            what, todo = _say(details, steps, positions)
            yield Finding(place, what, todo)


def _say(details: ErrorDetails, steps: Steps, positions: Positions) -> tuple[str, str]:
    key = next((step for step in reversed(steps) if isinstance(step, str)), "manifest")
    value, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case kind if kind == REFUSED:
            return context["what"], context["todo"]
        case "missing":
            return f"the key {key!r} is missing", f"add it: {_description(steps)}"
        case "extra_forbidden":
            keys = _keys_beside(steps)
            return f"unknown key {key!r}", suggest(key, keys, otherwise="the keys here are " + ", ".join(keys))
        case "enum" | "literal_error":
            if details["loc"][-1:] == (_KEY,):
                return f"unknown key {key!r}", _nearest_choice(key, context["expected"])
            if value is None:
                return f"{key!r} has no value", _nearest_choice("", context["expected"])
            return f"{key!r} cannot be {_shown(value)}", _nearest_choice(value, context["expected"])
        case "too_short":
            return f"{key!r} is empty", "add at least one"
        case "greater_than_equal":
            return f"{key!r} is {_shown(value)}", f"it must be at least {context['ge']}"
        case "less_than_equal":
            return f"{key!r} is {_shown(value)}", f"it must be at most {context['le']}"
        case "multiple_of":
            return f"{key!r} is {_shown(value)}", f"it must be a multiple of {context['multiple_of']}"
        case kind if kind in _WANTED:
            return _say_type(key, kind, value, steps, positions)
    return f"{key!r} cannot be {_shown(value)}", "see docs/manifest.md"


def _nearest_choice(value: object, expected: str) -> str:
    """Answer what to write; `expected` is pydantic's list: `'active', 'quarantined' or 'closed'`."""
    listed = expected.replace("'", "").replace("True", "true")
    return suggest(value if isinstance(value, str) else "", re.findall("'([^']*)'", expected), f"write {listed}")


def _say_type(key: str, kind: str, value: object, steps: Steps, positions: Positions) -> tuple[str, str]:
    wanted = _WANTED[kind]
    if value is None:
        return f"{key!r} has no value", f"write {wanted}, or remove the key"
    if kind == "string_type" and isinstance(value, bool | int | float):
        written = positions.text_at(steps) or _shown(value)
        read_as = "a truth value" if isinstance(value, bool) else "a number"
        return f"{key!r} must be text, but YAML reads {written} as {read_as}", f'put it in quotes: "{written}"'
    todo = f"write {wanted}"
    if kind == "tuple_type" and isinstance(value, str):
        todo = f"write a list: [{value}]"
    elif kind == "model_type" and (model := _model_at(steps)) is not None:
        todo = "write its keys: " + ", ".join(model.model_fields)
    return f"{key!r} must be {wanted}, but is {_shown(value)}", todo


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else repr(value[:60] + "…")
    return json.dumps(value)


def _keys_beside(steps: Steps) -> tuple[str, ...]:
    model = _model_at(steps[:-1])
    return tuple(model.model_fields) if model is not None else ()


def _description(steps: Steps) -> str:
    model = _model_at(steps[:-1])
    text = (model.model_fields[str(steps[-1])].description if model is not None else None) or ""
    text = text.partition("\n")[0].removesuffix(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _model_at(steps: Steps) -> type[BaseModel] | None:
    """Answer the model that stands at these steps of a manifest, if one does."""
    annotation: Any = Manifest
    for step in steps:
        models = [found for found in _alternatives(annotation) if _is_model(found)]
        if models:
            field = models[0].model_fields.get(str(step))
            annotation = field.annotation if field is not None else None
        else:
            annotation = next(
                (arguments for arguments in map(_item_type, _alternatives(annotation)) if arguments), None
            )
    return next((found for found in _alternatives(annotation) if _is_model(found)), None)


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _alternatives(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - annotations have no type of their own
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if origin in (types.UnionType, typing.Union):
        return tuple(found for argument in typing.get_args(annotation) for found in _alternatives(argument))
    return (annotation,)


def _item_type(annotation: Any) -> Any:  # noqa: ANN401 - see above
    arguments = typing.get_args(annotation)
    return arguments[0] if typing.get_origin(annotation) is tuple else (arguments[1:] or (None,))[0]
