"""One thing: what is said of it, by which evidence, what an instance boots, and how far descent can be relied on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from cli.render.lineage import Words, counted, kind_text, placed_text, time_text, verdict_text
from handlers.lineage.model import Key, Kind
from handlers.lineage.queries.effective_root import Booted, EffectiveRoot
from handlers.lineage.queries.evidence import Link, Saying
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.show import Shown
from handlers.lineage.queries.verify import Result, Verification
from handlers.lineage.relations import RULES
from org.errors import printable

_SHOWN = 20
_RESULTS = {
    Result.VERIFIED: ("green", "verified: unbroken up to trusted roots, and the same content all the way"),
    Result.UNVERIFIED: (
        "yellow",
        "unverified: unbroken up to trusted roots, but somebody could have written on the way",
    ),
    Result.UNTRUSTED_ROOT: ("red", "untrusted root: it begins with what no trusted owner is known to have"),
    Result.BROKEN: ("red", "broken: facts are missing on the way up"),
}


def shown_lines(shown: Shown, words: Words) -> Iterator[Text]:
    """Say all that is known of a thing itself, and what has to do with it."""
    yield words.thing(shown.thing)
    some, more = words.cut([*shown.attributes.items()], _SHOWN)
    for name, said in some:
        yield Text.assemble(
            f"  {printable(name)}: {printable(said.value)}", (f"  {words.evidence(said.evidence)}", "dim")
        )
    if more:
        yield Text(f"  … and {more:,} more; -v shows all", "dim")
    periods, more = words.cut(shown.parents, _SHOWN)
    for each in periods:
        until = f", until {time_text(each.until)}" if each.until is not None else ""
        says = f"  {RULES[each.fact.relation].says} {placed_text(each.fact.parent)}"
        yield Text.assemble(says, (f"  {words.evidence(each.fact.evidence)}{until}", "dim"))
    if more:
        yield Text(f"  … and {more:,} more; -v shows all", "dim")
    if not shown.users_by_kind:
        yield Text("nothing is known to have come of it, or to use it")
        return
    kinds = ", ".join(counted(number, kind_text(Kind(kind))) for kind, number in shown.users_by_kind.items())
    yield Text(f"came of it, or use it: {kinds}", "bold")
    facts, more = words.cut(shown.users, _SHOWN)
    for fact in facts:
        says = f"  {placed_text(fact.child)} {RULES[fact.relation].says} it"
        yield Text.assemble(says, (f"  {words.evidence(fact.evidence)}", "dim"))
    if more:
        yield Text(f"  … and {more:,} more; -v shows them", "dim")


def link_lines(child: Key, parent: Key, links: Sequence[Link], words: Words) -> Iterator[Text]:
    """Say each fact between two things, with all of its evidence."""
    yield Text(f"{counted(len(links), 'fact')} between {placed_text(child)} and {placed_text(parent)}", "bold")
    for each in links:
        fact = each.fact
        until = "" if each.holds else "  ends it"
        if each.until is not None:
            until = f"  until {time_text(each.until)}"
        yield Text.assemble(f"  {RULES[fact.relation].says}", (until, "yellow"))
        yield Text(
            f"    {words.evidence(fact.evidence)}\n    event {printable(fact.evidence.event_id)}, fact {fact.id}"
        )
        for name, value in fact.attributes:
            yield Text(f"    {printable(name)}: {_value(value)}")


def saying_lines(key: Key, attribute: str, sayings: Sequence[Saying], words: Words) -> Iterator[Text]:
    """Say every value that an attribute was said to have."""
    yield Text(f"{placed_text(key)}: {printable(attribute)} was said {counted(len(sayings), 'time')}", "bold")
    for each in sayings:
        sign = "✓" if each.counts else " "
        yield Text(
            f"  {sign} {_value(each.value)}\n    {words.evidence(each.evidence)}\n"
            f"    event {printable(each.evidence.event_id)}"
        )


def root_lines(root: EffectiveRoot, words: Words) -> Iterator[Text]:
    """Say what an instance boots, beside the image that AWS names."""
    yield Text(placed_text(root.instance), "bold")
    images = ", ".join(map(placed_text, root.images)) or "no image that is known"
    roots = " or ".join(placed_text(each.fact.parent) for each in root.roots) or "nothing that is known"
    yield Text(f"  boots   {roots}")
    yield Text(f"  made of {images}")
    yield Text(f"  AWS says {placed_text(root.named) if root.named else 'no image'}")
    if root.differs:
        yield Text("  they differ: what AWS names is not what it boots", "bold red")
    elif root.replaced:
        yield Text("  its root was replaced, by one of the same image", "yellow")
    if len(root.history) > 1:
        yield Text("its roots, the oldest first:", "bold")
        for each in root.history:
            yield _booted(each, words)


def _booted(each: Booted, words: Words) -> Text:
    since = time_text(each.since) if each.since is not None else "its launch"
    until = f" until {time_text(each.until)}" if each.until is not None else " on"
    says = f"  {RULES[each.fact.relation].says} {placed_text(each.fact.parent)}: from {since}{until}"
    return Text.assemble(says, (f"  {words.evidence(each.fact.evidence)}", "dim"))


def verification_lines(verification: Verification, words: Words) -> Iterator[Text]:
    """Say the verdict, and by what it comes."""
    style, says = _RESULTS[verification.result]
    yield Text.assemble((placed_text(verification.start), "bold"), ": ", (says, style))
    untrusted = {each.key for each in verification.untrusted}
    for root in verification.roots:
        yield (
            Text("  begins with ")
            .append_text(words.thing(root))
            .append("  no trusted owner" if root.key in untrusted else "", "red")
        )
    hops, more = words.cut(verification.writable, _SHOWN)
    for hop in hops:
        yield _doubtful(hop, words)
    if more:
        yield Text(f"  … and {more:,} more; -v shows all", "dim")
    yield Text(f"{counted(len(verification.hops), 'hop')}, {len(verification.writable):,} of them not sure")


def _doubtful(hop: Hop, words: Words) -> Text:
    sign, style, content = verdict_text(hop)
    says = f"{placed_text(hop.child)} {RULES[hop.relation].says} {placed_text(hop.parent)}"
    return Text.assemble((f"  {sign} ", style), says, (f"\n    {content}", style)).append(
        f"\n    {words.evidence(hop.facts[0].evidence)}", "dim"
    )


def _value(value: str | None) -> str:
    return "taken away" if value is None else printable(value)
