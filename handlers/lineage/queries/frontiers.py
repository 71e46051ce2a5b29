"""In which order to rebuild: layer after layer, each after all that it is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, Time
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, Bounds, Scope
from handlers.lineage.queries.dependence import Dependence, Moment, dependence_of
from handlers.lineage.queries.impact import affected_by
from handlers.lineage.queries.reasons import Reason
from handlers.lineage.queries.things import Thing


@dataclass(frozen=True, slots=True)
class Frontiers:
    """Images to rebuild, in layers."""

    start: Key
    at: Time | None
    layers: tuple[tuple[Thing, ...], ...]
    """Layer 0 is the start (where it is an image that is still there), whatever it came of; of every other image, all
    affected parents lie in earlier layers. Those that are made in a circle stand in one layer."""
    circular: tuple[Key, ...]
    """Images in such a circle."""
    gone: tuple[Thing, ...]
    """Affected images that are no longer there: what came of them depends on what they came of."""
    outside: tuple[Key, ...]
    """Of the layers: images of accounts outside the organization. Their owners must rebuild them."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def frontiers(
    graph: Graph, start: Key, scope: Scope = NO_SCOPE, bounds: Bounds = USUAL_BOUNDS, at: Time | None = None
) -> Frontiers:
    """Answer the order in which to rebuild what came of a thing. BadQuery, UnknownThing, GraphError."""
    affected = affected_by(graph, start, scope, bounds, at)
    things = affected.things
    images = [thing for thing in affected.now() if thing.kind is Kind.IMAGE]
    live = {thing.key for thing in images if not thing.gone}
    dependence = dependence_of(affected.walk, sorted(live))
    depths, circular = _depths(dependence, live)
    layers: dict[int, list[Key]] = {}
    for moment, depth in depths.items():
        if moment.key in live:
            layers.setdefault(depth, []).append(moment.key)
    return Frontiers(
        start,
        at,
        tuple(tuple(things[key] for key in sorted(set(layers[depth]))) for depth in sorted(layers)),
        tuple(sorted(circular & live)),
        tuple(thing for thing in images if thing.gone),
        tuple(sorted(key for key in live if not scope.may_own(things[key].account))),
        affected.reasons,
    )


def _depths(dependence: Dependence, live: set[Key]) -> tuple[dict[Moment, int], set[Key]]:
    """Answer the longest way down to each moment, counted in live images; and the keys of circles."""
    children = dependence.children
    own = {moment: moment for moment in children}
    depths = _longest(children, own, live)
    if len(depths) == len(children):
        return depths, set()
    circle_of = _circles(children)
    in_circles = Counter(circle_of.values())
    return _longest(children, circle_of, live), {each.key for each, one in circle_of.items() if in_circles[one] > 1}


def _longest(
    children: Mapping[Moment, tuple[Moment, ...]], circle_of: Mapping[Moment, Moment], live: set[Key]
) -> dict[Moment, int]:
    """Answer the depth of all that does not lie on or below a circle, each given circle taken as one (Kahn 1962)."""
    members: dict[Moment, list[Moment]] = defaultdict(list)
    missing: Counter[Moment] = Counter()
    for moment, circle in circle_of.items():
        members[circle].append(moment)
        missing.update(other for other in map(circle_of.__getitem__, children[moment]) if other != circle)
    depth = dict.fromkeys(members, -1)
    ready = [circle for circle in members if not missing[circle]]
    found: dict[Moment, int] = {}
    while ready:
        circle = ready.pop()
        depth[circle] += any(moment.key in live for moment in members[circle])
        for moment in members[circle]:
            found[moment] = depth[circle]
            for other in map(circle_of.__getitem__, children[moment]):
                if other != circle:
                    depth[other] = max(depth[other], depth[circle])
                    missing[other] -= 1
                    if not missing[other]:
                        ready.append(other)
    return found


def _circles(children: Mapping[Moment, tuple[Moment, ...]]) -> dict[Moment, Moment]:
    """Answer for each moment the least of those that depend on it and on which it depends."""
    import networkx as nx

    graph = nx.DiGraph((moment, child) for moment, below in children.items() for child in below)
    graph.add_nodes_from(children)
    return {moment: min(circle) for circle in nx.strongly_connected_components(graph) for moment in circle}
