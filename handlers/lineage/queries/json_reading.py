"""The inverse of `json_form.to_plain`: an answer made again of its JSON, which may come from anybody.

Strict, by the types of the data classes: no field more and none less, nothing converted; and what an answer says twice
(`complete` and its reasons, the id of a fact and all that it says) must agree.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from handlers.lineage.fold import State
from handlers.lineage.model import Fact, Key, Kind, Time, attributes_of, parts_of
from handlers.lineage.queries.descent import Descent
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.json_form import COMPUTED
from handlers.lineage.queries.show import Shown
from handlers.lineage.queries.things import Thing
from handlers.lineage.queries.windows import BEGINNING, END, Windows

A = TypeVar("A")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


class Misfit(ValueError):
    """JSON that is no such answer; the message begins with where in it."""


def from_plain(form: type[A], said: object) -> A:
    """Answer the data class or named tuple that `to_plain` had made JSON of. Misfit for anything else.

    What JSON does not have is not made up: the attributes behind a thing (`Thing.state_of`), which count for no
    comparison; and a window of the one instant of asking, which JSON writes like one without ends.
    """
    made: A = _read(form, said, form.__name__)
    return made


def _read(form: Any, said: object, where: str) -> Any:  # noqa: ANN401 - types are values here
    if form is Time:
        return _time(said, where)
    if form is Key:
        return _key(said, where)
    if isinstance(form, NewType):
        return _read(form.__supertype__, said, where)
    origin, inner = get_origin(form), get_args(form)
    if origin in (Union, UnionType):
        (other,) = (each for each in inner if each is not NoneType)
        return None if said is None else _read(other, said, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        given = _dict(said, where)
        return {_read(inner[0], key, where): _read(inner[1], each, f"{where}.{key}") for key, each in given.items()}
    if origin in (tuple, frozenset):
        return origin(_read(inner[0], each, f"{where}[{number}]") for number, each in enumerate(_list(said, where)))
    if issubclass(form, enum.Enum):
        if said not in [each.value for each in form]:
            raise Misfit(f"{where}: no {form.__name__} that is known")
        return form(said)
    if form in (str, int, bool):
        if type(said) is not form:
            raise Misfit(f"{where}: no {form.__name__}")
        return said
    return _object(form, said, where)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the JSON of a data class has."""

    hints: Mapping[str, Any]
    """Of the fields that are told."""
    computed: tuple[str, ...]


@cache
def _shape(form: type) -> _Shape:
    hints = get_type_hints(form)
    if not is_dataclass(form):
        return _Shape({name: hints[name] for name in form._fields}, ())  # type: ignore[attr-defined]  # a named tuple
    names = [each.name for each in fields(form) if not (form is Thing and each.name == "state_of")]
    computed = tuple(name for name in COMPUTED if name not in names and hasattr(form, name))
    return _Shape({name: hints[name] for name in names}, (*computed, "id") if form is Fact else computed)


def _object(form: Any, said: object, where: str) -> Any:  # noqa: ANN401
    shape, given = _shape(form), _dict(said, where)
    if odd := given.keys() ^ {*shape.hints, *shape.computed}:
        name = min(odd)
        raise Misfit(f"{where}.{name}: {'unknown' if name in given else 'missing'}")
    values = {name: _field(form, name, hint, given[name], f"{where}.{name}") for name, hint in shape.hints.items()}
    if form is Thing:
        values["state_of"] = State(values["key"], known=values["known"])
    made = form(**values)
    for name in shape.computed:
        if type(given[name]) is not type(getattr(made, name)) or given[name] != getattr(made, name):
            raise Misfit(f"{where}.{name}: it does not agree with the rest")
    if not _CHECKS.get(form, _nothing)(made):
        raise Misfit(f"{where}: its parts do not fit together")
    return made


def _field(form: type, name: str, hint: Any, said: object, where: str) -> Any:  # noqa: ANN401
    """Read a field; some are told in a form of their own, as `json_form` has it."""
    if name == "windows":
        return {_key(key, where): _windows(each, where) for key, each in _dict(said, where).items()}
    if form is Fact and name == "attributes":
        return attributes_of(
            {key: _read(str | None, each, f"{where}.{key}") for key, each in _dict(said, where).items()}
        )
    return _read(hint, said, where)


def _windows(said: object, where: str) -> Windows:
    found = []
    for each in _list(said, where):
        ends = _list(each, where)
        if len(ends) != 2:
            raise Misfit(f"{where}: a window has two ends")
        start, end = ends
        found.append(
            (BEGINNING if start is None else _time(start, where), END if end is None else _time(end, where)),
        )
    return tuple(found)


def _time(said: object, where: str) -> Time:
    if isinstance(said, str) and _TIME.fullmatch(said):
        try:
            return Time((datetime.fromisoformat(said) - _EPOCH) // timedelta(milliseconds=1))
        except ValueError as error:
            raise Misfit(f"{where}: there is no such time") from error
    raise Misfit(f"{where}: no time")


def _key(said: object, where: str) -> Key:
    if isinstance(said, str):
        try:
            parts = parts_of(Key(said))
        except ValueError as error:
            raise Misfit(f"{where}: no key of a thing that is known") from error
        if parts.partition and parts.region and parts.name:
            return Key(said)
    raise Misfit(f"{where}: no key")


def _dict(said: object, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Misfit(f"{where}: no object")
    return said


def _list(said: object, where: str) -> list[Any]:
    if not isinstance(said, list):
        raise Misfit(f"{where}: no list")
    return said


def _nothing(_: object) -> bool:
    return True


def _hop(hop: Hop) -> bool:
    return bool(hop.facts)


def _descent(descent: Descent) -> bool:
    """Tell whether everything that is named is there: what shows a descent relies on it."""
    placed = {key for level in descent.levels for key in level}
    ends = {key for hop in descent.hops for key in (hop.child, hop.parent)}
    named = {descent.start, *ends, *descent.formerly, *descent.open, *descent.tops}
    return named <= placed <= descent.things.keys() and placed <= descent.windows.keys()


def _shown(shown: Shown) -> bool:
    return shown.users_by_kind.keys() <= {each.value for each in Kind}


_CHECKS: Mapping[type, Callable[[Any], bool]] = {Hop: _hop, Descent: _descent, Shown: _shown}
