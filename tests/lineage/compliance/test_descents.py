"""Descents of many together are those of each alone: `verify` is the measure, on whatever graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from handlers.lineage.compliance import descents
from handlers.lineage.compliance.descents import Descents, short_form
from handlers.lineage.compliance.gathered import Gathered
from handlers.lineage.model import Fact, Key, Kind, Relation
from handlers.lineage.queries.asking import NO_SCOPE, Scope
from handlers.lineage.queries.verify import Result, verify
from tests.support.compliance import SCOPE, graph_of
from tests.support.histories import IMAGES, INSTANCES, SNAPSHOTS, VERSIONS, VOLUMES, histories, key
from tests.support.lineage import ACCOUNT, MemoryGraph, fact, image, instance, note

TRUSTED = ("amazon", "999999999999")
SAID: list[dict[str, str]] = [
    {"owner": ACCOUNT},
    {"owner": "999999999999"},
    {"owner_alias": "amazon"},
    {"creation_method": "copy"},
    {"creation_method": "blank"},
    {"name": "x"},
]


@st.composite
def notes(draw: st.DrawFn) -> Fact:
    about = draw(st.sampled_from([*IMAGES, *SNAPSHOTS, *VOLUMES, *INSTANCES, *VERSIONS]))
    time = draw(st.integers(0, 9))
    return note(about, time, f"n-{time}", **draw(st.sampled_from(SAID)))


def known_images(graph: MemoryGraph) -> list[Key]:
    about = {each for fact in graph.facts.values() for each in (fact.child, fact.parent)}
    return [each for each in IMAGES if each in about]


@hypothesis_settings(max_examples=400)
@given(histories, st.lists(notes(), max_size=12), st.sampled_from([NO_SCOPE, SCOPE]), st.booleans())
def test_descents_of_many_are_what_verify_says_of_each(
    history: list[Fact], said: list[Fact], scope: Scope, forgets: bool
) -> None:
    graph = graph_of(*history, *said)
    gathered = Gathered(graph)
    found = Descents(gathered, TRUSTED, scope)
    for start in known_images(graph):
        gathered.gather([start], found.known)
        assert found.of(start) == short_form(verify(graph, start, TRUSTED, scope))
        if forgets:
            gathered.forget()


def in_reach(monkeypatch: pytest.MonkeyPatch, graph: MemoryGraph, starts: list[Key]) -> int:
    """Answer for how many `verify` was asked; what is answered must be the same all the same."""
    asked = []

    def counted(*words: object) -> object:
        asked.append(words)
        return verify(*words)  # type: ignore[arg-type]

    expected = [short_form(verify(graph, each, TRUSTED, SCOPE)) for each in starts]
    found = Descents(Gathered(graph), TRUSTED, SCOPE)
    with monkeypatch.context() as patch:
        patch.setattr(descents, "verify", counted)
        assert [found.of(each) for each in starts] == expected
    return len(asked)


def chain(length: int) -> list[Fact]:
    return [fact(Relation.COPIED_FROM, image(f"{n:04}"), image(f"{n + 1:04}"), 1) for n in range(length)]


@pytest.mark.parametrize("length", [10, 49, 50, 51, 52, 60, 300])
def test_a_chain_is_cut_where_verify_cuts_it(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    starts = [image(f"{n:04}") for n in range(0, length, 7)]
    asked = in_reach(monkeypatch, graph_of(*chain(length)), starts)
    assert asked == sum(length - n > 50 for n in range(0, length, 7))


def test_circles_are_left_to_verify_and_what_is_beside_them_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    circle = [fact(Relation.COPIED_FROM, image(a), image(b), 1) for a, b in ("ab", "bc", "ca", "da", "cf", "ef")]
    assert in_reach(monkeypatch, graph_of(*circle), [image(each) for each in "dabcef"]) == 4


def test_generations_made_on_instances_are_put_together_without_asking_verify(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = [note(image("0000"), 0, owner_alias="amazon")]
    for n in range(30):
        machine, disk = instance(f"{n}"), key(Kind.SNAPSHOT, f"snap-{n}")
        volume = key(Kind.VOLUME, f"vol-{n}")
        facts += [
            fact(Relation.LAUNCHED_FROM, machine, image(f"{n:04}"), 3 * n, f"launch-{n}"),
            fact(Relation.ATTACHED_TO, volume, machine, 3 * n, f"launch-{n}"),
            fact(Relation.SNAPSHOT_OF, disk, volume, 3 * n + 1),
            fact(Relation.CREATED_FROM, image(f"{n + 1:04}"), machine, 3 * n + 1),
            fact(Relation.REGISTERED_FROM, image(f"{n + 1:04}"), disk, 3 * n + 1),
        ]
    starts = [image(f"{n:04}") for n in range(31)]
    graph = graph_of(*facts)
    # Two hops are one generation, and fifty are looked at; shortly before that verify is asked already.
    assert in_reach(monkeypatch, graph, starts[:23]) == 0
    assert 5 <= in_reach(monkeypatch, graph, starts) <= 8
    assert verify(graph, starts[20], TRUSTED, SCOPE).result is Result.UNVERIFIED
