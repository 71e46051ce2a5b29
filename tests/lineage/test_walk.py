"""Descent is walked in time, and every engine is asked the same few questions."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lineage.model import Batch, Fact, Key, Kind, Relation
from handlers.lineage.queries import fetch
from handlers.lineage.queries.asking import Bounds
from handlers.lineage.queries.descent import ancestors
from handlers.lineage.queries.passage import arcs_of
from handlers.lineage.queries.reasons import Why
from handlers.lineage.queries.walk import walk_down, walk_up
from handlers.lineage.queries.windows import ALWAYS, NEVER, first_from, meets, union, within
from tests.support.histories import (
    GROUP,
    IMAGES,
    LAST,
    at,
    everything_above,
    histories,
    key,
)
from tests.support.lineage import MemoryGraph, fact, image, instance

BOUNDS = Bounds(depth=100)
GOLDEN, BAD, MADE = image("golden"), image("bad"), image("made")
SERVER = instance("server")
VERSION = [key(Kind.TEMPLATE_VERSION, f"lt-1:{n}") for n in (1, 2)]
DEFAULT = key(Kind.TEMPLATE_VERSION, "lt-1:$Default")
VOLUME, SNAPSHOT = key(Kind.VOLUME, "vol-1"), key(Kind.SNAPSHOT, "snap-1")


def graph_of(*facts: Fact) -> MemoryGraph:
    graph = MemoryGraph()
    graph.append(Batch(facts))
    return graph


def above(graph: MemoryGraph, start: Key, second: int | None = None) -> set[Key]:
    return set(walk_up(graph, start, BOUNDS, None if second is None else at(second)).keys) - {start}


def below(graph: MemoryGraph, start: Key, second: int | None = None) -> set[Key]:
    walk = walk_down(graph, start, BOUNDS, None if second is None else at(second))
    return {each for each in walk.keys if walk.holds(each)} - {start}


REPLACED = graph_of(
    fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1),
    fact(Relation.CREATED_FROM, MADE, SERVER, 3),
    fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5),
)


def test_an_image_descends_from_what_the_instance_booted_when_it_was_made() -> None:
    assert above(REPLACED, MADE) == {SERVER, GOLDEN}
    assert above(REPLACED, SERVER) == {BAD}
    assert above(REPLACED, SERVER, 4) == {GOLDEN}
    assert below(REPLACED, BAD) == {SERVER}
    assert below(REPLACED, GOLDEN) == {MADE}


def test_what_held_it_once_is_told_with_the_time() -> None:
    walk = walk_down(REPLACED, GOLDEN, BOUNDS)
    assert not walk.holds(SERVER)
    assert [(start < at(0), end) for start, end in walk.windows[SERVER]] == [(True, at(5))]


def test_in_the_second_of_a_replacement_both_may_be_so() -> None:
    graph = graph_of(
        fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1),
        fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5),
        fact(Relation.CREATED_FROM, MADE, SERVER, 5, "create"),
    )
    assert above(graph, MADE) == {SERVER, GOLDEN, BAD}


def test_a_root_that_was_set_back_to_an_unseen_launch_is_unknown() -> None:
    graph = graph_of(
        fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 2), fact(Relation.ROOT_REPLACED_BY, SERVER, SERVER, 5)
    )
    assert above(graph, SERVER) == set()
    assert above(graph, SERVER, 4) == {BAD}
    assert [each.end for each in arcs_of(graph.facts.values())] == [at(5)]
    assert not ancestors(graph, SERVER).complete


def test_a_pointer_is_followed_as_it_stood() -> None:
    graph = graph_of(
        fact(Relation.REFERENCES, VERSION[0], GOLDEN, 1),
        fact(Relation.REFERENCES, VERSION[1], BAD, 1),
        fact(Relation.RESOLVES_TO, DEFAULT, VERSION[0], 1),
        fact(Relation.RESOLVES_TO, DEFAULT, VERSION[1], 5),
        fact(Relation.USES, GROUP[0], DEFAULT, 2),
        fact(Relation.USES, SERVER, DEFAULT, 3),
    )
    assert above(graph, GROUP[0], 4) == {DEFAULT, VERSION[0], GOLDEN}
    assert above(graph, GROUP[0]) == {DEFAULT, VERSION[1], BAD}
    assert above(graph, SERVER) == {DEFAULT, VERSION[0], GOLDEN}, "it was launched when the pointer stood there"
    assert below(graph, BAD) == {VERSION[1], DEFAULT, GROUP[0]}


def test_the_template_of_an_instance_is_no_descent_where_its_image_is_known() -> None:
    graph = graph_of(
        fact(Relation.REFERENCES, VERSION[0], BAD, 1),
        fact(Relation.USES, SERVER, VERSION[0], 2),
        fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 2),
    )
    assert SERVER not in below(graph, BAD)
    assert above(graph, SERVER) == {GOLDEN}


def test_registering_a_snapshot_does_not_cut_descent() -> None:
    graph = graph_of(
        fact(Relation.LAUNCHED_FROM, SERVER, BAD, 1),
        fact(Relation.ATTACHED_TO, VOLUME, SERVER, 2),
        fact(Relation.SNAPSHOT_OF, SNAPSHOT, VOLUME, 3),
        fact(Relation.REGISTERED_FROM, MADE, SNAPSHOT, 4),
    )
    assert above(graph, MADE) == {SNAPSHOT, VOLUME, SERVER, BAD}
    assert MADE in below(graph, BAD)


def test_a_machine_that_turns_bad_later_writes_on_a_volume_that_is_still_attached() -> None:
    facts = (
        fact(Relation.LAUNCHED_FROM, SERVER, GOLDEN, 1),
        fact(Relation.ATTACHED_TO, VOLUME, SERVER, 2),
        fact(Relation.ROOT_REPLACED_BY, SERVER, BAD, 5),
    )
    early = graph_of(*facts, fact(Relation.SNAPSHOT_OF, SNAPSHOT, VOLUME, 3))
    late = graph_of(*facts, fact(Relation.SNAPSHOT_OF, SNAPSHOT, VOLUME, 6))
    assert SNAPSHOT not in below(early, BAD)
    assert SNAPSHOT in below(late, BAD)


def test_how_a_thing_was_made_counts_although_it_was_told_later() -> None:
    graph = graph_of(fact(Relation.LAUNCHED_FROM, SERVER, MADE, 2), fact(Relation.COPIED_FROM, MADE, BAD, 7))
    assert above(graph, SERVER) == {MADE, BAD}
    assert below(graph, BAD) == {MADE, SERVER}


def test_nothing_later_than_the_time_asked_about_is_seen() -> None:
    graph = graph_of(fact(Relation.COPIED_FROM, MADE, BAD, 7))
    assert above(graph, MADE, 6) == set()
    assert below(graph, BAD, 6) == set()
    assert below(graph, BAD, 7) == {MADE}


def test_a_circle_ends() -> None:
    graph = graph_of(fact(Relation.COPIED_FROM, GOLDEN, BAD, 1), fact(Relation.COPIED_FROM, BAD, GOLDEN, 2))
    assert above(graph, GOLDEN) == {BAD}
    assert below(graph, GOLDEN) == {BAD}


def diamonds(count: int) -> list[Fact]:
    facts = []
    for n in range(count):
        top, left, right, bottom = (image(each) for each in (f"{n}", f"{n}l", f"{n}r", f"{n + 1}"))
        facts += [fact(Relation.COPIED_FROM, side, top, n) for side in (left, right)]
        facts += [fact(Relation.COPIED_FROM, bottom, side, n) for side in (left, right)]
    return facts


class Counting(MemoryGraph):
    asked = 0

    def facts_of(self, *args, **kwargs):
        self.asked += 1
        return super().facts_of(*args, **kwargs)

    def facts_into(self, *args, **kwargs):
        self.asked += 1
        return super().facts_into(*args, **kwargs)


def test_forty_stacked_diamonds_do_not_blow_up() -> None:
    graph = Counting()
    graph.append(Batch(tuple(diamonds(40))))
    began = time.perf_counter()
    down, up = walk_down(graph, image("0"), BOUNDS), walk_up(graph, image("40"), BOUNDS)
    assert time.perf_counter() - began < 1
    assert len(down.windows) == len(up.windows) == 121
    assert len(down.hops) == len(up.hops) == 160
    assert graph.asked <= 2 * 82, "one round trip for a level"
    assert not down.cuts
    assert not up.cuts


def test_depth_is_hit_only_where_there_is_more() -> None:
    graph = graph_of(*diamonds(2))
    assert walk_down(graph, image("0"), Bounds(depth=4)).cuts == ()
    cut = walk_down(graph, image("0"), Bounds(depth=3))
    assert [len(level) for level in cut.levels] == [1, 2, 1, 2]
    assert [(each.why, each.about) for each in cut.cuts] == [(Why.BOUND, "depth")]
    assert cut.open == {image("1l"), image("1r")}


def test_size_is_hit_and_what_is_left_out_is_not_in_the_hops() -> None:
    graph = graph_of(*diamonds(2))
    cut = walk_down(graph, image("0"), Bounds(size=5))
    assert len(cut.windows) == 5
    assert [each.about for each in cut.cuts] == ["size"]
    assert cut.open == {image("1"), image("1l")}
    assert {each.child for each in cut.hops} <= set(cut.windows)
    assert walk_down(graph, image("0"), Bounds(size=7)).cuts == ()


def test_of_a_crowd_only_the_oldest_are_read_and_its_siblings_are_whole() -> None:
    crowd = [fact(Relation.LAUNCHED_FROM, instance(f"{n:03}"), BAD, n) for n in range(30)]
    others = [fact(Relation.LAUNCHED_FROM, instance(f"x{n}"), MADE, n) for n in range(5)]
    copied = fact(Relation.COPIED_FROM, MADE, BAD, 0, "copy")
    graph = graph_of(*crowd, *others, copied)
    cut = walk_down(graph, BAD, Bounds(per_parent=10))
    assert sum(each.startswith(instance("0")) for each in cut.windows) == 9
    assert sum(each.startswith(instance("x")) for each in cut.windows) == 5
    assert [each.about for each in cut.cuts] == ["per-parent"]
    assert walk_down(graph, BAD, Bounds(per_parent=31)).cuts == ()


@given(histories, st.integers(1, 4), st.sampled_from([1, 2, 24]))
def test_in_how_many_pieces_a_level_is_read_does_not_matter(facts, at_once, per_parent) -> None:
    bounds = Bounds(per_parent=per_parent)
    whole = walk_down(graph_of(*facts), IMAGES[0], bounds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "FACTS_AT_ONCE", at_once)
        patch.setattr(fetch, "KEYS_AT_ONCE", at_once)
        pieces = walk_down(graph_of(*facts), IMAGES[0], bounds)
    assert (pieces.windows, pieces.hops, pieces.cuts) == (whole.windows, whole.hops, whole.cuts)


@settings(max_examples=150)
@given(histories, st.integers(0, LAST), st.sampled_from([*IMAGES, SNAPSHOT, VOLUME, instance("1"), GROUP[0]]))
def test_walking_up_finds_what_every_path_finds(facts, second, start) -> None:
    seen = [each for each in facts if each.evidence.time <= at(second)]
    walk = walk_up(graph_of(*facts), start, BOUNDS, at(second))
    points = everything_above((start, second), seen)
    assert set(walk.keys) == {key for key, _ in points}
    for each, when in points:
        assert meets(walk.windows[each], at(when), at(when))


@settings(max_examples=150)
@given(histories, st.integers(0, LAST), st.sampled_from([*IMAGES, SNAPSHOT, VOLUME, instance("1")]))
def test_walking_down_finds_a_thing_exactly_when_the_thing_descends_from_the_start(facts, second, start) -> None:
    graph = graph_of(*facts)
    seen = [each for each in facts if each.evidence.time <= at(second)]
    walk = walk_down(graph, start, BOUNDS, at(second))
    for each in {one.child for one in facts}:
        for when in range(second + 1):
            descends = any(key == start for key, _ in everything_above((each, when), seen))
            held = meets(walk.windows.get(each, NEVER), at(when), at(when))
            assert held == descends, (each, when)
        up = walk_up(graph, each, BOUNDS, at(second))
        assert (start in up.windows) == (each in walk.windows and walk.holds(each))


@given(histories, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_came_does_not_matter(facts, random) -> None:
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)
    for walk in (walk_up, walk_down):
        one, other = (walk(graph_of(*some), IMAGES[0], BOUNDS) for some in (facts, shuffled))
        assert (one.levels, one.windows, one.hops, one.cuts) == (other.levels, other.windows, other.hops, other.cuts)


intervals = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 5)).map(lambda each: (each[0], sum(each))), max_size=4
)


@given(intervals, intervals, st.integers(0, 20), st.integers(0, 5))
def test_windows_are_sets_of_times(one, other, start, length) -> None:
    end = start + length
    first, second = NEVER, NEVER
    for each in one:
        first = union(first, (each,))
    for each in other:
        second = union(second, (each,))
    members = [{time for time in range(40) if meets(some, time, time)} for some in (first, second)]
    assert members[0] == {time for a, b in one for time in range(a, b + 1)}
    assert {time for time in range(40) if meets(union(first, second), time, time)} == members[0] | members[1]
    inside = {time for time in range(40) if meets(within(first, start, end), time, time)}
    assert inside == members[0] & set(range(start, end + 1))
    assert first_from(first, start) == min((time for time in members[0] if time >= start), default=None)
    assert union(first, ALWAYS) == union(ALWAYS, first) == ALWAYS


@pytest.mark.parametrize("walk", [walk_up, walk_down])
def test_what_nobody_mentioned_has_only_itself(walk) -> None:
    assert walk(MemoryGraph(), GOLDEN, BOUNDS).keys == (GOLDEN,)
