"""The shape of what `to_plain` makes of an answer, as pydantic models: made from the data classes, by the same rules.

So an answer cannot grow a field that its document does not have, and the document is never written twice.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from handlers.lineage.model import Fact, Time
from handlers.lineage.queries.json_form import COMPUTED
from handlers.lineage.queries.things import Thing

WINDOWS = dict[str, list[list[str | None]]]
"""By key: intervals, each end of which is a time or open."""


class Answer(BaseModel):
    """An answer says exactly what its document says."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


@cache
def model_of(answer: type) -> type[BaseModel]:
    """Answer the model of a data class or named tuple of the queries; TypeError if a field has no form in JSON."""
    hints = get_type_hints(answer)
    shown: dict[str, Any] = {}
    if is_dataclass(answer):
        shown = {name: bool for name in COMPUTED if hasattr(answer, name)}
        if answer is Fact:
            shown["id"] = str
        hidden = "state_of" if answer is Thing else None
        names = [each.name for each in fields(answer) if each.name != hidden]
    else:
        names = list(answer._fields)  # type: ignore[attr-defined]  # a named tuple
    for name in names:
        if name == "windows":
            shown[name] = WINDOWS
        elif answer is Fact and name == "attributes":
            shown[name] = dict[str, str | None]
        else:
            shown[name] = form_of(hints[name])
    parts: dict[str, Any] = {name: (form, ...) for name, form in shown.items()}
    made: type[BaseModel] = create_model(answer.__name__, __base__=Answer, __doc__=answer.__doc__, **parts)
    return made


def form_of(said: Any) -> Any:  # noqa: ANN401 - types are values here
    """Answer the type, in JSON, of a field's type."""
    if said is Time:
        return str | None
    if isinstance(said, NewType):
        return form_of(said.__supertype__)
    origin, inner = get_origin(said), get_args(said)
    if origin in (Union, UnionType):
        forms = [form_of(each) for each in inner if each is not NoneType]
        return forms[0] | None if len(forms) < len(inner) else Union[tuple(forms)]  # noqa: UP007
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, form_of(inner[1])]  # type: ignore[misc]
    if origin in (tuple, frozenset, set, list):
        return list[form_of(inner[0])]  # type: ignore[misc]
    if isinstance(said, type):
        if issubclass(said, enum.Enum):
            return Literal[tuple(each.value for each in said)]
        if is_dataclass(said) or hasattr(said, "_fields"):
            return model_of(said)  # type: ignore[arg-type]  # a class can be hashed
        if said in (str, int, bool):
            return said
    raise TypeError(f"no form in JSON for {said!r}")
