"""What a search found, and what of the organization is heard."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from cli.render.lineage import Words, counted, placed_text, time_text
from handlers.lineage.findings import Severity
from handlers.lineage.queries.contradictions import Contradictions
from handlers.lineage.queries.coverage import Coverage, PlaceCoverage
from handlers.lineage.queries.search import Page
from org.errors import printable

_SHOWN = 50
_COLOURS = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}
_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def page_lines(page: Page, words: Words) -> Iterator[Text]:
    """Show a thing on each line, and how to go on."""
    for each in page.things:
        # A search reads what is noted of things alone: one of which nothing is may still have parents.
        yield words.thing(each, "nothing is noted of it")
    if not page.things:
        yield Text("nothing is known that fits")
    if page.cursor:
        yield Text(f"there is more: --cursor {printable(page.cursor)}", "dim")


def coverage_lines(coverage: Coverage, words: Words) -> Iterator[Text]:
    """Say how fresh what is heard is, place by place, and what was not understood."""
    silent = [each for each in coverage.places if each.silent]
    yield Text(f"{counted(len(coverage.places), 'place')}, {len(silent):,} of them silent", "bold")
    places, more = words.cut(sorted(coverage.places, key=lambda each: (not each.silent, each.place)), _SHOWN)
    for each in places:
        yield _place(each, words)
    if more:
        yield Text(f"  … and {more:,} more; -v shows all", "dim")
    if coverage.outcomes:
        told = ", ".join(f"{number:,} {printable(outcome)}" for outcome, number in coverage.outcomes.items())
        yield Text(f"events that told nothing: {told}")
    if coverage.unresolved:
        shown, left = words.cut(coverage.examples, 5)
        named = ", ".join(map(placed_text, shown))
        hidden = coverage.unresolved - len(shown)
        yield Text(
            f"only a name is known of {counted(coverage.unresolved, 'thing')}: {named}"
            + (f" and {hidden:,} more" if left or hidden else "")
        )
    yield Text(f"looked at {counted(coverage.examined, 'thing')}", "dim")


def contradiction_lines(found: Contradictions, words: Words) -> Iterator[Text]:
    """Say of each what it is about, what either side says, and how bad it is."""
    for each in found.found:
        text = Text.assemble(
            (f"{each.severity.value.lower()} ", _COLOURS.get(each.severity, "")), (printable(each.rule), "bold")
        )
        text.append_text(Text(f"  {placed_text(each.about)} · {words.account(each.account)}", "dim"))
        yield text
        yield Text(f"  {printable(each.says)}")
        for side in (each.first, each.second):
            yield Text(f"    {printable(side.source)}: {printable(side.says)}")
            facts, more = words.cut(side.facts, 1)
            for fact in facts:
                yield Text(f"      {words.evidence(fact.evidence)}", "dim")
            if more:
                yield Text(f"      and {more:,} more; -v shows all", "dim")
    yield Text(f"{counted(len(found.found), 'contradiction')} in {counted(found.examined, 'thing')}")
    if found.after is not None:
        yield Text(f"there is more: --after {printable(found.after)}", "dim")


def _place(each: PlaceCoverage, words: Words) -> Text:
    text = Text(f"  {words.account(each.place.account)} · {printable(each.place.region)}  ")
    if each.last is None:
        text.append("nothing was ever heard", "yellow")
    else:
        text.append(f"last {time_text(each.last)}, {_ago(each.lag or 0)} ago", "yellow" if each.silent else "")
    for gap in each.gaps:
        text.append(f"  {gap.count:,} {printable(gap.outcome)}", "yellow")
    if each.reconciled is not None:
        text.append(f"  read {time_text(each.reconciled)}", "dim")
    if each.unread:
        text.append(f"  not read: {printable(each.unread)}", "yellow")
    return text


def _ago(milliseconds: int) -> str:
    for size, unit in _UNITS:
        if milliseconds >= size:
            return counted(milliseconds // size, unit)
    return "less than a second"
