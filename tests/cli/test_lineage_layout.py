"""Where the things of a picture stand."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.render.lineage_layout import HEIGHT, WIDTH, place

CHAIN = [("up2", -2), ("up1", -1), ("start", 0), ("down1", 1), ("down2", 2)]
LINKS = [("up1", "up2"), ("start", "up1"), ("down1", "start"), ("down2", "down1")]

things = st.integers(2, 25)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[tuple[str, str]]]:
    """Any graph at all, circles and loops included, with levels as a walk gives them or not."""
    names = [f"n{number}" for number in range(draw(things))]
    levels = [draw(st.integers(-4, 4)) for _ in names]
    edges = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=60, unique=True))
    return list(zip(names, levels, strict=True)), edges


def test_ancestors_stand_above_and_descendants_below() -> None:
    places = place(CHAIN, LINKS, "start").nodes
    assert [places[key][1] for key, _ in CHAIN] == sorted(places[key][1] for key, _ in CHAIN)


def test_a_chain_is_a_straight_line() -> None:
    assert len({x for x, _ in place(CHAIN, LINKS, "start").nodes.values()}) == 1


def test_a_child_stands_below_the_farthest_of_its_parents() -> None:
    nodes = [("start", 0), ("middle", 1), ("low", 1)]
    places = place(nodes, [("middle", "start"), ("low", "start"), ("low", "middle")], "start").nodes
    assert places["start"][1] < places["middle"][1] < places["low"][1]


def test_a_long_edge_is_led_around_what_stands_between() -> None:
    nodes = [("start", 0), ("middle", 1), ("low", 1)]
    found = place(nodes, [("middle", "start"), ("low", "start"), ("low", "middle")], "start")
    ((x, y),) = found.bends[1]
    assert y == found.nodes["middle"][1]
    assert abs(x - found.nodes["middle"][0]) > WIDTH / 2


def test_a_wide_layer_is_piled_up_so_that_the_whole_fits_on_a_screen() -> None:
    nodes = [("start", 0), *((f"i{number}", 1) for number in range(2000))]
    places = place(nodes, [(key, "start") for key, _ in nodes[1:]], "start").nodes
    width = max(x for x, _ in places.values()) - min(x for x, _ in places.values())
    height = max(y for _, y in places.values())
    assert 1 < width / height < 3


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_nothing_overlaps_in_any_graph(graph: tuple[list[tuple[str, int]], list[tuple[str, str]]]) -> None:
    nodes, edges = graph
    places = place(nodes, edges, "n0").nodes
    assert set(places) == {key for key, _ in nodes}
    for (one_x, one_y), (other_x, other_y) in combinations(places.values(), 2):
        assert abs(one_x - other_x) >= WIDTH or abs(one_y - other_y) >= HEIGHT


@given(graphs())
@settings(max_examples=50, deadline=None)
def test_bends_belong_to_edges_and_lie_between_their_ends(
    graph: tuple[list[tuple[str, int]], list[tuple[str, str]]],
) -> None:
    nodes, edges = graph
    found = place(nodes, edges, "n0")
    for number, points in found.bends.items():
        child, parent = edges[number]
        ends = sorted((found.nodes[child][1], found.nodes[parent][1]))
        assert all(ends[0] < y < ends[1] for _, y in points)


@pytest.mark.parametrize("deep", [5_000])
def test_a_chain_of_thousands_needs_no_recursion(deep: int) -> None:
    nodes = [(f"n{number}", number) for number in range(deep)]
    places = place(nodes, [(f"n{number + 1}", f"n{number}") for number in range(deep - 1)], "n0").nodes
    assert len({y for _, y in places.values()}) == deep
