"""Where the things of a lineage stand: ancestors above, descendants and users below. Pure, and always the same.

A layered drawing after Sugiyama, Tagawa and Toda (IEEE Trans. Syst. Man Cybern. 11(2), 1981): layers by the longest
way from the asked thing, order within a layer by the means of neighbours, then places as near to the neighbours as the
order leaves room for (least squares: pool adjacent violators). Computed here and not in the browser, where a layout in
layers takes longer for thousands of things than all the drawing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt

WIDTH, HEIGHT = 264, 74
"""Of a node, in pixels at a zoom of 1."""
_BESIDE, _BELOW, _STACKED = 34, 56, 16
_BEND = 50
_SMALL = 300
"""Up to so many things, a long edge is led around what stands between; beyond, nobody could follow it anyway."""
_SWEEPS = 8

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Places:
    """Where each node stands, and by which points an edge (its number) goes that is longer than one layer."""

    nodes: Mapping[str, Point]
    bends: Mapping[int, tuple[Point, ...]]


def place(nodes: Sequence[tuple[str, int]], edges: Sequence[tuple[str, str]], start: str) -> Places:
    """Answer places for nodes, given in their order with their level, and edges as (child, parent)."""
    layers = _layers(nodes, edges, start)
    rows: dict[int, list[Hashable]] = defaultdict(list)
    for key, _ in nodes:
        rows[layers[key]].append(key)
    links, chains = _links(edges, layers, rows, bend=len(nodes) <= _SMALL)
    ordered = _order([rows[layer] for layer in sorted(rows)], links)
    found = _coordinates(ordered, links, _columns(len(nodes)))
    return Places(
        {key: found[key] for key, _ in nodes},
        {number: tuple(found[each] for each in chain) for number, chain in chains.items()},
    )


def _layers(nodes: Sequence[tuple[str, int]], edges: Sequence[tuple[str, str]], start: str) -> dict[str, int]:
    """Number the layers from the top. What is joined to the start neither way keeps its level."""
    up, down = defaultdict(list), defaultdict(list)
    for child, parent in edges:
        if child != parent:
            up[child].append(parent)
            down[parent].append(child)
    above, below = _longest(up, start), _longest(down, start)
    return {
        key: -above[key] if key in above and (level < 0 or key not in below) else below.get(key, level)
        for key, level in nodes
    }


def _longest(onward: Mapping[str, Sequence[str]], start: str) -> dict[str, int]:
    """Answer the longest way from the start to each thing that it leads to; a step that closes a circle is left out."""
    order: list[str] = []
    seen = {start}
    stack = [(start, iter(onward.get(start, ())))]
    while stack:
        key, rest = stack[-1]
        for each in rest:
            if each not in seen:
                seen.add(each)
                stack.append((each, iter(onward.get(each, ()))))
                break
        else:
            order.append(key)
            stack.pop()
    order.reverse()
    rank = {key: number for number, key in enumerate(order)}
    far = dict.fromkeys(order, 0)
    for key in order:
        for each in onward.get(key, ()):
            if rank[each] > rank[key]:
                far[each] = max(far[each], far[key] + 1)
    return far


def _links(
    edges: Sequence[tuple[str, str]], layers: Mapping[str, int], rows: dict[int, list[Hashable]], *, bend: bool
) -> tuple[dict[Hashable, list[Hashable]], dict[int, list[Hashable]]]:
    """Answer what is beside what, with a bend in each layer that an edge crosses; these are added to the rows."""
    links: dict[Hashable, list[Hashable]] = defaultdict(list)
    chains: dict[int, list[Hashable]] = {}
    for number, (child, parent) in enumerate(edges):
        low, high = layers[child], layers[parent]
        step = 1 if high > low else -1
        between = range(low + step, high, step) if bend and low != high else range(0)
        chain: list[Hashable] = [(number, layer) for layer in between]
        for each, layer in zip(chain, between, strict=True):
            rows[layer].append(each)
        if chain:
            chains[number] = chain
        way = [child, *chain, parent]
        for one, other in pairwise(way):
            links[one].append(other)
            links[other].append(one)
    return links, chains


def _order(rows: list[list[Hashable]], links: Mapping[Hashable, Sequence[Hashable]]) -> list[list[Hashable]]:
    """Bring each row into an order in which neighbours of other rows are near, down and up by turns."""
    at = {key: (number + 0.5) / len(row) for row in rows for number, key in enumerate(row)}
    layer = {key: number for number, row in enumerate(rows) for key in row}
    ordered = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        upward = bool(sweep % 2)
        for number in reversed(range(len(ordered))) if upward else range(len(ordered)):
            means = {}
            for key in ordered[number]:
                near = [at[each] for each in links.get(key, ()) if (layer[each] > number) == upward]
                means[key] = sum(near) / len(near) if near else at[key]
            row = sorted(ordered[number], key=lambda key: (means[key], at[key]))
            ordered[number] = row
            at.update((key, (place + 0.5) / len(row)) for place, key in enumerate(row))
    return ordered


def _columns(things: int) -> int:
    """Answer how many stand side by side at most, so that the whole is about as wide as a screen."""
    return max(12, ceil(sqrt(things * 1.7 * (HEIGHT + _STACKED) / (WIDTH + _BESIDE))))


def _coordinates(
    rows: Sequence[Sequence[Hashable]], links: Mapping[Hashable, Sequence[Hashable]], most: int
) -> dict[Hashable, Point]:
    stacks = [_stacks(row, most) for row in rows]
    across = {
        key: column * (WIDTH + _BESIDE) - len(row) * (WIDTH + _BESIDE) / 2
        for row in stacks
        for column, stack in enumerate(row)
        for key in stack
    }
    for sweep in range(_SWEEPS):
        for row in stacks if sweep % 2 == 0 else reversed(stacks):
            wanted = []
            for stack in row:
                near = [across[each] for key in stack for each in links.get(key, ())]
                wanted.append(sum(near) / len(near) if near else across[stack[0]])
            for stack, x in zip(row, _apart(wanted, [_width(stack) for stack in row]), strict=True):
                across.update((key, x) for key in stack)
    found: dict[Hashable, Point] = {}
    y = 0.0
    for row in stacks:
        for stack in row:
            for number, key in enumerate(stack):
                found[key] = (round(across[key], 1), y + number * (HEIGHT + _STACKED))
        y += (max(len(stack) for stack in row) - 1) * (HEIGHT + _STACKED) + HEIGHT + _BELOW
    return found


def _stacks(row: Sequence[Hashable], most: int) -> list[Sequence[Hashable]]:
    """Pile up a long row in columns, so that what stands together in the row still does."""
    high = ceil(len(row) / most)
    return [row[first : first + high] for first in range(0, len(row), high)]


def _width(stack: Sequence[Hashable]) -> float:
    return (WIDTH if any(isinstance(key, str) for key in stack) else _BEND) + _BESIDE


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> Iterable[float]:
    """Answer the places nearest to the wanted ones (least squares) at which nothing overlaps, in the same order."""
    offsets = [0.0]
    for one, other in pairwise(widths):
        offsets.append(offsets[-1] + (one + other) / 2)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before, many = blocks.pop()
            total, count = total + before, count + many
        blocks.append((total, count))
    means = [total / count for total, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
