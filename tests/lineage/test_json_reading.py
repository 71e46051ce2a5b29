"""Answers made again of their JSON: every type, over made-up graphs; and nothing else is taken for an answer."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import cache
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from cli.render.lineage import Words, framed
from cli.render.lineage_impact import impact_lines
from cli.render.lineage_lists import contradiction_lines, coverage_lines, page_lines
from cli.render.lineage_thing import root_lines, shown_lines, verification_lines
from cli.render.lineage_tree import descent_lines
from handlers.lineage.findings import Severity
from handlers.lineage.graph import Graph
from handlers.lineage.model import Batch, Fact, Key, Kind, Place, Relation, Source, Time
from handlers.lineage.queries import evidence
from handlers.lineage.queries.asking import Bounds, Scope
from handlers.lineage.queries.contradictions import Contradiction, Contradictions, contradictions
from handlers.lineage.queries.coverage import Coverage, coverage
from handlers.lineage.queries.descent import Descent, ancestors, descendants
from handlers.lineage.queries.disagreement import Side
from handlers.lineage.queries.effective_root import EffectiveRoot, effective_root
from handlers.lineage.queries.frontiers import frontiers
from handlers.lineage.queries.impact import Impact, impact
from handlers.lineage.queries.json_form import to_plain
from handlers.lineage.queries.json_reading import Misfit, from_plain
from handlers.lineage.queries.search import Page, Wanted, search
from handlers.lineage.queries.show import Shown, show
from handlers.lineage.queries.smallest import smallest_rebuild
from handlers.lineage.queries.verify import Verification, verify
from handlers.lineage.queries.windows import ALWAYS, END
from tests.lineage.test_queries_on_engines import LEAF, START, answers, filled
from tests.support.histories import IMAGES, at, histories, key
from tests.support.lineage import ACCOUNT, REGION, MemoryGraph, note

ELSEWHERE = Scope(
    frozenset({ACCOUNT}), "o-abcdefghij", frozenset({Place(ACCOUNT, REGION)}), Time(at(20)), silence=5_000
)
notes = st.lists(
    st.builds(
        lambda thing, when, name, value: note(thing, when, **{name: value}),
        st.sampled_from([*IMAGES, key(Kind.INSTANCE, "1"), key(Kind.COVERAGE, ACCOUNT)]),
        st.integers(0, 8),
        st.sampled_from(["state", "owner", "name", "tag:Team", "outcome", "read", "expected"]),
        st.sampled_from(["available", "terminated", "gap", "no", "amazon", "444455556666", "bad\x1b[2J", "\u202e", ""]),
    ),
    max_size=6,
)


@cache
def _large() -> MemoryGraph:
    graph = MemoryGraph()
    filled(graph)
    return graph


@cache
def _some() -> list[object]:
    return all_answers(_large(), START, None, Bounds(3, 20, 4))


def all_answers(graph: Graph, start: Key, when: Time | None, bounds: Bounds) -> list[object]:
    """Ask all that can be asked of one thing, and of all."""
    found: list[object] = [
        show(graph, start, ELSEWHERE, when),
        ancestors(graph, start, ELSEWHERE, bounds, when),
        descendants(graph, start, ELSEWHERE, bounds, when),
        impact(graph, start, ELSEWHERE, bounds, when),
        frontiers(graph, start, ELSEWHERE, bounds, when),
        smallest_rebuild(graph, start, ELSEWHERE, bounds, when),
        verify(graph, start, [ACCOUNT], ELSEWHERE, bounds, when),
        search(graph, Wanted(Kind.IMAGE), 2),
        coverage(graph, ELSEWHERE),
        contradictions(graph, ELSEWHERE, bounds),
        evidence.Testimony(start, None, (), evidence.evidence_of(graph, start, "state", when)),
    ]
    facts = graph.facts_of([start], frozenset(Relation) - {Relation.NOTED}, when)
    parents = {each.parent for each in facts}
    found += [
        evidence.Testimony(start, each, evidence.evidence_between(graph, start, each, when), ())
        for each in sorted(parents)
    ]
    if "/instance/" in start:
        found.append(effective_root(graph, start, ELSEWHERE, bounds, when))
    return found


def as_told(answer: Any) -> Any:
    """Answer what JSON tells: a window of the one instant of asking, the end of time, stands there as always."""
    if not isinstance(answer, Descent):
        return answer
    (always,) = ALWAYS
    windows = {key: tuple(always if one == (END, END) else one for one in some) for key, some in answer.windows.items()}
    return replace(answer, windows=windows)


def again(answer: Any) -> Any:
    return from_plain(type(answer), json.loads(json.dumps(to_plain(answer))))


@given(histories, notes, st.sampled_from([None, at(3), at(9)]), st.sampled_from([Bounds(), Bounds(2, 4, 2)]), st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_answer_is_made_again_of_its_json(
    facts: list[Fact], said: list[Fact], when: Time | None, bounds: Bounds, data: st.DataObject
) -> None:
    graph = MemoryGraph()
    graph.append(Batch((*facts, *said), {Place(ACCOUNT, REGION): at(2)}))
    there = sorted({each.child for each in facts if when is None or each.evidence.time <= when})
    if not there:
        return
    for answer in all_answers(graph, data.draw(st.sampled_from(there)), when, bounds):
        made = again(answer)
        assert made == as_told(answer)
        assert to_plain(made) == to_plain(answer)


def test_the_answers_about_a_large_history_are_made_again() -> None:
    for answer in answers(_large(), START, LEAF):
        if not isinstance(answer, tuple):
            assert again(answer) == as_told(answer)


def test_a_contradiction_is_made_again_with_both_sides() -> None:
    fact = note(IMAGES[0], 1, state="available")
    sides = Side("events", "a", (fact,)), Side("DescribeImages", "b\x1b")
    each = Contradiction("parent", IMAGES[0], ACCOUNT, Severity.HIGH, "they differ", *sides)
    found = Contradictions((each,), 3, IMAGES[0], ())
    assert again(found) == found
    assert fact.evidence.source is Source.CLOUDTRAIL


def _places(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(plain, dict | list):
        for name, value in plain.items() if isinstance(plain, dict) else enumerate(plain):
            found += _places(value, (*path, name))
    return found


def _put(plain: Any, path: tuple[Any, ...], value: object) -> None:
    for step in path[:-1]:
        plain = plain[step]
    if value is ...:
        del plain[path[-1]]
    else:
        plain[path[-1]] = value


def _show(made: Any) -> None:
    """Print it as the commands do: what a terminal would act on must not come through."""
    lines = {
        Shown: shown_lines,
        Descent: descent_lines,
        Impact: impact_lines,
        Verification: verification_lines,
        EffectiveRoot: root_lines,
        Page: page_lines,
        Coverage: coverage_lines,
        Contradictions: contradiction_lines,
    }.get(type(made))
    if lines is not None:
        console = Console(file=StringIO(), width=10_000, highlight=False, markup=False, emoji=False, soft_wrap=True)
        for line in framed(lines(made, Words({}, verbose=True)), made.reasons, Words({})):
            console.print(line)
        printed = console.file.getvalue()  # type: ignore[attr-defined]
        assert all(char.isprintable() or char == "\n" for char in printed)


ODD = st.sampled_from(
    [
        ...,
        None,
        True,
        0,
        1.5,
        -1,
        "",
        "x\x1b[2J\u202e",
        "aws/-/image/\x1b",
        [],
        [[]],
        {},
        {"a": 1},
        "2026-13-01T00:00:00.000Z",
    ]
)


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_json_that_was_tampered_with_is_an_answer_or_a_misfit_and_never_another_error(data: st.DataObject) -> None:
    answer = data.draw(st.sampled_from(_some()))
    plain = json.loads(json.dumps(to_plain(answer)))
    path = data.draw(st.sampled_from(_places(plain)))
    _put(plain, path, data.draw(ODD))
    with suppress(Misfit):
        made = from_plain(type(answer), plain)
        assert to_plain(made) == plain
        _show(made)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("complete",), False, "Shown.complete: it does not agree with the rest"),
        (("news",), 1, "Shown.news: unknown"),
        (("thing",), ..., "Shown.thing: missing"),
        (("thing", "key"), "nowhere", "Shown.thing.key: no key of a thing that is known"),
        (("thing", "kind"), "moon", "Shown.thing.kind: no Kind that is known"),
        (("thing", "gone"), True, "Shown.thing.gone: it does not agree with the rest"),
        (("parents", 0, "fact", "child"), "aws/-/image/other", "Shown.parents[0].fact.id: it does not agree"),
        (("users_by_kind",), {"moon": 1}, "Shown: its parts do not fit together"),
        (("users_by_kind",), {"image": True}, "Shown.users_by_kind.image: no int"),
        (("at",), "2026-11-26", "Shown.at: no time"),
        (("at",), "2026-13-26T00:00:00.000Z", "Shown.at: there is no such time"),
        (("reasons",), {}, "Shown.reasons: no list"),
    ],
)
def test_a_misfit_says_where_it_lies(path: tuple[Any, ...], value: object, says: str) -> None:
    answer = show(_large(), LEAF)
    plain = json.loads(json.dumps(to_plain(answer)))
    _put(plain, path, value)
    with pytest.raises(Misfit) as caught:
        from_plain(type(answer), plain)
    assert str(caught.value).startswith(says)


def test_a_descent_that_names_what_it_does_not_hold_is_a_misfit() -> None:
    plain: Any = json.loads(json.dumps(to_plain(ancestors(_large(), LEAF))))
    plain["things"].popitem()
    with pytest.raises(Misfit, match="its parts do not fit together"):
        from_plain(Descent, plain)
