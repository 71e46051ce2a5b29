"""The fewest images whose rebuild, and the relaunch of what uses them, leaves no user with the bad content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, Time
from handlers.lineage.queries.asking import NO_SCOPE, USUAL_BOUNDS, Bounds, Scope
from handlers.lineage.queries.dependence import Dependence, Moment, dependence_of, moment_of
from handlers.lineage.queries.impact import affected_by
from handlers.lineage.queries.reasons import Reason
from handlers.lineage.queries.things import Thing

Node = Moment | tuple[Moment, str] | str
BACKUP = "backup"
BACKUP_TAGS = ("tag:aws:backup:", "tag:aws:dlm:")
"""AWS Backup and Data Lifecycle Manager put tags of these names on the images that they make."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """An image of the smallest set."""

    image: Thing
    covers: tuple[Key, ...]
    """The users that it lies above; another of the set may lie above them, too."""


@dataclass(frozen=True, slots=True)
class Smallest:
    """A smallest set; of several, the one nearest the bad thing, since it mends most of what lies between."""

    start: Key
    at: Time | None
    rebuild: tuple[Rebuild, ...]
    relaunch: tuple[Thing, ...]
    """Users that no rebuild can fix: between them and the bad thing lies no image that can be rebuilt. They must be
    launched anew, or pointed at something else."""
    not_rebuildable: tuple[Key, ...]
    """Affected images that counted as such: gone, outside the organization, backups, or named by the asker."""
    reasons: tuple[Reason, ...]

    @property
    def complete(self) -> bool:
        return not self.reasons


def smallest_rebuild(
    graph: Graph,
    start: Key,
    scope: Scope = NO_SCOPE,
    bounds: Bounds = USUAL_BOUNDS,
    at: Time | None = None,
    fixed: frozenset[Key] = frozenset(),
) -> Smallest:
    """Answer the smallest set; `fixed`: images that cannot be rebuilt. BadQuery, UnknownThing, GraphError."""
    affected = affected_by(graph, start, scope, bounds, at)
    walk, things = affected.walk, affected.things
    images = [each for each in affected.now() if each.kind is Kind.IMAGE and each.key != start]
    can = {each.key for each in images if each.key not in fixed and is_rebuildable(each, scope)}
    users = {moment_of(walk, each.key): each for each in affected.users() if each.key != start}
    dependence = dependence_of(walk, [each.key for each in users.values()])
    lost = _below(dependence, [dependence.start], can) & users.keys()
    chosen = _cut(dependence, can, users.keys() - lost)
    moments: dict[Key, list[Moment]] = {key: [] for key in chosen}
    for moment in dependence.children:
        if moment.key in moments:
            moments[moment.key].append(moment)
    covers = {key: _below(dependence, some, set()) & users.keys() for key, some in moments.items()}
    return Smallest(
        start,
        at,
        tuple(Rebuild(things[key], tuple(sorted(each.key for each in covers[key]))) for key in chosen),
        tuple(sorted((users[each] for each in lost), key=attrgetter("key"))),
        tuple(each.key for each in images if each.key not in can),
        affected.reasons,
    )


def is_rebuildable(image: Thing, scope: Scope) -> bool:
    """Tell whether somebody in the organization can build an image anew: one that is there, theirs, and no backup."""
    said = image.state_of
    backup = bool(said.value(BACKUP)) or any(name.startswith(BACKUP_TAGS) for name in said.attributes)
    return not (image.gone or backup) and scope.may_own(image.account)


def _below(dependence: Dependence, starts: Iterable[Moment], stop: set[Key]) -> set[Moment]:
    """Answer what lies below, not through the images at which to stop; these are not in it."""
    seen: set[Moment] = set()
    waiting = [child for start in starts for child in dependence.children[start]]
    while waiting:
        moment = waiting.pop()
        if moment not in seen and moment.key not in stop:
            seen.add(moment)
            waiting += dependence.children[moment]
    return seen


def _cut(dependence: Dependence, can: set[Key], users: Iterable[Moment]) -> list[Key]:
    """Answer a minimum vertex cut between the start and the users: each image is an edge of capacity 1 (Menger 1927).

    Every other thing has none that ends, so that only images are cut.
    """
    import networkx as nx
    from networkx.algorithms.flow import edmonds_karp

    flow = nx.DiGraph()
    for moment, below in dependence.children.items():
        out: Node = (moment, "out") if moment.key in can else moment
        if moment.key in can:
            flow.add_edge(moment, out, capacity=1)
        flow.add_edges_from((out, child) for child in below)
    end = "users"
    flow.add_edges_from((user, end) for user in sorted(users))
    if end not in flow:
        return []
    residual = edmonds_karp(flow, dependence.start, end)
    near = _near(residual.adj, dependence.start)
    cut = {each.key for each in near if isinstance(each, Moment) and each.key in can and (each, "out") not in near}
    return sorted(cut)


def _near(edges: Mapping[Node, Mapping[Node, Mapping[str, float]]], start: Moment) -> set[Node]:
    """Answer what is still reached when the flow is full: the side of the start."""
    near: set[Node] = {start}
    waiting: list[Node] = [start]
    while waiting:
        for node, edge in edges[waiting.pop()].items():
            if node not in near and edge["flow"] < edge["capacity"]:
                near.add(node)
                waiting.append(node)
    return near
