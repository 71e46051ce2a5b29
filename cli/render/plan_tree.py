"""A plan as a tree that a person can approve: by place in the organization, then policies, services, StackSets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cli.render.places import PLACED, Places
from org import changes as c
from org.model import ROOT, UnitPath, name_of, parent_of
from org.plan.model import Effect, Headroom, InstanceEffect, Plan, StackSetPreview, Step

_STYLES = {"+": "green", "~": "yellow", "-": "red", "→": "cyan"}
_TIGHT = 0.7
"""Quotas that are used less than this are left to --format json."""


def show_plan(plan: Plan, console: Console) -> None:
    """Print the whole plan; a plan without steps says so and still shows what was left alone."""
    console.print(Group(*_sections(plan)), soft_wrap=False)  # else the tree cuts off what is wider than the terminal


def summary(plan: Plan) -> str:
    """Count the changes: `12 changes: 10 to make, 1 to change, 1 to take away (1 destructive)`."""
    if not plan.steps and plan.observed.unread:
        return "no changes, as far as the organization could be read"
    if not plan.steps:
        return "no changes: the organization is what the manifest says"
    made: set[str] = {s.change.name for s in plan.steps if isinstance(s.change, c.CreateAccount | c.CreateStackSet)}
    signs = Counter(_counted_as(step.change, made) for step in plan.steps)
    parts = [(signs["+"], "to make"), (signs["~"] + signs["→"], "to change"), (signs["-"], "to take away")]
    told = ", ".join(f"{count} {what}" for count, what in parts if count)
    destructive = f" ({len(plan.destructive)} destructive)" if plan.destructive else ""
    return f"{_count(len(plan.steps), 'change')}: {told}{destructive}"


def sign_of(change: c.Change) -> str:
    """Answer `+` for what is made, `~` for what is changed, `-` for what is taken away, `→` for what moves."""
    kind = change.kind.partition("-")[0]
    if kind in ("create", "enable", "register", "attach", "activate"):
        return "+"
    if kind in ("delete", "disable", "deregister", "detach", "close"):
        return "-"
    return "→" if kind == "move" else "~"


def _counted_as(change: c.Change, made: set[str]) -> str:
    """Count what settles a new account or StackSet as part of making it."""
    match change:
        case c.MoveAccount(name=name) | c.SetContact(account=name) | c.UpdateStackInstances(stackset=name):
            return "+" if name in made else sign_of(change)
        case _:
            return sign_of(change)


def _sections(plan: Plan) -> Iterator[RenderableType]:
    yield Text(summary(plan), style="bold")
    for title, kinds in (("Organization", _SERVICES), ("Policies", _POLICIES)):
        found = [_line(step) for step in plan.steps if isinstance(step.change, kinds)]
        if found:
            yield _branch(title, found)
    if any(isinstance(step.change, PLACED) for step in plan.steps):
        yield _organization(plan)
    by_stackset = _by_stackset(plan)
    previews = [p for p in plan.previews if p.instances or p.stackset in by_stackset]
    if previews:
        tree = Tree(Text("StackSets", style="bold"))
        for preview in previews:
            _stackset(tree, by_stackset.get(preview.stackset, []), preview)
        yield tree
    for title, lines in (
        ("Unmanaged (left alone)", plan.unmanaged),
        ("Could not be read", tuple(f"{gap.area} {gap.subject}: {gap.reason}" for gap in plan.observed.unread)),
        ("Notes", plan.notes),
        ("Quotas", tuple(_room(room) for room in plan.headroom if room.used / room.limit >= _TIGHT)),
    ):
        if lines:
            yield _branch(title, [Text(line) for line in lines])


_SERVICES = (
    c.CreateOrganization,
    c.EnablePolicyType,
    c.DisablePolicyType,
    c.EnableTrustedAccess,
    c.DisableTrustedAccess,
    c.ActivateStackSetsAccess,
    c.RegisterDelegatedAdministrator,
    c.DeregisterDelegatedAdministrator,
)
_POLICIES = (c.CreatePolicy, c.UpdatePolicy, c.DeletePolicy)


def _branch(title: str, lines: Iterable[Text]) -> Tree:
    tree = Tree(Text(title, style="bold"))
    for line in lines:
        tree.add(line)
    return tree


def _line(step: Step) -> Text:
    sign = sign_of(step.change)
    text = Text(f"{sign} ", style=_STYLES[sign])
    text.append(step.change.describe(), style="default")
    if step.is_destructive:
        text.append("  (destructive)", style="bold red")
    return text


# units and accounts, where they are


def _organization(plan: Plan) -> Tree:
    places = Places(plan)
    placed: dict[UnitPath, list[Step]] = {}
    for step in plan.steps:
        if isinstance(step.change, PLACED):
            placed.setdefault(places.of(step.change), []).append(step)
    tree = Tree(Text("Units and accounts", style="bold"))
    branches: dict[UnitPath, Tree] = {ROOT: tree.add(Text("Root"))}
    for path in sorted(_with_parents(placed), key=lambda path: (path != ROOT, path.split("/"))):
        branch = branches.get(path) or branches[parent_of(path)].add(_unit_line(path, placed.get(path, [])))
        branches[path] = branch
        for line in _lines(step for step in placed.get(path, []) if not _is_unit_itself(step.change, path)):
            branch.add(line)
    return tree


def _with_parents(paths: Iterable[UnitPath]) -> set[UnitPath]:
    found = {ROOT}
    for path in paths:
        while path not in found:
            found.add(path)
            path = parent_of(path)  # noqa: PLW2901 - climbing is what the loop does
    return found


def _is_unit_itself(change: c.Change, path: UnitPath) -> bool:
    return isinstance(change, c.CreateUnit | c.DeleteUnit | c.RenameUnit) and change.path == path


def _unit_line(path: UnitPath, steps: list[Step]) -> Text:
    for step in steps:
        if _is_unit_itself(step.change, path):
            return _named("+", name_of(path)) if isinstance(step.change, c.CreateUnit) else _line(step)
    return Text(name_of(path))


def _named(sign: str, name: str) -> Text:
    return Text.assemble((f"{sign} ", _STYLES[sign]), name)


def _lines(steps: Iterable[Step]) -> Iterator[Text]:
    """Say creation and the move that follows it in one line: to the reader it is one thing."""
    steps = list(steps)
    created = {step.change.name for step in steps if isinstance(step.change, c.CreateAccount)}
    for step in steps:
        if isinstance(step.change, c.MoveAccount) and step.change.name in created and not step.change.quarantine:
            continue
        yield _line(step)


# StackSets


def _by_stackset(plan: Plan) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = {}
    for step in plan.steps:
        match step.change:
            case c.CreateStackSet(name=name) | c.UpdateStackSet(name=name) | c.DeleteStackSet(name=name):
                found.setdefault(name, []).append(step)
            case c.CreateStackInstances() | c.UpdateStackInstances() | c.DeleteStackInstances():
                found.setdefault(step.change.stackset, []).append(step)
            case _:
                pass
    return found


def _stackset(tree: Tree, steps: list[Step], preview: StackSetPreview) -> None:
    branch = tree.add(Text.assemble(preview.stackset, (f"  {collapse(preview.instances)}", "dim")))
    for step in steps:
        branch.add(_line(step))
    for resource in preview.resources:
        branch.add(Text(f"resource {resource}", style="dim"))
    for line in _instance_lines(preview.instances):
        branch.add(line)


def collapse(instances: Iterable[InstanceEffect]) -> str:
    """Count equal results: `812 unchanged, 3 replaced`."""
    counts = Counter(instance.effect for instance in instances)
    return ", ".join(f"{counts[effect]} {effect}" for effect in Effect if counts[effect]) or "no instances"


def _instance_lines(instances: tuple[InstanceEffect, ...]) -> Iterator[Text]:
    """One line for all accounts to which the same happens in the same Regions, for the same reason."""
    by_account: dict[tuple[Effect, str, str], list[str]] = {}
    for instance in instances:
        if instance.effect is not Effect.UNCHANGED:
            by_account.setdefault((instance.effect, instance.reason, instance.account), []).append(instance.region)
    groups: dict[tuple[Effect, str, tuple[str, ...]], list[str]] = {}
    for (effect, reason, account), found in by_account.items():
        groups.setdefault((effect, reason, tuple(found)), []).append(account)
    for (effect, reason, regions), accounts in groups.items():
        why = f" ({reason})" if reason else ""
        named = ", ".join(accounts[:6]) + (f" and {len(accounts) - 6} more" if len(accounts) > 6 else "")
        yield Text(f"{effect} in {_count(len(accounts), 'account')} × {', '.join(regions)}{why}: {named}")


def _room(room: Headroom) -> str:
    over = (
        ("  (ask for more, if AWS has not given it)" if room.adjustable else "  OVER") if room.used > room.limit else ""
    )
    return f"{room.what}: {room.used:,} of {room.limit:,}{over}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
