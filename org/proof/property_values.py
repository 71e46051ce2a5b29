"""What stands in the properties of a resource: values at a path, and ARNs that follow from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

from org.proof.call_names import TypeCalls
from org.proof.template_values import UNKNOWN, Partly, as_text, joined

_PLACEHOLDER = re.compile(r"\{([\w.]+)(?:\|([^}]*)|(\+/|-/))?\}")
_SQS_URL = re.compile(r"https://sqs\.([\w-]+)\.[^/]+/([\d*]+)/(.+)")


def is_there(path: str, properties: Mapping[str, object]) -> bool:
    """Say whether a property has a value; `Name=true`: this value, or one that is not known."""
    name, _, wanted = path.partition("=")
    values = list(values_at(name, properties))
    if not wanted:
        return any(value not in ([], {}, "") for value in values)
    return any(isinstance(value, Partly) or as_text(value) == wanted for value in values)


def values_at(path: str, value: object) -> Iterator[object]:
    """Yield what stands at `Code.S3Bucket`, looking into each item of lists on the way."""
    head, _, rest = path.partition(".")
    if isinstance(value, list):
        for item in value:
            yield from values_at(path, item)
    elif isinstance(value, Mapping) and head in value:
        found = value[head]
        if rest:
            yield from values_at(rest, found)
        elif isinstance(found, list):
            yield from found
        else:
            yield found


def names_of(kind: TypeCalls, properties: Mapping[str, object], place: Mapping[str, str]) -> tuple[str, ...]:
    """Answer the ARN of the resource itself, `*` where it is not known; none if the table has no form for it."""
    return tuple(dict.fromkeys(arn for form in kind.arns for arn in filled(form, properties, place)))


def filled(form: str, properties: Mapping[str, object], place: Mapping[str, str]) -> Iterator[str]:
    """Yield the form with its placeholders filled, once for every value of lists."""
    pieces: list[list[object]] = []
    end = 0
    for match in _PLACEHOLDER.finditer(form):
        pieces += [[form[end : match.start()]], _values(match, properties, place)]
        end = match.end()
    for combination in product(*pieces, [form[end:]]):
        whole = next((part for part in combination[1::2] if as_text(part).startswith("arn:")), None)
        text = joined("", list(combination)) if whole is None else as_text(whole)
        queue = _SQS_URL.fullmatch(text)
        if queue:
            text = f"arn:{place['partition']}:sqs:{queue[1]}:{queue[2]}:{queue[3]}"
        if text.startswith("arn:"):
            yield text
        elif form.startswith("arn:") or text == "*":
            yield UNKNOWN


def _values(match: re.Match[str], properties: Mapping[str, object], place: Mapping[str, str]) -> list[object]:
    name, default, how = match.groups()
    if name in place:
        return [Partly(place[name]) if "*" in place[name] else place[name]]
    values: list[object] = [value for value in values_at(name, properties) if value not in ("", [], {})]
    if how == "+/":
        # The event bus of a rule: nothing for the default one.
        named = [as_text(value).rpartition("/")[2] for value in values]
        return [f"{each}/" for each in named if each != "default"] or [""]
    if how == "-/":
        return [as_text(value).removeprefix("/") for value in values] or [UNKNOWN]
    return values or [UNKNOWN if default is None else default]


def find_named(value: object, names: re.Pattern[str]) -> list[object]:
    """Find the texts under properties of such a name, however deep."""
    found: list[object] = []
    if isinstance(value, list):
        for item in value:
            found += find_named(item, names)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            items = item if isinstance(item, list) else [item]
            if names.search(str(key)):
                found += [each for each in items if isinstance(each, str) and each]
            found += find_named([each for each in items if not isinstance(each, str)], names)
    return found
