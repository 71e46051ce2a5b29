"""Whether the live organization is still what a saved plan was made for; pure."""

from __future__ import annotations

from dataclasses import fields

from org.model import ObservedOrganization


def find_movements(then: ObservedOrganization, now: ObservedOrganization) -> tuple[str, ...]:
    """Name what differs, an object a line; nothing says that the plan still holds."""
    found: list[str] = []
    for field in fields(ObservedOrganization):
        old, new = getattr(then, field.name), getattr(now, field.name)
        if old == new or field.name == "unread":
            continue
        what = field.name.replace("_", " ")
        if isinstance(old, tuple):
            before, after = {_key(item): item for item in old}, {_key(item): item for item in new}
            found += [f"{what}: {key} is new" for key in sorted(after.keys() - before.keys())]
            found += [f"{what}: {key} is gone" for key in sorted(before.keys() - after.keys())]
            found += [
                f"{what}: {key} has changed" for key in sorted(before) if key in after and before[key] != after[key]
            ]
        else:
            found.append(f"{what} was {old or 'none'} and is {new or 'none'}")
    return tuple(found)


def _key(item: object) -> str:
    """Name an observed object by what a person would look for."""
    for name in ("path", "name"):
        if hasattr(item, name):
            type = getattr(item, "type", "")
            return f"{type} {getattr(item, name)}".strip()
    return " ".join(item) if isinstance(item, tuple) else str(item)
