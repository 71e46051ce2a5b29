"""Write a graph as files for Neptune's loader, which takes far more per second than any client.

Three files in a folder of S3: things, places, facts. The loader needs neither `allowEmptyStrings` nor
`updateSingleCardinalityProperties`: nothing that is empty is said, and nothing twice.
https://docs.aws.amazon.com/neptune/latest/userguide/bulk-load-tutorial-format-gremlin.html
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from handlers.lineage.errors import GraphError
from handlers.lineage.gremlin.storage import (
    EVENT,
    FACT,
    HEARD,
    LAST,
    REGION,
    SHELF,
    TIME,
    place_id,
    properties_of,
    property_of,
)
from handlers.lineage.model import Fact, Key, Place, Relation, Time, parts_of

THINGS, PLACES, FACTS = "things.csv", "places.csv", "facts.csv"


def write_bulk_load(
    facts: Callable[[], Iterable[Fact]], heard: Mapping[Place, Time], folder: Path, *, compress: bool = False
) -> list[Path]:
    """Write the files and answer their paths; the same facts in the same order give the same bytes.

    `facts` is called twice (`graph.export`): the header comes before the rows, and needs every attribute.
    Keeps the keys of all things in memory, and nothing else. GraphError for a fact without an event.
    """
    attributes: set[str] = set()
    things: set[Key] = set()
    for fact in facts():
        things |= {fact.child, fact.parent}
        if fact.relation is Relation.NOTED:
            attributes |= {name for name, value in fact.attributes if value}
    searched = sorted({property_of(name) for name in attributes})
    ending = ".csv.gz" if compress else ".csv"
    paths = [folder / Path(name).with_suffix(ending) for name in (THINGS, PLACES, FACTS)]
    _write(paths[0], ["~id", "~label", f"{REGION}:String(single)"], (_thing(key) for key in sorted(things)))
    _write(paths[1], ["~id", "~label", f"{LAST}:Long(single)"], (_place(*each) for each in sorted(heard.items())))
    columns = [TIME, EVENT, SHELF, FACT, *searched]
    types = ["Long", "String", "Int", *["String"] * (1 + len(searched))]
    header = ["~id", "~from", "~to", "~label", *(f"{name}:{type}" for name, type in zip(columns, types, strict=True))]
    _write(paths[2], header, (_fact(fact, columns) for fact in facts()))
    return paths


def _thing(key: Key) -> Sequence[str]:
    parts = parts_of(key)
    return key, parts.kind.value, parts.region


def _place(place: Place, time: Time) -> Sequence[str]:
    return place_id(place), HEARD, str(time)


def _fact(fact: Fact, columns: Sequence[str]) -> Sequence[str]:
    if not fact.evidence.event_id:
        raise GraphError(
            fact.id, "a fact without an event, which the loader would put out of order", "rebuild the graph"
        )
    said = properties_of(fact)
    return [fact.id, fact.child, fact.parent, fact.relation.value, *(str(said.get(name, "")) for name in columns)]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with _opened(path) as file:
        # RFC 4180, which the loader follows: a quotation mark is doubled, a line break stands as it is in quotes.
        writer = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerow(header)
        writer.writerows(rows)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            with io.TextIOWrapper(raw, "utf-8", newline="") as text:
                yield text
        else:
            # Neither name nor time in the header: the same facts, the same bytes.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
            with packed, io.TextIOWrapper(packed, "utf-8", newline="") as text:
                yield text
