"""What a bad image touches, and what to rebuild: counts first, then by account and Region."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from rich.text import Text

from cli.render.lineage import Words, counted, key_text, kind_text, name_text, placed_text
from handlers.lineage.model import Kind
from handlers.lineage.queries.frontiers import Frontiers
from handlers.lineage.queries.impact import Impact
from handlers.lineage.queries.smallest import Smallest
from handlers.lineage.queries.things import Thing
from org.errors import printable

_SHOWN, _IN_ALL, _PLACES = 10, 50, 50
"""As many of each account and Region are shown, as many in a section, and so many accounts; -v shows all."""


def impact_lines(impact: Impact, words: Words) -> Iterator[Text]:
    """Say how much is affected, then what: running and latent users apart from what was made of it."""
    yield words.thing(impact.start)
    live = [each for each in impact.derived if not each.gone]
    yield Text.assemble(
        ("affected: ", "bold"),
        (f"{len(impact.running):,} running", "bold red" if impact.running else ""),
        f", {len(impact.latent):,} latent, {len(live):,} derived{_kinds(live)}",
        f", {counted(len(impact.external), 'share')} {_with_whom(impact)}",
    )
    unknown = frozenset(impact.state_unknown)
    yield from _section("running: machines that boot it, or would when started again", impact.running, words, unknown)
    yield from _section("latent: run nothing now, and would start machines from it", impact.latent, words)
    yield from _section("pre-launched: outlive a share that is taken back", impact.prelaunched, words)
    yield from _section("stored in S3: it can be restored from them", impact.stored, words)
    told = {each.key for each in (*impact.prelaunched, *impact.stored)}
    yield from _section("derived: hold its content", [each for each in live if each.key not in told], words)
    yield from _shares(impact, words)
    yield from _section(
        "no longer there: held its content", [each for each in impact.derived if each.gone], words, brief=True
    )
    yield from _section("formerly: held it once, and not now", impact.formerly, words, brief=True)


def frontier_lines(frontiers: Frontiers, smallest: Smallest, words: Words) -> Iterator[Text]:
    """Say in which order to rebuild, and the least that must be."""
    images = sum(map(len, frontiers.layers))
    if not images:
        yield Text("no image is affected that is still there: there is nothing to rebuild")
    else:
        yield Text(f"rebuild {counted(images, 'image')}, layer after layer:", "bold")
    outside, circular = frozenset(frontiers.outside), frozenset(frontiers.circular)
    for number, layer in enumerate(frontiers.layers):
        shown, more = words.cut(layer, _SHOWN)
        for each in shown:
            text = Text(f"  {number}  ").append_text(words.thing(each))
            if each.key in outside:
                text.append("  outside the organization: its owner must", "yellow")
            if each.key in circular:
                text.append("  made in a circle", "yellow")
            yield text
        if more:
            yield Text(f"  {number}  … and {more:,} more; -v shows all", "dim")
    if frontiers.gone:
        yield Text(f"  {counted(len(frontiers.gone), 'affected image')} no longer there", "dim")
    yield from _smallest(smallest, words)


def _smallest(smallest: Smallest, words: Words) -> Iterator[Text]:
    users = {key for each in smallest.rebuild for key in each.covers}
    if smallest.rebuild:
        many = counted(len(smallest.rebuild), "image")
        says = f"the least to rebuild, beside the start: {many}, for {counted(len(users), 'user')}"
        yield Text(says, "bold")
    elif smallest.relaunch:
        yield Text("no rebuild of another image helps any user", "bold")
    else:
        yield Text("nothing is known to run it, or to start machines from it", "bold")
    for each in smallest.rebuild:
        shown, more = words.cut(each.covers, 5)
        named = ", ".join(map(placed_text, shown)) + (f" and {more:,} more" if more else "")
        yield Text("  ").append_text(words.thing(each.image)).append(f"\n    for {named}", "dim")
    yield from _section(
        "to launch anew, or to point elsewhere: no image between can be rebuilt", smallest.relaunch, words
    )
    if smallest.not_rebuildable:
        shown, more = words.cut(smallest.not_rebuildable, _SHOWN)
        named = ", ".join(map(placed_text, shown)) + (f" and {more:,} more" if more else "")
        yield Text(f"cannot be rebuilt (gone, a backup, outside, or named so): {named}")


def _section(
    title: str, things: Iterable[Thing], words: Words, unknown: frozenset[str] = frozenset(), *, brief: bool = False
) -> Iterator[Text]:
    grouped: dict[tuple[str, str], list[Thing]] = defaultdict(list)
    for each in things:
        grouped[each.account, each.region].append(each)
    if not grouped:
        return
    yield Text(f"{title}: {sum(map(len, grouped.values())):,}", "bold")
    places, unshown = words.cut(sorted(grouped.items()), _PLACES)
    left = 0 if brief else _IN_ALL
    for (account, region), some in places:
        yield Text(f"  {words.account(account)} · {printable(region)}: {len(some):,}{_kinds(some)}")
        shown, more = words.cut(some, min(_SHOWN, left))
        left -= len(shown)
        for each in shown:
            yield Text(f"    {_short(each)}{'  state not known' if each.key in unknown else ''}")
        if more and shown:
            yield Text(f"    … and {more:,} more; -v shows all", "dim")
    if unshown:
        yield Text(f"  … and {counted(unshown, 'more place')}; -v shows all", "dim")


def _short(thing: Thing) -> str:
    return f"{key_text(thing.key)}{name_text(thing)}{f'  {printable(thing.state)}' if thing.state else ''}"


def _shares(impact: Impact, words: Words) -> Iterator[Text]:
    if not impact.external:
        return
    yield Text(f"shared {_with_whom(impact)}: {len(impact.external):,}", "bold")
    shown, more = words.cut(impact.external, _SHOWN)
    for each in shown:
        whom = "everybody" if each.sharee == "all" else printable(each.sharee)
        yield Text(f"  {placed_text(each.key)} with {whom}, {words.evidence(each.evidence.evidence)}")
    if more:
        yield Text(f"  … and {more:,} more; -v shows all", "dim")


def _with_whom(impact: Impact) -> str:
    known = "outside the organization"
    return known if impact.accounts_known else "with others (which accounts are the organization's is not known)"


def _kinds(things: Iterable[Thing]) -> str:
    counts = Counter(each.kind for each in things)
    if not counts or (len(counts) == 1 and Kind.INSTANCE in counts):
        return ""
    return f" ({', '.join(counted(number, kind_text(kind)) for kind, number in sorted(counts.items()))})"
