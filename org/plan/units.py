"""Units: create, rename, move (which AWS only knows as make anew and delete), delete, tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from org.changes import ChangeTags, CreateUnit, DeleteUnit, RenameUnit
from org.model import OWNER_TAG, DesiredUnit, LiveState, UnitPath, is_within, name_of, parent_of
from org.plan.draft import Draft, step_id
from org.plan.situation import MatchedAccount, Situation, is_owned
from org.references import unit_reference


def plan_units(situation: Situation, draft: Draft) -> None:
    for rename in situation.renames:
        freed = [step_id("rename-unit", other.path) for other in situation.renames if other.was == rename.path]
        draft.add(RenameUnit(rename.path, was=name_of(rename.was)), rename.path, after=freed)
    for unit in situation.desired.units:
        if unit.path in situation.units:
            _tag(situation, draft, unit)
        else:
            draft.add(
                CreateUnit(unit.path, tags=named_tags(unit.tags) | {OWNER_TAG: "true"}),
                unit.path,
                needs=[step_id("create-unit", parent_of(unit.path))],
                after=[step_id("rename-unit", parent_of(unit.path))],
            )
    _delete(situation, draft)


def named_tags(tags: Mapping[str, str | None]) -> dict[str, str]:
    """Leave out the tags that are to be absent."""
    return {key: value for key, value in tags.items() if value is not None}


def plan_tags(
    draft: Draft, reference: str, label: str, wanted: Mapping[str, str | None], live: Mapping[str, str], *, own: bool
) -> str | None:
    """Plan the tags of one live object; `own` says that it is to carry the owner's tag. Answer the step, if any."""
    put = {key: value for key, value in named_tags(wanted).items() if live.get(key) != value}
    remove = tuple(sorted(key for key, value in wanted.items() if value is None and key in live))
    adopt = own and not is_owned(live)
    if adopt:
        put[OWNER_TAG] = "true"
    if not put and not remove:
        return None
    return draft.add(ChangeTags(reference, label, put, remove, adopt=adopt), reference)


def _tag(situation: Situation, draft: Draft, unit: DesiredUnit) -> None:
    live = situation.units[unit.path]
    if live.id not in situation.unread_tags:
        plan_tags(draft, unit_reference(unit.path), f"unit {unit.path}", unit.tags, live.tags, own=True)


def _delete(situation: Situation, draft: Draft) -> None:
    """Delete owned and moved units that the manifest no longer names, deepest first, where nothing stays in them."""
    moved = {situation.path_after(move.was): move.path for move in situation.moves}
    kept: set[UnitPath] = set()
    for path in sorted(situation.units.keys() - situation.wanted_units, key=lambda path: (-path.count("/"), path)):
        unit = situation.units[path]
        goal = next((UnitPath(new + path[len(old) :]) for old, new in moved.items() if is_within(path, old)), None)
        if not is_owned(unit.tags) and path not in moved:
            draft.unmanaged.append(f"unit {path}")
            kept.add(path)
            continue
        staying = sorted(_staying(situation, path, kept))
        if staying:
            draft.notes.append(f"unit {path} is not deleted, because it still holds {', '.join(staying)}")
            kept.add(path)
            continue
        below = [step_id("delete-unit", other) for other in situation.units if parent_of(other) == path]
        leaving = [step_id("move-account", m.desired.name) for m in situation.accounts if _is_in(situation, m, path)]
        draft.add(DeleteUnit(path, moved_to=goal), path, needs=[*below, *leaving])


def _staying(situation: Situation, path: UnitPath, kept: set[UnitPath]) -> Iterator[str]:
    yield from (f"unit {other}" for other in kept if parent_of(other) == path)
    yield from (f"unit {other}" for other in situation.wanted_units if parent_of(other) == path)
    for match in situation.accounts:
        if _is_in(situation, match, path):
            assert match.live is not None
            if match.live.state is not LiveState.ACTIVE:
                yield f"account {match.desired.name} ({match.live.state.lower()})"
            elif match.destination == path:
                yield f"account {match.desired.name}"
    for account in situation.unmanaged_accounts:
        if situation.path_after(account.unit) == path:
            yield f"account {account.name} ({account.id}, {account.state.lower()})"


def _is_in(situation: Situation, match: MatchedAccount, path: UnitPath) -> bool:
    return match.live is not None and situation.path_after(match.live.unit) == path
