"""Whether the live organization is still what a saved plan was made for; pure."""

from __future__ import annotations

from dataclasses import fields, replace

from org.model import ObservedOrganization


def find_movements(then: ObservedOrganization, now: ObservedOrganization) -> tuple[str, ...]:
    """Name what differs, an object a line; nothing says that the plan still holds."""
    found: list[str] = []
    then, now = _lasting(then), _lasting(now)
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


def _lasting(observed: ObservedOrganization) -> ObservedOrganization:
    """Leave out what AWS changes in its own time and no plan goes by: how far an instance's last operation got."""
    stacksets = tuple(
        replace(s, instances=tuple(replace(i, detailed_status="", reason="") for i in s.instances))
        for s in observed.stacksets
    )
    return replace(observed, stacksets=stacksets)


def _key(item: object) -> str:
    """Name an observed object by what a person would look for; accounts may share their names."""
    if isinstance(item, tuple):
        return " ".join(item)
    name = next((str(getattr(item, field)) for field in ("path", "name") if hasattr(item, field)), str(item))
    parts = [str(getattr(item, "type", "")), name]
    if hasattr(item, "email"):
        parts.append(f"({getattr(item, 'id', '')})")
    return " ".join(part for part in parts if part)
