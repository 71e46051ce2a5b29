"""In which Regions something is known of an id: ids of images and the like are unique within a Region only."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.lineage.events.envelope import partition_of
from handlers.lineage.graph import Graph
from handlers.lineage.model import Key, Kind, key_of
from handlers.lineage.queries.asking import ALL_RELATIONS
from handlers.lineage.queries.fetch import facts_into
from org.ids import Region

KINDS_BY_PREFIX = {
    "ami": Kind.IMAGE,
    "snap": Kind.SNAPSHOT,
    "vol": Kind.VOLUME,
    "i": Kind.INSTANCE,
    "lt": Kind.TEMPLATE_VERSION,
    "fleet": Kind.FLEET,
    "sfr": Kind.FLEET,
    "sir": Kind.FLEET,
}
"""What an id of EC2's stands for, by what is before its hyphen."""


def keys_anywhere(graph: Graph, kind: Kind, id: str, regions: Iterable[Region]) -> list[Key]:
    """Answer the keys by which the graph knows the id, in order: in these Regions, and in those that are heard."""
    every = {*regions, *(place.region for place in graph.heard())}
    keys = [key_of(kind, id, region, partition_of(region)) for region in sorted(every)]
    found = {fact.child for fact in graph.facts_of(keys, ALL_RELATIONS)}
    found |= facts_into(graph, keys, ALL_RELATIONS, None, 1)[0].keys()
    return sorted(found)
