"""Where two sources contradict each other: what events told, and what AWS says when it is asked.

Pure over the facts of the graph; `disagreements` has the rules. Silence of one side counts only where that side ought
to have spoken: after its place was first listened to, and once it was read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers.lineage.findings import Finding, Severity
from handlers.lineage.graph import Graph, Search
from handlers.lineage.model import Fact, Key, Kind, Time, kind_of, parts_of
from handlers.lineage.queries.asking import (
    ALL_RELATIONS,
    NO_SCOPE,
    USUAL_BOUNDS,
    BadQuery,
    Bounds,
    Scope,
    check_key,
)
from handlers.lineage.queries.disagreement import APPROVED, SETTLED, Case, Known, Rule, Side
from handlers.lineage.queries.disagreements import RULES
from handlers.lineage.queries.fetch import facts_of
from handlers.lineage.queries.places import place_readings
from handlers.lineage.queries.reasons import PlaceReason, Reason, Why, gather, in_order, unread_reason
from org.ids import AccountId

__all__ = ["APPROVED", "FAMILY", "Contradiction", "Contradictions", "contradictions", "findings_of", "rule_names"]

FAMILY = "contradiction"
JUDGED = (Kind.IMAGE, Kind.INSTANCE)
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sides that cannot both be right of one thing."""

    rule: str
    about: Key
    account: str
    """The owner, as far as it is known."""
    severity: Severity
    says: str
    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Those of some things, in the order of things."""

    found: tuple[Contradiction, ...]
    examined: int
    after: Key | None
    """The last thing that was looked at, if there are more; None at the end."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def contradictions(
    graph: Graph,
    scope: Scope = NO_SCOPE,
    bounds: Bounds = USUAL_BOUNDS,
    after: Key | None = None,
    approval: tuple[str, str] | None = None,
) -> Contradictions:
    """Answer what contradicts itself of the next `bounds.size` images and instances, as of `scope.now`.

    `approval`: the tag and value that say that an image is approved, where they are not the usual ones. BadQuery,
    GraphError.
    """
    if scope.now is None:
        raise BadQuery("contradictions", "the time is not given", "say what time it is now: what is new may be late")
    # Of a reading that came just now, a part may still be on its way.
    readings = place_readings(graph, Time(scope.now - SETTLED))
    known = Known(graph, scope, bounds, scope.now, readings, approval or APPROVED)
    found: list[Contradiction] = []
    examined, last = 0, after
    for keys in _pages(graph, after, bounds.size):
        found += judge(graph, keys, known)
        examined += len(keys)
        last = keys[-1]
        if bounds.late():
            break
    more = (examined >= bounds.size or bounds.late()) and next(_pages(graph, last, 1), None) is not None
    expected = [each for each in readings.values() if each.expected]
    never = "was never read"
    unread = [unread_reason(each.place, each.unread) for each in expected if each.unread]
    unread += [PlaceReason(each.place, Why.UNREAD, never, never) for each in expected if not each.read]
    reasons = gather(unread, len(expected))
    if more:
        reasons.append(Reason(Why.BOUND, "size", f"{examined:,} things were looked at; go on after the last"))
    if not readings:
        reasons.append(
            Reason(Why.UNREAD, "reconciliation", "no account was ever read: there is nothing to compare with")
        )
    return Contradictions(tuple(found), examined, last if more else None, in_order(reasons))


def judge(graph: Graph, keys: Sequence[Key], known: Known) -> list[Contradiction]:
    """Answer the contradictions about some things."""
    facts: dict[Key, list[Fact]] = {key: [] for key in keys}
    for fact in facts_of(graph, keys, ALL_RELATIONS, None):
        facts[fact.child].append(fact)
    cases = [Case(key, tuple(facts[key])) for key in keys if facts[key]]
    known.prepare(cases)
    return [
        Contradiction(rule.name, case.key, case.owner, severity or rule.severity, says, first, second)
        for case in cases
        for rule in RULES
        if rule.kind is kind_of(case.key)
        for first, second, says, severity in rule.judge(case, known)
    ]


def _pages(graph: Graph, after: Key | None, limit: int) -> Iterator[tuple[Key, ...]]:
    """Yield keys of all kinds that are judged, at most `limit`, from after a key on."""
    started = after is None
    if after is not None:
        check_key(after)
        if kind_of(after) not in JUDGED:
            raise BadQuery(after, "is no image and no instance", "go on after what the answer before ended with")
    left = limit
    for kind in JUDGED:
        if not started and after is not None and kind_of(after) is not kind:
            continue
        place = after if not started else None
        started = True
        more = True
        while more and left:
            found = graph.find(Search(kind), place, min(_AT_ONCE, left))
            if found.keys:
                yield found.keys
                place, left = found.keys[-1], left - len(found.keys)
            more = found.more and bool(found.keys)
        if not left:
            return


def findings_of(found: Sequence[Contradiction], lineage_account: AccountId) -> tuple[Finding, ...]:
    """Answer a finding for each rule and thing; what one rule says of one thing several times is one finding."""
    rules: Mapping[str, Rule] = {rule.name: rule for rule in RULES}
    together: dict[tuple[str, Key], list[Contradiction]] = {}
    for each in found:
        together.setdefault((each.rule, each.about), []).append(each)
    order = list(Severity)
    return tuple(
        Finding(
            f"{FAMILY}/{name}",
            about,
            AccountId(some[0].account) if some[0].account.isdigit() else lineage_account,
            parts_of(about).region,
            max((each.severity for each in some), key=order.index),
            rules[name].title,
            "; ".join(dict.fromkeys(each.says for each in some)),
            rules[name].todo,
            {
                "first": "; ".join(dict.fromkeys(f"{each.first.source}: {each.first.says}" for each in some)),
                "second": "; ".join(dict.fromkeys(f"{each.second.source}: {each.second.says}" for each in some)),
            },
        )
        for (name, about), some in together.items()
    )


def rule_names() -> tuple[str, ...]:
    """Answer the names of all rules of findings, by which the publisher tells what was judged."""
    return tuple(f"{FAMILY}/{rule.name}" for rule in RULES)
