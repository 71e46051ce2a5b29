"""What a thing came from, or what came of it, as a tree: each thing opens out once, where it is nearest."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from rich.text import Text
from rich.tree import Tree

from cli.render.lineage import Line, Words, counted, time_text, verdict_text
from handlers.lineage.model import Key
from handlers.lineage.queries.descent import Descent
from handlers.lineage.queries.hops import Hop, Verdict
from handlers.lineage.queries.walk import Direction
from handlers.lineage.relations import RULES

_BRANCHES, _LINES = 10, 100
"""As many are shown below one thing, and in all, unless -v asks for all."""


def descent_lines(descent: Descent, words: Words) -> Iterator[Line]:
    """Show the tree, then count what is in it."""
    yield _tree(descent, words)
    others = len(descent.things) - 1
    if not others:
        yield "it comes from nothing that is known" if _up(descent) else "nothing is known to have come of it"
        return
    levels, verdicts = len(descent.levels) - 1, Counter(hop.verdict for hop in descent.hops)
    told = [f"{counted(others, 'thing')} {'above' if _up(descent) else 'below'}, on {counted(levels, 'level')}"]
    if unsure := verdicts[Verdict.UNVERIFIED]:
        told.append(f"content not sure on {counted(unsure, 'hop')}")
    if foreign := verdicts[Verdict.FOREIGN]:
        told.append(f"from elsewhere on {counted(foreign, 'hop')}")
    if descent.formerly:
        told.append(f"{counted(len(descent.formerly), 'thing')} only formerly")
    yield "; ".join(told)


def _tree(descent: Descent, words: Words) -> Tree:
    onward: dict[Key, list[Hop]] = defaultdict(list)
    for hop in sorted(descent.hops, key=lambda hop: (*hop.facts[0].order, hop.child, hop.parent)):
        onward[hop.child if _up(descent) else hop.parent].append(hop)
    tree = Tree(words.thing(descent.things[descent.start]))
    waiting, placed, left = deque([(descent.start, tree)]), set(descent.levels[0]), _LINES
    for other in descent.levels[0]:
        if other != descent.start:
            waiting.append((other, tree.add(Text.assemble("the same content: ", words.thing(descent.things[other])))))
    while waiting:
        key, branch = waiting.popleft()
        shown, more = words.cut(onward[key], max(0, min(_BRANCHES, left)))
        left -= len(shown)
        for hop in shown:
            other = hop.parent if _up(descent) else hop.child
            text = _hop_text(descent, hop, other, words)
            if other in placed:
                branch.add(text.append("\n  what follows stands at its other place", "dim") if onward[other] else text)
            else:
                placed.add(other)
                waiting.append((other, branch.add(text)))
        if more:
            branch.add(Text(f"… and {more:,} more; -v shows all", "dim"))
        if key in descent.open:
            branch.add(Text("… there is more beyond the bounds", "yellow"))
    return tree


def _hop_text(descent: Descent, hop: Hop, other: Key, words: Words) -> Text:
    sign, style, content = verdict_text(hop)
    says = RULES[hop.relation].says
    thing = words.thing(descent.things[other])
    text = Text.assemble((f"{sign} ", style))
    if _up(descent):
        text.append(f"{says} ").append_text(thing)
    else:
        text.append_text(thing).append(f"  {says} it")
    if other in descent.formerly and descent.windows[other]:
        text.append(f"  formerly, until {time_text(descent.windows[other][-1][1])}", "yellow")
    shown, more = words.cut(hop.facts, 1)
    for fact in shown:
        text.append(f"\n  {words.evidence(fact.evidence)}", "dim")
    if more:
        text.append(f" and {counted(more, 'other time')}", "dim")
    return text.append(f"\n  {content}" if hop.why else f": {content}", style)


def _up(descent: Descent) -> bool:
    return descent.direction is Direction.UP
