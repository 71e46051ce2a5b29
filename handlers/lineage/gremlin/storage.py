"""How facts lie in a property graph, and the traversals that put them there. Nothing here does I/O.

A thing is a vertex: its id is its key, its label its kind. A fact is an edge from child to parent: its id is the fact's
id, its label the relation (of NOTED a loop). Nothing is ever changed but `last` of a place, which only grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from gremlin_python.process.anonymous_traversal import traversal
from gremlin_python.process.graph_traversal import __
from gremlin_python.process.traversal import Cardinality, Direction, Merge, P, T
from gremlin_python.statics import long
from gremlin_python.structure.graph import Graph as Anywhere

from handlers.lineage.model import (
    Confidence,
    Evidence,
    Fact,
    Key,
    Place,
    Relation,
    Source,
    Time,
    parts_of,
)
from org.ids import AccountId, Region

g = traversal().with_graph(Anywhere())
"""Where traversals start; they are sent by `connection`."""

Properties = dict[str, str | int]

FACT = "fact"
"""All that a fact says, as JSON: one value to read. The others are there to find it by, and to put it in order."""
TIME = "time"
EVENT = "event"
HEARD = "heard"
"""The label of a place from which events were heard; its property is `last`."""
LAST = "last"
REGION = "region"
SHELF = "shelf"
"""A number from the fact's id, by which all facts can be read in portions in the order of their ids."""
SHELVES = 4096

_SOUGHT, _MADE = "sought", "made"

MOST_FACTS = 450
"""In one chained traversal: Neptune refuses, or breaks on, one of about 1,500 steps, and a fact is up to three [H]."""
MOST_PLACES = 40
"""In one traversal."""


class Form(StrEnum):
    """How many upserts become one traversal."""

    CHAINED = "chained"
    """One step for each: the form which Neptune documents as fast. On a Gremlin Server its cost grows with its square.

    https://docs.aws.amazon.com/neptune/latest/userguide/gremlin-efficient-upserts.html
    """
    INJECTED = "injected"
    """Two steps for all, fed by a list: fast on a Gremlin Server; Neptune has it done by TinkerPop, not by its engine.

    https://tinkerpop.apache.org/docs/3.7.3/reference/#mergevertex-step
    """


def properties_of(fact: Fact) -> Properties:
    """Answer an edge's properties, and of a NOTED fact one for each attribute with a value.

    An empty value has none: Neptune's loader takes it for no value (`passage` finds it all the same).
    """
    said: Properties = {
        TIME: long(fact.evidence.time),
        EVENT: fact.evidence.event_id,
        SHELF: shelf_of(fact.id),
        FACT: write_fact(fact),
    }
    if fact.relation is Relation.NOTED:
        said |= {property_of(name): searchable(value) for name, value in fact.attributes if value}
    return said


def write_fact(fact: Fact) -> str:
    """Write a fact as JSON, with a tabulator after each comma, where no string of JSON can have one.

    So `passage` finds an attribute with its value, and nothing that only looks like one: no list but an attribute's
    begins with a string.
    """
    each = fact.evidence
    return json.dumps(
        (
            each.time,
            fact.relation.value,
            fact.child,
            fact.parent,
            each.source.value,
            each.event_id,
            each.account,
            each.region,
            each.actor,
            each.confidence.value,
            fact.attributes,
        ),
        separators=(",\t", ":"),
    )


def read_fact(text: str) -> Fact:
    time, relation, child, parent, source, event, account, region, actor, confidence, attributes = json.loads(text)
    evidence = Evidence(
        Source(source), event, Time(time), AccountId(account), Region(region), actor, Confidence(confidence)
    )
    return Fact(
        Relation(relation), Key(child), Key(parent), evidence, tuple((name, value) for name, value in attributes)
    )


def shelf_of(fact_id: str) -> int:
    return int(fact_id[:3], 16)


def property_of(attribute: str) -> str:
    """Answer the property that an attribute is searched by: a name that no header of a CSV file can misread."""
    return "a." + quote(attribute, safe="", errors="replace")


def passage(name: str, value: str | None = None) -> str:
    """Answer the passage of `write_fact` that says this of an attribute; None: that it has a value at all."""
    begun = f"[{json.dumps(name)},\t"
    return begun + '"' if value is None else begun + json.dumps(value) + "]"


def place_id(place: Place) -> str:
    return f"{HEARD}/{place.account}/{place.region}"


def place_from(identity: str) -> Place:
    _, account, region = identity.split("/", 2)
    return Place(AccountId(account), Region(region))


def upsert(facts: Sequence[Fact], heard: Mapping[Place, Time], form: Form) -> Any:  # noqa: ANN401
    """Answer the one traversal that adds all of it, or none; at least one of the two must not be empty.

    Vertices come in the order of their ids, so that two writers lock them in one order.
    """
    keys = sorted({key for fact in facts for key in (fact.child, fact.parent)})
    # Ids or a number come back, not elements; Neptune documents it as the quicker end.
    if form is Form.INJECTED and facts:
        made = _injected(facts, keys)
        return _with_heard(made, heard).id_() if heard else made
    return _with_heard(_chained(facts, keys), heard).id_()


def _chained(facts: Sequence[Fact], keys: Sequence[Key]) -> Any:  # noqa: ANN401
    made = g
    for key in keys:
        made = made.merge_v({T.id: key}).option(Merge.on_create, _vertex(key))
    for fact in facts:
        made = made.merge_e(_edge(fact)).option(Merge.on_create, properties_of(fact))
    return made


def _injected(facts: Sequence[Fact], keys: Sequence[Key]) -> Any:  # noqa: ANN401
    # A vertex that is new has one value of `region`, whatever the default cardinality.
    vertices = [{T.id: key} | _vertex(key) for key in keys]
    edges = [{_SOUGHT: {T.id: fact.id}, _MADE: _edge(fact) | properties_of(fact)} for fact in facts]
    made = g.inject().unfold().merge_v().count().constant().unfold()
    # The arguments are put in afterwards: given to a step, the driver would first copy each value of each map.
    for instruction in made.bytecode.step_instructions:
        instruction.extend({"inject": [vertices], "constant": [edges]}.get(instruction[0], []))
    # Sought by id alone: TinkerPop compiles a traversal of its own for each edge and each of the things it must match.
    return made.merge_e(__.select(_SOUGHT)).option(Merge.on_create, __.select(_MADE)).count()


def _with_heard(made: Any, heard: Mapping[Place, Time]) -> Any:  # noqa: ANN401
    for place, time in sorted(heard.items()):
        newest = long(time)
        at = {T.label: HEARD, LAST: newest}
        made = made.merge_v({T.id: place_id(place)}).option(Merge.on_create, at)
        made = made.side_effect(__.has(LAST, P.lt(newest)).property(Cardinality.single, LAST, newest))
    return made


def _vertex(key: Key) -> dict[Any, str]:
    parts = parts_of(key)
    return {T.label: parts.kind.value, REGION: parts.region}


def _edge(fact: Fact) -> dict[Any, Any]:
    return {T.id: fact.id, T.label: fact.relation.value, Direction.from_: fact.child, Direction.to: fact.parent}


def searchable(value: str) -> str:
    """Leave out of a text what UTF-8 cannot say; the attribute itself is kept exactly, in JSON."""
    return value.encode("utf-8", "replace").decode()
