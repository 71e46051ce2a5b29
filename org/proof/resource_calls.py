"""From the names of a type's calls to the calls for one resource: which are made, on what, with which keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from org.model import RequiredCall
from org.policy.catalog import ActionEntry
from org.policy.patterns import overlaps
from org.proof.call_names import REMOVAL, VERBS, Operation, TypeCalls, catalog, is_writing, names_resource
from org.proof.property_values import filled, find_named, is_there, names_of, values_at
from org.proof.template_values import Partly, as_text, is_open

_PROPERTY = re.compile(r"\{[^}]*\}")
_ARN_PART = re.compile(r"\$\{[^}]*\}")
_ROLE_NAMES = re.compile(r"role(s|name|arn|arns)?$", re.IGNORECASE)
_KEY_NAMES = re.compile(r"kms|encryptionkey", re.IGNORECASE)
_TAGGING = re.compile(r"(Un|un)?[Tt]ag|(Add|Create|Delete|Remove)Tags")
_CHANGE = re.compile("Modify|Update")
_ROLE_CALLS = frozenset({"iam:PassRole", "iam:GetRole"})
_LINKED_ROLE = "iam:CreateServiceLinkedRole"
Context = dict[str, str | tuple[str, ...] | None]


def find_calls(
    kind: TypeCalls,
    type: str,
    properties: Mapping[str, object],
    place: Mapping[str, str],
    operation: Operation,
    stack_tags: Mapping[str, str],
) -> Iterator[tuple[RequiredCall, bool]]:
    """Yield each call, and whether it is certainly made."""
    tags, are_all = _tags(kind, properties, stack_tags)
    names = names_of(kind, properties, place)
    for action in kind.names[operation]:
        if any(fnmatchcase(action, pattern) for pattern in kind.never):
            continue
        entry = catalog().find_action(action)
        if entry is None:
            continue
        certain = _is_certain(
            kind, type, entry, operation, properties, tagged=bool(tags) or not are_all or kind.system_tags
        )
        if certain is None:
            continue
        context = _context(kind, entry, properties)
        if operation != "delete":
            context |= _tag_context(entry, tags, are_all=are_all)
        for resource, more in _targets(kind, entry, properties, place, names):
            for each in _split(kind, entry, properties):
                yield RequiredCall(action, resource, {**context, **more, **each}), certain


def _is_certain(
    kind: TypeCalls,
    type: str,
    entry: ActionEntry,
    operation: Operation,
    properties: Mapping[str, object],
    *,
    tagged: bool,
) -> bool | None:
    """Say whether a call is made: certainly, possibly, or, for want of the property on which it hangs, not (None)."""
    names = kind.names[operation]
    removes = bool(REMOVAL.match(entry.name))
    if operation == "update" and removes:
        return False
    hangs = next((on for call, on in kind.when.items() if fnmatchcase(entry.full_name, call)), None)
    if hangs is not None:
        return True if any(is_there(path, properties) for path in hangs) else None
    if entry.full_name == _LINKED_ROLE:
        # Only where the account does not have the role yet.
        return False
    if entry.full_name in _ROLE_CALLS and kind.service != "iam":
        return (operation != "delete" and bool(find_named(properties, _ROLE_NAMES))) or None
    if entry.service == "kms" and kind.service != "kms":
        return (operation == "create" and bool(_keys(properties))) or None
    if entry.access_level == "Tagging" or _TAGGING.match(entry.name):
        return False if operation == "delete" or removes else tagged or None
    if not is_writing(entry):
        return entry.service == kind.service
    if operation == "create" and _CHANGE.match(entry.name) and any(VERBS["create"].match(_name(n)) for n in names):
        return False
    if entry.service != kind.service or removes != (operation == "delete" and _removes_anything(kind)):
        return False
    return kind.detailed or names_resource(type, entry.name) or not any(names_resource(type, n) for n in names)


def _removes_anything(kind: TypeCalls) -> bool:
    """Say whether the type is deleted by calls that are called so; some are by a change (`sns:SetTopicAttributes`)."""
    return any(REMOVAL.match(_name(action)) for action in kind.names["delete"])


def _name(action: str) -> str:
    return action.partition(":")[2]


def _targets(
    kind: TypeCalls,
    entry: ActionEntry,
    properties: Mapping[str, object],
    place: Mapping[str, str],
    names: tuple[str, ...],
) -> Iterator[tuple[str, Context]]:
    """Yield the resources of a call; an empty one is whichever the action knows."""
    form = next((to for call, to in kind.resource.items() if fnmatchcase(entry.full_name, call)), "")
    if form:
        yield from ((arn if arn != "*" else "", {}) for arn in dict.fromkeys(filled(form, properties, place)))
    elif entry.full_name in _ROLE_CALLS and not any(":role" in arn for arn in kind.arns):
        handed: Context = {"iam:PassedToService": kind.passed_to} if kind.passed_to else {}
        passes = entry.name == "PassRole"
        for role in _roles(find_named(properties, _ROLE_NAMES), place):
            yield role, handed if passes else {}
    elif entry.full_name == _LINKED_ROLE:
        arns = [arn for arn in names if ":role/aws-service-role/" in arn]
        yield (arns or [f"arn:{place['partition']}:iam::{place['account']}:role/aws-service-role/*"])[0], {}
    elif entry.service == "kms" and kind.service != "kms":
        for key in _keys(properties):
            yield _key_arn(key, place), {}
    else:
        fitting = [arn for arn in names if arn != "*" and _takes(entry.full_name, _general(kind, arn))]
        yield from ((arn, {}) for arn in fitting or [""])


@lru_cache(maxsize=8192)
def _takes(action: str, arn: str) -> bool:
    """Say whether a call can be about resources of such an ARN; asked of the table's forms, that each is asked once."""
    entry = catalog().find_action(action)
    if entry is None:
        return False
    forms = (_ARN_PART.sub("*", resource.arn) for resource in entry.resources if resource.arn)
    return any(_service_of(form) == _service_of(arn) and overlaps(form, arn) for form in forms)


