"""From the two sides of a thing's descent to what a picture shows."""

from __future__ import annotations

from cli.render.lineage import Words, key_text
from cli.render.lineage_picture import Attribute, Doubt, Edge, Node, Picture
from handlers.lineage.model import Key
from handlers.lineage.queries.descent import Descent
from handlers.lineage.queries.hops import Hop
from handlers.lineage.queries.reasons import in_order
from handlers.lineage.relations import RULES


def picture_of(above: Descent, below: Descent, words: Words) -> Picture:
    """Answer what is above and below one thing; what is on both sides stands above."""
    nodes: dict[Key, Node] = {}
    for descent, sign in ((above, -1), (below, 1)):
        for level, keys in enumerate(descent.levels):
            for key in keys:
                nodes.setdefault(key, _node(descent, key, sign * level, words))
    hops = {(hop.child, hop.relation, hop.parent): hop for hop in (*above.hops, *below.hops)}
    reasons = in_order((*above.reasons, *below.reasons))
    return Picture(
        key_text(above.start),
        above.start,
        tuple(nodes.values()),
        tuple(map(_edge, hops.values())),
        not reasons,
        tuple(Doubt(each.why.value, each.about, each.says) for each in reasons),
    )


def _node(descent: Descent, key: Key, level: int, words: Words) -> Node:
    thing = descent.things[key]
    said = tuple(Attribute(name, said.value, said.evidence) for name, said in sorted(thing.state_of.attributes.items()))
    owner = words.account(thing.account) if thing.account else ""
    return Node(
        key,
        thing.kind.value,
        thing.name,
        thing.account,
        thing.region,
        thing.state,
        owner,
        level,
        said,
        thing.known,
        key in descent.formerly,
        key in descent.open,
    )


def _edge(hop: Hop) -> Edge:
    return Edge(
        hop.child,
        hop.parent,
        hop.relation.value,
        RULES[hop.relation].says,
        hop.verdict.value,
        hop.why,
        tuple(fact.evidence for fact in hop.facts),
    )