def _general(kind: TypeCalls, arn: str) -> str:
    """Answer the form of the ARN rather than the ARN, unless a property gave it whole."""
    form = next(iter(kind.arns), "")
    return _PROPERTY.sub("*", form) if form.startswith("arn:") else arn


def _service_of(arn: str) -> str:
    return [*arn.split(":", 3), "", "", ""][2]


def _context(kind: TypeCalls, entry: ActionEntry, properties: Mapping[str, object]) -> Context:
    """Answer the keys that the action takes and a property decides; a value that is not known leaves its key out."""
    known = {key.lower() for key in entry.keys}
    context: Context = {}
    for key, form in kind.context.items():
        if key.lower() not in known:
            continue
        path, _, default = form.partition("|")
        values = list(values_at(path, properties)) or ([default] if default else [])
        if not values and key in kind.absent:
            context[key] = None
        elif values and not any(is_open(value) for value in values):
            texts = tuple(as_text(value) for value in values)
            context[key] = texts[0] if len(texts) == 1 else texts
    return context


def _tag_context(entry: ActionEntry, tags: Mapping[str, str], *, are_all: bool) -> Context:
    known = {key.lower() for key in entry.keys}
    context: Context = {}
    if "aws:tagkeys" in known and tags and are_all:
        context["aws:TagKeys"] = tuple(tags)
    if any(key.startswith("aws:requesttag/") for key in known):
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items() if not isinstance(value, Partly)}
    return context


def _split(kind: TypeCalls, entry: ActionEntry, properties: Mapping[str, object]) -> Iterator[Context]:
    """Yield the keys that have another value in each of several calls of the same name."""
    known = {key.lower() for key in entry.keys}
    for key, path in kind.each.items():
        values = list(values_at(path, properties))
        if key.lower() in known and values:
            for value in values:
                yield {} if is_open(value) else {key: as_text(value)}
            return
    yield {}


def _tags(
    kind: TypeCalls, properties: Mapping[str, object], stack_tags: Mapping[str, str]
) -> tuple[dict[str, str], bool]:
    """Answer the tags of the resource, and whether these are all: the stack's, and above them its own.

    A type has its own as a list of pairs or as a mapping.
    """
    if not kind.tags:
        return {}, True
    tags = dict(stack_tags)
    own = properties.get(kind.tags, ())
    if isinstance(own, Mapping):
        return tags | {str(key): as_text(value) for key, value in own.items()}, True
    if not isinstance(own, list | tuple):
        return tags, False
    pairs = [each for each in own if isinstance(each, Mapping) and isinstance(each.get("Key"), str)]
    known = [each for each in pairs if not is_open(each["Key"])]
    return tags | {str(each["Key"]): as_text(each.get("Value", "")) for each in known}, len(known) == len(own)


def _roles(values: Iterable[object], place: Mapping[str, str]) -> Iterator[str]:
    root = f"arn:{place['partition']}:iam::{place['account']}:role"
    for value in dict.fromkeys(as_text(each) for each in values):
        if value.startswith("arn:"):
            yield value
        else:
            yield f"{root}{value}" if value.startswith("/") else f"{root}/{value}"


def _keys(properties: Mapping[str, object]) -> list[str]:
    """Find the KMS keys that the properties name; what AWS encrypts with keys of its own needs no leave."""
    values = dict.fromkeys(as_text(each) for each in find_named(properties, _KEY_NAMES))
    return [each for each in values if "alias/aws/" not in each and each.lower() not in {"true", "false", "aws:kms"}]


def _key_arn(key: str, place: Mapping[str, str]) -> str:
    if key.startswith("arn:") and ":alias/" not in key:
        return key
    id = "*" if key.startswith(("arn:", "alias/")) else key
    return f"arn:{place['partition']}:kms:{place['region']}:{place['account']}:key/{id}"
